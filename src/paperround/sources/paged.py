"""The base of sources that read a service page by page.

A poll asks for one page after the other. Between two of them its cursor holds the place of the next
page, a frozen dataclass, and a hash of the settings the poll was begun with, as JSON. A poll
that stopped goes on at its place; one that was begun with other settings begins anew.
"""

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import asdict, is_dataclass, replace
from datetime import date, datetime, timedelta
from enum import Enum
from types import MappingProxyType, UnionType
from typing import Any, ClassVar, Generic, TypeVar, get_args, get_origin, get_type_hints

from paperround.domain.errors import InvalidInput
from paperround.domain.feeds import FeedState, FetchRequest, Page
from paperround.domain.papers import ParsedBatch
from paperround.domain.ports import HttpClient
from paperround.domain.times import format_instant, parse_date, parse_instant
from paperround.sources.entries import fingerprint
from paperround.sources.polling import check_names, check_url

P = TypeVar("P")

_ASKED = "asked"


class PagedSource(ABC, Generic[P]):
    """A service that is read page by page; `P` is the place of a page."""

    kind: str
    settings: Mapping[str, str] = MappingProxyType({})
    interval: timedelta = timedelta(hours=6)
    place: ClassVar[type[Any]]

    @abstractmethod
    def check_settings(self, settings: Mapping[str, str]) -> None:
        """Raise InvalidInput, its code naming the setting, for a value the source cannot use."""

    @abstractmethod
    def first(self, state: FeedState, now: datetime) -> P:
        """The first page of a poll that begins now."""

    @abstractmethod
    def request(self, place: P, state: FeedState) -> FetchRequest:
        """How a page is asked for; `plan` adds the cursor."""

    @abstractmethod
    def read_page(self, page: Page, place: P) -> tuple[ParsedBatch, P | None]:
        """The papers of a page, and the place of the next one. Raises FetchFailed for what is no
        page of this service."""

    def resumed(self, place: P, now: datetime) -> P:
        """Where a poll goes on that stopped before `place`."""
        del now
        return place

    def check(self, url: str | None, settings: Mapping[str, str]) -> None:
        """Refuse, with the name of the field, what the source could not work with."""
        check_url(url)
        check_names(settings, self.settings, self.kind)
        self.check_settings(settings)

    def plan(self, state: FeedState, now: datetime) -> FetchRequest:
        """The next page to ask for."""
        asked = asked_with(state.settings)
        place, begun_with = self._stopped(state.progress.cursor or "")
        if place is None or begun_with != asked:
            place = self.first(state, now)
        else:
            place = self.resumed(place, now)
        return replace(self.request(place, state), cursor=write_place(place, asked))

    def fetch(self, client: HttpClient, request: FetchRequest) -> Page:
        """The answer to one request."""
        return client.get(request)

    def parse(self, page: Page) -> ParsedBatch:
        """The papers of one page, and the cursor of the next. Raises FetchFailed for what is no
        page of this service."""
        place, asked = self._stopped(page.request.cursor)
        if place is None:
            raise ValueError(f"{page.request.cursor!r} is no cursor of {self.kind}")
        batch, following = self.read_page(page, place)
        return replace(batch, next=None if following is None else write_place(following, asked))

    def expects(self, after: datetime) -> datetime | None:
        """When the next batch ought to be there: nobody knows."""
        del after
        return None

    def holiday(self, now: datetime) -> bool:
        """Whether nothing is announced on this day: never."""
        del now
        return False

    def _stopped(self, cursor: str) -> tuple[P | None, str]:
        """The place that a cursor holds and what it was begun with; (None, "") for any other."""
        try:
            values = json.loads(cursor)
            return _read(self.place, values), str(values[_ASKED])
        except (InvalidInput, ValueError, KeyError, TypeError, RecursionError):
            return None, ""


def asked_with(settings: Mapping[str, str]) -> str:
    """The hash of a feed's settings that a cursor holds."""
    return fingerprint(json.dumps(sorted(settings.items())).encode())


def write_place(place: Any, asked: str) -> str:
    """The cursor that holds `place`."""
    return json.dumps({_ASKED: asked, **asdict(place)}, default=_plain, separators=(",", ":"))


def _plain(value: object) -> str:
    return format_instant(value) if isinstance(value, datetime) else str(value)


def _read(kind: Any, value: Any) -> Any:
    """`value`, of JSON, as what a field of type `kind` holds. Raises ValueError, KeyError or
    TypeError for any other."""
    if isinstance(kind, UnionType):
        [kind] = [one for one in get_args(kind) if one is not type(None)]
        return None if value is None else _read(kind, value)
    if is_dataclass(kind):
        make: Any = kind
        hints = get_type_hints(kind)
        return make(**{name: _read(hint, value[name]) for name, hint in hints.items()})
    if get_origin(kind) is tuple:
        return tuple(_read(get_args(kind)[0], one) for one in value)
    if kind in (date, datetime):
        return (parse_date if kind is date else parse_instant)(_read(str, value))
    if issubclass(kind, Enum):
        return kind(value)
    if not isinstance(value, kind):
        raise InvalidInput(f"{value!r:.60} is no {kind.__name__}")
    return value
