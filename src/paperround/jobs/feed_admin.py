"""What operators do with feeds: check, add, change, remove, preview, export and import them."""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any

from paperround.domain.errors import InvalidInput
from paperround.domain.feeds import FeedState, LiveFeed, NewFeed, Progress
from paperround.domain.papers import FeedId, ParsedBatch, Record, Reject, Show
from paperround.jobs.feeds import settings_of
from paperround.jobs.newsroom import Newsroom, ask
from paperround.jobs.ports import Source, UnitOfWork
from paperround.jobs.transactions import write

FEEDS = 500
"""Feeds read at a time."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,59}", re.ASCII)
_FIELDS = frozenset({"name", "kind", "url", "settings", "show", "enabled"})


# --- one feed ----------------------------------------------------------------------------------


def check_feed(sources: Mapping[str, Source], feed: NewFeed) -> None:
    """Raise InvalidInput when no feed can be made of this, its code naming the field:
    `name`, `kind`, `url`, or `settings.<name>`."""
    if not _NAME.fullmatch(feed.name):
        raise InvalidInput(
            f"{feed.name!r:.80} cannot be a feed's name: use up to 60 letters, digits, "
            "dots, dashes and underscores, such as arxiv-ml",
            code="name",
        )
    if feed.kind not in sources:
        raise InvalidInput(
            f"there is no kind of feed called {feed.kind!r:.60}: use one of {', '.join(sources)}",
            code="kind",
        )
    sources[feed.kind].check(feed.url, feed.settings)


def create_feed(newsroom: Newsroom, feed: NewFeed, *, now: datetime) -> LiveFeed:
    """Keep a new feed; it is due at once. Raises InvalidInput, as `check_feed` does."""
    check_feed(newsroom.sources, feed)
    return write(newsroom.database, lambda work: work.feeds.create(feed, now=now))


def update_feed(
    newsroom: Newsroom, feed_id: FeedId, changed: NewFeed, *, now: datetime
) -> LiveFeed:
    """Replace what was said of a feed. Raises NotFound, and InvalidInput as `check_feed` does."""
    check_feed(newsroom.sources, changed)
    return write(newsroom.database, lambda work: work.feeds.update(feed_id, changed, now=now))


def delete_feed(newsroom: Newsroom, feed_id: FeedId) -> None:
    """Forget a feed with its runs and rejects; its papers stay. Raises NotFound."""
    write(newsroom.database, lambda work: work.feeds.delete(feed_id))


# --- a look before it is kept ------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviewedPaper:
    """A paper as the source has it now."""

    title: str
    identifiers: Mapping[str, str]
    listed_on: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedPreview:
    """What the first page of a feed holds; `next` is where it would go on, None at its end."""

    papers: tuple[PreviewedPaper, ...]
    rejects: tuple[Reject, ...]
    next: str | None


def preview_feed(newsroom: Newsroom, feed: NewFeed, *, now: datetime) -> FeedPreview:
    """Read the first page of a feed that need not exist, and store nothing of it.

    A first page without papers is followed by the second: it may only say where the papers are.
    Raises InvalidInput as `check_feed` does, FetchFailed for what cannot be read, and RateLimited
    when the service may not be asked now.
    """
    check_feed(newsroom.sources, feed)
    batch = _page(newsroom, feed, Progress(), now)
    if not batch.records and batch.next is not None:
        later = _page(newsroom, feed, Progress(cursor=batch.next), now)
        batch = replace(later, rejects=batch.rejects + later.rejects)
    return FeedPreview(
        papers=tuple(_previewed(record) for record in batch.records),
        rejects=batch.rejects,
        next=batch.next,
    )


def _page(newsroom: Newsroom, feed: NewFeed, progress: Progress, now: datetime) -> ParsedBatch:
    source = newsroom.sources[feed.kind]
    state = FeedState(url=feed.url, settings=feed.settings, progress=progress)
    return ask(newsroom, source, source.plan(state, now))[1]


def _previewed(record: Record) -> PreviewedPaper:
    return PreviewedPaper(
        title=record.title, identifiers=record.identifiers, listed_on=record.listed_on
    )


# --- all feeds ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedImport:
    """What an import did, as names of feeds; a reject's position is its place in the file."""

    new: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    unchanged: tuple[str, ...] = ()
    rejects: tuple[Reject, ...] = field(default=())


def live_feeds(newsroom: Newsroom) -> list[LiveFeed]:
    """Every feed that is read by itself, by id."""
    with newsroom.database.reading() as work:
        return [feed for feed in _all(work) if feed.kind in newsroom.sources]


def _all(work: UnitOfWork) -> Iterable[LiveFeed]:
    after = FeedId(0)
    while page := work.feeds.page(after, limit=FEEDS):
        yield from page
        after = page[-1].id


def export_feeds(newsroom: Newsroom) -> dict[str, Any]:
    """Every live feed as an operator described it: what `import_feeds` reads."""
    return {"feeds": [feed_as_json(settings_of(feed)) for feed in live_feeds(newsroom)]}


def feed_as_json(feed: NewFeed) -> dict[str, Any]:
    """A feed as JSON, without how it is doing."""
    return {
        "name": feed.name,
        "kind": feed.kind,
        "url": feed.url,
        "settings": dict(feed.settings),
        "show": feed.show,
        "enabled": feed.enabled,
    }


def import_feeds(newsroom: Newsroom, content: bytes | str, *, now: datetime) -> FeedImport:
    """Add the feeds of an export, and change those whose name is known.

    An entry that is wrong is a reject and the others are kept. Raises InvalidInput when the whole
    is no export.
    """
    done: dict[str, list[str]] = {"new": [], "changed": [], "unchanged": []}
    rejects: list[Reject] = []
    for position, entry in enumerate(_entries(content), start=1):
        try:
            feed = read_feed(entry)
            check_feed(newsroom.sources, feed)
            done[write(newsroom.database, _putting(feed, now))].append(feed.name)
        except InvalidInput as error:
            rejects.append(
                Reject(
                    reason=error.code,
                    detail=str(error),
                    position=position,
                    excerpt=json.dumps(entry)[:500],
                )
            )
    return FeedImport(
        new=tuple(done["new"]),
        changed=tuple(done["changed"]),
        unchanged=tuple(done["unchanged"]),
        rejects=tuple(rejects),
    )


def _putting(feed: NewFeed, now: datetime) -> Callable[[UnitOfWork], str]:
    def put(work: UnitOfWork) -> str:
        standing = work.feeds.find(feed.name)
        if standing is None:
            work.feeds.create(feed, now=now)
            return "new"
        if settings_of(standing) == feed:
            return "unchanged"
        work.feeds.update(standing.id, feed, now=now)
        return "changed"

    return put


def _entries(content: bytes | str) -> list[Any]:
    try:
        document = json.loads(content)
    except (ValueError, RecursionError):
        raise InvalidInput("this is not JSON: give what `paperround feeds export` prints") from None
    entries = document.get("feeds") if isinstance(document, dict) else None
    if not isinstance(entries, list):
        raise InvalidInput('feeds stand in {"feeds": [...]}, as `paperround feeds export` has it')
    return entries


def read_feed(entry: Any) -> NewFeed:
    """A feed from JSON. Raises InvalidInput, its code naming the field that is wrong or unknown."""
    if not isinstance(entry, dict):
        raise InvalidInput("a feed is an object with a name and a kind", code="feed")
    unknown = sorted(entry.keys() - _FIELDS)
    if unknown:
        known = ", ".join(sorted(_FIELDS))
        raise InvalidInput(
            f"a feed has no {unknown[0]!r:.60}: it has {known}", code=f"{unknown[0]:.60}"
        )
    enabled = entry.get("enabled", True)
    if not isinstance(enabled, bool):
        raise InvalidInput("enabled is true or false", code="enabled")
    return NewFeed(
        name=_text(entry, "name"),
        kind=_text(entry, "kind"),
        url=None if entry.get("url") is None else _text(entry, "url"),
        settings=_settings(entry.get("settings") or {}),
        show=show_of(entry.get("show")),
        enabled=enabled,
    )


def show_of(value: Any) -> Show | None:
    """How much of a paper is shown; None leaves that to the paper. Raises InvalidInput."""
    if value is None:
        return None
    try:
        return Show(value)
    except ValueError:
        raise InvalidInput("show is full, gist or link", code="show") from None


def _text(entry: Mapping[str, Any], name: str) -> str:
    value = entry.get(name)
    if not isinstance(value, str) or not value:
        raise InvalidInput(f"a feed needs a {name}, as text", code=name)
    return value


def _settings(values: Any) -> dict[str, str]:
    if not isinstance(values, dict):
        raise InvalidInput("settings are an object of names and texts", code="settings")
    return {name: _setting(name, value) for name, value in values.items()}


def _setting(name: str, value: Any) -> str:
    """Whole numbers may stand without quotes."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise InvalidInput(f"the setting {name:.60} must be text", code=f"settings.{name:.60}")
    return str(value)
