"""Papers like another one."""

from dataclasses import replace

import pytest

from paperround.db.transactions import Database
from paperround.papers.merge import PaperJoin
from paperround.papers.model import Paper
from paperround.papers.search_service import MOST_SIMILAR, Neighbours, similar_papers
from paperround.papers.store.papers import PaperStore
from paperround.ranking.relevance import by_relevance
from tests.builders import HOUR, MINUTE, NOW, paper, write

PLANTS = "Leaves of plants grow towards light, and chlorophyll moves with it."
ENGINES = "Engines burn oil, and pistons wear out under heavy load."


def keep(database: Database, *papers: Paper) -> list[Paper]:
    with database.writing() as work:
        real = work[PaperStore].save([write(one) for one in papers], now=NOW)
        loaded = work[PaperStore].load(list(real.values()))
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
    many = keep(database, *(paper(n, abstract=PLANTS) for n in range(1, MOST_SIMILAR + 4)))
    found = similar_papers(database, by_relevance, many[0])
    assert len(found) == MOST_SIMILAR
    assert many[0] not in found


def test_a_paper_of_filler_alone_is_like_no_other(database: Database) -> None:
    alone, _ = keep(
        database, paper(1, title="On it", abstract=""), paper(2, title="On it 7", abstract="")
    )
    assert similar_papers(database, by_relevance, alone) == []


# --- kept for a day ------------------------------------------------------------------------------


def leaves(number: int, **other: object) -> Paper:
    return paper(number, title=f"Leaves and light {number}", abstract=PLANTS, **other)


@pytest.mark.accept("F16", part="similar papers")
def test_new_papers_are_similar_within_a_day(database: Database) -> None:
    first, second = keep(database, leaves(1), leaves(2))
    neighbours = Neighbours(database, by_relevance)
    assert neighbours.of(first, now=NOW) == [second]
    (third,) = keep(database, leaves(3))
    assert neighbours.of(first, now=NOW + MINUTE) == [second], "not looked for again"
    assert {one.id for one in neighbours.of(first, now=NOW + 24 * HOUR)} == {second.id, third.id}


def test_a_paper_whose_text_changed_is_looked_for_again(database: Database) -> None:
    first, engine, other = keep(
        database, leaves(1), *(paper(n, title="Pistons", abstract=ENGINES) for n in (2, 3))
    )
    neighbours = Neighbours(database, by_relevance)
    assert neighbours.of(first, now=NOW) == []
    changed = replace(first, title="Pistons", abstract=ENGINES)
    with database.writing() as work:
        work[PaperStore].save([write(changed, text_changed=True)], now=NOW)
    assert {one.id for one in neighbours.of(changed, now=NOW)} == {engine.id, other.id}


def test_what_is_kept_of_a_neighbour_is_never_its_text(database: Database) -> None:
    first, second, third = keep(database, leaves(1), leaves(2), leaves(3))
    neighbours = Neighbours(database, by_relevance)
    assert {one.id for one in neighbours.of(first, now=NOW)} == {second.id, third.id}
    gone, renamed = replace(second, withdrawn=True), replace(third, title="Light on leaves")
    with database.writing() as work:
        work[PaperStore].save([write(gone), write(renamed, text_changed=True)], now=NOW)
    assert [one.title for one in neighbours.of(first, now=NOW + MINUTE)] == ["Light on leaves"]


def test_a_neighbour_that_became_the_paper_itself_is_none(database: Database) -> None:
    first, second, third = keep(database, leaves(1), leaves(2), leaves(3))
    neighbours = Neighbours(database, by_relevance)
    neighbours.of(first, now=NOW)
    one = PaperJoin(paper=first, gone=second.id)
    with database.writing() as work:
        work[PaperStore].join(one, now=NOW)
    assert [one.id for one in neighbours.of(first, now=NOW + MINUTE)] == [third.id]
