"""Rank the papers that a list's editions showed in a month, with the counts of today.

    editions of the month ─► last rank of each paper ─► votes since then ─► order of the month

An edition holds the papers of seven days, so a month is read from all its editions. Still, a
monthly digest belongs to the newest edition, like any other: its papers are stored with that
edition (`behind`), at separate positions.
"""

import math
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from types import MappingProxyType

from paperround.core.reasons import join_reasons, read_reason
from paperround.db.transactions import Transaction
from paperround.digests.model import MONTH
from paperround.editions.lists import CANDIDATES
from paperround.editions.model import (
    Edition,
    EditionId,
    EditionPaper,
    Order,
    SkipReason,
    month_position,
)
from paperround.editions.store.editions import EditionStore
from paperround.editions.store.history import VOTES, HistoryStore
from paperround.ranking.weights import weights_of

_LEVEL = ("votes", "prior", "votes_expected", "topics")
"""Parts that estimate the final votes of a paper; so do those with the prefix below."""
_PRIORS = "prior_"
_OF_ITS_DAY = ("recency", "growth", "topic_cap", "submitter_cap")
"""Parts that compare a paper with the others of its day."""
_OF_VOTES = frozenset({"votes", "risen"})
"""Kinds of reasons that state votes, which have grown by the end of the month."""


def month_edition(work: Transaction, edition: Edition, first: date, last: date) -> Edition:
    """Return the papers of the days from `first` to `last` in the form of an edition, the best
    first, with the counts known to `edition`.

    It has at most CANDIDATES papers and no tail: readers who were sent the best get the next ones.
    """
    store = work[EditionStore]
    places = store.places(edition.list_id, Order.LATEST, days=(first, last), limit=CANDIDATES)
    counts = work[HistoryStore].latest([one.paper.paper_id for one in places], by=edition.as_of)
    unit = weights_of(edition.ranker).votes
    papers = [_in_month(one.paper, counts.get(one.paper.paper_id, {}), unit) for one in places]
    papers.sort(key=lambda paper: (-paper.score, paper.position))
    empty_reason = None
    if not papers:
        had_editions = store.between(edition.list_id, since=first, until=last)
        empty_reason = SkipReason.NO_NEW_PAPERS if had_editions else SkipReason.NO_EDITIONS
    return replace(
        edition,
        id=EditionId(0),  # it has no tail in the database
        papers=tuple(papers),
        tail=(),
        empty_reason=empty_reason,
        quiet_reason=None,
    )


def _in_month(paper: EditionPaper, counts: Mapping[str, int], unit: float) -> EditionPaper:
    """Return a paper with these counts, and its score in a month (the part MONTH). `unit` is the
    weight of votes. The last count may be of a site with fewer votes than the one before."""
    parts = paper.parts
    votes = max((one for one in (paper.votes, counts.get(VOTES)) if one is not None), default=None)
    taken = math.fsum(parts.get(name, 0.0) for name in _OF_ITS_DAY)
    added = 0.0 if votes is None else _votes_since(parts, votes, unit)
    month = round(added - taken, 4) + 0.0
    return replace(
        paper,
        position=month_position(paper.paper_id),
        frozen_id=None,
        score=round(paper.score + month, 4),
        parts=MappingProxyType({**parts, MONTH: month}),
        votes=votes,
        comments=counts.get("comments", paper.comments),
        stars=counts.get("github_stars", paper.stars),
        reason=_reason(paper.reason),
    )


def _votes_since(parts: Mapping[str, float], votes: int, unit: float) -> float:
    """Return what `votes` add to the votes that were known or expected at the last rank. An early
    count was extrapolated to the final votes, so fewer votes subtract nothing."""
    level = math.fsum(
        value for name, value in parts.items() if name in _LEVEL or name.startswith(_PRIORS)
    )
    since = unit * math.log1p(max(0, votes)) - level
    return max(0.0, since) if "votes" in parts else since


def _reason(frozen: str) -> str:
    """Return the reason without the votes of that day; a digest shows its own count."""
    lines = frozen.split("\n")
    return join_reasons(*(line for line in lines if read_reason(line).kind not in _OF_VOTES))
