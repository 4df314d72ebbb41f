"""The one line a reader sees under a paper: why is it here? Short, concrete and true."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import chain
from math import ceil

from paperround.domain.papers import Paper
from paperround.domain.times import require_utc
from paperround.domain.wording import counted
from paperround.ranking.bursts import Burst
from paperround.ranking.expectations import Ground, Of
from paperround.ranking.signals import Growth, Standing, first_day, hours_between
from paperround.ranking.words import occurs

LONGEST = 90
"""Characters of the longest reason."""

_FRESH_HOURS = 36
_LINKED = {"project": "a project page"}
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def reason_for(
    paper: Paper,
    standing: Standing | None,
    topics: Sequence[Burst],
    as_of: datetime,
    grounds: Iterable[Ground] = (),
) -> str:
    """Votes where there are any, else how papers like it did, else the topic it belongs to, else
    how new it is."""
    if standing is not None and standing.votes > 0:
        return _votes(paper, standing, as_of)
    likenesses = (said for ground in grounds for said in _likeness(ground, paper))
    quotable = (_burst(b) for b in topics if occurs(b.term, paper.title, paper.abstract))
    fitting = (said for said in chain(likenesses, quotable) if len(said) <= LONGEST)
    return next(fitting, _listed(paper, as_of))


def _likeness(ground: Ground, paper: Paper) -> Iterator[str]:
    """What the prior goes by, in full and shorter."""
    times = f"{ground.times:.0f}" if ground.times >= 10 else f"{ground.times:.1f}"
    drew = f"drew {times} times the usual votes"
    earlier = "an earlier paper" if ground.papers == 1 else f"{ground.papers:,} earlier papers"
    match ground.of:
        case Of.AUTHOR:
            yield f"{earlier} here by {ground.name} {drew}"
            is_first = paper.authors.index(ground.name) == 0
            yield f"{earlier} here by {'its first author' if is_first else 'an author'} {drew}"
        case Of.ORGANIZATION:
            yield f"{earlier} here from {ground.name} {drew}"
            yield f"{earlier} here from its organization {drew}"
        case Of.LINK:
            yield f"{earlier} here with {_LINKED.get(ground.name, ground.name)} {drew}"
        case Of.SUBMITTER:
            yield f"{earlier} here from the same submitter {drew}"
        case Of.TERM:
            yield f"{earlier} here with “{ground.name}” {drew}"


def _votes(paper: Paper, standing: Standing, as_of: datetime) -> str:
    votes = counted(standing.votes, "vote")
    if hours_between(standing.counted_at, as_of) > _FRESH_HOURS:
        return f"{votes} by {_day(standing.counted_at)}"
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


def _burst(burst: Burst) -> str:
    if not burst.background:
        return f"shares “{burst.term}” with {burst.papers - 1:,} of {burst.cohort - 1:,} others"
    found = f"burst: “{burst.term}” in {burst.papers:,} of {burst.cohort:,} papers"
    if not burst.earlier:
        return f"{found} (none in the {burst.background:,} papers before)"
    share = _percent(burst.earlier / burst.background)
    return f"{found} ({share} of the {burst.background:,} before)"


def _percent(share: float) -> str:
    return f"{100 * share:.2g} %" if share >= 0.0005 else "under 0.1 %"


def _listed(paper: Paper, as_of: datetime) -> str:
    days = (as_of.date() - first_day(paper, as_of).date()).days
    if days == 0:
        return "new today" if paper.listed_on is not None else "first seen today"
    verb = "listed" if paper.listed_on is not None else "first seen"
    return f"{verb} yesterday" if days == 1 else f"{verb} {days:,} days ago"


def _day(moment: datetime) -> str:
    utc = require_utc(moment)
    return f"{utc.day} {_MONTHS[utc.month - 1]}"
