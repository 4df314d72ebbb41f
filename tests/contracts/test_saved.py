"""Saved papers, with what their readers wrote of them, on both engines."""

from dataclasses import dataclass
from datetime import timedelta

import pytest

from paperround.db.transactions import SqlDatabase
from paperround.papers.model import PaperId
from paperround.papers.store.papers import PaperStore
from paperround.subscribers.model import SubscriberId
from paperround.subscribers.readers import SavedPaper
from paperround.subscribers.store.saved import SavedPapers
from paperround.subscribers.store.subscribers import SubscriberStore
from tests.builders import seed_list, seed_subscribers
from tests.sample_database import NOW, fill, record

HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Saving:
    """Ada saved the first paper, then the second, and wants more like the third; Bob saved the
    first."""

    ada: SubscriberId
    bob: SubscriberId
    first: PaperId
    second: PaperId
    third: PaperId


@pytest.fixture
def saving(database: SqlDatabase) -> Saving:
    fill(database, [record(n) for n in (1, 2, 3)], NOW)
    people = seed_subscribers(database, seed_list(database), ("ada", "bob"))
    ada, bob = (one.subscriber_id for one in people)
    keys = [("arxiv", f"2601.{n:05}") for n in (1, 2, 3)]
    with database.writing() as work:
        known = work[PaperStore].find(keys)
        each = [known[one] for one in keys]
        for number, (paper, verdict) in enumerate(
            zip(each, ("save", "save", "more"), strict=True), start=1
        ):
            work[SubscriberStore].give_feedback(ada, paper, verdict, now=NOW + number * HOUR)
        work[SubscriberStore].give_feedback(bob, each[0], "save", now=NOW)
    return Saving(ada, bob, *each)


@pytest.mark.accept("F54", part="page")
def test_the_last_saved_paper_comes_first(database: SqlDatabase, saving: Saving) -> None:
    with database.reading() as work:
        found = work[SavedPapers].saved_by(saving.ada)
    assert found == [
        SavedPaper(paper_id=saving.second, saved_at=NOW + 2 * HOUR),
        SavedPaper(paper_id=saving.first, saved_at=NOW + HOUR),
    ]


@pytest.mark.accept("F54", part="notes")
def test_a_note_is_of_one_reader_and_one_saved_paper(database: SqlDatabase, saving: Saving) -> None:
    with database.writing() as work:
        assert work[SavedPapers].annotate(saving.ada, saving.first, "Mine", ("B", "图"))
        assert not work[SavedPapers].annotate(saving.ada, saving.third, "Not saved", ())
        second, first = work[SavedPapers].saved_by(saving.ada)
        [theirs] = work[SavedPapers].saved_by(saving.bob)
    assert (first.note, first.collections) == ("Mine", ("B", "图"))
    assert {(one.note, one.collections) for one in (second, theirs)} == {("", ())}


@pytest.mark.accept("F54", part="notes")
def test_saving_again_keeps_the_note_and_withdrawing_forgets_it(
    database: SqlDatabase, saving: Saving
) -> None:
    ada, paper = saving.ada, saving.first
    with database.writing() as work:
        store = work[SubscriberStore]
        work[SavedPapers].annotate(ada, paper, "Mine", ())
        assert not store.give_feedback(ada, paper, "save", now=NOW + 9 * HOUR)
        assert work[SavedPapers].saved_by(ada)[-1].note == "Mine"
        assert store.withdraw_feedback(ada, paper, "save")
        assert not store.withdraw_feedback(ada, paper, "save")
        store.give_feedback(ada, paper, "save", now=NOW)
        assert work[SavedPapers].saved_by(ada)[-1].note == ""
