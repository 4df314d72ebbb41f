"""What is learned, kept and read again, and what may be said of it."""

import math
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from io import BytesIO
from typing import Any, ClassVar

import numpy as np
import pytest
from hypothesis import given, settings

from paperround.core.errors import InvalidInput
from paperround.editions.model import Candidate
from paperround.papers.identifiers import folded
from paperround.ranking.models import FinalVotes, TrainingBatch
from paperround.ranking.prior import LEAST_OUTCOMES, VERSION, PriorMaker, storage, training
from paperround.ranking.prior.predictor import FEATURES, GROUPS, PastMeans
from paperround.ranking.prior.training import Learned, Records, records_of
from paperround.ranking.trending import LONGEST, TrendingRanker
from paperround.ranking.trending import VERSION as RANKER
from tests.builders import english
from tests.editions.days import days as drawn_days
from tests.ranking.learned import KINDS, START, cohorts, told
from tests.ranking.ranked_papers import by_number, candidate, occurs, order, paper, rank, seen


@pytest.fixture(scope="module")
def fresh() -> Learned:
    found = training.fit(cohorts())
    assert found is not None
    return found


@pytest.fixture(scope="module")
def content(fresh: Learned) -> bytes:
    return training.serialize(fresh)


def ranker(model: Learned) -> TrendingRanker:
    return TrendingRanker(prior=model.prior, popular_author=model.popular_author)


def a_day() -> list[Candidate]:
    """Papers of every kind, with many, few, no and unknown votes."""
    counts: Sequence[int | None] = (None, 0, 3, 80)
    return [
        candidate(3 * row + i + 1, *([] if votes is None else [seen(votes)]), **kind)
        for row, votes in enumerate(counts)
        for i, kind in enumerate(KINDS)
    ]


# --- kept --------------------------------------------------------------------------------------


@pytest.mark.accept("F11", part="kept")
def test_a_ranking_is_the_same_before_and_after_the_model_was_kept(
    fresh: Learned, content: bytes
) -> None:
    before, after = (
        rank(a_day(), ranker=ranker(m)) for m in (fresh, training.deserialize(content))
    )
    assert order(before) == order(after)
    assert before.ranker == after.ranker
    assert [item.reason for item in before.items] == [item.reason for item in after.items]
    for mine, again in zip(before.items, after.items, strict=True):
        assert again.parts == pytest.approx(mine.parts, abs=1.1e-4)


def test_everything_it_was_learned_from_is_told_again(fresh: Learned, content: bytes) -> None:
    facts = training.deserialize(content).facts
    assert facts == fresh.facts
    assert (facts.outcomes, facts.days, facts.since) == (700, 70, START)
    assert facts.until == START + timedelta(days=69)
    assert list(facts.weights) == list(GROUPS)
    assert [one for part in facts.weights.values() for one in part] == list(FEATURES)


def test_the_same_history_gives_the_same_model(content: bytes) -> None:
    again = PriorMaker().fit(cohorts())
    assert again is not None
    assert again[0] == content


def test_too_few_papers_give_no_model() -> None:
    assert PriorMaker().fit(cohorts(days=LEAST_OUTCOMES // 10 - 1)) is None
    assert PriorMaker().fit([]) is None
    assert PriorMaker().least == LEAST_OUTCOMES


@pytest.mark.accept("F11", part="days")
def test_one_day_however_long_gives_no_model() -> None:
    """Nothing came before it, so nothing can be weighed: a mean of no papers is no number."""
    everything = [one for cohort in cohorts() for one in cohort.settled]
    assert PriorMaker().fit([_whole(0, everything)]) is None
    assert PriorMaker().fit([_whole(0, everything), _whole(1, everything[:5])]) is None
    assert PriorMaker().fit([_whole(0, everything), _whole(1, everything[:200])]) is not None


def _whole(day: int, settled: Sequence[FinalVotes]) -> TrainingBatch:
    return TrainingBatch(day=START + timedelta(days=day), feed=None, settled=tuple(settled))


def test_the_maker_reads_what_it_made(content: bytes) -> None:
    facts, ranker = PriorMaker().open(content)
    assert facts.outcomes == 700
    assert ranker.name == f"{RANKER}+{VERSION}(700 until {facts.until})"
    assert PriorMaker().plain.name == RANKER
    assert PriorMaker().version == VERSION


@pytest.mark.accept("F11", part="damaged")
@pytest.mark.parametrize(
    "damage",
    [
        lambda _: b"",
        lambda content: content[:-200],
        lambda content: b"PK\x03\x04" + content[4:2000],
        lambda content: content.replace(b"head.npy", b"tail.npy"),
        lambda _: b"\x80\x04K\x01.",  # a pickle
        lambda _: _archive(head=np.array([None])),
        lambda _: _archive(head=np.frombuffer(b"[1]", dtype=np.uint8)),
        lambda _: _archive(head=np.frombuffer(b"{}", dtype=np.uint8)),
    ],
)
def test_a_damaged_model_is_refused_with_the_way_out(content: bytes, damage: Any) -> None:
    with pytest.raises(InvalidInput, match=r"damaged.*`paperround learn` trains a new one"):
        training.deserialize(damage(content))


def _archive(**arrays: Any) -> bytes:
    target = BytesIO()
    np.savez(target, **arrays)
    return target.getvalue()


@pytest.mark.accept("F11", part="damaged")
def test_no_torn_or_turned_byte_is_more_than_a_refusal(content: bytes) -> None:
    for place in range(3, len(content), len(content) // 120):
        turned = bytes([content[place] ^ (1 << place % 8)])
        for torn in (content[:place], content[:place] + turned + content[place + 1 :]):
            with suppress(InvalidInput):
                training.deserialize(torn)


class Trap:
    """What would run if somebody read it as an object."""

    sprung: ClassVar[list[int]] = []

    def __reduce__(self) -> tuple[Any, ...]:
        return spring, (1,)


def spring(number: int) -> None:
    Trap.sprung.append(number)


def test_nothing_in_a_model_can_run() -> None:
    with pytest.raises(InvalidInput, match="damaged"):
        training.deserialize(_archive(head=np.array([Trap()], dtype=object)))
    assert Trap.sprung == []


def test_a_model_of_another_version_is_refused_by_name(fresh: Learned) -> None:
    foreign = storage.to_bytes(fresh, "prior-0")
    with pytest.raises(InvalidInput, match=rf"of prior-0, and this program reads {VERSION}"):
        training.deserialize(foreign)


def test_a_model_that_knows_papers_by_other_features_is_refused(fresh: Learned) -> None:
    foreign = storage.to_bytes(replace(fresh, features="text,moon"), VERSION)
    with pytest.raises(InvalidInput, match="other features"):
        training.deserialize(foreign)


def test_a_model_that_lacks_an_array_is_refused(fresh: Learned, content: bytes) -> None:
    with np.load(BytesIO(content)) as archive:
        arrays = {name: archive[name] for name in archive.files if name != "prior.usual"}
    with pytest.raises(InvalidInput, match=r"lacks what prior-\d+ needs.*prior\.usual"):
        training.deserialize(_archive(**arrays))


# --- said --------------------------------------------------------------------------------------


def said(model: Learned, **changes: Any) -> str:
    """The reason of a paper without votes, beside one that nothing is known of."""
    beside = candidate(2, title="Of nothing", authors=("Nemo Nobody",))
    items = by_number(rank([candidate(1, **changes), beside], ranker=ranker(model)))
    return english(items[1].reason)


@pytest.mark.accept("F12", part="reason")
@pytest.mark.accept("Q17", part="authors", mutant="an-author-who-is-not-shown-is-named")
def test_an_author_whose_papers_did_well_is_named_where_they_are_shown(fresh: Learned) -> None:
    reason = said(fresh, title="Unheard", authors=("Zoe New", "Ada  STAR"))
    assert reason == "From Ada  STAR, whose papers are often popular here"
    many = ("Zoe New", "Bo Ek", "Cy Lim", "Ada Star", "Di Wu")
    assert said(fresh, title="Unheard", authors=many) == ""


def test_nothing_else_that_is_expected_is_a_reason(fresh: Learned) -> None:
    assert said(fresh, title="On optical flow", authors=()) == ""
    assert said(fresh, title="Unheard", authors=(), submitter="s1") == ""


def test_a_name_too_long_for_the_line_is_left_out(fresh: Learned) -> None:
    long = "Ada " + "van der " * 8 + "Star"
    authors = PastMeans(sums={folded(long): 9.0}, papers={folded(long): 4})
    past = replace(fresh.prior.past, authors=authors)
    prior = replace(fresh.prior, past=past)
    model = replace(fresh, prior=prior, records=Records(authors=authors))
    assert said(model, title="Unheard", authors=(long, "Bo Dim")) == ""


def popular(model: Learned, lift: float = 0.5, **changes: Any) -> str | None:
    is_counted = changes.pop("is_counted", False)
    one = paper(1, **changes)
    return model.popular_author(one, lift, is_counted)


def test_who_did_no_better_than_others_is_no_reason(fresh: Learned) -> None:
    assert popular(fresh, authors=("Bo Dim",)) is None
    assert popular(fresh, 0.01, **KINDS[0]) is None
    assert popular(fresh, **KINDS[0]) == "Ada Star"


def test_a_part_that_lowers_a_paper_is_no_reason_for_its_place(fresh: Learned) -> None:
    beside = candidate(2, **KINDS[0])
    items = by_number(rank([candidate(1, title="Whales, plain"), beside], ranker=ranker(fresh)))
    assert items[1].reason == ""


def test_a_paper_that_may_be_among_the_earlier_ones_is_not_likened_to_them(
    fresh: Learned,
) -> None:
    old = fresh.prior.until
    assert popular(fresh, **KINDS[0], listed_on=old, is_counted=True) is None
    assert popular(fresh, **KINDS[0], listed_on=old)
    assert popular(fresh, **KINDS[0], is_counted=True)


def test_a_paper_whose_count_is_nought_may_say_what_is_expected(fresh: Learned) -> None:
    counted = [candidate(1, seen(0), **KINDS[0]), candidate(2, seen(4), **KINDS[1])]
    items = by_number(rank(counted, ranker=ranker(fresh)))
    assert items[1].parts["prior"] > 0
    assert english(items[1].reason) == "From Ada Star, whose papers are often popular here"
    assert english(items[2].reason) == "4 votes, new today"


@pytest.mark.parametrize(("papers", "known"), [(2, False), (3, True)])
def test_of_fewer_than_three_papers_nobody_is_called_often_popular(
    papers: int, known: bool
) -> None:
    records = records_of([(paper(1, authors=("Ada Star",)), 1.0)] * papers)
    assert ("ada star" in records.authors.papers) is known


# --- any day -----------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.accept("Q9", part="prior")
@pytest.mark.accept("F12", part="parts")
@settings(max_examples=60)
@given(days=drawn_days())
def test_parts_add_up_and_reasons_are_true_on_any_day(
    fresh: Learned, days: list[Candidate]
) -> None:
    ranking = rank([*days, *shifted(a_day())], ranker=ranker(fresh))
    for item in ranking.items:
        assert item.score == round(math.fsum(item.parts.values()), 4)
        assert all(round(part, 4) == part for part in item.parts.values())
        assert len(english(item.reason)) <= LONGEST
    for name, text in told(ranking):
        assert occurs(name, text)


def shifted(candidates: list[Candidate]) -> list[Candidate]:
    """The same under other numbers than a drawn day uses."""
    return [replace(one, paper=paper(100 + one.paper.id, **_texts(one))) for one in candidates]


def _texts(one: Candidate) -> dict[str, Any]:
    names = ("title", "abstract", "authors", "submitter", "organization", "links")
    return {name: getattr(one.paper, name) for name in names}
