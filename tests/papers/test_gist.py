"""One sentence of an abstract says what the paper does, and two say what came of it."""

import time
from collections.abc import Iterable
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperround.papers import gist as gist_module
from paperround.papers.gist import LONGEST, LONGEST_ONE, choose_gist, choose_two
from paperround.papers.text import repair_abstract

ABSTRACT = (
    "Dense matching is a classic problem. However, existing methods are often slow, e.g. the one "
    "of Smith et al. (Fig. 3). In this paper, we propose Foo, a method that is 2.5× faster than "
    "U.S. standards. Code is available at https://x.org/foo."
)


def test_the_sentence_that_proposes_something_is_chosen() -> None:
    gist = choose_gist("Foo", ABSTRACT)
    assert gist == "We propose Foo, a method that is 2.5× faster than U.S. standards."


def test_a_long_sentence_is_cut_at_a_word_only_if_there_is_no_other() -> None:
    much = "We propose " + "quite something " * 60
    gist = choose_gist("Foo", much)
    assert len(gist) <= LONGEST_ONE
    assert gist.endswith(("quite…", "something…"))
    assert choose_gist("Foo", f"{much}. Bees are small.") == "Bees are small."


def test_a_sentence_that_repeats_the_title_is_passed_over() -> None:
    title = "We show that our method outperforms all"
    assert choose_gist(title, f"{title}. It is small.") == "It is small."


def test_a_sentence_that_says_the_title_is_preferred() -> None:
    bees = (
        "We propose a method that counts honey bees in gardens, parks and meadows of large cities "
        "from the sound of wings, which microphones record."
    )
    wasps = bees.replace("honey bees", "angry wasps")
    for abstract in (f"{bees} {wasps}", f"{wasps} {bees}"):
        assert choose_gist("Hive: Honey Bees", abstract) == bees
        assert choose_gist("Angry Wasps", abstract) == wasps


@given(st.text(max_size=400))
def test_a_gist_of_anything_fits(text: str) -> None:
    abstract = repair_abstract(text)
    assert len(choose_gist("", abstract)) <= LONGEST_ONE
    assert len(choose_two("", abstract)) <= LONGEST
    assert bool(choose_gist("", abstract)) == bool(abstract)


PROPOSAL = (
    "We propose Foo, a method that matches pairs of blurred images densely by learning where "
    "points of unlabelled street videos move, in a way that needs no labels."
)


def test_an_idea_beats_any_result() -> None:
    vague = (
        "Extensive experiments on ImageNet demonstrate that our method achieves "
        "state-of-the-art results and outperforms existing approaches."
    )
    exact = vague.replace("outperforms", "is 2.5× faster than")
    assert choose_gist("", f"It has been hard. {PROPOSAL} {vague} {exact}") == PROPOSAL
    assert choose_gist("", f"{exact}") == exact


@pytest.mark.parametrize("opening", ["It", "This method", "In these layers it", "Such a net"])
def test_a_sentence_that_points_back_is_no_gist_while_another_says_the_idea(opening: str) -> None:
    back = f"{opening} learns jointly from the wild by combining images, based on the model."
    assert choose_gist("", f"It is hard. {PROPOSAL} {back}") == PROPOSAL
    assert choose_gist("", back) == back


@pytest.mark.accept("F24", part="one that says little is joined", mutant="nothing-is-joined")
def test_a_proposal_that_says_little_is_joined_with_the_sentence_after_it() -> None:
    little, more = "We propose Foo, a new method.", "It learns jointly by combining images."
    assert choose_gist("", f"It is hard. {little} {more}") == (
        "We propose Foo, a new method; it learns jointly by combining images."
    )
    assert choose_gist("", f"It is hard. {PROPOSAL} {more}") == PROPOSAL


def test_what_stands_before_a_proposal_does_not_make_it_say_more() -> None:
    little = (
        "Inspired by how honey bees find flowers in gardens and parks of cities, we propose Foo."
    )
    assert choose_gist("", f"It is hard. {little} It learns steps by watching bees dance.") == (
        f"{little.removesuffix('.')}; it learns steps by watching bees dance."
    )


@pytest.mark.parametrize(
    "more",
    [
        "It outperforms all state-of-the-art models by learning jointly.",
        "It aims to inspire future work by learning jointly.",
        "Prior methods need many labels.",
        "It joins the nets BeeNet, WaspNet and HiveNet by learning jointly.",
        "Its code is available at https://example.org/foo by learning jointly.",
    ],
)
def test_a_boast_or_a_hope_joins_nothing(more: str) -> None:
    little = "We propose Foo, a new method."
    assert choose_gist("", f"It is hard. {little} {more}") == little


def test_work_that_speaks_of_itself_does_not_point_back() -> None:
    work = "This work learns jointly from the wild by combining images, based on the model."
    assert choose_gist("", f"It is hard. {work} We see Foo.") == work


@pytest.mark.accept("F24", part="never a boast", mutant="a-boast-is-a-gist")
@pytest.mark.parametrize(
    "silly",
    [
        "Can our method significantly outperform state-of-the-art methods by 12% on 3 benchmarks?",
        "Our code achieves significantly better results by using https://example.org/our/method.",
        "Our data that improve it significantly by 12% are available online.",
        "The framework that learns it all by combining many models will be fully open-sourced.",
        "We hope that our method inspires work that learns by combining rather than training.",
        "We release our code, which learns jointly by combining images rather than by training.",
    ],
)
def test_questions_hopes_and_addresses_are_no_gist_while_there_is_another(silly: str) -> None:
    assert choose_gist("", f"A short one. {silly}") == "A short one."
    assert choose_gist("", silly) != ""


def test_a_boast_is_no_gist_while_another_sentence_says_something() -> None:
    boast = "FooNet achieves state-of-the-art performance on ten benchmarks by combining models."
    plain = "FooNet counts honey bees in the wild from the sound of their wings."
    assert choose_gist("", f"{plain} {boast}") == plain


@pytest.mark.parametrize(
    "silly",
    [
        "HumNet and BuzzNet address bees instead, but each net is limited to counting one hive.",
        "By training a large net of layers, we are able to achieve the best score on HumBench.",
        "We find that the hum of honey bees varies across hives of different colour and size.",
        "This study presents several contributions: those to bees.",
        "The rise of nets sparked much interest in bees, which calls for a count of many hives.",
        "We dive into the problems and propose a new framework.",
        "In the second stage, we train encoders of images of wings by combining many hives.",
        "The challenges are the noise of gardens and the lack of light in hives of honey bees.",
    ],
)
def test_what_others_did_or_one_score_says_is_no_gist_beside_a_proposal(silly: str) -> None:
    for abstract in (f"{silly} {PROPOSAL}", f"{PROPOSAL} {silly}"):
        assert choose_gist("", f"Bees are small. {abstract} Bees are old.") == PROPOSAL


@pytest.mark.accept("F24", part="never others' work", mutant="others-work-is-a-gist")
def test_what_nets_of_others_lack_is_no_gist_beside_what_a_net_does() -> None:
    others = (
        "HumNet and BuzzNet learn to count bees by combining images of wings from gardens, parks "
        "and meadows, and each is limited to one hive."
    )
    plain = "FooNet counts honey bees in the wild from the sound of their wings."
    assert choose_gist("", f"Bees are small. {others} {plain} Bees are old.") == plain


def test_what_others_say_before_the_authors_speak_is_no_gist() -> None:
    others = (
        "Honey bees hum in gardens, parks and meadows of large cities by moving their wings, "
        "rather than by singing, which microphones of keepers record on warm days."
    )
    ours = "We count honey bees."
    for rest in ("Bees rest. Bees are old.", "Bees rest. Wasps rest. Bees are old."):
        assert choose_gist("Counting Bees", f"{others} {ours} {rest}") == ours


def test_the_first_proposal_is_preferred_to_a_detail() -> None:
    detail = "We then join the wings of bees by learning a net of layers from many microphones."
    first = "We introduce FooNet, a net that counts honey bees in gardens from the sound of wings."
    gist = choose_gist("", f"Bees are small. {first} {detail} Bees are old.")
    assert gist.startswith(first.removesuffix("."))


@pytest.mark.parametrize(
    "abstract",
    [
        "Bienen summen in Gärten. Wir stellen FooNet vor, ein Netz, das Bienen am Klang zählt.",
        "我们提出了一种新的方法。该方法通过声音计数蜜蜂。",
        "Мы предлагаем новый метод подсчёта пчёл. Он работает быстро.",
    ],
)
def test_an_abstract_in_another_language_has_a_gist_of_its_sentences(abstract: str) -> None:
    gist = choose_gist("", abstract)
    assert gist
    assert gist.removesuffix("…") in abstract


IDEA = "We propose Foo, a method that matches images densely by learning from the wild."
RESULT = "FooNet significantly improves the state of the art by 12% on three benchmarks."
FILLING = "Matching has been hard. " + IDEA + " It has two parts. " + RESULT + " Code is released."


def test_two_sentences_are_the_idea_and_the_result_in_their_order() -> None:
    assert choose_two("", FILLING) == f"{IDEA} {RESULT}"


def long(sentence: str, length: int) -> str:
    """The sentence with a clause of more words, of about this length."""
    more = " and so on" * ((length - len(sentence) - 20) // 10)
    return f"{sentence.removesuffix('.')}, which is so{more}."


def test_two_sentences_that_do_not_fit_end_at_a_clause() -> None:
    assert choose_two("", f"{long(IDEA, 200)} {RESULT}") == f"{long(IDEA, 200)} {RESULT}"
    assert choose_two("", f"{long(IDEA, 260)} {RESULT}") == f"{IDEA} {RESULT}"
    assert choose_two("", f"{IDEA} {long(RESULT, 280)}") == f"{IDEA} {RESULT}"
    assert choose_two("", f"{long(IDEA, 280)} {long(RESULT, 280)}") == f"{IDEA} {RESULT}"


def test_a_sentence_stands_alone_where_no_two_fit() -> None:
    idea, result = (one.removesuffix(".") + " on" * 120 + "." for one in (IDEA, RESULT))
    assert choose_two("", f"{idea} {result}").count(".") <= 1


def test_a_result_that_points_at_a_sentence_between_is_not_shown() -> None:
    between, back = "We also propose Bar.", "This significantly improves images by 12%."
    result = "FooNet improves images."
    assert choose_two("", f"{IDEA} {between} {back} {result}") != f"{IDEA} {back}"
    assert choose_two("", f"{IDEA} {back}") == f"{IDEA} {back}"


def test_one_sentence_is_its_own_pair() -> None:
    assert choose_two("", IDEA) == choose_gist("", IDEA) == IDEA
    assert choose_two("", "") == choose_gist("", "") == ""


def test_that_results_are_presented_is_no_result() -> None:
    said = "Significantly better numerical results on all of the three benchmarks are provided."
    assert choose_gist("", f"{IDEA} {said}") == IDEA
    assert choose_gist("", said) == said


@pytest.mark.parametrize(
    "words",
    ["experiments show ", "we use (a b) ", "A, which is so, ", "a (B) ", "using these, we "],
)
def test_a_hostile_sentence_takes_no_long_time(words: str) -> None:
    started = time.process_time()
    choose_gist("", words * 2000)
    choose_two("", words * 2000)
    assert time.process_time() - started < 1.0


def test_of_very_many_sentences_only_the_likeliest_are_paired(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen: list[int] = []

    def pairs(candidates: Iterable[object], size: int) -> list[tuple[object, ...]]:
        every = list(candidates)
        seen.append(len(every))
        return list(combinations(every, size))

    monkeypatch.setattr(gist_module, "combinations", pairs)
    filling = "We like it. " * 250
    assert choose_two("", f"{filling}{IDEA} {RESULT} {filling}") == f"{IDEA} {RESULT}"
    assert seen == [16]
