from typing import Any

import pytest

from paperround.papers.model import Paper
from paperround.ranking.duplicates import group_duplicates
from paperround.ranking.stop_words import paper_tokens
from tests.ranking.ranked_papers import candidate, only, order, paper, rank, seen

ABSTRACT = (
    "Harbour seals follow tidal fronts along the northern coast. From collars worn by forty "
    "animals over three winters, a hidden Markov model separates foraging from travel and "
    "predicts where trawlers and seals meet."
)
OTHER = (
    "Copper smelters left isotopic traces in lake mud. Cores from nine basins date the earliest "
    "furnaces and show how far smoke drifted before tall chimneys were built."
)


def groups(*papers: Paper) -> list[tuple[int, ...]]:
    return group_duplicates(papers, [paper_tokens(p.title, p.abstract) for p in papers])


def pair(left: dict[str, Any], right: dict[str, Any]) -> list[tuple[int, ...]]:
    return groups(paper(1, **left), paper(2, **right))


TOGETHER, APART = [(0, 1)], [(0,), (1,)]


def test_the_same_title_and_text_fold_whatever_case_and_marks() -> None:
    left = {"title": "Seals: at the front", "abstract": ABSTRACT}
    right = {"title": "SEALS at the Front!", "abstract": ABSTRACT}
    assert pair(left, right) == TOGETHER


def test_a_retitled_paper_with_the_same_text_folds() -> None:
    left = {"title": "Seals at the front", "abstract": ABSTRACT + " Code is public."}
    right = {"title": "Foraging along tidal fronts", "abstract": ABSTRACT}
    assert pair(left, right) == TOGETHER


def test_three_fifths_of_the_text_is_one_text_and_half_of_it_is_not() -> None:
    words = [f"w{n}" for n in range(60)]
    left = {"title": "Seals at the front", "abstract": " ".join(words)}

    def with_changed(end: int) -> dict[str, Any]:
        changed = [*words[: 60 - end], *(f"x{n}" for n in range(end))]
        return {"title": "Foraging along tidal fronts", "abstract": " ".join(changed)}

    assert pair(left, with_changed(14)) == TOGETHER  # 44 of 72 runs of three words: 0.61
    assert pair(left, with_changed(19)) == APART  # 39 of 77: 0.51


def test_one_template_title_over_different_works_does_not_fold() -> None:
    left = {"title": "Technical report", "abstract": ABSTRACT}
    right = {"title": "Technical report", "abstract": OTHER}
    assert pair(left, right) == APART


def test_a_short_title_alone_proves_nothing() -> None:
    assert pair({"title": "Editorial"}, {"title": "Editorial"}) == APART
    long = {"title": "Seals follow the tidal fronts"}
    assert pair(long, {**long, "abstract": ABSTRACT}) == TOGETHER


@pytest.mark.parametrize(("first", "second"), [("I", "II"), ("2019", "2020"), ("v1", "v2")])
def test_parts_of_a_series_do_not_fold(first: str, second: str) -> None:
    left = {"title": f"Seal counts {first}", "abstract": ABSTRACT}
    right = {"title": f"Seal counts {second}", "abstract": ABSTRACT}
    assert pair(left, right) == APART


def test_papers_without_a_common_author_do_not_fold() -> None:
    same = {"title": "Seals at the front", "abstract": ABSTRACT}
    assert pair({**same, "authors": ("Ada Berg",)}, {**same, "authors": ("Cy Dahl",)}) == APART


def test_authors_spelt_in_two_ways_are_still_the_same() -> None:
    same = {"title": "Seals at the front", "abstract": ABSTRACT}
    assert pair({**same, "authors": ("A. Berg",)}, {**same, "authors": ("Berg, Ada",)}) == TOGETHER


def test_copies_of_a_copy_are_one_group() -> None:
    texts = (ABSTRACT, ABSTRACT + " Data are open.", ABSTRACT + " Data are open. So is code.")
    copies = [paper(n, title=f"Seals {'abc'[n]}", abstract=text) for n, text in enumerate(texts)]
    assert groups(*copies, paper(9, abstract=OTHER)) == [(0, 1, 2), (3,)]


def test_texts_about_one_thing_in_other_words_stay_apart() -> None:
    reworded = "Tidal fronts along the coast draw harbour seals, and trawlers, to one place."
    assert pair({"abstract": ABSTRACT}, {"abstract": reworded}) == APART


@pytest.mark.accept("F15", part="near-duplicates")
def test_the_better_one_of_two_copies_stays_and_names_the_other() -> None:
    copies = [
        candidate(1, seen(3), title="Seals at the front", abstract=ABSTRACT),
        candidate(2, seen(30), title="Seals at the front", abstract=ABSTRACT),
    ]
    ranking = rank(copies)
    assert order(ranking) == [2]
    assert only(ranking).folded == (1,)
