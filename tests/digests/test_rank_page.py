"""Why a paper has its rank: at most five sentences that a person would say, each of them true."""

from collections.abc import Mapping
from typing import Any

import pytest

from paperround.core.i18n.locale import locale_for
from paperround.core.i18n.localize import MESSAGES, localize_reason
from paperround.core.reasons import freeze, read_reason
from paperround.digests.rank_page import MOST_SENTENCES, SimilarPaper, explain
from paperround.editions.model import EditionPaper
from paperround.papers.model import Observation, PaperId
from tests.builders import english
from tests.ranking.ranked_papers import NOW, listed, paper, seen
from tools.words import OTHERS

FRESH = "It was listed that day, and new papers rank above older ones with as many votes."


def explained(
    *counts: Observation,
    votes: int | None = None,
    parts: Mapping[str, float] | None = None,
    reason: str = "",
    similar: tuple[int | None, ...] = (),
    folded: str = "",
    **changes: Any,
) -> tuple[str, ...]:
    shown = EditionPaper(
        position=1,
        paper_id=PaperId(1),
        title="Paper1",
        votes=votes,
        parts=parts or {},
        reason=reason,
    )
    return explain(
        shown,
        paper(1, **changes),
        counts,
        [SimilarPaper(paper=paper(n), votes=one) for n, one in enumerate(similar, start=10)],
        [paper(99, title=folded)] if folded else [],
        as_of=NOW,
    )


def sentences(*counts: Observation, **given: Any) -> list[str]:
    return [english(one) for one in explained(*counts, **given)]


@pytest.mark.accept("F12", part="why this rank")
def test_it_tells_the_votes_and_how_fast_they_came() -> None:
    risen = sentences(seen(42, 24), seen(82), votes=82, **listed(2))
    assert risen == [
        "Listed on 28 Jan, it had 82 votes by 30 Jan 08:00 UTC, 40 of them from the last 24 hours."
    ]
    assert sentences(seen(11, 1), votes=11) == [
        "Listed on 30 Jan, it had 11 votes by 30 Jan 07:00 UTC.",
        FRESH,
    ]


@pytest.mark.accept("F12", part="why this rank", mutant="votes-of-later-are-told")
def test_counts_that_the_edition_did_not_know_are_not_told() -> None:
    assert sentences(seen(99), votes=11)[0] == (
        "Listed on 30 Jan, it had 11 votes when this edition was made."
    )
    assert sentences(seen(99), votes=None)[0] == (
        "Listed on 30 Jan, it had no known votes when this edition was made."
    )


def test_an_old_paper_moved_down_with_its_age() -> None:
    assert sentences(votes=3, **listed(4))[1] == (
        "It was 4 days old, and papers move down as they age."
    )


@pytest.mark.accept("F12", part="why this rank")
@pytest.mark.parametrize(
    ("part", "value", "sentence"),
    [
        ("topic_cap", -1.2, "It was moved down so that one topic does not fill the list."),
        (
            "submitter_cap",
            -1.2,
            "It was moved down because one person listed many of the papers above it.",
        ),
        (
            "prior_authors",
            0.3,
            "Earlier papers by its authors got more votes than most, which moved it up.",
        ),
        (
            "prior_authors",
            -0.3,
            "Its authors have no popular earlier papers here, which moved it down.",
        ),
        (
            "prior_text",
            0.3,
            "Papers on its subject usually get more votes than most, which moved it up.",
        ),
        (
            "prior",
            -0.3,
            (
                "Going by earlier papers like it, fewer votes were likely, "
                "which moved it down a little."
            ),
        ),
    ],
)
def test_a_part_that_moved_it_is_said_in_words(part: str, value: float, sentence: str) -> None:
    assert sentences(parts={part: value}, **listed(1))[1:] == [sentence]
    if part.startswith("prior"):
        assert len(sentences(parts={part: value / 100}, **listed(1))) == 1


def test_the_author_that_the_reason_names_is_named_here_too() -> None:
    popular = freeze("author.popular", name="Ada Ring")
    [_, said] = sentences(reason=popular, parts={"prior_authors": 0.4}, **listed(1))
    assert said == "Earlier papers by Ada Ring are often popular here, which moved it up."


@pytest.mark.accept("F12", part="why this rank")
def test_similar_papers_and_a_near_duplicate_are_told() -> None:
    told = sentences(similar=(40, None, 3), folded="Paper1, revised", **listed(1))
    assert told[1:] == [
        "“Paper1, revised” is nearly the same paper and was left out.",
        "Similar papers here have 40 and 3 votes.",
    ]
    assert sentences(similar=(1,), **listed(1))[1:] == ["A similar paper here has 1 vote."]


MOVED = dict.fromkeys(("topic_cap", "submitter_cap"), -1.0)


@pytest.mark.accept("F12", part="why this rank", mutant="a-rank-has-six-sentences")
def test_there_are_five_sentences_at_most_and_similar_papers_come_last() -> None:
    told = sentences(
        parts={**MOVED, "prior_authors": 0.3, "prior_text": 0.3}, similar=(4,), folded="Twin"
    )
    assert len(told) == MOST_SENTENCES
    assert not any("imilar" in one for one in told)


def test_every_sentence_is_told_in_every_language() -> None:
    names = ("prior", "prior_text", "topics")
    both = [(part, sign) for part in names for sign in (-1.0, 1.0)]
    told = {
        *explained(seen(42, 24), seen(82), votes=82, **listed(3)),
        *explained(seen(5), votes=5, similar=(1,)),
        *explained(votes=5, parts=MOVED, similar=(1, 2)),
        *explained(folded="Twin", parts={"prior_authors": 1.0}),
        *explained(parts={"prior_authors": -1.0}),
        *explained(reason=freeze("author.popular", name="Ada Ring")),
        *(one for part, sign in both for one in explained(parts={part: sign})),
    }
    codes = {read_reason(one).code for one in told}
    assert codes == {code for code in MESSAGES if code.startswith("rank.")}
    for language in OTHERS:
        assert all(localize_reason(locale_for(language), one) != english(one) for one in told)
