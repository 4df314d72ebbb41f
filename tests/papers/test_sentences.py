"""Where sentences end, and where a full stop ends none."""

import gzip
import json
from itertools import islice, pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperround.papers.gist_features import split_sentences
from paperround.papers.text import repair_abstract


def texts(text: str) -> list[str]:
    return [one.text for one in split_sentences(text)]


@pytest.mark.parametrize(
    "short", ["vs. Others", "i.e. Bach", "by J. Doe", "No. 5", "(cf. Eq. 2)", "as of Apr. 17th"]
)
def test_a_short_form_inside_a_sentence_is_no_end(short: str) -> None:
    assert texts(f"We beat it {short} again. Done.") == [f"We beat it {short} again.", "Done."]


@pytest.mark.parametrize(
    "end", ["et al.", "etc.", "below 6 ms.", "in the U.S.", "SAVEE, and CREMA-D.", "vitamin C."]
)
def test_a_short_form_ends_a_sentence_before_a_word_that_opens_one(end: str) -> None:
    assert texts(f"It follows {end} We go on.") == [f"It follows {end}", "We go on."]


@pytest.mark.parametrize(
    "one",
    [
        "It is 2.5 times faster than v1.2 on 1.5 M rows.",
        "See https://example.org/a.b?c=d for more.",
        "The model (GPT-4.1) wins; others lose: by far.",
        "1. We build it.",
        "(ii) We test it.",
        "What ends in no stop",
    ],
)
def test_decimals_addresses_and_markers_end_no_sentence(one: str) -> None:
    assert texts(one) == [one]


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("They said “yes.” We agree.", ["They said “yes.”", "We agree."]),
        ("It fell (by 33 %). Results vary.", ["It fell (by 33 %).", "Results vary."]),
        ("Why? Because!", ["Why?", "Because!"]),
        ("It is hard. nnU-Net does it.", ["It is hard.", "nnU-Net does it."]),
        ("It is hard. $O(n)$ is not.", ["It is hard.", "$O(n)$ is not."]),
        ("One is done. (ii) We do more.", ["One is done.", "(ii) We do more."]),
        ("A blank was lost.We mend it.", ["A blank was lost.", "We mend it."]),
        ("It was lost (or so).We mend it.", ["It was lost (or so).", "We mend it."]),
        ("It is hard. we mend it.", ["It is hard.", "we mend it."]),
    ],
)
def test_sentences_may_end_and_open_with_other_signs(text: str, parts: list[str]) -> None:
    assert texts(text) == parts


@given(st.text(alphabet=st.sampled_from("aAbW e.!?()\"'1\n$"), max_size=200))
def test_sentences_hold_every_sign_that_is_no_blank_once_and_in_order(text: str) -> None:
    found = split_sentences(text)
    assert all(text[one.start : one.end] == one.text == one.text.strip() for one in found)
    assert "".join("".join(one.text for one in found).split()) == "".join(text.split())
    assert all(one.end <= other.start for one, other in pairwise(found))


def test_real_abstracts_have_sentences_of_plausible_length(real_data: Path) -> None:
    with gzip.open(real_data / "arxiv_daily" / "papers.jsonl.gz", "rt") as lines:
        abstracts = [repair_abstract(json.loads(line)["summary"]) for line in islice(lines, 2000)]
    lengths = [len(one.text) for text in abstracts for one in split_sentences(text)]
    assert sum(length < 15 for length in lengths) / len(lengths) < 0.002
    assert sum(length > 600 for length in lengths) / len(lengths) < 0.004


def test_several_signs_end_a_sentence_once() -> None:
    said = ["Why?!", "We ask...", "Then we go on."]
    assert texts(" ".join(said)) == said
