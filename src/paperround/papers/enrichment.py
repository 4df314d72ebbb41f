"""Enrich papers with what other services know about them.

    due papers ─► one request ─► counts, links, identifiers ─► updated papers

An enricher never creates a paper and never changes a text, and no digest waits for one.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Protocol

from paperround.core.rates import Rate
from paperround.http.model import FetchRequest, Page
from paperround.papers.model import Paper, ParsedBatch

REQUEST_AGES = tuple(timedelta(days=age) for age in (0, 1, 2, 4, 8, 16, 30))
"""The ages of a paper at which it is enriched: often while its counts change."""

WATCHED = REQUEST_AGES[-1] + timedelta(days=1)
"""The age after which a paper is no longer enriched."""

LEASE = timedelta(minutes=15)
"""How long a process reserves the papers it requests."""

DAILY_PAPERS = "hf-daily"
"""The kind of feed that reads Hugging Face, the site the `huggingface` enricher queries."""

KIND = "enricher"
"""The kind of feed that stores the runs of enrichers."""


FIGURES = "figures"
"""The enricher that fetches figures, which a setting of its own turns on."""

HUGGINGFACE = "huggingface"
"""The enricher whose counts are those of its own site."""


def feed_name(enricher: str) -> str:
    """The name of the feed that stores an enricher's runs and health."""
    return f"{enricher}-enricher"


def scale_of(kind: str, name: str) -> str:
    """The site whose counts this feed reports: Daily Papers and its enricher share one scale."""
    own = kind == DAILY_PAPERS or name == feed_name(HUGGINGFACE)
    return HUGGINGFACE if own else name


def next_ask(counts_from: datetime, now: datetime) -> datetime | None:
    """When to enrich a paper again after a request at `now`; None for never."""
    return next((at for age in REQUEST_AGES if (at := counts_from + age) > now), None)


class Enricher(Protocol):
    """Queries one service for papers by their identifiers."""

    name: str
    kinds: tuple[str, ...]
    """The kinds of identifiers it can query by; empty if it uses other fields of a paper."""
    size: int
    """The most papers of one request."""
    budget: tuple[Rate, ...]
    """Its rate limits: a share of what the service allows without an API key. Feeds of the same
    service count against `FetchRequest.budget` instead."""

    @property
    def limiter(self) -> str:
        """The service whose rate limiter its requests use."""

    def knows(self, paper: Paper) -> bool:
        """Whether the service can be queried for this paper."""

    def request(self, papers: Sequence[Paper]) -> FetchRequest:
        """The request for at most `size` papers that it knows."""

    def parse(self, page: Page, papers: Sequence[Paper]) -> ParsedBatch:
        """Counts, figures, and records without texts that announce nothing. Leaves out papers the
        service does not know. Pure.

        Raises FetchFailed or InvalidInput if the response is not one of this service."""
