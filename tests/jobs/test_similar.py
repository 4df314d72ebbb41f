"""Papers like another one."""

import pytest

from paperround.domain.papers import Paper
from paperround.jobs.ports import Database
from paperround.jobs.similar import SHOWN, similar_papers
from paperround.ranking.relevance import by_relevance
from tests.builders import NOW, paper, write

PLANTS = "Leaves of plants grow towards light, and chlorophyll moves with it."
ENGINES = "Engines burn oil, and pistons wear out under heavy load."


def keep(database: Database, *papers: Paper) -> list[Paper]:
    with database.writing() as work:
        real = work.papers.save([write(one) for one in papers], now=NOW)
        loaded = work.papers.load(list(real.values()))
    return [loaded[real[one.id]] for one in papers]


@pytest.mark.accept("F16", part="similar papers")
def test_papers_on_the_same_thing_are_similar_and_others_are_not(database: Database) -> None:
    first, second, engine, gone = keep(
        database,
        paper(1, title="Leaves and light", abstract=PLANTS),
        paper(2, title="How leaves find light", abstract=f"{PLANTS} We count them."),
        paper(3, title="Pistons", abstract=ENGINES),
        paper(4, title="Leaves and light, again", abstract=PLANTS, withdrawn=True),
        paper(5, title="Pistons in art", abstract="Painters of the thirties saw them."),
    )[:4]
    assert similar_papers(database, by_relevance, first) == [second]
    assert similar_papers(database, by_relevance, engine) == []
    ids = {one.id for one in similar_papers(database, by_relevance, gone)}
    assert ids == {first.id, second.id}


def test_no_more_are_named_than_are_looked_at(database: Database) -> None:
    many = keep(database, *(paper(n, abstract=PLANTS) for n in range(1, SHOWN + 4)))
    found = similar_papers(database, by_relevance, many[0])
    assert len(found) == SHOWN
    assert many[0] not in found


def test_a_paper_of_filler_alone_is_like_no_other(database: Database) -> None:
    alone, _ = keep(
        database, paper(1, title="On it", abstract=""), paper(2, title="On it 7", abstract="")
    )
    assert similar_papers(database, by_relevance, alone) == []
