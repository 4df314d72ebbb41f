"""How often a feed wants to be read, as it says itself.

`Cache-Control: max-age` of the answer (RFC 9111), `ttl` of RSS 2.0 in minutes, and how often it is
updated by the Syndication module (`sy:updatePeriod`, `sy:updateFrequency`). The longest of them
counts, up to a day. It never shortens a pause: feeds promise much.
"""

import re
from collections.abc import Iterator
from datetime import timedelta
from types import MappingProxyType

from paperround.domain.feeds import Page

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
    asked = [*_by_header(page), *_by_feed(page.body[:_HEAD])]
    longest = max(asked, default=timedelta())
    return min(longest, LONGEST) or None


def _by_header(page: Page) -> Iterator[timedelta]:
    control = page.headers.get("cache-control", "")[:1000]
    match = None if _NOT_KEPT.search(control) else _MAX_AGE.search(control)
    if match:
        yield timedelta(seconds=int(match[1]))


def _by_feed(head: bytes) -> Iterator[timedelta]:
    ttl, period, frequency = _TTL.search(head), _PERIOD.search(head), _FREQUENCY.search(head)
    if ttl:
        yield timedelta(minutes=int(ttl[1]))
    if period and period[1].lower() in _PERIODS:
        times = int(frequency[1]) if frequency else 1
        yield _PERIODS[period[1].lower()] / max(times, 1)
