"""A look at a feed before it is kept. Nothing is stored."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum

from paperround.core.interfaces import Clock
from paperround.feeds.chunk import ChunkEntry
from paperround.feeds.due import check_feed
from paperround.feeds.fetcher import FeedContext, ask
from paperround.feeds.model import FeedState, NewFeed, PollProgress
from paperround.http.model import FetchRequest, HttpClient, Page
from paperround.papers.merge import may_merge_by_title
from paperround.papers.model import ParsedBatch, Reject, Show
from paperround.papers.store.papers import PaperStore

MOST_PAGES = 3
"""Answers a look may ask for until one holds papers: a day without any is ordinary."""


class Fate(StrEnum):
    """What would become of a record: a `new` paper, a `known` one, or `nothing`, because it is
    news of a paper that is not here."""

    NEW = "new"
    KNOWN = "known"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviewedPaper:
    """A paper as it would be kept. `show` is how much of it the feed would show."""

    title: str
    identifiers: Mapping[str, str]
    authors: tuple[str, ...]
    listed_on: date | None
    show: Show
    becomes: Fate


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedPreview:
    """What the first page of a feed holds; `next` is where it would go on, None at its end.

    `url` is the address that answered, with `size` bytes after `seconds`, without the wait for the
    service's turn.
    """

    papers: tuple[PreviewedPaper, ...]
    rejects: tuple[Reject, ...]
    next: str | None
    url: str
    size: int
    seconds: float

    def count(self, fate: Fate) -> int:
        """How many papers would become this."""
        return sum(one.becomes is fate for one in self.papers)


@dataclass(slots=True)
class _Timed:
    """A client that tells how long its last answer took."""

    client: HttpClient
    clock: Clock
    seconds: float = 0.0

    def get(self, request: FetchRequest) -> Page:
        began = self.clock.now()
        page = self.client.get(request)
        self.seconds = max(0.0, (self.clock.now() - began).total_seconds())
        return page


def preview_feed(newsroom: FeedContext, feed: NewFeed, *, now: datetime) -> FeedPreview:
    """Read the first page of a feed that need not exist, and store nothing of it.

    A first page without papers is followed by the next: it may only say where the papers are.
    Raises InvalidInput as `check_feed` does, FetchFailed for what cannot be read, and RateLimited
    when the service may not be asked now.
    """
    check_feed(newsroom.sources, feed)
    timed = _Timed(newsroom.client, newsroom.clock)
    page, batch = _first_papers(replace(newsroom, client=timed), feed, now)
    entries = [ChunkEntry(record) for record in batch.records]
    return FeedPreview(
        papers=tuple(
            PreviewedPaper(
                title=one.record.title,
                identifiers=one.raw.identifiers,
                authors=one.record.authors,
                listed_on=one.raw.listed_on,
                show=feed.show or one.raw.show,
                becomes=fate,
            )
            for one, fate in zip(entries, _fates(newsroom, entries), strict=True)
        ),
        rejects=batch.rejects,
        next=batch.next,
        url=page.url,
        size=len(page.body),
        seconds=timed.seconds,
    )


def _first_papers(newsroom: FeedContext, feed: NewFeed, now: datetime) -> tuple[Page, ParsedBatch]:
    """The first page that holds papers, else the last that is looked at; the rejects of all."""
    source = newsroom.sources[feed.kind]
    cursor: str | None = None
    rejects: tuple[Reject, ...] = ()
    for _ in range(MOST_PAGES):
        state = FeedState(
            url=feed.url, settings=feed.settings, progress=PollProgress(cursor=cursor)
        )
        page, batch = ask(newsroom, source, source.plan(state, now))
        rejects += batch.rejects
        cursor = batch.next
        if cursor is None or batch.records:
            break
    return page, replace(batch, rejects=rejects)


def _fates(newsroom: FeedContext, entries: Sequence[ChunkEntry]) -> list[Fate]:
    """What each would become. A paper is known by its identifiers, else as ingest would tell it by
    its title, first author and year."""
    with newsroom.database.reading() as work:
        named = work[PaperStore].find({pair for one in entries for pair in one.pairs})
        strange = [one for one in entries if not any(pair in named for pair in one.pairs)]
        keys = {("title_key", one.key) for one in strange if one.names_a_work}
        titled = work[PaperStore].find(keys)
        papers = work[PaperStore].load(set(titled.values()))

    def fate(one: ChunkEntry) -> Fate:
        if any(pair in named for pair in one.pairs):
            return Fate.KNOWN
        namesake = titled.get(("title_key", one.key)) if one.names_a_work else None
        if namesake is not None and may_merge_by_title(one.record, papers[namesake]):
            return Fate.KNOWN
        return Fate.NEW if one.raw.announces else Fate.NOTHING

    return [fate(one) for one in entries]
