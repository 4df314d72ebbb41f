"""Papers by the day they were listed, on every database."""

from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest

from paperround.db.transactions import Database
from paperround.editions.lists import MailingList
from paperround.editions.model import ListedBy
from paperround.editions.store.candidates import CandidateStore
from paperround.editions.store.editions import EditionStore
from paperround.feeds.store.feeds import FeedStore
from paperround.papers.model import FeedId, PaperId
from paperround.papers.store.papers import PaperStore
from tests.builders import (
    DAY,
    HOUR,
    NOW,
    listing,
    new_edition,
    observation,
    paper,
    seed_list,
    write,
)

MIDNIGHT = datetime.combine(DAY, datetime.min.time(), NOW.tzinfo)


@pytest.fixture
def mailing_list(database: Database) -> MailingList:
    return seed_list(database)


def list_paper(
    database: Database, number: int, at: datetime, *votes: int, feed: str = "hf", category: str = ""
) -> PaperId:
    """A paper that a feed listed at that time, and its votes hour by hour up to now."""
    changes = {"categories": (category,)} if category else {}
    with database.writing() as work:
        source = work[FeedStore].get_or_create(feed, "hf", now=NOW)
        made = write(paper(number, counts_from=at, listed_on=at.date(), **changes))
        [id_] = work[PaperStore].save([made], now=NOW).values()
        work[PaperStore].list_papers(source.id, [listing(id_)], now=NOW)
        counted = [observation(n, at=NOW - HOUR * i) for i, n in enumerate(reversed(votes))]
        work[PaperStore].observe(source.id, [(id_, one) for one in counted])
    return id_


def feed_called(database: Database, name: str) -> FeedId:
    with database.writing() as work:
        return work[FeedStore].get_or_create(name, "hf", now=NOW).id


def listed(
    database: Database,
    mailing_list: MailingList,
    order: ListedBy = ListedBy.VOTES,
    days: tuple[date, date] | None = (DAY, DAY),
    *,
    limit: int = 10,
    offset: int = 0,
) -> list[PaperId]:
    with database.reading() as work:
        return work[CandidateStore].listed(
            mailing_list, order, days=days, by=NOW, limit=limit, offset=offset
        )


@pytest.mark.accept("F40", part="the day", mutant="a-day-takes-in-the-day-before")
def test_a_day_holds_what_was_listed_from_its_first_instant_to_its_last(
    database: Database, mailing_list: MailingList
) -> None:
    yesterday, tick = DAY - timedelta(days=1), timedelta(microseconds=1)
    before = list_paper(database, 1, MIDNIGHT - tick)
    first = list_paper(database, 2, MIDNIGHT)
    old = list_paper(database, 3, MIDNIGHT - timedelta(days=1))
    assert listed(database, mailing_list) == [first]
    assert listed(database, mailing_list, days=(yesterday, yesterday)) == [before, old]
    assert listed(database, mailing_list, days=(yesterday, DAY)) == [first, before, old]


@pytest.mark.accept("F40", part="the day", mutant="listed-papers-go-by-their-first-votes")
def test_papers_go_by_the_votes_that_were_counted_last(
    database: Database, mailing_list: MailingList
) -> None:
    unknown = list_paper(database, 1, MIDNIGHT)
    risen = list_paper(database, 2, MIDNIGHT, 1, 50)
    fallen = list_paper(database, 3, MIDNIGHT, 90, 20)
    none = list_paper(database, 4, MIDNIGHT, 0)
    assert listed(database, mailing_list) == [risen, fallen, none, unknown]
    pages = [listed(database, mailing_list, limit=3, offset=at) for at in (0, 3, 6)]
    assert pages == [[risen, fallen, none], [unknown], []]


def test_papers_go_by_the_best_score_they_had_or_by_time(
    database: Database, mailing_list: MailingList
) -> None:
    low = list_paper(database, 1, MIDNIGHT)
    high = list_paper(database, 2, MIDNIGHT)
    unranked = list_paper(database, 3, MIDNIGHT + HOUR)
    made = new_edition(mailing_list, (low, high))
    scores = zip(made.papers, (2.0, 9.0), strict=True)
    with database.writing() as work:
        placed = tuple(replace(one, score=score) for one, score in scores)
        work[EditionStore].freeze(replace(made, papers=placed))
    assert listed(database, mailing_list, ListedBy.SCORE) == [high, low, unranked]
    assert listed(database, mailing_list, ListedBy.TIME, None) == [unranked, high, low]


def test_the_scores_of_a_cancelled_edition_do_not_count(
    database: Database, mailing_list: MailingList
) -> None:
    papers = [list_paper(database, n, MIDNIGHT) for n in (1, 2)]
    made = new_edition(mailing_list, tuple(papers[:1]))
    with database.writing() as work:
        placed = tuple(replace(one, score=9.0) for one in made.papers)
        edition = work[EditionStore].freeze(replace(made, papers=placed))
    assert listed(database, mailing_list, ListedBy.SCORE) == papers
    with database.writing() as work:
        work[EditionStore].cancel(edition.id, now=NOW)
    assert listed(database, mailing_list, ListedBy.SCORE) == papers[::-1]


def test_a_list_holds_the_papers_of_its_feeds_and_categories(
    database: Database, mailing_list: MailingList
) -> None:
    mine = list_paper(database, 1, MIDNIGHT, category="cs.IR")
    other = list_paper(database, 2, MIDNIGHT, feed="lab", category="cs.LG")
    within = list_paper(database, 3, MIDNIGHT, category="cs.IR.x")
    of_feed = replace(mailing_list, feeds=(feed_called(database, "lab"),))
    of_category = replace(mailing_list, categories=("cs.IR", "math.CO"))
    assert listed(database, of_feed) == [other]
    assert listed(database, of_category) == [mine]
    assert listed(database, mailing_list) == [within, other, mine]


def test_what_is_not_listed_yet_is_left_out(database: Database, mailing_list: MailingList) -> None:
    list_paper(database, 1, NOW + HOUR)
    assert listed(database, mailing_list) == []
