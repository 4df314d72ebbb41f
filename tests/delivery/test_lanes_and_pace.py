"""Both lanes at one pace: neither keeps the other waiting for slots that are not its own."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import pytest

from paperround.db.slots import SlotStore
from paperround.db.transactions import SqlDatabase
from paperround.delivery.holds import CLOCK, HELD, HOLD
from paperround.delivery.ledger_model import LedgerTotals
from paperround.delivery.model import Envelope, Outcome
from paperround.delivery.rate_state import Pacing, parse_domain_pace
from paperround.delivery.transitions import FEWEST
from paperround.digests.publish import publish
from paperround.digests.sending import deliver
from tests.delivery.notices import KEEPER, tell
from tests.delivery.pace import Hands, subscribe_at
from tests.delivery.paced import paced, planned
from tests.delivery.publishing import send
from tests.digests.stopping import ELSEWHERE
from tests.fakes import NewestFirst, accepting
from tests.sample_database import NOW, fill, record

SECOND = timedelta(seconds=1)


@dataclass
class Diary:
    """Accepts everything, and notes when; once `mails` have come, a notice does."""

    database: SqlDatabase
    mails: int
    hands: Hands = field(default_factory=Hands)
    moments: dict[str, datetime] = field(default_factory=dict)
    told_at: datetime | None = None

    def __call__(self, envelope: Envelope) -> Outcome:
        self.moments[envelope.recipient] = self.hands.now()
        if len(self.moments) == self.mails:
            self.tell()
        return accepting(envelope)

    def tell(self) -> None:
        self.told_at = self.hands.now()
        tell(self.database)

    @property
    def waited(self) -> timedelta:
        """How long the notice waited."""
        assert self.told_at is not None
        return self.moments[KEEPER] - self.told_at


@pytest.mark.slow
@pytest.mark.accept("B18", part="digests wait for their domain")
def test_a_notice_does_not_wait_for_the_next_slot_of_digests(database: SqlDatabase) -> None:
    planned(database, crowd=4)
    diary = Diary(database, mails=99)
    seconds = 0.0

    def wait(some: float) -> bool:
        nonlocal seconds
        seconds += some
        if seconds > 5 and diary.told_at is None:
            diary.tell()
        return diary.hands.wait(some)

    slow = Pacing(domains=parse_domain_pace("2/m"))
    one = replace(paced(database, diary.hands, slow, diary), wait=wait)
    assert deliver(one).totals == LedgerTotals(sent=4)
    assert diary.waited <= 2 * SECOND


@pytest.mark.slow
def test_a_notice_between_two_digests_does_not_cost_digests_their_slots(
    database: SqlDatabase,
) -> None:
    planned(database, crowd=200)
    diary = Diary(database, mails=50)
    one = paced(database, diary.hands, Pacing(domains=parse_domain_pace("10/s")), diary)
    assert deliver(one).totals == LedgerTotals(sent=200)
    assert diary.waited <= 5 * SECOND
    assert diary.hands.now() - NOW <= timedelta(seconds=200 / 10 * 1.1 + 2)


def test_digests_that_are_held_meanwhile_stay(database: SqlDatabase) -> None:
    planned(database, crowd=3 * FEWEST)
    seen: list[str] = []

    def script(envelope: Envelope) -> Outcome:
        seen.append(envelope.recipient)
        if len(seen) == FEWEST:
            with database.writing() as work:
                work[SlotStore].take(HOLD, CLOCK, now=NOW)
        return accepting(envelope)

    report = deliver(paced(database, Hands(), Pacing(), script))
    assert report.stopped == HELD
    assert report.totals == LedgerTotals(sent=FEWEST, queued=2 * FEWEST)


def test_nobody_waits_for_a_quota_of_a_domain_that_is_used_up(database: SqlDatabase) -> None:
    planned(database, crowd=4, lone=1)
    hands = Hands()
    hourly = Pacing(domains=parse_domain_pace("crowd.example=2/h"))
    assert deliver(paced(database, hands, hourly)).totals == LedgerTotals(sent=2, queued=3)
    assert hands.now() - NOW <= SECOND
    hands.moment = NOW + timedelta(hours=1, minutes=2)
    assert deliver(paced(database, hands, hourly)).totals == LedgerTotals(sent=3, queued=2)


def test_mails_whose_key_is_lost_take_no_connection_from_others_to_their_domain(
    database: SqlDatabase,
) -> None:
    fill(database, [record(1)])
    subscribe_at(database, "crowd.example", 3)
    publish(
        database=database,
        ranker=NewestFirst(),
        identity=ELSEWHERE,
        list_name="trending",
        day=None,
        cut="manual",
        now=NOW,
    )
    subscribe_at(database, "crowd.example", 5, first=3)
    send(database)
    hands = Hands()
    one = paced(database, hands, Pacing(connections=2))
    stopping = replace(one, stopping=lambda: hands.now() - NOW > timedelta(minutes=1))
    report = deliver(stopping)
    assert report.totals == LedgerTotals(sent=5, deferred=3)
    assert ELSEWHERE.keys.current.id in "".join(report.troubles)
