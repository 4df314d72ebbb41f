"""The ranker: candidates in; papers in order, with the parts of their scores and reasons, out.

    candidates ─► entries ─► duplicates ─► bursts ─► parts ─► folded ─► capped ─► ranked
                  known at    groups       topics    score    best of    surplus   reason
                  as_of                              (parts)  a group    moved down

The formula stands in `parts`, its constants in `weights`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from math import ceil

from paperround.domain.editions import Candidate, Ranked, Ranking
from paperround.domain.papers import PaperId
from paperround.domain.times import require_utc
from paperround.ranking.bursts import Thresholds, find_bursts, share_out, topics_of
from paperround.ranking.cap import Place, lowered_scores
from paperround.ranking.duplicates import group_duplicates
from paperround.ranking.expectations import Expectation, Grounds
from paperround.ranking.parts import Entry, Parts, entry_of, parts_of, total
from paperround.ranking.reasons import reason_for
from paperround.ranking.weights import DEFAULTS, Weights

VERSION = "trending-3"
"""Changes whenever the same input would be ordered differently."""

Groups = Sequence[Sequence[int]]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrendingRanker:
    """Orders candidates by what is trending. Same input and `as_of`, same order, anywhere."""

    weights: Weights = DEFAULTS
    prior: Expectation | None = None
    grounds: Grounds | None = None
    """What knows whose earlier papers did well."""

    @property
    def name(self) -> str:
        """The version, in brackets the weights that differ from the defaults, and the prior's."""
        changes = self.weights.changes()
        mine = f"{VERSION}({changes})" if changes else VERSION
        return mine if self.prior is None else f"{mine}+{self.prior.version}"

    def rank(
        self,
        candidates: Sequence[Candidate],
        *,
        background: Sequence[str],
        as_of: datetime,
        submitter_cap: int,
    ) -> Ranking:
        """The candidates best first, near-duplicates folded into the best of each group.

        Withdrawn papers and papers that count from after `as_of` are left out, observations after
        it are not read. `background` holds earlier titles and abstracts, in any order.
        `submitter_cap` 0 or below means no cap. Raises ValueError for a naive `as_of`.
        """
        now = require_utc(as_of)
        entries = _entries(candidates, now, self.weights)
        groups = group_duplicates([e.paper for e in entries], [e.words for e in entries])
        entries = _with_topics(entries, groups, background, self.weights)
        entries = _with_expectations(entries, self.prior)
        scored = [
            _Scored(entry=entry, parts=parts)
            for entry, parts in zip(entries, parts_of(entries, now, self.weights), strict=True)
        ]
        block, by_topic = ceil(self.weights.block_papers), ceil(self.weights.topic_papers)
        folded = _folded(scored, groups)
        spread = _capped(folded, "topic_cap", _topic_of, cap=by_topic, block=block)
        chosen = _capped(spread, "submitter_cap", _submitter_of, cap=submitter_cap, block=block)
        return Ranking(
            ranker=self.name,
            as_of=now,
            items=tuple(_ranked(one, now, _author(one, self.grounds)) for one in chosen),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Scored:
    entry: Entry
    parts: Parts
    folded: tuple[PaperId, ...] = ()


def _order(scored: _Scored) -> tuple[float, tuple[str, int]]:
    return -total(scored.parts), scored.entry.tie


def _entries(candidates: Sequence[Candidate], as_of: datetime, weights: Weights) -> list[Entry]:
    """Those that may rank, ordered by identifier so that the order of input leaves no trace."""
    entries = [
        entry_of(candidate, as_of, weights)
        for candidate in candidates
        if not candidate.paper.withdrawn and candidate.paper.counts_from <= as_of
    ]
    return sorted(entries, key=lambda entry: entry.tie)


def _with_topics(
    entries: Sequence[Entry], groups: Groups, background: Sequence[str], weights: Weights
) -> list[Entry]:
    """Each entry with its topics; a work listed twice makes no burst of its own words."""
    least = Thresholds(
        papers=weights.least_papers,
        background=weights.least_background,
        times=weights.least_burst,
        strength=weights.least_strength,
    )
    works = [entries[group[0]].words for group in groups]
    bursts = find_bursts(works, background, least)
    topics = share_out([topics_of(entry.words, bursts) for entry in entries])
    return [replace(entry, topics=mine) for entry, mine in zip(entries, topics, strict=True)]


def _with_expectations(entries: Sequence[Entry], prior: Expectation | None) -> list[Entry]:
    if prior is None:
        return list(entries)
    parts = prior.parts([entry.paper for entry in entries])
    return [replace(entry, expected=mine) for entry, mine in zip(entries, parts, strict=True)]


def _folded(scored: Sequence[_Scored], groups: Groups) -> list[_Scored]:
    """The best of each group, naming the others."""
    chosen = []
    for group in groups:
        best, *others = sorted((scored[position] for position in group), key=_order)
        chosen.append(replace(best, folded=tuple(other.entry.paper.id for other in others)))
    return chosen


def _topic_of(scored: _Scored) -> str | None:
    return scored.entry.topics[0].term if scored.entry.topics else None


def _submitter_of(scored: _Scored) -> str | None:
    return scored.entry.paper.submitter


def _capped(
    scored: Sequence[_Scored],
    part: str,
    holder_of: Callable[[_Scored], str | None],
    *,
    cap: int,
    block: int,
) -> list[_Scored]:
    """In order of score, after the surplus of each holder has been moved down by `part`."""
    places = [
        Place(
            behind=-total(one.parts),
            tie=one.entry.tie,
            index=index,
            holder=holder_of(one),
        )
        for index, one in enumerate(scored)
    ]
    lowered = lowered_scores(places, cap=cap, block=block)
    moved = [
        _moved(one, part, lowered[index]) if index in lowered else one
        for index, one in enumerate(scored)
    ]
    return sorted(moved, key=_order)


def _moved(scored: _Scored, part: str, score: float) -> _Scored:
    penalty = round(score - total(scored.parts), 4)
    return replace(scored, parts=scored.parts | {part: penalty})


def _author(scored: _Scored, grounds: Grounds | None) -> str | None:
    """The author who may be named as why the prior raises the paper."""
    entry = scored.entry
    if grounds is None or not entry.expected:
        return None
    if entry.standing is None:
        lifts = {part: value for part, value in scored.parts.items() if part in entry.expected}
    else:
        lifts = dict(entry.expected) if scored.parts.get("prior", 0.0) > 0 else {}
    return grounds.popular_author(entry.paper, lifts, is_counted=entry.standing is not None)


def _ranked(scored: _Scored, as_of: datetime, author: str | None) -> Ranked:
    entry = scored.entry
    return Ranked(
        paper=entry.paper,
        score=total(scored.parts),
        parts=scored.parts,
        reason=reason_for(entry.paper, entry.standing, entry.topics, as_of, author),
        votes=None if entry.standing is None else entry.standing.votes,
        comments=entry.counts.get("comments"),
        folded=scored.folded,
    )
