"""A look at a feed before it is kept: what it would bring, and how its service answers."""

from dataclasses import replace

import pytest

from paperround.core.errors import FetchFailed
from paperround.db.transactions import SqlDatabase
from paperround.feeds.model import NewFeed
from paperround.feeds.preview import Fate, preview_feed
from paperround.papers.model import Show
from paperround.papers.store.papers import PaperStore
from tests.feeds.arxiv_samples import item, rss
from tests.feeds.feed_context import HF, ML, NOW, Room, batch


@pytest.fixture
def room(database: SqlDatabase) -> Room:
    return Room(database)


@pytest.mark.accept("F09", part="preview")
def test_a_preview_tells_new_papers_from_known_ones_and_from_news_of_others(room: Room) -> None:
    room.add(ML)
    room.answers["cs.AI"] = batch(1, 2)
    room.poll()
    feed = replace(ML, settings={"categories": "cs.AI", "include": "new,replace"}, show=Show.LINK)
    answer = rss(
        item("2601.00002v1"), item("2601.00003v1"), item("2601.00009v2", announced="replace")
    )
    room.answers["cs.AI"] = answer
    seen = preview_feed(room.feed_context, feed, now=NOW)
    assert [one.becomes for one in seen.papers] == [Fate.KNOWN, Fate.NEW, Fate.NOTHING]
    assert (seen.count(Fate.NEW), seen.count(Fate.KNOWN)) == (1, 1)
    assert {one.record.show for one in seen.papers} == {Show.LINK}
    assert seen.papers[0].record.authors == ("Ada Lovelace", "Alan Turing")
    assert (seen.next, seen.page.url) == (None, "https://rss.arxiv.org/atom/cs.AI")
    assert seen.page.body == answer


def test_a_preview_shows_texts_as_they_would_be_kept(room: Room) -> None:
    room.answers["cs.AI"] = rss(item(title="On $\\alpha$\n  waves", creator="Andr\\'e Weil"))
    (paper,) = preview_feed(room.feed_context, ML, now=NOW).papers
    assert (paper.record.title, paper.record.authors) == ("On α waves", ("André Weil",))


@pytest.mark.accept("F09", part="preview by title")
def test_a_preview_knows_a_paper_that_would_be_merged_by_its_title(room: Room) -> None:
    room.answers["rss.arxiv.org"] = batch(1, 1)
    room.add(ML)
    room.poll()
    with room.database.reading() as work:
        (paper,) = (
            work[PaperStore]
            .load(work[PaperStore].find({("arxiv", "2601.00001")}).values())
            .values()
        )
    title, (author, *_) = paper.title, paper.authors
    room.answers["blog.example"] = f"""<feed xmlns="http://www.w3.org/2005/Atom">
      <title>A blog</title><id>urn:b</id>
      {_entry(1, title, author)}{_entry(2, title, "Somebody Else")}
      {_entry(3, "Another study", author)}
    </feed>""".encode()
    blog = NewFeed(name="blog", kind="feed", url="https://blog.example/atom")
    seen = preview_feed(room.feed_context, blog, now=NOW)
    assert [one.becomes for one in seen.papers] == [Fate.KNOWN, Fate.NEW, Fate.NEW]


def _entry(number: int, title: str, author: str) -> str:
    return (
        f"<entry><id>urn:b:{number}</id><title>{title}</title>"
        f"<author><name>{author}</name></author><updated>2026-01-28T09:00:00Z</updated>"
        f"<published>2026-01-28T09:00:00Z</published>"
        f'<link href="https://blog.example/{number}"/></entry>'
    )


def test_a_look_goes_on_behind_a_day_without_papers(room: Room) -> None:
    room.answers["daily_papers"] = b"[]"
    seen = preview_feed(room.feed_context, replace(HF, settings={"days": "9"}), now=NOW)
    assert len(room.services.asked) == 3
    assert seen.papers == ()


def test_a_look_stops_at_the_first_papers(room: Room) -> None:
    room.answers["cs.AI"] = batch()
    preview_feed(room.feed_context, replace(ML, settings={"categories": "cs.AI,cs.CL"}), now=NOW)
    assert room.services.paths == ["cs.AI"]


def test_an_answer_that_cannot_be_read_is_an_error(room: Room) -> None:
    room.answers["cs.AI"] = b"<html>busy</html>"
    with pytest.raises(FetchFailed):
        preview_feed(room.feed_context, ML, now=NOW)
