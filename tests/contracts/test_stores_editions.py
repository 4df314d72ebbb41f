"""Lists and frozen editions, on every database."""

from dataclasses import replace
from datetime import timedelta
from typing import NoReturn

import pytest

from paperround.domain.editions import Edition, EditionId, EditionState, NewEdition
from paperround.domain.errors import Conflict, NotFound
from paperround.jobs.ports import Database, UnitOfWork
from tests.builders import DAY, NOW, new_edition, paper, seed_edition, seed_list, seed_papers, write


def _freeze_and_be_killed(work: UnitOfWork, edition: NewEdition) -> NoReturn:
    work.editions.freeze(edition)
    raise KeyboardInterrupt


def _reread(database: Database, edition: Edition) -> Edition:
    with database.reading() as work:
        return work.editions.get(edition.id)


def test_the_default_list_is_made_once_and_keeps_to_the_zone_that_is_set(
    database: Database,
) -> None:
    first = seed_list(database)
    with database.writing() as work:
        again = work.lists.ensure_default(zone="Europe/Berlin", now=NOW)
        assert again == replace(first, zone="Europe/Berlin") == work.lists.default()
    assert first.zone == "UTC"


def test_an_unknown_list_is_refused_with_the_names_there_are(database: Database) -> None:
    seed_list(database)
    with pytest.raises(NotFound, match=r"'bio'.*trending"), database.reading() as work:
        work.lists.get("bio")


@pytest.mark.accept("R1", part="edition")
def test_an_edition_is_frozen_with_its_papers_in_order(database: Database) -> None:
    default, papers = seed_list(database), seed_papers(database, 3)
    offered = new_edition(default, tuple(reversed(papers)))
    with database.writing() as work:
        frozen = work.editions.freeze(offered)
    assert frozen.papers == offered.papers
    assert (frozen.state, frozen.list_name) == (EditionState.FROZEN, "trending")
    assert _reread(database, frozen) == frozen


@pytest.mark.accept("R13", part="texts")
def test_a_frozen_edition_does_not_follow_its_papers(database: Database) -> None:
    default, papers = seed_list(database), seed_papers(database, 1)
    frozen = seed_edition(database, default, papers)
    with database.writing() as work:
        changed = write(paper(1, id=papers[0], title="Another title"), text_changed=True)
        work.papers.save([changed], now=NOW)
    again = _reread(database, frozen)
    assert repr(again) == repr(frozen)
    assert again.papers[0].title == "A study of 1 things"


def test_score_parts_come_back_to_the_last_bit(database: Database) -> None:
    default, papers = seed_list(database), seed_papers(database, 3)
    frozen = seed_edition(database, default, papers)
    assert [one.parts["text"] for one in frozen.papers] == [0.5, 0.25, 0.5 / 3]
    assert frozen.papers[2].score == 1.5 / 3


def test_only_one_edition_stands_for_a_list_day_and_cut(database: Database) -> None:
    default, papers = seed_list(database), seed_papers(database, 1)
    first = seed_edition(database, default, papers)
    with pytest.raises(Conflict, match=f"{DAY}"):
        seed_edition(database, default, ())
    with database.reading() as work:
        assert work.editions.find(default.id, DAY, "0") == first
        assert work.editions.find(default.id, DAY, "1") is None
        assert work.editions.find(default.id, DAY + timedelta(days=1), "0") is None


@pytest.mark.accept("R1", part="edition")
def test_a_freeze_that_is_interrupted_leaves_nothing(database: Database) -> None:
    default, papers = seed_list(database), seed_papers(database, 1)
    with pytest.raises(KeyboardInterrupt), database.writing() as work:
        _freeze_and_be_killed(work, new_edition(default, papers))
    with database.reading() as work:
        assert work.editions.find(default.id, DAY, "0") is None


def test_an_empty_edition_keeps_its_reason(database: Database) -> None:
    frozen = seed_edition(database, seed_list(database), ())
    assert (frozen.papers, frozen.empty_reason) == ((), "no-papers-at-all")


def test_a_cancelled_edition_stays_cancelled(database: Database) -> None:
    frozen = seed_edition(database, seed_list(database), ())
    for state in (EditionState.PLANNED, EditionState.CANCELLED, EditionState.PLANNED):
        with database.writing() as work:
            work.editions.set_state(frozen.id, state)
    assert _reread(database, frozen).state is EditionState.CANCELLED


def test_an_edition_that_does_not_exist_is_not_found(database: Database) -> None:
    with pytest.raises(NotFound), database.writing() as work:
        work.editions.set_state(EditionId(99), EditionState.PLANNED)
    with pytest.raises(NotFound), database.reading() as work:
        work.editions.get(EditionId(99))
