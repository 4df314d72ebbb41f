"""Whatever papers there are and whatever was said of them: every place of a digest is explained by
parts that add up, and by words that are there."""

from collections.abc import Sequence
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paperround.core.reasons import Reason, read_reason
from paperround.editions.model import EditionPaper
from paperround.papers.model import Paper, PaperId
from paperround.personal.matches import Matches
from paperround.personal.reader_scores import TasteDay
from paperround.personal.views import PersonalView, Taste
from tests.ranking.ranked_papers import occurs, paper

WORDS = """kiln glaze pottery clay tide ocean salinity zero-shot protein-folding Zebrafish naïve
β-sheet 蛋白质 C4.5 state-of-the-art fusion diffusion model study the of""".split()

FIRST_LIKED = 100
FIRST = 3


def texts(*, least: int, most: int) -> st.SearchStrategy[str]:
    return st.lists(st.sampled_from(WORDS), min_size=least, max_size=most).map(" ".join)


def papers(first: int, most: int) -> st.SearchStrategy[list[Paper]]:
    keywords = st.lists(st.sampled_from(WORDS), max_size=3, unique=True)
    written = st.tuples(texts(least=1, most=5), texts(least=0, most=25), keywords)
    return st.lists(written, min_size=1, max_size=most).map(
        lambda each: [
            paper(first + place, title=title, abstract=abstract, keywords=tuple(keywords))
            for place, (title, abstract, keywords) in enumerate(each)
        ]
    )


@dataclass(frozen=True)
class Why:
    """Why a paper is there, and what it is worth to its reader beyond its score."""

    reason: Reason
    parts: dict[str, float]


@dataclass(frozen=True)
class Digest:
    """A day's papers, what a reader said, and what they get."""

    spoken_of: dict[PaperId, Paper]
    taste: Taste
    papers: list[EditionPaper]
    texts: dict[PaperId, Paper]
    why: Sequence[Why]


@st.composite
def digests(draw: st.DrawFn) -> Digest:
    day, earlier = draw(papers(1, 12)), draw(papers(FIRST_LIKED, 6))
    sides = st.sampled_from(("liked", "disliked", "unsaid"))
    said = {one.id: draw(sides) for one in earlier}
    taste = Taste(
        liked=tuple(id_ for id_, side in said.items() if side == "liked"),
        disliked=tuple(id_ for id_, side in said.items() if side == "disliked"),
        topics=tuple(draw(st.lists(texts(least=1, most=2), max_size=2, unique=True))),
    )
    scores = [draw(st.integers(-9999, 99_999)) / 10_000 for _ in day]
    shown = [
        EditionPaper(
            position=place, paper_id=one.id, title=one.title, score=score, parts={"votes": score}
        )
        for place, (one, score) in enumerate(zip(day, scores, strict=True), start=1)
    ]
    known = {one.id: one for one in earlier}
    chooser = TasteDay(day, scores, ["a study of diffusion"] * 3).chooser(
        [taste], lambda ids: {id_: known[id_] for id_ in ids}
    )
    first = (1 << min(FIRST, len(day))) - 1
    (pick,) = chooser.picks([PersonalView(taste=taste, size=8, matches=Matches(wanted=first))])
    worth = [{"personal": one} if one else {} for one in pick.worth]
    beside = [{"spread": -one} if one else {} for one in pick.beside]
    each = zip(pick.reasons, worth, beside, strict=True)
    return Digest(
        spoken_of=known,
        taste=taste,
        papers=[shown[place] for place in pick.places],
        texts={one.id: one for one in day},
        why=[Why(read_reason(reason), one | other) for reason, one, other in each],
    )


@pytest.mark.slow
@pytest.mark.accept("Q9", part="personal")
@given(digests())
@settings(max_examples=60)
def test_the_words_of_a_reason_stand_in_the_paper_and_in_what_the_reader_named(
    digest: Digest,
) -> None:
    liked = [digest.spoken_of[id_] for id_ in digest.taste.liked]
    for one, why in zip(digest.papers, digest.why, strict=True):
        if why.reason.code:
            params = why.reason.params
            text, term = digest.texts[one.paper_id], params.get("term") or params["title"]
            assert all(occurs(word, text.title, text.abstract) for word in term.split())
        if why.reason.kind == "near_saved":
            assert any(_has(term, other) for other in liked)


def _has(word: str, other: Paper) -> bool:
    return occurs(word, other.title, other.abstract, *other.keywords)


@pytest.mark.slow
@pytest.mark.accept("Q9", part="personal")
@given(digests())
@settings(max_examples=60)
def test_the_parts_of_a_place_add_up_and_their_sums_never_rise(digest: Digest) -> None:
    own = [why.parts for why in digest.why]
    assert all(part == round(part, 4) and part for parts in own for part in parts.values())
    assert all(parts.keys() <= {"personal", "spread"} for parts in own)
    sums = [
        round(one.score + sum(parts.values()), 4)
        for one, parts in zip(digest.papers, own, strict=True)
    ]
    of_first = min(FIRST, len(digest.papers))
    for group in (sums[:of_first], sums[of_first:]):
        assert group == sorted(group, reverse=True)
