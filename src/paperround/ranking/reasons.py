"""The one line a reader sees under a paper: why is it here? Short, concrete and true."""

from collections.abc import Sequence
from datetime import datetime
from math import ceil

from paperround.domain.papers import Paper
from paperround.domain.reasons import freeze
from paperround.domain.times import require_utc
from paperround.ranking.bursts import Burst
from paperround.ranking.signals import Standing, first_day, hours_between
from paperround.ranking.words import tokens

LONGEST = 90
"""Characters of the longest reason, in English."""
_LONGEST_NAME, _LONGEST_TERM = LONGEST - 42, LONGEST - 16

_FRESH_HOURS = 36


def reason_for(
    paper: Paper,
    standing: Standing | None,
    topics: Sequence[Burst],
    as_of: datetime,
    author: str | None = None,
) -> str:
    """Votes where there are any, else its author whose papers do well, else the rising topic that
    its title names; empty where nothing speaks for it. Most words that burst in abstracts only are
    a matter of style."""
    if standing is not None and standing.votes > 0:
        return _votes(paper, standing, as_of)
    if author is not None and len(author) <= _LONGEST_NAME:
        return freeze("author.popular", name=author)
    # A topic counts where it stands in the title, and not within a compound.
    title = f" {' '.join(tokens(paper.title))} "
    named = (one.term for one in topics if one.background and f" {one.term} " in title)
    short = (freeze("rising_topic", term=term) for term in named if len(term) <= _LONGEST_TERM)
    return next(short, "")


def _votes(paper: Paper, standing: Standing, as_of: datetime) -> str:
    votes = standing.votes
    if hours_between(standing.counted_at, as_of) > _FRESH_HOURS:
        return freeze("votes.as_of", votes=votes, day=_day(standing.counted_at))
    growth = standing.growth
    if growth is not None and growth.since is not None and growth.gained > 0:
        days = (as_of.date() - require_utc(growth.since).date()).days
        if days == 1:
            return freeze("votes.since_yesterday", votes=votes, gained=growth.gained)
        code, num = ("hours", growth.hours) if growth.hours < 48 else ("days", growth.hours / 24)
        return freeze(f"votes.in_{code}", votes=votes, gained=growth.gained, num=max(1, ceil(num)))
    listed = require_utc(paper.counts_from)
    hours = ceil(hours_between(listed, standing.counted_at))
    told_the_hour = paper.listed_on == listed.date() and listed != first_day(paper, as_of)
    if not told_the_hour or not 0 < hours <= 24:
        return _listed(standing.votes, paper, as_of)
    if listed.date() == as_of.date():
        return freeze("votes.today", votes=standing.votes, num=hours)
    return freeze("votes.first_hours", votes=standing.votes, num=hours, day=_day(listed))


def _listed(votes: int, paper: Paper, as_of: datetime) -> str:
    days = (as_of.date() - first_day(paper, as_of).date()).days
    verb = "seen" if paper.listed_on is None else "listed"
    return freeze("votes.listed", votes=votes, listed=[verb, days])


def _day(moment: datetime) -> str:
    return require_utc(moment).date().isoformat()
