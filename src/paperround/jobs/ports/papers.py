"""Papers: reading, keeping, ranking and finding them."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from paperround.domain.editions import Candidate, Ranking
from paperround.domain.feeds import FeedState, FetchRequest, Page, Witnessed
from paperround.domain.outlooks import Chooser
from paperround.domain.papers import Paper, PaperId, ParsedBatch
from paperround.domain.ports import HttpClient
from paperround.domain.tastes import Taste


class Reader(Protocol):
    """Turns the bytes of a file of one format into records. Pure."""

    def __call__(self, content: bytes) -> ParsedBatch: ...


class Source(Protocol):
    """Knows one service: what to ask it, and how to read what it says."""

    @property
    def kind(self) -> str: ...

    @property
    def settings(self) -> Mapping[str, str]:
        """The settings it knows, each with one line for people."""
        ...

    @property
    def interval(self) -> timedelta:
        """The pause between two polls on an ordinary day."""
        ...

    def check(self, url: str | None, settings: Mapping[str, str]) -> None:
        """Raise InvalidInput, its code naming the field, when a feed cannot be made of these."""
        ...

    def plan(self, state: FeedState, now: datetime) -> FetchRequest:
        """The next request of a poll: the first page, or the one its cursor names."""
        ...

    def fetch(self, client: HttpClient, request: FetchRequest) -> Page: ...

    def parse(self, page: Page) -> ParsedBatch:
        """What the page holds; `next` is the cursor of the poll's next page. Pure.

        Raises FetchFailed or InvalidInput when the answer is no page of this service."""
        ...

    def expects(self, after: datetime) -> datetime | None:
        """When the first batch after this instant ought to be there; None: it has no rhythm."""
        ...

    def holiday(self, now: datetime) -> bool:
        """Whether the service announces nothing on this day."""
        ...


class Witness(Protocol):
    """Another page of a service, asked before one of its feeds is called stale."""

    def plan(self, state: FeedState) -> FetchRequest | None:
        """The request; None when nothing speaks for a feed with these settings."""
        ...

    def fetch(self, client: HttpClient, request: FetchRequest) -> Page: ...

    def parse(self, page: Page) -> Witnessed:
        """What the page says. Pure. Raises FetchFailed when it says nothing of a batch."""
        ...


class Ranker(Protocol):
    """Orders candidates. Pure: same candidates, background and `as_of`, same order."""

    @property
    def name(self) -> str:
        """Name and version; stored with every edition."""
        ...

    def rank(
        self,
        candidates: Sequence[Candidate],
        *,
        background: Sequence[str],
        as_of: datetime,
        submitter_cap: int,
    ) -> Ranking: ...


class Summariser(Protocol):
    """A machine that says in one sentence what is new. Nothing it says is to be trusted."""

    def ask(self, paper: Paper) -> str:
        """Its answer, "" when there is none of use. Raises FetchFailed."""
        ...


class TasteDay(Protocol):
    """The papers of one edition, made ready for everybody's taste."""

    def chooser(
        self,
        tastes: Sequence[Taste],
        load: Callable[[Sequence[PaperId]], Mapping[PaperId, Paper]],
    ) -> Chooser:
        """Chooses for readers of these tastes. Papers that were not read yet are asked of `load`;
        what it does not know says nothing."""
        ...


class TasteModel(Protocol):
    """Knows what papers are worth to readers. Pure: same papers and outlooks, same picks."""

    def day(
        self,
        papers: Sequence[Paper],
        scores: Sequence[float],
        background: Sequence[str],
        shown: int,
    ) -> TasteDay:
        """The papers on the shelf of an edition with their scores, of which the first are `shown`
        to everybody, and earlier titles and abstracts, made ready."""
        ...


class SummaryShelf(Protocol):
    """What a machine said of texts so far. Never raises: what cannot be read was never said."""

    def get(self, title: str, abstract: str) -> str | None:
        """What may be shown, "" when nothing may; None: it was never asked."""
        ...

    def put(self, title: str, abstract: str, text: str) -> None: ...

    def forget(self, *, before: datetime) -> None:
        """Drop what was put before."""
        ...


class TextRepair(Protocol):
    """Makes a source's text readable. Pure; a wrong repair is worse than none."""

    def __call__(self, text: str) -> str: ...


class GistChooser(Protocol):
    """Chooses the one sentence of an abstract that says what is new."""

    def __call__(self, title: str, abstract: str) -> str: ...
