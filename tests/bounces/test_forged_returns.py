"""Reports that anybody can write who was shown a digest: its Message-ID proves nothing."""

from collections import Counter
from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import Engine, select

from paperround.bounces.intake import Intake, ReturnReader, process_message
from paperround.bounces.model import Proof, ReportKind
from paperround.bounces.policy import NO_BOUNCES, POINTS_TO_PAUSE, BounceScore
from paperround.bounces.store import ReturnStore
from paperround.db.schema import tables as db
from paperround.db.transactions import SqlDatabase
from paperround.delivery.model import Evidence
from paperround.delivery.return_path import tagged
from paperround.self_service.erasure import erase_address
from paperround.subscribers.store.subscribers import SubscriberStore
from tests.bounces.bouncing import feedback_report, letter, postfix_report
from tests.bounces.returning import ALAN_STOPPED, ALL_ACTIVE, BOUNCES, DAYS, KEYS, Town
from tests.builders import address
from tests.delivery.publishing import send
from tests.sample_database import NOW, fill, record
from tests.self_service.readers import signup_context

ALAN = address("alan", "example.org")
UNKNOWN, KEPT, NOTED = Counter(unknown=1), ["unproven"], Counter(noted=1)


@pytest.fixture
def town(database: SqlDatabase) -> Town:
    return Town(database)


def taken(town: Town, raw: bytes, way: str = "pipe", now: object = NOW) -> Counter[str]:
    intake = Intake(database=town.database, keys=KEYS, reader=ReturnReader(BOUNCES))
    return Counter([process_message(intake, raw, way=way, now=now)])  # type: ignore[arg-type]


def kept(town: Town) -> list[str]:
    with town.database.reading() as work:
        return [one.why for one in work[ReturnStore].waiting(limit=9)]


def standing(town: Town) -> BounceScore:
    with town.database.writing() as work:
        alan = work[SubscriberStore].find(ALAN)
        assert alan is not None
        return work[ReturnStore].score(alan.id)


def copy_of(town: Town) -> bytes:
    """What a digest of Alan's that was passed on still says of itself."""
    return f"Message-ID: {town.mails['alan'].message_id}\nSubject: papers\n\n".encode()


def report(town: Town, *, sender: str = BOUNCES, to: str = ALAN.mailed, name: str = "1") -> bytes:
    return postfix_report(copy_of(town), sender=sender, recipient=to, name=name)


def complaint(town: Town, sender: str = BOUNCES) -> bytes:
    return feedback_report(copy_of(town), to="abuse@example.org", sender=sender)


def nameless(town: Town) -> bytes:
    words = "From: MAILER-DAEMON@x.example\nSubject: failure\n\n550 5.1.1 User unknown\n\n"
    return f"{words}--- Below this line is a copy\n\n".encode() + copy_of(town)


def forged_tag(town: Town) -> str:
    good = town.tag("alan")
    return tagged(BOUNCES, good[:-1] + ("a" if good[-1] != "a" else "b"))


def named_complaint(town: Town) -> bytes:
    field = f"Original-Rcpt-To: <{ALAN.mailed}>\nVersion: 1\n".encode()
    return complaint(town).replace(b"Version: 1\n", field)


def microsofts(town: Town) -> bytes:
    return f"X-HmXmrOriginalRecipient: {ALAN.mailed}\nTo: {BOUNCES}\n\n".encode() + copy_of(town)


def leaving(town: Town) -> bytes:
    return letter(to=BOUNCES, subject="unsubscribe", words=copy_of(town).decode())


FORGED: dict[str, tuple[Callable[[Town], bytes], Counter[str], list[str]]] = {
    "a report of another recipient": (lambda t: report(t, to="eve@example.org"), UNKNOWN, KEPT),
    "a report of another reader": (lambda t: report(t, to="ada@example.org"), UNKNOWN, KEPT),
    "a report of nobody": (nameless, UNKNOWN, KEPT),
    "a report of the right recipient": (report, NOTED, []),
    "the same with a forged tag": (lambda t: report(t, sender=forged_tag(t)), UNKNOWN, KEPT),
    "a complaint": (complaint, UNKNOWN, KEPT),
    "a complaint with the right recipient": (named_complaint, UNKNOWN, KEPT),
    "a complaint with a forged tag": (lambda t: complaint(t, forged_tag(t)), UNKNOWN, KEPT),
    "a complaint as Microsoft tells it": (microsofts, UNKNOWN, KEPT),
    "a wish to leave": (leaving, UNKNOWN, KEPT),
}


@pytest.mark.accept("S17", part="forged reports")
@pytest.mark.parametrize("way", ["pipe", "imap"])
@pytest.mark.parametrize("what", FORGED)
def test_a_message_id_without_a_signed_address_stops_nobody(
    town: Town, what: str, way: str
) -> None:
    forge, expected, why = FORGED[what]
    assert taken(town, forge(town), way) == expected
    assert (town.states, town.suppressions(), kept(town)) == (ALL_ACTIVE, [], why)
    with town.database.reading() as work:
        tally = work[ReturnStore].tally(since=NOW - DAYS, today=NOW.date())
        (event,) = work[ReturnStore].events(None, limit=9)
    assert (tally.bounced, tally.complained) == (1 if expected == NOTED else 0, 0)
    assert event.proof is (Proof.MESSAGE_ID if expected == NOTED else Proof.NONE)
    assert standing(town).points == (1 if expected == NOTED else 0)


@pytest.mark.accept("S17", part="forged reports")
@pytest.mark.parametrize("kind", [ReportKind.COMPLAINT, ReportKind.UNSUBSCRIBE])
def test_the_right_recipient_makes_no_complaint_and_no_wish_of_a_message_id(
    town: Town, kind: ReportKind
) -> None:
    name = town.mails["alan"].message_id
    event = town.event(
        "alan",
        kind=kind,
        evidence=Evidence.COMPLAINT,
        tag="",
        message_id=name,
        recipient=ALAN.mailed,
    )
    assert town.receive(event) == UNKNOWN
    assert (town.states, town.suppressions()) == (ALL_ACTIVE, [])


@pytest.mark.accept("S17", part="forged reports")
def test_a_signed_address_proves_what_it_did(town: Town) -> None:
    assert taken(town, report(town, sender=town.mails["alan"].sender)) == Counter(stopped=1)
    assert town.states == ALAN_STOPPED
    assert taken(town, complaint(town, town.mails["ada"].sender)) == Counter(complained=1)
    assert town.states == {**ALAN_STOPPED, "ada": "suppressed"}


# --- over days -----------------------------------------------------------------------------------


def tomorrow(town: Town, days: int) -> None:
    now = NOW + days * DAYS
    fill(town.database, [record(10 * days + n) for n in range(1, 5)], now)
    send(town.database, days=days)
    town.mails = town.deliver(now=now)


@pytest.mark.accept("S17", part="repeated")
@pytest.mark.parametrize("recipient", ["eve@example.org", ALAN.mailed])
def test_forgeries_of_several_mails_over_days_rest_mail_at_most(town: Town, recipient: str) -> None:
    did = []
    for days in range(POINTS_TO_PAUSE):
        if days:
            tomorrow(town, days)
        raw = report(town, to=recipient, name=str(days))
        did.append(taken(town, raw, now=NOW + days * DAYS))
    fits = recipient == ALAN.mailed
    assert did == ([NOTED] * 4 + [Counter(paused=1)] if fits else [UNKNOWN] * POINTS_TO_PAUSE)
    assert (town.states, town.suppressions()) == (ALL_ACTIVE, [])
    assert standing(town).rests == int(fits)
    assert standing(town).likely_on is None
    assert fits or standing(town) == NO_BOUNCES


@pytest.mark.accept("S17", part="repeated")
def test_one_message_id_counts_once(town: Town) -> None:
    for days in range(2 * POINTS_TO_PAUSE):
        now = NOW + timedelta(days=days)
        assert taken(town, report(town, name=str(days)), now=now) == NOTED
    assert (standing(town).points, standing(town).counted_on) == (1, NOW.date())


@pytest.mark.accept("S17", part="repeated")
def test_a_forgery_is_not_the_first_of_two_likely_words(town: Town) -> None:
    assert taken(town, report(town)) == NOTED
    tomorrow(town, 1)
    likely = town.event("alan", evidence=Evidence.LIKELY_GONE, happened_at=NOW + DAYS)
    assert town.receive(likely, now=NOW + DAYS) == NOTED
    assert town.states == ALL_ACTIVE


# --- what a provider tells -----------------------------------------------------------------------


@pytest.mark.accept("S17", part="provider hooks")
@pytest.mark.parametrize("way", ["hook:ses", "hook:postmark", "hook:sendgrid", "hook:mailgun"])
@pytest.mark.parametrize(
    ("kind", "evidence", "recipient", "expected"),
    [
        (ReportKind.BOUNCE, Evidence.GONE, "Alan@Example.org", Counter(stopped=1)),
        (ReportKind.COMPLAINT, Evidence.COMPLAINT, ALAN.mailed, Counter(complained=1)),
        (ReportKind.UNSUBSCRIBE, Evidence.NONE, ALAN.mailed, Counter(unsubscribed=1)),
        (ReportKind.BOUNCE, Evidence.GONE, "ada@example.org", UNKNOWN),
        (ReportKind.COMPLAINT, Evidence.COMPLAINT, "", UNKNOWN),
    ],
)
def test_a_provider_counts_as_before_where_it_names_the_recipient_of_the_mail(
    town: Town,
    way: str,
    kind: ReportKind,
    evidence: Evidence,
    recipient: str,
    expected: Counter[str],
) -> None:
    event = town.event(
        "alan",
        way=way,
        kind=kind,
        evidence=evidence,
        tag="",
        message_id=town.mails["alan"].message_id,
        recipient=recipient,
    )
    assert town.receive(event) == expected
    assert (town.states == ALL_ACTIVE) is (expected == UNKNOWN or kind is ReportKind.UNSUBSCRIBE)


# --- what is kept of it --------------------------------------------------------------------------


@pytest.mark.accept("P2", part="returned mails")
@pytest.mark.parametrize("erased_first", [False, True])
def test_a_forgery_goes_with_the_reader_whose_mail_it_names(
    town: Town, engine: Engine, erased_first: bool
) -> None:
    raw = report(town, to="eve@example.org")
    if not erased_first:
        assert taken(town, raw) == UNKNOWN
    erase_address(signup_context(town.database), ALAN, now=NOW, suppress=False)
    if erased_first:
        assert taken(town, raw) == NOTED
    with engine.connect() as connection:
        assert connection.execute(select(db.quarantine.c.content)).scalars().all() == []
