"""Where a poll stands that is led on by a service's own marks."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperround.domain.errors import FetchFailed
from paperround.domain.feeds import FeedState, Progress
from paperround.sources.polling import MARKED_PAGES, Bookmark, bookmark, place_of

NOW = datetime(2026, 1, 28, 12, tzinfo=UTC)
WANTED = ("type:article", "graphs")


def stopped_at(cursor: str | None = None, good_at: datetime | None = None) -> FeedState:
    return FeedState(url=None, settings={}, progress=Progress(cursor=cursor), good_at=good_at)


def first(state: FeedState | None = None) -> Bookmark:
    return place_of(state or stopped_at(), WANTED, 3, NOW)


def test_a_poll_begins_with_the_first_page_for_the_last_days() -> None:
    place = first()
    assert (place.since, place.until) == (date(2026, 1, 25), date(2026, 1, 28))
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


@pytest.mark.parametrize(
    ("silent", "since"),
    [(0, date(2026, 1, 25)), (10, date(2026, 1, 17)), (400, date(2025, 12, 29))],
)
def test_after_a_silence_the_missed_days_are_asked_for_up_to_a_month(
    silent: int, since: date
) -> None:
    assert first(stopped_at(good_at=NOW - timedelta(days=silent))).since == since


@pytest.mark.parametrize("mark", ["", "two words", "line\nfeed", "é", "x" * 4001, "\0"])
def test_a_mark_that_cannot_be_asked_for_is_an_error(mark: str) -> None:
    with pytest.raises(FetchFailed, match="names its next page in no way"):
        first().turned(mark)


def test_a_poll_that_does_not_end_says_so() -> None:
    with pytest.raises(FetchFailed, match="2026-01-25 to 2026-01-28 fill more than 50 pages"):
        replace(first(), page=MARKED_PAGES - 1).turned("mark")


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "0:0",
        f"{'0' * 32}|2026-02-30|2026-03-01|0||*",
        f"{'0' * 32}|2026-01-01|2026-01-02|0|-:Z|*",
        f"{'0' * 32}|2026-01-01|2026-01-02|0||",
        f"{'0' * 32}|2026-01-01|2026-01-02|٣||*",
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
