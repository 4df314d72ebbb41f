"""One sentence of an abstract says what is new."""

import gzip
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperround.domain.gist import LONGEST, choose_gist, split_sentences
from paperround.domain.text import repair_abstract

ABSTRACT = (
    "Dense matching is a classic problem. However, existing methods are often slow, e.g. the one "
    "of Smith et al. (Fig. 3). In this paper, we propose Foo, a method that is 2.5× faster than "
    "U.S. standards. Code is available at https://x.org/foo."
)


def test_the_sentence_that_proposes_something_is_chosen() -> None:
    gist = choose_gist("Foo", ABSTRACT)
    assert (
        gist == "In this paper, we propose Foo, a method that is 2.5× faster than U.S. standards."
    )


def test_abbreviations_initials_and_decimals_end_no_sentence() -> None:
    assert [sentence[:12] for sentence in split_sentences(ABSTRACT)] == [
        "Dense matchi",
        "However, exi",
        "In this pape",
        "Code is avai",
    ]


@pytest.mark.parametrize("text", ["vs. Others", "i.e. This", "by J. Doe", "No. 5", "(cf. Eq. 2)"])
def test_a_short_form_inside_a_sentence_is_no_end(text: str) -> None:
    assert split_sentences(f"We beat it {text} again. Done.") == (
        f"We beat it {text} again.",
        "Done.",
    )


def test_a_sentence_that_ends_in_a_quote_keeps_it() -> None:
    assert split_sentences("They said “yes.” We agree.") == ("They said “yes.”", "We agree.")


def test_no_abstract_gives_no_gist() -> None:
    assert choose_gist("Foo", "") == ""


def test_a_long_sentence_is_cut_at_a_word() -> None:
    gist = choose_gist("Foo", "We propose " + "quite something " * 60)
    assert len(gist) <= LONGEST
    assert gist.endswith(("quite…", "something…"))


def test_a_sentence_that_repeats_the_title_is_passed_over() -> None:
    title = "We show that our method outperforms all"
    assert choose_gist(title, f"{title}. It is small.") == "It is small."


@given(st.text(max_size=400))
def test_a_gist_is_verbatim_but_for_its_first_letter_and_ellipsis(text: str) -> None:
    abstract = repair_abstract(text)
    gist = choose_gist("", abstract)
    assert len(gist) <= LONGEST
    assert gist.removesuffix("…")[1:] in abstract


@pytest.mark.parametrize(
    ("sentence", "alone"),
    [
        ("(iii) Third, we release the data.", "We release the data."),
        ("1) Task Formulation: We define a task.", "We define a task."),
        ("To address these issues, we propose Foo.", "We propose Foo."),
        ("Besides, the model is small.", "The model is small."),
        ("As a result, GPT-4 does it.", "GPT-4 does it."),
        ("Taken together, our results hold.", "Our results hold."),
        ("Finally, by using X, we win.", "By using X, we win."),
        ("Furthermore, user studies agree.", "User studies agree."),
        ("Moreover, to this end, we train.", "To this end, we train."),
    ],
)
def test_a_gist_stands_alone_without_marker_or_connective(sentence: str, alone: str) -> None:
    assert choose_gist("", sentence) == alone


@pytest.mark.parametrize(
    "sentence",
    [
        "Finally, and above all, we measure it.",
        "Next-token prediction is enough.",
        "Specifically, iFoo is fast.",
        "(iii) and more.",
        "(i) We build it and (ii) we test it.",
        "First, we build it, and second, we test it.",
        "To address climate change, models are needed.",
        "We show that, as a result, it works.",
    ],
)
def test_an_opening_that_is_needed_stays(sentence: str) -> None:
    assert choose_gist("", sentence) == sentence


PROPOSAL = (
    "We propose Foo, a method that matches images densely by learning from the wild in a way that "
    "needs no labels."
)


def test_a_proposal_beats_a_vague_result_but_no_figure() -> None:
    vague = (
        "Extensive experiments on many benchmarks demonstrate that our method achieves "
        "state-of-the-art results and outperforms existing approaches."
    )
    assert choose_gist("", f"{PROPOSAL} {vague}") == PROPOSAL
    exact = vague.replace("outperforms", "is 2.5× faster than")
    assert choose_gist("", f"{PROPOSAL} {exact}") == exact


def share_of_hits(abstracts: list[dict[str, object]], choose: Callable[[str], str]) -> float:
    """How often the chosen sentence overlaps what readers marked as idea or result."""
    hits = [hit for one in abstracts if (hit := is_hit(one, choose)) is not None]
    return sum(hits) / len(hits)


def is_hit(one: dict[str, object], choose: Callable[[str], str]) -> bool | None:
    text, spans = str(one["abstract"]), one["spans"]
    assert isinstance(spans, list)
    marks = [(s["start"], s["end"]) for s in spans if s["label"] in {"idea", "result"}]
    chosen = choose(text).removesuffix("…")[1:]  # a first letter may have become a capital
    start = text.index(chosen)
    end = start + len(chosen)
    return any(begin < end and start < stop for begin, stop in marks) if marks else None


@pytest.mark.accept("Q8", part="one sentence")
def test_seven_of_ten_gists_hit_what_readers_marked(real_data: Path) -> None:
    with gzip.open(real_data / "abstract_highlights" / "abstracts.jsonl.gz", "rt") as lines:
        abstracts = [json.loads(line) for line in lines]
    hits = share_of_hits(abstracts, lambda text: choose_gist("", text))
    assert hits >= 0.70
    assert hits > share_of_hits(abstracts, lambda text: split_sentences(text)[-1]) + 0.1
