"""Preview a feed without storing anything."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from paperround.core.interfaces import Clock
from paperround.feeds.chunk import ChunkEntry
from paperround.feeds.due import check_feed
from paperround.feeds.fetcher import FeedContext, ask
from paperround.feeds.ingest import shown_as
from paperround.feeds.model import FeedState, NewFeed, PollProgress
from paperround.http.model import FetchRequest, HttpClient, Page
from paperround.papers.merge import may_merge_by_title
from paperround.papers.model import ParsedBatch, Record, Reject
from paperround.papers.store.papers import PaperStore

MOST_PAGES = 3
"""Pages a preview reads to find papers: a day without any is normal."""


class Fate(StrEnum):
    """Whether a record becomes a `new` paper, a `known` one, or `nothing`, as an update only."""

    NEW = "new"
    KNOWN = "known"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviewedPaper:
    """A record with repaired texts, and what ingest would make of it."""

    record: Record
    becomes: Fate


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedPreview:
    """The first page of a feed; `next` is the cursor of the next page, None at the end.

    The page came in `seconds`, without waiting for its turn.
    """

    papers: tuple[PreviewedPaper, ...]
    rejects: tuple[Reject, ...]
    next: str | None
    page: Page
    seconds: float

    def count(self, fate: Fate) -> int:
        """Return the number of papers with this fate."""
        return sum(one.becomes == fate for one in self.papers)


@dataclass(slots=True)
class _TimedClient:
    """An HTTP client that measures the duration of its last request."""

    client: HttpClient
    clock: Clock
    seconds: float = 0.0

    def get(self, request: FetchRequest) -> Page:
        began = self.clock.now()
        page = self.client.get(request)
        self.seconds = max(0.0, (self.clock.now() - began).total_seconds())
        return page


def preview_feed(context: FeedContext, feed: NewFeed, *, now: datetime) -> FeedPreview:
    """Read the first page of a feed that need not exist, and store nothing.

    Pages without papers are followed, up to `MOST_PAGES`. Raises InvalidInput as `check_feed` does,
    FetchFailed when the feed cannot be read, and RateLimited when its service is not available.
    """
    check_feed(context.sources, feed)
    timed = _TimedClient(context.client, context.clock)
    page, batch = _first_papers(replace(context, client=timed), feed, now)
    entries = [ChunkEntry(record) for record in shown_as(batch, feed.show).records]
    return FeedPreview(
        papers=tuple(
            PreviewedPaper(record=one.record, becomes=fate)
            for one, fate in zip(entries, _fates(context, entries), strict=True)
        ),
        rejects=batch.rejects,
        next=batch.next,
        page=page,
        seconds=timed.seconds,
    )


def _first_papers(context: FeedContext, feed: NewFeed, now: datetime) -> tuple[Page, ParsedBatch]:
    """Return the first page with papers, or the last one read, with the rejects of all."""
    source = context.sources[feed.kind]
    cursor: str | None = None
    rejects: tuple[Reject, ...] = ()
    for _ in range(MOST_PAGES):
        state = FeedState(
            url=feed.url, settings=feed.settings, progress=PollProgress(cursor=cursor)
        )
        page, batch = ask(context, source.plan(state, now), source.parse)
        rejects += batch.rejects
        cursor = batch.next
        if cursor is None or batch.records:
            break
    return page, replace(batch, rejects=rejects)


def _fates(context: FeedContext, entries: Sequence[ChunkEntry]) -> list[Fate]:
    """Return the fate of each entry, matched by identifier or title as ingest does."""
    with context.database.reading() as work:
        named = work[PaperStore].find({pair for one in entries for pair in one.pairs})
        strange = [one for one in entries if not any(pair in named for pair in one.pairs)]
        keys = {("title_key", one.key) for one in strange if one.has_title_key}
        titled = work[PaperStore].find(keys)
        papers = work[PaperStore].load(set(titled.values()))

    def fate(one: ChunkEntry) -> Fate:
        if any(pair in named for pair in one.pairs):
            return Fate.KNOWN
        namesake = titled.get(("title_key", one.key)) if one.has_title_key else None
        if namesake is not None and may_merge_by_title(one.record, papers[namesake]):
            return Fate.KNOWN
        return Fate.NEW if one.raw.announces else Fate.NOTHING

    return [fate(one) for one in entries]
