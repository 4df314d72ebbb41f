"""A saved page of trending papers."""

import re
from difflib import SequenceMatcher
from pathlib import Path

import pytest

from paperround.feeds.formats.html_page import read_page
from paperround.papers.text import repair_abstract

LONG_BOX = "Get trending papers in your email inbox once a day!"
SHORT_BOX = "Get trending papers in your email inbox!"
BODY = "We study something at length. " * 15


def page(*lines: str) -> bytes:
    return "\n".join(lines).encode()


def titles(content: bytes) -> list[str]:
    return [record.title for record in read_page(content).records]


MENDED = re.compile(r"\d+times|ell.*|texttt|circ|cdot.*|eg|drightarrow|tau|https .*")


@pytest.mark.accept("F01", part="the whole page", mutant="a-unit-keeps-its-comma")
def test_the_damaged_maths_of_the_seed_page_is_mended_and_nothing_else_changes(
    real_data: Path,
) -> None:
    batch = read_page((real_data / "seed" / "trending_papers_page.txt").read_bytes())
    mended = [repair_abstract(one.abstract) for one in batch.records]
    changes = [
        change
        for one, text in zip(batch.records, mended, strict=True)
        for change in changed_words(one.abstract, text)
    ]
    assert len(changes) == 32
    assert [one for one in changes if not MENDED.fullmatch(one)] == []
    page = "\n".join(mended)
    assert "at 20 FPS" in page
    assert "R^d → R^d" in page
    assert len(re.findall(r"\d×", page)) == 18
    assert len(re.findall(r"\btimes\b", page)) == 4


def changed_words(before: str, after: str) -> list[str]:
    """The words that are no more as they were."""
    old, new = re.findall(r"\w+", before), re.findall(r"\w+", after)
    steps = SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
    return [" ".join(old[start:end]) for what, start, end, _, _ in steps if what != "equal"]


@pytest.mark.accept("F01", part="papers")
def test_the_seed_page_holds_119_papers(real_data: Path) -> None:
    batch = read_page((real_data / "seed" / "trending_papers_page.txt").read_bytes())
    assert len(batch.records) == 119
    assert batch.rejects == ()
    first = batch.records[0]
    assert first.title == "UFM: A Simple Path towards Unified Dense Correspondence with Flow"
    assert all(record.title and len(record.abstract) > 500 for record in batch.records)
    assert len({record.fingerprint for record in batch.records}) == 119


@pytest.mark.parametrize(
    "top",
    [
        [LONG_BOX, SHORT_BOX, "SubscribeA Title"],
        [LONG_BOX + SHORT_BOX, "SubscribeA Title"],
        [LONG_BOX, "SubscribeA Title"],
        [LONG_BOX, SHORT_BOX + "SubscribeA Title"],
        [LONG_BOX, SHORT_BOX, "Subscribe", "A Title"],
        ["", LONG_BOX, "", SHORT_BOX, "A Title"],
        ["A Title"],
    ],
)
def test_the_box_is_taken_off_however_it_was_saved(top: list[str]) -> None:
    assert titles(page(*top, BODY)) == ["A Title"]


@pytest.mark.parametrize("title", ["Subscribers and Their Habits", "Subscribe: A Study"])
def test_a_title_that_begins_like_the_button_stays_whole(title: str) -> None:
    assert titles(page(SHORT_BOX, title, BODY)) == [title]


def test_only_the_box_line_is_unglued() -> None:
    assert titles(page("SubscribeNet", BODY)) == ["SubscribeNet"]


def test_an_odd_title_is_rejected_and_no_pair_is_shifted() -> None:
    batch = read_page(page("One", BODY, "Lost", "Two", BODY, "Three", BODY))
    assert [record.title for record in batch.records] == ["One", "Two", "Three"]
    assert [(one.reason, one.position, one.excerpt) for one in batch.rejects] == [
        ("odd-line", 3, "Lost")
    ]


def test_an_odd_abstract_is_rejected_and_no_pair_is_shifted() -> None:
    batch = read_page(page("One", BODY, BODY, "Two", BODY))
    assert [record.title for record in batch.records] == ["One", "Two"]
    assert [one.position for one in batch.rejects] == [3]


def test_a_last_title_without_an_abstract_is_rejected() -> None:
    batch = read_page(page("One", BODY, "Two"))
    assert len(batch.records) == 1
    assert batch.rejects[0].detail == "a title without an abstract at the end of the page"


def test_a_short_abstract_is_no_reason_to_split() -> None:
    assert titles(page("One", "Short.", "Two", "Also short.")) == ["One", "Two"]


def test_a_line_that_is_not_utf8_costs_its_own_paper_only() -> None:
    batch = read_page(page("One", BODY) + b"\nTw\xffo\nText\n" + page("Three", BODY))
    assert [record.title for record in batch.records] == ["One", "Three"]
    assert [one.reason for one in batch.rejects] == ["not-utf8"]


def test_windows_line_ends_and_a_byte_order_mark_are_read() -> None:
    content = b"\xef\xbb\xbf" + page(SHORT_BOX, "SubscribeOne", BODY).replace(b"\n", b"\r\n")
    assert titles(content) == ["One"]
