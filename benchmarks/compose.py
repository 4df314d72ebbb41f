"""B5: the CPU time of one more subscriber, with a shared digest and with a personal one.

Personal digests have 12 of the edition's 60 papers, preferably the best ones, in the reader's own
order. Four of them have a reason of the reader: a paper matches a few wishes, which have 40
wordings in all.
"""

import gc
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from email.message import EmailMessage
from email.policy import SMTP
from random import Random

from benchmarks.homes import home_to_measure
from benchmarks.ingest import fresh_database
from benchmarks.invented import NOW, as_jsonl, papers, store
from benchmarks.table import Bar, Measured
from paperround.bootstrap import AppContext
from paperround.core.reasons import freeze
from paperround.core.sender import SenderIdentity
from paperround.delivery.dkim.keys import new_key
from paperround.delivery.dkim.signer import Algorithm, Signer
from paperround.delivery.ledger_model import DeliveryContent
from paperround.digests.compose import digest_mail, edition_content
from paperround.digests.model import DigestMail, Rendered
from paperround.digests.render.composer import MailRenderer
from paperround.editions.model import Edition
from paperround.feeds.formats.jsonl import read_jsonl
from paperround.self_service.preview import Preview

READERS = 5000
DIGEST, OWN, WORDINGS, WISHES = 12, 4, 40, 6
SIGNED = 1000
ROUNDS = 5
MOST_OF_A_SIGNATURE = {Algorithm.RSA: 1.5, Algorithm.ED25519: 4}
MOST_OF_A_PERSONAL_ONE = {Algorithm.RSA: 1.7, Algorithm.ED25519: 6}
"""The cost of a signed digest as a multiple of the bare signature: the body is hashed as well."""


def shared_digest() -> list[Measured]:
    """CPU time per subscriber, as a share of building an EmailMessage."""
    home = home_to_measure()
    mail = mail_of_an_edition(home)
    mails = [_for_reader(mail, number) for number in range(READERS)]
    return [_part_of_a_build(home, mails, "a shared digest", Bar("at most", 1 / 200))]


def personal_digest() -> list[Measured]:
    """The same for digests that no two readers share; and signed."""
    home = home_to_measure()
    mails = _personal_mails(home, _shown(home).edition)
    return [
        _part_of_a_build(home, mails, "a personal digest", Bar("at most", 1 / 50)),
        *(
            _signed(home.sender_identity, mails[:SIGNED], algorithm, "a personal digest", most)
            for algorithm, most in MOST_OF_A_PERSONAL_ONE.items()
        ),
    ]


def _part_of_a_build(
    home: AppContext, mails: Sequence[DigestMail], which: str, bar: Bar
) -> Measured:
    shares, builds = _shares(home, mails)
    ratio = statistics.median(share / build for share, build in zip(shares, builds, strict=True))
    share, build = (statistics.median(each) * 1e6 for each in (shares, builds))
    return Measured(
        id="B5",
        measure=f"a subscriber's share of {which} / EmailMessage build, CPU "
        f"({share:.1f}, {build:,.0f} µs)",
        value=ratio,
        bar=bar,
    )


def _shares(home: AppContext, mails: Sequence[DigestMail]) -> tuple[list[float], list[float]]:
    """Seconds per message in each round, and seconds of a documented build of one of them."""
    renderer = MailRenderer(home.sender_identity)
    _compose_all(renderer.compose, mails)
    rendered = renderer.render(mails[0].view)
    shares, builds = [], []
    gc.collect()
    gc.freeze()  # thousands of messages in memory belong to the benchmark
    for _ in range(ROUNDS):
        shares.append(_cpu(lambda: _compose_all(renderer.compose, mails)) / len(mails))
        builds.append(
            _cpu(lambda: _email_message(rendered, home.sender_identity, "a@b.c"), times=50)
        )
    return shares, builds


def _personal_mails(home: AppContext, edition: Edition) -> list[DigestMail]:
    chance = Random(1)  # noqa: S311 - the same readers every time
    sheet = edition_content(edition, "Trending papers", home.sender_identity)
    slips = [_slip(home, edition, number, chance) for number in range(READERS)]
    return [digest_mail(sheet, slip, home.identity.keys) for slip in slips]


def _slip(home: AppContext, edition: Edition, number: int, chance: Random) -> DeliveryContent:
    places = range(1, len(edition.papers) + 1)
    order = sorted(places, key=lambda place: place * 0.12 - chance.gauss(0, 1.5))
    mine = {place: chance.randrange(WISHES) for place in chance.sample(order[:DIGEST], OWN)}
    return DeliveryContent(
        row=number,
        edition_id=edition.id,
        address=f"reader{number}@example.org",
        positions=tuple(order[:DIGEST]),
        local_date=edition.day,
        message_id=f"<{number:032}@example.org>",
        dated=NOW,
        key_id=home.identity.keys.current.id,
        nonce="nonce",
        reasons={place: _reason(place * 7 + wish) for place, wish in mine.items()},
        parts={place: {"wishes": round(chance.random(), 4)} for place in mine},
    )


def _reason(wording: int) -> str:
    return freeze("followed.search", search=f"{wording % WORDINGS} OR learning")


def signed_digest() -> list[Measured]:
    """The cost per subscriber of a signed digest, as a multiple of its bare signature."""
    home = home_to_measure()
    mail = mail_of_an_edition(home)
    mails = [_for_reader(mail, number) for number in range(SIGNED)]
    return [
        _signed(home.sender_identity, mails, algorithm, "a shared digest", most)
        for algorithm, most in MOST_OF_A_SIGNATURE.items()
    ]


def _signed(
    sender_identity: SenderIdentity,
    mails: Sequence[DigestMail],
    algorithm: Algorithm,
    which: str,
    most: float,
) -> Measured:
    key = new_key(algorithm, "s1")
    signer = Signer("example.org", [key])
    compose = MailRenderer(sender_identity, signer=lambda: signer).compose
    _compose_all(compose, mails)
    shares, bare = [], []
    for _ in range(ROUNDS):
        shares.append(_cpu(lambda: _compose_all(compose, mails)) / len(mails))
        bare.append(_cpu(lambda: key.sign(b"x" * 1500), times=SIGNED))
    ratio = statistics.median(share / one for share, one in zip(shares, bare, strict=True))
    said = f"{statistics.median(shares) * 1e6:,.0f} µs"
    return Measured(
        id="B5",
        measure=f"{which}, signed with {algorithm} / the bare signature ({said})",
        value=ratio,
        bar=Bar("at most", most),
    )


def mail_of_an_edition(home: AppContext) -> DigestMail:
    """The digest of an invented edition for a new reader."""
    shown = _shown(home)
    if shown.mail is None:
        raise RuntimeError(f"no digest to measure: {shown.skipped}")
    return shown.mail


def _shown(home: AppContext) -> Preview:
    with fresh_database() as database:
        store(read_jsonl(as_jsonl(papers(60))), database)
        return replace(home.previewer, database=database).preview("trending", now=NOW)


def _for_reader(mail: DigestMail, number: int) -> DigestMail:
    token = f"{number:040}"
    links = mail.view.links
    base = links.unsubscribe[:-40]
    personal = replace(
        links,
        unsubscribe=base + token,
        preferences=links.preferences[:-40] + token,
    )
    return replace(
        mail,
        view=replace(mail.view, links=personal),
        recipient=f"reader{number}@example.org",
        message_id=f"<{number:032}@example.org>",
    )


def _email_message(rendered: Rendered, sender_identity: SenderIdentity, recipient: str) -> bytes:
    message = EmailMessage(policy=SMTP)
    message["Subject"] = rendered.subject
    message["From"] = sender_identity.mail_from
    message["To"] = recipient
    message.set_content(rendered.text)
    message.add_alternative(rendered.html, subtype="html")
    return message.as_bytes()


def _compose_all(compose: Callable[[DigestMail], bytes], mails: Sequence[DigestMail]) -> None:
    for mail in mails:
        compose(mail)


def _cpu(run: Callable[[], object], *, times: int = 1) -> float:
    """CPU seconds of this thread per call."""
    begin = time.thread_time()
    for _ in range(times):
        run()
    return (time.thread_time() - begin) / times
