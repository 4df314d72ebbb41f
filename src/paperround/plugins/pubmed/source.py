"""Poll PubMed through NCBI's E-utilities: the matches of a query among the latest additions.

    esearch ─► a list that PubMed keeps for some hours ─► efetch, 200 articles a page ─► its end

A poll requests the articles added in the last `days` days, and in days that were missed. PubMed
returns the newest 10,000 articles of a search; a reject reports that there are more. All of NCBI's
utilities share one budget, three requests a second without a key; we send one a second. A key would
be part of the address, which is stored, so keys are not supported.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import ClassVar
from urllib.parse import urlencode

from paperround.core.errors import FetchFailed, InvalidInput
from paperround.core.times import require_utc
from paperround.feeds.formats.entries import BadEntry, reject
from paperround.feeds.model import FeedState, Setting
from paperround.feeds.sources.base import (
    DEFAULT_DAYS,
    MOST_DAYS,
    Source,
    days_setting,
    oldest_day,
    read,
)
from paperround.http.model import FetchRequest, Page
from paperround.papers.model import ParsedBatch, Reject
from paperround.plugins.catalogues import json_of, query_of, service_error
from paperround.plugins.pubmed.record import read_pubmed

# Responses of esearch in JSON: how many articles a query found, and where PubMed keeps the list.
#
# An error has status 200, and a word that PubMed does not know is only reported in a note.

MOST_FOUND = 10_000
"""Articles of one search that PubMed returns."""

_COUNT = re.compile(r"\d{1,9}", re.ASCII)
_KEY = re.compile(r"[1-9]\d{0,4}", re.ASCII)
_WEB_ENV = re.compile(r"[\w.@%+=-]{1,200}", re.ASCII)
"""The form of the name of a list at PubMed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundIds:
    """What a search found: `count` articles, in the list `query_key` of `web_env`; `rejects` say
    what it could not search for or does not return."""

    count: int
    query_key: str
    web_env: str
    rejects: tuple[Reject, ...]


def read_search(content: bytes) -> FoundIds:
    """The result; raises InvalidInput for an error and for anything but a response of esearch."""
    said = json_of(content)
    if isinstance(said, dict) and "error" in said:
        raise InvalidInput(f"PubMed returned an error: {service_error(said['error'])!r}")
    result = said.get("esearchresult") if isinstance(said, dict) else None
    if not isinstance(result, dict):
        raise InvalidInput("the JSON is not a response of PubMed's esearch")
    if "ERROR" in result:
        raise InvalidInput(f"PubMed rejected the search: {service_error(result['ERROR'])!r}")
    count = int(_text(result, "count", _COUNT))
    return FoundIds(
        count=count,
        query_key=_text(result, "querykey", _KEY) if count else "",
        web_env=_text(result, "webenv", _WEB_ENV) if count else "",
        rejects=_notes(result, count),
    )


def _text(result: Mapping[str, object], key: str, shape: re.Pattern[str]) -> str:
    value = result.get(key)
    if not isinstance(value, str) or not shape.fullmatch(value):
        raise InvalidInput(f"the answer of PubMed's esearch has no {key} that can be used")
    return value


def _notes(result: Mapping[str, object], count: int) -> tuple[Reject, ...]:
    """Report unknown fields, words that PubMed does not know if nothing was found, and articles
    beyond the last one that it returns."""
    errorlist = result.get("errorlist")
    errors = errorlist if isinstance(errorlist, dict) else {}
    said = [errors.get("fieldsnotfound"), None if count else errors.get("phrasesnotfound")]
    notes = [
        BadEntry(
            "unknown-words", f"PubMed does not know this part of the query: {service_error(one)}"
        )
        for listed in said
        if isinstance(listed, list)
        for one in listed[:10]
    ]
    if count > MOST_FOUND:
        detail = (
            f"PubMed found {count:,} articles but returns at most {MOST_FOUND:,}: narrow the query"
        )
        notes.append(BadEntry("too-many-found", detail))
    return tuple(reject(note, place, note.detail) for place, note in enumerate(notes, start=1))


BASE = "https://eutils.ncbi.nlm.nih.gov/entrez/eutils"
PAGE = 200
"""Articles of one efetch."""

_KEPT = timedelta(hours=6)
"""PubMed keeps a list for eight hours; an older poll starts over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _PubMedPlace:
    """A search for the articles of some days or, once PubMed keeps their list (`web_env`), the page
    of the list that begins at `start`."""

    since: date
    until: date
    query: str
    start: int = 0
    count: int = 0
    begun: datetime | None = None
    query_key: str = ""
    web_env: str = ""


class PubMed(Source[_PubMedPlace]):
    """The source `pubmed`."""

    kind: str = "pubmed"
    settings: ClassVar[Mapping[str, Setting]] = {
        "query": Setting(
            "What to search for, as on PubMed's own page (asthma AND review[pt]). Required.",
            needed=True,
            example="asthma AND review[pt]",
        ),
        "days": days_setting(
            f"How many days of additions to ask for, 1 to {MOST_DAYS} (default {DEFAULT_DAYS}).",
            low=1,
        ),
    }
    place = _PubMedPlace

    def first(self, state: FeedState, now: datetime) -> _PubMedPlace:
        """The search for all days of a poll."""
        return _PubMedPlace(
            since=oldest_day(state, now, days=self.days_back(state.settings)),
            until=require_utc(now).date(),
            query=query_of(state.settings, self.kind),
        )

    def resumed(self, place: _PubMedPlace, now: datetime) -> _PubMedPlace:
        """The same page, or the search again if the list is too old."""
        is_old = place.begun is not None and require_utc(now) - place.begun >= _KEPT
        if not is_old:
            return place
        return _PubMedPlace(since=place.since, until=place.until, query=place.query)

    def request(self, place: _PubMedPlace, state: FeedState) -> FetchRequest:
        """The request for a search, or for a page of its results."""
        arguments: dict[str, object] = {
            "db": "pubmed",
            "query_key": place.query_key,
            "WebEnv": place.web_env,
            "retstart": place.start,
            "retmax": PAGE,
            "retmode": "xml",
        }
        if not place.web_env:
            arguments = {
                "db": "pubmed",
                "term": place.query,
                "datetype": "edat",
                "mindate": f"{place.since:%Y/%m/%d}",
                "maxdate": f"{place.until:%Y/%m/%d}",
                "retmode": "json",
                "retmax": 0,  # PubMed keeps the list, so its numbers are not needed here
                "usehistory": "y",
            }
        utility = "efetch" if place.web_env else "esearch"
        query = urlencode({**arguments, "tool": "paperround"})
        url = f"{(state.url or BASE).rstrip('/')}/{utility}.fcgi?{query}"
        return FetchRequest(url=url, limiter="ncbi", interval_seconds=1.0)

    def read_page(self, page: Page, place: _PubMedPlace) -> tuple[ParsedBatch, _PubMedPlace | None]:
        """The articles of a page; after a search none, and the place of the first page.

        Raises FetchFailed for anything but a response of E-utilities, and if the list is no longer
        kept.
        """
        if not place.web_env:
            found = read(page, read_search)
            batch = ParsedBatch(rejects=found.rejects)
            if not found.count:
                return batch, None
            listed = replace(
                place,
                count=found.count,
                begun=require_utc(page.fetched_at),
                query_key=found.query_key,
                web_env=found.web_env,
            )
            return batch, listed
        batch = read(page, read_pubmed)
        if not batch.records and not batch.rejects:
            raise FetchFailed(
                f"PubMed returned no articles though it found {place.count:,}: ask again later"
            )
        start = place.start + PAGE
        is_last = start >= min(place.count, MOST_FOUND)  # of those that PubMed returns
        return batch, None if is_last else replace(place, start=start)
