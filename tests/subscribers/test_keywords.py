"""The language of searches: what fits, what does not, and where a text is wrong."""

from contextlib import suppress

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from paperround.core.errors import InvalidInput
from paperround.papers.model import PaperId
from paperround.personal.keyword_index import IndexedPaper, KeywordIndex
from paperround.subscribers.keywords import (
    DEEPEST,
    LONGEST_KEYWORDS,
    MOST_TERMS,
    read_keywords,
)

PAPER = IndexedPaper(
    paper_id=PaperId(1),
    title="Sensor fusion with graph neural networks",
    abstract="We survey zero-shot retrieval for GPT-4 in C++, after Schrödinger. 图像扩散模型.",
    authors=("Ada Lovelace", "José García"),
    categories=("cs.LG", "cell biology"),
)


def fits(search: str, paper: IndexedPaper = PAPER) -> bool:
    return bool(KeywordIndex([paper]).fitting(read_keywords(search).root))


def wrong(search: str) -> str:
    with pytest.raises(InvalidInput) as caught:
        read_keywords(search)
    assert caught.value.code == "keywords"
    return str(caught.value)


FINDS = [
    "fusion",
    "FUSION",
    "ｆｕｓｉｏｎ",
    '"sensor fusion"',
    "“sensor fusion”",
    "fusion graph",
    "fusion AND graph",
    "fusion OR diffusion",
    "diffusion OR fusion",
    "diffusion AND maps OR fusion",
    "fusion NOT diffusion",
    "fusion -diffusion",
    "fusion −diffusion",
    "+fusion +graph",
    "NOT diffusion fusion",
    "(diffusion OR fusion) AND graph",
    "fusion NOT (diffusion OR maps)",
    "fusion NOT NOT graph",
    "network",
    '"graph neural network"',
    "zero-shot",
    '"zero shot"',
    "gpt‑4",
    "C++",
    "schrodinger",
    "Schrödinger",
    "扩散",
    "retriev*",
    "title:fusion",
    "abstract:retrieval",
    "title:(fusion graph)",
    "title:(fusion) retrieval",
    "author:lovelace",
    'author:"jose garcia"',
    "lovelace",
    "category:cs.LG",
    "cat:cs fusion",
    "cat:(cs.CL OR cs.LG)",
    'cat:"cell biology"',
    "the fusion of sensors and networks",
    "fusion, graph; networks.",
    "CAT:CS",
    "fusion - graph",
]


@pytest.mark.accept("F13", part="keywords")
def test_a_search_finds() -> None:
    assert [one for one in FINDS if not fits(one)] == []


FINDS_NOT = [
    "diffusion",
    "usion",
    "sens",
    '"fusion sensor"',
    '"networks we"',
    '"lovelace jose"',
    "fusion AND maps",
    "fusion maps",
    "fusion NOT graph",
    "fusion -graph",
    "fusion NOT graph*",
    "(fusion OR maps) AND diffusion",
    "maps OR fusion AND diffusion",
    "title:retrieval",
    "abstract:fusion",
    "title:(fusion retrieval)",
    "author:love",
    "author:fusion",
    "cat:cs.CL",
    "cat:c",
    "category:cs.L",
    "C#",
    "gpt-5",
    "散模型图",
    "new*",
]


@pytest.mark.accept("F13", part="keywords")
def test_a_search_does_not_find() -> None:
    assert [one for one in FINDS_NOT if fits(one)] == []


@pytest.mark.accept("F13", part="keywords")
def test_fusion_is_not_found_in_diffusion() -> None:
    assert not fits("fusion", IndexedPaper(paper_id=PaperId(1), title="Diffusion models"))


@pytest.mark.accept("F13", part="keywords")
@pytest.mark.parametrize(
    ("search", "says"),
    [
        ('graph "neural', "the quote at character 7 is not closed"),
        ("(graph", "the parenthesis at character 1 is not closed"),
        ("a (b (c)", "the parenthesis at character 3 is not closed"),
        ("graph)", "the closing parenthesis at character 6 has no opening one"),
        (")", "has no words"),
        (") graph", "“)” at character 1 needs something to look for next to it"),
        ("graph NOT", "“NOT” at character 7 needs something to look for next to it"),
        ("graph NOT OR tree", "“NOT” at character 7 needs something to look for next to it"),
        ("graph AND", "“AND” at character 7 needs something to look for next to it"),
        ("OR graph", "“OR” at character 1 needs something to look for next to it"),
        ("graph AND OR tree", "“AND” at character 7 needs something to look for next to it"),
        ("graph ()", "“(” at character 7 needs something to look for next to it"),
        ('graph ""', "the quotes at character 7 contain no words"),
        ("graph or tree", "“or” at character 7: write OR in capitals"),
        ("graph not survey", "“not” at character 7: write NOT in capitals"),
        ("-survey", "only says what to leave out"),
        ("NOT (a OR b)", "only says what to leave out"),
        ("graph OR NOT tree", "only says what to leave out"),
        ("", "has no words"),
        ("+ - ++", "has no words"),
        ("a*", "the * at character 1 needs at least two letters before it"),
        ("graph feed:arxiv", "“feed:” at character 7 works only on the search page"),
        ("after:2026-01-01 graph", "“after:” at character 1 works only on the search page"),
        ("title: graph", "“title:” at character 1 needs a word right after it"),
        ("graph author:", "“author:” at character 7 needs a word right after it"),
        ("the", "nearly every paper has that"),
        ("graph OR (of a)", "nearly every paper has that"),
        ("the NOT survey", "nearly every paper has that"),
        ("x" * (LONGEST_KEYWORDS + 1), f"at most {LONGEST_KEYWORDS}"),
        ("a " * (MOST_TERMS + 1), f"at most {MOST_TERMS}"),
        ("(" * (DEEPEST + 1) + "a", f"more than {DEEPEST} levels deep at character {DEEPEST + 1}"),
        ("NOT " * (DEEPEST + 1) + "a", f"more than {DEEPEST} levels deep"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(search: str, says: str) -> None:
    assert says in wrong(search)


_SCRAPS = st.sampled_from(
    [*'"()+-*:“”−', " ", "AND", "OR", "NOT", "title:", "cat:", "author:", "graph", "the", "散", "é"]
)


@given(st.text(max_size=400) | st.lists(_SCRAPS, max_size=60).map(" ".join))
@example("NOT" * 90)
@example("(" * 300)
@example('"' * 299)
@example("-" * 299 + "a")
@example("title:" * 49)
def test_whatever_is_written_is_read_or_refused_in_words(text: str) -> None:
    with suppress(InvalidInput):
        root = read_keywords(text).root
        KeywordIndex([PAPER]).fitting(root)
        assert not KeywordIndex([IndexedPaper(paper_id=PaperId(1), title="")]).fitting(root)
