"""The services that papers are enriched from, by name.

Each makes one request for some papers. The response becomes records without texts that announce
nothing: only links, identifiers, counts and references.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from urllib.parse import quote, urlencode

from paperround.core.errors import InvalidInput
from paperround.core.rates import Rate
from paperround.feeds.formats.entries import BadEntry, counts_of
from paperround.feeds.formats.hugging_face import read_hf_paper
from paperround.feeds.sources.base import read
from paperround.http.model import FetchRequest, Page
from paperround.papers.model import Count, LooseCount, Paper, ParsedBatch
from paperround.plugins import crossref, openalex
from paperround.plugins.catalogues import parse_enrichments
from paperround.plugins.semantic_scholar import ASKED, CITED, read_semantic_scholar

_DAY = timedelta(days=1)
_SIGNS = frozenset(",|+!<>\"' \t")
_LONGEST = 200
_REPOSITORY = re.compile(
    r"https?://(?:www\.)?github\.com/([A-Za-z0-9-]{1,39})/([A-Za-z0-9._-]{1,100}?)(?:\.git)?(?:[/?#].*)?",
    re.ASCII,
)
_SCHEMES = {"arxiv": "ARXIV", "doi": "DOI", "biorxiv": "DOI", "pmid": "PMID"}


class _Service:
    """A service that is queried for one paper at a time, under its own name."""

    name: str
    kinds: tuple[str, ...] = ()
    size: int = 1
    reader: Callable[[bytes], ParsedBatch]

    @property
    def limiter(self) -> str:
        """The rate limiter of its requests, which feeds of the service share."""
        return self.name

    def parse(self, page: Page, papers: Sequence[Paper]) -> ParsedBatch:
        """The data of the papers; raises FetchFailed if it is not a response of the service."""
        return parse_enrichments(read(page, self.reader), papers)

    def get(
        self, url: str, query: Mapping[str, object] | None = None, *, seconds: float = 1.0
    ) -> FetchRequest:
        """Return a request of the service; they are `seconds` apart."""
        asked = f"?{urlencode(query, safe=':,|/')}" if query else ""
        return FetchRequest(url=url + asked, limiter=self.limiter, interval_seconds=seconds)


class HuggingFace(_Service):
    """The enricher `huggingface`: votes, code, stars and the project page of a paper of arXiv. The
    API returns 404 for a paper that nobody indexed there, and has no count of comments."""

    name: str = "huggingface"
    kinds: tuple[str, ...] = ("arxiv",)
    reader = staticmethod(read_hf_paper)
    budget: tuple[Rate, ...] = (
        Rate(100, timedelta(minutes=5)),  # of the 500 that the service allows one address
        Rate(10_000, _DAY),
    )

    def knows(self, paper: Paper) -> bool:
        """Whether it is a paper of arXiv with an id of the new form."""
        return "/" not in paper.identifiers.get("arxiv", "/")

    def request(self, papers: Sequence[Paper]) -> FetchRequest:
        """The request for one paper."""
        return self.get(f"https://huggingface.co/api/papers/{papers[0].identifiers['arxiv']}")


class Github(_Service):
    """The enricher `github`: how many stars the code of a paper has.

    See https://docs.github.com/en/rest/repos/repos#get-a-repository. Without a key, an address may
    send 60 requests an hour. A repository that was renamed returns a redirect.
    """

    name: str = "github"
    budget: tuple[Rate, ...] = (Rate(50, timedelta(hours=1)),)

    def knows(self, paper: Paper) -> bool:
        """Whether the paper's code is on GitHub."""
        return _repository(paper) is not None

    def request(self, papers: Sequence[Paper]) -> FetchRequest:
        """The request for one repository."""
        request = self.get(f"https://api.github.com/repos/{_repository(papers[0])}")
        return replace(request, headers={"accept": "application/vnd.github+json"})

    def parse(self, page: Page, papers: Sequence[Paper]) -> ParsedBatch:
        """The stars of the repository, as a count of the paper."""
        kind, value = next(iter(papers[0].identifiers.items()))
        counts = read(page, _stars)
        return ParsedBatch(
            loose_counts=(LooseCount(kind=kind, value=value, counts=counts, position=1),)
        )


def _stars(body: bytes) -> tuple[Count, ...]:
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        answer = None
    if not isinstance(answer, dict) or "stargazers_count" not in answer:
        raise InvalidInput("the response is not a GitHub repository")
    try:
        return counts_of(answer, None, {"stargazers_count": "github_stars"})
    except BadEntry as problem:
        raise InvalidInput(problem.detail) from None


def _repository(paper: Paper) -> str | None:
    """`owner/name` of the paper's code, None when it is not on GitHub."""
    found = _REPOSITORY.fullmatch(paper.links.get("code", ""))
    return None if found is None or found[2] in {".", ".."} else f"{found[1]}/{found[2]}"


class _Catalogue(_Service):
    """A service that is queried for several DOIs at once (its filter `doi`). Papers it does not
    know are missing in the response, which has citations, the journal's DOI, open PDFs and
    retractions.
    """

    def knows(self, paper: Paper) -> bool:
        """Whether the paper has a DOI that can be queried."""
        return self.doi(paper) is not None

    def doi(self, paper: Paper) -> str | None:
        """The DOI to query the paper by. None without one, and for one with a character that has a
        meaning in the filter."""
        known = {**paper.identifiers}
        if "arxiv" in known:
            known["arxiv"] = f"10.48550/arxiv.{known['arxiv']}"
        dois = (known[kind] for kind in self.kinds if kind in known)
        return next((one for one in dois if len(one) <= _LONGEST and not _SIGNS & set(one)), None)


class OpenAlexNews(_Catalogue):
    """The enricher `openalex`. It finds papers of arXiv by the DOI that arXiv gives them, and
    returns cited works by their numbers."""

    name: str = "openalex"
    kinds: tuple[str, ...] = ("doi", "arxiv", "biorxiv")
    size: int = 50
    reader = staticmethod(lambda body: openalex.read_answer(body).batch)
    budget: tuple[Rate, ...] = (Rate(40, _DAY),)  # feeds use the rest of the 100

    def request(self, papers: Sequence[Paper]) -> FetchRequest:
        """The request for up to fifty papers."""
        query = {
            "filter": f"doi:{'|'.join(filter(None, map(self.doi, papers)))}",
            "per-page": self.size,
            "select": openalex.FIELDS.replace(",abstract_inverted_index", ""),
        }
        return replace(self.get(openalex.BASE, query), budget=openalex.KEYLESS)


class CrossrefNews(_Catalogue):
    """The enricher `crossref`. It knows no papers of arXiv: their DOIs are registered elsewhere."""

    name: str = "crossref"
    kinds: tuple[str, ...] = ("doi", "biorxiv")
    size: int = 40
    reader = staticmethod(lambda body: crossref.read_answer(body).batch)
    budget: tuple[Rate, ...] = (Rate(1000, _DAY),)

    def request(self, papers: Sequence[Paper]) -> FetchRequest:
        """The request for up to forty papers."""
        dois = ",".join(f"doi:{doi}" for doi in map(self.doi, papers) if doi)
        query = {"filter": dois, "rows": self.size, "select": crossref.FIELDS}
        return self.get(crossref.BASE, query)


class SemanticScholarNews(_Service):
    """The enricher `semantic-scholar`: citations, the journal's DOI, an open PDF, and references.

    It is queried for one paper at a time. All clients without a key share one budget, and most of
    their requests are refused, so it is used only if the settings name it.
    """

    name: str = "semantic-scholar"
    kinds: tuple[str, ...] = tuple(_SCHEMES)
    reader = staticmethod(read_semantic_scholar)
    budget: tuple[Rate, ...] = (Rate(500, _DAY),)

    def __init__(self, *, key: str | None = None) -> None:
        self._key = key

    def knows(self, paper: Paper) -> bool:
        """Whether the paper has an identifier that can be queried."""
        return not paper.identifiers.keys().isdisjoint(self.kinds)

    def request(self, papers: Sequence[Paper]) -> FetchRequest:
        """The request for one paper."""
        known = papers[0].identifiers
        kind = next(kind for kind in self.kinds if kind in known)
        paper = f"{_SCHEMES[kind]}:{quote(known[kind], safe='/')}"
        request = self.get(
            f"https://api.semanticscholar.org/graph/v1/paper/{paper}",
            {"fields": f"{ASKED.replace(',abstract', '')},{CITED}"},
            seconds=1.0 if self._key else 3.0,
        )
        return replace(request, headers={"x-api-key": self._key} if self._key else {})
