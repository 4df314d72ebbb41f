"""A cancelled edition: its page for those who got it, and taking the cancel back."""

from dataclasses import replace
from datetime import timedelta

import pytest

from paperround.core.clock import FixedClock
from paperround.core.errors import InvalidInput, NotFound
from paperround.db.transactions import SqlDatabase
from paperround.delivery.ledger_model import LedgerTotals
from paperround.delivery.store.history import SentPapers
from paperround.delivery.store.ledger import Ledger
from paperround.digests.cancel import Cancelled, Restored, cancel, undo
from paperround.digests.pages import edition_page
from paperround.digests.resend import send_missed
from paperround.digests.sending import deliver
from paperround.editions.store.lists import ListStore
from paperround.subscribers.store.subscribers import SubscriberStore
from tests.delivery.notices import Batches, plan, post
from tests.digests.stopping import After
from tests.sample_database import IDENTITY, NOW

DAY = NOW.date()
MINUTE = timedelta(minutes=1)
LATER = NOW + 2 * MINUTE


def stop(database: SqlDatabase, reason: str = "") -> list[Cancelled]:
    return cancel(database, "trending", day=DAY, cut=None, now=NOW + MINUTE, reason=reason)


def take_back(database: SqlDatabase) -> list[Restored]:
    return undo(database, "trending", day=DAY, cut=None, now=LATER)


def stop_in_the_middle(database: SqlDatabase, reason: str = "") -> None:
    """Three mails of five are out when the edition is cancelled."""
    plan(database, 5)
    deliver(post(database, Batches(After(3, lambda _: stop(database, reason)))))


def withdrawn(database: SqlDatabase) -> str | None:
    page = edition_page(database, "trending", DAY, "manual", even_withdrawn=True)
    return page.withdrawn


def totals(database: SqlDatabase) -> LedgerTotals:
    with database.reading() as work:
        return work[Ledger].totals(now=LATER)


def memory(database: SqlDatabase) -> int:
    """How many papers people were or will be sent."""
    with database.reading() as work:
        people = [
            one.id for one, _ in work[SubscriberStore].export(work[ListStore].get("trending").id)
        ]
        return sum(len(papers) for papers in work[SentPapers].already_sent(people).values())


# --- its page ----------------------------------------------------------------------------------


@pytest.mark.accept("F34", part="cancel", mutant="a-withdrawn-edition-has-no-page")
def test_an_edition_that_went_out_keeps_its_page_which_says_why_it_was_withdrawn(
    database: SqlDatabase,
) -> None:
    stop_in_the_middle(database, "Two titles were mixed up.")
    assert withdrawn(database) == "Two titles were mixed up."
    with pytest.raises(NotFound):
        edition_page(database, "trending", DAY, "manual")


def test_an_edition_of_which_nothing_went_out_has_no_page(database: SqlDatabase) -> None:
    plan(database, 5)
    stop(database)
    with pytest.raises(NotFound):
        withdrawn(database)


def test_a_reason_is_one_line(database: SqlDatabase) -> None:
    plan(database, 1)
    with pytest.raises(InvalidInput, match="one line"):
        stop(database, "two\nlines")


# --- undone ------------------------------------------------------------------------------------


@pytest.mark.accept("F34", part="cancel", mutant="undoing-a-cancel-forgets-the-papers")
def test_undoing_a_cancel_sends_the_rest_and_nothing_twice(database: SqlDatabase) -> None:
    stop_in_the_middle(database)
    assert (totals(database), memory(database)) == (LedgerTotals(sent=3, skipped=2), 6)
    [restored] = take_back(database)
    assert (restored.cut, restored.queued) == ("manual", 2)
    assert (totals(database), memory(database)) == (LedgerTotals(sent=3, queued=2), 10)
    assert withdrawn(database) is None
    mailer = Batches()
    deliver(replace(post(database, mailer), clock=FixedClock(LATER)))
    assert len(mailer.sent) == 2
    assert totals(database) == LedgerTotals(sent=5)
    assert take_back(database) == []


@pytest.mark.accept("F34", part="cancel", mutant="a-cancel-is-undone-after-something-was-planned")
def test_a_cancel_stays_once_something_was_planned_anew(database: SqlDatabase) -> None:
    stop_in_the_middle(database)
    send_missed(database, "trending", identity=IDENTITY, day=DAY, now=LATER, include_unknown=False)
    with pytest.raises(InvalidInput, match="readers of this edition have other"):
        take_back(database)
    assert totals(database) == LedgerTotals(sent=3, skipped=2, queued=2)


def test_a_cancel_can_be_done_again_after_it_was_undone(database: SqlDatabase) -> None:
    plan(database, 5)
    stop(database)
    take_back(database)
    [again] = cancel(database, "trending", day=DAY, cut=None, now=LATER)
    assert (again.skipped, again.fresh) == (5, True)
    assert memory(database) == 0
