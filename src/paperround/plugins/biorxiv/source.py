"""bioRxiv and medRxiv, read by themselves: every version posted on the last days.

A page holds as many rows as the service likes (30 at times, 100 at others), so the next begins
where this one ended, until one is empty or all that was announced has come. The interval is the
same for all pages of a poll. Nothing is asked for conditionally: an unchanged page would not say
where the next one begins, and what is new stands on the last.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, time
from difflib import get_close_matches
from functools import partial
from typing import ClassVar
from urllib.parse import quote_plus
from zoneinfo import ZoneInfo

from paperround.core.errors import FetchFailed, InvalidInput
from paperround.core.times import require_utc
from paperround.feeds.model import FeedState, NewFeed, PublicAddress, Setting
from paperround.feeds.sources.base import (
    DEFAULT_DAYS,
    PublishingSchedule,
    Source,
    any_of,
    days_of,
    days_setting,
    listed,
    oldest_day,
    read,
)
from paperround.http.model import FetchRequest, Page
from paperround.papers.model import ParsedBatch
from paperround.plugins.biorxiv.record import SUBJECTS, read_answer, subject_of

BASE = "https://api.biorxiv.org/details"
SERVERS = ("biorxiv", "medrxiv")

_MOST_ROWS = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class _BiorxivPlace:
    index: int = 0
    start: int = 0
    since: date
    until: date
    servers: tuple[str, ...]
    subjects: tuple[str, ...]

    @property
    def next_server(self) -> "_BiorxivPlace | None":
        """Where the next server begins; None after the last."""
        if self.index + 1 >= len(self.servers):
            return None
        return replace(self, index=self.index + 1, start=0)


class Biorxiv(Source[_BiorxivPlace]):
    """The source `biorxiv`."""

    kind: str = "biorxiv"
    settings: ClassVar[Mapping[str, Setting]] = {
        "server": Setting(
            "biorxiv (default), medrxiv, or both, separated by a comma.",
            values=any_of(SERVERS),
            many=True,
            default=SERVERS[0],
        ),
        "categories": Setting(
            "Only papers of these subjects, separated by commas "
            "(neuroscience,cell biology); all of them if left out.",
            values=any_of(sorted(SUBJECTS)),
            many=True,
        ),
        "days": days_setting(
            f"How many days before today are read again, 0 to 30 (default {DEFAULT_DAYS})."
        ),
    }
    # 20:00 in New York of the next working day. On Saturday and Sunday, by the service's clock, few
    # papers come, and none must.
    rhythm = PublishingSchedule(zone=ZoneInfo("America/New_York"), at=time(20), all_day=True)
    place = _BiorxivPlace

    def public(self, feed: NewFeed) -> PublicAddress:
        """The server's own feed of these subjects."""
        server = (listed(feed.settings.get("server", "").lower()) or SERVERS)[0]
        named = listed(feed.settings.get("categories", ""))
        subjects = "+".join(quote_plus(one.replace(" ", "_")) for one in named) or "all"
        host = quote_plus(server)
        return PublicAddress(
            feed=f"https://connect.{host}.org/{host}_xml.php?subject={subjects}",
            page=f"https://www.{host}.org/",
        )

    def check_settings(self, settings: Mapping[str, str]) -> None:
        """Refuse, with the name of the field, what the source could not work with."""
        _servers(settings)
        _subjects(settings)
        days_of(settings)

    def first(self, state: FeedState, now: datetime) -> _BiorxivPlace:
        """The first page of the first server."""
        settings = state.settings
        return _BiorxivPlace(
            since=oldest_day(state, now, days=days_of(settings)),
            until=require_utc(now).date(),
            servers=_servers(settings),
            subjects=_subjects(settings),
        )

    def request(self, place: _BiorxivPlace, state: FeedState) -> FetchRequest:
        """How the rows from a place on are asked for."""
        path = f"{place.servers[place.index]}/{place.since}/{place.until}/{place.start}/json"
        url = f"{(state.url or BASE).rstrip('/')}/{path}"
        return FetchRequest(url=url, limiter="biorxiv", interval_seconds=1.0)

    def read_page(
        self, page: Page, place: _BiorxivPlace
    ) -> tuple[ParsedBatch, _BiorxivPlace | None]:
        """The papers of one answer; raises FetchFailed for what is no answer with papers."""
        answer = read(page, partial(read_answer, subjects=frozenset(place.subjects)))
        # The next page is behind the rows of this one; that of the next server when there are none.
        end = place.start + answer.rows
        if not answer.rows and answer.total and not place.start:
            raise FetchFailed(
                f"{place.servers[place.index]} answered no papers though it announced "
                f"{answer.total:,}: ask again later"
            )
        if not answer.rows or (answer.total is not None and end >= answer.total):
            return answer.batch, place.next_server
        if end >= _MOST_ROWS:
            span = f"{place.since} to {place.until}"
            raise FetchFailed(f"the papers of {span} go on after {_MOST_ROWS:,} rows")
        return answer.batch, replace(place, start=end)


def _servers(settings: Mapping[str, str]) -> tuple[str, ...]:
    named = listed(settings.get("server", SERVERS[0]).lower())
    if not named or not set(named) <= set(SERVERS):
        raise InvalidInput(
            "server must be biorxiv, medrxiv, or both, separated by a comma",
            code="settings.server",
        )
    return named


def _subjects(settings: Mapping[str, str]) -> tuple[str, ...]:
    """The subjects that are wanted, in one spelling; none means all."""
    named = tuple(dict.fromkeys(map(subject_of, listed(settings.get("categories", "")))))
    wrong = next((one for one in named if one not in SUBJECTS), None)
    if wrong is not None:
        near = get_close_matches(wrong[:60], SUBJECTS, n=1)
        hint = f"did you mean {near[0]!r}?" if near else "write them like neuroscience,cell biology"
        raise InvalidInput(
            f"{wrong!r:.60} is not a subject of bioRxiv or medRxiv: {hint}",
            code="settings.categories",
        )
    return named
