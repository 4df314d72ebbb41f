"""Many rows at once, which each engine takes on a way of its own: the rows are the same."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from paperround.core.errors import InvalidInput
from paperround.db.dialect import insert_new
from paperround.db.driver import insert_many
from paperround.db.schema import tables as db
from paperround.db.transactions import Database, SqlDatabase
from paperround.db.transactions import write as transaction
from paperround.feeds.store.feeds import FeedStore
from paperround.papers.model import Observation, Paper, PaperId
from paperround.papers.store.papers import PaperStore
from tests.builders import DAY, NOW, listing, observation, paper, seed_papers, write
from tests.races import LOST, at_once

MANY = 30
ODD = (
    "",
    "\\N",
    "\\.",
    "a\tb\nc\rd",
    'a "quoted" \\ one',
    "{NULL}",
    "Ünïcode 🌍 \u2028",
    "null",
    ",;'",
)


def many(**changes: object) -> list[Paper]:
    return [
        paper(number, abstract=ODD[number % len(ODD)], **changes) for number in range(1, MANY + 1)
    ]


def test_whatever_a_text_holds_comes_back_as_it_was(database: Database) -> None:
    papers = [
        replace(
            one,
            authors=ODD,
            links={"pdf": one.abstract},
            comment=one.abstract if position % 2 else None,
            version=position % 3 or None,
            published_at=NOW - timedelta(microseconds=position) if position % 2 else None,
            listed_on=DAY if position % 2 else None,
        )
        for position, one in enumerate(many())
    ]
    with database.writing() as work:
        real = work[PaperStore].save([write(one) for one in papers], now=NOW)
    with database.reading() as work:
        loaded = work[PaperStore].load(real.values())
    assert loaded == {real[one.id]: replace(one, id=real[one.id]) for one in papers}


def test_whatever_a_text_holds_comes_back_where_taken_keys_are_passed_over(
    database: SqlDatabase,
) -> None:
    texts = [f"{ODD[number % len(ODD)]}{number}" for number in range(MANY)]
    table = db.suppressions
    rows = [
        {"digest": one, "key_id": one, "reason": one[::-1], "since": NOW, "lifted_at": None}
        for one in texts
    ]
    with database.writing() as work:
        assert (
            insert_many(work.connection, insert_new(work.connection, table), rows[1:]) == MANY - 1
        )
        assert insert_many(work.connection, insert_new(work.connection, table), rows) == 1
    with database.reading() as work:
        found = work.connection.execute(select(table)).mappings()
        assert {one["digest"]: dict(one) for one in found} == {one["digest"]: one for one in rows}


def test_of_two_who_save_the_same_many_papers_at_once_one_loses(database: Database) -> None:
    def save(_: int) -> str:
        with database.writing() as work:
            work[PaperStore].save([write(one) for one in many()], now=NOW)
        return "saved"

    assert sorted(at_once(2, save)) == [LOST, "saved"]
    with database.reading() as work:
        assert work[PaperStore].count() == MANY


def test_of_many_papers_with_one_title_key_the_first_keeps_it(database: Database) -> None:
    papers = [replace(one, identifiers={**one.identifiers, "title_key": "same"}) for one in many()]
    with database.writing() as work:
        real = work[PaperStore].save([write(one) for one in papers], now=NOW)
        assert work[PaperStore].find([("title_key", "same")]) == {
            ("title_key", "same"): real[papers[0].id]
        }


def test_a_title_key_that_two_claim_at_once_ends_with_one_of_them(database: Database) -> None:
    """The one that loses the race tries again, finds the key taken and goes without."""

    def save(half: int) -> None:
        mine = [paper(half * MANY + number) for number in range(1, MANY + 1)]
        shared = [
            replace(one, identifiers={**one.identifiers, "title_key": f"key {place}"})
            for place, one in enumerate(mine)
        ]
        writes = [write(one) for one in shared]
        transaction(database, lambda work: work[PaperStore].save(writes, now=NOW))

    at_once(2, save)
    with database.reading() as work:
        assert work[PaperStore].count() == 2 * MANY
        keys = [("title_key", f"key {place}") for place in range(MANY)]
        assert len(work[PaperStore].find(keys)) == MANY


def test_many_papers_without_a_title_key_are_saved(database: Database) -> None:
    bare = [replace(one, identifiers={"pmid": str(-one.id)}) for one in many()]
    with database.writing() as work:
        assert len(work[PaperStore].save([write(one) for one in bare], now=NOW)) == MANY


def test_new_papers_are_listed_in_the_transaction_that_saves_them(database: Database) -> None:
    old = seed_papers(database, MANY)
    new = [paper(number) for number in range(MANY + 1, 2 * MANY + 1)]
    with database.writing() as work:
        feed = work[FeedStore].get_or_create("hf", "hf", now=NOW)
        real = work[PaperStore].save([write(one) for one in new], now=NOW)
        ids = [*old, *real.values()]
        for fingerprint in ("f1", "f2"):  # the second time none of them is new to the feed
            work[PaperStore].list_papers(
                feed.id, [listing(one, fingerprint) for one in ids], now=NOW
            )
        assert work[PaperStore].fingerprints(feed.id, ids) == dict.fromkeys(ids, "f2")


def test_of_two_listings_of_a_paper_the_last_counts(database: Database) -> None:
    old = seed_papers(database, MANY)
    with database.writing() as work:
        feed = work[FeedStore].get_or_create("hf", "hf", now=NOW)
        real = work[PaperStore].save([write(paper(MANY + 1))], now=NOW)
        ids = [*old, *real.values()]
        twice = [listing(one, fingerprint) for fingerprint in ("f1", "f2") for one in ids]
        work[PaperStore].list_papers(feed.id, twice, now=NOW)
        assert work[PaperStore].fingerprints(feed.id, ids) == dict.fromkeys(ids, "f2")


def test_only_new_observations_of_many_are_counted(database: Database) -> None:
    ids = seed_papers(database, MANY)
    counts = [(one, observation(7)) for one in ids]
    with database.writing() as work:
        feed = work[FeedStore].get_or_create("hf", "hf", now=NOW)
        assert work[PaperStore].observe(feed.id, counts[:10]) == 10
        assert work[PaperStore].observe(feed.id, counts) == MANY - 10


@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
@pytest.mark.parametrize("spoilt", [{"title": "a\0b"}, {"version": 2**40}])
def test_what_postgresql_cannot_keep_is_refused_among_many_as_well(
    database: Database, spoilt: dict[str, object]
) -> None:
    with pytest.raises(InvalidInput), database.writing() as work:
        work[PaperStore].save([write(one) for one in many(**spoilt)], now=NOW)


@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
def test_too_large_a_count_is_refused_among_many_as_well(database: Database) -> None:
    ids = seed_papers(database, MANY)
    huge = Observation(signal="upvotes", captured_at=NOW, value=2**70)
    with database.writing() as work:
        feed = work[FeedStore].get_or_create("hf", "hf", now=NOW)
    with pytest.raises(InvalidInput), database.writing() as work:
        work[PaperStore].observe(feed.id, [(PaperId(one), huge) for one in ids])
