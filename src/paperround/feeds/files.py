"""All feeds into a file, and out of one: JSON, or OPML through a reader that is handed in."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from paperround.core.errors import InvalidInput
from paperround.db.transactions import Transaction, write
from paperround.feeds.due import FEEDS, check_feed, every_feed, settings_of
from paperround.feeds.fetcher import FeedContext
from paperround.feeds.model import MOST_FEEDS, DescribedFeed, LiveFeed, NewFeed, feed_as_json
from paperround.feeds.store.feeds import FeedStore
from paperround.papers.model import FeedId, Reject, Show

OpmlReader = Callable[[bytes], Sequence[DescribedFeed]]
"""Reads an OPML file; raises InvalidInput when it is none."""

_FIELDS = frozenset({"name", "kind", "url", "settings", "show", "enabled"})
_LONGEST_NAME = 60
_EXCERPT = 500
_BEFORE_XML = b"\xef\xbb\xbf\xff\xfe\0 \t\r\n"
"""Bytes that may stand before the first `<`, in UTF-8 or UTF-16."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedImport:
    """What an import did, as names of feeds; a reject's position is its place in the file."""

    new: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    unchanged: tuple[str, ...] = ()
    rejects: tuple[Reject, ...] = ()


# --- out ---------------------------------------------------------------------------------------


def exported_feeds(newsroom: FeedContext) -> Iterator[NewFeed]:
    """Every live feed as an operator described it, by id. They are read page by page while they are
    consumed, each page by itself: nobody holds a transaction open while a client is slow."""
    after = FeedId(0)
    while True:
        with newsroom.database.reading() as work:
            page = work[FeedStore].page(after, limit=FEEDS)
        if not page:
            return
        yield from (settings_of(feed) for feed in page if feed.kind in newsroom.sources)
        after = page[-1].id


def export_feeds(newsroom: FeedContext) -> Iterator[str]:
    """The pieces of a JSON file of every live feed, a feed at a time: what `import_feeds` reads."""
    yield '{"feeds": ['
    between = ""
    for feed in exported_feeds(newsroom):
        yield between + json.dumps(feed_as_json(feed), ensure_ascii=False)
        between = ", "
    yield "]}"


# --- in ----------------------------------------------------------------------------------------


def import_feeds(
    newsroom: FeedContext, content: bytes | str, *, now: datetime, opml: OpmlReader | None = None
) -> FeedImport:
    """Add the feeds of a file, and change those whose name is known, all in one transaction.

    The content tells whether it is OPML, which `opml` reads, or JSON. An entry that is wrong is a
    reject and the others are kept. Raises InvalidInput when the whole is neither, or holds more
    than `MOST_FEEDS`.
    """
    entries = _entries(content.encode() if isinstance(content, str) else content, opml)
    if len(entries) > MOST_FEEDS:
        raise InvalidInput(
            f"the file has {len(entries):,} feeds: at most {MOST_FEEDS:,} are imported at once"
        )
    judged = [_judged(newsroom, entry) for entry in entries]
    return write(newsroom.database, lambda work: _imported(work, newsroom, judged, now))


Judged = tuple[DescribedFeed, NewFeed | Reject]


def _judged(newsroom: FeedContext, entry: DescribedFeed) -> Judged:
    try:
        if entry.problem is not None:
            reason, detail = entry.problem
            raise InvalidInput(detail, code=reason)
        feed = read_feed(entry.value)
        check_feed(newsroom.sources, feed)
    except InvalidInput as error:
        return entry, _reject(entry, error)
    return entry, feed


def _reject(entry: DescribedFeed, error: InvalidInput) -> Reject:
    """Names the outline: its position alone is hard to find in a file of folders."""
    called = f"{entry.label!r:.80}: " if entry.label else ""
    return Reject(
        reason=error.code,
        detail=f"{called}{error}",
        position=entry.position,
        excerpt=json.dumps(entry.value)[:_EXCERPT],
    )


def _imported(
    work: Transaction, newsroom: FeedContext, judged: Iterable[Judged], now: datetime
) -> FeedImport:
    done: dict[str, list[str]] = {"new": [], "changed": [], "unchanged": []}
    rejects: list[Reject] = []
    shelf = _FeedNames(work, newsroom)
    places: dict[str, int] = {}
    for entry, feed in judged:
        if isinstance(feed, Reject):
            rejects.append(feed)
            continue
        try:
            if entry.is_named and places.setdefault(feed.name, entry.position) != entry.position:
                raise InvalidInput(
                    f"feed {places[feed.name]} of the file is called {feed.name}, too",
                    code="duplicate",
                )
            what, name = shelf.put(feed, entry.is_named, now)
            done[what].append(name)
        except InvalidInput as error:
            rejects.append(_reject(entry, error))
    named = {what: tuple(names) for what, names in done.items()}
    return FeedImport(**named, rejects=tuple(rejects))


class _FeedNames:
    """The feeds there are, while others are put beside them."""

    def __init__(self, work: Transaction, newsroom: FeedContext) -> None:
        self._work = work
        self._kinds = newsroom.sources
        standing = list(every_feed(work))
        self._by_name = {feed.name: feed for feed in standing}
        self._numbers: dict[str, int] = {}
        self._names_by_address = {_address(settings_of(feed)): feed.name for feed in standing}

    def put(self, feed: NewFeed, is_named: bool, now: datetime) -> tuple[str, str]:
        """Create or change a feed: what was done, and its name."""
        if not is_named:  # a feed of that address is left as it is, whatever its name
            if (name := self._names_by_address.get(_address(feed))) is not None:
                return "unchanged", name
            return self._create(replace(feed, name=self._free(feed.name)), now)
        standing = self._by_name.get(feed.name)
        if standing is None:
            return self._create(feed, now)
        if standing.kind not in self._kinds:
            raise InvalidInput(f"files are read into a feed called {feed.name}", code="name")
        if settings_of(standing) == feed:
            return "unchanged", feed.name
        self._keep(self._work[FeedStore].update(standing.id, feed, now=now))
        return "changed", feed.name

    def _free(self, name: str) -> str:
        """`name`, or it with the first number that makes it free."""
        free, number = name, self._numbers.get(name, 1)
        while free in self._by_name:
            number += 1
            end = f"-{number}"
            free = name[: _LONGEST_NAME - len(end)] + end
        self._numbers[name] = number
        return free

    def _create(self, feed: NewFeed, now: datetime) -> tuple[str, str]:
        self._keep(self._work[FeedStore].create(feed, now=now))
        return "new", feed.name

    def _keep(self, feed: LiveFeed) -> None:
        self._by_name[feed.name] = feed
        self._names_by_address[_address(settings_of(feed))] = feed.name


def _address(feed: NewFeed) -> tuple[object, ...]:
    """What a feed reads, whatever its name."""
    return feed.kind, feed.url, *sorted(feed.settings.items())


def _entries(content: bytes, opml: OpmlReader | None) -> Sequence[DescribedFeed]:
    if not content.strip():
        raise InvalidInput("the file is empty: give what `paperround feeds export` prints")
    if opml is not None and content.lstrip(_BEFORE_XML).startswith(b"<"):
        return opml(content)
    try:
        document = json.loads(content)
    except (ValueError, RecursionError):
        raise InvalidInput(
            "this is neither JSON nor OPML: give what `paperround feeds export` prints"
        ) from None
    entries = document.get("feeds") if isinstance(document, dict) else None
    if not isinstance(entries, list):
        raise InvalidInput('feeds stand in {"feeds": [...]}, as `paperround feeds export` has it')
    return [DescribedFeed(position=n, value=one) for n, one in enumerate(entries, start=1)]


# --- one entry ---------------------------------------------------------------------------------


def read_feed(entry: object) -> NewFeed:
    """A feed from JSON. Raises InvalidInput, its code naming the field that is wrong or unknown."""
    if not isinstance(entry, dict):
        raise InvalidInput("a feed is an object with a name and a kind", code="feed")
    for unknown in sorted(entry.keys() - _FIELDS):
        known = ", ".join(sorted(_FIELDS))
        raise InvalidInput(f"a feed has no {unknown!r:.60}: it has {known}", code=f"{unknown:.60}")
    enabled = entry.get("enabled", True)
    if not isinstance(enabled, bool):
        raise InvalidInput("enabled is true or false", code="enabled")
    return NewFeed(
        name=_text(entry, "name"),
        kind=_text(entry, "kind"),
        url=None if entry.get("url") is None else _text(entry, "url"),
        settings=_settings({} if entry.get("settings") is None else entry["settings"]),
        show=show_of(entry.get("show")),
        enabled=enabled,
    )


def show_of(value: object) -> Show | None:
    """How much of a paper is shown; None leaves that to the paper. Raises InvalidInput."""
    if value is None:
        return None
    if isinstance(value, str) and value in set(Show):
        return Show(value)
    raise InvalidInput("show is full, gist or link", code="show")


def _text(entry: Mapping[str, Any], name: str) -> str:
    value = entry.get(name)
    if not isinstance(value, str) or not value:
        raise InvalidInput(f"a feed needs a {name}, as text", code=name)
    return value


def _settings(values: Any) -> dict[str, str]:
    """Whole numbers may stand without quotes."""
    if not isinstance(values, dict):
        raise InvalidInput("settings are an object of names and texts", code="settings")
    for name, value in values.items():
        if isinstance(value, bool) or not isinstance(value, str | int):
            raise InvalidInput(f"the setting {name:.60} must be text", code=f"settings.{name:.60}")
    return {name: str(value) for name, value in values.items()}
