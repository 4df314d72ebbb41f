"""Poll any RSS 2.0, RSS 1.0, Atom 1.0 or JSON Feed at an address.

A poll is one request. Feeds have no schedule, so no batch is ever late and a quiet journal does not
look broken. A feed may state the pause it wants.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from urllib.parse import urlsplit

from paperround.core.errors import InvalidInput
from paperround.feeds.formats.feed_items import read_feed
from paperround.feeds.formats.feed_names import split_http
from paperround.feeds.model import FeedState, NewFeed, PublicAddress
from paperround.feeds.sources.base import Source, conditions, read
from paperround.http.model import FetchRequest, Page
from paperround.papers.model import ParsedBatch

_SHARED_LIMITERS = (
    ("arxiv.org", "arxiv", 3.0),
    ("huggingface.co", "huggingface", 1.0),
    ("eutils.ncbi.nlm.nih.gov", "ncbi", 1.0),
    ("api.semanticscholar.org", "semantic-scholar", 3.0),
)


@dataclass(frozen=True, slots=True)
class _WholeFeed:
    """The only page of a feed."""


class AnyFeed(Source[_WholeFeed]):
    """The source `feed`."""

    kind: str = "feed"
    needs_url: bool = True
    interval: timedelta = timedelta(hours=1)
    place = _WholeFeed

    def public(self, feed: NewFeed) -> PublicAddress:
        """The feed itself."""
        return PublicAddress(feed=feed.url)

    def check_url(self, url: str | None) -> None:
        """Raise InvalidInput for an address that is missing or not usable."""
        _check_address(url)

    def check_settings(self, settings: Mapping[str, str]) -> None:
        """Accept: there are no settings."""

    def first(self, state: FeedState, now: datetime) -> _WholeFeed:
        """Return the only page."""
        del state, now
        return _WholeFeed()

    def request(self, place: _WholeFeed, state: FeedState) -> FetchRequest:
        """Return a conditional request for the feed."""
        del place
        url = _check_address(state.url)
        # Share the rate limit of a service that has a source here; otherwise limit by host.
        host = urlsplit(url).hostname or ""
        shared = (
            (limiter, seconds)
            for domain, limiter, seconds in _SHARED_LIMITERS
            if host == domain or host.endswith(f".{domain}")
        )
        limiter, seconds = next(shared, (host, 1.0))
        return FetchRequest(
            url=url,
            headers=conditions(state.progress, url),
            limiter=limiter,
            interval_seconds=seconds,
        )

    def read_page(self, page: Page, place: _WholeFeed) -> tuple[ParsedBatch, None]:
        """Return the papers of the page; raises FetchFailed when it is no feed."""
        del place
        batch = ParsedBatch()
        if not page.not_modified:
            batch = read(page, partial(read_feed, address=page.url))
        return replace(batch, pause=pause_of(page)), None


def _check_address(url: str | None) -> str:
    """Return `url`, with a query if any. Raises InvalidInput if missing or with a password."""
    parts = split_http(url or "")
    is_plain = parts is not None and "@" not in parts.netloc
    if url is None or not is_plain or set("# ").intersection(url) or not url.isprintable():
        # The address is not repeated: a password in it would get into logs.
        raise InvalidInput(
            "a feed needs its http(s) address (url), without a password, a blank or a fragment (#)",
            code="url",
        )
    return url


# The pause a feed wants: `Cache-Control: max-age` of the response (RFC 9111), `ttl` of RSS 2.0 in
# minutes, and the update rate of the Syndication module (`sy:updatePeriod`, `sy:updateFrequency`).
# The longest counts, up to a day. It never shortens a pause, since feeds overstate their rate.

LONGEST = timedelta(days=1)

_HEAD = 100_000
_MAX_AGE = re.compile(r"(?:^|[\s,])max-age\s*=\s*\"?(\d{1,10})\"?(?=$|[\s,])", re.IGNORECASE)
_NO_CACHE = re.compile(r"(?:^|[\s,])(?:no-cache|no-store)(?=$|[\s,=])", re.IGNORECASE)
_TTL = re.compile(rb"<ttl>\s*(\d{1,9})\s*</ttl>")
_PERIOD = re.compile(rb"<(?:[\w.-]{1,60}:)?updatePeriod>\s*(\w{1,20})\s*</")
_FREQUENCY = re.compile(rb"<(?:[\w.-]{1,60}:)?updateFrequency>\s*(\d{1,6})\s*</")
_PERIODS: Mapping[bytes, timedelta] = {
    b"hourly": timedelta(hours=1),
    b"daily": timedelta(days=1),
    b"weekly": timedelta(days=7),
    b"monthly": timedelta(days=30),
    b"yearly": timedelta(days=365),
}


def pause_of(page: Page) -> timedelta | None:
    """Return the pause the feed wants before the next poll, at most a day; None for none."""
    pauses = [timedelta()]
    control = page.headers.get("cache-control", "")[:1000]
    if (match := _MAX_AGE.search(control)) and not _NO_CACHE.search(control):
        pauses.append(timedelta(seconds=int(match[1])))
    head = page.body[:_HEAD]
    ttl, period, frequency = _TTL.search(head), _PERIOD.search(head), _FREQUENCY.search(head)
    if ttl:
        pauses.append(timedelta(minutes=int(ttl[1])))
    if period and period[1].lower() in _PERIODS:
        times = int(frequency[1]) if frequency else 1
        pauses.append(_PERIODS[period[1].lower()] / max(times, 1))
    return min(max(pauses), LONGEST) or None
