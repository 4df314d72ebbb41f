"""Lists and frozen editions, on every database."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, NoReturn

import pytest
from sqlalchemy import Engine, event

from paperround.core.errors import Conflict, NotFound
from paperround.core.reasons import freeze
from paperround.db.transactions import Database, SqlDatabase, Transaction
from paperround.editions.lists import MailingList
from paperround.editions.model import Edition, EditionId, EditionState, NewEdition, TailPaper
from paperround.editions.store.editions import EditionStore
from paperround.editions.store.lists import ListStore
from paperround.papers.model import PaperId
from paperround.papers.store.papers import PaperStore
from tests.builders import (
    DAY,
    HOUR,
    MINUTE,
    NOW,
    new_edition,
    paper,
    seed_edition,
    seed_list,
    seed_papers,
    write,
)

ONE_DAY = timedelta(days=1)


def _freeze_and_be_killed(work: Transaction, edition: NewEdition) -> NoReturn:
    work[EditionStore].freeze(edition)
    raise KeyboardInterrupt


def _reread(database: Database, edition: Edition) -> Edition:
    with database.reading() as work:
        return work[EditionStore].get(edition.id)


def test_the_default_list_is_made_once_and_keeps_to_the_zone_that_is_set(
    database: Database,
) -> None:
    first = seed_list(database)
    with database.writing() as work:
        again = work[ListStore].ensure_default(zone="Europe/Berlin", now=NOW)
        assert again == replace(first, zone="Europe/Berlin") == work[ListStore].default()
    assert first.zone == "UTC"


def test_an_unknown_list_is_refused_with_the_names_there_are(database: Database) -> None:
    seed_list(database)
    with pytest.raises(NotFound, match=r"'bio'.*trending"), database.reading() as work:
        work[ListStore].get("bio")


@pytest.mark.accept("R1", part="edition")
def test_an_edition_is_frozen_with_its_papers_in_order(database: Database) -> None:
    default, papers = seed_list(database), seed_papers(database, 3)
    offered = new_edition(default, tuple(reversed(papers)))
    with database.writing() as work:
        frozen = work[EditionStore].freeze(offered)
    assert frozen.papers == offered.papers
    assert (frozen.state, frozen.list_name) == (EditionState.FROZEN, "trending")
    assert _reread(database, frozen) == frozen


@pytest.mark.accept("D10", part="reasons", mutant="english-of-the-release-before-is-lost")
def test_english_that_an_earlier_release_froze_is_read(database: Database, engine: Engine) -> None:
    default, papers = seed_list(database), seed_papers(database, 2)
    rose, brought = freeze("risen.yesterday", votes=9), freeze("source.new", name="arxiv", new=3)
    offered = new_edition(default, papers)
    shown = tuple(replace(one, reason=rose) for one in offered.papers)
    tail = (TailPaper(position=9, paper_id=papers[0], score=1.0, parts={}, reason=rose),)
    with database.writing() as work:
        edition = work[EditionStore].freeze(
            replace(offered, papers=shown, sources=(brought,), tail=tail)
        )
    again = _reread(database, edition)
    assert ([one.reason for one in again.papers], again.sources) == ([rose, rose], (brought,))
    with engine.begin() as connection:
        for table, column in (
            ("edition_papers", "reason_codes"),
            ("editions", "source_codes"),
            ("edition_tails", "reason_codes"),
        ):
            connection.exec_driver_sql(f"UPDATE {table} SET {column} = NULL")
    old, told = _reread(database, edition), "Rose since yesterday: 9 votes"
    assert ([one.reason for one in old.papers], old.sources) == ([told, told], ("arxiv: 3 new",))
    with database.reading() as work:
        assert [one.reason for one in work[EditionStore].tail(edition.id)] == [told]


@pytest.mark.accept("R13", part="texts")
def test_a_frozen_edition_does_not_follow_its_papers(database: Database) -> None:
    default, papers = seed_list(database), seed_papers(database, 1)
    frozen = seed_edition(database, default, papers)
    with database.writing() as work:
        changed = write(paper(1, id=papers[0], title="Another title"), text_changed=True)
        work[PaperStore].save([changed], now=NOW)
    again = _reread(database, frozen)
    assert repr(again) == repr(frozen)
    assert again.papers[0].title == "A study of 1 things"


def test_the_places_behind_an_edition_are_kept_for_a_while(database: Database) -> None:
    default, papers = seed_list(database), seed_papers(database, 3)
    tail = tuple(
        TailPaper(
            position=place,
            paper_id=papers[place - 1],
            score=0.1 + 0.2,
            parts={"recency": 0.1, "topics": 0.2},
            reason="burst: “glaze”",
            votes=votes,
        )
        for place, votes in ((2, None), (3, 7))
    )
    offered = replace(new_edition(default, papers[:1]), tail=tail)
    with database.writing() as work:
        frozen = work[EditionStore].freeze(offered)
    with database.writing() as work:
        assert work[EditionStore].tail(frozen.id) == tail
        assert work[EditionStore].forget_tails(before=frozen.cut_at) == 0
        assert work[EditionStore].forget_tails(before=frozen.cut_at + MINUTE) == 1
        assert work[EditionStore].tail(frozen.id) == ()
    assert _reread(database, frozen) == frozen


def test_only_one_edition_stands_for_a_list_day_and_cut(database: Database) -> None:
    default, papers = seed_list(database), seed_papers(database, 1)
    first = seed_edition(database, default, papers)
    with pytest.raises(Conflict, match=f"{DAY}"):
        seed_edition(database, default, ())
    with database.reading() as work:
        assert work[EditionStore].find(default.id, DAY, "0") == first
        assert work[EditionStore].find(default.id, DAY, "1") is None
        assert work[EditionStore].find(default.id, DAY + timedelta(days=1), "0") is None


@pytest.mark.accept("R1", part="edition")
def test_a_freeze_that_is_interrupted_leaves_nothing(database: Database) -> None:
    default, papers = seed_list(database), seed_papers(database, 1)
    with pytest.raises(KeyboardInterrupt), database.writing() as work:
        _freeze_and_be_killed(work, new_edition(default, papers))
    with database.reading() as work:
        assert work[EditionStore].find(default.id, DAY, "0") is None


def test_a_cancelled_edition_stays_cancelled(database: Database) -> None:
    frozen = seed_edition(database, seed_list(database), ())
    for state in (EditionState.PLANNED, EditionState.CANCELLED, EditionState.PLANNED):
        with database.writing() as work:
            work[EditionStore].set_state(frozen.id, state)
    assert _reread(database, frozen).state is EditionState.CANCELLED


def test_an_edition_that_does_not_exist_is_not_found(database: Database) -> None:
    with pytest.raises(NotFound), database.reading() as work:
        work[EditionStore].get(EditionId(99))


# --- the newest, and the archive ---------------------------------------------------------------


def _frozen_at(
    database: Database, default: MailingList, papers: tuple[PaperId, ...], cut_at: datetime
) -> Edition:
    """An edition of the cut that is due at `cut_at`."""
    offered = new_edition(default, papers, cut=f"{cut_at:%H:%M}", day=cut_at.date())
    with database.writing() as work:
        return work[EditionStore].freeze(replace(offered, cut_at=cut_at))


def _cancel(database: Database, edition: Edition) -> None:
    with database.writing() as work:
        work[EditionStore].set_state(edition.id, EditionState.CANCELLED)


def test_an_edition_keeps_its_cut_and_what_was_said_of_the_feeds(database: Database) -> None:
    told = replace(
        new_edition(seed_list(database)),
        cut_at=NOW - HOUR,
        quiet_reason="feed-stale",
        sources=("cs: stale since Monday", "bio: fresh"),
    )
    with database.writing() as work:
        frozen = work[EditionStore].freeze(told)
    assert _reread(database, frozen) == frozen
    assert (frozen.cut_at, frozen.quiet_reason) == (NOW - HOUR, "feed-stale")
    assert frozen.sources == told.sources


def test_the_newest_edition_is_that_of_the_latest_cut_not_after_the_instant(
    database: Database,
) -> None:
    default, papers = seed_list(database), seed_papers(database, 1)
    late = _frozen_at(database, default, papers, NOW)
    early = _frozen_at(database, default, (), NOW - 6 * HOUR)
    moments = (NOW + HOUR, NOW, NOW - timedelta(microseconds=1), NOW - 7 * HOUR)
    with database.reading() as work:
        found = [work[EditionStore].newest(default.id, by=moment) for moment in moments]
    assert found == [late, late, early, None]


def test_a_cancelled_edition_is_never_the_newest(database: Database) -> None:
    default = seed_list(database)
    early = _frozen_at(database, default, (), NOW - 6 * HOUR)
    _cancel(database, _frozen_at(database, default, (), NOW))
    with database.reading() as work:
        assert work[EditionStore].newest(default.id, by=NOW) == early
    _cancel(database, early)
    with database.reading() as work:
        assert work[EditionStore].newest(default.id, by=NOW) is None


def test_finding_the_newest_edition_does_not_read_all_of_them(sqlite_database: Database) -> None:
    assert isinstance(sqlite_database, SqlDatabase)
    default, asked = seed_list(sqlite_database), list[tuple[str, Any]]()
    with sqlite_database.reading() as work:
        connection = work[EditionStore]._connection
        event.listen(connection, "before_cursor_execute", lambda *call: asked.append(call[2:4]))
        work[EditionStore].newest(default.id, by=NOW)
        statement, parameters = asked[-1]
        plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
        steps = " / ".join(str(step.detail) for step in plan)
    assert "ix_editions_cut (list_id=? AND cut_at<?)" in steps
    assert "TEMP B-TREE" not in steps


def test_the_archive_lists_editions_that_hold_papers_newest_first(database: Database) -> None:
    default, papers = seed_list(database), seed_papers(database, 2)
    _frozen_at(database, default, papers, NOW - ONE_DAY)
    _frozen_at(database, default, papers[:1], NOW - 6 * HOUR)
    _frozen_at(database, default, (), NOW - HOUR)
    _frozen_at(database, default, tuple(reversed(papers)), NOW)
    with database.reading() as work:
        listed = work[EditionStore].recent(default.id, limit=9)
    assert [one.cut_at for one in listed] == [NOW, NOW - 6 * HOUR, NOW - ONE_DAY]
    assert [one.paper_count for one in listed] == [2, 1, 2]
    assert (listed[0].list_name, listed[0].day, listed[0].cut) == ("trending", DAY, "08:00")
    assert listed[0].top_title == "A study of 1 things"


def test_the_archive_is_walked_day_by_day_and_leaves_out_what_was_cancelled(
    database: Database,
) -> None:
    default, papers = seed_list(database), seed_papers(database, 1)
    made = [_frozen_at(database, default, papers, NOW - days * ONE_DAY) for days in range(4)]
    _cancel(database, made[2])
    with database.reading() as work:
        first = work[EditionStore].recent(default.id, limit=2)
        rest = work[EditionStore].recent(default.id, before=first[-1].day, limit=2)
    assert [one.day for one in first + rest] == [made[0].day, made[1].day, made[3].day]
