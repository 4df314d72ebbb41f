"""Requests, responses, and the interface of the HTTP client."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from paperround.core.rates import Rate


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchRequest:
    """One GET, or a POST of `content`. `cursor` is the source's own name for this page, which the
    response contains as well.

    `limiter` names the rate limit this request counts against (all hosts of one service share one),
    `interval_seconds` is its pause between two requests, `budget` its quotas, if the service has
    any. `headers` and `content` may hold secrets, so `repr` omits them.
    """

    url: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    content: bytes | None = field(default=None, repr=False)
    cursor: str = ""
    limiter: str = ""
    interval_seconds: float = 0.0
    budget: tuple[Rate, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One response: status, headers with lower-case names, the decoded body.

    `url` is the address after redirects.
    """

    request: FetchRequest
    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes
    fetched_at: datetime

    @property
    def not_modified(self) -> bool:
        """Whether the source has not changed since the validators we sent."""
        return self.status == 304


class HttpClient(Protocol):
    """Fetches one page, within limits."""

    def get(self, request: FetchRequest) -> Page:
        """Return the response. Raises FetchFailed or FetchRefused."""
        ...
