"""Rank candidates by the trending score, with the parts of their scores and reasons.

    candidates ─► entries ─► duplicates ─► bursts ─► parts ─► folded ─► capped ─► ranked
                  known at    groups       topics    score    best of    surplus   reason
                  as_of                              (parts)  a group    moved down

`score` has the formula, `weights` its constants.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from math import ceil
from typing import Protocol

from paperround.core.reasons import freeze
from paperround.core.times import require_utc
from paperround.editions.model import Candidate, Ranked, Ranking
from paperround.papers.model import Paper
from paperround.ranking.bursts import Burst, discount_shared, find_bursts, topics_of
from paperround.ranking.duplicates import group_duplicates
from paperround.ranking.score import (
    AUTHORS,
    ScoreEntry,
    entry_of,
    parts_of,
    total,
    weigh_authors,
)
from paperround.ranking.signals import (
    DAY_HOURS,
    Growth,
    VoteHistory,
    first_day,
    hours_between,
)
from paperround.ranking.stop_words import tokens
from paperround.ranking.topic_names import names_topic, spell
from paperround.ranking.weights import DEFAULTS, Weights


class Expectation(Protocol):
    """A learned prior. Pure: same papers, same parts."""

    @property
    def version(self) -> str:
        """Name, version and training data; part of the ranker's name."""
        ...

    def parts(self, papers: Sequence[Paper]) -> list[Mapping[str, float]]:
        """The named parts of each paper, added to the natural log of its votes.

        They are relative to papers of the same day in the history, not to `papers`.
        """
        ...


PopularAuthor = Callable[[Paper, float, bool], str | None]
"""The shown author with popular earlier papers, given how much the authors raise the paper, and
whether it has votes, so that it may be one of the earlier papers itself. Pure."""

VERSION = "trending-3"
"""Changes when the same input would be ranked differently."""

STEP = 0.0001
"""The smallest difference between two scores, which are rounded to 4 places."""

Groups = Sequence[Sequence[int]]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrendingRanker:
    """Ranks candidates by trend. The same input and `as_of` give the same order on any machine."""

    weights: Weights = DEFAULTS
    prior: Expectation | None = None
    popular_author: PopularAuthor | None = None

    @property
    def name(self) -> str:
        """The version, the weights that differ from the defaults, and the version of the prior."""
        changes = self.weights.changes()
        own = f"{VERSION}({changes})" if changes else VERSION
        return own if self.prior is None else f"{own}+{self.prior.version}"

    def rank(
        self,
        candidates: Sequence[Candidate],
        *,
        background: Sequence[str],
        as_of: datetime,
        submitter_cap: int,
    ) -> Ranking:
        """The candidates, best first, with near-duplicates folded into the best of each group.

        Leaves out withdrawn papers and papers that count from after `as_of`, and ignores later
        observations. `background` has earlier titles and abstracts, in any order. A
        `submitter_cap` of 0 or below means no cap. Raises ValueError for a naive `as_of`.
        """
        now = require_utc(as_of)
        # Sorted by identifier, so the order of input has no effect.
        entries = [
            entry_of(candidate, now, self.weights)
            for candidate in candidates
            if not candidate.paper.withdrawn and candidate.paper.counts_from <= now
        ]
        entries = sorted(entries, key=lambda entry: entry.tie)
        groups = group_duplicates([e.paper for e in entries], [e.words for e in entries])
        entries = _with_topics(entries, groups, background, self.weights)
        if self.prior is not None:
            expected = self.prior.parts([entry.paper for entry in entries])
            pairs = zip(entries, expected, strict=True)
            entries = [
                replace(entry, expected=weigh_authors(parts, self.weights))
                for entry, parts in pairs
            ]
        scored = [
            replace(entry, parts=parts)
            for entry, parts in zip(entries, parts_of(entries, now, self.weights), strict=True)
        ]
        block, by_topic = ceil(self.weights.block_papers), ceil(self.weights.topic_papers)
        folded = []  # the best of each group, naming the others
        for group in groups:
            best, *others = sorted((scored[position] for position in group), key=_order)
            folded.append(replace(best, folded=tuple(other.paper.id for other in others)))
        topics = [one.topics[0].term if one.topics else None for one in folded]
        spread = _apply_cap(folded, "topic_cap", topics, cap=by_topic, block=block)
        submitters = [one.paper.submitter for one in spread]
        chosen = _apply_cap(spread, "submitter_cap", submitters, cap=submitter_cap, block=block)
        return Ranking(
            ranker=self.name,
            as_of=now,
            items=tuple(_ranked(one, now, _author(one, self.popular_author)) for one in chosen),
        )


def _order(entry: ScoreEntry) -> tuple[float, tuple[str, int]]:
    return -total(entry.parts), entry.tie


def _with_topics(
    entries: Sequence[ScoreEntry], groups: Groups, background: Sequence[str], weights: Weights
) -> list[ScoreEntry]:
    """The entries with their topics; a duplicated work counts once."""
    works = [entries[group[0]].words for group in groups]
    bursts = find_bursts(works, background, weights)
    topics = discount_shared([topics_of(entry.words, bursts) for entry in entries])
    return [replace(entry, topics=own) for entry, own in zip(entries, topics, strict=True)]


_Place = tuple[float, tuple[str, int], int]
"""A paper in the queue: its negated score, its tie, and its index."""


def _apply_cap(
    scored: Sequence[ScoreEntry],
    part: str,
    holders: Sequence[str | None],
    *,
    cap: int,
    block: int,
) -> list[ScoreEntry]:
    """In order of score, with papers over the cap of their holder moved down by `part`.

    In each block of `block` places a holder has at most `cap`; its other papers move right behind
    the block and compete in the next one. Papers without a holder never move, and with a cap of 0
    none does.
    """
    lowered: dict[int, float] = {}
    queue: list[_Place] = sorted((*_order(one), index) for index, one in enumerate(scored))
    while cap > 0 and len(queue) > cap:
        surplus, behind_block, rest = _first_block(queue, holders, cap=cap, block=block)
        for step, (behind, tie, index) in enumerate(surplus, start=1):
            below = round(behind_block + STEP * step, 4)
            if below > behind:
                lowered[index] = -below
            rest.append((max(behind, below), tie, index))
        queue = sorted(rest)
    return sorted(
        (
            replace(one, parts={**one.parts, part: round(lowered[index] - total(one.parts), 4)})
            if index in lowered
            else one
            for index, one in enumerate(scored)
        ),
        key=_order,
    )


def _first_block(
    queue: Sequence[_Place], holders: Sequence[str | None], *, cap: int, block: int
) -> tuple[list[_Place], float, list[_Place]]:
    """The places over the cap in the first block, the last score in it, and what follows it."""
    held: Counter[str] = Counter()
    surplus: list[_Place] = []
    taken, last = 0, 0.0
    for number, place in enumerate(queue):
        if taken == block:
            return surplus, last, list(queue[number:])
        behind, _, index = place
        holder = holders[index]
        if holder is not None and held[holder] >= cap:
            surplus.append(place)
            continue
        taken, last = taken + 1, behind
        held.update([holder] if holder is not None else [])
    return surplus, last, []


def _author(entry: ScoreEntry, popular_author: PopularAuthor | None) -> str | None:
    """The author to name as the reason why the prior raises the paper, if any."""
    if popular_author is None or not entry.expected:
        return None
    if entry.history is None:
        lift = entry.parts.get(AUTHORS, 0.0)
    else:
        is_raised = entry.parts.get("prior", 0.0) > 0
        lift = entry.expected.get(AUTHORS, 0.0) if is_raised else 0.0
    return popular_author(entry.paper, lift, entry.history is not None)


def _ranked(entry: ScoreEntry, as_of: datetime, author: str | None) -> Ranked:
    return Ranked(
        paper=entry.paper,
        score=total(entry.parts),
        parts=entry.parts,
        reason=reason_for(entry.paper, entry.history, entry.topics, as_of, author),
        votes=None if entry.history is None else entry.history.votes,
        comments=entry.counts.get("comments"),
        stars=entry.counts.get("stars"),
        folded=entry.folded,
    )


LONGEST = 90
"""Characters of the longest reason, in English."""
_LONGEST_NAME, _LONGEST_TERM = LONGEST - 42, LONGEST - 16

_FRESH_HOURS = 36


def reason_for(
    paper: Paper,
    history: VoteHistory | None,
    topics: Sequence[Burst],
    as_of: datetime,
    author: str | None = None,
) -> str:
    """The reason to show under a paper: its votes, else a popular author, else a rising topic that
    its title names; empty if there is none. Bursts that are only in abstracts are mostly matters
    of style."""
    if history is not None and history.votes > 0:
        return _votes(paper, history, as_of)
    if author is not None and len(author) <= _LONGEST_NAME:
        return freeze("author.popular", name=author)
    # Tokens keep compounds whole, so a topic within a compound does not match.
    title = f" {' '.join(tokens(paper.title))} "
    named = (one.term for one in topics if one.background and f" {one.term} " in title)
    for term in named:
        if len(term) <= _LONGEST_TERM and names_topic(term.split(), paper.title):
            return freeze("rising_topic", term=spell(term, paper.title, paper.abstract))
    return ""


def _votes(paper: Paper, history: VoteHistory, as_of: datetime) -> str:
    votes = history.votes
    if hours_between(history.counted_at, as_of) > _FRESH_HOURS:
        return freeze("votes.as_of", votes=votes, day=_day(history.counted_at))
    growth = history.growth
    if growth is not None and growth.since is not None and growth.gained > 0:
        days = (as_of.date() - require_utc(growth.since).date()).days
        if days == 1:
            return freeze("votes.since_yesterday", votes=votes, gained=growth.gained)
        return _gained(votes, growth)
    listed = require_utc(paper.counts_from)
    hours = ceil(hours_between(listed, history.counted_at))
    start = first_day(paper, as_of)
    has_hour = paper.listed_on == listed.date() and listed != start
    if not has_hour or not 0 < hours <= 24:
        verb = "seen" if paper.listed_on is None else "listed"
        days = (as_of.date() - start.date()).days
        return freeze("votes.listed", votes=votes, listed=[verb, days])
    if listed.date() == as_of.date():
        return freeze("votes.today", votes=votes, num=hours)
    return freeze("votes.first_hours", votes=votes, num=hours, day=_day(listed))


def _gained(votes: int, growth: Growth) -> str:
    if growth.hours >= 2 * DAY_HOURS:
        days = ceil(growth.hours / DAY_HOURS)
        return freeze("votes.in_days", votes=votes, gained=growth.gained, num=days)
    hours = max(1, ceil(growth.hours))
    if growth.gained >= votes:
        return freeze("votes.today", votes=votes, num=hours)
    return freeze("votes.in_hours", votes=votes, gained=growth.gained, num=hours)


def _day(moment: datetime) -> str:
    return require_utc(moment).date().isoformat()
