"""B5: what one more subscriber of a shared digest costs, unsigned and signed, in CPU time."""

import statistics
import time
from collections.abc import Callable
from dataclasses import replace
from email.message import EmailMessage
from email.policy import SMTP

from benchmarks.ingest import fresh_database
from benchmarks.invented import NOW, as_jsonl, papers, store
from benchmarks.table import Bar, Measured
from paperround.clock import FixedClock
from paperround.config import Settings
from paperround.domain.digests import DigestMail, Letterhead, Rendered
from paperround.jobs.preview import preview
from paperround.mail.composer import MailRenderer
from paperround.mail.dkim import Algorithm, Signer
from paperround.mail.dkim_keys import new_key
from paperround.sources.jsonl import read_jsonl
from paperround.wiring import Runtime

READERS = 5000
SIGNED = 1000
ROUNDS = 5
MOST_OF_A_SIGNATURE = {Algorithm.RSA: 1.5, Algorithm.ED25519: 4}
"""A signed digest as a multiple of the bare signature: the body has to be hashed as well."""


def shared_digest() -> list[Measured]:
    """A subscriber's share in CPU microseconds, and as a part of an EmailMessage build."""
    home = Runtime(Settings(secret_key="only-for-measuring-" * 2), FixedClock(NOW))
    mail = _mail(home)
    mails = [_for_reader(mail, number) for number in range(READERS)]
    compose = home.renderer.compose
    compose(mail)
    rendered, sender = home.renderer.render(mail.view), home.letterhead
    shares, builds = [], []
    for _ in range(ROUNDS):
        shares.append(_cpu(lambda: _compose_all(compose, mails)) / READERS)
        builds.append(_cpu(lambda: _email_message(rendered, sender, "a@b.example"), times=50))
    ratio = statistics.median(share / build for share, build in zip(shares, builds, strict=True))
    share = statistics.median(shares) * 1e6
    return [
        Measured(
            id="B5",
            measure="a subscriber's share of a shared digest, CPU",
            value=share,
            bar=Bar("at most", 10),
            unit="µs",
        ),
        Measured(
            id="B5",
            measure=f"the same / EmailMessage build ({statistics.median(builds) * 1e6:,.0f} µs)",
            value=ratio,
            bar=Bar("at most", 1 / 300),
        ),
    ]


def signed_digest() -> list[Measured]:
    """A subscriber's share of a digest that is signed, as a multiple of its bare signature."""
    home = Runtime(Settings(secret_key="only-for-measuring-" * 2), FixedClock(NOW))
    mail = _mail(home)
    mails = [_for_reader(mail, number) for number in range(SIGNED)]
    return [_signed(home.letterhead, mails, algorithm) for algorithm in Algorithm]


def _signed(letterhead: Letterhead, mails: list[DigestMail], algorithm: Algorithm) -> Measured:
    key = new_key(algorithm, "s1")
    signer = Signer("example.org", [key])
    compose = MailRenderer(letterhead, signer=lambda: signer).compose
    compose(mails[0])
    shares, bare = [], []
    for _ in range(ROUNDS):
        shares.append(_cpu(lambda: _compose_all(compose, mails)) / SIGNED)
        bare.append(_cpu(lambda: key.sign(b"x" * 1500), times=SIGNED))
    ratio = statistics.median(share / one for share, one in zip(shares, bare, strict=True))
    said = f"{statistics.median(shares) * 1e6:,.0f} µs"
    return Measured(
        id="B5",
        measure=f"the same, signed with {algorithm} / the bare signature ({said})",
        value=ratio,
        bar=Bar("at most", MOST_OF_A_SIGNATURE[algorithm]),
    )


def _mail(home: Runtime) -> DigestMail:
    with fresh_database() as database:
        store(read_jsonl(as_jsonl(papers(60))), database)
        shown = preview(
            database=database,
            ranker=home.ranker,
            identity=home.identity,
            letterhead=home.letterhead,
            list_name="trending",
            day=None,
            reader=None,
            now=NOW,
        )
    if shown.mail is None:
        raise RuntimeError(f"no digest to measure: {shown.skipped}")
    return shown.mail


def _for_reader(mail: DigestMail, number: int) -> DigestMail:
    token = f"{number:040}"
    links = mail.view.links
    base = links.unsubscribe[:-40]
    personal = replace(
        links,
        unsubscribe=base + token,
        one_click=base + token,
        preferences=links.preferences[:-40] + token,
    )
    return replace(
        mail,
        view=replace(mail.view, links=personal),
        recipient=f"reader{number}@example.org",
        message_id=f"<{number:032}@example.org>",
    )


def _email_message(rendered: Rendered, letterhead: Letterhead, recipient: str) -> bytes:
    message = EmailMessage(policy=SMTP)
    message["Subject"] = rendered.subject
    message["From"] = letterhead.mail_from
    message["To"] = recipient
    message.set_content(rendered.text)
    message.add_alternative(rendered.html, subtype="html")
    return message.as_bytes()


def _compose_all(compose: Callable[[DigestMail], bytes], mails: list[DigestMail]) -> None:
    for mail in mails:
        compose(mail)


def _cpu(run: Callable[[], object], *, times: int = 1) -> float:
    """CPU seconds of this thread, a call."""
    begin = time.thread_time()
    for _ in range(times):
        run()
    return (time.thread_time() - begin) / times
