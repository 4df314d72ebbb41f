"""Judge a response by its status, if the service says nothing more specific."""

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from paperround.delivery.model import ErrorScope, ReplyClass
from paperround.editions.model import DeliveryState
from paperround.http.client import LONGEST_WAIT, retry_after
from paperround.http.model import Page

LATER = frozenset({408, 425, 429})
"""Statuses that ask for a later retry, as all 5xx do except those below."""

OUTCOME_UNKNOWN = frozenset({504, 520, 524})
"""Statuses of a gateway that passed the post on and got no response: it may have arrived."""

GONE = frozenset({404, 410})


def judged(page: Page, *, said: str | None = None, wait: timedelta | None = None) -> ReplyClass:
    """Return the verdict by the status alone. `said` is the service's own text, `wait` the pause
    that it asks for outside of Retry-After."""
    status = page.status
    words = f"{said or 'no more was said'} (status {status})"
    if 200 <= status < 300:
        return ReplyClass(state=DeliveryState.SENT, reason="")
    if status in OUTCOME_UNKNOWN:
        return ReplyClass(state=DeliveryState.UNKNOWN, reason=f"unanswered: {words}")
    if status in LATER or status >= 500:
        asked = wait or _asked(page)
        return ReplyClass(state=DeliveryState.DEFERRED, reason=f"busy: {words}", wait=asked)
    if status in GONE:
        return gone(words)
    if 300 <= status < 400:
        words = f"it redirects, and we do not follow redirects (status {status})"
    return ReplyClass(state=DeliveryState.FAILED, reason=f"refused: {words}")


def gone(words: str) -> ReplyClass:
    """Return the verdict on a hook that no longer exists."""
    blame = ErrorScope(subscriber=True)
    return ReplyClass(state=DeliveryState.FAILED, reason=f"gone: {words}", blame=blame)


def object_of(page: Page) -> dict[str, Any]:
    """Return the JSON object in a response, an empty one without it."""
    try:
        found = json.loads(page.body or b"{}")
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def pause_of(said: Mapping[str, Any]) -> timedelta | None:
    """Return the pause in the field `retry_after` of a response (seconds), a day at most."""
    seconds = said.get("retry_after")
    if isinstance(seconds, bool) or not isinstance(seconds, int | float):
        return None
    return timedelta(seconds=min(seconds, LONGEST_WAIT)) if seconds >= 0 else None


def _asked(page: Page) -> timedelta | None:
    seconds = retry_after(page.headers.get("retry-after", ""), page.fetched_at)
    return None if seconds is None else timedelta(seconds=seconds)
