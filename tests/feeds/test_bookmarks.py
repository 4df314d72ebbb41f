"""Where a poll stands that is led on by a service's own marks."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from paperround.core.errors import FetchFailed
from paperround.papers.model import ParsedBatch
from paperround.plugins.catalogues import (
    MOST_PAGES,
    PAGE,
    CatalogueResponse,
    PageCursor,
    page_and_position,
)

NOW = datetime(2026, 1, 28, 12, tzinfo=UTC)


def first() -> PageCursor:
    return PageCursor(since=date(2026, 1, 25), until=NOW.date())


@pytest.mark.parametrize("mark", ["", "two words", "line\nfeed", "é", "x" * 4001, "\0"])
def test_a_mark_that_cannot_be_asked_for_is_an_error(mark: str) -> None:
    with pytest.raises(FetchFailed, match="gives no usable link"):
        first().turned(mark, None)


def page_of(
    rows: int = PAGE, total: int | None = None, mark: str | None = "mark"
) -> CatalogueResponse:
    return CatalogueResponse(batch=ParsedBatch(), rows=rows, total=total, mark=mark)


def after(place: PageCursor, answer: CatalogueResponse) -> tuple[PageCursor | None, list[str]]:
    """Where the poll goes on behind a page, and the reasons of its rejects."""
    batch, following = page_and_position(place, answer, "A service")
    return following, [one.reason for one in batch.rejects]


def test_a_page_is_followed_by_the_next_until_one_is_empty_or_has_no_mark() -> None:
    place, _ = after(first(), page_of(total=150))
    assert place == first().turned("mark", None)
    assert after(place, page_of(50, total=150, mark=None)) == (None, [])
    assert after(place, page_of(0, total=None)) == (None, [])


@pytest.mark.accept("F05", part="too many works")
@pytest.mark.parametrize(
    ("page", "total", "said"),
    [(0, 7, "returned no works though"), (1, 5000, "no works after 100 though"), (1, 103, "103")],
)
def test_an_empty_page_before_the_end_is_a_failure(page: int, total: int, said: str) -> None:
    with pytest.raises(FetchFailed, match=said) as caught:
        after(replace(first(), page=page), page_of(0, total=total))
    assert not caught.value.permanent


@pytest.mark.parametrize("total", [90, 100, 101])
def test_a_hundredth_may_have_gone_while_a_list_was_read(total: int) -> None:
    assert after(replace(first(), page=1), page_of(0, total=total)) == (None, [])


@pytest.mark.accept("F05", part="too many works")
def test_the_last_page_of_a_poll_may_be_its_end_and_is_never_thrown_away() -> None:
    last = replace(first(), page=MOST_PAGES - 1)
    assert after(last, page_of(total=10_000)) == (None, [])
    for total in (None, 10_001):
        assert after(last, page_of(total=total)) == (None, ["too-many-found"])
