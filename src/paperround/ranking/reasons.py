"""The one line a reader sees under a paper: why is it here? Short, concrete and true."""

from collections.abc import Sequence
from datetime import datetime
from math import ceil

from paperround.domain.papers import Paper
from paperround.domain.times import require_utc
from paperround.domain.wording import counted
from paperround.ranking.bursts import Burst
from paperround.ranking.signals import Growth, Standing, first_day, hours_between
from paperround.ranking.words import tokens

LONGEST = 90
"""Characters of the longest reason."""

_FRESH_HOURS = 36
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


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
    said = [] if author is None else [_author(author)]
    said += [_topic(one.term) for one in topics if one.background and _names(paper.title, one.term)]
    return next((one for one in said if len(one) <= LONGEST), "")


def _author(name: str) -> str:
    return f"from {name}, whose papers are often popular here"


def _names(title: str, term: str) -> bool:
    """Whether `term` stands in the title, and not within a compound."""
    return f" {term} " in f" {' '.join(tokens(title))} "


def _topic(term: str) -> str:
    return f"rising topic: “{term}”"


def _votes(paper: Paper, standing: Standing, as_of: datetime) -> str:
    votes = counted(standing.votes, "vote")
    if hours_between(standing.counted_at, as_of) > _FRESH_HOURS:
        return f"{votes} (as of {_day(standing.counted_at)})"
    growth = standing.growth
    if growth is not None and growth.since is not None and growth.gained > 0:
        return f"{votes}, {growth.gained:,} {_span(growth, growth.since, as_of)}"
    return _first_votes(votes, paper, standing, as_of)


def _first_votes(votes: str, paper: Paper, standing: Standing, as_of: datetime) -> str:
    listed = require_utc(paper.counts_from)
    hours = ceil(hours_between(listed, standing.counted_at))
    told_the_hour = paper.listed_on == listed.date() and listed != first_day(paper, as_of)
    if not told_the_hour or not 0 < hours <= 24:
        return f"{votes}, {_listed(paper, as_of)}"
    if listed.date() == as_of.date():
        return f"{votes} in {counted(hours, 'hour')}"
    span = "hour" if hours == 1 else f"{hours} hours"
    return f"{votes} in its first {span}, listed {_day(listed)}"


def _span(growth: Growth, since: datetime, as_of: datetime) -> str:
    days = (as_of.date() - require_utc(since).date()).days
    if days == 1:
        return "since yesterday"
    if growth.hours < 48:
        return f"in {counted(max(1, ceil(growth.hours)), 'hour')}"
    return f"in {ceil(growth.hours / 24)} days"


def _listed(paper: Paper, as_of: datetime) -> str:
    days = (as_of.date() - first_day(paper, as_of).date()).days
    if days == 0:
        return "new today" if paper.listed_on is not None else "first seen today"
    verb = "listed" if paper.listed_on is not None else "first seen"
    return f"{verb} yesterday" if days == 1 else f"{verb} {days:,} days ago"


def _day(moment: datetime) -> str:
    utc = require_utc(moment)
    return f"{utc.day} {_MONTHS[utc.month - 1]}"
