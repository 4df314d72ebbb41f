"""Decide the section of a paper, from facts frozen with its edition.

    CHOSEN     an editor chose it              in the editor's order
    FOR_YOU    matches the reader's wishes     in the order it was chosen
    TRENDING   has votes, of the last batch    most votes first
    RISING     has votes, listed before        most votes first
    NEW        no votes, listed today          in the order of the ranking
    OLDER      no votes, listed before         in the order of the ranking

A digest is put in this order once, when its papers are chosen. Everything that shows it later
computes the same sections from the same facts, so numbers, links and headings agree.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple, Protocol

from paperround.core.reasons import read_reasons
from paperround.core.times import midnight_utc, require_utc
from paperround.editions.model import CHOSEN, TrendingPeriod
from paperround.papers.model import Paper

STRONG_LIKENESS = 1.25
"""The personal part of a score from which likeness alone puts a paper under "For you". It is in log
odds: such a paper is three times likelier to be chosen by this reader than by an average one."""

FITTING = 0.0
"""The same for a paper that only mentions a topic, and does not name it in its title."""

_ALWAYS, _NEVER = float("-inf"), float("inf")
_FOLLOWED, _CITES = "author.followed", "cites"
_TOPIC, _SEARCH = "followed.topic", "followed.search"
_LIKE_TOPICS = ("followed.topics", "followed.near")
_LIKENESS_KINDS = frozenset({"near_saved", "own_words"})

_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)
_RECENT = {TrendingPeriod.WEEK: timedelta(days=7), TrendingPeriod.MONTH: timedelta(days=31)}
_BATCH = timedelta(hours=36)
"""How long a paper belongs to the last batch. Sites list papers at night and readers vote by day,
so the papers in the next morning's digest are a day and some hours old."""
_NOON = time(12)
_MOST_LISTINGS = 8192


LEARNED = "prior_"
"""The start of the names of score parts that were learned from earlier papers."""


class Section(StrEnum):
    """The sections of a digest, in their order."""

    CHOSEN = "chosen"
    FOR_YOU = "for_you"
    TRENDING = "trending"
    RISING = "rising"
    NEW = "new"
    OLDER = "older"


_PLACES = {section: place for place, section in enumerate(Section)}
_BY_VOTES = frozenset({Section.TRENDING, Section.RISING})


class SectionFacts(Protocol):
    """The facts of a paper that decide its section. `listed` is empty in old editions."""

    @property
    def title(self) -> str: ...

    @property
    def votes(self) -> int | None: ...

    @property
    def listed(self) -> str: ...

    @property
    def reason(self) -> str: ...


class Age(NamedTuple):
    """How long a paper had been listed: a number of hours or days. Days may be 0."""

    number: int
    unit: str


def section_of(
    paper: SectionFacts,
    *,
    reason: str,
    worth: float,
    as_of: datetime,
    period: TrendingPeriod = TrendingPeriod.DAY,
) -> Section:
    """Return the section of a paper in a digest of an edition ranked at `as_of`.

    `reason` is the stored reason for this reader, `worth` the personal part of its score. A paper
    that only resembles a wish, or mentions it in passing, must not come before papers with many
    votes.
    """
    if not paper.reason.startswith(CHOSEN) and worth >= _least_worth(reason, paper.title):
        return Section.FOR_YOU
    return section_for_all(paper, as_of, period)


def section_for_all(
    paper: SectionFacts, as_of: datetime, period: TrendingPeriod = TrendingPeriod.DAY
) -> Section:
    """Return the section of a paper for a reader without preferences, and on pages."""
    if paper.reason.startswith(CHOSEN):
        return Section.CHOSEN
    if paper.votes:
        is_of_batch = _is_since(paper.listed, as_of - _RECENT.get(period, _BATCH))
        return Section.TRENDING if is_of_batch else Section.RISING
    is_new = _is_since(paper.listed, as_of - _RECENT.get(period, _DAY))
    return Section.NEW if is_new else Section.OLDER


def order_for_all(papers: Sequence[SectionFacts], as_of: datetime) -> list[int]:
    """Return the order of the papers of a daily digest for a reader without preferences."""
    return order_of([(section_for_all(one, as_of), one.votes) for one in papers])


def _least_worth(reason: str, title: str) -> float:
    """Return the least worth that makes a paper with this reason the reader's own."""
    least = _NEVER
    for one in read_reasons(reason):
        if one.code == _FOLLOWED or one.kind == _CITES or one.code.startswith(_SEARCH):
            return _ALWAYS
        if one.code == _TOPIC:
            least = min(least, _ALWAYS if _names(title, one.params.get("term", "")) else FITTING)
        elif one.code.startswith(_LIKE_TOPICS) or one.kind in _LIKENESS_KINDS:
            least = min(least, STRONG_LIKENESS)
    return least


def is_on_topic(reason: str) -> bool:
    """Return whether a paper is on something that the reader follows, by its reason."""
    return any(one.code.startswith("followed.") for one in read_reasons(reason))


def _names(title: str, topic: str) -> bool:
    """Return whether a title has the words of a topic, in the singular or longer."""
    return topic.casefold().strip().removesuffix("s") in title.casefold()


def order_of(placed: Sequence[tuple[Section, int | None]]) -> list[int]:
    """Return the order of papers given as (section, votes) in the order they were chosen."""

    def key(at: int) -> tuple[int, int]:
        section, votes = placed[at]
        return _PLACES[section], -(votes or 0) if section in _BY_VOTES else 0

    return sorted(range(len(placed)), key=key)


def headings(sections: Sequence[Section | None]) -> Mapping[int, Section]:
    """Return the section that begins at each place, counted from 0.

    Empty if a section would have to begin twice: digests of earlier versions are in another order.
    """
    known = [one for one in sections if one is not None]
    places = [_PLACES[one] for one in known]
    if len(known) < len(sections) or any(one > other for one, other in pairwise(places)):
        return {}
    return {
        place: section
        for place, section in enumerate(known)
        if place == 0 or section is not known[place - 1]
    }


# When a paper was listed, as frozen with editions: an instant, or a day if the hour is unknown.


def listing_of(paper: Paper) -> str:
    """Return when a paper was listed, else first seen, in ISO format."""
    at = require_utc(paper.counts_from)
    has_hour = paper.listed_on == at.date() and at != midnight_utc(at.date())
    if paper.listed_on is None or has_hour:
        return at.isoformat()
    return paper.listed_on.isoformat()


@lru_cache(maxsize=_MOST_LISTINGS)
def _read_listing(listed: str) -> datetime | date:
    return datetime.fromisoformat(listed) if "T" in listed else date.fromisoformat(listed)


def _is_since(listed: str, moment: datetime) -> bool:
    """Return whether a paper was listed after `moment`; a day counts as its noon, no listing as
    later."""
    if not listed:
        return True
    at = _read_listing(listed)
    if not isinstance(at, datetime):
        at = datetime.combine(at, _NOON, moment.tzinfo)
    return at > moment


def age_of(listed: str, as_of: datetime) -> Age | None:
    """Return the age of a paper at `as_of`, None if unknown."""
    if not listed:
        return None
    at = _read_listing(listed)
    if not isinstance(at, datetime):
        return Age(max(0, (as_of.date() - at).days), "day")
    age = as_of - at
    hours = max(1, round(age / _HOUR))
    return Age(hours, "hour") if hours < 24 else Age(round(age / _DAY), "day")
