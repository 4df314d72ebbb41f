"""From what comes back to a reader who is stopped, or is not."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import Engine, select

from paperround.bounces.model import Proof, ReportKind
from paperround.bounces.policy import NO_BOUNCES, SURGE, SURGE_OF_A_DOMAIN, BounceScore
from paperround.bounces.store import ReturnStore
from paperround.core.tokens import KeyRing
from paperround.db.schema import tables as db
from paperround.db.transactions import SqlDatabase, Transaction
from paperround.delivery.model import Envelope, Evidence, Outcome, Phase, Reply
from paperround.delivery.return_path import TagUse, make_tag, tag_of
from paperround.editions.model import SkipReason
from paperround.ops.status import history
from paperround.subscribers.model import SubscriberState
from paperround.subscribers.store.subscribers import SubscriberStore
from tests.bounces.returning import ALAN_STOPPED, ALL_ACTIVE, BOUNCES, DAYS, KEYS, Script, Town
from tests.builders import address
from tests.delivery.publishing import send
from tests.fakes import accepting
from tests.races import just_before, require_wait
from tests.sample_database import NOW, fill, record, subscribe
from tests.self_service.readers import joined, post, request, signup_context
from tests.self_service.readers import subscribe as ask


@pytest.fixture
def town(database: SqlDatabase) -> Town:
    return Town(database)


@pytest.mark.accept("F34", part="history")
def test_a_history_holds_what_came_back(town: Town) -> None:
    town.receive(town.event("alan"))
    past = history(town.database, address("alan", "example.org"))
    [event] = past.returned
    assert (event.mail, event.evidence, event.did) == (past.mails[0].name, Evidence.GONE, "stopped")
    assert history(town.database, address("ada", "example.org")).returned == []


# --- return addresses ----------------------------------------------------------------------------


@pytest.mark.accept("F36", part="return address")
def test_every_mail_leaves_with_an_address_of_its_own(town: Town) -> None:
    senders = {one.sender for one in town.mails.values()}
    assert len(senders) == 3
    for name, one in town.mails.items():
        assert tag_of(BOUNCES, one.sender)
        assert name not in one.sender


@pytest.mark.accept("F36", part="return address")
def test_a_retry_leaves_with_the_same_address(database: SqlDatabase) -> None:
    def later(envelope: Envelope) -> Outcome:
        return Outcome(id=envelope.id, phase=Phase.RCPT, reply=Reply(451, "4.7.1", "later"))

    town = Town(database, later)
    again = town.deliver(now=NOW + timedelta(hours=1))
    assert {n: e.sender for n, e in again.items()} == {n: e.sender for n, e in town.mails.items()}


@pytest.mark.accept("F36", part="return address")
def test_a_notice_has_one_too(database: SqlDatabase) -> None:
    town = Town(database)
    ask(signup_context(database), request("zoe"), now=NOW)
    (mail,) = town.deliver().values()
    town.mails["zoe"] = mail
    assert town.receive(town.event("zoe", evidence=Evidence.COMPLAINT)) == Counter(complained=1)
    with database.reading() as work:
        zoe = work[SubscriberStore].find(address("zoe"))
    assert zoe is not None
    assert zoe.state is SubscriberState.SUPPRESSED


def test_a_confirmation_that_comes_back_stops_nobody(database: SqlDatabase) -> None:
    town = Town(database)
    ask(signup_context(database), request("zoe"), now=NOW)
    (town.mails["zoe"],) = town.deliver().values()
    assert town.receive(town.event("zoe")) == Counter(noted=1)
    assert town.suppressions() == []


# --- stopping ------------------------------------------------------------------------------------


@pytest.mark.accept("F36", part="stopping")
def test_a_reader_who_is_gone_is_stopped_and_nobody_else(town: Town) -> None:
    assert town.receive(town.event("alan")) == Counter(stopped=1)
    assert town.states == ALAN_STOPPED
    assert town.suppressions() == ["gone"]


@pytest.mark.accept("F36", part="once")
def test_the_same_event_twice_counts_once(town: Town) -> None:
    full = town.event("alan", evidence=Evidence.PASSING)
    assert town.receive(full, full) == Counter(noted=1, known=1)
    assert town.receive(full, now=NOW + DAYS) == Counter(known=1)
    with town.database.writing() as work:
        alan = work[SubscriberStore].find(address("alan", "example.org"))
        assert alan is not None
        assert work[ReturnStore].score(alan.id).points == 1


@pytest.mark.postgres
@pytest.mark.accept("P2", part="mail comes back", mutant="a-mail-that-comes-back-locks-nobody")
@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
def test_a_mail_that_comes_back_locks_its_reader_before_it_counts(
    town: Town, engine: Engine
) -> None:
    with town.database.reading() as work:
        alan = work[SubscriberStore].find(address("alan", "example.org"))
    assert alan is not None

    def wait(work: Transaction) -> None:
        require_wait(work, lambda: work[SubscriberStore].lock(alan.id))

    with just_before(engine, "INSERT INTO standings", town.database, wait):
        assert town.receive(town.event("alan", evidence=Evidence.PASSING)) == Counter(noted=1)


@pytest.mark.accept("F36", part="forged")
@pytest.mark.parametrize("forge", ["last", "row", "cut", "key", "use"])
def test_an_address_that_is_not_signed_by_us_is_about_nothing(town: Town, forge: str) -> None:
    good = town.tag("alan")
    stranger = KeyRing((b"a secret that somebody made up!!",))
    forged = {
        "last": good[:-1] + ("a" if good[-1] != "a" else "b"),
        "row": good[:16] + town.tag("ada")[16:],
        "cut": good[:-3],
        "key": make_tag(stranger, TagUse.DELIVERY, 2, nonce="n", day=NOW.date()),
        "use": make_tag(KEYS, TagUse.LEAVE, 2, nonce="n", day=NOW.date()),
    }[forge]
    event = town.event("alan", tag=forged, message_id=town.mails["alan"].message_id)
    assert town.receive(event) == Counter(unknown=1)
    assert (town.states, town.suppressions()) == (ALL_ACTIVE, [])


def test_the_address_that_leaves_cannot_stop(town: Town) -> None:
    """It stands in the mail, for whoever a digest is forwarded to."""
    with town.database.reading() as work:
        mail = work[ReturnStore].mail_by_message_id(town.mails["alan"].message_id)
    assert mail is not None
    leaving = make_tag(KEYS, TagUse.LEAVE, mail.row, nonce=mail.nonce, day=NOW.date())
    assert town.receive(town.event("alan", tag=leaving)) == Counter(unknown=1)
    assert town.states == ALL_ACTIVE


@pytest.mark.accept("F36", part="forged")
def test_a_recipient_alone_counts_from_a_provider_and_only_where_we_mailed_it(town: Town) -> None:
    named = town.event("alan", tag="", recipient="Alan@Example.org")
    assert town.receive(named) == Counter(unknown=1)
    assert town.receive(replace(named, way="hook:ses", recipient="x@y.example"))["unknown"] == 1
    late = replace(named, way="hook:ses", event_id="late", happened_at=NOW + 31 * DAYS)
    assert town.receive(late, now=NOW + 31 * DAYS) == Counter(unknown=1)
    assert town.states == ALL_ACTIVE
    assert town.receive(replace(named, way="hook:ses", event_id="2")) == Counter(stopped=1)
    assert town.states == ALAN_STOPPED


@pytest.mark.accept("F36", part="stopping")
def test_likely_gone_takes_two_mails_on_two_days(town: Town) -> None:
    likely = town.event("alan", evidence=Evidence.LIKELY_GONE)
    assert town.receive(likely, replace(likely, event_id="again, that day")) == Counter(noted=2)
    fill(town.database, [record(n) for n in range(10, 14)], NOW + DAYS)
    send(town.database, days=1)
    town.mails = town.deliver(now=NOW + DAYS)
    tomorrow = town.event(
        "alan", evidence=Evidence.LIKELY_GONE, event_id="2", happened_at=NOW + DAYS
    )
    assert town.receive(tomorrow, now=NOW + DAYS) == Counter(stopped=1)
    assert town.states == ALAN_STOPPED


def test_what_happened_long_ago_does_nothing(town: Town) -> None:
    old = town.event("alan", happened_at=NOW - 31 * DAYS)
    assert town.receive(old) == Counter(noted=1)


@pytest.mark.accept("F36", part="complaints")
def test_a_complaint_ends_everything_for_good(town: Town) -> None:
    event = town.event("alan", kind=ReportKind.COMPLAINT, evidence=Evidence.COMPLAINT)
    assert town.receive(event) == Counter(complained=1)
    assert town.states == ALAN_STOPPED
    assert town.suppressions() == ["complaint"]
    with town.database.reading() as work:
        alan = work[SubscriberStore].find(address("alan", "example.org"))
        assert alan is not None
        theirs = select(db.subscriptions.c.state).where(db.subscriptions.c.subscriber_id == alan.id)
        left = work.connection.execute(theirs).scalars().all()
    assert left == ["unsubscribed"]


def test_somebody_who_left_is_suppressed_by_a_complaint_and_not_by_a_bounce(town: Town) -> None:
    with town.database.writing() as work:
        alan = work[SubscriberStore].find(address("alan", "example.org"))
        assert alan is not None
        work[SubscriberStore].set_state(alan.id, SubscriberState.UNSUBSCRIBED, now=NOW)
    assert town.receive(town.event("alan")) == Counter(noted=1)
    complaint = town.event(
        "alan", event_id="c", kind=ReportKind.COMPLAINT, evidence=Evidence.COMPLAINT
    )
    assert town.receive(complaint) == Counter(complained=1)


@pytest.mark.accept("F36", part="surge")
def test_where_many_are_gone_at_once_one_mail_stops_no_more(database: SqlDatabase) -> None:
    names = tuple(f"reader{n}" for n in range(SURGE_OF_A_DOMAIN + 3))
    subscribe(database, *names)
    town = Town(database)
    report = town.receive(*(town.event(name) for name in names))
    assert report == Counter(stopped=SURGE_OF_A_DOMAIN, noted=3)


@pytest.mark.accept("F36", part="surge")
def test_many_gone_at_once_are_a_surge_although_each_is_at_another_domain(
    database: SqlDatabase, engine: Engine
) -> None:
    names = tuple(f"reader{n}" for n in range(SURGE + 2))
    subscribe(database, *names)
    with engine.begin() as connection:
        own = db.subscribers.c.folded.op("||")(".example")
        connection.execute(db.subscribers.update().values(domain=own))
    town = Town(database)
    report = town.receive(*(town.event(name) for name in names))
    assert report == Counter(stopped=SURGE, noted=2)


def test_names_of_events_that_hold_addresses_stay_apart_and_are_not_kept(
    town: Town, engine: Engine
) -> None:
    names = ("1/ada@example.org", "1/alan@example.org", "\0" + "x" * 999)
    events = [town.event("alan", event_id=one, evidence=Evidence.PASSING) for one in names]
    assert town.receive(*events, *events) == Counter(noted=3, known=3)
    with engine.connect() as connection:
        kept = connection.execute(select(db.returned.c.event_id)).scalars().all()
    assert not [one for one in kept if "@" in one or len(one) > 64]


def test_who_confirms_again_starts_with_a_clean_sheet(town: Town) -> None:
    here = signup_context(town.database)
    joined(here, "zoe")
    with town.database.writing() as work:
        zoe = work[SubscriberStore].find(address("zoe"))
        assert zoe is not None
        work[ReturnStore].set_score(zoe.id, BounceScore(points=4), now=NOW)
        (wish,) = work[SubscriberStore].subscriptions_of(zoe.id)
        work[SubscriberStore].leave(wish.id, now=NOW)
    joined(here, "zoe", now=NOW + DAYS)
    with town.database.writing() as work:
        assert work[ReturnStore].score(zoe.id) == NO_BOUNCES


# --- resting -------------------------------------------------------------------------------------


@pytest.mark.accept("F36", part="resting")
def test_after_five_days_of_full_mailboxes_mail_rests_and_says_so(town: Town) -> None:
    did = []
    for number in range(5):
        now = NOW + number * DAYS
        event = town.event("alan", event_id=str(number), evidence=Evidence.PASSING, happened_at=now)
        did.append(town.receive(event, now=now))
    assert did == [Counter(noted=1)] * 4 + [Counter(paused=1)]
    assert town.states == ALL_ACTIVE
    for days, reasons in ((10, {SkipReason.BOUNCING: 1}), (11, {})):
        fill(town.database, [record(100 * days + n) for n in range(4)], NOW + days * DAYS)
        assert dict(send(town.database, days=days).planned.skipped) == reasons


# --- at once, while a mail is handed over --------------------------------------------------------


def refusing(*replies: Reply) -> Script:
    """Alan's mail is refused."""

    def script(envelope: Envelope) -> Outcome:
        if envelope.recipient.startswith("alan"):
            return Outcome(id=envelope.id, phase=Phase.RCPT, reply=replies[0])
        return accepting(envelope)

    return script


@pytest.mark.accept("F36", part="at once")
@pytest.mark.parametrize(
    ("reply", "states", "points"),
    [
        (Reply(550, "5.1.1", "no such user"), ALAN_STOPPED, 0),
        (Reply(550, "", "no such user here"), ALL_ACTIVE, 1),
        (Reply(552, "5.2.2", "mailbox full"), ALL_ACTIVE, 1),
        (Reply(452, "4.2.2", "mailbox full, try later"), ALL_ACTIVE, 1),
        (Reply(450, "4.2.0", "greylisted"), ALL_ACTIVE, 0),
        (Reply(550, "5.7.1", "no such user: we do not like you"), ALL_ACTIVE, 0),
        (Reply(421, "4.3.2", "mailbox full of work"), ALL_ACTIVE, 0),
    ],
)
def test_what_a_relay_says_at_once_counts_as_if_it_had_come_back(
    database: SqlDatabase, reply: Reply, states: dict[str, str], points: int
) -> None:
    town = Town(database, refusing(reply))
    assert town.states == states
    with database.writing() as work:
        alan = work[SubscriberStore].find(address("alan", "example.org"))
        assert alan is not None
        assert work[ReturnStore].score(alan.id).points == points
        events = work[ReturnStore].events(alan.id, limit=9)
    assert [one.proof for one in events] == [Proof.REPLY] * (states == ALAN_STOPPED or points)


def test_words_that_are_kept_hold_no_address(database: SqlDatabase) -> None:
    said = "alan@example.org: alan is no user here, ask <admin@example.org>"
    town = Town(database, refusing(Reply(550, "5.1.1", said)))
    town.receive(town.event("ada"))
    with database.reading() as work:
        events = work[ReturnStore].events(None, limit=9)
    assert [one.said for one in events] == [
        "550 5.1.1 <(address)> (name) is not here",
        "(address): (name) is no user here, ask <(address)>",
    ]


def test_words_that_are_kept_tell_a_terminal_nothing(town: Town) -> None:
    town.receive(
        town.event("ada", code="5.1.1\x1b[2J", said="550 \x1b]0;x\x07\u202enobody\0 \ud800here")
    )
    with town.database.reading() as work:
        (event,) = work[ReturnStore].events(None, limit=9)
    assert (event.code, event.said) == ("5.1.1[2J", "550 ]0;xnobody here")


# --- leaving by mail -----------------------------------------------------------------------------


@pytest.mark.accept("F29", part="by mail")
def test_a_mail_to_the_leaving_address_ends_the_subscription_and_can_be_taken_back(
    town: Town,
) -> None:
    with town.database.reading() as work:
        mail = work[ReturnStore].mail_by_message_id(town.mails["alan"].message_id)
    assert mail is not None
    tag = make_tag(KEYS, TagUse.LEAVE, mail.row, nonce=mail.nonce, day=NOW.date())
    event = town.event("alan", kind=ReportKind.UNSUBSCRIBE, evidence=Evidence.NONE, tag=tag)
    later = NOW + 200 * DAYS
    assert town.receive(replace(event, happened_at=later), now=later) == Counter(unsubscribed=1)
    assert town.receive(replace(event, event_id="2", happened_at=later), now=later)["noted"] == 1
    (undo,) = post(town.database, now=later)
    assert undo.kind == "undo"
    assert town.suppressions() == []


@pytest.mark.accept("F36", part="old mails")
@pytest.mark.parametrize(("days", "counts"), [(30, True), (31, False)])
def test_a_message_id_counts_for_thirty_days(town: Town, days: int, counts: bool) -> None:
    now = NOW + days * DAYS
    mail = town.mails["alan"]
    named = {"message_id": mail.message_id, "recipient": mail.recipient}
    event = town.event("alan", tag="", happened_at=now, **named)
    assert town.receive(event, now=now) == (Counter(noted=1) if counts else Counter(unknown=1))
    by_hook = replace(event, way="hook:ses")
    assert town.receive(by_hook, now=now) == (Counter(stopped=1) if counts else Counter(unknown=1))
