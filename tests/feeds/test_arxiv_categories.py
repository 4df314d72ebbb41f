"""arXiv's category tree: complete, and helpful to those who misspell."""

import gzip
import json
from pathlib import Path

import pytest

from paperround.core.errors import InvalidInput
from paperround.feeds.formats.arxiv import CATEGORY
from paperround.feeds.sources.arxiv import Arxiv
from paperround.feeds.sources.arxiv_categories import (
    categories,
    hint,
    matching,
    similar_categories,
)
from paperround.plugins.arxiv_oai import ArxivOai, sets

GROUPS = {"cs", "econ", "eess", "math", "physics", "q-bio", "q-fin", "stat"}


def test_the_tree_has_every_archive_and_category() -> None:
    every = categories().values()
    archives = {one.archive for one in every}
    with_subjects = {one.archive for one in every if one.subject}
    leaves = [one for one in every if one.subject or one.name not in with_subjects]
    assert (len(archives), len(leaves)) == (20, 155)
    assert {one.group for one in every} == GROUPS
    assert archives <= categories().keys()
    assert all(CATEGORY.fullmatch(one.name) and one.title for one in every)
    assert {"cs", "physics:hep-th", "cs:cs:LG", "physics:astro-ph:CO", "q-bio:q-bio:NC"} <= sets()


def test_every_category_of_real_papers_is_known(real_data: Path) -> None:
    with gzip.open(real_data / "arxiv_daily" / "papers.jsonl.gz", "rt", encoding="utf-8") as file:
        papers = [json.loads(line) for line in file]
    named = {one for paper in papers for one in paper.get("categories") or []}
    assert named
    assert {one for one in named if CATEGORY.fullmatch(one)} <= categories().keys()


@pytest.mark.accept("F09", part="categories")
@pytest.mark.parametrize(
    ("wrong", "meant"),
    [
        ("cs.ML", ["cs.LG", "stat.ML"]),
        ("CS.lg", ["cs.LG", "stat.ML"]),
        ("machine learning", ["cs.LG", "stat.ML"]),
        ("hepth", ["hep-th", "hep-ph", "hep-lat"]),
        ("math.LG", ["cs.LG", "stat.ML"]),
        ("zzzzz", []),
    ],
)
def test_a_wrong_category_is_refused_with_those_that_may_be_meant(
    wrong: str, meant: list[str]
) -> None:
    assert list(similar_categories(wrong)) == meant
    for one in meant or ["feeds categories"]:
        assert one in hint(wrong)


def test_a_feed_of_an_unknown_category_is_refused_by_name() -> None:
    with pytest.raises(InvalidInput, match=r"no cs\.ML on arXiv: did you mean cs\.LG, stat\.ML"):
        Arxiv().check(None, {"categories": "cs.CL,cs.ML"})
    with pytest.raises(InvalidInput, match="sets cannot be 'cs:cs:ML': did you mean 'cs:cs:"):
        ArxivOai().check(None, {"sets": "cs:cs:ML"})


def test_categories_are_found_by_part_of_name_or_title() -> None:
    assert [one.name for one in matching("LEARN")] == ["cs.LG", "stat.ML"]
    assert [one.name for one in matching("hep-t")] == ["hep-th"]
    assert len(matching("")) == len(categories())
