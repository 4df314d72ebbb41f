"""What an operator sees in the morning, on each database."""

from datetime import timedelta

import pytest

from paperround.bounces.classify import evidence_of_outcome
from paperround.bounces.handling import record_refusals
from paperround.core.clock import FixedClock
from paperround.core.errors import InvalidInput, NotFound, RateLimited
from paperround.db.transactions import SqlDatabase
from paperround.delivery.ledger_model import Transition
from paperround.delivery.model import Envelope, Outcome, Phase, Reply
from paperround.delivery.status import redact_addresses
from paperround.delivery.store.ledger import Ledger
from paperround.delivery.store.status import StatusStore
from paperround.delivery.store.system_mail import NoticeLedger
from paperround.delivery.system_mail import new_notice
from paperround.delivery.system_mail_model import SystemMailKind
from paperround.digests.sending import DeliveryContext
from paperround.editions.model import DeliveryState, DigestKind, SkipReason
from paperround.editions.store.lists import ListStore
from paperround.ops.status import history, status
from paperround.plugins.channels.model import ChannelKind, Hook
from paperround.plugins.channels.store import ChannelStore
from paperround.self_service.preview import send_test
from paperround.subscribers.imports import suppression_digests
from paperround.subscribers.model import SubscriberState
from paperround.subscribers.store.subscribers import SubscriberStore
from tests.builders import (
    DAY,
    HOUR,
    MINUTE,
    NOW,
    TOKEN,
    address,
    lease,
    new_delivery,
    plan,
    seed_edition,
    seed_list,
    seed_papers,
    seed_subscribers,
)
from tests.fakes import SENDER_IDENTITY, Neighbours, PlainRenderer, ScriptedMailer, accepting
from tests.sample_database import IDENTITY

NAMES = ("alice", "bob", "carol")


@pytest.fixture
def day(database: SqlDatabase) -> SqlDatabase:
    """Alice waits for three papers, Bob had them already, Carol's mail was never planned."""
    trending = seed_list(database)
    papers = seed_papers(database, 3)
    edition = seed_edition(database, trending, papers)
    alice, bob, carol = seed_subscribers(database, trending, NAMES)
    skipped = new_delivery(
        bob, state=DeliveryState.SKIPPED, reason=SkipReason.NO_NEW_PAPERS, due_at=NOW
    )
    plan(database, edition, [new_delivery(alice, papers), skipped])
    with database.writing() as work:
        work[SubscriberStore].schedule({carol.id: NOW + 3 * HOUR, alice.id: NOW + 25 * HOUR})
    return database


def settle(database: SqlDatabase, state: DeliveryState, reply: str) -> None:
    """The mail that waits was offered, and this is what the server said."""
    with database.writing() as work:
        [row] = work[Ledger].claim(lease(), limit=10, now=NOW)
        work[Ledger].mark_in_data([row.id], TOKEN, until=NOW + HOUR, now=NOW)
        retry = NOW + 5 * MINUTE if state is DeliveryState.DEFERRED else None
        move = Transition(
            id=row.id,
            token=TOKEN,
            state=state,
            reason="policy",
            code=450,
            reply=reply,
            next_at=retry,
        )
        work[Ledger].settle([move], now=NOW)


def test_a_list_is_told_with_its_edition_its_mails_and_who_is_due(day: SqlDatabase) -> None:
    [one] = status(day, None, now=NOW).lists
    [edition] = one.editions
    assert (edition.day, edition.cut, edition.paper_count) == (DAY, "0", 3)
    assert edition.by_state == {DeliveryState.QUEUED: 1, DeliveryState.SKIPPED: 1}
    carol_and_bob_whose_clock_the_next_tick_starts = 2
    assert (one.subscribers, one.due_soon) == (3, carol_and_bob_whose_clock_the_next_tick_starts)
    assert one.backlog.oldest_due == NOW
    assert one.next_cut_at > NOW


@pytest.mark.accept("F46", part="readers counted", mutant="suppressed-readers-are-counted")
def test_readers_are_counted_without_channels_and_without_who_may_not_be_mailed(
    day: SqlDatabase,
) -> None:
    hook = Hook(kind=ChannelKind.WEBHOOK, url="https://lab.example/hooks/papers")
    with day.writing() as work:
        work[ChannelStore].add("lab", hook, work[ListStore].get("trending"), now=NOW)
        carol = work[SubscriberStore].find(address("carol"))
        assert carol is not None
        work[SubscriberStore].set_state(carol.id, SubscriberState.SUPPRESSED, now=NOW)
    [one] = status(day, None, now=NOW).lists
    only_bob_whose_clock_the_next_tick_starts = 1
    assert (one.subscribers, one.due_soon) == (2, only_bob_whose_clock_the_next_tick_starts)


@pytest.mark.accept("F20", part="status")
def test_who_gets_no_mail_is_counted_by_reason(day: SqlDatabase) -> None:
    [one] = status(day, "trending", now=NOW).lists
    [tally] = one.reasons
    assert (tally.state, tally.reason, tally.count) == (
        DeliveryState.SKIPPED,
        SkipReason.NO_NEW_PAPERS,
        1,
    )


def test_reasons_are_those_of_today_in_the_lists_zone(day: SqlDatabase) -> None:
    tomorrow = NOW + timedelta(hours=16, minutes=1)
    assert status(day, None, now=tomorrow).lists[0].reasons == []


def test_a_refusal_keeps_the_relays_words_but_no_address(day: SqlDatabase) -> None:
    settle(
        day,
        DeliveryState.DEFERRED,
        "450 4.7.1 <alice@mail.example> <news@papers.example>: greylisted",
    )
    [one] = status(day, None, now=NOW).lists
    [refused] = [tally for tally in one.reasons if tally.state is DeliveryState.DEFERRED]
    assert (refused.code, refused.reply) == (450, "450 4.7.1 <(address)> <(address)>: greylisted")


def test_an_address_in_a_link_of_a_reply_is_redacted_and_the_link_stays() -> None:
    reply = "550 5.7.23 see http://spf.example/Why?s=mfrom;id=ada%40mail.example;ip=192.0.2.1"
    assert redact_addresses(reply) == (
        "550 5.7.23 see http://spf.example/Why?s=mfrom;id=(address);ip=192.0.2.1"
    )


def test_the_newest_edition_is_shown_when_its_mails_have_long_ended(day: SqlDatabase) -> None:
    [one] = status(day, None, now=NOW + timedelta(days=9)).lists
    assert [edition.day for edition in one.editions] == [DAY]


def test_an_installation_in_which_nothing_happened_yet_has_a_status(database: SqlDatabase) -> None:
    found = status(database, None, now=NOW)
    assert found.last_tick_at is None
    assert found.lists[0].editions == []
    with pytest.raises(NotFound, match="trending"):
        status(database, "nonsense", now=NOW)


# --- one person


@pytest.mark.accept("F34", part="history")
def test_a_persons_history_says_what_was_sent_and_what_the_server_said(day: SqlDatabase) -> None:
    settle(day, DeliveryState.SENT, "250 2.0.0 queued as 4711")
    past = history(day, address("alice"))
    [mail] = past.mails
    assert (mail.state, mail.sent_at, mail.kind) == (DeliveryState.SENT, NOW, DigestKind.DIGEST)
    assert mail.reply == "250 2.0.0 queued as 4711"
    assert past.titles == [[f"A study of {n} things" for n in (1, 2, 3)]]
    assert list(past.subscriptions) == ["trending"]


@pytest.mark.accept("F34", part="history")
def test_a_history_holds_confirmations_and_days_without_mail(day: SqlDatabase) -> None:
    with day.writing() as work:
        bob = work[SubscriberStore].find(address("bob"))
        assert bob is not None
        later = NOW + MINUTE
        kind = SystemMailKind.CONFIRM
        work[NoticeLedger].put(
            new_notice(IDENTITY, kind, "k", bob.id, None, {}, now=later), now=later
        )
    past = history(day, address("bob"))
    assert [(one.kind, one.state) for one in past.mails] == [
        ("confirm", DeliveryState.QUEUED),
        ("digest", DeliveryState.SKIPPED),
    ]


# --- which keys are needed


def test_keys_in_use_are_counted_by_what_needs_them(day: SqlDatabase) -> None:
    with day.writing() as work:
        work[SubscriberStore].suppress("hash", "beef", reason="asked", now=NOW)
        before = work[StatusStore].keys_in_use(since=NOW - HOUR)
    settle(day, DeliveryState.SENT, "250 ok")
    with day.reading() as work:
        after = work[StatusStore].keys_in_use(since=NOW - HOUR)
    assert (before.suppressions, before.unfinished, before.sent) == ({"beef": 1}, {"k001": 1}, {})
    assert (after.unfinished, after.sent) == ({}, {"k001": 1})
    assert before.channels == {}


# --- a test mail


def post(database: SqlDatabase, mailer: ScriptedMailer) -> DeliveryContext:
    return DeliveryContext(
        judge=evidence_of_outcome,
        record_refusals=record_refusals,
        database=database,
        mailer=mailer,
        renderer=PlainRenderer(),
        sender_identity=SENDER_IDENTITY,
        keys=IDENTITY.keys,
        clock=FixedClock(NOW),
        processes=Neighbours(),
        lease=15 * MINUTE,
    )


@pytest.mark.accept("F21", part="a test mail")
def test_a_test_mail_is_the_newest_edition_and_counts_for_nothing(day: SqlDatabase) -> None:
    mailer = ScriptedMailer(accepting)
    notice = send_test(post(day, mailer), IDENTITY, address("zoe"), "trending", now=NOW)
    assert notice.state is DeliveryState.SENT
    [mail] = mailer.offered
    assert mail.recipient == "zoe@mail.example"
    assert b"A study of 1 things" in mail.content
    with day.reading() as work:
        assert work[Ledger].totals(now=NOW).queued == 1


@pytest.mark.accept("F21", part="a test mail")
def test_without_an_edition_a_test_mail_is_a_few_words(database: SqlDatabase) -> None:
    mailer = ScriptedMailer(accepting)
    notice = send_test(post(database, mailer), IDENTITY, address("zoe"), "trending", now=NOW)
    assert notice.state is DeliveryState.SENT
    assert "edition" not in notice.payload


def test_a_test_mail_that_is_refused_is_not_tried_again(database: SqlDatabase) -> None:
    mailer = ScriptedMailer(refusing)
    notice = send_test(post(database, mailer), IDENTITY, address("zoe"), "trending", now=NOW)
    assert notice.state is DeliveryState.EXPIRED
    assert notice.reply == "not now"


def test_a_suppressed_address_gets_no_test_mail(database: SqlDatabase) -> None:
    [digest] = suppression_digests(IDENTITY.keys, address("zoe"))
    with database.writing() as work:
        work[SubscriberStore].suppress(digest, IDENTITY.keys.current.id, reason="asked", now=NOW)
    mailer = ScriptedMailer(accepting)
    with pytest.raises(InvalidInput, match="suppressed"):
        send_test(post(database, mailer), IDENTITY, address("zoe"), "trending", now=NOW)
    assert mailer.offered == []


def test_an_address_gets_ten_test_mails_an_hour(database: SqlDatabase) -> None:
    here = post(database, ScriptedMailer(accepting))

    def test(name: str, minutes: int) -> None:
        now = NOW + minutes * MINUTE
        send_test(here, IDENTITY, address(name), "trending", now=now)

    for minutes in range(10):
        test("zoe", minutes)
    with pytest.raises(RateLimited, match="ten test emails"):
        test("zoe", 10)
    test("yan", 11)
    test("zoe", 61)


def refusing(envelope: Envelope) -> Outcome:
    """A server that takes nothing just now."""
    return Outcome(id=envelope.id, phase=Phase.RCPT, reply=Reply(450, "4.7.1", "not now"))
