"""What operators do with feeds: check, preview, change, export and import them."""

import json
from dataclasses import replace

import pytest

from paperround.core.errors import FetchFailed, InvalidInput, RateLimited
from paperround.db.transactions import SqlDatabase
from paperround.feeds.due import (
    check_feed,
    delete_feed,
)
from paperround.feeds.files import export_feeds, import_feeds
from paperround.feeds.model import FeedHealth
from paperround.feeds.presets import PRESETS
from paperround.feeds.preview import preview_feed
from paperround.feeds.sources.registry import SOURCES
from paperround.feeds.store.feeds import FeedStore
from paperround.papers.model import FeedId, Show
from tests.feeds.feed_context import FOUR, HF, ML, NOW, Room, failing, update_feed


@pytest.fixture
def room(database: SqlDatabase) -> Room:
    return Room(database)


@pytest.mark.accept("F09", part="preview")
def test_a_preview_keeps_to_the_turns_of_its_service(room: Room) -> None:
    room.answers["cs.AI"] = failing(503)
    with pytest.raises(FetchFailed):
        preview_feed(room.feed_context, ML, now=NOW)
    with pytest.raises(RateLimited, match="arxiv must not be queried before 12:10 UTC") as late:
        preview_feed(room.feed_context, ML, now=NOW)
    assert late.value.retry_after == 600


@pytest.mark.parametrize("name", sorted(PRESETS))
def test_every_preset_can_be_added(name: str) -> None:
    for feed in PRESETS[name]:
        check_feed(SOURCES, feed)
    assert set(PRESETS) >= {"ml", "cs", "bio", "physics", "math"}


def test_a_feed_that_is_pointed_elsewhere_is_read_anew(room: Room) -> None:
    feed = room.add(ML)
    room.poll()
    update_feed(room.feed_context, feed, replace(ML, settings={"categories": "hep-th"}), now=NOW)
    assert room.feed(feed).health is FeedHealth.NEW
    room.poll()
    assert room.services.paths == ["cs.AI", "hep-th"]


@pytest.mark.accept("F09", part="import and export")
def test_what_was_exported_is_imported_as_it_was(room: Room) -> None:
    room.add(replace(FOUR, show=Show.GIST, enabled=False))
    room.add(HF)
    exported = "".join(export_feeds(room.feed_context))
    again = import_feeds(room.feed_context, exported, now=NOW)
    assert (again.unchanged, again.new) == (("arxiv-ml", "hf"), ())
    with room.database.reading() as work:
        ids = [feed.id for feed in work[FeedStore].page(FeedId(0), limit=9)]
    delete_feed(room.feed_context, ids[0], now=NOW)
    update_feed(room.feed_context, ids[1], replace(HF, enabled=False), now=NOW)
    back = import_feeds(room.feed_context, exported, now=NOW)
    assert (back.new, back.changed) == (("arxiv-ml",), ("hf",))
    left = json.loads("".join(export_feeds(room.feed_context)))["feeds"]
    assert sorted(feed["name"] for feed in left) == ["arxiv-ml", "hf"]


@pytest.mark.accept("F09", part="import and export")
@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        (7, "feed"),
        ({"kind": "arxiv"}, "name"),
        ({"name": "a", "kind": "arxiv", "password": "x"}, "password"),
        ({"name": "a", "kind": "hf-daily", "enabled": "no"}, "enabled"),
        ({"name": "a", "kind": "hf-daily", "show": "all"}, "show"),
        ({"name": "a", "kind": "hf-daily", "show": ["full"]}, "show"),
        ({"name": "a", "kind": "hf-daily", "settings": ["days"]}, "settings"),
        ({"name": "a", "kind": "hf-daily", "settings": {"days": True}}, "settings.days"),
        ({"name": "a", "kind": "hf-daily", "settings": {"days": 99}}, "settings.days"),
    ],
)
def test_a_wrong_entry_of_an_import_is_a_reject_and_the_others_are_kept(
    room: Room, entry: object, reason: str
) -> None:
    good = {"name": "hf", "kind": "hf-daily", "settings": {"days": 2}}
    done = import_feeds(room.feed_context, json.dumps({"feeds": [entry, good]}), now=NOW)
    assert done.new == ("hf",)
    assert [(one.reason, one.position) for one in done.rejects] == [(reason, 1)]


@pytest.mark.parametrize("content", [b"", b"[1]", b'{"feeds": 1}', b"\xff", b"[" * 100_000])
def test_a_file_that_is_no_export_is_refused_whole(room: Room, content: bytes) -> None:
    with pytest.raises(InvalidInput, match="feeds export"):
        import_feeds(room.feed_context, content, now=NOW)
