"""Cuts: one edition each, at its nominal instant, whenever and by however many it is frozen."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, update

from paperround.core.i18n.locale import locale_for
from paperround.core.i18n.localize import localize_source
from paperround.db.schema import tables as db
from paperround.db.transactions import SqlDatabase
from paperround.digests.plan import LONGEST_WAIT
from paperround.digests.publish import draft, freeze_cuts
from paperround.editions.manage_lists import edit_list
from paperround.editions.model import Edition
from paperround.editions.store.editions import EditionStore
from paperround.editions.store.lists import ListStore
from paperround.feeds.ingest import ingest
from paperround.feeds.model import FeedHealth, LiveFeed, NewFeed, PollProgress
from paperround.feeds.store.feeds import FeedStore
from paperround.papers.model import ParsedBatch, Record
from paperround.ranking.rank import rank_list
from tests.fakes import NewestFirst
from tests.ops.ticking import DAY, HOUR, MINUTE, editions
from tests.races import THREADS, at_once
from tests.sample_database import NOW, fill, record

SIX = datetime(2026, 1, 30, 6, tzinfo=UTC)
"""The cut before NOW, which is seven."""


def freeze(database: SqlDatabase, now: datetime = NOW) -> list[Edition]:
    return freeze_cuts(database=database, ranker=NewestFirst(), now=now)


def zone(database: SqlDatabase, name: str) -> None:
    with database.writing() as work:
        work[ListStore].ensure_default(zone=name, now=NOW)


def feed(database: SqlDatabase, name: str = "daily", /, **changes: object) -> LiveFeed:
    """A feed that was read a minute before the cut, as `changes` say of it."""
    values: dict[str, Any] = {
        "health": FeedHealth.FRESH,
        "reason": "3 new",
        "next_at": SIX + DAY,
    }
    with database.writing() as work:
        new = work[FeedStore].create(NewFeed(name=name, kind="rss"), now=SIX - DAY)
        work[FeedStore].record_poll(replace(new, **(values | changes)))
        return work[FeedStore].get(new.id)


def bring(database: SqlDatabase, name: str, records: list[Record], now: datetime) -> None:
    """What a live feed brings, which is well and asked again much later."""
    with database.reading() as work:
        known = work[FeedStore].find(name)
    known = known or feed(database, name)
    batch = ParsedBatch(records=tuple(records))
    ingest(
        batch,
        database=database,
        feed_name=name,
        feed_kind=known.kind,
        source=name,
        captured_at=now,
        now=now,
    )


@pytest.fixture
def filled(database: SqlDatabase) -> SqlDatabase:
    fill(database, [record(n) for n in range(1, 9)], SIX - HOUR)
    return database


def told_of(edition: Edition) -> tuple[str, ...]:
    """What an edition says of its sources, in English."""
    return tuple(localize_source(locale_for(), one) for one in edition.sources)


def test_a_cut_is_frozen_once_its_time_has_come(filled: SqlDatabase) -> None:
    (edition,) = freeze(filled)
    assert (edition.day, edition.cut, edition.cut_at) == (SIX.date(), "1", SIX)
    assert len(edition.papers) == 8
    assert freeze(filled, NOW + HOUR) == []


@pytest.mark.accept("T9", part="nominal cut")
def test_an_edition_that_is_frozen_late_keeps_its_nominal_instant(filled: SqlDatabase) -> None:
    (edition,) = freeze(filled, SIX + 5 * HOUR)
    assert (edition.cut_at, edition.frozen_at) == (SIX, SIX + 5 * HOUR)


@pytest.mark.accept("T4", part="editions")
def test_after_a_stop_only_the_newest_cut_is_frozen(filled: SqlDatabase) -> None:
    freeze(filled)
    freeze(filled, NOW + 3 * DAY)
    assert [one.cut_at for one in editions(filled)] == [SIX, SIX + 3 * DAY]


def test_new_times_of_editions_make_none_of_before_the_newest(filled: SqlDatabase) -> None:
    freeze(filled)
    edit_list(filled, "trending", {"cuts": ("05:30", "09:00")}, by="shell tests", now=NOW)
    assert freeze(filled) == []
    (edition,) = freeze(filled, SIX + 3 * HOUR)
    assert (edition.cut, edition.cut_at) == ("1-0900", SIX + 3 * HOUR)


def test_nothing_is_frozen_before_any_paper_was_read(database: SqlDatabase) -> None:
    assert freeze(database) == []
    fill(database, [record(1)], NOW)
    (edition,) = freeze(database, NOW + MINUTE)
    assert (edition.cut_at, len(edition.papers)) == (SIX, 1)


@pytest.mark.accept("F20", part="edition")
def test_an_edition_without_papers_says_why(filled: SqlDatabase) -> None:
    feed(filled, health=FeedHealth.STALE, next_at=NOW + 31 * DAY)
    (edition,) = freeze(filled, NOW + 30 * DAY)
    assert edition.papers == ()
    assert (edition.empty_reason, edition.quiet_reason) == ("no-new-papers", "feed-stale")


@pytest.mark.accept("F08", part="footer")
def test_an_edition_counts_what_a_feed_brought_since_the_edition_before(
    filled: SqlDatabase,
) -> None:
    bring(filled, "daily", [record(n) for n in (1, 2)], SIX - HOUR)
    (first,) = freeze(filled, SIX)
    bring(filled, "daily", [record(n) for n in (1, 2, 3)], SIX + MINUTE)
    bring(filled, "daily", [record(n) for n in (2, 4, 5)], SIX + 2 * HOUR)
    (second,) = freeze(filled, SIX + 6 * HOUR)
    (third,) = freeze(filled, SIX + 12 * HOUR)
    told = [told_of(edition) for edition in (first, second, third)]
    assert told == [("daily: 2 new",), ("daily: 3 new",), ("daily: nothing new",)]


def test_an_edition_of_later_is_not_the_one_before_a_cut_that_is_frozen_late(
    filled: SqlDatabase,
) -> None:
    bring(filled, "daily", [record(n) for n in (1, 2)], SIX - HOUR)
    by_hand = SIX + 5 * MINUTE
    ranked = rank_list(
        database=filled, ranker=NewestFirst(), list_name="trending", day=None, now=by_hand
    )
    with filled.writing() as work:
        work[EditionStore].freeze(draft(ranked, "manual", by_hand))
    bring(filled, "daily", [record(3)], SIX + 6 * MINUTE)
    (edition,) = freeze(filled)
    assert (edition.cut_at, told_of(edition)) == (SIX, ("daily: 3 new",))


@pytest.mark.postgres
@pytest.mark.accept("D2", part="cuts")
@pytest.mark.accept("T6", part="cuts")
def test_many_processes_freeze_one_edition(filled: SqlDatabase) -> None:
    found = at_once(THREADS, lambda _: freeze(filled))
    ids = {edition.id for some in found if not isinstance(some, str) for edition in some}
    assert len(editions(filled)) == 1
    assert ids == {editions(filled)[0].id}


# --- waiting for papers ------------------------------------------------------------------------

AWAITED: Mapping[str, Mapping[str, object]] = {
    "due": {"next_at": SIX - MINUTE},
    "being read": {"progress": PollProgress(cursor="page 2")},
    "expecting a batch": {"expects_at": SIX - HOUR},
    "never read": {"health": FeedHealth.NEW},
}
"""What a cut waits for."""


@pytest.mark.parametrize("state", AWAITED)
def test_a_cut_waits_ninety_minutes_at_most(filled: SqlDatabase, state: str) -> None:
    feed(filled, **AWAITED[state])
    feed(filled, "other")
    assert timedelta(minutes=90) == LONGEST_WAIT
    assert freeze(filled, SIX + LONGEST_WAIT - MINUTE) == []
    (edition,) = freeze(filled, SIX + LONGEST_WAIT)
    assert edition.cut_at == SIX


def test_a_cut_does_not_wait_for_a_feed_the_list_does_not_draw_on(
    filled: SqlDatabase, engine: Engine
) -> None:
    mine = feed(filled)
    feed(filled, "other", health=FeedHealth.NEW)
    assert freeze(filled, SIX) == []
    with engine.begin() as connection:
        connection.execute(update(db.lists).values(feeds=[mine.id]))
    assert len(freeze(filled, SIX)) == 1


# --- clocks that jump --------------------------------------------------------------------------


def cuts_between(database: SqlDatabase, start: datetime, hours: int) -> list[Edition]:
    """What is frozen by ticking every half an hour, with something new each time."""
    found = []
    for half in range(hours * 2):
        now = start + half * HOUR / 2
        fill(database, [record(1000 + half)], now - MINUTE)
        found += freeze(database, now)
    return found


@pytest.mark.slow
@pytest.mark.accept("T2", part="editions")
@pytest.mark.parametrize(
    ("place", "day", "midnight"),
    [
        ("Africa/Cairo", date(2026, 4, 24), datetime(2026, 4, 23, 22, tzinfo=UTC)),  # 0:00 -> 1:00
        ("America/Havana", date(2026, 11, 1), datetime(2026, 11, 1, 4, tzinfo=UTC)),  # 0:00 twice
    ],
)
def test_a_day_whose_clock_jumps_has_each_cut_once(
    database: SqlDatabase, place: str, day: date, midnight: datetime
) -> None:
    zone(database, place)
    found = cuts_between(database, midnight - 12 * HOUR, 48)
    mine = [edition for edition in found if edition.day == day]
    assert [edition.cut for edition in mine] == ["0", "1", "2", "3"]
    assert mine[0].cut_at == midnight
    assert len({(edition.day, edition.cut) for edition in found}) == len(found)


@pytest.mark.slow
@pytest.mark.accept("T3", part="editions")
@pytest.mark.parametrize("places", [("Pacific/Auckland", "America/Los_Angeles")])
@pytest.mark.parametrize("step", [1, -1], ids=["west", "east"])
def test_a_list_that_moves_has_no_cut_twice(
    filled: SqlDatabase, places: tuple[str, str], step: int
) -> None:
    before, after = places[::step]
    zone(filled, before)
    found = cuts_between(filled, SIX, 24)
    zone(filled, after)
    found += cuts_between(filled, SIX + 24 * HOUR, 48)
    assert len({(edition.day, edition.cut) for edition in found}) == len(found)
    assert len({edition.cut_at for edition in found}) == len(found)
    assert found[-1].cut_at >= SIX + 66 * HOUR
