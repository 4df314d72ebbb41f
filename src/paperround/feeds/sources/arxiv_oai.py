"""Poll arXiv's OAI-PMH: all records of some sets that changed since the last complete poll.

It adds what the announcements lack (comments, licences, DOIs, missed days). A poll requests the
last `days` days, or everything since the day before the last complete poll if that is longer ago.
An interrupted poll keeps its first day.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from difflib import get_close_matches
from typing import ClassVar
from urllib.parse import urlencode

from paperround.core.errors import FetchFailed, InvalidInput
from paperround.core.times import require_utc
from paperround.feeds.model import (
    MOST_PAGES,
    CrossChecked,
    FeedState,
    NewFeed,
    PublicAddress,
    Setting,
)
from paperround.feeds.sources.arxiv import RHYTHM, listing_of, read_listing
from paperround.feeds.sources.arxiv_categories import announcements_of, sets
from paperround.feeds.sources.arxiv_oai_record import arxiv_batch
from paperround.feeds.sources.base import (
    Source,
    any_of,
    days_of,
    days_setting,
    listed,
    oldest_day,
    read,
)
from paperround.feeds.sources.oai_pmh import BadToken, OaiPage, read_records
from paperround.http.model import FetchRequest, Page
from paperround.papers.model import ParsedBatch

BASE = "https://oaipmh.arxiv.org/oai"
FORMATS = ("arXiv", "arXivRaw", "oai_dc")
DAYS = 7

_MOST_PAGES = 1000
"""Pages of one set, far more than arXiv changes in a month."""

_SET = re.compile(r"[a-z]{1,8}(?:-[a-z]{2,4})?(?::[a-z-]{2,12}(?::[A-Za-z-]{2,10})?)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class _OaiPlace:
    format: str
    sets: tuple[str, ...]
    since: date
    index: int = 0
    page: int = 0
    restarts: int = 0
    expires: datetime | None = None
    token: str = ""

    @property
    def beginning(self) -> "_OaiPlace":
        """The first page of the same set, from the same day."""
        return replace(self, page=0, expires=None, token="")

    @property
    def following(self) -> "_OaiPlace | None":
        """The first page of the next set; None after the last."""
        if self.index + 1 >= len(self.sets):
            return None
        return replace(self.beginning, index=self.index + 1, restarts=0)


class ArxivOai(Source[_OaiPlace]):
    """The source `arxiv-oai`."""

    kind: str = "arxiv-oai"
    settings: ClassVar[Mapping[str, Setting]] = {
        "sets": Setting(
            "Sets of arXiv, separated by commas (cs, physics:hep-th, cs:cs:LG). Needed.",
            values=lambda: any_of(sorted(sets()))(),
            many=True,
            needed=True,
        ),
        "format": Setting(
            "arXiv (default), arXivRaw with versions, or oai_dc.",
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
        """Raise InvalidInput, with the setting as its code, for an invalid value."""
        # Only checked here: polls do not verify that arXiv has the sets.
        wrong = next((one for one in _parse_sets(settings) if one not in sets()), None)
        if wrong is not None:
            near = ", ".join(get_close_matches(wrong[:60], sorted(sets()), n=3))
            hint = f"did you mean {near}?" if near else "sets are like cs,physics:hep-th,cs:cs:LG"
            raise InvalidInput(f"arXiv has no set {wrong:.60}: {hint}", code="settings.sets")
        _parse_format(settings)
        days_of(settings, DAYS)

    def first(self, state: FeedState, now: datetime) -> _OaiPlace:
        """Return the first page of the first set."""
        settings = state.settings
        since = oldest_day(state, now, days=days_of(settings, DAYS))
        return _OaiPlace(format=_parse_format(settings), sets=_parse_sets(settings), since=since)

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
        """Return the papers of a page; raises FetchFailed when it is no list of records.

        A rejected token restarts its set once, as the protocol demands.
        """
        may_restart = place.token and not place.restarts
        records = read(page, _records_or_none if may_restart else read_records)
        if records is None:
            return ParsedBatch(), replace(place.beginning, restarts=1)
        batch = arxiv_batch(records, place.since)
        if not records.token:
            return batch, place.following
        if records.token == place.token or place.page + 1 >= _MOST_PAGES:
            raise FetchFailed(f"the list of {place.sets[place.index]} does not come to an end")
        return batch, replace(
            place, page=place.page + 1, expires=records.expires, token=records.token
        )


def _records_or_none(body: bytes) -> OaiPage | None:
    """Return the records, or None when the token is rejected."""
    try:
        return read_records(body)
    except BadToken:
        return None


def _category(named: str) -> str:
    """Return the category or archive of a set: `cs:cs:LG` is cs.LG, `physics:hep-th` is hep-th."""
    group, _, rest = named.partition(":")
    return rest.replace(":", ".") or group


def _parse_sets(settings: Mapping[str, str]) -> tuple[str, ...]:
    named = listed(settings.get("sets", ""))
    wrong = next((one for one in named if not _SET.fullmatch(one)), None)
    if wrong is not None or not 1 <= len(named) <= MOST_PAGES:
        found = f", not {wrong!r:.60}" if wrong is not None else ""
        raise InvalidInput(
            f"arxiv-oai needs sets: 1 to {MOST_PAGES}, like cs,physics:hep-th,cs:cs:LG{found}",
            code="settings.sets",
        )
    return named


def _parse_format(settings: Mapping[str, str]) -> str:
    named = settings.get("format", FORMATS[0]).strip()
    if named not in FORMATS:
        raise InvalidInput(
            f"format must be one of {', '.join(FORMATS)}, not {named!r:.60}",
            code="settings.format",
        )
    return named
