"""Poll Semantic Scholar: the results of its bulk search for the last days, newest first.

A poll requests the last `days` days, and days that were missed. A page has up to a thousand papers
and ends with a token for the next. With a key, one request a second is allowed; all clients without
a key share a budget and are often refused.

Responses are those of the Academic Graph and Recommendations APIs. A paper has the keys requested
in `fields`, and always a `paperId`. Lists are bare (a batch, with null for an unknown id), under
`data` (searches, references) or under `recommendedPapers`; `total: 0` without any of these keys
means that nothing was found.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import datetime
from typing import ClassVar
from urllib.parse import urlencode

from paperround.core.errors import InvalidInput, Misconfigured
from paperround.core.times import midnight_utc
from paperround.feeds.formats.entries import (
    BadEntry,
    Entry,
    batch_of,
    counts_of,
    day_of,
    doi_of,
    links_of,
    text_of,
    texts_of,
    title_of,
    with_fingerprint,
)
from paperround.feeds.formats.registry import Format, is_one_object
from paperround.feeds.model import FeedState, Setting
from paperround.feeds.sources.base import any_of, days_setting, read
from paperround.http.model import FetchRequest, Page
from paperround.papers.identifiers import arxiv_id
from paperround.papers.model import ParsedBatch, Record, Show
from paperround.papers.references import CitedName, names_of_works, title_name
from paperround.plugins.catalogues import (
    CatalogueResponse,
    CatalogueSource,
    PageCursor,
    cited_works,
    excerpt_of,
    json_of,
    listed_when_published,
    object_of,
    objects_of,
    page_and_position,
    query_of,
    service_error,
)

COUNTS: Mapping[str, str] = {
    "citationCount": "citations",
    "influentialCitationCount": "influential_citations",
}

_LISTS = ("data", "recommendedPapers")
_INNER = ("citedPaper", "citingPaper")
_PMID = re.compile(r"[1-9]\d{0,9}", re.ASCII)
_PAPER_ID = re.compile(r"[0-9a-f]{40}", re.ASCII)
_MOST_CORPUS = 10**12
_LONGEST_TITLE = 1000
_OPEN = re.compile(r"CC(0|BY(?:NC)?(?:ND|SA)?)")


def read_semantic_scholar(content: bytes) -> ParsedBatch:
    """The papers of a response of any form; raises InvalidInput if it is not one."""
    return _batch(_rows(json_of(content)))


def read_bulk(content: bytes) -> CatalogueResponse:
    """A page of the bulk search; raises InvalidInput for an error, and for any other response."""
    said = json_of(content)
    rows, total = _rows(said), said.get("total") if isinstance(said, dict) else None
    if not isinstance(said, dict) or type(total) is not int or total < 0:
        raise InvalidInput(
            "the JSON is not a response of Semantic Scholar's search: it has no total"
        )
    token = said.get("token")
    mark = token if isinstance(token, str) else None
    return CatalogueResponse(batch=_batch(rows), rows=len(rows), total=total, mark=mark)


def _rows(said: object) -> list[object]:
    if isinstance(said, list):
        return said
    if not isinstance(said, dict):
        raise InvalidInput("the JSON is not a response of Semantic Scholar")
    problem = said.get("error") or said.get("message")
    if problem:
        raise InvalidInput(f"Semantic Scholar returned an error: {service_error(problem)!r}")
    for key in _LISTS:
        if isinstance(rows := said.get(key), list):
            return rows
    if "paperId" in said:
        return [said]
    if said.get("total") == 0 and said.keys().isdisjoint(_LISTS):
        return []
    raise InvalidInput("the JSON of Semantic Scholar has neither a paper nor a list of papers")


def _batch(rows: list[object]) -> ParsedBatch:
    return batch_of(rows, lambda row: [_record(_paper(row))], excerpt_of)


def _paper(row: object) -> Entry:
    """The paper that a row is or refers to."""
    if row is None:
        raise BadEntry("unknown-id", "Semantic Scholar does not know the paper asked for here")
    if isinstance(row, dict):
        inner = next((row[key] for key in _INNER if isinstance(row.get(key), dict)), row)
        if isinstance(inner, dict) and "paperId" in inner:
            return inner
    raise BadEntry("not-a-paper", "the row is not an object with a paperId")


def _record(paper: Entry) -> Record:
    authors = objects_of({"authors": paper.get("authors") or []}, "authors")
    pdf, venue = object_of(paper, "openAccessPdf"), text_of(paper, "venue")
    is_in_journal = venue and "arxiv" not in venue.casefold()  # its identifier already says that
    is_open, licence = _licence(pdf)
    record = Record(
        title=title_of(paper),
        abstract=text_of(paper, "abstract") or "",
        identifiers=_identifiers(paper),
        authors=tuple(name for one in authors if (name := text_of(one, "name"))),
        categories=texts_of(paper, "fieldsOfStudy"),
        links=links_of({"pdf": pdf.get("url")}),
        published_at=_published(paper),
        comment=f"Journal reference: {venue}" if is_in_journal else None,
        licence=licence,
        show=Show.FULL if is_open else Show.LINK,
        counts=counts_of(paper, None, COUNTS),
        references=names_of_works(map(_names, cited_works(paper, "references"))),
    )
    return with_fingerprint(record)


def _names(cited: object) -> Iterator[CitedName]:
    """The names of a work that a paper cites: its identifiers, and its title. None if it cannot be
    read, which must not lose the paper."""
    if not isinstance(cited, dict):
        return
    with suppress(BadEntry):
        yield from _external_ids(cited).items()
        title = (text_of(cited, "title") or "")[:_LONGEST_TITLE]
        yield from filter(None, [title_name(title)])


def _external_ids(paper: Entry) -> dict[str, str]:
    """The paper's identifiers at other sources."""
    stated = object_of(paper, "externalIds")
    arxiv = arxiv_id(text_of(stated, "ArXiv") or "")
    found = doi_of(text_of(stated, "DOI") or "")
    pmid = (text_of(stated, "PubMed") or "").strip()
    return {
        **dict([found] if found else []),
        **({"arxiv": arxiv[0]} if arxiv else {}),
        **({"pmid": pmid} if _PMID.fullmatch(pmid) else {}),
    }


def _identifiers(paper: Entry) -> dict[str, str]:
    """The paper's identifiers at other sources; its number at Semantic Scholar only without any."""
    stated, known = object_of(paper, "externalIds"), _external_ids(paper)
    if known:
        return known
    # The corpus id, which never changes, else the id of the page, which may.
    corpus = stated.get("CorpusId", paper.get("corpusId"))
    if type(corpus) is int and 0 < corpus < _MOST_CORPUS:
        return {"local": f"s2:{corpus}"}
    page = (text_of(paper, "paperId") or "").strip()
    if not _PAPER_ID.fullmatch(page):
        raise BadEntry("no-id", "the paper has no id")
    return {"local": f"s2:{page}"}


def _published(paper: Entry) -> datetime | None:
    """The day it was published; 1 January if only the year is known, so that title and year still
    match the paper of another source."""
    day = day_of(paper, "publicationDate")
    year = paper.get("year")
    if day is None and year is not None:
        if type(year) is not int:
            raise BadEntry("bad-date", f"year must be a whole number, not {year!r:.40}")
        day = day_of({"year": f"{year:04}-01-01"}, "year") if 0 <= year <= 9999 else None
    return midnight_utc(day) if day else None


def _licence(pdf: Entry) -> tuple[bool, str | None]:
    """(whether the abstract may be shown, the licence of the open copy as text).

    The API writes Creative Commons licences like CCBYNCND and names no version of them.
    """
    stated = (text_of(pdf, "license") or "").strip()
    match = _OPEN.fullmatch(stated.upper())
    if match is None:
        return False, stated or None
    terms = re.findall(r"0|BY|NC|ND|SA", match[1])
    return True, "CC0" if terms == ["0"] else f"CC {'-'.join(terms)}"


_PAPER = re.compile(rb'"paperId"\s*:\s*"[0-9a-f]{40}"')


def _is_ours(body: bytes) -> bool:
    return bool(_PAPER.search(body[:1000])) and (body[:1] != b"{" or is_one_object(body))


FORMAT = Format(
    read=lambda content: listed_when_published(read_semantic_scholar(content)), recognise=_is_ours
)
"""The format `semantic-scholar`: a saved response."""


# --- the source -----------------------------------------------------------------------------

BASE = "https://api.semanticscholar.org/graph/v1/paper/search/bulk"
DAYS = 7
ASKED = (
    "externalIds,title,abstract,authors,publicationDate,year,venue,openAccessPdf,citationCount,"
    "influentialCitationCount,fieldsOfStudy"
)
CITED = "references.externalIds,references.title"
"""The fields of the works that a single paper cites; the bulk search does not have them."""

FIELDS = (
    *("Agricultural and Food Sciences", "Art", "Biology", "Business", "Chemistry"),
    *("Computer Science", "Economics", "Education", "Engineering", "Environmental Science"),
    *("Geography", "Geology", "History", "Law", "Linguistics", "Materials Science"),
    *("Mathematics", "Medicine", "Philosophy", "Physics", "Political Science", "Psychology"),
    "Sociology",
)
"""Semantic Scholar's fields of study."""

PAGE = 1000
"""The most papers per page."""

_SPELLED = {name.casefold(): name for name in FIELDS}
"""The fields of study as the service spells them."""


class SemanticScholar(CatalogueSource):
    """The source `semantic-scholar`. Its key is sent only to the service's own address, so that an
    operator who changes the address of a feed does not learn it. Raises Misconfigured for an
    invalid key.
    """

    kind: str = "semantic-scholar"
    settings: ClassVar[Mapping[str, Setting]] = {
        "query": Setting(
            "Words that the title or abstract must have; | means or, - means not, quotes "
            "mark a phrase. Required.",
            needed=True,
            example='"graph neural network" | transformer',
        ),
        "fields": Setting(
            "Only papers of these fields of study, separated by commas "
            "(Computer Science,Biology); all of them if left out.",
            values=any_of(FIELDS),
            many=True,
        ),
        "days": days_setting(
            f"How many days back papers may be dated, 0 to 30 (default {DAYS}).", DAYS
        ),
    }

    def __init__(self, *, key: str | None = None) -> None:
        if key and not (key.isascii() and key.isprintable() and " " not in key):
            raise Misconfigured(
                "PAPERROUND_SEMANTIC_SCHOLAR_KEY must be the key alone, on one line"
            )
        self._key = key

    def request(self, place: PageCursor, state: FeedState) -> FetchRequest:
        """The request for a page of the search."""
        key = self._key if state.url is None else None
        fields = self.chosen(state.settings, "fields", lambda it: _SPELLED.get(it.casefold(), it))
        query = {
            "query": query_of(state.settings, self.kind),
            "fields": ASKED,
            "sort": "publicationDate:desc",
            "publicationDateOrYear": f"{place.since}:",
            **({"fieldsOfStudy": ",".join(fields)} if fields else {}),
            **({"token": place.mark} if place.mark else {}),
        }
        return FetchRequest(
            url=f"{state.url or BASE}?{urlencode(query, safe=':,')}",
            headers={"x-api-key": key} if key else {},
            limiter="semantic-scholar",
            interval_seconds=1.0 if key else 3.0,
        )

    def read_page(self, page: Page, place: PageCursor) -> tuple[ParsedBatch, PageCursor | None]:
        """The papers of a response; raises FetchFailed if it is not one of the search."""
        return page_and_position(place, read(page, read_bulk), "Semantic Scholar", size=PAGE)
