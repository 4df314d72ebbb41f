"""Any feed at an address: RSS 2.0, RSS 1.0, Atom 1.0 or JSON Feed, read by itself.

A poll is one request. A feed does not say when it goes on: no batch is ever late, so that a quiet
journal is not taken for a broken one. How long it wants to be left alone it may say.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from types import MappingProxyType
from urllib.parse import urlsplit

from paperround.core.errors import InvalidInput
from paperround.feeds.formats.feed_items import read_feed
from paperround.feeds.model import FeedState, NewFeed, PublicAddress, SettingChoice
from paperround.feeds.sources.base import conditions, read
from paperround.http.model import FetchRequest, HttpClient, Page
from paperround.papers.model import ParsedBatch

_SHARED = (
    ("arxiv.org", "arxiv", 3.0),
    ("huggingface.co", "huggingface", 1.0),
    ("eutils.ncbi.nlm.nih.gov", "ncbi", 1.0),
    ("api.semanticscholar.org", "semantic-scholar", 3.0),
)


class AnyFeed:
    """The source `feed`."""

    kind: str = "feed"
    settings: Mapping[str, str] = MappingProxyType({})
    choices: Mapping[str, SettingChoice] = MappingProxyType({})
    needs_url: bool = True
    interval: timedelta = timedelta(hours=1)

    def public(self, feed: NewFeed) -> PublicAddress:
        """The feed itself."""
        return PublicAddress(feed=feed.url)

    def check(self, url: str | None, settings: Mapping[str, str]) -> None:
        """Refuse, with the name of the field, what the source could not work with."""
        _check_address(url)
        for name in settings:
            raise InvalidInput(
                f"{self.kind} has no setting {name!r:.60}: its address is all it needs",
                code=f"settings.{name:.60}",
            )

    def plan(self, state: FeedState, now: datetime) -> FetchRequest:
        """The feed, if it changed since it was last read."""
        del now
        url = _check_address(state.url)
        # Whose turns a request takes: those of its host, or of the service that has a source here.
        host = urlsplit(url).hostname or ""
        shared = (
            (limiter, seconds)
            for domain, limiter, seconds in _SHARED
            if host == domain or host.endswith(f".{domain}")
        )
        limiter, seconds = next(shared, (host, 1.0))
        return FetchRequest(
            url=url,
            headers=conditions(state.progress, url),
            limiter=limiter,
            interval_seconds=seconds,
        )

    def fetch(self, client: HttpClient, request: FetchRequest) -> Page:
        """The answer to one request."""
        return client.get(request)

    def parse(self, page: Page) -> ParsedBatch:
        """The papers of the answer; raises FetchFailed for what is no feed."""
        batch = ParsedBatch()
        if not page.not_modified:
            batch = read(page, partial(read_feed, address=page.url))
        return replace(batch, pause=pause_of(page))

    def expects(self, after: datetime) -> datetime | None:
        """Nothing: no feed says when it goes on."""
        del after
        return None

    def holiday(self, now: datetime) -> bool:
        """Never."""
        del now
        return False


def _check_address(url: str | None) -> str:
    """`url`, which may have a query; raises InvalidInput for none, and for one with a password."""
    try:
        parts = urlsplit(url or "")
        is_good = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_good = False
    is_plain = is_good and "@" not in parts.netloc
    if url is None or not is_plain or set("# ").intersection(url) or not url.isprintable():
        # A password in it would be repeated in logs: the address is not.
        raise InvalidInput(
            "a feed needs its http(s) address (url), without a password, a blank or a fragment (#)",
            code="url",
        )
    return url


# How often a feed wants to be read, as it says itself.
#
# `Cache-Control: max-age` of the answer (RFC 9111), `ttl` of RSS 2.0 in minutes, and how often it
# is updated by the Syndication module (`sy:updatePeriod`, `sy:updateFrequency`). The longest of
# them counts, up to a day. It never shortens a pause: feeds promise much.

LONGEST = timedelta(days=1)

_HEAD = 100_000
_MAX_AGE = re.compile(r"(?:^|[\s,])max-age\s*=\s*\"?(\d{1,10})\"?(?=$|[\s,])", re.IGNORECASE)
_NOT_KEPT = re.compile(r"(?:^|[\s,])(?:no-cache|no-store)(?=$|[\s,=])", re.IGNORECASE)
_TTL = re.compile(rb"<ttl>\s*(\d{1,9})\s*</ttl>")
_PERIOD = re.compile(rb"<(?:[\w.-]{1,60}:)?updatePeriod>\s*(\w{1,20})\s*</")
_FREQUENCY = re.compile(rb"<(?:[\w.-]{1,60}:)?updateFrequency>\s*(\d{1,6})\s*</")
_PERIODS = MappingProxyType(
    {
        b"hourly": timedelta(hours=1),
        b"daily": timedelta(days=1),
        b"weekly": timedelta(days=7),
        b"monthly": timedelta(days=30),
        b"yearly": timedelta(days=365),
    }
)


def pause_of(page: Page) -> timedelta | None:
    """The pause before the next poll that the feed asks for, at most a day; None when it asks for
    none."""
    asked = [timedelta()]
    control = page.headers.get("cache-control", "")[:1000]
    if (match := _MAX_AGE.search(control)) and not _NOT_KEPT.search(control):
        asked.append(timedelta(seconds=int(match[1])))
    head = page.body[:_HEAD]
    ttl, period, frequency = _TTL.search(head), _PERIOD.search(head), _FREQUENCY.search(head)
    if ttl:
        asked.append(timedelta(minutes=int(ttl[1])))
    if period and period[1].lower() in _PERIODS:
        times = int(frequency[1]) if frequency else 1
        asked.append(_PERIODS[period[1].lower()] / max(times, 1))
    return min(max(asked), LONGEST) or None
