"""What OpenAlex and Crossref know of papers: citations, the journal's DOI, open PDFs, retractions.

Both are asked for a handful of DOIs at once (the filter `doi` of each); those they do not know are
missing in the answer. A DOI that holds a sign of the filter's own language is not asked for.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from urllib.parse import urlencode

from paperround.domain.feeds import FetchRequest, Page
from paperround.domain.limits import Rate
from paperround.domain.papers import Paper, ParsedBatch
from paperround.sources import crossref_live, crossref_record, openalex_live, openalex_record
from paperround.sources.answers import news_of
from paperround.sources.polling import read

_DAY = timedelta(days=1)
_SIGNS = frozenset(",|+!<>\"' \t")
_LONGEST = 200


class OpenAlexNews:
    """The enricher `openalex`. It knows papers of arXiv by the DOI that arXiv gives them."""

    name: str = "openalex"
    limiter: str = "openalex"
    kinds: tuple[str, ...] = ("doi", "arxiv", "biorxiv")
    size: int = 50
    budget: tuple[Rate, ...] = (Rate(40, _DAY),)  # the rest of the 100 is left to feeds

    def knows(self, paper: Paper) -> bool:
        """Papers with a DOI that can be asked for."""
        return _doi(paper, self.kinds) is not None

    def request(self, papers: Sequence[Paper]) -> FetchRequest:
        """Up to fifty papers."""
        dois = "|".join(filter(None, (_doi(paper, self.kinds) for paper in papers)))
        query = {
            "filter": f"doi:{dois}",
            "per-page": self.size,
            "select": openalex_record.FIELDS.replace(",abstract_inverted_index", ""),
        }
        return FetchRequest(
            url=f"{openalex_live.BASE}?{urlencode(query, safe=':,|/')}",
            limiter=self.limiter,
            interval_seconds=1.0,
            budget=openalex_live.KEYLESS,
        )

    def parse(self, page: Page, papers: Sequence[Paper]) -> ParsedBatch:
        """What the answer says of the papers; raises FetchFailed for what is no list of works."""
        batch = read(page, openalex_record.read_answer).batch
        return news_of(batch, papers=papers, kinds=self.kinds)


class CrossrefNews:
    """The enricher `crossref`. It knows no papers of arXiv: their DOIs are registered elsewhere."""

    name: str = "crossref"
    limiter: str = "crossref"
    kinds: tuple[str, ...] = ("doi", "biorxiv")
    size: int = 40
    budget: tuple[Rate, ...] = (Rate(1000, _DAY),)

    def knows(self, paper: Paper) -> bool:
        """Papers with a DOI that can be asked for."""
        return _doi(paper, self.kinds) is not None

    def request(self, papers: Sequence[Paper]) -> FetchRequest:
        """Up to forty papers."""
        dois = ",".join(f"doi:{doi}" for paper in papers if (doi := _doi(paper, self.kinds)))
        query = {"filter": dois, "rows": self.size, "select": crossref_record.FIELDS}
        return FetchRequest(
            url=f"{crossref_live.BASE}?{urlencode(query, safe=':,/')}",
            limiter=self.limiter,
            interval_seconds=1.0,
        )

    def parse(self, page: Page, papers: Sequence[Paper]) -> ParsedBatch:
        """What the answer says of the papers; raises FetchFailed for what is no list of works."""
        batch = read(page, crossref_record.read_answer).batch
        return news_of(batch, papers=papers, kinds=self.kinds)


def _doi(paper: Paper, kinds: Sequence[str]) -> str | None:
    """The DOI by which a catalogue is asked for the paper, None when it has none."""
    known = (_spelled(paper.identifiers, kind) for kind in kinds if kind in paper.identifiers)
    return next((doi for doi in known if len(doi) <= _LONGEST and not _SIGNS & set(doi)), None)


def _spelled(identifiers: Mapping[str, str], kind: str) -> str:
    return f"10.48550/arxiv.{identifiers[kind]}" if kind == "arxiv" else identifiers[kind]
