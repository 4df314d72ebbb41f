"""arXiv's OAI-PMH, read by itself: every record of some sets that changed since the last good poll.

It repairs what the announcements leave out (comments, licences, DOIs, missed days). A poll asks for
the last `days` days, and for all since the day before the last good one when that is longer ago. A
stopped poll keeps the day it began with.

A cursor is `format|sets|since|index of the set|page|restarts|expiry of the token|token`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from difflib import get_close_matches
from types import MappingProxyType
from urllib.parse import urlencode

from paperround.domain.errors import FetchFailed, InvalidInput
from paperround.domain.feeds import MOST_PAGES, FeedState, FetchRequest, Page
from paperround.domain.papers import ParsedBatch
from paperround.domain.times import format_instant, parse_date, parse_instant, require_utc
from paperround.sources.arxiv_categories import sets
from paperround.sources.arxiv_live import EARLY, NO_ANNOUNCEMENT
from paperround.sources.arxiv_oai_record import arxiv_batch
from paperround.sources.arxiv_record import EASTERN
from paperround.sources.expectations import Rhythm
from paperround.sources.oai_pmh import BadToken, Harvest, read_harvest
from paperround.sources.polling import Client, check_names, check_url, days_of, oldest_day, read

BASE = "https://oaipmh.arxiv.org/oai"
FORMATS = ("arXiv", "arXivRaw", "oai_dc")
DAYS = "7"

_MOST_PAGES = 1000
"""Pages of one set, far more than all of arXiv changes in a month."""

_SET = re.compile(r"[a-z]{1,8}(?:-[a-z]{2,4})?(?::[a-z-]{2,12}(?::[A-Za-z-]{2,10})?)?")
_CURSOR = re.compile(
    r"(arXiv|arXivRaw|oai_dc)\|([A-Za-z:,-]+)\|(\d{4}-\d\d-\d\d)\|(\d{1,2})\|(\d{1,4})\|([01])"
    r"\|([0-9TZ:-]*)\|(.*)",
    re.ASCII,
)
_NEXT_DAY = timedelta(days=1)
_RHYTHM = Rhythm(
    zone=EASTERN,
    at=time(0, 30),
    quiet=frozenset(day + _NEXT_DAY for day in NO_ANNOUNCEMENT),
    early=EARLY,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    format: str
    sets: tuple[str, ...]
    since: date
    index: int = 0
    page: int = 0
    restarts: int = 0
    expires: str = ""
    token: str = ""

    def __str__(self) -> str:
        at = f"{self.index}|{self.page}|{self.restarts}|{self.expires}|{self.token}"
        return f"{self.format}|{','.join(self.sets)}|{self.since}|{at}"

    @property
    def query(self) -> Mapping[str, str]:
        """A token is the only argument beside the verb (OAI-PMH 2.0, section 3.5)."""
        if self.token:
            return {"verb": "ListRecords", "resumptionToken": self.token}
        return {
            "verb": "ListRecords",
            "metadataPrefix": self.format,
            "set": self.sets[self.index],
            "from": str(self.since),
        }

    @property
    def beginning(self) -> "_Place":
        """The first page of the same set, from the same day."""
        return replace(self, page=0, expires="", token="")

    @property
    def following(self) -> "_Place | None":
        """The first page of the next set; None after the last."""
        if self.index + 1 >= len(self.sets):
            return None
        return replace(self.beginning, index=self.index + 1, restarts=0)


class ArxivOai:
    """The source `arxiv-oai`."""

    kind: str = "arxiv-oai"
    settings: Mapping[str, str] = MappingProxyType(
        {
            "sets": "Sets of arXiv, separated by commas (cs, physics:hep-th, cs:cs:LG). Needed.",
            "format": "arXiv (default), arXivRaw with versions, or oai_dc.",
            "days": f"How many days back changes are asked for at least, 0 to 30 (default {DAYS}).",
        }
    )
    interval: timedelta = timedelta(hours=6)

    def check(self, url: str | None, settings: Mapping[str, str]) -> None:
        """Refuse, with the name of the field, what the source could not work with."""
        check_url(url)
        check_names(settings, self.settings, self.kind)
        _known(_sets(settings))
        _format(settings)
        _days(settings)

    def plan(self, state: FeedState, now: datetime) -> FetchRequest:
        """The next page to ask for: where the poll stopped, else the first of the first set.

        A poll that was begun with other settings begins anew, a set whose token has expired too.
        """
        first = _first(state, now)
        stopped = _place(state.progress.cursor or "")
        place = stopped if stopped and _is_same(stopped, first) else first
        if place.expires and parse_instant(place.expires) <= require_utc(now):
            place = place.beginning
        return FetchRequest(
            url=f"{state.url or BASE}?{urlencode(place.query, safe=':')}",
            cursor=str(place),
            limiter="arxiv",
            interval_seconds=3.0,
        )

    def fetch(self, client: Client, request: FetchRequest) -> Page:
        """The answer to one request."""
        return client.get(request)

    def parse(self, page: Page) -> ParsedBatch:
        """The papers of one answer; raises FetchFailed for what is no list of records.

        A token that is not taken begins its set anew, once: the protocol wants the list again.
        """
        place = _place(page.request.cursor)
        if place is None:
            raise ValueError(f"{page.request.cursor!r} is no cursor of {self.kind}")
        harvest = read(page, _harvest_or_nothing if _may_restart(place) else read_harvest)
        if harvest is None:
            return ParsedBatch(next=str(replace(place.beginning, restarts=1)))
        following = _after(place, harvest)
        batch = arxiv_batch(harvest, place.since)
        return replace(batch, next=str(following) if following is not None else None)

    def expects(self, after: datetime) -> datetime:
        """00:30 Eastern, Monday to Friday. Records that came within hours before that, as they do
        on most evenings, were that batch."""
        return _RHYTHM.next_after(after)

    def holiday(self, now: datetime) -> bool:
        """Whether arXiv announced nothing on the evening before today, by its own clock."""
        return _RHYTHM.rests(now)


def _may_restart(place: _Place) -> bool:
    return bool(place.token) and not place.restarts


def _harvest_or_nothing(body: bytes) -> Harvest | None:
    """The records, None when the token is not taken."""
    try:
        return read_harvest(body)
    except BadToken:
        return None


def _after(place: _Place, harvest: Harvest) -> _Place | None:
    if not harvest.token:
        return place.following
    if harvest.token == place.token or place.page + 1 >= _MOST_PAGES:
        raise FetchFailed(f"the list of {place.sets[place.index]} does not come to an end")
    expires = format_instant(harvest.expires) if harvest.expires else ""
    return replace(place, page=place.page + 1, expires=expires, token=harvest.token)


def _first(state: FeedState, now: datetime) -> _Place:
    settings = state.settings
    since = oldest_day(state, now, days=_days(settings))
    return _Place(format=_format(settings), sets=_sets(settings), since=since)


def _is_same(stopped: _Place, first: _Place) -> bool:
    """Whether a stopped poll asked for what one that begins now would ask for."""
    return (stopped.format, stopped.sets) == (first.format, first.sets)


def _place(cursor: str) -> _Place | None:
    match = _CURSOR.fullmatch(cursor)
    if match is None:
        return None
    try:
        since, expires = parse_date(match[3]), match[7]
        if expires:
            parse_instant(expires)
    except InvalidInput:
        return None
    place = _Place(
        format=match[1],
        sets=tuple(match[2].split(",")),
        since=since,
        index=int(match[4]),
        page=int(match[5]),
        restarts=int(match[6]),
        expires=expires,
        token=match[8],
    )
    return place if place.index < len(place.sets) else None


def _sets(settings: Mapping[str, str]) -> tuple[str, ...]:
    parts = (part.strip() for part in settings.get("sets", "").split(","))
    named = tuple(dict.fromkeys(filter(None, parts)))
    wrong = next((one for one in named if not _SET.fullmatch(one)), None)
    if wrong is not None or not 1 <= len(named) <= MOST_PAGES:
        told = f", not {wrong!r:.60}" if wrong is not None else ""
        raise InvalidInput(
            f"arxiv-oai needs sets: 1 to {MOST_PAGES}, like cs,physics:hep-th,cs:cs:LG{told}",
            code="settings.sets",
        )
    return named


def _known(named: tuple[str, ...]) -> None:
    """Refuse a set that arXiv does not have; a poll does not ask."""
    wrong = next((one for one in named if one not in sets()), None)
    if wrong is not None:
        near = ", ".join(get_close_matches(wrong[:60], sorted(sets()), n=3))
        way_out = f"did you mean {near}?" if near else "sets are like cs,physics:hep-th,cs:cs:LG"
        raise InvalidInput(f"arXiv has no set {wrong:.60}: {way_out}", code="settings.sets")


def _format(settings: Mapping[str, str]) -> str:
    named = settings.get("format", FORMATS[0]).strip()
    if named not in FORMATS:
        raise InvalidInput(
            f"format must be one of {', '.join(FORMATS)}, not {named!r:.60}",
            code="settings.format",
        )
    return named


def _days(settings: Mapping[str, str]) -> int:
    return days_of({"days": DAYS, **settings})
