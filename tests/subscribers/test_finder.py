"""The finder answers as if every paper was read for every search, and quotes what stands there."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperround.papers.model import PaperId
from paperround.papers.search import QueryPlace
from paperround.papers.topics import folded
from paperround.personal.keyword_index import IndexedPaper, KeywordIndex, bits, forms
from paperround.subscribers.keywords import (
    AllOf,
    AnyWords,
    Either,
    InCategory,
    Node,
    Without,
    read_keywords,
)

VOCABULARY = (
    "graph graphs Graph graphene neural neural-network NETWORKS network study studies C++ c gpt-4 "
    "Schrödinger schrodinger ﬁne 扩散 模型 图像扩散 a_b e.g. naïve"
).split()
texts = st.lists(st.sampled_from(VOCABULARY), max_size=8).map(" ".join)
papers = st.builds(
    IndexedPaper,
    paper_id=st.just(PaperId(1)),
    title=texts,
    abstract=texts,
    authors=st.lists(texts, max_size=2).map(tuple),
    categories=st.lists(st.sampled_from(["cs.LG", "cs.CL", "math.CO", "cs"]), max_size=2).map(
        tuple
    ),
)
words = st.builds(
    AnyWords,
    text=texts.map(folded).filter(lambda text: any(map(str.isalnum, text))),
    place=st.none() | st.sampled_from(QueryPlace),
    starts=st.booleans(),
    bends=st.booleans(),
)
terms: st.SearchStrategy[Node] = words | st.builds(
    InCategory, name=st.sampled_from(["cs", "cs.lg", "math", "math.co", "c"])
)
nodes = st.recursive(
    terms,
    lambda node: (
        st.builds(Without, part=node)
        | st.builds(AllOf, parts=st.lists(node, min_size=1, max_size=3).map(tuple))
        | st.builds(Either, parts=st.lists(node, min_size=1, max_size=3).map(tuple))
    ),
    max_leaves=6,
)


def fits(node: Node, paper: IndexedPaper) -> bool:
    """The same, the long way: every word of every text is looked at."""
    match node:
        case AnyWords():
            places = (node.place,) if node.place else QueryPlace
            return any(stands(node, text) for one in places for text in paper.texts(one))
        case InCategory():
            wanted = node.name
            each = (one.casefold() for one in paper.categories)
            return any(one == wanted or one.startswith(f"{wanted}.") for one in each)
        case Without():
            return not fits(node.part, paper)
        case AllOf():
            return all(fits(part, paper) for part in node.parts)
        case Either():
            return any(fits(part, paper) for part in node.parts)


def stands(words: AnyWords, text: str) -> bool:
    text = folded(text)
    last = re.findall(r"\w+", words.text)[-1]
    bends = words.bends and not words.starts and words.text.endswith(last)
    for form in forms(last) if bends else (last,):
        wanted = words.text.removesuffix(last) + form if bends else words.text
        for found in re.finditer(f"(?={re.escape(wanted)})", text):
            before, after = text[: found.start()][-1:], text[found.start() + len(wanted) :][:1]
            open_start = is_chinese(wanted[0]) or not is_of_word(before)
            if open_start and (words.starts or is_chinese(wanted[-1]) or not is_of_word(after)):
                return True
    return False


def is_of_word(char: str) -> bool:
    return char.isalnum() or char == "_"


def is_chinese(char: str) -> bool:
    return "\u4e00" <= char <= "\u9fff"


@pytest.mark.slow
@pytest.mark.accept("F13", part="keywords")
@given(nodes, st.lists(papers, min_size=1, max_size=5))
def test_looking_words_up_finds_what_reading_every_paper_does(
    node: Node, some: list[IndexedPaper]
) -> None:
    found = set(bits(KeywordIndex(some).fitting(node)))
    assert found == {place for place, paper in enumerate(some) if fits(node, paper)}


@pytest.mark.accept("Q9", part="terms of personal reasons")
@given(nodes, st.lists(papers, min_size=1, max_size=3))
def test_what_is_quoted_stands_in_the_paper_and_was_looked_for(
    node: Node, some: list[IndexedPaper]
) -> None:
    finder = KeywordIndex(some)
    for place in bits(finder.fitting(node)):
        paper = some[place]
        for quote in finder.quotes(node, place):
            assert any(quote in text for one in QueryPlace for text in paper.texts(one))
            assert any(stands(one, quote) for one in wanted(node))


def wanted(node: Node) -> list[AnyWords]:
    match node:
        case AnyWords():
            return [node]
        case AllOf() | Either():
            return [one for part in node.parts for one in wanted(part)]
    return []


def test_what_stands_there_and_did_not_decide_is_not_quoted() -> None:
    finder = KeywordIndex([IndexedPaper(paper_id=PaperId(1), title="Graphs and trees")])
    root = read_keywords("(graph AND maps) OR tree").root
    assert list(finder.quotes(root, 0)) == ["trees"]


def test_a_text_that_folds_differently_as_a_whole_is_quoted_as_it_folds() -> None:
    jamo = "\u1112\u1161\u11ab graph"
    finder = KeywordIndex([IndexedPaper(paper_id=PaperId(1), title=jamo)])
    assert list(finder.quotes(AnyWords(text="graph"), 0)) == ["graph"]


@pytest.mark.accept("F13", part="authors")
@pytest.mark.parametrize(
    ("follows", "finds"),
    [
        ("ada lovelace", True),
        ("Lovelace, Ada", True),
        ("José  Garcia", True),
        ("Lovelace", False),
        ("A. Lovelace", False),
    ],
)
def test_an_author_is_a_whole_name(follows: str, finds: bool) -> None:
    paper = IndexedPaper(paper_id=PaperId(1), title="", authors=("Ada Lovelace", "Jose García"))
    assert bool(KeywordIndex([paper]).by_author(" ".join(follows.split()))) is finds
