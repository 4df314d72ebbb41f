"""Poll Crossref: works of a journal or a publisher, or matching words, by the date of their DOI.

A work is listed on the day its DOI was registered; publishers may state another date of
publication. The contact in the User-Agent puts this installation into the service's polite pool.
Cursor marks expire within minutes: a poll that was interrupted for longer starts over.

A response is `{"status", "message-type": "work-list", "message": {"items"}}`. A work is as its
publisher sent it: titles and abstracts in JATS, dates as `date-parts` that may lack the day or the
month. A retraction notice is a work of its own (`update-to`): it withdraws the paper it names.
Fields are those of https://github.com/CrossRef/rest-api-doc (api_format).
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import ClassVar
from urllib.parse import urlencode

from paperround.core.times import midnight_utc, require_utc
from paperround.feeds.formats.dates import FIRST_YEAR, LAST_YEAR, DateRange, days_meant
from paperround.feeds.formats.entries import (
    BadEntry,
    Entry,
    counts_of,
    doi_of,
    instant_of,
    storable,
    text_of,
    texts_of,
    title_of,
    with_fingerprint,
)
from paperround.feeds.model import MOST_PAGES, FeedState, Setting
from paperround.feeds.sources.base import days_setting, read
from paperround.http.model import FetchRequest, Page
from paperround.papers.model import ParsedBatch, Record, Show
from paperround.plugins.catalogues import (
    OTHER_KIND,
    PAGE,
    CatalogueResponse,
    CatalogueSource,
    PageCursor,
    format_with,
    is_creative_commons,
    is_cut_off,
    object_of,
    objects_of,
    page_and_position,
    parse_filters,
    read_list,
    read_object,
    read_works,
)
from paperround.plugins.jats import text_of_jats

NAME = "Crossref"
FIELDS = (
    "DOI,type,title,subtitle,abstract,author,subject,created,posted,issued,published,"
    "published-online,published-print,container-title,license,relation,update-to,updated-by,"
    "is-referenced-by-count"
)
"""The fields of a work that are read (the parameter `select`)."""

_NO_PAPERS = frozenset(
    {
        "book-series",
        "book-set",
        "component",
        "database",
        "dataset",
        "grant",
        "journal",
        "journal-issue",
        "journal-volume",
        "peer-review",
        "proceedings",
        "proceedings-series",
        "report-series",
    }
)
_WITHDRAWALS = frozenset({"retraction", "withdrawal", "removal"})
_NEW_TEXTS = frozenset({"new_version", "new_edition"})
_WITHDRAWN_TITLE = re.compile(
    r"[\s\[]*(?:retracted|withdrawn|removed)(?: (?:article|paper|chapter))?\s*[\]:]", re.IGNORECASE
)
"""How publishers mark a title: `RETRACTED: A study`, `[Retracted] A study`."""
_SAME_WORK = ("is-preprint-of", "has-preprint")
_TEXT_LICENCES = frozenset({"vor", "unspecified"})
_MOST_ABSTRACT = 200_000


def read_crossref(content: bytes) -> ParsedBatch:
    """The papers of a file, a response with works or with one; else raises InvalidInput."""
    said = read_object(content, NAME)
    if said.get("message-type") == "work" and isinstance(said.get("message"), dict):
        return read_works([said["message"]], _records)
    return _read_list(said).batch


def read_answer(content: bytes) -> CatalogueResponse:
    """One page of a list of works; raises InvalidInput for an error and for any other JSON."""
    return _read_list(read_object(content, NAME))


def _read_list(said: Entry) -> CatalogueResponse:
    message = said.get("message")
    is_list = said.get("status") == "ok" and said.get("message-type") == "work-list"
    works = message.get("items") if is_list and isinstance(message, dict) else None
    return read_list(
        said, works, message, _records, name=NAME, total="total-results", mark="next-cursor"
    )


def _records(work: Entry) -> Iterator[Record]:
    kind = text_of(work, "type") or ""
    if kind in _NO_PAPERS:
        raise BadEntry(OTHER_KIND, f"a work of the type {kind!r:.60} is not a paper")
    own = doi_of(text_of(work, "DOI") or "")
    if own is None:
        raise BadEntry("no-id", "the work has no DOI")
    notices = [one for one in _updates(work, "update-to") if one[1] != own]
    if all(said in _NEW_TEXTS for said, _ in notices):
        return iter([_paper(work, own)])
    withdrawn = list(dict.fromkeys(doi for said, doi in notices if said in _WITHDRAWALS))
    if not withdrawn:
        raise BadEntry(
            OTHER_KIND, f"a notice ({notices[0][0]!r:.60}) of another work is not a paper"
        )
    # A retracted paper is withdrawn if we have it, and keeps its texts.
    return (
        with_fingerprint(
            Record(title="", identifiers={kind: value}, withdrawn=True, announces=False)
        )
        for kind, value in withdrawn
    )


def _updates(work: Entry, key: str) -> list[tuple[str, tuple[str, str]]]:
    """(what, DOI) of each update that is stated under `key`."""
    return [
        ((text_of(one, "type") or "").casefold(), doi)
        for one in objects_of(work, key)
        if (doi := doi_of(text_of(one, "DOI") or ""))
    ]


def _paper(work: Entry, own: tuple[str, str]) -> Record:
    created = instant_of(object_of(work, "created"), "date-time")
    title, licence, out = _title(work), _licence(work), published(work)
    listed_on, listed_at = listing(created, out)
    # A publisher states that a work is withdrawn in an update to it, or before its title.
    updates = [said for said, _ in _updates(work, "updated-by")]
    updates += [said for said, doi in _updates(work, "update-to") if doi == own]
    stated = text_of(work, "abstract") or ""
    return with_fingerprint(
        Record(
            title=title,
            abstract=text_of_jats(stated[:_MOST_ABSTRACT]),
            identifiers=_identifiers(work, own),
            authors=tuple(filter(None, map(_name, objects_of(work, "author")))),
            keywords=texts_of(work, "subject"),
            listed_on=listed_on,
            listed_at=listed_at,
            published_at=midnight_utc(out.first) if out else None,
            withdrawn=bool(_WITHDRAWN_TITLE.match(title)) or not _WITHDRAWALS.isdisjoint(updates),
            comment=next(map(text_of_jats, texts_of(work, "container-title")), None) or None,
            licence=licence,
            show=Show.FULL if licence and is_creative_commons(licence) else Show.LINK,
            counts=counts_of(work, None, {"is-referenced-by-count": "citations"}),
        )
    )


def _title(work: Entry) -> str:
    """Title and subtitle; further titles are translations of it."""
    title = next(filter(None, map(text_of_jats, texts_of(work, "title"))), "")
    subtitle = next(filter(None, map(text_of_jats, texts_of(work, "subtitle"))), "")
    if title and subtitle and subtitle.casefold() not in title.casefold():
        title = f"{title}{' ' if title.endswith((':', '?', '!')) else ': '}{subtitle}"
    return title_of({"title": title})


def _identifiers(work: Entry, own: tuple[str, str]) -> dict[str, str]:
    """Its own DOI, and that of its preprint or article if that is of another kind.

    A work has one DOI of each kind: if several preprints are named, none is used. Other relations
    (`is-version-of`, `is-translation-of`, `is-part-of`) may name works with different content.
    """
    found = dict([own])
    related = object_of(work, "relation")
    stated = [one for name in _SAME_WORK for one in objects_of(related, name)]
    dois = {doi_of(text_of(one, "id") or "") for one in stated if one.get("id-type") == "doi"}
    for kind in ("arxiv", "doi", "biorxiv"):
        values = {one[1] for one in dois if one and one[0] == kind}
        if len(values) == 1:
            found.setdefault(kind, values.pop())
    return found


def _name(author: Entry) -> str | None:
    parts = (text_of(author, key) for key in ("given", "family", "suffix"))
    return " ".join(" ".join(filter(None, parts)).split()) or text_of(author, "name")


def _licence(work: Entry) -> str | None:
    """The address of a licence of the text that applies from publication on, preferably an open
    one.

    Licences for text mining and for accepted manuscripts say nothing about the abstract.
    """
    stated = [
        storable(address)
        for one in objects_of(work, "license")
        if text_of(one, "content-version") in _TEXT_LICENCES and holds_from_the_first_day(one)
        if (address := text_of(one, "URL"))
    ]
    return next(filter(is_creative_commons, stated), next(iter(stated), None))


_DATES = ("posted", "issued", "published", "published-online", "published-print")


_LONG = timedelta(days=180)
"""A work deposited longer than this after publication is not new: publishers deposit back files."""


def period(stated: Entry, key: str) -> DateRange | None:
    """The day, month or year that is stated under `key`.

    None for `[[null]]` and for an impossible year; raises BadEntry for anything that is not a date.
    """
    parts = object_of(stated, key).get("date-parts")
    first = parts[0] if isinstance(parts, list) and parts else None
    if not first or first == [None]:
        return None
    if not isinstance(first, list) or not all(type(one) is int for one in first[:3]):
        raise BadEntry("bad-date", f"{key} must be a year, a month and a day")
    if not FIRST_YEAR <= first[0] <= LAST_YEAR:
        return None
    try:
        if 0 in first[:3]:
            raise ValueError("a part of a date counts from 1")
        return days_meant(*first[:3])
    except (ValueError, OverflowError):
        raise BadEntry("bad-date", f"{key} is not a date: {str(first[:3])!r:.60}") from None


def published(work: Entry) -> DateRange | None:
    """When the work was published: the best of the dates that the publisher states."""
    return next(filter(None, (period(work, key) for key in _DATES)), None)


def listing(created: datetime | None, out: DateRange | None) -> tuple[date | None, datetime | None]:
    """(day, instant) of the listing: when it was deposited; for an old work when it was
    published."""
    if created is None:
        return None, None
    day = created.astimezone(UTC).date()
    if out is not None and out.last + _LONG < day:
        return out.last, None
    return day, created


def holds_from_the_first_day(licence: Entry) -> bool:
    """Whether a licence applies from publication on: Crossref gives the days until its start."""
    delay = licence.get("delay-in-days")
    return type(delay) is int and delay <= 0


FORMAT = format_with(r'"message-type"\s*:\s*"work(?:-list)?"', read_crossref)
"""The format `crossref`: a saved response."""


# --- the source -----------------------------------------------------------------------------

BASE = "https://api.crossref.org/works"
MARK_LIFE = timedelta(minutes=4)
"""Crossref's documentation gives a mark five minutes, so one run of a poll reads all pages."""

EXAMPLE = "issn:1476-4687,type:journal-article"
_OWN = "is set by the feed itself: use days"
_REFUSED = {"from-created-date": _OWN, "until-created-date": _OWN}


class Crossref(CatalogueSource):
    """The source `crossref`."""

    kind: str = "crossref"
    settings: ClassVar[Mapping[str, Setting]] = {
        "filter": Setting(
            f"Filters of Crossref, separated by commas ({EXAMPLE}, prefix:10.1101). "
            "This or query is required.",
            example=EXAMPLE,
        ),
        "query": Setting(
            "Words to search for in titles, authors and journals.", example="graph neural network"
        ),
        "days": days_setting(),
    }
    interval: timedelta = timedelta(hours=6)

    def request(self, place: PageCursor, state: FeedState) -> FetchRequest:
        """The request for a page of works."""
        filters, words = parse_filters(state.settings, _REFUSED, EXAMPLE, "query")
        days = f"from-created-date:{place.since},until-created-date:{place.until}"
        query = {
            "filter": ",".join((*filters, days)),
            **({"query": words} if words else {}),
            "rows": str(PAGE),
            "cursor": place.mark or "*",
            "select": FIELDS,
        }
        url = f"{state.url or BASE}?{urlencode(query, safe=':,*')}"
        return FetchRequest(url=url, limiter="crossref", interval_seconds=1.0)

    def resumed(self, place: PageCursor, now: datetime) -> PageCursor:
        """The same page, or the first one of its days if its mark has expired."""
        is_old = place.expires is not None and place.expires <= require_utc(now)
        return PageCursor(since=place.since, until=place.until) if is_old else place

    def read_page(self, page: Page, place: PageCursor) -> tuple[ParsedBatch, PageCursor | None]:
        """The papers of a response; raises FetchFailed if it is not a list of works."""
        answer = read(page, read_answer)
        # Crossref names a next page even after the last one, which is not full.
        seen = place.page * PAGE + answer.rows
        if answer.rows < PAGE and not is_cut_off(seen, answer.total):
            answer = replace(answer, mark=None)
        ends = page.fetched_at + MARK_LIFE
        return page_and_position(place, answer, NAME, most=MOST_PAGES, expires=ends)
