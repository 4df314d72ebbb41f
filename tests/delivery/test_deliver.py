"""Claims, marks and outcomes: what the ledger says after each kind of day."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from paperround.core.interfaces import Worker
from paperround.core.tokens import KeyRing
from paperround.db.transactions import SqlDatabase
from paperround.delivery.deliver import DeliverReport
from paperround.delivery.ledger_model import LedgerTotals
from paperround.delivery.model import Envelope, Lease, Outcome, Phase, Reply
from paperround.delivery.store.ledger import Ledger
from paperround.digests.sending import deliver
from paperround.editions.schedule import DIGEST_LIFE
from paperround.editions.store.lists import ListStore
from paperround.subscribers.model import SubscriberState
from paperround.subscribers.store.subscribers import SubscriberStore
from tests.delivery.delivering import at, post
from tests.delivery.publishing import send
from tests.fakes import (
    Neighbours,
    PatientMailer,
    PlainRenderer,
    ScriptedMailer,
    accepting,
    broken_template,
)
from tests.sample_database import IDENTITY, NOW, fill, record, subscribe


@pytest.fixture
def planned(database: SqlDatabase) -> SqlDatabase:
    fill(database, [record(n) for n in range(1, 4)])
    subscribe(database, "ada", "alan", "grace")
    send(database)
    return database


def refusing(reply: Reply, phase: Phase = Phase.RCPT) -> Callable[[Envelope], Outcome]:
    def script(envelope: Envelope) -> Outcome:
        if envelope.recipient.startswith("alan"):
            return Outcome(id=envelope.id, phase=phase, reply=reply)
        return accepting(envelope)

    return script


def summed(totals: LedgerTotals) -> int:
    return sum(getattr(totals, name) for name in LedgerTotals.__slots__)


@pytest.mark.postgres
@pytest.mark.accept("R12", part="addresses")
def test_each_mail_goes_to_its_reader_alone(planned: SqlDatabase) -> None:
    one = post(planned)
    deliver(one)
    assert isinstance(one.mailer, ScriptedMailer)
    people = {envelope.recipient for envelope in one.mailer.offered}
    for envelope in one.mailer.offered:
        others = people - {envelope.recipient}
        assert envelope.recipient.encode() in envelope.content
        assert not any(other.encode() in envelope.content for other in others)


@pytest.mark.postgres
@pytest.mark.accept("R2", part="a refusal")
@pytest.mark.parametrize(
    ("reply", "phase", "totals"),
    [
        (Reply(550, "5.1.1", "no such user"), Phase.RCPT, LedgerTotals(sent=2, failed=1)),
        (Reply(451, "4.7.1", "greylisted"), Phase.RCPT, LedgerTotals(sent=2, deferred=1)),
        (Reply(421, "4.3.2", "closing"), Phase.RCPT, LedgerTotals(sent=2, deferred=1)),
        (Reply(554, "5.6.0", "spam"), Phase.DOT, LedgerTotals(sent=2, failed=1)),
        (Reply(550, "5.7.26", "unauthenticated"), Phase.RCPT, LedgerTotals(sent=2, deferred=1)),
    ],
)
def test_a_refusal_stays_with_its_mail(
    planned: SqlDatabase, reply: Reply, phase: Phase, totals: LedgerTotals
) -> None:
    assert deliver(post(planned, refusing(reply, phase))).totals == totals


@pytest.mark.postgres
@pytest.mark.accept("R5", part="digest")
def test_a_silence_after_the_dot_is_unknown_and_never_sent_again(planned: SqlDatabase) -> None:
    def silent(envelope: Envelope) -> Outcome:
        return Outcome(id=envelope.id, phase=Phase.DOT, error="timed out")

    assert deliver(post(planned, silent)).totals == LedgerTotals(unknown=3)
    later = at(post(planned), timedelta(hours=2))
    assert deliver(later).totals == LedgerTotals(unknown=3)
    assert isinstance(later.mailer, ScriptedMailer)
    assert later.mailer.offered == []


@pytest.mark.accept("F14", part="never twice")
def test_a_digest_too_old_expires_and_its_papers_may_come_again(planned: SqlDatabase) -> None:
    greylisting = refusing(Reply(451, "4.7.1", "later"))
    deliver(post(planned, greylisting))
    with planned.writing() as work:
        assert work[Ledger].expire(now=NOW + DIGEST_LIFE) == 1
    assert send(planned, days=1).planned.skipped == {"no-new-papers": 2}
    assert deliver(at(post(planned), timedelta(days=1))).totals.sent == 1


def test_mail_that_expired_is_told(planned: SqlDatabase) -> None:
    report = deliver(at(post(planned), DIGEST_LIFE))
    assert (report.expired, report.totals) == (3, LedgerTotals())


@pytest.mark.postgres
@pytest.mark.accept("R10")
def test_a_poison_mail_stops_nobody_else(planned: SqlDatabase) -> None:
    one = post(planned)
    assert isinstance(one.renderer, PlainRenderer)
    one.renderer.poisoned["ada@example.org"] = broken_template()
    assert deliver(one).totals == LedgerTotals(sent=2, failed=1)


def killed_holding(database: SqlDatabase, *, marked: bool) -> Neighbours:
    """A process claims everything, may mark it, and dies."""
    victim = Worker(host="here", pid=99, started="boot/99")
    with database.writing() as work:
        lease = Lease(worker=victim, until=NOW + timedelta(seconds=900), token="victim")
        rows = work[Ledger].claim(lease, limit=10, now=NOW)
        if marked:
            ids = [row.id for row in rows]
            work[Ledger].mark_in_data(ids, "victim", until=lease.until, now=NOW)
    return Neighbours(dead={99})


@pytest.mark.postgres
@pytest.mark.accept("R3", part="states")
def test_what_a_dead_process_had_marked_is_unknown(planned: SqlDatabase) -> None:
    processes = killed_holding(planned, marked=True)
    assert deliver(replace(post(planned), processes=processes)).totals == LedgerTotals(unknown=3)


@pytest.mark.postgres
@pytest.mark.accept("R3", part="leases")
def test_a_mail_still_in_hand_is_not_taken_up_again(planned: SqlDatabase) -> None:
    """Its lease ran out while the relay was slow, and somebody else gave the row back."""

    def somebody_tidies() -> None:
        with planned.writing() as work:
            work[Ledger].reclaim(Neighbours(), now=NOW + timedelta(seconds=901))

    mailer = PatientMailer(meanwhile=somebody_tidies)
    deliver(replace(post(planned), mailer=mailer), until_empty=False)
    assert mailer.accepted == []
    assert deliver(post(planned)).totals == LedgerTotals(sent=3)


@pytest.mark.postgres
@pytest.mark.accept("R3", part="leases")
def test_an_answer_that_takes_ten_minutes_is_still_waited_for(planned: SqlDatabase) -> None:
    def slow(envelope: Envelope) -> Outcome:
        with planned.writing() as work:
            work[Ledger].reclaim(Neighbours(), now=NOW + timedelta(minutes=10))
        return Outcome(id=envelope.id, phase=Phase.DOT, reply=Reply(451, "4.3.0", "no"))

    class SlowAfterTheDot(ScriptedMailer):
        def send(self, envelopes, *, before_dot, **_):  # type: ignore[no-untyped-def]
            for envelope in envelopes:
                if before_dot([envelope.id]):
                    yield self.script(envelope)

    one = replace(post(planned), mailer=SlowAfterTheDot(slow), lease=timedelta(seconds=60))
    assert deliver(one, until_empty=False).totals.unknown == 0


def test_mail_whose_key_is_lost_is_put_off_with_the_reason(planned: SqlDatabase) -> None:
    report = deliver(replace(post(planned), keys=KeyRing((b"another secret, the first is gone",))))
    assert report.totals == LedgerTotals(deferred=3)
    (reason,) = report.troubles
    assert f"the secret {IDENTITY.keys.current.id} is gone" in reason


@pytest.mark.accept("S13", part="at the claim")
def test_somebody_who_left_between_planning_and_sending_gets_nothing(planned: SqlDatabase) -> None:
    with planned.writing() as work:
        people = work[SubscriberStore].export(work[ListStore].get("trending").id)
        (ada,) = (one for one, _ in people if one.address.startswith("ada"))
        work[SubscriberStore].set_state(ada.id, SubscriberState.UNSUBSCRIBED, now=NOW)
    one = post(planned)
    assert deliver(one).totals == LedgerTotals(sent=2, skipped=1)
    assert isinstance(one.mailer, ScriptedMailer)
    assert all(not envelope.recipient.startswith("ada") for envelope in one.mailer.offered)


@pytest.mark.postgres
@pytest.mark.accept("R14", part="stop")
def test_a_relay_that_refuses_us_stops_the_run_and_suppresses_nobody(database: SqlDatabase) -> None:
    fill(database, [record(1)])
    subscribe(database, *(f"reader{n}" for n in range(40)))
    send(database)

    def hostile(envelope: Envelope) -> Outcome:
        return Outcome(id=envelope.id, phase=Phase.RCPT, reply=Reply(550, "5.7.1", "blocked"))

    one = post(database, hostile)
    report: DeliverReport = deliver(one)
    assert report.stopped is not None
    assert "policy-refusal: 550 5.7.1" in report.stopped
    assert isinstance(one.mailer, ScriptedMailer)
    assert len(one.mailer.offered) <= 20
    assert summed(report.totals) == report.totals.deferred + report.totals.queued == 40
