"""Cancelling an edition, and sending it after all to those who did not get it."""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest

from paperround.core.clock import FixedClock
from paperround.core.errors import EditionCancelled
from paperround.db.transactions import SqlDatabase, Transaction
from paperround.delivery.ledger_model import LedgerTotals
from paperround.delivery.model import Envelope, Outcome, Phase, Reply
from paperround.delivery.store.history import SentPapers
from paperround.delivery.store.ledger import Ledger
from paperround.digests.build import PART
from paperround.digests.cancel import Cancelled, cancel, editions_to_cancel
from paperround.digests.plan import Hours, plan_due
from paperround.digests.publish import publish
from paperround.digests.resend import Missed, missed, send_missed
from paperround.digests.sending import deliver
from paperround.editions.lists import MANUAL_CUT
from paperround.editions.model import DeliveryId, DeliveryState, DigestKind, EditionState
from paperround.editions.store.editions import EditionStore
from paperround.editions.store.lists import ListStore
from paperround.subscribers.model import Preferences, SubscriberState
from paperround.subscribers.store.subscribers import SubscriberStore
from tests.delivery.notices import Batches, plan, post
from tests.delivery.publishing import send
from tests.digests.stopping import After
from tests.fakes import NewestFirst, ScriptedMailer, accepting
from tests.sample_database import IDENTITY, NOW, fill, record, subscribe

DAY = NOW.date()
HOUR = timedelta(hours=1)
REFUSED = Reply(554, "5.3.0", "not this one")


def stop(database: SqlDatabase, **which: str) -> list[Cancelled]:
    return cancel(database, "trending", day=DAY, cut=which.get("cut"), now=NOW)


def who_missed(database: SqlDatabase, *, include_unknown: bool = False) -> Missed:
    return missed(database, "trending", day=DAY, now=NOW, include_unknown=include_unknown)


def send_again(
    database: SqlDatabase, *, later: timedelta = HOUR, include_unknown: bool = False
) -> Missed:
    return send_missed(
        database,
        "trending",
        identity=IDENTITY,
        day=DAY,
        now=NOW + later,
        include_unknown=include_unknown,
    )


def deliver_at(database: SqlDatabase, mailer: Batches | ScriptedMailer, later: timedelta) -> None:
    deliver(replace(post(database, mailer), clock=FixedClock(NOW + later)))


def totals(database: SqlDatabase) -> LedgerTotals:
    with database.reading() as work:
        return work[Ledger].totals(now=NOW)


def memory(database: SqlDatabase) -> int:
    """How many papers people were or will be sent."""
    with database.reading() as work:
        people = [
            one.id for one, _ in work[SubscriberStore].export(work[ListStore].get("trending").id)
        ]
        return sum(len(papers) for papers in work[SentPapers].already_sent(people).values())


# --- cancelling --------------------------------------------------------------------------------


@pytest.mark.accept("F34", part="cancel")
def test_what_waits_is_skipped_and_its_papers_are_released(database: SqlDatabase) -> None:
    plan(database, 5)
    assert memory(database) == 10
    [ended] = stop(database)
    assert (ended.cut, ended.skipped, ended.gone, ended.fresh) == (MANUAL_CUT, 5, 0, True)
    assert totals(database) == LedgerTotals(skipped=5)
    assert memory(database) == 0
    mailer = Batches()
    deliver(post(database, mailer))
    assert mailer.sent == []


@pytest.mark.postgres
@pytest.mark.accept("F34", part="cancel")
@pytest.mark.accept("R11", part="cancel")
def test_a_cancel_in_the_middle_of_a_run_lets_only_the_mail_at_its_dot_finish(
    database: SqlDatabase,
) -> None:
    plan(database, 60)
    during = After(7, lambda _: stop(database))
    mailer = Batches(during)
    deliver(post(database, mailer))
    assert len(set(mailer.sent)) == len(mailer.sent) == 7
    assert totals(database) == LedgerTotals(sent=7, skipped=53)
    assert memory(database) == 14


class CancelsAfterTheMark(ScriptedMailer):
    """An edition is cancelled while the server thinks about the dot of a mail."""

    def __init__(self, database: SqlDatabase, script: Callable[[Envelope], Outcome]) -> None:
        super().__init__(script)
        self.database = database

    def send(
        self,
        envelopes: Iterable[Envelope | None],
        *,
        before_dot: Callable[[Sequence[DeliveryId]], Collection[DeliveryId]],
        **_: object,
    ) -> Iterator[Outcome]:
        for outcome in super().send(envelopes, before_dot=before_dot):
            stop(self.database)
            yield outcome


def test_a_mail_in_doubt_keeps_its_state_and_its_papers(database: SqlDatabase) -> None:
    plan(database, 1)
    silence = CancelsAfterTheMark(
        database, lambda one: Outcome(id=one.id, phase=Phase.DOT, error="silence")
    )
    deliver(post(database, silence))
    assert totals(database) == LedgerTotals(unknown=1)
    assert memory(database) == 2


def test_who_asks_first_is_told_how_many_are_out_already(database: SqlDatabase) -> None:
    plan(database, 4)
    deliver(post(database, Batches()))
    subscribe(database, "late")
    send(database)
    [found] = editions_to_cancel(database, "trending", day=None, cut=None, now=NOW)
    assert (found.skipped, found.gone) == (1, 4)


@pytest.mark.accept("F34", part="cancel")
def test_nothing_is_planned_of_a_cancelled_edition(database: SqlDatabase) -> None:
    plan(database, 2)
    stop(database)
    subscribe(database, "late")
    with pytest.raises(EditionCancelled, match="digest missed"):
        send(database)
    hours = Hours(hour=NOW.hour)
    later = NOW + timedelta(hours=2)
    plan_due(database=database, identity=IDENTITY, hours=hours, now=NOW)
    plan_due(database=database, identity=IDENTITY, hours=hours, now=later)
    assert totals(database) == LedgerTotals(skipped=2)


@dataclass
class CancelledMeanwhile:
    """A database whose edition somebody cancels after so many transactions that write."""

    database: SqlDatabase
    writes: int

    def reading(self) -> AbstractContextManager[Transaction]:
        return self.database.reading()

    def writing(self) -> AbstractContextManager[Transaction]:
        if self.writes == 0:
            stop(self.database)
        self.writes -= 1
        return self.database.writing()


def test_planning_under_way_stops_when_its_edition_is_cancelled(database: SqlDatabase) -> None:
    fill(database, [record(1)])
    subscribe(database, *(f"reader{n}" for n in range(PART + 3)))
    hurt = CancelledMeanwhile(database, writes=2)  # the freezing and one shard
    with pytest.raises(EditionCancelled):
        publish(
            database=hurt,
            ranker=NewestFirst(),
            identity=IDENTITY,
            list_name="trending",
            day=None,
            cut=MANUAL_CUT,
            now=NOW,
        )
    assert totals(database) == LedgerTotals(skipped=PART)
    with database.reading() as work:
        edition = work[EditionStore].find(work[ListStore].get("trending").id, DAY, MANUAL_CUT)
    assert edition is not None
    assert edition.state is EditionState.CANCELLED


# --- who missed it -----------------------------------------------------------------------------


def with_every_end(database: SqlDatabase) -> None:
    """One sent, one refused, one in doubt, one that expired."""
    plan(database, 4)
    ends: dict[str, Callable[[Envelope], Outcome]] = {
        "reader0": accepting,
        "reader1": lambda one: Outcome(id=one.id, phase=Phase.RCPT, reply=REFUSED),
        "reader2": lambda one: Outcome(id=one.id, phase=Phase.DOT, error="silence"),
        "reader3": lambda one: Outcome(id=one.id, phase=Phase.CONNECT, error="no route"),
    }
    deliver(post(database, ScriptedMailer(lambda one: ends[one.recipient.split("@")[0]](one))))
    with database.writing() as work:
        work[Ledger].expire(now=NOW + 21 * HOUR)


@pytest.mark.accept("F34", part="missed")
def test_everybody_who_missed_it_is_told_by_reason(database: SqlDatabase) -> None:
    with_every_end(database)
    found = who_missed(database)
    states = {state.value: count for (state, _), count in found.by_reason.items()}
    assert states == {"failed": 1, "unknown": 1, "expired": 1}
    assert (found.sendable, found.unknown, sum(found.by_reason.values())) == (2, 1, 3)


@pytest.mark.accept("F34", part="missed")
def test_a_replacement_carries_the_same_papers_under_a_name_of_its_own(
    database: SqlDatabase,
) -> None:
    plan(database, 3)
    first = Batches()
    stop(database)
    assert send_again(database).planned == 3
    deliver_at(database, first, HOUR)
    with database.reading() as work:
        trending = work[ListStore].get("trending")
        for person, _ in work[SubscriberStore].export(trending.id):
            old, new = (
                work[Ledger].find(trending.id, person.id, kind, DAY)
                for kind in (DigestKind.DIGEST, DigestKind.REPLACEMENT)
            )
            assert old is not None
            assert new is not None
            assert old.positions == new.positions == (1, 2)
            assert old.message_id != new.message_id
            assert old.nonce != new.nonce
    assert len(set(first.sent)) == len(first.sent) == 3
    assert memory(database) == 6


@pytest.mark.accept("F34", part="missed")
def test_nobody_is_sent_a_second_replacement(database: SqlDatabase) -> None:
    with_every_end(database)
    assert send_again(database).planned == 2
    again = send_again(database)
    assert (again.planned, again.sendable, again.replaced) == (0, 0, 2)
    stop(database)  # ends the replacements, too
    mailer = Batches()
    deliver_at(database, mailer, 2 * HOUR)
    assert send_again(database).planned == 0
    assert mailer.sent == []


def test_what_may_have_arrived_is_sent_again_only_when_that_is_asked_for(
    database: SqlDatabase,
) -> None:
    with_every_end(database)
    assert send_again(database).unknown == 1
    mailer = Batches()
    deliver_at(database, mailer, HOUR)
    assert sorted(mailer.sent) == ["reader1@example.org", "reader3@example.org"]
    asked = send_again(database, include_unknown=True)
    assert (asked.planned, asked.unknown, asked.replaced) == (1, 0, 2)
    deliver_at(database, mailer, HOUR)
    assert sorted(mailer.sent)[1] == "reader2@example.org"


@pytest.mark.accept("F34", part="missed")
def test_who_left_paused_or_is_suppressed_by_now_gets_none(database: SqlDatabase) -> None:
    plan(database, 4)
    stop(database)
    with database.writing() as work:
        _change(work, "reader0", lambda person: work[SubscriberStore].leave(person, now=NOW))
        resting = Preferences(paused_until=DAY + timedelta(days=3))
        _change(
            work, "reader1", lambda person: work[SubscriberStore].choose(person, resting, now=NOW)
        )
        people = {
            one.address: one
            for one, _ in work[SubscriberStore].export(work[ListStore].get("trending").id)
        }
        work[SubscriberStore].set_state(
            people["reader2@example.org"].id, SubscriberState.SUPPRESSED, now=NOW
        )
    found = send_again(database)
    assert found.barred == {"unsubscribed": 1, "paused": 1, "suppressed": 1}
    mailer = Batches()
    deliver_at(database, mailer, HOUR)
    assert mailer.sent == ["reader3@example.org"]


def _change(work: Transaction, name: str, do: Callable[..., object]) -> None:
    list_id = work[ListStore].get("trending").id
    for person, _ in work[SubscriberStore].export(list_id):
        if person.address.startswith(name):
            subscription = work[SubscriberStore].subscription(person.id, list_id)
            assert subscription is not None
            do(subscription.id)


def test_a_paper_withdrawn_since_is_left_out(database: SqlDatabase) -> None:
    plan(database, 1)
    stop(database)
    fill(database, [record(1, fingerprint="new", withdrawn=True)], NOW + HOUR)
    assert send_again(database, later=2 * HOUR).planned == 1
    with database.reading() as work:
        trending = work[ListStore].get("trending")
        [(person, _)] = work[SubscriberStore].export(trending.id)
        old = work[Ledger].find(trending.id, person.id, DigestKind.DIGEST, DAY)
        new = work[Ledger].find(trending.id, person.id, DigestKind.REPLACEMENT, DAY)
        edition = work[EditionStore].find(trending.id, DAY, MANUAL_CUT)
    assert old is not None
    assert new is not None
    assert edition is not None
    assert len(old.positions) == 2
    [left] = new.positions
    assert not {one.position: one.withdrawn for one in edition.papers}[left]


@pytest.mark.accept("T4", part="missed is sent when asked")
def test_who_was_not_planned_in_time_gets_what_the_edition_has_for_them(
    database: SqlDatabase,
) -> None:
    fill(database, [record(1), record(2)])
    send(database)
    subscribe(database, "ada")
    hours = Hours(hour=NOW.hour)
    plan_due(database=database, identity=IDENTITY, hours=hours, now=NOW - HOUR)
    late = NOW + 21 * HOUR
    plan_due(database=database, identity=IDENTITY, hours=hours, now=late)
    found = who_missed(database)
    assert found.by_reason == {(DeliveryState.EXPIRED, "missed"): 1}
    assert send_again(database, later=21 * HOUR).planned == 1
    mailer = Batches()
    deliver_at(database, mailer, 21 * HOUR)
    plan_due(database=database, identity=IDENTITY, hours=hours, now=late)
    deliver_at(database, mailer, 21 * HOUR)
    assert mailer.sent == ["ada@example.org"]
