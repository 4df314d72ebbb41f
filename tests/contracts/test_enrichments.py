"""For which paper a service is asked, and when, on every database."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest

from paperround.db.transactions import Database, SqlDatabase
from paperround.papers.model import PaperId
from paperround.papers.store.enrichment import EnrichmentStore
from paperround.papers.store.papers import PaperStore
from tests.builders import HOUR, MINUTE, NOW, paper, write

DAY = timedelta(days=1)
BOTH = ("arxiv", "doi")


@pytest.fixture
def papers(database: SqlDatabase) -> tuple[PaperId, ...]:
    """Three papers of arXiv, the first the newest, and one with a PubMed id alone."""
    made = [paper(n, counts_from=NOW - n * HOUR) for n in (1, 2, 3)]
    made.append(paper(4, identifiers={"pmid": "4", "title_key": "4"}))
    with database.writing() as work:
        real = work[PaperStore].save([write(one) for one in made], now=NOW)
    return tuple(real[one.id] for one in made)


def take(
    database: Database,
    *,
    by: str = "stars",
    kinds: Sequence[str] = BOTH,
    limit: int = 10,
    since: datetime = NOW - DAY,
    now: datetime = NOW,
) -> list[PaperId]:
    with database.writing() as work:
        return work[EnrichmentStore].take_due(
            by, kinds, since=since, until=now + MINUTE, now=now, limit=limit
        )


def test_papers_are_taken_by_the_kinds_of_their_identifiers(
    database: SqlDatabase, papers: tuple[PaperId, ...]
) -> None:
    assert take(database) == list(papers[:3])
    assert take(database, by="medicine", kinds=["pmid"]) == [papers[3]]
    assert set(take(database, by="everything", kinds=[])) == set(papers)


def test_what_was_taken_is_nobody_elses_until_its_time(
    database: SqlDatabase, papers: tuple[PaperId, ...]
) -> None:
    assert take(database, limit=2) == list(papers[:2])
    assert take(database) == [papers[2]]
    assert take(database) == []
    assert take(database, now=NOW + MINUTE) == list(papers[:3])


def test_a_paper_that_is_done_with_is_never_taken_again(
    database: SqlDatabase, papers: tuple[PaperId, ...]
) -> None:
    with database.writing() as work:
        work[EnrichmentStore].asked("stars", {papers[0]: None}, now=NOW)
    assert papers[0] not in take(database, now=NOW + 100 * DAY, since=NOW - DAY)
    assert papers[0] in take(database, by="citations")


def test_old_papers_and_those_of_tomorrow_are_left_alone(
    database: SqlDatabase, papers: tuple[PaperId, ...]
) -> None:
    assert take(database, since=NOW - 2 * HOUR - MINUTE) == list(papers[:2])
    assert take(database, by="early", now=NOW - 2 * HOUR) == [papers[1], papers[2]]


def test_papers_that_were_taken_but_not_asked_for_stay_the_first(
    database: SqlDatabase, papers: tuple[PaperId, ...]
) -> None:
    with database.writing() as work:
        work[EnrichmentStore].asked("stars", {papers[0]: NOW + MINUTE}, now=NOW)
    assert take(database) == [papers[1], papers[2]]
    assert take(database, now=NOW + HOUR) == [papers[1], papers[2], papers[0]]


def test_of_papers_that_were_asked_for_the_one_that_waits_longest_is_the_first(
    database: SqlDatabase, papers: tuple[PaperId, ...]
) -> None:
    turns = dict(zip(papers, (NOW - MINUTE, NOW - HOUR, NOW), strict=False))
    with database.writing() as work:
        work[EnrichmentStore].asked("stars", turns, now=NOW - DAY)
    assert take(database) == [papers[1], papers[0], papers[2]]


def test_the_next_turn_may_be_moved(database: SqlDatabase, papers: tuple[PaperId, ...]) -> None:
    with database.writing() as work:
        work[EnrichmentStore].asked("stars", {papers[0]: None}, now=NOW)
        work[EnrichmentStore].asked("stars", {papers[0]: NOW + DAY}, now=NOW + HOUR)
    assert take(database, now=NOW + DAY, since=NOW - DAY)[-1] == papers[0]
