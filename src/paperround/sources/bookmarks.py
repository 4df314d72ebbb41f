"""Where a poll stands that is led from page to page by the service's own marks (`cursor=*`).

    all days ─► too many works? the older half of them ─► page by page ─► as many days more ─► last

A part of a poll has `MARKED_PAGES` pages at most, so that it ends in one go: marks grow old. Where
one day fills more, what lies behind them is told as a reject and not read.
"""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from paperround.domain.errors import FetchFailed, InvalidInput
from paperround.domain.feeds import FeedState
from paperround.domain.papers import ParsedBatch
from paperround.domain.times import format_instant, parse_instant, require_utc
from paperround.sources.catalogues import Answer
from paperround.sources.entries import BadEntry, fingerprint, reject
from paperround.sources.polling import Span, is_cut_off, parse_span, span_of

FIRST_MARK = "*"
"""What stands for the first page."""

MARKED_PAGES = 50
"""Pages of one part of a poll."""

PAGE = 100
"""Works a page."""

TOO_MANY = "too-many-found"
"""The reason of the reject that tells of works which are not read."""

_MARK = re.compile(r"[!-~]{1,4000}")
_BOOKMARK = re.compile(
    r"([0-9a-f]{32})\|([\d-]+\|[\d-]+\|[\d-]+)\|(\d{1,2})\|([0-9TZ:-]*)\|([!-~]{1,4000})", re.ASCII
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bookmark:
    """A page of the works of some days.

    Written `asked|since|until|last|page|expires|mark`. `asked` stands for the settings the poll was
    begun with. `mark` is the service's name of the page, which it takes until `expires`, if it
    says so.
    """

    asked: str
    span: Span
    page: int = 0
    expires: datetime | None = None
    mark: str = FIRST_MARK

    def __str__(self) -> str:
        expires = format_instant(self.expires) if self.expires else ""
        return f"{self.asked}|{self.span}|{self.page}|{expires}|{self.mark}"

    def first_of(self, span: Span) -> "Bookmark":
        """The first page for other days."""
        return Bookmark(asked=self.asked, span=span)

    def turned(self, mark: str, expires: datetime | None = None) -> "Bookmark":
        """The page that `mark` names; raises FetchFailed when it can name none."""
        if not _MARK.fullmatch(mark):
            raise FetchFailed("the service names its next page in no way it can be asked for")
        return replace(self, page=self.page + 1, mark=mark, expires=expires)


def bookmark(cursor: str) -> Bookmark | None:
    """What a cursor says; None when it is no bookmark."""
    match = _BOOKMARK.fullmatch(cursor)
    span = parse_span(match[2]) if match else None
    if match is None or span is None:
        return None
    try:
        return Bookmark(
            asked=match[1],
            span=span,
            page=int(match[3]),
            expires=parse_instant(match[4]) if match[4] else None,
            mark=match[5],
        )
    except InvalidInput:
        return None


def place_of(state: FeedState, wanted: Iterable[str], days: int, now: datetime) -> Bookmark:
    """Where the poll stopped, else the first page for the days of one that begins now.

    A poll that was begun with other settings than `wanted` begins anew; where its mark has expired,
    on the same days.
    """
    asked = fingerprint(json.dumps(list(wanted)).encode())
    stopped = bookmark(state.progress.cursor or "")
    if stopped is None or stopped.asked != asked:
        return Bookmark(asked=asked, span=span_of(state, now, days=days))
    is_old = stopped.expires is not None and stopped.expires <= require_utc(now)
    return stopped.first_of(stopped.span) if is_old else stopped


def led_on(place: Bookmark, answer: Answer, name: str, expires: datetime | None) -> ParsedBatch:
    """The papers of a page, and the place behind it; `expires` is the end of its mark.

    Raises FetchFailed when the service `name` has no works before those it announced are over.
    """
    most = MARKED_PAGES * PAGE
    fewer = place.span.narrowed(max(answer.total or 0, 2 * most), most)
    seen = place.page * PAGE + answer.rows
    is_over = not answer.rows or not answer.mark
    if not answer.rows and is_cut_off(seen, answer.total):
        after = f" after {seen:,}" if seen else ""
        raise FetchFailed(
            f"{name} answered no works{after} though it announced {answer.total:,}: ask again later"
        )
    if place.page == 0 and (answer.total or 0) > most and fewer:
        return _to(answer, place.first_of(fewer))
    if is_over or answer.mark is None or _is_last(place, seen, answer.total):
        return _to(answer, _behind(place))
    if place.page + 1 < MARKED_PAGES:
        return _to(answer, place.turned(answer.mark, expires))
    if fewer:
        return _to(answer, place.first_of(fewer))
    problem = BadEntry(
        TOO_MANY,
        f"{place.span.since} has more than {most:,} works, of which {most:,} are read: "
        "narrow the settings of this feed, or make two of it",
    )
    batch = _to(answer, _behind(place))
    return replace(batch, rejects=(*batch.rejects, reject(problem, 0, problem.detail)))


def _is_last(place: Bookmark, seen: int, total: int | None) -> bool:
    """Whether the last page we read of a part is its end too, though it names another."""
    return place.page + 1 >= MARKED_PAGES and total is not None and seen >= total


def _behind(place: Bookmark) -> Bookmark | None:
    following = place.span.following
    return place.first_of(following) if following else None


def _to(answer: Answer, following: Bookmark | None) -> ParsedBatch:
    return replace(answer.batch, next=str(following) if following else None)
