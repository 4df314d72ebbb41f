"""What an answer's status means."""

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from paperround.domain.errors import FetchFailed

LONGEST_WAIT = 24 * 3600.0
"""Seconds. A source may ask for a pause, but cannot switch itself off for good."""

_INSTANTS = 1e9
"""Seconds since 1970 that are no pause."""

_WORDS = {404: "has nothing there", 410: "is gone for good", 429: "was asked too often"}


def is_page(status: int) -> bool:
    """Whether an answer of this status is what was asked for, or says that nothing changed."""
    return 200 <= status < 300 or status == 304


def failure(status: int, headers: Mapping[str, str], now: datetime) -> FetchFailed:
    """The error that an answer of any other status is."""
    said = _WORDS.get(status, "did not answer with a page")
    wait = retry_after(headers.get("retry-after", ""), now)
    wait = _until_reset(headers, now) if wait is None else wait
    return FetchFailed(f"{said} (status {status})", status=status, retry_after=wait)


def _until_reset(headers: Mapping[str, str], now: datetime) -> float | None:
    """Seconds until a budget that is used up is whole again, None when it is not used up. GitHub
    says so with status 403 and an instant, others name the seconds."""
    reset = headers.get("x-ratelimit-reset", "")
    if headers.get("x-ratelimit-remaining") != "0" or not (reset.isascii() and reset.isdigit()):
        return None
    said = float(reset[:12])
    seconds = said - now.timestamp() if said > _INSTANTS else said
    return min(max(seconds, 0.0), LONGEST_WAIT)


def retry_after(value: str, now: datetime) -> float | None:
    """Seconds to wait by a Retry-After header (RFC 9110, 10.2.3), None when it says nothing."""
    if value.isascii() and value.isdigit():
        return min(float(value[:9]), LONGEST_WAIT)
    try:
        until = parsedate_to_datetime(value)
    except ValueError:
        return None
    until = until if until.tzinfo else until.replace(tzinfo=UTC)
    return min(max((until - now).total_seconds(), 0.0), LONGEST_WAIT)
