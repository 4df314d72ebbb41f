"""Late risers: papers that came into the top of a list since an earlier edition.

A paper rose when all of these hold:

- today it stands in the first places of the list, as many as a digest holds;
- in the earlier edition it stood below them; a paper nobody knew then did not stand anywhere;
- it has more votes than it had then;
- a paper that stood above it stands below it now. Where those above only left, it stayed.
"""

from collections.abc import Collection, Sequence
from datetime import date

from paperround.core.reasons import freeze, read_reason
from paperround.editions.lists import MailingList
from paperround.editions.model import Edition, Ranked
from paperround.papers.model import PaperId

_MOST_DAYS = 6  # a weekday names one day of these; what rose since an older edition is no news


def risers_of(
    ranking: Sequence[Ranked],
    before: Edition,
    mailing_list: MailingList,
    *,
    day: date,
    known: Collection[PaperId],
) -> dict[PaperId, str]:
    """The papers that rose in `ranking`, which is of `day`, since `before`, an edition of an
    earlier date; with the reason of each.

    `known` are the papers that had been read when `before` was frozen.
    """
    if (day - before.day).days > _MOST_DAYS:
        return {}
    places = {
        id_: place for place, one in enumerate(ranking) for id_ in (one.paper.id, *one.folded)
    }
    rose = {}
    for item in ranking[: mailing_list.size]:
        stood = _stood(item, before, known)
        if item.votes is None or stood is None:
            continue
        position, votes = stood
        above = before.papers[: position - 1]
        # One of those that stood above it stands below it now.
        passed = any(places.get(one.paper_id, -1) > places[item.paper.id] for one in above)
        if position > mailing_list.size and item.votes > (votes or 0) and passed:
            rose[item.paper.id] = _frozen(before.day, day, item.votes, votes)
    return rose


def _stood(
    item: Ranked, before: Edition, known: Collection[PaperId]
) -> tuple[int, int | None] | None:
    """Where it stood, at the best of its places, else below the edition, and its votes then, None
    when nobody knew them. None when nobody knew it, so that it did not stand anywhere."""
    ids = (item.paper.id, *item.folded)
    stood = [one for one in before.papers if one.paper_id in ids]
    if stood:
        votes = [one.votes for one in stood if one.votes is not None]
        return stood[0].position, max(votes, default=None)
    return (len(before.papers) + 1, None) if item.paper.id in known else None


def _frozen(before: date, day: date, votes: int, earlier: int | None) -> str:
    is_yesterday = (day - before).days == 1
    code = "risen.yesterday" if is_yesterday else "risen.weekday"
    params = {"votes": votes} if is_yesterday else {"votes": votes, "weekday": before.weekday()}
    if earlier is None:
        return freeze(code, **params)
    return freeze(f"{code}_more", gained=votes - earlier, **params)


def dated(reason: str, yesterday: date) -> str:
    """`reason` for a reader who gets no email every day: it names the weekday."""
    lines = reason.split("\n")
    for number, line in enumerate(lines):
        code, params = read_reason(line)
        if code.startswith("risen.yesterday"):
            named = code.replace("yesterday", "weekday")
            lines[number] = freeze(named, **params, weekday=yesterday.weekday())
    return "\n".join(lines)
