"""Export feeds as JSON, and import them from JSON or OPML."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, fields, replace
from datetime import datetime

from paperround.access.model import COMMAND_LINE
from paperround.core.errors import InvalidInput
from paperround.db.transactions import Transaction, write
from paperround.feeds.dataclass_json import from_json
from paperround.feeds.due import check_feed, feed_settings, store_changed, store_new
from paperround.feeds.fetcher import FeedContext
from paperround.feeds.model import MOST_FEEDS, DescribedFeed, LiveFeed, NewFeed
from paperround.feeds.opml import read_opml
from paperround.feeds.store.feeds import FeedStore
from paperround.papers.model import FeedId, Reject

FEEDS = 500
"""Feeds per query of an export."""

_FIELDS = frozenset(one.name for one in fields(NewFeed))
_LONGEST_NAME = 60
_EXCERPT = 500
_BEFORE_XML = b"\xef\xbb\xbf\xff\xfe\0 \t\r\n"
"""Bytes allowed before the first `<`, in UTF-8 or UTF-16."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedImport:
    """The names of imported feeds; a reject's position is its place in the file."""

    new: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    unchanged: tuple[str, ...] = ()
    rejects: tuple[Reject, ...] = ()


def iter_feeds(context: FeedContext) -> Iterator[NewFeed]:
    """Yield the settings of every live feed, by id. Each page has its own transaction, so that a
    slow client holds none open."""
    after = FeedId(0)
    while True:
        with context.database.reading() as work:
            page = work[FeedStore].page(after, limit=FEEDS)
        if not page:
            return
        yield from (feed_settings(feed) for feed in page if feed.kind in context.sources)
        after = page[-1].id


def export_feeds(context: FeedContext) -> Iterator[str]:
    """Yield the pieces of a JSON file of every live feed, as `import_feeds` reads it."""
    yield '{"feeds": ['
    separator = ""
    for feed in iter_feeds(context):
        yield separator + json.dumps(asdict(feed), ensure_ascii=False)
        separator = ", "
    yield "]}"


def import_feeds(
    context: FeedContext, content: bytes | str, *, now: datetime, by: str = COMMAND_LINE
) -> FeedImport:
    """Add the feeds of a file and change those of a known name, in one transaction.

    The content tells OPML from JSON. Invalid entries become rejects. Raises InvalidInput when the
    file is neither, or holds more than `MOST_FEEDS`.
    """
    entries = _entries(content.encode() if isinstance(content, str) else content)
    if len(entries) > MOST_FEEDS:
        raise InvalidInput(
            f"the file has {len(entries):,} feeds: at most {MOST_FEEDS:,} are imported at once"
        )
    checked = [(entry, _check_entry(context, entry)) for entry in entries]
    return write(context.database, lambda work: _import(work, context, checked, now, by))


def _check_entry(context: FeedContext, entry: DescribedFeed) -> NewFeed | Reject:
    try:
        if entry.problem is not None:
            reason, detail = entry.problem
            raise InvalidInput(detail, code=reason)
        feed = read_feed(entry.value)
        check_feed(context.sources, feed)
    except InvalidInput as error:
        return _reject(entry, error)
    return feed


def _reject(entry: DescribedFeed, error: InvalidInput) -> Reject:
    """Return a reject naming the outline, since positions are hard to find in nested folders."""
    label = f"{entry.label!r:.80}: " if entry.label else ""
    return Reject(
        reason=error.code,
        detail=f"{label}{error}",
        position=entry.position,
        excerpt=json.dumps(entry.value)[:_EXCERPT],
    )


def _import(
    work: Transaction,
    context: FeedContext,
    checked: Iterable[tuple[DescribedFeed, NewFeed | Reject]],
    now: datetime,
    by: str,
) -> FeedImport:
    done: dict[str, list[str]] = {"new": [], "changed": [], "unchanged": []}
    rejects: list[Reject] = []
    index = _FeedIndex(work, context, now, by)
    positions: dict[str, int] = {}
    for entry, feed in checked:
        if isinstance(feed, Reject):
            rejects.append(feed)
            continue
        try:
            if entry.is_named and positions.setdefault(feed.name, entry.position) != entry.position:
                raise InvalidInput(
                    f"feed {positions[feed.name]} of the file is called {feed.name}, too",
                    code="duplicate",
                )
            action, name = index.save(feed, entry.is_named)
            done[action].append(name)
        except InvalidInput as error:
            rejects.append(_reject(entry, error))
    named = {action: tuple(names) for action, names in done.items()}
    return FeedImport(**named, rejects=tuple(rejects))


class _FeedIndex:
    """Index existing feeds by name and address while others are imported."""

    def __init__(self, work: Transaction, context: FeedContext, now: datetime, by: str) -> None:
        self._work = work
        self._now = now
        self._by = by
        self._kinds = context.sources
        feeds = work[FeedStore].all()
        self._by_name = {feed.name: feed for feed in feeds}
        self._numbers: dict[str, int] = {}
        self._names_by_address = {_address_key(feed_settings(feed)): feed.name for feed in feeds}

    def save(self, feed: NewFeed, is_named: bool) -> tuple[str, str]:
        """Create or change a feed; return what was done, and its name."""
        if not is_named:  # a feed of the same address is kept unchanged, whatever its name
            if (name := self._names_by_address.get(_address_key(feed))) is not None:
                return "unchanged", name
            return self._create(replace(feed, name=self._free_name(feed.name)))
        existing = self._by_name.get(feed.name)
        if existing is None:
            return self._create(feed)
        if existing.kind not in self._kinds:
            raise InvalidInput(
                f"this name is reserved for files: feeds of files are called {feed.name}",
                code="name",
            )
        if feed_settings(existing) == feed:
            return "unchanged", feed.name
        self._add(store_changed(self._work, existing, feed, now=self._now, by=self._by))
        return "changed", feed.name

    def _free_name(self, name: str) -> str:
        """Return `name`, with a number appended when it is taken."""
        free, number = name, self._numbers.get(name, 1)
        while free in self._by_name:
            number += 1
            end = f"-{number}"
            free = name[: _LONGEST_NAME - len(end)] + end
        self._numbers[name] = number
        return free

    def _create(self, feed: NewFeed) -> tuple[str, str]:
        self._add(store_new(self._work, feed, now=self._now, by=self._by))
        return "new", feed.name

    def _add(self, feed: LiveFeed) -> None:
        self._by_name[feed.name] = feed
        self._names_by_address[_address_key(feed_settings(feed))] = feed.name


def _address_key(feed: NewFeed) -> tuple[object, ...]:
    """Return what a feed reads, without its name."""
    return feed.kind, feed.url, *sorted(feed.settings.items())


def _entries(content: bytes) -> Sequence[DescribedFeed]:
    if not content.strip():
        raise InvalidInput("the file is empty: give a file from `paperround feeds export`")
    if content.lstrip(_BEFORE_XML).startswith(b"<"):
        return read_opml(content)
    try:
        document = json.loads(content)
    except (ValueError, RecursionError):
        raise InvalidInput(
            "this is neither JSON nor OPML: give a file from `paperround feeds export`"
        ) from None
    entries = document.get("feeds") if isinstance(document, dict) else None
    if not isinstance(entries, list):
        raise InvalidInput(
            'feeds belong in {"feeds": [...]}, as in a file from `paperround feeds export`'
        )
    return [DescribedFeed(position=n, value=one) for n, one in enumerate(entries, start=1)]


def read_feed(entry: object) -> NewFeed:
    """Return a feed from JSON; whole numbers are accepted as settings. Raises InvalidInput; its
    code is the wrong or unknown field."""
    if not isinstance(entry, dict):
        raise InvalidInput("a feed is an object with a name and a kind", code="feed")
    for unknown in sorted(entry.keys() - _FIELDS):
        known = ", ".join(sorted(_FIELDS))
        raise InvalidInput(f"a feed has no {unknown!r:.60}: it has {known}", code=f"{unknown:.60}")
    settings = {} if entry.get("settings") is None else entry["settings"]
    if isinstance(settings, dict):
        settings = {name: str(one) if type(one) is int else one for name, one in settings.items()}
    feed: NewFeed = from_json(NewFeed, entry | {"settings": settings})
    return feed
