"""Poll any RSS 2.0, RSS 1.0, Atom 1.0 or JSON Feed at an address.

A poll is one request. Feeds have no schedule, so no batch is ever late and a quiet journal does not
look broken.
"""

from dataclasses import dataclass
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
        if page.not_modified:
            return ParsedBatch(), None
        return read(page, partial(read_feed, address=page.url)), None


def _check_address(url: str | None) -> str:
    """Return `url`, with a query if any. Raises InvalidInput if missing or with a password."""
    parts = split_http(url or "")
    is_plain = parts is not None and "@" not in parts.netloc
    if url is None or not is_plain or set("# ").intersection(url) or not url.isprintable():
        # The address is not repeated: a password in it would get into logs.
        raise InvalidInput(
            "write the feed's address (url) with https:// or http:// in front, and without a "
            "password, a space or a fragment (#)",
            code="url",
        )
    return url
