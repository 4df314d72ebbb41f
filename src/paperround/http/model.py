"""What is asked of a server, and what it answered."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from paperround.core.rates import Rate


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchRequest:
    """One GET, or a POST of `content`. `cursor` is the source's own name of this page; the answer
    carries it back.

    `limiter` names the budget this request is taken from (all hosts of one service share one),
    `interval_seconds` the pause that budget wants between two requests, `budget` how many it has,
    where the service grants a number. `headers` may hold a key, so they are never part of what is
    printed, and neither is `content`.
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
    """One answer: status, headers with names in lower case, the decoded body.

    `url` is the address that answered, after redirects.
    """

    request: FetchRequest
    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes
    fetched_at: datetime

    @property
    def not_modified(self) -> bool:
        """The source says that nothing changed since the validators we sent."""
        return self.status == 304


class HttpClient(Protocol):
    """Requests one page, within limits."""

    def get(self, request: FetchRequest) -> Page:
        """The answer; raises FetchFailed or FetchRefused."""
        ...


class Resolver(Protocol):
    """Asks the DNS."""

    def texts(self, name: str) -> tuple[str, ...]:
        """The TXT records at `name`, the strings of each joined; none where there are none.

        Raises FetchFailed when nobody answers, as all of these do.
        """

    def addresses(self, name: str) -> tuple[str, ...]:
        """The addresses of a host, of both kinds."""

    def exchangers(self, name: str) -> tuple[str, ...]:
        """The hosts that take mail for a domain (MX), the preferred first; none where it names
        none."""

    def hosts(self, address: str) -> tuple[str, ...]:
        """The names that an address has (PTR)."""

    def answers_for(self, host: str) -> bool:
        """Whether the system is told about the name of a host, be it that there is no such host."""
