"""Outages, polls that stop and polls that are too big: what a service still tells is read."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from functools import partial
from urllib.parse import parse_qs, urlsplit

import pytest

from paperround.core.errors import FetchFailed
from paperround.db.transactions import SqlDatabase
from paperround.feeds import poll
from paperround.feeds.model import FeedHealth, NewFeed
from paperround.http.model import FetchRequest
from paperround.papers.model import FeedId
from paperround.plugins import catalogues, crossref, openalex
from tests.feeds.feed_context import HOUR, NOW, Reply, Room, failing
from tests.plugins.biorxiv_samples import NOTHING, collection, row
from tests.plugins.catalogue_samples import (
    crossref_list,
    crossref_work,
    openalex_list,
    openalex_work,
)

DAY = timedelta(days=1)
FIRST = date(2026, 1, 1)
DATES = {
    "openalex": ("from_publication_date", "to_publication_date"),
    "crossref": ("from-created-date", "until-created-date"),
}
OPENALEX = NewFeed(name="feed", kind="openalex", settings={"filter": "x:1", "days": "3"})
CROSSREF = NewFeed(name="feed", kind="crossref", settings={"filter": "issn:1476-4687"})
BIORXIV = NewFeed(name="feed", kind="biorxiv")
MARKED = pytest.mark.parametrize("feed", [OPENALEX, CROSSREF], ids=lambda one: one.kind)
ALL = pytest.mark.parametrize("feed", [OPENALEX, CROSSREF, BIORXIV], ids=lambda one: one.kind)


@dataclass
class Archive:
    """A service with `daily` papers of each day since 1 January, which come two days late. An
    answer is swapped for an error while `breaks` says one."""

    room: Room
    daily: int
    asked: int = 0
    breaks: Callable[[int], BaseException | None] = lambda _: None
    per_day: dict[date, int] = field(default_factory=dict)

    def __call__(self, request: FetchRequest) -> Reply:
        self.asked += 1
        error = self.breaks(self.asked)
        if error is not None:
            raise error
        answer = _biorxiv if "biorxiv" in request.url else _marked
        return Reply(answer(self, request))

    def numbers(self, since: date, until: date) -> list[tuple[date, int]]:
        """The papers of these days that have come by now, each by a number of its own."""
        end = min(until, (self.room.clock.now() - 2 * DAY).date())
        days = [FIRST + n * DAY for n in range((end - FIRST).days + 1)]
        return [
            (day, 1000 * (day - FIRST).days + n)
            for day in days
            if day >= since
            for n in range(self.per_day.get(day, self.daily))
        ]

    def since(self, day: date) -> int:
        """How many there are by now of this and later days."""
        return len(self.numbers(day, date.max))


def _marked(archive: Archive, request: FetchRequest) -> bytes:
    query = {name: said[0] for name, said in parse_qs(urlsplit(request.url).query).items()}
    named = dict(part.split(":") for part in query["filter"].split(","))
    kind = "crossref" if "crossref" in request.url else "openalex"
    since, until = (date.fromisoformat(named[name]) for name in DATES[kind])
    found = archive.numbers(since, until)
    start = 0 if query["cursor"] == "*" else int(query["cursor"])
    works, mark = found[start : start + 100], str(start + 100)
    if kind == "crossref":
        listed = [crossref_work(n) for _, n in works]
        return crossref_list(*listed, total=len(found), mark=mark)
    listed = [openalex_work(n, publication_date=str(day)) for day, n in works]
    return openalex_list(*listed, count=len(found), next_cursor=mark if works else None)


def _biorxiv(archive: Archive, request: FetchRequest) -> bytes:
    *_, first, last, start, _ = urlsplit(request.url).path.split("/")
    found = archive.numbers(date.fromisoformat(first), date.fromisoformat(last))
    rows = [row(n, date=str(day)) for day, n in found[int(start) : int(start) + 100]]
    return collection(*rows, total=len(found)) if rows else NOTHING


@pytest.fixture
def room(sqlite_database: SqlDatabase) -> Room:
    return Room(sqlite_database)


def opened(room: Room, feed: NewFeed, *, daily: int) -> tuple[Archive, FeedId]:
    """The feed and its service; it has been read once."""
    archive = room.answers["//api."] = Archive(room, daily)
    added = room.add(feed)
    return archive, added


def read_out(room: Room, feed: FeedId, polls: int = 40) -> list[str | None]:
    """Poll until a poll comes to its end, and the next one too; the errors on the way."""
    errors = []
    for _ in range(polls):
        errors.append(room.poll_next(feed).error)
        if room.feed(feed).progress.cursor is None and errors[-1] is None:
            break
    return errors


@pytest.mark.accept("F08", part="outage")
@ALL
@pytest.mark.parametrize("days", [5, 29])
def test_an_outage_loses_no_paper(room: Room, feed: NewFeed, days: int) -> None:
    archive, added = opened(room, feed, daily=4)
    room.poll()
    begun = NOW.date() - 3 * DAY
    assert room.papers == archive.since(begun)
    archive.breaks = lambda _: FetchFailed("no route to host")
    end = room.clock.moment + days * DAY
    while room.clock.moment < end:
        room.poll(6 * HOUR)
    archive.breaks = lambda _: None
    assert read_out(room, added)[-1] is None
    assert room.papers == archive.since(begun)


@pytest.mark.accept("F08", part="outage")
@ALL
@pytest.mark.parametrize("days", [1, 12])
def test_a_poll_that_is_killed_and_taken_up_days_later_leaves_no_hole(
    room: Room, feed: NewFeed, days: int
) -> None:
    archive, added = opened(room, feed, daily=60)
    archive.breaks = lambda asked: KeyboardInterrupt() if asked == 2 else None
    with pytest.raises(KeyboardInterrupt):
        room.poll()
    room.poll(days * DAY)
    assert room.feed(added).progress.cursor is None
    assert read_out(room, added) == [None]
    assert room.papers == archive.since(NOW.date() - 3 * DAY)


@pytest.mark.accept("F08", part="outage")
@ALL
def test_a_poll_that_did_not_come_to_its_end_is_not_a_good_one(
    room: Room, feed: NewFeed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(poll, "MOST_PAGES", 2)
    archive, added = opened(room, feed, daily=0)
    room.poll()
    good = room.feed(added).last_good_at
    archive.daily = 30
    room.clock.moment += 10 * DAY
    room.poll()
    assert room.feed(added).progress.cursor is not None
    assert room.feed(added).last_good_at == good
    archive.breaks = lambda _: failing(500)
    for _ in range(3):
        room.poll_next(added)
    assert room.feed(added).progress.cursor is None  # it begins anew
    archive.breaks = lambda _: None
    read_out(room, added)
    assert room.papers == archive.since(NOW.date() - 3 * DAY)


@pytest.mark.accept("F08", part="outage")
@ALL
def test_a_refusal_for_asking_too_much_never_sends_a_poll_back_to_its_beginning(
    room: Room, feed: NewFeed
) -> None:
    archive, added = opened(room, feed, daily=60)
    archive.breaks = lambda asked: failing(429) if asked > 1 else None
    room.poll()
    for _ in range(4):
        room.poll_next(added)
    assert room.feed(added).failures >= 3
    assert room.feed(added).progress.cursor is not None


@pytest.mark.accept("F05", part="too many works")
@MARKED
@pytest.mark.parametrize(("daily", "rejects"), [(75, {}), (80, {"too-many-found": 1})])
def test_more_works_than_a_poll_may_read_are_told(
    room: Room, feed: NewFeed, daily: int, rejects: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    paged = partial(catalogues.page_and_position, most=3)
    monkeypatch.setattr(openalex, "page_and_position", paged)
    monkeypatch.setattr(crossref, "MOST_PAGES", 3)
    archive, added = opened(room, feed, daily=daily)
    archive.per_day[NOW.date() - 2 * DAY] = 225
    (report,) = room.poll()
    assert (report.new, report.error, report.health) == (300, None, FeedHealth.FRESH)
    assert report.rejects == rejects
    assert room.feed(added).last_good_at == NOW


def test_a_feed_from_before_the_mark_was_kept_goes_on_from_its_last_good_poll(room: Room) -> None:
    _, added = opened(room, BIORXIV, daily=4)
    room.poll()
    standing = room.feed(added)
    assert standing.progress.read_to == NOW
    older = replace(standing, progress=replace(standing.progress, read_to=None))
    assert older.state.good_at == NOW
