"""The page the product is modelled on: titles and abstracts, and nothing else."""

import re
from pathlib import Path

import pytest

from paperround.editions.model import Candidate
from paperround.ranking.bursts import find_bursts, topics_of
from paperround.ranking.stop_words import paper_tokens
from paperround.ranking.weights import DEFAULTS
from tests.ranking.ranked_papers import NOW, candidate, occurs, order, rank

QUOTED = re.compile("“(.+?)”")


@pytest.fixture
def page(real_data: Path) -> list[Candidate]:
    lines = (real_data / "seed" / "trending_papers_page.txt").read_text().splitlines()[2:]
    lines[0] = lines[0].removeprefix("Subscribe")
    return [
        candidate(
            number,
            identifiers={"local": f"seed:{number}"},
            title=title,
            abstract=abstract,
            counts_from=NOW,
            listed_on=None,
        )
        for number, (title, abstract) in enumerate(zip(lines[::2], lines[1::2], strict=True))
    ]


@pytest.mark.accept("F11")
def test_the_page_is_ordered_by_its_topics_whatever_the_input_order(page: list[Candidate]) -> None:
    ranking = rank(page)
    assert len(ranking.items) == 119
    assert all(item.parts["topics"] > 0 for item in ranking.items[:40])
    assert order(rank(page[::-1])) == order(ranking)


@pytest.mark.accept("Q9", part="seed")
def test_every_quoted_term_stands_in_its_paper(page: list[Candidate]) -> None:
    background = [f"whales sing in the deep {n}" for n in range(500)]
    for item in (*rank(page).items, *rank(page, background=background).items):
        for term in QUOTED.findall(item.reason):
            assert occurs(term, item.paper.title, item.paper.abstract)


def test_no_one_topic_fills_the_first_page(page: list[Candidate]) -> None:
    background = [f"whales sing in the deep {n}" for n in range(500)]
    papers = [item.paper for item in rank(page, background=background).items]
    words = [paper_tokens(paper.title, paper.abstract) for paper in papers]
    bursts = find_bursts(words, background, DEFAULTS)
    topics = [{topic.term for topic in topics_of(one, bursts)} for one in words[:12]]
    assert len(set().union(*topics)) >= 7
