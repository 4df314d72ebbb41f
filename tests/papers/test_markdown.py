"""Markdown that authors write is taken off, and nothing that only looks like it."""

import gzip
import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperround.papers.text import repair_abstract, repair_title, without_markdown


@pytest.mark.accept("Q10", mutant="markdown-is-shown")
@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("We propose **TransMLA**, a method.", "We propose TransMLA, a method."),
        ("**1) Pseudo-multimodality** comes first.", "1) Pseudo-multimodality comes first."),
        ("from 78.33% to **85.67**%", "from 78.33% to 85.67%"),
        ("its *interval CSGs* (ICSGs)", "its interval CSGs (ICSGs)"),
        ("***both*** at once", "both at once"),
        ("**CAPO** (**C**urriculum **A**dvantage)", "CAPO (Curriculum Advantage)"),
        ("Do I look like a `cat.n.01` to you?", "Do I look like a cat.n.01 to you?"),
        ("code is [online](https://x.org/a)", "code is online (https://x.org/a)"),
        ("[x.org/a](https://x.org/a)", "https://x.org/a"),
    ],
)
def test_markdown_is_taken_off(written: str, read: str) -> None:
    assert repair_abstract(written) == repair_title(written) == read


@pytest.mark.accept("Q10", mutant="a-product-is-taken-for-italics")
@pytest.mark.parametrize(
    "text",
    [
        "a * b * c is a product",
        "of size 2**n and 2**(n+1)**2",
        "a*b*c",
        "every C*-algebra and W*-algebra",
        "*p < 0.05, **p < 0.01",
        "the A* search and the D* search",
        "footnotes (*) and (**) here",
        "pass *args and **kwargs on",
        "SELECT * FROM a WHERE * IS",
        "my_long_name and __init__ and _x_",
        "Qur`an and Hawai`i",
        "see [12](b) and f[i](x)",
        "a `b_{1}` of TeX",
    ],
)
def test_what_only_looks_like_markdown_stays(text: str) -> None:
    assert without_markdown(text) == text


@given(st.text("ab1*`_[]() .\\{", max_size=40))
def test_a_repaired_text_stays_as_it_is(text: str) -> None:
    assert repair_abstract(repair_abstract(text)) == repair_abstract(text)


@pytest.mark.slow
def test_of_real_abstracts_none_keeps_markdown(real_data: Path) -> None:
    with gzip.open(real_data / "hf_daily_papers" / "papers.jsonl.gz", "rt") as lines:
        texts = [json.loads(line)["summary"] for line in lines]
    repaired = [repair_abstract(text) for text in texts]
    marked = re.compile(r"\*\*\w[^*]*\w\*\*(?!\w)|\]\(https?:")
    assert sum(bool(marked.search(text)) for text in texts) > 15
    assert not any(marked.search(text) for text in repaired)
