"""Requests, responses, and the interfaces of the HTTP client and the DNS resolver."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from paperround.core.rates import Rate


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchRequest:
    """One GET, or a POST of `content`. `cursor` is the source's own name of this page; the
    response carries it back.

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


class Resolver(Protocol):
    """Queries the DNS. Every method raises FetchFailed when no server responds."""

    def texts(self, name: str) -> tuple[str, ...]:
        """Return the TXT records of `name`, the strings of each joined."""

    def addresses(self, name: str) -> tuple[str, ...]:
        """Return the IPv4 and IPv6 addresses of a host."""

    def exchangers(self, name: str) -> tuple[str, ...]:
        """Return the mail servers of a domain (MX), the preferred one first."""

    def hosts(self, address: str) -> tuple[str, ...]:
        """Return the names of an address (PTR)."""

    def answers_for(self, host: str) -> bool:
        """Whether the system resolver responds for a host, even with "no such host"."""
