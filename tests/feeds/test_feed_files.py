"""Files of feeds: OPML beside JSON, written by us or by others."""

import json
from collections.abc import Callable, Iterable
from dataclasses import asdict

import pytest

from paperround.core.errors import InvalidInput
from paperround.db.transactions import SqlDatabase
from paperround.feeds.files import (
    FeedImport,
    export_feeds,
    import_feeds,
    iter_feeds,
)
from paperround.feeds.model import MOST_FEEDS, NewFeed
from paperround.feeds.opml import write_opml
from paperround.feeds.sources.registry import SOURCES
from paperround.feeds.store.feeds import FeedStore
from tests.feeds.feed_context import NOW, Room
from tests.feeds.full_feeds import full_feed

JOURNAL = NewFeed(name="journal", kind="feed", url="https://journal.example/feed")


@pytest.fixture
def room(database: SqlDatabase) -> Room:
    return Room(database)


def taken(room: Room, content: bytes | str) -> FeedImport:
    return import_feeds(room.feed_context, content, now=NOW)


def opml(*outlines: str) -> str:
    return f'<opml version="2.0"><body>{"".join(outlines)}</body></opml>'


def as_opml(feeds: Iterable[NewFeed]) -> bytes:
    return "".join(write_opml(feeds)).encode()


def as_json(feeds: Iterable[NewFeed]) -> bytes:
    return json.dumps({"feeds": list(map(asdict, feeds))}).encode()


def outline(title: str, url: str) -> str:
    return f'<outline text="{title}" type="rss" xmlUrl="{url}"/>'


@pytest.mark.accept("F09", part="OPML round trip")
@pytest.mark.parametrize("write", [as_opml, as_json])
def test_a_feed_of_each_kind_moves_with_everything_it_says(
    room: Room, write: Callable[[Iterable[NewFeed]], bytes]
) -> None:
    feeds = [full_feed(kind) for kind in SOURCES]
    done = taken(room, write(feeds))
    assert done.rejects == ()
    assert list(iter_feeds(room.feed_context)) == feeds
    assert taken(room, write(iter_feeds(room.feed_context))).unchanged == done.new


@pytest.mark.accept("F09", part="OPML of others")
def test_feeds_of_another_reader_get_free_names_and_come_once(room: Room) -> None:
    room.add(JOURNAL)
    content = opml(
        outline("Journal", "https://other.example/rss"),
        outline("Journal", "https://third.example/rss"),
        outline("Known by another name", "https://journal.example/feed"),
        outline("cs.AI", "https://rss.arxiv.org/rss/cs.AI"),
    )
    first, second = taken(room, content), taken(room, content)
    assert first.new == ("journal-2", "journal-3", "cs.ai")
    assert first.unchanged == ("journal",)
    assert (second.new, second.changed) == ((), ())
    assert len(second.unchanged) == 4
    assert list(iter_feeds(room.feed_context))[3].settings == {"categories": "cs.AI"}


@pytest.mark.accept("F09", part="hostile OPML")
def test_an_outline_that_cannot_be_used_is_a_reject_that_names_it(room: Room) -> None:
    content = opml(
        outline("Fine", "https://fine.example/rss"),
        outline("A script", "javascript:alert(1)"),
        outline("A secret", "https://me:secret@x.example/rss"),
        outline("Too long", f"https://x.example/{'x' * 3000}"),
        '<outline text="Empty"/>',
    )
    done = taken(room, content)
    assert done.new == ("fine",)
    told = [(one.position, one.reason, one.detail) for one in done.rejects]
    assert [(position, reason) for position, reason, _ in told] == [
        (2, "url"),
        (3, "url"),
        (4, "url"),
        (5, "no-address"),
    ]
    for (_, _, detail), label in zip(
        told, ("A script", "A secret", "Too long", "Empty"), strict=True
    ):
        assert detail.startswith(f"{label!r}: ")
        assert "secret@" not in detail


@pytest.mark.slow
@pytest.mark.accept("F09", part="hostile OPML")
def test_a_hundred_thousand_feeds_are_refused_before_any_is_kept(room: Room) -> None:
    many = opml(*(outline(f"F{n}", f"https://x.example/{n}") for n in range(100_000)))
    with pytest.raises(InvalidInput, match=f"100,000 feeds: at most {MOST_FEEDS:,}"):
        taken(room, many)
    entries = [{"name": f"f{n}", "kind": "hf-daily"} for n in range(MOST_FEEDS + 1)]
    with pytest.raises(InvalidInput, match="at most"):
        taken(room, json.dumps({"feeds": entries}))
    assert "".join(export_feeds(room.feed_context)) == '{"feeds": []}'


def test_a_feed_of_files_is_not_changed_into_one_that_is_read(room: Room) -> None:
    with room.database.writing() as work:
        work[FeedStore].get_or_create("samples", "file", now=NOW)
    entry = {"name": "samples", "kind": "hf-daily"}
    done = taken(room, json.dumps({"feeds": [entry, {**entry, "name": "good"}]}))
    assert done.new == ("good",)
    assert [(one.reason, one.position) for one in done.rejects] == [("name", 1)]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_the_content_tells_opml_from_json_in_any_encoding(room: Room, encoding: str) -> None:
    content = opml(outline("Überblick", "https://x.example/rss"))
    assert taken(room, f"\n{content}".encode(encoding)).new == ("uberblick",)


@pytest.mark.parametrize("content", [b"<opml", b"<html/>", b"<", b"\xef\xbb\xbf<?xml?>"])
def test_xml_that_is_no_opml_is_refused_whole(room: Room, content: bytes) -> None:
    with pytest.raises(InvalidInput):
        taken(room, content)


def test_settings_that_are_no_object_are_a_reject(room: Room) -> None:
    wrong: tuple[object, ...] = ([], False, 0, "")
    for settings in wrong:
        entry = {"name": "a", "kind": "hf-daily", "settings": settings}
        (reject,) = taken(room, json.dumps({"feeds": [entry]})).rejects
        assert reject.reason == "settings"
