"""Late risers: papers that came into the top of a list since an earlier edition.

A paper rose when all of these hold:

- today it stands in the first places of the list, as many as a digest holds;
- in the earlier edition it stood below them; a paper nobody knew then did not stand anywhere;
- it has more votes than it had then;
- a paper that stood above it stands below it now. Where those above only left, it stayed.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from paperround.domain.editions import Edition, EditionPaper, Ranked
from paperround.domain.lists import MailingList
from paperround.domain.papers import PaperId
from paperround.domain.wording import counted

_ROSE = "rose since "
_YESTERDAY = "yesterday"
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MOST_DAYS = 6  # a weekday names one day of these; what rose since an older edition is no news


@dataclass(frozen=True, slots=True)
class _Earlier:
    """Where a paper stood, and its votes then; None when nobody knew them."""

    position: int
    votes: int | None


def risers_of(
    ranking: Sequence[Ranked],
    before: Edition,
    mailing_list: MailingList,
    *,
    day: date,
    known: Collection[PaperId],
) -> dict[PaperId, str]:
    """The papers that rose in `ranking`, which is of `day`, since `before`, an edition of an
    earlier date; with what to say of each, in at most 90 characters.

    `known` are the papers that had been read when `before` was frozen.
    """
    if (day - before.day).days > _MOST_DAYS:
        return {}
    places = {id_: place for place, item in enumerate(ranking) for id_ in _ids(item)}
    return {
        item.paper.id: _said(_since(before.day, day), item.votes, earlier.votes)
        for item in ranking[: mailing_list.size]
        if item.votes is not None
        for earlier in [_earlier(item, before, known)]
        if earlier is not None
        and earlier.position > mailing_list.size
        and item.votes > (earlier.votes or 0)
        and _passed(item, before.papers[: earlier.position - 1], places)
    }


def _ids(item: Ranked) -> Iterator[PaperId]:
    yield item.paper.id
    yield from item.folded


def _earlier(item: Ranked, before: Edition, known: Collection[PaperId]) -> _Earlier | None:
    """Where it stood: at the best of its places, else below the edition; None when nobody knew it
    then, so that it did not stand anywhere."""
    ids = frozenset(_ids(item))
    stood = [one for one in before.papers if one.paper_id in ids]
    if stood:
        votes = [one.votes for one in stood if one.votes is not None]
        return _Earlier(stood[0].position, max(votes, default=None))
    return _Earlier(len(before.papers) + 1, None) if item.paper.id in known else None


def _passed(item: Ranked, above: Sequence[EditionPaper], places: Mapping[PaperId, int]) -> bool:
    """Whether one of those that stood above it stands below it now."""
    mine = places[item.paper.id]
    return any(places.get(one.paper_id, mine) > mine for one in above)


def _since(earlier: date, day: date) -> str:
    return _YESTERDAY if (day - earlier).days == 1 else _WEEKDAYS[earlier.weekday()]


def _said(since: str, votes: int, earlier: int | None) -> str:
    told = f"{_ROSE}{since}: {counted(votes, 'vote')}"
    return told if earlier is None else f"{told}, {votes - earlier:,} new"


def dated(reason: str, yesterday: date) -> str:
    """`reason` for somebody who has no mail every day: the weekday stands for the word."""
    weekday = _WEEKDAYS[yesterday.weekday()]
    return reason.replace(f"{_ROSE}{_YESTERDAY}", f"{_ROSE}{weekday}", 1)
