import math
import subprocess
import sys
from datetime import UTC, datetime
from itertools import pairwise

import pytest

from paperround.ranking.trending import TrendingRanker
from paperround.ranking.weights import Weights, parse_weights
from tests.ranking.ranked_papers import (
    HOUR,
    NOW,
    by_number,
    candidate,
    listed,
    only,
    order,
    rank,
    seen,
)


def test_the_parts_are_named_and_keep_their_order() -> None:
    counts = [seen(3, signal=name) for name in ("citations", "mentions", "github_stars")]
    one = candidate(1, seen(8), *counts, seen(2, signal="comments"), abstract="Seals dive.")
    assert list(only(rank([one])).parts) == [
        "votes", "growth", "recency", "comments", "stars", "mentions", "citations", "text",
    ]  # fmt: skip


@pytest.mark.accept("F10", part="ranking")
def test_more_votes_rank_higher_on_the_same_day() -> None:
    assert order(rank([candidate(n, seen(votes)) for n, votes in enumerate((2, 40, 9))])) == [
        1,
        2,
        0,
    ]


def test_todays_news_goes_before_older_papers_with_more_votes() -> None:
    fresh = candidate(1, seen(20))
    settled = candidate(2, seen(40, hours_ago=24), seen(41), **listed(3))
    assert order(rank([settled, fresh])) == [1, 2]


@pytest.mark.accept("F10", part="ranking")
def test_a_late_riser_comes_back() -> None:
    fresh = [candidate(n, seen(8 + n)) for n in range(1, 6)]
    riser = candidate(9, seen(30, hours_ago=24), seen(90), **listed(3))
    idle = candidate(8, seen(89, hours_ago=24), seen(90), **listed(3))
    ranked = order(rank([*fresh, riser, idle]))
    assert ranked[0] == 9
    assert ranked[-1] == 8


def test_growth_seen_days_ago_fades() -> None:
    def growth(hours_ago: float) -> float:
        return only(rank([candidate(1, seen(16, hours_ago), **listed(3))])).parts["growth"]

    assert all(old < new for old, new in pairwise([growth(60), growth(40), growth(20)]))


def test_unknown_votes_earn_what_the_others_earn_on_average() -> None:
    ranking = rank([candidate(1, seen(1)), candidate(2), candidate(3, seen(60))])
    assert order(ranking) == [3, 2, 1]
    parts = {number: item.parts for number, item in by_number(ranking).items()}
    known = [parts[n]["votes"] + parts[n]["growth"] for n in (1, 3)]
    assert parts[2]["votes_expected"] == pytest.approx(sum(known) / 2, abs=1e-4)
    assert "votes" not in parts[2]


@pytest.mark.accept("F10", part="sources")
def test_a_paper_of_a_feed_without_votes_does_not_outrank_known_popular_ones() -> None:
    popular = [candidate(n, seen(40, hours_ago=50), **listed(3)) for n in range(1, 11)]
    unknown = [candidate(100 + n, **listed(3)) for n in range(200)]
    fresh = [candidate(500 + n) for n in range(20)]
    ranked = order(rank([*popular, *unknown, *fresh]))
    assert set(ranked[:10]) == set(range(1, 11))
    assert set(ranked[10:30]) == set(range(500, 520))


def test_what_unknown_papers_get_goes_by_how_many_become_known() -> None:
    popular = [candidate(n, seen(40, hours_ago=50), **listed(3)) for n in range(1, 6)]
    unknown = [candidate(100 + n, **listed(2)) for n in range(5)]
    parts = by_number(rank([*popular, *unknown]))
    known = math.expm1(sum(parts[1].parts[part] for part in ("votes", "growth")) / 1.5)
    got = parts[100].parts["votes_expected"]
    assert got == pytest.approx(1.5 * math.log1p(known * 10 / 15), abs=1e-3)


@pytest.mark.parametrize("days_ago", [0, 1])
def test_what_may_still_be_counted_is_not_held_against_anybody(days_ago: int) -> None:
    popular = [candidate(n, seen(40, hours_ago=50), **listed(3)) for n in range(1, 6)]
    late = [candidate(100 + n, **listed(days_ago)) for n in range(50)]
    parts = by_number(rank([*popular, *late]))
    known = sum(parts[1].parts[part] for part in ("votes", "growth"))
    assert parts[100].parts["votes_expected"] == pytest.approx(known, abs=1e-4)


def test_weights_that_count_no_votes_expect_none() -> None:
    known, unknown = candidate(1, seen(9, hours_ago=50), **listed(3)), candidate(2, **listed(3))
    blind = TrendingRanker(weights=Weights(votes=0.0, growth=0.0))
    items = by_number(rank([known, unknown], ranker=blind))
    assert items[2].parts["votes_expected"] == 0


def test_topics_speak_only_where_votes_do_not() -> None:
    flow = "Optical flow, optical flow"
    topic = [candidate(n, abstract=f"{flow} of x{n}y.") for n in range(1, 5)]
    voted = candidate(5, seen(4), abstract=f"{flow} of rivers.")
    parts = by_number(rank([*topic, voted, *(candidate(n) for n in range(6, 20))]))
    assert parts[1].parts["topics"] > 0 > parts[9].parts["topics"]
    assert "topics" not in parts[5].parts


def test_no_votes_known_and_no_votes_given_are_told_apart() -> None:
    items = by_number(rank([candidate(1, seen(0)), candidate(2)]))
    assert (items[1].votes, items[2].votes) == (0, None)
    assert items[1].comments is None


@pytest.mark.accept("F10", part="comments and stars", mutant="comments-count-for-nothing")
def test_side_counts_are_measured_against_the_day() -> None:
    def with_comments(number: int, count: int) -> list[float]:
        crowd = [candidate(n, seen(5), seen(c, signal="comments")) for n, c in ((1, 1), (2, 9))]
        ranking = rank([*crowd, candidate(3, seen(5))])
        return [item.parts.get("comments", 0.0) for item in ranking.items]

    high, unknown, low = with_comments(1, 1)
    assert high > 0 > low
    assert unknown == 0


@pytest.mark.accept("F11", part="ranking")
def test_with_texts_alone_papers_of_a_shared_topic_lead() -> None:
    topic = [candidate(n, abstract=f"Optical flow, optical flow of x{n}y.") for n in range(1, 5)]
    alone = [candidate(n, abstract=f"Rivers of z{n}w in the north.") for n in range(10, 25)]
    assert order(rank([*alone, *topic]))[:4] == [1, 2, 3, 4]


def test_an_abstract_is_worth_a_little() -> None:
    assert order(rank([candidate(1), candidate(2, abstract="Seals dive deep.")])) == [2, 1]


def test_more_words_than_a_full_abstract_earn_nothing_more() -> None:
    full = math.ceil(Weights().full_words)
    papers = [candidate(n, abstract="word " * full * n) for n in (1, 2)]
    parts = by_number(rank(papers))
    assert parts[1].parts["text"] == parts[2].parts["text"] == Weights().text


def test_a_paper_that_counts_from_later_on_is_not_ranked_yet() -> None:
    later = candidate(2, seen(90), counts_from=NOW + HOUR)
    assert order(rank([candidate(1), later])) == [1]
    assert sorted(order(rank([candidate(1), later], as_of=NOW + HOUR))) == [1, 2]


def test_of_the_first_papers_a_submitter_has_no_more_than_the_cap() -> None:
    prolific = [candidate(n, seen(90 - n), submitter="one") for n in range(1, 7)]
    others = [candidate(100 + n, seen(20 - n)) for n in range(1, 13)]
    ranked = order(rank([*prolific, *others], submitter_cap=3))
    assert ranked[:4] == [1, 2, 3, 101]
    assert ranked.index(4) == math.ceil(Weights().block_papers)


@pytest.mark.accept("F10", part="ties", mutant="equal-papers-stand-by-chance")
def test_equal_scores_break_on_the_canonical_identifier() -> None:
    papers = [
        candidate(1, identifiers={"doi": "10.1000/a"}),
        candidate(2, identifiers={"arxiv": "2601.00002"}),
        candidate(3, identifiers={"arxiv": "2601.00001", "doi": "10.1000/z"}),
    ]
    assert order(rank(papers)) == [3, 2, 1]


def test_a_naive_cut_off_is_refused() -> None:
    with pytest.raises(ValueError, match="naive datetime"):
        rank([], as_of=datetime(2026, 1, 30))  # noqa: DTZ001


@pytest.mark.parametrize("year", [1, 9999])
def test_the_ends_of_the_calendar_are_no_error(year: int) -> None:
    far = datetime(year, 12, 31, 23, 59, tzinfo=UTC)
    one = candidate(1, seen(3), counts_from=far, listed_on=far.date())
    assert len(rank([one], as_of=far).items) == 1


def test_other_weights_order_otherwise() -> None:
    papers = [candidate(1, seen(8)), candidate(2, seen(30), **listed(2))]
    calm = TrendingRanker(weights=parse_weights("recency=0,growth=0"))
    assert order(rank(papers)) == [1, 2]
    assert order(rank(papers, ranker=calm)) == [2, 1]


SHUFFLED = """
import random
from tests.ranking.ranked_papers import candidate, rank, seen
words = "seal tide front ice krill whale moss reef storm dune".split()
papers = [
    candidate(n, seen(n * 7 % 5), submitter=words[n % 3], title=f"On {words[n % 7]} number {n}",
              abstract=" ".join(words[n * k % 10] for k in range(1, 40)))
    for n in range(60)
]
random.Random({seed}).shuffle(papers)
print([(i.paper.id, i.score, i.parts, i.reason, i.folded) for i in rank(papers).items])
"""


def ranked_elsewhere(seed: int) -> str:
    done = subprocess.run(
        [sys.executable, "-c", SHUFFLED.replace("{seed}", str(seed))],
        env={"PYTHONHASHSEED": str(seed), "PYTHONPATH": ":".join(filter(None, sys.path))},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def test_neither_input_order_nor_hash_seed_leaves_a_trace() -> None:
    assert len({ranked_elsewhere(seed) for seed in (0, 1, 4242)}) == 1
