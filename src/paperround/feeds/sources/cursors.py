"""Where a poll stands that is led from page to page by the service's own marks (`cursor=*`).

    all days ─► too many works? the older half of them ─► page by page ─► as many days more ─► last

A part of a poll has `MARKED_PAGES` pages at most, so that it ends in one go: marks grow old. Where
one day fills more, what lies behind them is told as a reject and not read.
"""

import re
from dataclasses import dataclass, replace
from datetime import datetime

from paperround.core.errors import FetchFailed
from paperround.feeds.formats.entries import BadEntry, reject
from paperround.feeds.sources.base import Span, is_cut_off
from paperround.feeds.sources.json_fields import CatalogueResponse
from paperround.papers.model import ParsedBatch

FIRST_MARK = "*"
"""What stands for the first page."""

MARKED_PAGES = 50
"""Pages of one part of a poll."""

PAGE = 100
"""Works a page."""

TOO_MANY = "too-many-found"
"""The reason of the reject that tells of works which are not read."""

_MARK = re.compile(r"[!-~]{1,4000}")


@dataclass(frozen=True, slots=True, kw_only=True)
class PageCursor:
    """A page of the works of some days. `mark` is the service's name of the page, which it takes
    until `expires`, if it says so."""

    span: Span
    page: int = 0
    expires: datetime | None = None
    mark: str = FIRST_MARK

    def first_of(self, span: Span) -> "PageCursor":
        """The first page for other days."""
        return PageCursor(span=span)

    def turned(self, mark: str, expires: datetime | None = None) -> "PageCursor":
        """The page that `mark` names; raises FetchFailed when it can name none."""
        if not _MARK.fullmatch(mark):
            raise FetchFailed("the service names its next page in no way it can be asked for")
        return replace(self, page=self.page + 1, mark=mark, expires=expires)


def led_on(
    place: PageCursor, answer: CatalogueResponse, name: str, expires: datetime | None
) -> tuple[ParsedBatch, PageCursor | None]:
    """The papers of a page, and the place behind it; `expires` is the end of its mark.

    Raises FetchFailed when the service `name` has no works before those it announced are over.
    """
    most = MARKED_PAGES * PAGE
    fewer = place.span.narrowed(max(answer.total or 0, 2 * most), most)
    seen = place.page * PAGE + answer.rows
    if not answer.rows and is_cut_off(seen, answer.total):
        after = f" after {seen:,}" if seen else ""
        raise FetchFailed(
            f"{name} answered no works{after} though it announced {answer.total:,}: ask again later"
        )
    if place.page == 0 and (answer.total or 0) > most and fewer:
        return answer.batch, place.first_of(fewer)
    following = place.span.following
    behind = place.first_of(following) if following else None
    # The last page we read of a part may be its end too, though it names another.
    is_full = place.page + 1 >= MARKED_PAGES
    is_end = is_full and answer.total is not None and seen >= answer.total
    if not answer.rows or not answer.mark or is_end:
        return answer.batch, behind
    if not is_full:
        return answer.batch, place.turned(answer.mark, expires)
    if fewer:
        return answer.batch, place.first_of(fewer)
    problem = BadEntry(
        TOO_MANY,
        f"{place.span.since} has more than {most:,} works, of which {most:,} are read: "
        "narrow the settings of this feed, or make two of it",
    )
    rejects = (*answer.batch.rejects, reject(problem, 0, problem.detail))
    return replace(answer.batch, rejects=rejects), behind
