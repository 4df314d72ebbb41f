"""Enriching papers: what other services know of a paper that is here already.

    papers whose turn it is ─► one request ─► counts, links, identifiers ─► the papers, brought up
                                                                            to date

An enricher never makes a paper, never changes a text, and no digest waits for one.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Protocol

from paperround.core.rates import Rate
from paperround.http.model import FetchRequest, Page
from paperround.papers.model import Paper, ParsedBatch

ASKED_AT = tuple(timedelta(days=age) for age in (0, 1, 2, 4, 8, 16, 30))
"""The ages of a paper at which a service is asked for it: often while its counts move."""

WATCHED = ASKED_AT[-1] + timedelta(days=1)
"""The age beyond which nobody is asked for a paper."""

LEASE = timedelta(minutes=15)
"""How long papers that are being asked for are no other process's."""


DAILY_PAPERS = "hf-daily"
"""The kind of the feeds of the site that the enricher of the same name asks."""

KIND = "enricher"
"""The kind of the feeds under which the runs of enrichers are kept."""


HUGGINGFACE = "huggingface"
"""The enricher whose counts are those of its own site."""


def feed_name(enricher: str) -> str:
    """The name of the feed under which its runs are kept, and how it is doing."""
    return f"{enricher}-enricher"


def scale_of(kind: str, name: str) -> str:
    """Whose counts a feed of this kind and name tells: the site and what asks it are one."""
    own = kind == DAILY_PAPERS or name == feed_name(HUGGINGFACE)
    return HUGGINGFACE if own else name


def next_ask(counts_from: datetime, now: datetime) -> datetime | None:
    """When a service is asked again for a paper it was asked for at `now`, whatever it said; None:
    never again."""
    return next((at for age in ASKED_AT if (at := counts_from + age) > now), None)


class Enricher(Protocol):
    """Knows one service that can be asked for papers by their identifiers."""

    @property
    def name(self) -> str: ...

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of identifiers it can ask by; empty: it looks at something else of a paper."""

    @property
    def limiter(self) -> str:
        """The service whose turns its requests take."""

    @property
    def size(self) -> int:
        """The most papers of one request."""

    @property
    def budget(self) -> tuple[Rate, ...]:
        """How often it asks at most: its share of what the service lets somebody without a key
        ask. Feeds of the same service are not counted here, but in `FetchRequest.budget`."""

    def knows(self, paper: Paper) -> bool:
        """Whether the service can be asked for this paper."""

    def request(self, papers: Sequence[Paper]) -> FetchRequest:
        """What to ask for papers it knows, at most `size` of them."""

    def parse(self, page: Page, papers: Sequence[Paper]) -> ParsedBatch:
        """What the answer says of these papers: counts, and records that announce nothing and have
        no texts. A paper that the service does not know is left out. Pure.

        Raises FetchFailed or InvalidInput when the answer is none of this service."""
