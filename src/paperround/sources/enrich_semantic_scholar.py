"""What Semantic Scholar knows of a paper: citations, the journal's DOI, an open PDF.

It is asked for one paper at a time. Without a key all the world shares one budget, and most
requests are refused: so it is asked only where the settings name it.
"""

from collections.abc import Sequence
from datetime import timedelta
from urllib.parse import quote

from paperround.domain.feeds import FetchRequest, Page
from paperround.domain.limits import Rate
from paperround.domain.papers import Paper, ParsedBatch
from paperround.sources.answers import news_of
from paperround.sources.polling import read
from paperround.sources.semantic_scholar_live import ASKED
from paperround.sources.semantic_scholar_record import read_semantic_scholar

BASE = "https://api.semanticscholar.org/graph/v1/paper"

_SCHEMES = {"arxiv": "ARXIV", "doi": "DOI", "biorxiv": "DOI", "pmid": "PMID"}


class SemanticScholarNews:
    """The enricher `semantic-scholar`."""

    name: str = "semantic-scholar"
    limiter: str = "semantic-scholar"
    kinds: tuple[str, ...] = tuple(_SCHEMES)
    size: int = 1
    budget: tuple[Rate, ...] = (Rate(500, timedelta(days=1)),)

    def __init__(self, *, key: str | None = None) -> None:
        self._key = key

    def knows(self, paper: Paper) -> bool:
        """Papers with an identifier it can be asked by."""
        return not paper.identifiers.keys().isdisjoint(self.kinds)

    def request(self, papers: Sequence[Paper]) -> FetchRequest:
        """One paper."""
        known = papers[0].identifiers
        kind = next(kind for kind in self.kinds if kind in known)
        asked = ASKED.replace(",abstract", "")
        return FetchRequest(
            url=f"{BASE}/{_SCHEMES[kind]}:{quote(known[kind], safe='/')}?fields={asked}",
            headers={"x-api-key": self._key} if self._key else {},
            limiter=self.limiter,
            interval_seconds=1.0 if self._key else 3.0,
        )

    def parse(self, page: Page, papers: Sequence[Paper]) -> ParsedBatch:
        """What the answer says of the paper; raises FetchFailed for what is no paper."""
        return news_of(read(page, read_semantic_scholar), papers=papers, kinds=self.kinds)
