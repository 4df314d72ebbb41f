"""Page through results by the service's own cursor marks (`cursor=*`).

    all days ─► too many works? the older half ─► page by page ─► the next days ─► last

One part of a poll has at most `MARKED_PAGES` pages, so that it ends in one run: marks expire. When
a single day has more works, the rest is reported as a reject and not read.
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
"""The mark of the first page."""

MARKED_PAGES = 50
"""Pages of one part of a poll."""

PAGE = 100
"""Works per page."""

TOO_MANY = "too-many-found"
"""The reason of the reject for works that are not read."""

_MARK = re.compile(r"[!-~]{1,4000}")


@dataclass(frozen=True, slots=True, kw_only=True)
class PageCursor:
    """A page of the works of some days. `mark` is the service's name of it, until `expires`."""

    span: Span
    page: int = 0
    expires: datetime | None = None
    mark: str = FIRST_MARK

    def first_of(self, span: Span) -> "PageCursor":
        """Return the first page of other days."""
        return PageCursor(span=span)

    def turned(self, mark: str, expires: datetime | None = None) -> "PageCursor":
        """Return the page named by `mark`; raises FetchFailed when it is not valid."""
        if not _MARK.fullmatch(mark):
            raise FetchFailed("the service names its next page in no way it can be asked for")
        return replace(self, page=self.page + 1, mark=mark, expires=expires)


def page_and_position(
    place: PageCursor, answer: CatalogueResponse, name: str, expires: datetime | None
) -> tuple[ParsedBatch, PageCursor | None]:
    """Return the papers of a page and the next position; `expires` is the end of the next mark.

    Raises FetchFailed when the service `name` returns no works before the announced total.
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
    next_span = place.first_of(following) if following else None
    # The last allowed page may also be the end of the part, though it names another.
    is_full = place.page + 1 >= MARKED_PAGES
    is_end = is_full and answer.total is not None and seen >= answer.total
    if not answer.rows or not answer.mark or is_end:
        return answer.batch, next_span
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
    return replace(answer.batch, rejects=rejects), next_span
