"""arXiv's OAI-PMH, read by itself: every record of some sets that changed since the last good poll.

It repairs what the announcements leave out (comments, licences, DOIs, missed days). A poll asks for
the last `days` days, and for all since the day before the last good one when that is longer ago. A
stopped poll keeps the day it began with.
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
from paperround.domain.times import require_utc
from paperround.sources.arxiv_categories import sets
from paperround.sources.arxiv_live import EARLY, NO_ANNOUNCEMENT
from paperround.sources.arxiv_oai_record import arxiv_batch
from paperround.sources.arxiv_record import EASTERN
from paperround.sources.oai_pmh import BadToken, Harvest, read_harvest
from paperround.sources.polling import PagedSource, Rhythm, days_of, oldest_day, read

BASE = "https://oaipmh.arxiv.org/oai"
FORMATS = ("arXiv", "arXivRaw", "oai_dc")
DAYS = "7"

_MOST_PAGES = 1000
"""Pages of one set, far more than all of arXiv changes in a month."""

_SET = re.compile(r"[a-z]{1,8}(?:-[a-z]{2,4})?(?::[a-z-]{2,12}(?::[A-Za-z-]{2,10})?)?")
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
    expires: datetime | None = None
    token: str = ""

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
        return replace(self, page=0, expires=None, token="")

    @property
    def following(self) -> "_Place | None":
        """The first page of the next set; None after the last."""
        if self.index + 1 >= len(self.sets):
            return None
        return replace(self.beginning, index=self.index + 1, restarts=0)


class ArxivOai(PagedSource[_Place]):
    """The source `arxiv-oai`."""

    kind: str = "arxiv-oai"
    settings: Mapping[str, str] = MappingProxyType(
        {
            "sets": "Sets of arXiv, separated by commas (cs, physics:hep-th, cs:cs:LG). Needed.",
            "format": "arXiv (default), arXivRaw with versions, or oai_dc.",
            "days": f"How many days back changes are asked for at least, 0 to 30 (default {DAYS}).",
        }
    )
    place = _Place

    def check_settings(self, settings: Mapping[str, str]) -> None:
        """Refuse, with the name of the field, what the source could not work with."""
        _known(_sets(settings))
        _format(settings)
        _days(settings)

    def first(self, state: FeedState, now: datetime) -> _Place:
        """The first page of the first set."""
        settings = state.settings
        since = oldest_day(state, now, days=_days(settings))
        return _Place(format=_format(settings), sets=_sets(settings), since=since)

    def resumed(self, place: _Place, now: datetime) -> _Place:
        """The same page; the first one of its set where the token has expired."""
        is_old = place.expires is not None and place.expires <= require_utc(now)
        return place.beginning if is_old else place

    def request(self, place: _Place, state: FeedState) -> FetchRequest:
        """How a page of records is asked for."""
        url = f"{state.url or BASE}?{urlencode(place.query, safe=':')}"
        return FetchRequest(url=url, limiter="arxiv", interval_seconds=3.0)

    def read_page(self, page: Page, place: _Place) -> tuple[ParsedBatch, _Place | None]:
        """The papers of one answer; raises FetchFailed for what is no list of records.

        A token that is not taken begins its set anew, once: the protocol wants the list again.
        """
        harvest = read(page, _harvest_or_nothing if _may_restart(place) else read_harvest)
        if harvest is None:
            return ParsedBatch(), replace(place.beginning, restarts=1)
        return arxiv_batch(harvest, place.since), _after(place, harvest)

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
    return replace(place, page=place.page + 1, expires=harvest.expires, token=harvest.token)


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
