"""Pacing as the ledger sees it: who goes first, who rests, and who is told why."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from paperround.db.transactions import SqlDatabase
from paperround.delivery.deliver import DeliverReport
from paperround.delivery.ledger_model import LedgerTotals
from paperround.delivery.model import Envelope, Outcome, Phase, Reply
from paperround.delivery.rate_limits import Pacer
from paperround.delivery.rate_state import TOLERANCE, Pacing, WarmUp
from paperround.delivery.store.rates import PaceStore
from paperround.delivery.store.status import StatusStore
from paperround.digests.sending import DeliveryContext, deliver, deliver_notices
from paperround.editions.model import DeliveryId
from paperround.editions.schedule import DIGEST_LIFE
from paperround.editions.store.lists import ListStore
from paperround.subscribers.store.subscribers import SubscriberStore
from tests.delivery.notices import KEEPER, tell
from tests.delivery.pace import Hands, most_within
from tests.delivery.paced import DOMAINS, FOURTEEN, STORM, paced, planned, refusing
from tests.fakes import ScriptedMailer, accepting
from tests.sample_database import NOW

MINUTE = timedelta(minutes=1)
GREYLISTED = Reply(450, "4.2.0", "greylisted, come back in 300 seconds")


def offered(one: DeliveryContext) -> list[Envelope]:
    assert isinstance(one.mailer, ScriptedMailer)
    return one.mailer.offered


# --- rates -------------------------------------------------------------------------------------


@pytest.mark.accept("F33", part="rate of the relay")
def test_digests_leave_at_the_pace_of_the_relay(database: SqlDatabase) -> None:
    planned(database, one=30, two=30)
    hands, moments = Hands(), []

    def script(envelope: Envelope) -> Outcome:
        moments.append(hands.moment.timestamp())
        return accepting(envelope)

    assert deliver(paced(database, hands, FOURTEEN, script)).totals == LedgerTotals(sent=60)
    assert most_within(moments, 1) <= 14
    assert 59 / 14 <= moments[-1] - moments[0] <= 59 / 14 * 1.1


@pytest.mark.accept("F33", part="rate of the relay")
def test_mails_that_a_slow_relay_takes_together_are_paid_for_by_those_that_follow(
    database: SqlDatabase,
) -> None:
    hands = Hands()
    pacer = Pacer(pacing=FOURTEEN, clock=hands, sleep=hands.wait)
    taken = Outcome(id=DeliveryId(1), phase=Phase.DOT, reply=Reply(250, "2.0.0", "ok"))
    for _ in range(7):
        pacer.add_outcome(taken, "ada@one.example")
    with database.writing() as work:
        pacer.feedback().write(work, now=NOW)
        gate = work[PaceStore].open(FOURTEEN, first=False, now=NOW)
        assert gate.admit([(DeliveryId(2), "one.example")]) == (set(), {})
    assert gate.is_full
    assert gate.slots == [NOW + 6 * FOURTEEN.relay.spacing - TOLERANCE]
    pacer.drop_feedback(pacer.feedback())
    hands.moment += 7 * FOURTEEN.relay.spacing
    pacer.add_outcome(taken, "ada@one.example")
    assert not pacer.feedback()


@pytest.mark.accept("F33", part="rate over a restart")
def test_a_second_process_finds_the_slots_of_the_first_taken(database: SqlDatabase) -> None:
    planned(database, one=40)
    first = paced(database, Hands(), FOURTEEN)
    deliver(replace(first, wait=lambda _: True))
    before = len(offered(first))
    second = paced(database, Hands(), FOURTEEN)
    deliver(replace(second, wait=lambda _: True))
    assert before >= 1
    assert offered(second) == []


@pytest.mark.accept("B18", part="a capped relay")
def test_a_confirmation_takes_the_next_slot_of_a_relay_at_its_limit(database: SqlDatabase) -> None:
    planned(database, one=60)
    hands, moments = Hands(), {}

    def script(envelope: Envelope) -> Outcome:
        moments[envelope.recipient] = hands.moment
        if len(moments) == 20:
            tell(database)
        return accepting(envelope)

    deliver(paced(database, hands, FOURTEEN, script))
    asked = sorted(moments.values())[19]
    assert moments[KEEPER] - asked <= timedelta(seconds=5)
    assert len(moments) == 61


@pytest.mark.accept("B18", part="notices alone")
def test_a_confirmation_finds_a_slot_though_digests_took_all_of_the_next_second(
    database: SqlDatabase,
) -> None:
    planned(database, one=60)
    digests = paced(database, Hands(), FOURTEEN)
    deliver(replace(digests, wait=lambda _: True))
    tell(database)
    hands = Hands()
    assert deliver_notices(paced(database, hands, FOURTEEN)).notices == LedgerTotals(sent=1)
    assert hands.moment - NOW <= timedelta(seconds=2)


def test_mail_that_waits_for_its_domain_holds_up_nobody_and_counts_no_try(
    database: SqlDatabase,
) -> None:
    planned(database, crowd=120, lone=1)
    hands, moments = Hands(), {}

    def script(envelope: Envelope) -> Outcome:
        moments[envelope.recipient] = hands.moment
        return accepting(envelope)

    one = paced(database, hands, DOMAINS, script)
    assert deliver(one).totals == LedgerTotals(sent=121)
    lone = moments.pop("reader0@lone.example")
    assert lone - NOW <= timedelta(seconds=1)
    assert max(moments.values()) - NOW >= timedelta(seconds=119 / 20)
    assert len(offered(one)) == 121


# --- greylisting -------------------------------------------------------------------------------


@pytest.mark.postgres
@pytest.mark.accept("R8")
def test_a_greylisted_mail_is_delivered_once_when_the_wait_is_over(database: SqlDatabase) -> None:
    planned(database, grey=1)
    hands, tries = Hands(), []

    def script(envelope: Envelope) -> Outcome:
        tries.append(hands.moment)
        if hands.moment - tries[0] < timedelta(seconds=300):
            return Outcome(id=envelope.id, phase=Phase.RCPT, reply=GREYLISTED)
        return accepting(envelope)

    one = paced(database, hands, DOMAINS, script)
    for _ in range(60):
        deliver(one)
        hands.moment += MINUTE / 2
    assert deliver(one).totals == LedgerTotals(sent=1)
    assert len(tries) == 2
    assert timedelta(minutes=5) <= tries[1] - tries[0] <= timedelta(minutes=6, seconds=30)


def all_readers_stay(database: SqlDatabase) -> bool:
    with database.reading() as work:
        people = work[SubscriberStore].export(work[ListStore].get("trending").id)
        return all(person.state == "active" for person, _ in people)


# --- a relay that refuses us -------------------------------------------------------------------


@pytest.mark.postgres
@pytest.mark.accept("R14")
def test_a_storm_of_refusals_pauses_every_process_and_ends_with_one_probe(
    database: SqlDatabase,
) -> None:
    planned(database, one=60)
    hands = Hands()
    storm = paced(database, hands, DOMAINS, refusing(STORM))
    assert "the relay refuses our email: policy-refusal: 550 5.7.26" in stopped(deliver(storm))
    assert len(offered(storm)) <= 20
    other = paced(database, hands, DOMAINS)
    assert "sending to the relay is paused until" in stopped(deliver(other))
    assert offered(other) == []
    assert all_readers_stay(database)
    hands.moment += 6 * MINUTE
    probing = paced(database, hands, DOMAINS, refusing(STORM))
    deliver(probing)
    assert len(offered(probing)) == 1
    hands.moment += 11 * MINUTE
    assert deliver(paced(database, hands, DOMAINS)).totals.sent >= 40
    with database.reading() as work:
        assert work[PaceStore].relay().reason == ""


def stopped(report: DeliverReport) -> str:
    assert report.stopped is not None
    return report.stopped


def test_ten_mails_in_a_row_that_are_refused_for_what_they_are_end_the_run_and_the_relay_rests(
    database: SqlDatabase,
) -> None:
    planned(database, one=60)
    spam = Reply(554, "5.6.0", "this looks like spam")

    def script(envelope: Envelope) -> Outcome:
        return Outcome(id=envelope.id, phase=Phase.DOT, reply=spam)

    one = paced(database, Hands(), Pacing(), script)
    assert "the relay refuses our email: message-refused: 554 5.6.0" in stopped(deliver(one))
    assert len(offered(one)) <= 20
    assert all_readers_stay(database)
    assert deliver(paced(database, Hands(), Pacing())).totals.sent == 0


# --- a new domain ------------------------------------------------------------------------------


def test_a_new_domain_sends_its_days_allowance_and_says_why_the_others_expired(
    database: SqlDatabase,
) -> None:
    planned(database, one=230)
    tell(database)
    hands = Hands()
    one = paced(database, hands, Pacing(warm_up=WarmUp(start=date(2026, 1, 30), zone="UTC")))
    report = deliver(one)
    assert (report.totals, report.notices) == (
        LedgerTotals(sent=199, queued=31),
        LedgerTotals(sent=1),
    )
    tell(database, "2")
    assert deliver_notices(one).notices == LedgerTotals(sent=2)
    hands.moment = NOW + DIGEST_LIFE
    deliver(one)
    with database.reading() as work:
        reasons = work[StatusStore].reasons(work[ListStore].get("trending").id, since=NOW)
    assert {one.reason: one.count for one in reasons} == {"warm-up": 31}
