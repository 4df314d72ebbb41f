"""A sentence of an abstract is rewritten to stand alone, and claims what it claimed."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperround.papers.gist import LONGEST_ONE, choose_gist, choose_two, gist_pieces
from paperround.papers.gist_features import Sentence, split_sentences
from paperround.papers.gist_rewriting import (
    Piece,
    acronyms,
    curtailed,
    expanded,
    joined,
    versions,
    without_macros,
)
from paperround.papers.gist_worth import points_outside


def shown(sentence: str, limit: int = LONGEST_ONE) -> str:
    """The most complete version of a sentence that fits."""
    every = versions(Sentence(sentence, 0, len(sentence)))
    return next((one.text for one in every if len(one.text) <= limit), "")


# --- the head -----------------------------------------------------------------------------------


@pytest.mark.accept("F24", part="rewritten openings", mutant="an-opening-stays")
@pytest.mark.parametrize(
    ("sentence", "alone"),
    [
        ("In this paper, we propose Foo.", "We propose Foo."),
        ("In this position paper, we ask for it.", "We ask for it."),
        ("In this work we study bees.", "We study bees."),
        ("Here we map the reef.", "We map the reef."),
        ("Here, we map the reef.", "We map the reef."),
        ("Extensive experiments show that Foo is fast.", "Foo is fast."),
        ("Experimental results demonstrate that it holds.", "It holds."),
        ("Our experiments on many tasks show that bees hum.", "Bees hum."),
        ("To tackle these two issues, we build Foo.", "We build Foo."),
        ("To fill this gap, in this work, we also build Foo.", "We build Foo."),
        ("Addressing these challenges, we build Foo.", "We build Foo."),
        ("Motivated by this observation, we build Foo.", "We build Foo."),
        ("In light of this, we build Foo.", "We build Foo."),
        ("To meet this need while it is warm, we build Foo.", "We build Foo."),
        ("In this context, bees hum.", "Bees hum."),
        ("Towards this goal, we build Foo.", "We build Foo."),
        ("So we build Foo.", "We build Foo."),
        ("Then we build Foo.", "We build Foo."),
        ("To achieve this we build Foo.", "We build Foo."),
        ("Yet, bees hum.", "Bees hum."),
        ("However, bees' wings hum.", "Bees' wings hum."),
        ("In essence, bees hum.", "Bees hum."),
        ("As a first step towards that goal, we build Foo.", "We build Foo."),
        ("Based on our findings about bees, we build Foo.", "We build Foo."),
        ("To solve this problem and save honey, we build Foo.", "We build Foo."),
        (
            "Our contributions are twofold: (i) we build a hive from warm wood, (ii) we test.",
            "We build a hive from warm wood.",
        ),
        ("(iii) Third, we release maps.", "We release maps."),
        ("(IV) Fair tests: We release maps.", "We release maps."),
        ("We first count bees.", "We count bees."),
        ("To fill these gaps and save honey, this paper maps bees.", "This paper maps bees."),
        ("1) Task Formulation: We define a task.", "We define a task."),
        ("Taken together, bees hum.", "Bees hum."),
        ("Moreover, to this end, we train.", "We train."),
        ("We further propose Foo.", "We propose Foo."),
        ("(3) Bees answer in 1 second when asked.", "Bees answer in 1 second when asked."),
    ],
)
def test_words_that_only_link_a_sentence_to_others_go(sentence: str, alone: str) -> None:
    assert shown(sentence) == alone


@pytest.mark.parametrize(
    "sentence",
    [
        "Next-token prediction is enough.",
        "Specifically, iFoo is fast.",
        "(iii) and more.",
        "(i) We build it and (ii) we test it.",
        "To address climate change, models are needed.",
        "We show that, as a result, it works.",
        "Experiments on ImageNet show that Foo is fast.",
        "Experiments on 3 tasks show that Foo is fast.",
        "Experiments suggest that Foo is fast.",
        "To the best of our knowledge, Foo is the first.",
        "Under these conditions, we find that bees hum.",
        "For these hives, we find that bees hum.",
        "Assuming this, we find that bees hum.",
        "Given these hives, we find that bees hum.",
        "In this city, we count bees.",
        "Typically, bees hum.",
        "Using HumNet, we find that bees hum.",
        "Based on the weather, we build Foo.",
        "Given that bees hum, we build Foo.",
        "We show that bees hum.",
    ],
)
def test_an_opening_that_is_part_of_the_claim_stays(sentence: str) -> None:
    assert shown(sentence) == sentence


@pytest.mark.parametrize(
    ("sentence", "alone"),
    [
        ("We fill this gap by introducing Foo.", "We introduce Foo."),
        ("We close this gap by building a hive.", "We build a hive."),
        ("This paper fills this gap by proposing Foo.", "This paper proposes Foo."),
        ("This survey closes this gap by providing a map.", "This survey provides a map."),
        ("We study these bees and propose Foo.", "We propose Foo."),
        ("We propose such a net and present Foo.", "We propose such a net and present Foo."),
        ("We count bees by building a hive.", "We count bees by building a hive."),
    ],
)
def test_a_step_that_points_outside_goes_before_what_is_proposed(sentence: str, alone: str) -> None:
    assert shown(sentence) == alone


@pytest.mark.parametrize(
    ("sentence", "alone"),
    [
        ("Our FooNet learns from bees.", "FooNet learns from bees."),
        ("Our bees hum.", "The bees hum."),
        ("Our approach, Foo, learns from bees.", "The approach, Foo, learns from bees."),
        ("Our method learns from bees.", "The method learns from bees."),
        ("Our key insight is that bees hum.", "The key insight is that bees hum."),
        ("Our work maps the reef.", "This work maps the reef."),
        ("Our findings reveal that bees hum.", "The findings reveal that bees hum."),
        ("Our findings suggest that bees hum.", "The findings suggest that bees hum."),
    ],
)
def test_what_is_ours_gets_an_article(sentence: str, alone: str) -> None:
    assert shown(sentence) == alone
    assert not points_outside(alone)


@pytest.mark.parametrize(
    "opening",
    ["It", "Its parts", "They", "These models", "This method", "Such a net", "Both", "Our bees",
     "In these layers it", "Based on this, we", "The latter", "Here it", "The result is what"],
)  # fmt: skip
def test_an_opening_that_needs_another_sentence_is_known(opening: str) -> None:
    assert points_outside(f"{opening} hum.")


@pytest.mark.parametrize("opening", ["This paper", "This short survey", "The method", "Items"])
def test_a_paper_that_speaks_of_itself_needs_no_other_sentence(opening: str) -> None:
    assert not points_outside(f"{opening} hums.")


# --- the tail -----------------------------------------------------------------------------------

MAIN = "We propose Foo, a method that counts bees in the wild from the sound of their wings"


@pytest.mark.parametrize(
    "rest",
    [
        ", which needs no camera.",
        ", enabling surveys at night.",
        ", e.g. of honey bees.",
        ", such as the buzz of one bee.",
        ", including the buzz of one bee.",
        "; the rest is done by hand.",
        " — a sound that carries far.",
        ", thereby saving the time of keepers.",
        ", where no keeper can see them.",
        ", as well as from their shadows.",
        " by listening to the hive.",
        " (the buzz of one bee).",
        ": (1) the buzz, and (2) the hum.",
        ", and show that it works.",
        " to address these challenges.",
        " designed to address these challenges.",
        " that solves these problems.",
        " as a first step.",
        ", as a first step to alleviate this problem.",
        ", as a step towards that goal.",
        " towards that goal.",
        ": for gardens, where no camera can be set up.",
    ],
)
def test_a_sentence_that_is_too_long_ends_at_the_end_of_a_clause(rest: str) -> None:
    assert shown(MAIN + rest, len(MAIN) + 1) == f"{MAIN}."


@pytest.mark.accept("F24", part="ends at a clause", mutant="a-limit-of-a-claim-goes")
@pytest.mark.parametrize(
    "rest",
    [
        ", which works, but only at night.",
        ", enabling surveys, although the count is rough.",
        ", including one bee, unless it rains.",
        ", and find it right only when it is warm.",
        ", assuming that bees hum at night.",
    ],
)
def test_what_limits_a_claim_never_goes(rest: str) -> None:
    assert shown(MAIN + rest, len(MAIN) + 1) == ""


@pytest.mark.accept("F24", part="ends at a clause", mutant="a-sentence-ends-anywhere")
@pytest.mark.parametrize(
    ("sentence", "torn"),
    [
        ("We introduce: (i) bees that hum in the wild all day long; (ii) bees that rest.", "rest"),
        ("Unlike all of the methods that came before in the field, which hum, we rest.", "hum"),
        ("We build a hive whose parts are both (warm and very, very dry, which helps).", "which"),
        ("The hive in the garden of the old house by the river, which is dry, hums.", "which"),
        ("We train bees in a hive of the old house to look, to listen, and achieve rest.", "rest"),
        ("Our experiments on twelve hives in the gardens of the city, with bees, rest.", "rest"),
        (
            "We build hives for the bees of the wild with the following parts: a box to rest.",
            "rest",
        ),
    ],
)
def test_no_sentence_ends_in_the_middle_of_a_thought(sentence: str, torn: str) -> None:
    for one in versions(Sentence(sentence, 0, len(sentence))):
        assert one.text == sentence or torn in one.text or one.text.startswith("We rest")


@pytest.mark.accept("F24", part="no list is torn", mutant="a-list-is-torn")
def test_what_a_colon_announces_is_shown_in_full_or_not_at_all() -> None:
    head = "We count the bees of a hive and the wasps of a nest in two ways"
    for rest in (
        ": counting wings, which hum, counting legs, which do not.",
        ": First, we count wings, leading to a sum.",
        ": (1) we count wings, leading to a sum.",
    ):
        assert [one for one in endings(head + rest) if len(one) > len(head) + 1] == []
        assert f"{head}." in endings(head + rest)
    whole = f"{head}: from wings, and from legs, which do not hum."
    assert f"{head}: from wings, and from legs." in endings(whole)


def endings(sentence: str) -> list[str]:
    """The shorter versions of a sentence."""
    _, *shorter = versions(Sentence(sentence, 0, len(sentence)))
    return [one.text for one in shorter]


def test_contributions_are_named_rather_than_counted() -> None:
    head = "This paper makes several contributions to the study of bees: "
    assert shown(f"{head}a map of hives, and a net.") == "We contribute a map of hives, and a net."
    assert shown(f"{head}Firstly, a map of hives.") == "We contribute a map of hives."
    long = f"{head}(i) a map of all of the hives in the gardens of the city; and (ii) a net."
    assert shown(long) == "We contribute a map of all of the hives in the gardens of the city."


def test_a_list_whose_first_item_is_in_another_sentence_ends_before_the_next() -> None:
    assert shown(f"{MAIN}, and (v) we test it.") == f"{MAIN}."


def test_a_name_is_enough_where_its_explanation_does_not_fit() -> None:
    name = "We introduce the first net of its kind in the world, called FooBarNet"
    assert shown(f"{name}, a net of three layers.", len(name) + 1) == f"{name}."


def test_brackets_go_before_a_clause_does() -> None:
    sentence = f"{MAIN} (as keepers do), which needs no camera at all."
    assert shown(sentence, len(sentence) - 5) == f"{MAIN}, which needs no camera at all."


def test_what_a_function_is_of_stays_where_brackets_go() -> None:
    sentence = "We count the bees (and wasps) of n hives in the wild in O(n log n) steps."
    without = "We count the bees of n hives in the wild in O(n log n) steps."
    assert shown(sentence, len(sentence) - 1) == without


def test_an_opening_phrase_can_go_where_room_is_short() -> None:
    sentence = f"Unlike cameras, we{MAIN.removeprefix('We')}."
    assert shown(sentence) == sentence
    assert shown(sentence, len(sentence) - 5) == f"{MAIN}."


def test_what_others_did_can_go_before_a_name_where_room_is_short() -> None:
    clause = "HumNet counts all bees of the hive in the wild from the sound of their wings."
    sentence = f"While previous nets counted wasps, {clause}"
    assert shown(sentence, len(clause)) == clause


def test_a_point_back_at_the_end_always_goes() -> None:
    assert shown(f"{MAIN} to solve these problems.") == f"{MAIN}."


def test_a_curtailed_sentence_loses_a_phrase_but_never_its_limits() -> None:
    bees = f"{MAIN} and of their feet"
    text = f"{bees} in the gardens of three cities."
    assert [one.text for one in curtailed(Piece(text, 0, len(text)))] == [f"{bees}."]
    for torn in (" from gardens to parks.", " that show that bees of hives in gardens hum."):
        text = f"{bees}{torn}"
        assert all(one.text == f"{bees}." for one in curtailed(Piece(text, 0, len(text))))
    for torn in ("recorded by keepers.", "without the need for a camera of their own."):
        text = f"{MAIN} {torn}"
        assert not any(one.text.startswith(text[: len(MAIN) + 9]) for one in short(text))
    text = f"{MAIN}, which allows keepers of hives to count them."
    assert not any("keepers" in one.text for one in short(text))
    text = f"{bees} in the gardens, but only when it is warm."
    assert not list(curtailed(Piece(text, 0, len(text))))


def short(text: str) -> list[Piece]:
    return list(curtailed(Piece(text, 0, len(text))))


def test_of_a_list_that_goes_on_in_another_sentence_no_item_is_shown() -> None:
    sentence = f"{MAIN}, in two ways: (1) we count wings, which hum, and we count legs."
    assert all("(1)" not in one for one in endings(sentence))
    assert shown(f"{MAIN}; (2) we count legs.") == f"{MAIN}."


def test_two_sentences_become_one_with_a_semicolon() -> None:
    first, second = Piece("We propose Foo.", 0, 15), Piece("It counts bees.", 16, 31)
    assert joined(first, second) == Piece("We propose Foo; it counts bees.", 0, 31)
    for more, both in (
        ("Foo counts.", "We propose Foo; Foo counts."),
        ("Building on it, we count.", "We propose Foo; building on it, we count."),
    ):
        piece = joined(first, Piece(more, 16, 16 + len(more)))
        assert piece is not None
        assert piece.text == both
    assert joined(first, Piece("Eighteen bees count.", 16, 36)) is None


# --- names --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        (r"We propose \ours, a hive.", "We propose our method, a hive."),
        (r"We propose \method{}, a hive.", "We propose our method, a hive."),
        (r"We call it {\name}, a hive.", "We call it our method, a hive."),
        (r"We present \benchname, a test.", "We present our benchmark, a test."),
        (r"We present \beehive, a net.", "We present BeeHive-2, a net."),
        (r"We present \wasp{} here.", "We present wasp here."),
        (r"It hums. \ours{} rests.", "It hums. Our method rests."),
        (r"It costs \$5.", r"It costs \$5."),
        (r"It is \frac{a}{b} now.", r"It is \frac{a}{b} now."),
        (r"It is 2\times faster.", r"It is 2\times faster."),
    ],
)
def test_private_macros_become_words(text: str, plain: str) -> None:
    assert without_macros(text, "BeeHive-2: Counting Bees") == plain


EXPLAINED = "A large language model (LLM) hums. Graph neural networks (GNNs) rest. "


@pytest.mark.parametrize(
    ("text", "full"),
    [
        ("We tune an LLM.", "We tune a large language model (LLM)."),
        ("GNNs are fast.", "Graph neural networks (GNNs) are fast."),
        ("We tune LLM-based hives.", "We tune LLM-based hives."),
        ("We tune the LLM's head.", "We tune the LLM's head."),
        ("We tune the large language model LLM.", "We tune the large language model LLM."),
        ("We tune a CNN.", "We tune a CNN."),
    ],
)
def test_an_abbreviation_is_explained_where_the_abstract_explains_it(text: str, full: str) -> None:
    at = len(EXPLAINED)
    piece = Piece(text, at, at + len(text))
    assert expanded(piece, acronyms(EXPLAINED), 100).text == full
    assert expanded(piece, acronyms(EXPLAINED), len(text)).text == text


def test_an_abbreviation_that_is_explained_later_stays() -> None:
    text = "We tune an LLM."
    assert expanded(Piece(text, 0, len(text)), acronyms(EXPLAINED), 100).text == text


# --- whatever an abstract says --------------------------------------------------------------------

PARTS = (
    "In this paper, we propose Foo, a method that counts 12 kinds of bees from their sound",
    "To address these issues, we introduce a network (of 3 layers) that learns from 4.5 M hives",
    "Extensive experiments show that our method outperforms others by 12.5% on 3 benchmarks",
    "It is trained on 7 large language models (LLMs) in 2 stages",
    "Our model, FooNet, needs 40 times less memory than an LLM",
    "Counting bees has been a problem since 1950",
)
TAILS = ("", ", which needs 2 GPUs", ", enabling 30 surveys", " (see Fig. 3)", "; 5 hives remain")
sentences = st.builds(
    lambda head, tails: head + "".join(tails) + ".",
    st.sampled_from(PARTS),
    st.lists(st.sampled_from(TAILS), max_size=8),
)


def numbers(text: str) -> set[str]:
    return set(re.findall(r"\d+(?:\.\d+)?", text))


@pytest.mark.accept("F24", part="no number is made up", mutant="a-rewritten-number")
@given(st.lists(sentences, min_size=1, max_size=6).map(" ".join))
def test_a_gist_has_only_numbers_of_its_abstract_and_fits(abstract: str) -> None:
    one, two = choose_gist("", abstract), choose_two("", abstract)
    assert numbers(one) | numbers(two) <= numbers(abstract)
    assert 0 < len(one) <= 240
    assert 0 < len(two) <= 320


@given(st.lists(sentences, min_size=1, max_size=6).map(" ".join))
def test_the_gist_of_a_gist_is_itself(abstract: str) -> None:
    gist = choose_gist("", abstract)
    if len(split_sentences(gist)) == 1:
        assert choose_gist("", gist) == gist


@given(st.lists(sentences, min_size=1, max_size=6).map(" ".join), st.sampled_from([1, 2]))
def test_pieces_say_which_characters_they_show(abstract: str, most: int) -> None:
    pieces = gist_pieces("", abstract, most)
    ends = [at for piece in pieces for at in (piece.start, piece.end)]
    assert ends == sorted(ends)
    for piece in pieces:
        source = abstract[piece.start : piece.end]
        assert numbers(piece.text) <= numbers(source)
        last = re.findall(r"\w+", piece.text)[-1]
        assert last in source
