"""What enriching papers needs."""

from collections.abc import Sequence
from typing import Protocol

from paperround.domain.feeds import FetchRequest, Page
from paperround.domain.limits import Rate
from paperround.domain.papers import Paper, ParsedBatch


class Enricher(Protocol):
    """Knows one service that can be asked for papers by their identifiers."""

    @property
    def name(self) -> str: ...

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of identifiers it can ask by; empty: it looks at something else of a paper."""
        ...

    @property
    def limiter(self) -> str:
        """The service whose turns its requests take."""
        ...

    @property
    def size(self) -> int:
        """The most papers of one request."""
        ...

    @property
    def budget(self) -> tuple[Rate, ...]:
        """How often it asks at most: its share of what the service lets somebody without a key
        ask. Feeds of the same service are not counted here, but in `FetchRequest.budget`."""
        ...

    def knows(self, paper: Paper) -> bool:
        """Whether the service can be asked for this paper."""
        ...

    def request(self, papers: Sequence[Paper]) -> FetchRequest:
        """What to ask for papers it knows, at most `size` of them."""
        ...

    def parse(self, page: Page, papers: Sequence[Paper]) -> ParsedBatch:
        """What the answer says of these papers: counts, and records that announce nothing and have
        no texts. A paper that the service does not know is left out. Pure.

        Raises FetchFailed or InvalidInput when the answer is none of this service."""
        ...
