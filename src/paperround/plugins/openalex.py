"""Poll OpenAlex: the works of a field, or matching words, published in the last days.

Works are requested by publication date, because requests by the date they were added cost money.
They appear days after that date, so each poll reads earlier days again. Without a key the service
returns about 100 pages (of 100 works) a day, or 10 of a search. A key would be part of the address,
which is stored and shown, so keys are not supported.

A response is `{"meta": {"count", "next_cursor"}, "results": [work, ...]}`, or one work. OpenAlex
joins the copies of a work (preprint, article, PubMed), so the addresses of its copies name it too.
Abstracts come as an inverted index, `{"word": [positions]}`; abstracts and titles may contain JATS.
Field names and types of works are those of https://developers.openalex.org (API reference, Works).
"""

import re
from collections.abc import Iterator, Mapping
from datetime import timedelta
from itertools import chain
from typing import ClassVar
from urllib.parse import urlencode

from paperround.core.rates import Rate
from paperround.core.times import midnight_utc
from paperround.feeds.formats.entries import (
    BadEntry,
    Entry,
    counts_of,
    day_of,
    doi_of,
    links_of,
    storable,
    text_of,
    title_of,
    with_fingerprint,
)
from paperround.feeds.model import FeedState, Setting
from paperround.feeds.sources.base import days_setting, read
from paperround.http.model import FetchRequest, Page
from paperround.papers.identifiers import arxiv_id
from paperround.papers.model import ParsedBatch, Record, Show
from paperround.papers.references import OPENALEX, CitedName, names_of_works
from paperround.plugins.catalogues import (
    OTHER_KIND,
    PAGE,
    CatalogueResponse,
    CatalogueSource,
    PageCursor,
    cited_works,
    format_with,
    listed_when_published,
    object_of,
    objects_of,
    page_and_position,
    parse_filters,
    read_list,
    read_object,
    read_works,
)
from paperround.plugins.jats import text_of_jats

NAME = "OpenAlex"
FIELDS = (
    "id,doi,ids,title,display_name,publication_date,type,is_paratext,is_retracted,authorships,"
    "primary_location,best_oa_location,locations,topics,primary_topic,keywords,"
    "abstract_inverted_index,cited_by_count,referenced_works"
)
"""The fields of a work that are read (the parameter `select`)."""

_NO_PAPERS = frozenset(
    {
        "dataset",
        "erratum",
        "grant",
        "libguides",
        "paratext",
        "peer-review",
        "retraction",
        "software",
        "supplementary-materials",
    }
)
_MOST_CHARACTERS = 40_000
"""The longest abstract, before it is repaired and cut."""

_LONGEST_ID = 500
_WORK = re.compile(r"(?:https?://openalex\.org/)?(W\d{1,19})", re.IGNORECASE)
_PMID = re.compile(r"(?:https?://(?:www\.)?pubmed\.ncbi\.nlm\.nih\.gov/)?(\d{1,9})/?")
_OPEN = re.compile(r"cc0|cc-by(?:-(?:nc|nd|sa)){0,2}")


def read_openalex(content: bytes) -> ParsedBatch:
    """The papers of a file, a response with works or one work; else raises InvalidInput."""
    said = read_object(content, NAME)
    own = said.get("id")
    if "results" not in said and isinstance(own, str) and _WORK.fullmatch(own):
        return read_works([said], _records)
    return _read_list(said, said.get("meta", {})).batch


def read_answer(content: bytes) -> CatalogueResponse:
    """One page of a list of works; raises InvalidInput for an error and for any other JSON."""
    said = read_object(content, NAME)
    return _read_list(said, said.get("meta"))


def _read_list(said: Entry, meta: object) -> CatalogueResponse:
    works = None if "error" in said else said.get("results")
    return read_list(said, works, meta, _records, name=NAME, total="count", mark="next_cursor")


def _records(work: Entry) -> tuple[Record]:
    kind = text_of(work, "type") or ""
    if kind in _NO_PAPERS or work.get("is_paratext") is True:
        raise BadEntry(OTHER_KIND, f"a work of the type {kind or 'paratext'!r:.60} is not a paper")
    primary, copies = object_of(work, "primary_location"), objects_of(work, "locations")
    licence, is_open = text_of(primary, "license"), False
    if licence and _OPEN.fullmatch(licence):
        # As it is commonly written: `cc-by-nc` is `CC BY-NC`. The version is not stated.
        licence, is_open = licence.upper().replace("CC-", "CC "), True
    free, published = object_of(work, "best_oa_location"), day_of(work, "publication_date")
    authorships = objects_of(work, "authorships")
    authors = [
        text_of(object_of(one, "author"), "display_name") or text_of(one, "raw_author_name")
        for one in authorships
    ]
    places = objects_of(authorships[0], "institutions") if authorships else ()
    things = (*objects_of(work, "topics"), *objects_of(work, "keywords"))
    title = text_of(work, "title") or text_of(work, "display_name") or ""
    record = Record(
        title=title_of({"title": text_of_jats(title)}),
        abstract=_abstract(work),
        identifiers=_identifiers(work, (primary, *copies)),
        authors=tuple(filter(None, authors)),
        categories=tuple(_named(object_of(object_of(work, "primary_topic"), "field"))),
        keywords=tuple(dict.fromkeys(chain.from_iterable(map(_named, things)))),
        links=links_of(
            {
                "abstract": primary.get("landing_page_url"),
                "pdf": free.get("pdf_url") or primary.get("pdf_url"),
            }
        ),
        published_at=midnight_utc(published) if published else None,
        withdrawn=work.get("is_retracted") is True,
        comment=text_of(object_of(primary, "source"), "display_name"),
        licence=licence,
        # Where the first author works.
        organization=text_of(places[0], "display_name") if places else None,
        show=Show.FULL if is_open else Show.LINK,
        counts=counts_of(work, None, {"cited_by_count": "citations"}),
        references=names_of_works(map(_number, cited_works(work, "referenced_works"))),
        known_as=tuple(_number(work.get("id"))),
    )
    return (with_fingerprint(record),)


def _number(work: object) -> Iterator[CitedName]:
    """The name of a work by its number, if it has one."""
    match = _WORK.fullmatch(work[:_LONGEST_ID]) if isinstance(work, str) else None
    if match:
        yield OPENALEX, match[1].upper()


def _abstract(work: Entry) -> str:
    """The words in the order of their positions, however far apart those are."""
    index = work.get("abstract_inverted_index")
    if index is None:
        return ""
    if not isinstance(index, dict) or not all(isinstance(at, list) for at in index.values()):
        raise BadEntry("wrong-type", "abstract_inverted_index must map words to positions")
    words = [(at, word) for word, places in index.items() for at in places if type(at) is int]
    text = " ".join(word for _, word in sorted(words))
    return text_of_jats(storable(text[:_MOST_CHARACTERS]))


def _identifiers(work: Entry, copies: tuple[Entry, ...]) -> dict[str, str]:
    """Its DOI, its PMID and the preprint among its copies; without any, OpenAlex's own id."""
    pmid = _PMID.fullmatch((text_of(object_of(work, "ids"), "pmid") or "")[:_LONGEST_ID])
    found = dict(filter(None, [doi_of(text_of(work, "doi") or "")]))
    if pmid and (number := pmid[1].lstrip("0")):
        found["pmid"] = number
    addresses = {_preprint(copy, key) for copy in copies for key in ("landing_page_url", "pdf_url")}
    for kind in ("arxiv", "biorxiv"):
        values = {one[1] for one in addresses if one and one[0] == kind}
        if len(values) == 1:
            found.setdefault(kind, values.pop())
    if found:
        return found
    number = next(_number(work.get("id")), None)
    if number is None:
        raise BadEntry("no-id", "the work has neither a DOI nor an id of OpenAlex")
    return {"local": ":".join(number)}


def _preprint(copy: Entry, key: str) -> tuple[str, str] | None:
    """(kind, value) of the preprint an address leads to."""
    address = (text_of(copy, key) or "")[: _LONGEST_ID + 1]
    arxiv = arxiv_id(address)
    return ("arxiv", arxiv[0]) if arxiv else doi_of(address)


def _named(thing: Entry) -> Iterator[str]:
    """Its name, if it has one; a keyword was its own name until 2024."""
    yield from filter(None, [text_of(thing, "display_name") or text_of(thing, "keyword")])


FORMAT = format_with(
    r'"id"\s*:\s*"https://openalex\.org/W\d+"',
    lambda content: listed_when_published(read_openalex(content)),
)
"""The format `openalex`: a saved response."""


# --- the source -----------------------------------------------------------------------------

BASE = "https://api.openalex.org/works"

KEYLESS = (Rate(100, timedelta(days=1)),)
"""The service's limit for an IP address without a key, shared by feeds and enrichers."""

DAYS = 7

_TYPES = "type:article|preprint|review"
EXAMPLE = "primary_topic.field.id:17,type:preprint"
_OWN = "is set by the feed itself: use days"
_PAID = "is paid for with a key: the feed asks by publication date"
_SECRET = "would show a secret: feeds are exported and shown"  # noqa: S105 - no password
_REFUSED = {
    "from_publication_date": _OWN,
    "to_publication_date": _OWN,
    "from_created_date": _PAID,
    "to_created_date": _PAID,
    "from_updated_date": _PAID,
    "to_updated_date": _PAID,
    "api_key": _SECRET,
}


class OpenAlex(CatalogueSource):
    """The source `openalex`."""

    kind: str = "openalex"
    settings: ClassVar[Mapping[str, Setting]] = {
        "filter": Setting(
            f"Filters of OpenAlex, separated by commas ({EXAMPLE}). "
            "This or search is required; without a type, articles, preprints and reviews.",
            example=EXAMPLE,
        ),
        "search": Setting(
            "Words to search for in title, abstract and text.", example="graph neural network"
        ),
        "days": days_setting(default=DAYS),
    }
    interval: timedelta = timedelta(hours=12)

    def request(self, place: PageCursor, state: FeedState) -> FetchRequest:
        """The request for a page of works."""
        filters, words = _wanted(state.settings)
        days = f"from_publication_date:{place.since},to_publication_date:{place.until}"
        query = {
            "filter": f"{filters},{days}",
            **({"search": words} if words else {}),
            "per-page": str(PAGE),
            "cursor": place.mark or "*",
            "select": FIELDS,
        }
        return FetchRequest(
            url=f"{state.url or BASE}?{urlencode(query, safe=':,|*')}",
            limiter="openalex",
            interval_seconds=1.0,
            budget=KEYLESS,
        )

    def read_page(self, page: Page, place: PageCursor) -> tuple[ParsedBatch, PageCursor | None]:
        """The papers of a response; raises FetchFailed if it is not a list of works."""
        return page_and_position(place, read(page, read_answer), NAME)


def _wanted(settings: Mapping[str, str]) -> tuple[str, str]:
    """(filters, words) of the query."""
    filters, words = parse_filters(settings, _REFUSED, EXAMPLE, "search")
    if not any(one.startswith("type:") for one in filters):
        filters = (*filters, _TYPES)
    return ",".join(filters), words
