"""A look at a feed before it is kept, or at how its service answers today. Nothing is stored."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from enum import StrEnum

from paperround.domain.errors import FetchFailed, InvalidInput
from paperround.domain.feeds import FeedState, FetchRequest, NewFeed, Page, Progress
from paperround.domain.merge import may_merge_by_title
from paperround.domain.papers import ParsedBatch, Record, Reject, Show
from paperround.domain.ports import Clock, HttpClient
from paperround.jobs.chunk import Entry
from paperround.jobs.feed_admin import check_feed
from paperround.jobs.newsroom import Newsroom, ask

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """One answer of a service, and what it holds: `batch`, or the `error` that kept it from being
    read."""

    page: Page
    seconds: float
    batch: ParsedBatch = field(default_factory=ParsedBatch)
    error: FetchFailed | InvalidInput | None = None


@dataclass(slots=True)
class _Watched:
    """A client that keeps its last answer, and how long that took."""

    client: HttpClient
    clock: Clock
    page: Page | None = None
    seconds: float = 0.0

    def get(self, request: FetchRequest) -> Page:
        began = self.clock.now()
        self.page = self.client.get(request)
        self.seconds = max(0.0, (self.clock.now() - began).total_seconds())
        return self.page


def look_at(newsroom: Newsroom, feed: NewFeed, *, now: datetime, pages: int = 1) -> Look:
    """Ask for the first page of a feed that need not exist, and while it holds no papers for the
    next, at most `pages` in all; the rejects of all of them are kept.

    Raises InvalidInput as `check_feed` does, FetchFailed when there is no answer, and RateLimited
    when the service may not be asked now. An answer that cannot be read is no error here.
    """
    check_feed(newsroom.sources, feed)
    seen = _asked(newsroom, feed, None, now)
    for _ in range(1, pages):
        if seen.batch.next is None or seen.batch.records:
            break
        before = seen.batch.rejects
        seen = _asked(newsroom, feed, seen.batch.next, now)
        seen = replace(seen, batch=replace(seen.batch, rejects=before + seen.batch.rejects))
    return seen


def _asked(newsroom: Newsroom, feed: NewFeed, cursor: str | None, now: datetime) -> Look:
    source = newsroom.sources[feed.kind]
    state = FeedState(url=feed.url, settings=feed.settings, progress=Progress(cursor=cursor))
    watched = _Watched(newsroom.client, newsroom.clock)
    try:
        page, batch = ask(replace(newsroom, client=watched), source, source.plan(state, now))
    except (FetchFailed, InvalidInput) as error:
        if watched.page is None:
            raise
        return Look(page=watched.page, seconds=watched.seconds, error=error)
    return Look(page=page, seconds=watched.seconds, batch=batch)


def preview_feed(newsroom: Newsroom, feed: NewFeed, *, now: datetime) -> FeedPreview:
    """Read the first page of a feed that need not exist, and store nothing of it.

    A first page without papers is followed by the next: it may only say where the papers are.
    Raises InvalidInput as `check_feed` does, FetchFailed for what cannot be read, and RateLimited
    when the service may not be asked now.
    """
    seen = look_at(newsroom, feed, now=now, pages=MOST_PAGES)
    if seen.error is not None:
        raise seen.error
    entries = [Entry(record) for record in seen.batch.records]
    known = _known(newsroom, entries)
    return FeedPreview(
        papers=tuple(
            _previewed(entry, feed, is_known=is_known)
            for entry, is_known in zip(entries, known, strict=True)
        ),
        rejects=seen.batch.rejects,
        next=seen.batch.next,
        url=seen.page.url,
        size=len(seen.page.body),
        seconds=seen.seconds,
    )


def _known(newsroom: Newsroom, entries: Sequence[Entry]) -> list[bool]:
    """Whether each is of a paper that is here: by its identifiers, else as ingest would tell it by
    its title, first author and year."""
    with newsroom.database.reading() as work:
        named = work.papers.find({pair for one in entries for pair in one.pairs})
        strange = [one for one in entries if not any(pair in named for pair in one.pairs)]
        keys = {("title_key", one.key) for one in strange if one.names_a_work}
        titled = work.papers.find(keys)
        papers = work.papers.load(set(titled.values()))

    def is_known(one: Entry) -> bool:
        if any(pair in named for pair in one.pairs):
            return True
        namesake = titled.get(("title_key", one.key)) if one.names_a_work else None
        return namesake is not None and may_merge_by_title(one.record, papers[namesake])

    return [is_known(one) for one in entries]


def _previewed(entry: Entry, feed: NewFeed, *, is_known: bool) -> PreviewedPaper:
    record, readable = entry.raw, entry.record
    return PreviewedPaper(
        title=readable.title,
        identifiers=record.identifiers,
        authors=readable.authors,
        listed_on=record.listed_on,
        show=feed.show or record.show,
        becomes=_fate(record, is_known=is_known),
    )


def _fate(record: Record, *, is_known: bool) -> Fate:
    if is_known:
        return Fate.KNOWN
    return Fate.NEW if record.announces else Fate.NOTHING
