"""arXiv's OAI-PMH: all records of some sets that changed since the last complete poll.

It adds what the announcements lack (comments, licences, DOIs, missed days). A poll requests the
last `days` days, or everything since the day before the last complete poll if that is longer ago.
An interrupted poll keeps its first day.
"""

import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import cache
from typing import ClassVar
from urllib.parse import urlencode

from paperround.core.errors import FetchFailed, InvalidInput
from paperround.core.times import parse_instant, require_utc
from paperround.feeds.formats.arxiv import arxiv_record, author_names
from paperround.feeds.formats.entries import BadEntry, Entry, batch_of, fingerprint
from paperround.feeds.formats.registry import XML_HEAD, Format, root_of
from paperround.feeds.formats.xml import EMPTY, Node, read_xml
from paperround.feeds.model import (
    MOST_PAGES,
    CrossChecked,
    FeedState,
    NewFeed,
    PublicAddress,
    Setting,
)
from paperround.feeds.sources.arxiv import RHYTHM, listing_of, read_listing
from paperround.feeds.sources.arxiv_categories import announcements_of, categories
from paperround.feeds.sources.base import (
    Source,
    any_of,
    days_setting,
    listed,
    oldest_day,
    read,
)
from paperround.http.model import FetchRequest, Page
from paperround.papers.identifiers import arxiv_id
from paperround.papers.model import ParsedBatch, Record
from paperround.papers.text import clean

# Responses to ListRecords of OAI-PMH 2.0, with any metadata format. Errors are elements with a
# protocol code, sent with status 200. Only `noRecordsMatch` means that there are no records. A list
# continues until its token is empty.

MOST_TOKEN = 1000
"""Characters of a resumption token."""

_LONGEST_REASON = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class OaiPage:
    """One page of records. `token` requests the next page, empty at the end, until `expires`."""

    items: tuple[Node, ...] = ()
    token: str = ""
    expires: datetime | None = None


def read_records(content: bytes) -> OaiPage:
    """Return the records. Raises InvalidInput, also for a token that the service rejects."""
    root = read_xml(content)
    if root.name != "OAI-PMH":
        raise InvalidInput(f"the XML is not an OAI-PMH response: it begins with {root.name!r:.60}")
    errors = list(root.all("error"))
    for error in errors:
        code = clean(error.attributes.get("code", ""), limit=_LONGEST_REASON) or "without a code"
        if code != "noRecordsMatch":
            reason = clean(error.text, limit=_LONGEST_REASON) or "no reason given"
            raise InvalidInput(f"the OAI-PMH error {code}: {reason}")
    if errors:
        return OaiPage()
    listed = next(root.all("ListRecords"), None)
    if listed is None:
        raise InvalidInput("the OAI-PMH response has neither records nor an error")
    items = tuple(listed.all("record"))
    if not items:
        raise InvalidInput("the list of records is empty, and nothing says that none match")
    found = next(listed.all("resumptionToken"), EMPTY)
    token = found.text.strip()
    if not token:
        return OaiPage(items=items)
    if len(token) > MOST_TOKEN or not token.isprintable():
        raise InvalidInput("the resumption token is too long or no plain text")
    expires = None
    with suppress(InvalidInput):  # a token without a readable end is tried
        expires = parse_instant(found.attributes.get("expirationDate", ""))
    return OaiPage(items=items, token=token, expires=expires)


# Records in the formats `arXiv` and `arXivRaw`. A record is listed because something of
# it changed, so its datestamp announces nothing. A paper is new when it has no later version and
# was submitted within the harvest.

_VERSION = re.compile(r"v(\d{1,4})", re.ASCII)


def arxiv_batch(harvest: OaiPage, since: date) -> ParsedBatch:
    """Return the papers of a page of a harvest that began on `since`."""
    return batch_of(harvest.items, lambda item: [_record(item, since)], lambda item: item.text)


def _record(item: Node, since: date) -> Record:
    header, holder = (next(item.all(name), EMPTY) for name in ("header", "metadata"))
    identifier = header.said("identifier") or ""
    if header.attributes.get("status") == "deleted":
        return _deleted(identifier, header.said("datestamp") or "")
    metadata = next((part for part in holder.content if isinstance(part, Node)), None)
    name = metadata.name if metadata else "none"
    if metadata is None or name not in _READERS:
        raise BadEntry("no-metadata", f"the record has no arXiv metadata: {name!r:.60}")
    entry = {"id": identifier, **_READERS[name](metadata, identifier)}
    record = arxiv_record(entry, announces=False)
    is_new = record.updated_at is None and record.published_at is not None
    if is_new and record.published_at and record.published_at.date() >= since:
        return arxiv_record(entry, announces=True)
    return record


def _deleted(identifier: str, datestamp: str) -> Record:
    """Return the record of a deleted paper: withdrawn if known, with its texts kept."""
    found = arxiv_id(identifier)
    if found is None:
        raise BadEntry("no-id", "the deleted record has no arXiv id")
    return Record(
        title="",
        identifiers={"arxiv": found[0]},
        withdrawn=True,
        announces=False,
        fingerprint=fingerprint(f"deleted {found[0]} {datestamp}".encode("utf-8", "replace")),
    )


def _common_fields(metadata: Node) -> dict[str, object]:
    return {
        "title": metadata.said("title"),
        "abstract": metadata.said("abstract"),
        "categories": (metadata.said("categories") or "").split(),
        "comment": metadata.said("comments"),
        "journal": metadata.said("journal-ref"),
        "doi": metadata.said("doi"),
        "licence": metadata.said("license"),
        **({"id": number} if (number := metadata.said("id")) else {}),
    }


def _read_arxiv(metadata: Node, _: str) -> Entry:
    authors = [one for each in metadata.all("authors") for one in each.all("author")]
    parts = ([one.said(part) for part in ("forenames", "keyname", "suffix")] for one in authors)
    return {
        **_common_fields(metadata),
        "authors": [" ".join(" ".join(filter(None, each)).split()) for each in parts],
        "published_at": metadata.said("created"),
        "updated_at": metadata.said("updated"),
    }


def _read_raw(metadata: Node, identifier: str) -> Entry:
    """Read the format with all versions; the newest becomes part of the id, as in the API."""
    shared, versions = _common_fields(metadata), list(metadata.all("version"))
    dates = [text for one in versions if (text := one.said("date"))]
    newest = _VERSION.fullmatch(versions[-1].attributes.get("version", "")) if versions else None
    return {
        **shared,
        "id": f"{shared.get('id', identifier)}{newest[0] if newest else ''}",
        "authors": author_names(re.sub(r"\s+and\s+", ", ", metadata.said("authors") or "")),
        "published_at": dates[0] if dates else None,
        "updated_at": dates[-1] if len(versions) > 1 and dates else None,
    }


_READERS: Mapping[str, Callable[[Node, str], Entry]] = {
    "arXiv": _read_arxiv,
    "arXivRaw": _read_raw,
}


def read_arxiv_oai(content: bytes) -> ParsedBatch:
    """Return the papers of a saved page, in either format.

    Every record is returned, including those of replaced papers. A paper counts from the day it was
    submitted, so that the papers of an old page are not new.
    """
    batch = arxiv_batch(read_records(content), date.min)
    records = tuple(
        replace(one, listed_on=one.published_at.date(), announces=True)
        if one.title and one.published_at  # a deleted one only withdraws
        else one
        for one in batch.records
    )
    return replace(batch, records=records)


FORMAT = Format(
    read=read_arxiv_oai, recognise=lambda body: root_of(body[:XML_HEAD].lower()) == b"oai-pmh"
)
"""The format `arxiv-oai`: a saved page of ListRecords."""


BASE = "https://oaipmh.arxiv.org/oai"
FORMATS = ("arXiv", "arXivRaw")
DAYS = 7

_MOST_PAGES = 1000
"""Pages of one set, far more than arXiv changes in a month."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _OaiPlace:
    format: str
    sets: tuple[str, ...]
    since: date
    index: int = 0
    page: int = 0
    expires: datetime | None = None
    token: str = ""

    @property
    def beginning(self) -> "_OaiPlace":
        """The first page of the same set, from the same day."""
        return replace(self, page=0, expires=None, token="")


@cache
def sets() -> frozenset[str]:
    """Return every set of arXiv's OAI-PMH: `cs`, `physics:hep-th`, `cs:cs:LG`."""
    found: set[str] = set()
    for one in categories().values():
        archive = f"{one.group}:{one.archive}"
        found |= {one.group, archive, f"{archive}:{one.subject}" if one.subject else archive}
    return frozenset(found)


class ArxivOai(Source[_OaiPlace]):
    """The source `arxiv-oai`."""

    kind: str = "arxiv-oai"
    settings: ClassVar[Mapping[str, Setting]] = {
        "sets": Setting(
            "Sets of arXiv, separated by commas (cs, physics:hep-th, cs:cs:LG). Required.",
            values=lambda: any_of(sorted(sets()))(),
            many=True,
            needed=True,
        ),
        "format": Setting(
            "arXiv (default), or arXivRaw with versions.",
            values=any_of(FORMATS),
            default=FORMATS[0],
        ),
        "days": days_setting(
            f"How many days back changes are asked for at least, 0 to 30 (default {DAYS}).", DAYS
        ),
    }
    # Records of the hours before belong to that batch; most arrive in the evening.
    rhythm = RHYTHM
    place = _OaiPlace

    def public(self, feed: NewFeed) -> PublicAddress:
        """The announcements of its sets."""
        return announcements_of([_category(one) for one in listed(feed.settings.get("sets", ""))])

    def cross_check(self, state: FeedState) -> FetchRequest | None:
        """Return the listing of the first set; None for a mirror."""
        first = _category(_parse_sets(state.settings)[0])
        return listing_of(first) if state.url is None else None

    def read_cross_check(self, page: Page) -> CrossChecked:
        """Return the day and size of the newest batch; raises FetchFailed when missing."""
        return read(page, read_listing)

    def check_settings(self, settings: Mapping[str, str]) -> None:
        """Raise InvalidInput for a set that arXiv does not have, which polls do not verify."""
        self.chosen(settings, "sets")

    def first(self, state: FeedState, now: datetime) -> _OaiPlace:
        """Return the first page of the first set."""
        settings = state.settings
        since = oldest_day(state, now, days=self.days_back(settings))
        return _OaiPlace(
            format=self.chosen(settings, "format")[0], sets=_parse_sets(settings), since=since
        )

    def resumed(self, place: _OaiPlace, now: datetime) -> _OaiPlace:
        """Return the same page, or the first one of its set if the token has expired."""
        is_expired = place.expires is not None and place.expires <= require_utc(now)
        return place.beginning if is_expired else place

    def request(self, place: _OaiPlace, state: FeedState) -> FetchRequest:
        """Return the request of a page of records."""
        query = {
            "verb": "ListRecords",
            "metadataPrefix": place.format,
            "set": place.sets[place.index],
            "from": str(place.since),
        }
        if place.token:  # the only argument besides the verb (OAI-PMH 2.0, section 3.5)
            query = {"verb": "ListRecords", "resumptionToken": place.token}
        url = f"{state.url or BASE}?{urlencode(query, safe=':')}"
        return FetchRequest(url=url, limiter="arxiv", interval_seconds=3.0)

    def read_page(self, page: Page, place: _OaiPlace) -> tuple[ParsedBatch, _OaiPlace | None]:
        """Return the papers of a page; raises FetchFailed when it is no list of records. After some
        failures, as with a rejected token, the poll starts over."""
        records = read(page, read_records)
        batch = arxiv_batch(records, place.since)
        if not records.token:
            is_last = place.index + 1 >= len(place.sets)
            return batch, None if is_last else replace(place.beginning, index=place.index + 1)
        if records.token == place.token or place.page + 1 >= _MOST_PAGES:
            raise FetchFailed(f"the list of {place.sets[place.index]} does not end")
        return batch, replace(
            place, page=place.page + 1, expires=records.expires, token=records.token
        )


def _category(named: str) -> str:
    """Return the category or archive of a set: `cs:cs:LG` is cs.LG, `physics:hep-th` is hep-th."""
    group, _, rest = named.partition(":")
    return rest.replace(":", ".") or group


def _parse_sets(settings: Mapping[str, str]) -> tuple[str, ...]:
    named = listed(settings.get("sets", ""))
    if not 1 <= len(named) <= MOST_PAGES:
        raise InvalidInput(
            f"arxiv-oai needs sets: 1 to {MOST_PAGES}, like cs,physics:hep-th,cs:cs:LG",
            code="settings.sets",
        )
    return named
