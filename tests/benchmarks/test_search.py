"""The benchmark of the search, on few papers: it measures what it says."""

import pytest

from benchmarks.invented import papers
from benchmarks.search import (
    PAGE,
    QUERIES,
    SMALLER,
    _measured,
    in_postgres,
    in_sqlite,
    in_turns,
    queries,
    slowest_twentieth,
)
from paperround.jobs.search import search
from paperround.ranking.relevance import by_relevance
from tests.databases import PostgresServer, postgres

__all__ = ["postgres"]

FEW = 60


def test_the_same_queries_are_asked_every_time() -> None:
    rows = papers(FEW)
    assert queries(rows) == queries(rows)
    assert {len(one.split()) for one in queries(rows)} == {1, 2, 3}
    assert len(queries(rows)) == QUERIES


def test_contenders_take_turns_and_the_first_round_is_not_counted() -> None:
    asked: list[str] = []
    taken = in_turns(["x", "y"], lambda word: asked.append(word), lambda word: asked.append(word))
    assert asked == ["x", "x", "y", "y"] * 2
    assert [len(one) for one in taken] == [2, 2]
    assert slowest_twentieth([1.0] * 94 + [9.0] * 6) == 9


@pytest.mark.accept("B15", part="measured")
def test_sqlite_and_its_bare_index_find_papers_and_are_compared() -> None:
    with in_sqlite(papers(FEW)) as (database, bare):
        asked = queries(papers(FEW))[0]
        assert bare(asked)
        assert search(database, by_relevance, asked, limit=PAGE).hits
    rows = _measured("FTS5", (FEW // 2, FEW), in_sqlite)
    assert [(row.id, row.bar.bound) for row in rows] == [("B15", 2), ("B15", 1.05)]


@pytest.mark.accept("B15", part="measured")
def test_postgres_and_its_bare_index_find_papers(postgres: PostgresServer) -> None:
    assert max(SMALLER) == 20_000
    with in_postgres(postgres, papers(FEW)) as (database, bare):
        asked = queries(papers(FEW))[0]
        assert bare(asked)
        assert search(database, by_relevance, asked, limit=PAGE).hits
