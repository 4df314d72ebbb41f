"""What the public site asks of editions, papers and feeds, on every database."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from paperround.db.transactions import Database
from paperround.editions.lists import MailingList
from paperround.editions.store.editions import EditionStore
from paperround.editions.store.history import HistoryStore
from paperround.feeds.store.feeds import FeedStore
from paperround.papers.merge import PaperJoin
from paperround.papers.model import Paper, PaperId, Reject
from paperround.papers.search import Filters
from paperround.papers.store.papers import PaperStore
from paperround.papers.store.search import SearchIndex
from tests.builders import (
    DAY,
    HOUR,
    NOW,
    listing,
    new_edition,
    observation,
    paper,
    seed_list,
    seed_papers,
    write,
)

DAYS = timedelta(days=1)


@pytest.fixture
def mailing_list(database: Database) -> MailingList:
    return seed_list(database)


def freeze(
    database: Database,
    mailing_list: MailingList,
    day: date,
    papers: tuple[PaperId, ...],
    *,
    cut: str = "0",
    reason: str | None = None,
) -> None:
    made = new_edition(mailing_list, papers, day=day, cut=cut)
    at = NOW + (day - DAY) + HOUR * int(cut)
    with database.writing() as work:
        work[EditionStore].freeze(replace(made, cut_at=at, frozen_at=at, quiet_reason=reason))


def joined(kept: Paper, gone: PaperId) -> PaperJoin:
    """`gone` is `kept` from now on, whose texts stay."""
    return PaperJoin(
        paper=kept,
        gone=gone,
    )


def test_every_edition_of_some_days_is_told_the_empty_ones_with_their_reason(
    database: Database, mailing_list: MailingList
) -> None:
    papers = seed_papers(database, 2)
    freeze(database, mailing_list, DAY - DAYS, (), reason="feed-failed")
    freeze(database, mailing_list, DAY, papers)
    freeze(database, mailing_list, DAY, papers[:1], cut="1")
    freeze(database, mailing_list, DAY + 9 * DAYS, papers)
    with database.reading() as work:
        found = work[EditionStore].between(mailing_list.id, since=DAY - DAYS, until=DAY)
    assert [(one.day, one.cut, one.paper_count) for one in found] == [
        (DAY, "1", 1),
        (DAY, "0", 2),
        (DAY - DAYS, "0", 0),
    ]
    assert (found[2].quiet_reason, found[2].top_title) == ("feed-failed", "")


def test_the_first_papers_of_editions_are_told_with_what_decides_their_order(
    database: Database, mailing_list: MailingList
) -> None:
    papers = seed_papers(database, 3)
    made = new_edition(mailing_list, papers)
    listed = replace(made.papers[0], listed="2026-03-01", votes=7)
    with database.writing() as work:
        store = work[EditionStore]
        full = store.freeze(replace(made, papers=(listed, *made.papers[1:])))
        empty = store.freeze(new_edition(mailing_list, cut="1"))
        found = store.first_papers([full.id, empty.id], 2)
    assert [*found] == [full.id]
    first, second = found[full.id]
    assert (first.title, first.votes, first.listed) == (listed.title, 7, "2026-03-01")
    assert (second.title, second.listed) == (made.papers[1].title, "")


def test_the_next_day_that_has_papers_is_found(
    database: Database, mailing_list: MailingList
) -> None:
    papers = seed_papers(database, 2)
    freeze(database, mailing_list, DAY, papers)
    freeze(database, mailing_list, DAY + DAYS, ())
    freeze(database, mailing_list, DAY + 2 * DAYS, papers)
    freeze(database, mailing_list, DAY + 2 * DAYS, papers, cut="1")
    freeze(database, mailing_list, DAY + 3 * DAYS, papers)
    with database.reading() as work:
        found = work[EditionStore].following(mailing_list.id, after=DAY)
        last = work[EditionStore].following(mailing_list.id, after=DAY + 3 * DAYS)
    assert found is not None
    assert (found.day, found.cut) == (DAY + 2 * DAYS, "1")
    assert last is None


def test_a_paper_is_found_wherever_it_stood_also_under_the_id_it_had(
    database: Database, mailing_list: MailingList
) -> None:
    one, other = seed_papers(database, 2)
    freeze(database, mailing_list, DAY, (one, other))
    freeze(database, mailing_list, DAY + DAYS, (other,))
    with database.writing() as work:
        kept = work[PaperStore].load([one])[one]
        work[PaperStore].join(joined(kept, other), now=NOW)
    with database.reading() as work:
        stood = work[EditionStore].ranks(one, limit=10)
        newest = work[EditionStore].ranks(one, limit=1)
    assert [(place.day, place.paper.position) for place in stood] == [
        (DAY + DAYS, 1),
        (DAY, 1),
        (DAY, 2),
    ]
    assert newest == stood[:1]
    assert {place.paper.paper_id for place in stood} == {one}


def test_the_trail_of_a_paper_names_its_texts_and_its_feeds(database: Database) -> None:
    (id_,) = seed_papers(database, 1)
    with database.writing() as work:
        changed = replace(paper(1), id=id_, title="Another title", version=2)
        work[PaperStore].save([write(changed, text_changed=True)], now=NOW)
        other = work[FeedStore].get_or_create("arxiv", "arxiv", now=NOW)
        work[PaperStore].list_papers(other.id, [listing(id_, listed_on=None)], now=NOW + HOUR)
    with database.reading() as work:
        trail = work[PaperStore].trail(id_, limit=10)
    assert [one.title for one in trail.earlier] == ["A study of 1 things"]
    assert [(one.feed, one.listed_on) for one in trail.carried] == [("hf", DAY), ("arxiv", None)]


def test_the_counts_of_a_paper_come_oldest_first_with_whose_they_are(database: Database) -> None:
    (id_,) = seed_papers(database, 1)
    with database.writing() as work:
        feed = work[FeedStore].get_or_create("hf", "hf", now=NOW)
        told = [observation(n, at=NOW + n * HOUR) for n in range(4)]
        work[PaperStore].observe(feed.id, [(id_, one) for one in told])
        comments = observation(2, at=NOW, signal="comments")
        work[PaperStore].observe(feed.id, [(id_, comments)])
    with database.reading() as work:
        counts = work[HistoryStore].counts(id_, by=NOW + 2 * HOUR, limit=10)
        newest = work[HistoryStore].counts(id_, by=NOW + 2 * HOUR, limit=1)
    assert [(one.signal, one.value) for one in counts] == [
        ("upvotes", 0),
        ("comments", 2),
        ("upvotes", 1),
        ("upvotes", 2),
    ]
    assert {one.scale for one in counts} == {"hf"}
    assert [one.value for one in newest] == [2]


def test_the_last_count_of_each_signal_is_told_whichever_feed_counted(database: Database) -> None:
    one, other, silent = seed_papers(database, 3)
    with database.writing() as work:
        hf = work[FeedStore].get_or_create("hf", "hf", now=NOW)
        lab = work[FeedStore].get_or_create("lab", "file", now=NOW)
        work[PaperStore].observe(hf.id, [(one, observation(9)), (other, observation(1))])
        work[PaperStore].observe(hf.id, [(one, observation(4, signal="comments"))])
        work[PaperStore].observe(lab.id, [(one, observation(7, at=NOW + HOUR))])
        work[PaperStore].observe(lab.id, [(one, observation(70, at=NOW + 3 * HOUR))])
    with database.reading() as work:
        found = work[HistoryStore].latest([one, other, silent], by=NOW + 2 * HOUR)
    assert found == {one: {"upvotes": 7, "comments": 4}, other: {"upvotes": 1}}


def test_rejects_are_counted_by_the_runs_that_began_in_a_stretch(database: Database) -> None:
    with database.writing() as work:
        feed = work[FeedStore].get_or_create("hf", "hf", now=NOW)
        for hours, reasons in ((-30, "a"), (-1, "bc")):
            run = work[FeedStore].start_run(feed.id, source="x", now=NOW + hours * HOUR)
            rejects = [Reject(reason=one, detail=one, position=1, excerpt=one) for one in reasons]
            work[FeedStore].keep_rejects(run, rejects, now=NOW)
    with database.reading() as work:
        assert work[FeedStore].rejected(since=NOW - 24 * HOUR, until=NOW) == {feed.id: 2}
        assert work[FeedStore].rejected(since=NOW, until=NOW + HOUR) == {}


def test_filters_alone_find_the_newest_papers(database: Database) -> None:
    ids = seed_papers(database, 3)
    with database.writing() as work:
        for age, id_ in enumerate(ids):
            aged = work[PaperStore].load([id_])[id_]
            category = ("cs.LG",) if age < 2 else ("math.CO",)
            changed = replace(aged, counts_from=NOW - age * DAYS, categories=category)
            work[PaperStore].save([write(changed)], now=NOW)
    with database.reading() as work:
        of_cs = work[SearchIndex].newest(Filters(category="cs"), limit=1, most=10)
        of_feed = work[SearchIndex].newest(Filters(feed="hf", after=DAY - DAYS), limit=9, most=10)
        few = work[SearchIndex].newest(Filters(feed="hf"), limit=9, most=2)
        of_none = work[SearchIndex].newest(Filters(feed="none"), limit=9, most=10)
        upto = work[SearchIndex].newest(Filters(feed="hf"), limit=9, most=10, upto=ids[0])
    assert (of_cs.best, of_cs.total) == (ids[:1], 2)
    assert (of_feed.best, of_feed.total) == (ids[:2], 2)
    assert few.total == 2
    assert (of_none.best, of_none.total) == ((), 0)
    assert upto.best == ids[:1]
