"""Compute the named parts of the trending score of a day's papers.

    votes        w ln(1 + x),  x = (v + p m) / (s + p)
    growth       w ln(1 + g) h,  g = 24 max(0, gained) / (hours + floor)
    prior        w (ln(1 + x') - ln(1 + x)),  x' = (v + q m e^k) / (s + q)
    source       w (mean of votes + growth over all - mean of the same over its site) n / (n + 5),
                 where n >= 5 papers have votes of its site, and others of another
    votes_expected   w ln(1 + r (e^(y / w) - 1)), w being that of votes + that of growth, y the mean
                     of votes + growth + source over the papers whose votes are known
    prior_text, prior_authors, prior_submitter, prior_organization, prior_links, prior_age
                 (w of votes + w of growth) (the part of k - mean of the same)
    recency      w 2^(-age / half-life)
    comments, stars, mentions, citations   w (ln(1 + count) - mean of the same over the day)
    topics       w (ln(1 + summed strength of the paper's three strongest bursts) - mean of the
                 same), only where votes are not known
    text         w min(1, words / full), for papers with an abstract
    colleagues   w (1/2 from 3 people on, 1 from 6), below 0 if they wanted less like it

v votes were counted when a paper had the share s = a / (a + settling) of all its votes, a being its
age. m is the day's sum of votes divided by its sum of shares (per site, for sites with n >= 5
papers), p the weight of that prior. h halves the growth with the age of the newest count. r is the
share of papers of earlier days with known votes: if most feeds report none, an unknown paper does
not count like one that readers chose. Ages count from the start of the UTC day of listing.

A part that does not apply is left out, never 0: a paper with unknown votes gets `votes_expected`
and `topics` instead of `votes` and `growth`, so mixed days stay fair, and unknown side counts earn
the average.

An additional vote never lowers a paper: m rises by at most the new vote over the sum of shares, so
x rises at least as much, in proportion, as for any other paper (up to rounding at the fourth
place). With a prior the same holds for x' while q e^k stays below the sum of shares, so k is capped
at MOST_EXPECTED.
"""

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

from paperround.editions.model import Candidate
from paperround.papers.identifiers import canonical
from paperround.papers.model import Paper, PaperId
from paperround.ranking import signals
from paperround.ranking.bursts import Burst
from paperround.ranking.signals import VoteHistory
from paperround.ranking.stop_words import paper_tokens
from paperround.ranking.weights import Weights
from paperround.subscribers.readers import LEAST_COLLEAGUES

Parts = dict[str, float]

MOST_EXPECTED = 2.0
"""The most a prior moves the day's mean for a paper with known votes, in ln(votes)."""

AUTHORS = "prior_authors"
"""The part of a prior from the authors' earlier papers."""

MANY_COLLEAGUES = 6
"""A balance that earns all of `colleagues`; a smaller one earns half. There are only two steps, as
public pages show the part, which must not tell how many people there are."""

LEAST_OF_A_SITE = 5
"""The least papers with votes to estimate the level of a site; it shrinks by as many papers."""

Value = TypeVar("Value")

_SIDE_SIGNALS = {
    "comments": "comments",
    "stars": "github_stars",
    "mentions": "mentions",
    "citations": "citations",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreEntry:
    """A candidate with the inputs of its score, and its score once that is computed.

    `tie` orders papers of equal score. `expected` has the parts of the prior, in ln(votes); None
    without a prior. `folded` are the near-duplicates left out in its favour, `colleagues` is the
    balance of what readers who share said.
    """

    paper: Paper
    tie: tuple[str, int]
    words: list[str]
    history: VoteHistory | None
    counts: Mapping[str, int]
    topics: tuple[Burst, ...] = ()
    expected: Mapping[str, float] | None = None
    parts: Mapping[str, float] = field(default_factory=dict)
    folded: tuple[PaperId, ...] = ()
    colleagues: int = 0


def entry_of(candidate: Candidate, as_of: datetime, weights: Weights) -> ScoreEntry:
    """The inputs known at `as_of`, without topics, which depend on the other candidates."""
    paper, observations = candidate.paper, candidate.observations
    latest = {
        part: signals.latest(observations, signal, as_of) for part, signal in _SIDE_SIGNALS.items()
    }
    return ScoreEntry(
        paper=paper,
        tie=(canonical(paper.identifiers), paper.id),
        words=paper_tokens(paper.title, paper.abstract),
        history=signals.vote_history(paper, observations, as_of, weights),
        counts={part: count for part, count in latest.items() if count is not None},
        colleagues=candidate.colleagues,
    )


def weigh_authors(expected: Mapping[str, float], weights: Weights) -> Parts:
    """The parts of a prior, that of the authors by its weight; left out if that is 0."""
    return {
        part: value * weights.authors if part == AUTHORS else value
        for part, value in expected.items()
        if part != AUTHORS or weights.authors
    }


def total(parts: Mapping[str, float]) -> float:
    """The sum of rounded `parts`, rounded to 4 places."""
    return round(math.fsum(parts.values()), 4)


def parts_of(entries: Sequence[ScoreEntry], as_of: datetime, weights: Weights) -> list[Parts]:
    """The parts of each entry, rounded to 4 places, in a fixed order."""
    # Measure the prior against its mean over the entries with known votes.
    known = [entry.expected for entry in entries if entry.history is not None and entry.expected]
    base = known or [entry.expected for entry in entries if entry.expected]
    usual = {part: _mean([one[part] for one in base]) or 0.0 for part in (base[0] if base else ())}
    expectations = [
        {part: value - usual[part] for part, value in (entry.expected or {}).items()}
        for entry in entries
    ]
    votes = _vote_parts(entries, expectations, as_of, weights)
    expected = _votes_of_unknown(entries, votes, as_of, weights)
    means = {
        part: _mean([math.log1p(one.counts[part]) for one in entries if part in one.counts]) or 0.0
        for part in _SIDE_SIGNALS
    }
    unknown = _unknown_parts(entries, expectations, weights)
    return [
        _rounded(
            (known or ({} if expected is None else {"votes_expected": expected}) | instead)
            | {"recency": weights.recency * _freshness(entry.paper, as_of, weights)}
            | {
                part: getattr(weights, part) * (math.log1p(count) - means[part])
                for part, count in entry.counts.items()
            }
            | _text_part(entry, weights)
            | _colleagues_part(entry, weights)
        )
        for entry, known, instead in zip(entries, votes, unknown, strict=True)
    ]


def _votes_of_unknown(
    entries: Sequence[ScoreEntry], votes: Sequence[Parts], as_of: datetime, weights: Weights
) -> float | None:
    """The part of a paper with unknown votes; None if no votes are known."""
    mean = _mean([_known_votes(parts) for parts in votes if parts])
    # The share of old enough papers with known votes; 1 without such papers.
    old = [
        entry.history is not None
        for entry in entries
        if signals.hours_between(signals.first_day(entry.paper, as_of), as_of)
        >= weights.counted_hours
    ]
    share = (sum(old) + weights.counted_papers) / (len(old) + weights.counted_papers)
    scale = weights.votes + weights.growth
    if mean is None or share == 1 or scale == 0:
        return mean
    return scale * math.log1p(share * math.expm1(mean / scale))


def _known_votes(parts: Parts) -> float:
    return math.fsum(value for part, value in parts.items() if part != "prior")


def _vote_parts(
    entries: Sequence[ScoreEntry], expectations: Sequence[Parts], as_of: datetime, weights: Weights
) -> list[Parts]:
    """`votes`, `growth`, `source` and `prior` of each entry, rounded; empty without votes."""
    histories = [entry.history for entry in entries]
    means = _site_means([one for one in histories if one is not None])
    known = [
        {} if one is None else _votes_and_growth(one, means[one.scale], as_of, weights)
        for one in histories
    ]
    levels = _site_levels(histories, known)
    return [
        {}
        if one is None
        else _rounded(
            parts
            | {part: weights.source * off for part, off in levels.get(one.scale, {}).items()}
            | _prior_part(one, means[one.scale], expected, weights)
        )
        for one, parts, expected in zip(histories, known, expectations, strict=True)
    ]


def _site_means(histories: Sequence[VoteHistory]) -> Mapping[str, float]:
    """The mean votes of each site; the overall mean for a site with few papers."""
    groups = _grouped(histories, histories)
    every = signals.mean_votes(histories)
    return {
        scale: signals.mean_votes(group) if len(group) >= LEAST_OF_A_SITE else every
        for scale, group in groups.items()
    }


def _site_levels(
    histories: Sequence[VoteHistory | None], known: Sequence[Parts]
) -> Mapping[str, Mapping[str, float]]:
    """The unweighted `source` part of each site; empty if there is only one."""
    pairs = [(one, _known_votes(parts)) for one, parts in zip(histories, known, strict=True) if one]
    groups = _grouped([one for one, _ in pairs], [votes for _, votes in pairs])
    every = _mean([votes for _, votes in pairs]) or 0.0
    return {
        scale: {"source": (every - mean) * len(group) / (len(group) + LEAST_OF_A_SITE)}
        for scale, group in groups.items()
        if len(groups) > 1 and len(group) >= LEAST_OF_A_SITE
        for mean in [_mean(group) or 0.0]
    }


def _grouped(
    histories: Sequence[VoteHistory], values: Sequence[Value]
) -> Mapping[str, list[Value]]:
    groups: dict[str, list[Value]] = defaultdict(list)
    for history, value in zip(histories, values, strict=True):
        groups[history.scale].append(value)
    return groups


def _prior_part(known: VoteHistory, mean: float, expected: Parts, weights: Weights) -> Parts:
    """The change of `votes` if the paper's own prior replaces the day's mean."""
    if not expected:
        return {}
    k = math.fsum(expected.values())
    own = mean * math.exp(min(MOST_EXPECTED, max(-MOST_EXPECTED, k)))
    flat = signals.expected_votes(known, mean, weights.prior_share)
    shrunk = signals.expected_votes(known, own, weights.prior_own_share)
    return {"prior": weights.votes * (math.log1p(shrunk) - math.log1p(flat))}


def _votes_and_growth(known: VoteHistory, mean: float, as_of: datetime, weights: Weights) -> Parts:
    votes = signals.expected_votes(known, mean, weights.prior_share)
    parts = {"votes": weights.votes * math.log1p(votes)}
    if known.growth is not None:
        daily = signals.daily_growth(known.growth, weights.growth_floor_hours)
        idle = signals.hours_between(known.counted_at, as_of)
        fresh = signals.halved(idle, weights.stale_half_life_hours)
        parts["growth"] = weights.growth * math.log1p(daily) * fresh
    return parts


def _unknown_parts(
    entries: Sequence[ScoreEntry], expectations: Sequence[Parts], weights: Weights
) -> list[Parts]:
    """The parts of unknown votes besides the day's mean: the prior, or without one the topics."""
    scale = weights.votes + weights.growth
    usual = _mean([_topicality(entry) for entry in entries if entry.history is None]) or 0.0
    return [
        {part: scale * value for part, value in expected.items()}
        or {"topics": weights.topics * (_topicality(entry) - usual)}
        for entry, expected in zip(entries, expectations, strict=True)
    ]


def _topicality(entry: ScoreEntry) -> float:
    return math.log1p(math.fsum(burst.strength for burst in entry.topics))


def _freshness(paper: Paper, as_of: datetime, weights: Weights) -> float:
    age = signals.hours_between(signals.first_day(paper, as_of), as_of)
    return signals.halved(age, weights.recency_half_life_hours)


def _text_part(entry: ScoreEntry, weights: Weights) -> Parts:
    if not entry.paper.abstract.strip():
        return {}
    return {"text": weights.text * min(1.0, len(entry.words) / weights.full_words)}


def _colleagues_part(entry: ScoreEntry, weights: Weights) -> Parts:
    if abs(entry.colleagues) < LEAST_COLLEAGUES or not weights.colleagues:
        return {}
    share = 1.0 if abs(entry.colleagues) >= MANY_COLLEAGUES else 0.5
    return {"colleagues": weights.colleagues * math.copysign(share, entry.colleagues)}


def _mean(numbers: Sequence[float]) -> float | None:
    return math.fsum(numbers) / len(numbers) if numbers else None


def _rounded(parts: Parts) -> Parts:
    """Round to 4 places; adding 0.0 turns -0.0 into 0.0."""
    return {name: round(value, 4) + 0.0 for name, value in parts.items()}
