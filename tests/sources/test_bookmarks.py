"""Where a poll stands that is led on by a service's own marks, and how it is cut in parts."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperround.domain.errors import FetchFailed
from paperround.domain.feeds import FeedState, Progress
from paperround.domain.papers import ParsedBatch
from paperround.sources.bookmarks import MARKED_PAGES, PAGE, Bookmark, bookmark, led_on, place_of
from paperround.sources.catalogues import Answer
from paperround.sources.polling import Span

NOW = datetime(2026, 1, 28, 12, tzinfo=UTC)
WANTED = ("type:article", "graphs")


def stopped_at(cursor: str | None = None, good_at: datetime | None = None) -> FeedState:
    return FeedState(url=None, settings={}, progress=Progress(cursor=cursor), good_at=good_at)


def first(state: FeedState | None = None) -> Bookmark:
    return place_of(state or stopped_at(), WANTED, 3, NOW)


def test_a_poll_begins_with_the_first_page_for_the_last_days() -> None:
    place = first()
    assert place.span == Span(since=date(2026, 1, 25), until=NOW.date(), last=NOW.date())
    assert (place.page, place.mark) == (0, "*")


def test_a_stopped_poll_goes_on_with_the_days_it_began_with() -> None:
    stopped = first().turned("mark|with|bars")
    later = place_of(stopped_at(str(stopped)), WANTED, 7, NOW + timedelta(days=2))
    assert later == stopped


@pytest.mark.parametrize("wanted", [("type:preprint", "graphs"), ("type:article", ""), ()])
def test_a_poll_begun_with_other_settings_begins_anew(wanted: tuple[str, ...]) -> None:
    stopped = first().turned("mark")
    assert place_of(stopped_at(str(stopped)), wanted, 3, NOW).page == 0


def test_a_mark_that_has_expired_is_not_asked_for_again() -> None:
    stopped = first().turned("mark", expires=NOW + timedelta(minutes=4))
    in_time, too_late = NOW + timedelta(minutes=3), NOW + timedelta(days=1)
    assert place_of(stopped_at(str(stopped)), WANTED, 3, in_time) == stopped
    assert place_of(stopped_at(str(stopped)), WANTED, 3, too_late) == first()


@pytest.mark.parametrize("mark", ["", "two words", "line\nfeed", "é", "x" * 4001, "\0"])
def test_a_mark_that_cannot_be_asked_for_is_an_error(mark: str) -> None:
    with pytest.raises(FetchFailed, match="names its next page in no way"):
        first().turned(mark)


def page_of(rows: int = PAGE, total: int | None = None, mark: str | None = "mark") -> Answer:
    return Answer(batch=ParsedBatch(), rows=rows, total=total, mark=mark)


def after(place: Bookmark, answer: Answer) -> tuple[Bookmark | None, list[str]]:
    """Where the poll goes on behind a page, and the reasons of its rejects."""
    batch = led_on(place, answer, "A service", expires=None)
    return bookmark(batch.next or ""), [one.reason for one in batch.rejects]


def days(place: Bookmark | None) -> tuple[int, int, int] | None:
    """The first and the last day of a part, and its page."""
    return (place.span.since.day, place.span.until.day, place.page) if place else None


def test_a_page_is_followed_by_the_next_until_one_is_empty_or_has_no_mark() -> None:
    place, _ = after(first(), page_of(total=150))
    assert place == first().turned("mark")
    assert after(place, page_of(50, total=150, mark=None)) == (None, [])
    assert after(place, page_of(0, total=None)) == (None, [])


@pytest.mark.accept("F05", part="too many works")
@pytest.mark.parametrize(
    ("page", "total", "said"),
    [(0, 7, "answered no works though"), (1, 5000, "no works after 100 though"), (1, 103, "103")],
)
def test_an_empty_page_before_the_end_is_a_failure(page: int, total: int, said: str) -> None:
    with pytest.raises(FetchFailed, match=said) as caught:
        after(replace(first(), page=page), page_of(0, total=total))
    assert not caught.value.permanent


@pytest.mark.parametrize("total", [90, 100, 101])
def test_a_hundredth_may_have_gone_while_a_list_was_read(total: int) -> None:
    assert after(replace(first(), page=1), page_of(0, total=total)) == (None, [])


@pytest.mark.accept("F05", part="too many works")
def test_days_with_too_many_works_are_asked_for_in_parts_and_the_oldest_come_first() -> None:
    part, _ = after(first(), page_of(total=9000))
    assert days(part) == (25, 26, 0)
    assert part is not None
    following, _ = after(replace(part, page=44), page_of(80, total=4480, mark=None))
    assert days(following) == (27, 28, 0)
    assert following is not None
    smaller, _ = after(following, page_of(total=10**30))
    assert days(smaller) == (27, 27, 0)
    assert smaller is not None
    assert days(after(smaller, page_of(3, total=3, mark=None))[0]) == (28, 28, 0)


@pytest.mark.accept("F05", part="too many works")
def test_the_last_page_of_a_part_may_be_its_end_and_is_never_thrown_away() -> None:
    last = replace(first(), page=MARKED_PAGES - 1)
    assert after(last, page_of(total=5000)) == (None, [])
    assert days(after(last, page_of(total=None))[0]) == (25, 26, 0)  # too many, as it turns out
    day = Span(since=date(2026, 1, 25), until=date(2026, 1, 25), last=NOW.date())
    behind, told = after(replace(last, span=day), page_of(total=5001))
    assert (days(behind), told) == ((26, 26, 0), ["too-many-found"])


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "0:0",
        f"{'0' * 32}|2026-01-01|2026-01-02|0||*",
        f"{'0' * 32}|2026-02-30|2026-03-01|2026-03-01|0||*",
        f"{'0' * 32}|2026-01-03|2026-01-02|2026-01-03|0||*",
        f"{'0' * 32}|2026-01-01|2026-01-03|2026-01-02|0||*",
        f"{'0' * 32}|2026-01-01|2026-01-02|2026-01-02|0|-:Z|*",
        f"{'0' * 32}|2026-01-01|2026-01-02|2026-01-02|0||",
        f"{'0' * 32}|2026-01-01|2026-01-02|2026-01-02|٣||*",
    ],
)
def test_what_is_no_bookmark_begins_anew(cursor: str) -> None:
    assert bookmark(cursor) is None
    assert place_of(stopped_at(cursor), WANTED, 3, NOW) == first()


@given(
    mark=st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=50),
    page=st.integers(0, MARKED_PAGES - 2),
    expires=st.none() | st.integers(0, 10**6).map(lambda s: NOW + timedelta(seconds=s)),
)
def test_a_bookmark_is_read_as_it_was_written(
    mark: str, page: int, expires: datetime | None
) -> None:
    place = replace(first(), page=page).turned(mark, expires)
    assert bookmark(str(place)) == place
