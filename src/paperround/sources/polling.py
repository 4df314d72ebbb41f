"""What live sources share: checked settings, conditional requests, answers that are no papers,
and where a poll stopped that is led from page to page by the service's own marks."""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Protocol, TypeVar
from urllib.parse import urlsplit

from paperround.domain.errors import FetchFailed, InvalidInput
from paperround.domain.feeds import FeedState, FetchRequest, Page, Progress
from paperround.domain.times import format_instant, parse_date, parse_instant, require_utc
from paperround.sources.entries import fingerprint

T = TypeVar("T")

MOST_DAYS = 30
DEFAULT_DAYS = 3
LONGEST_QUERY = 500
"""Characters of a search."""

FIRST_MARK = "*"
"""What stands for the first page where a service leads on by marks (`cursor=*`)."""

MARKED_PAGES = 50
"""Pages of one poll that is led by marks: it must end in one go, because marks grow old."""

_OK = 200
_MARK = re.compile(r"[!-~]{1,4000}")
_BOOKMARK = re.compile(
    r"([0-9a-f]{32})\|(\d{4}-\d\d-\d\d)\|(\d{4}-\d\d-\d\d)\|(\d{1,2})\|([0-9TZ:-]*)\|([!-~]{1,4000})",
    re.ASCII,
)
_CONDITIONS = {"etag": "If-None-Match", "last-modified": "If-Modified-Since"}


class Client(Protocol):
    """Fetches one page; raises FetchFailed when it cannot."""

    def get(self, request: FetchRequest) -> Page: ...


def check_names(settings: Mapping[str, str], known: Mapping[str, str], kind: str) -> None:
    """Refuse a setting that the source does not know, naming those it does."""
    for name in settings:
        if name not in known:
            raise InvalidInput(
                f"{kind} has no setting {name!r:.60}: it knows {', '.join(known)}",
                code=f"settings.{name:.60}",
            )


def check_url(url: str | None) -> None:
    """Refuse what cannot stand for the source's own address."""
    if url is None:
        return
    try:
        parts = urlsplit(url)
        is_plain = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_plain = False
    if not is_plain or set("?#@ ").intersection(url) or not url.isprintable():
        raise InvalidInput(
            f"{url!r:.200} cannot be used: give an http(s) address without a query or a password, "
            "or none for the source's own",
            code="url",
        )


def days_of(settings: Mapping[str, str]) -> int:
    """How many days back a poll looks."""
    text = settings.get("days", str(DEFAULT_DAYS)).strip()
    if not (text.isascii() and text.isdecimal() and len(text) < 4 and int(text) <= MOST_DAYS):
        raise InvalidInput(
            f"days must be a whole number from 0 to {MOST_DAYS}, not {text!r:.60}",
            code="settings.days",
        )
    return int(text)


def oldest_day(state: FeedState, now: datetime, *, days: int) -> date:
    """The first day a poll asks for: `days` before today, or the day before the last good poll
    when that was longer ago."""
    since = require_utc(now).date() - timedelta(days=days)
    if state.good_at is None:
        return since
    return min(since, require_utc(state.good_at).date() - timedelta(days=1))


def query_of(settings: Mapping[str, str], kind: str) -> str:
    """What a search asks for."""
    query = settings.get("query", "").strip()
    if not (query and len(query) <= LONGEST_QUERY and query.isprintable()):
        raise InvalidInput(
            f"{kind} needs a query of 1 to {LONGEST_QUERY} characters on one line",
            code="settings.query",
        )
    return query


def conditions(progress: Progress, url: str) -> dict[str, str]:
    """The headers that ask for `url` only if it changed since it was last read."""
    known = progress.validators.get(url, {})
    return {header: known[key] for key, header in _CONDITIONS.items() if known.get(key)}


def read(page: Page, reader: Callable[[bytes], T]) -> T:
    """What `reader` makes of the answer; raises FetchFailed when it holds no papers."""
    answered = f"{urlsplit(page.url).hostname} answered {page.status}"
    if page.status != _OK:
        raise FetchFailed(answered, status=page.status)
    try:
        return reader(page.body)
    except InvalidInput as error:
        raise FetchFailed(f"{answered}: {error}", status=page.status) from None


@dataclass(frozen=True, slots=True, kw_only=True)
class Bookmark:
    """A page of a poll for the days `since` to `until`.

    Written `asked|since|until|page|expires|mark`. `asked` stands for the settings the poll was
    begun with. `mark` is the service's name of the page, which it takes until `expires`, if it
    says so.
    """

    asked: str
    since: date
    until: date
    page: int = 0
    expires: datetime | None = None
    mark: str = FIRST_MARK

    def __str__(self) -> str:
        expires = format_instant(self.expires) if self.expires else ""
        return f"{self.asked}|{self.since}|{self.until}|{self.page}|{expires}|{self.mark}"

    @property
    def beginning(self) -> "Bookmark":
        """The first page for the same days."""
        return replace(self, page=0, expires=None, mark=FIRST_MARK)

    def turned(self, mark: str, expires: datetime | None = None) -> "Bookmark":
        """The page that `mark` names; raises FetchFailed when it names none, or one too many."""
        if not _MARK.fullmatch(mark):
            raise FetchFailed("the service names its next page in no way it can be asked for")
        if self.page + 1 >= MARKED_PAGES:
            raise FetchFailed(
                f"{self.since} to {self.until} fill more than {MARKED_PAGES} pages: narrow the "
                "settings of this feed, or make two of it"
            )
        return replace(self, page=self.page + 1, mark=mark, expires=expires)


def bookmark(cursor: str) -> Bookmark | None:
    """What a cursor says; None when it is no bookmark."""
    match = _BOOKMARK.fullmatch(cursor)
    if match is None:
        return None
    try:
        return Bookmark(
            asked=match[1],
            since=parse_date(match[2]),
            until=parse_date(match[3]),
            page=int(match[4]),
            expires=parse_instant(match[5]) if match[5] else None,
            mark=match[6],
        )
    except InvalidInput:
        return None


def place_of(state: FeedState, wanted: Iterable[str], days: int, now: datetime) -> Bookmark:
    """Where the poll stopped, else the first page for the last `days` days.

    All days since the last good poll are asked for, at most a month of them. A poll that was begun
    with other settings than `wanted` begins anew; where its mark has expired, on the same days.
    """
    today = require_utc(now).date()
    since = today - timedelta(days=days)
    if state.good_at is not None:
        missed = require_utc(state.good_at).date() - timedelta(days=1)
        since = max(min(since, missed), today - timedelta(days=MOST_DAYS))
    first = Bookmark(asked=fingerprint(json.dumps(list(wanted)).encode()), since=since, until=today)
    stopped = bookmark(state.progress.cursor or "")
    if stopped is None or stopped.asked != first.asked:
        return first
    is_old = stopped.expires is not None and stopped.expires <= require_utc(now)
    return stopped.beginning if is_old else stopped
