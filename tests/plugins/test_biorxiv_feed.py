"""A feed of bioRxiv over its days: papers, later versions, a withdrawal, a journal's article."""

from collections.abc import Sequence
from typing import Any

import pytest

from paperround.db.transactions import SqlDatabase
from paperround.feeds.model import FeedHealth, NewFeed
from paperround.http.model import FetchRequest
from paperround.papers.model import Paper
from paperround.papers.store.papers import PaperStore
from tests.feeds.feed_context import HOUR, Reply, Room
from tests.plugins.biorxiv_samples import NOTHING, collection, row

FEED = NewFeed(name="biorxiv", kind="biorxiv")
PAGE = 3


@pytest.fixture
def room(database: SqlDatabase) -> Room:
    return Room(database)


def serve(room: Room, *rows: Any, total: int | None = None) -> None:
    """Answer as the service does: three rows from the cursor on, which stands in the address."""

    def answer(request: FetchRequest) -> Reply:
        start = int(request.url.split("/")[-2])
        part = rows[start : start + PAGE]
        return Reply(collection(*part, total=total or len(rows)) if part else NOTHING)

    room.answers["/details/biorxiv/"] = answer


def papers(room: Room, rows: Sequence[dict[str, Any]]) -> list[Paper]:
    with room.database.reading() as work:
        found = work[PaperStore].find({("biorxiv", one["doi"]) for one in rows})
        return list(work[PaperStore].load(set(found.values())).values())


@pytest.mark.accept("F04", part="poll")
@pytest.mark.parametrize("total", [8, 11])
def test_every_page_is_read_and_read_again_without_a_change(room: Room, total: int) -> None:
    feed = room.add(FEED)
    serve(room, *(row(number) for number in range(8)), total=total)
    (report,) = room.poll()
    assert (report.new, report.error, report.health) == (8, None, FeedHealth.FRESH)
    assert room.feed(feed).progress.cursor is None
    assert set(room.clock.paused) == {1.0}
    (again,) = room.poll(6 * HOUR)
    assert (again.unchanged, again.new, again.changed) == (8, 0, 0)


@pytest.mark.accept("F04", part="versions")
@pytest.mark.accept("F07", part="replacements")
def test_a_later_version_changes_a_known_paper_and_makes_no_new_one(room: Room) -> None:
    room.add(FEED)
    first, stranger = row(1), row(2, version="2")
    serve(room, first, stranger)
    (report,) = room.poll()
    assert (report.new, report.papers_total) == (1, 1)
    (before,) = papers(room, [first])
    later = row(1, version="2", title="Study 1, revised", date="2026-1-28", published="10.1000/j")
    serve(room, first, stranger, later)
    (report,) = room.poll(6 * HOUR)
    assert (report.new, report.changed, report.papers_total) == (0, 1, 1)
    (after,) = papers(room, [first])
    assert (after.title, after.version) == ("Study 1, revised", 2)
    assert (after.counts_from, after.listed_on) == (before.counts_from, before.listed_on)
    assert after.identifiers["doi"] == "10.1000/j"


@pytest.mark.accept("F07", part="biorxiv withdrawals")
def test_a_withdrawal_flags_the_paper(room: Room) -> None:
    room.add(FEED)
    serve(room, row(1))
    room.poll()
    serve(room, row(1), row(1, version="2", type="withdrawn", abstract="Withdrawn by the authors."))
    room.poll(6 * HOUR)
    (paper,) = papers(room, [row(1)])
    assert paper.withdrawn


@pytest.mark.accept("F04", part="errors")
def test_an_error_on_a_later_page_fails_the_poll_which_goes_on_from_there(room: Room) -> None:
    feed = room.add(FEED)
    serve(room, *(row(number) for number in range(5)))
    whole = room.answers.pop("/details/biorxiv/")
    room.answers["/3/json"] = b"Error : (2002) Connection refused"
    room.answers["/details/biorxiv/"] = whole
    (report,) = room.poll()
    assert (report.new, report.health) == (3, FeedHealth.FAILED)
    assert "Connection refused" in (report.error or "")
    del room.answers["/3/json"]
    report = room.poll_next(feed)
    assert (report.new, report.papers_total, report.error) == (2, 5, None)
    assert [one.url.split("/")[-2] for one in room.services.asked] == ["0", "3", "3"]
