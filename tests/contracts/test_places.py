"""Papers by their places in editions, papers by their coming, and lasting links, on every
database."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from paperround.db.transactions import Database
from paperround.editions.lists import MailingList
from paperround.editions.model import EditionState, Order, Placed
from paperround.editions.store.editions import EditionStore
from paperround.papers.merge import PaperJoin
from paperround.papers.model import PaperId
from paperround.papers.store.papers import PaperStore
from paperround.subscribers.store.subscribers import SubscriberStore
from tests.builders import NOW, new_edition, seed_list, seed_papers, seed_subscribers


def freeze(
    database: Database,
    mailing_list: MailingList,
    moment: datetime,
    *papers: tuple[PaperId, float, int | None],
) -> None:
    """An edition of papers with these scores and votes, cut and frozen at that time."""
    made = new_edition(mailing_list, tuple(paper for paper, _, _ in papers))
    placed = tuple(
        replace(one, score=score, votes=votes)
        for one, (_, score, votes) in zip(made.papers, papers, strict=True)
    )
    cut = f"{moment:%H}"
    with database.writing() as work:
        work[EditionStore].freeze(
            replace(
                made, day=moment.date(), cut=cut, cut_at=moment, frozen_at=moment, papers=placed
            )
        )


@pytest.fixture
def mailing_list(database: Database) -> MailingList:
    return seed_list(database)


@pytest.fixture
def papers(database: Database, mailing_list: MailingList) -> tuple[PaperId, ...]:
    """Three papers in three editions: the third comes on the second day, the first goes."""
    one, two, three = seed_papers(database, 3)
    day = timedelta(days=1)
    freeze(database, mailing_list, NOW - day, (one, 9.0, 10), (two, 5.0, None))
    freeze(database, mailing_list, NOW - day / 4, (two, 7.0, 4), (three, 6.0, 30))
    freeze(database, mailing_list, NOW, (three, 8.0, 50), (two, 3.0, 60))
    return one, two, three


def asked(
    database: Database, mailing_list: MailingList, order: Order, **wanted: object
) -> list[Placed]:
    with database.reading() as work:
        return work[EditionStore].places(mailing_list.id, order, **{"limit": 10, **wanted})  # type: ignore[arg-type]


@pytest.mark.accept("F39", part="entries")
def test_papers_arrive_once_at_their_first_place(
    database: Database, mailing_list: MailingList, papers: tuple[PaperId, ...]
) -> None:
    one, two, three = papers
    found = asked(database, mailing_list, Order.ARRIVED)
    assert [place.paper.paper_id for place in found] == [three, one, two]
    assert found[0].frozen_at == NOW - timedelta(hours=6)
    assert found[2].paper.score == 5.0


def test_a_paper_is_ranked_by_its_best_place(
    database: Database, mailing_list: MailingList, papers: tuple[PaperId, ...]
) -> None:
    one, two, three = papers
    found = asked(database, mailing_list, Order.RANKED)
    assert [(place.paper.paper_id, place.paper.score) for place in found] == [
        (one, 9.0),
        (three, 8.0),
        (two, 7.0),
    ]


def test_places_are_those_of_the_days_that_are_named_and_come_page_by_page(
    database: Database, mailing_list: MailingList, papers: tuple[PaperId, ...]
) -> None:
    one, two, three = papers
    today, yesterday = NOW.date(), NOW.date() - timedelta(days=1)
    of_today = asked(database, mailing_list, Order.RANKED, days=(today, today))
    assert {place.paper.paper_id for place in of_today} == {two, three}
    before = asked(database, mailing_list, Order.RANKED, days=(None, yesterday))
    assert {place.paper.paper_id for place in before} == {one, two}
    pages = [asked(database, mailing_list, Order.RANKED, limit=1, offset=at) for at in range(4)]
    assert [[place.paper.paper_id for place in page] for page in pages] == [
        [one], [three], [two], [],
    ]  # fmt: skip


def test_a_cancelled_edition_gives_no_place(
    database: Database, mailing_list: MailingList, papers: tuple[PaperId, ...]
) -> None:
    with database.writing() as work:
        newest = work[EditionStore].newest(mailing_list.id, by=NOW)
        assert newest is not None
        work[EditionStore].cancel(newest.id, now=NOW)
    last = asked(database, mailing_list, Order.RANKED)[-1]
    assert (last.paper.paper_id, last.paper.votes) == (papers[2], 30)
    assert newest.state is not EditionState.CANCELLED


def test_two_papers_that_were_joined_have_one_place(
    database: Database, mailing_list: MailingList, papers: tuple[PaperId, ...]
) -> None:
    one, two, three = papers
    with database.writing() as work:
        kept = work[PaperStore].load([two])[two]
        work[PaperStore].join(
            PaperJoin(
                paper=kept,
                gone=three,
            ),
            now=NOW,
        )
    found = asked(database, mailing_list, Order.RANKED)
    assert [place.paper.paper_id for place in found] == [one, two]
    assert found[1].paper.frozen_id == three
    with database.reading() as work:
        newest = work[PaperStore].newest(before=None, limit=10)
    assert [paper.id for paper in newest] == [two, one]


@pytest.mark.accept("F42", part="papers")
def test_papers_come_with_those_that_were_read_last_first(
    database: Database, papers: tuple[PaperId, ...]
) -> None:
    one, two, three = papers
    with database.reading() as work:
        first = work[PaperStore].newest(before=None, limit=2)
        second = work[PaperStore].newest(before=first[-1].id, limit=2)
    assert [[paper.id for paper in page] for page in (first, second)] == [[three, two], [one]]


def test_only_the_named_persons_links_are_bound_anew(
    database: Database, mailing_list: MailingList
) -> None:
    alice, bob = seed_subscribers(database, mailing_list, ("alice", "bob"))

    def nonce(person: object) -> str:
        with database.reading() as work:
            found = work[SubscriberStore].get(person)  # type: ignore[arg-type]
        assert found is not None
        return found.nonce

    before = nonce(bob.subscriber_id)
    with database.writing() as work:
        work[SubscriberStore].renew_nonce(alice.subscriber_id, "another", now=NOW)
    assert (nonce(alice.subscriber_id), nonce(bob.subscriber_id)) == ("another", before)
