import pytest

from paperround.ranking.bursts import (
    Burst,
    Term,
    discount_shared,
    find_bursts,
    topics_of,
)
from paperround.ranking.stop_words import paper_tokens, tokens
from paperround.ranking.weights import Weights

LEAST = Weights(least_strength=2)
FILLER = ["quiet rivers carry cold water"] * 9
ORDINARY = ["whales sing in the deep"] * 120


def bursts_of(texts: list[str], background: list[str]) -> dict[str, Burst]:
    found = find_bursts([tokens(text) for text in texts], background, LEAST)
    return {" ".join(term): burst for term, burst in found.items()}


def test_a_term_far_above_its_usual_share_is_a_burst() -> None:
    found = bursts_of(["we study neutrino masses", *["neutrino"] * 3, *FILLER], ORDINARY)
    assert found["neutrino"].papers == 4
    assert (found["neutrino"].cohort, found["neutrino"].earlier) == (13, 0)


def test_what_is_usual_is_no_burst() -> None:
    background = ["neutrino physics"] * 60 + ORDINARY[:60]
    assert "neutrino" not in bursts_of(["neutrino"] * 4 + FILLER, background)


def test_the_rarer_a_term_was_the_stronger_its_burst() -> None:
    background = ["muon"] * 6 + ORDINARY
    found = bursts_of(["muon and neutrino"] * 4 + FILLER, background)
    assert found["neutrino"].strength > found["muon"].strength > 0


def test_a_term_of_too_few_papers_is_no_topic() -> None:
    assert "neutrino" not in bursts_of(["neutrino"] * 2 + FILLER, ORDINARY)


def test_a_term_of_most_papers_tells_none_apart() -> None:
    assert "neutrino" not in bursts_of(["neutrino"] * 10 + FILLER, ORDINARY)


def test_fillers_are_neither_topics_nor_parts_of_them() -> None:
    found = bursts_of(["we propose optical flow"] * 4 + FILLER, ORDINARY)
    assert "optical flow" in found
    assert not {"we", "propose", "we propose", "propose optical"} & set(found)


def test_a_fragment_gives_way_to_the_phrase_it_comes_from() -> None:
    found = bursts_of(["deep sea mining"] * 4 + FILLER, ORDINARY)
    assert set(found) & {"deep sea", "sea mining", "sea", "deep sea mining"} == {"deep sea mining"}


def test_no_phrase_runs_over_a_mark_or_from_title_into_abstract() -> None:
    assert ("optical", "flow") not in zip(
        tokens("optical, flow"), tokens("optical, flow")[1:], strict=False
    )
    words = paper_tokens("On optical", "flow of light")
    assert words == ["on", "optical", ".", "flow", "of", "light"]


@pytest.mark.accept("F11", part="bursts")
def test_without_a_background_shared_phrases_count_and_common_ones_do_not() -> None:
    texts = ["cold dark matter"] * 3 + ["warm gas"] * 12 + FILLER
    found = bursts_of(texts, background=[])
    assert "cold dark matter" in found
    assert all(" " in term and not burst.background for term, burst in found.items())


def test_a_handful_of_earlier_papers_is_not_consulted() -> None:
    found = bursts_of(["cold dark matter"] * 3 + FILLER, ORDINARY[:99])
    assert found["cold dark matter"].background == 0


def test_a_paper_has_at_most_three_topics_that_share_no_word() -> None:
    strengths = {"aa bb": 9.0, "bb cc": 8.0, "cc": 7.0, "dd": 6.0, "ee": 5.0}
    bursts = {(*term.split(),): burst(term, value) for term, value in strengths.items()}
    chosen = topics_of("aa bb cc dd ee aa bb cc dd ee".split(), bursts)
    assert [topic.term for topic in chosen] == ["aa bb", "cc", "dd"]


def test_a_term_said_in_passing_is_half_as_strong() -> None:
    bursts: dict[Term, Burst] = {("muon",): burst("muon", 4.0)}
    once, twice = topics_of(["muon"], bursts), topics_of(["muon", "muon"], bursts)
    assert (once[0].strength, twice[0].strength) == (2.0, 4.0)


def test_one_topic_is_worth_less_to_each_further_paper() -> None:
    hot, warm = burst("hot", 8.0), burst("warm", 5.0)
    shared = discount_shared([(hot,), (hot, warm), (hot,)])
    assert [topic.strength for topic in shared[1]] == [8.0, 5.0]
    assert shared[0][0].strength == pytest.approx(8 / 2**0.5)
    assert shared[2][0].strength == pytest.approx(8 / 3**0.5)


def burst(term: str, strength: float) -> Burst:
    return Burst(term=term, papers=3, cohort=9, earlier=0, background=0, strength=strength)
