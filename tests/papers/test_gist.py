"""One sentence of an abstract says what is new."""

import time
from collections.abc import Sequence
from itertools import combinations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperround.papers import gist as gist_module
from paperround.papers.gist import LONGEST, choose_gist, choose_two, gist_pieces
from paperround.papers.text import repair_abstract

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
        ("However, we find more.", "We find more."),
        ("Instead, we present Foo.", "We present Foo."),
        ("Finally, by using X, we win.", "By using X, we win."),
        ("Furthermore, user studies agree.", "User studies agree."),
        ("Moreover, to this end, we train.", "To this end, we train."),
        ("(3) It answers in 1 second when asked.", "It answers in 1 second when asked."),
        ("(ii) We run 30 frames per second here.", "We run 30 frames per second here."),
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


def test_an_idea_beats_any_result() -> None:
    vague = (
        "Extensive experiments on many benchmarks demonstrate that our method achieves "
        "state-of-the-art results and outperforms existing approaches."
    )
    exact = vague.replace("outperforms", "is 2.5× faster than")
    assert choose_gist("", f"It has been hard. {PROPOSAL} {vague} {exact}") == PROPOSAL
    assert choose_gist("", f"{exact}") == exact


def test_a_whole_sentence_is_shown_rather_than_the_head_of_a_long_one() -> None:
    more = "Our model learns from images."
    assert choose_gist("", f"It is hard. {PROPOSAL} {long(more, 310)}") == long(more, 310)
    assert choose_gist("", f"It is hard. {PROPOSAL} {long(more, 400)}") == PROPOSAL


@pytest.mark.parametrize("opening", ["It", "This method", "In these layers it", "For example, it"])
def test_a_sentence_that_points_back_is_no_gist_while_another_says_the_idea(opening: str) -> None:
    back = f"{opening} learns jointly from the wild by combining images, based on the model."
    assert choose_gist("", f"It is hard. We propose Foo, a small method. {back}").startswith("We")
    assert choose_gist("", back) == back


def test_work_that_speaks_of_itself_does_not_point_back() -> None:
    work = "This work learns jointly from the wild by combining images, based on the model."
    assert choose_gist("", f"It is hard. {work} We see Foo.") == work


@pytest.mark.parametrize(
    "silly",
    [
        "Can our method significantly outperform state-of-the-art methods by 12% on 3 benchmarks?",
        "Our code achieves significantly better results by using https://example.org/our/method.",
        "Our data that improve it significantly by 12% are available online.",
        "Our significantly better results on benchmarks are in this https URL by doing more.",
    ],
)
def test_questions_and_addresses_are_no_gist_while_there_is_another(silly: str) -> None:
    assert choose_gist("", f"A short one. {silly}") == "A short one."
    assert choose_gist("", silly) == silly


IDEA = "We propose Foo, a method that matches images densely by learning from the wild."
RESULT = "Our method significantly improves the state of the art by 12% on three benchmarks."
FILLING = "Matching has been hard. " + IDEA + " It has two parts. " + RESULT + " Code is released."


def test_two_sentences_are_the_idea_and_the_result_in_their_order() -> None:
    assert choose_two("", FILLING) == f"{IDEA} {RESULT}"


def long(sentence: str, length: int) -> str:
    """The sentence with more words, of about this length."""
    more = " and so on" * ((length - len(sentence)) // 10)
    return sentence.removesuffix(".") + more + "."


def test_of_two_long_sentences_the_likelier_stays_whole() -> None:
    idea, result = long(IDEA, 200), long(RESULT, 200)
    first, second = gist_pieces("", f"{idea} {result}", 2)
    assert second.text == result
    assert idea[: first.end] == first.text.removesuffix("…")
    assert first.text.endswith("…")
    assert LONGEST - 12 <= len(f"{first.text} {second.text}") <= LONGEST


def test_or_the_other_one_when_it_leaves_more_room() -> None:
    idea, result = long(IDEA, 200), long(RESULT, 280)
    first, second = gist_pieces("", f"{idea} {result}", 2)
    assert first.text == idea
    assert second.text.endswith("…")
    assert len(f"{first.text} {second.text}") <= LONGEST


def test_one_whole_sentence_stands_rather_than_two_cut_ones() -> None:
    assert choose_two("", f"{long(IDEA, 280)} {long(RESULT, 280)}") == long(RESULT, 280)
    assert choose_two("", f"{long(IDEA, 280)} {long(RESULT, 400)}") == long(IDEA, 280)


def test_of_two_that_are_each_too_long_one_is_cut() -> None:
    (piece,) = gist_pieces("", f"{long(IDEA, 400)} {long(RESULT, 400)}", 2)
    assert piece.text.endswith("…")
    assert LONGEST - 12 <= len(piece.text) <= LONGEST


def test_a_short_sentence_leaves_its_room_to_the_long_one() -> None:
    first, second = gist_pieces("", IDEA + " " + RESULT.removesuffix(".") + " on" * 200, 2)
    assert first.text == IDEA
    assert LONGEST - 5 <= len(f"{first.text} {second.text}") <= LONGEST


def test_one_sentence_is_its_own_pair() -> None:
    assert choose_two("", IDEA) == choose_gist("", IDEA) == IDEA
    assert choose_two("", "") == ""


@given(st.text(max_size=400), st.sampled_from([1, 2]))
def test_pieces_say_which_characters_they_show(text: str, most: int) -> None:
    abstract = repair_abstract(text)
    for piece in gist_pieces("", abstract, most):
        shown = abstract[piece.start : piece.end]
        assert piece.text.removesuffix("…")[1:] == shown[1:]


def test_that_results_are_presented_is_no_result() -> None:
    said = "Significantly better numerical results on all of the three benchmarks are provided."
    assert choose_gist("", f"{IDEA} {said}") == IDEA
    assert choose_gist("", said) == said


def test_a_hostile_sentence_takes_no_long_time() -> None:
    started = time.process_time()
    choose_gist("", "experiments show " * 2000)
    assert time.process_time() - started < 1.0


def test_of_very_many_sentences_only_the_likeliest_are_paired(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen: list[tuple[str, str]] = []

    def pairs(candidates: Sequence[Any], size: int) -> list[tuple[Any, ...]]:
        every = list(combinations(candidates, size))
        seen.extend((one.sentence.text, other.sentence.text) for one, other in every)
        return every

    monkeypatch.setattr(gist_module, "combinations", pairs)
    choose_two("", "We like it. " * 500 + f"{IDEA} {RESULT}")
    assert len(seen) <= 40 * 39 / 2
    assert seen[-1] == (IDEA, RESULT)
