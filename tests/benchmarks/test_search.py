"""The benchmark of the search, on few papers: it measures what it says."""

import pytest

from benchmarks.invented import papers
from benchmarks.search import (
    PAGE,
    SMALLER,
    _measured,
    in_postgres,
    in_sqlite,
    queries,
)
from paperround.papers.search_service import search
from paperround.ranking.relevance import by_relevance
from tests.databases import PostgresServer, postgres

__all__ = ["postgres"]

FEW = 60


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
