"""Find papers that rose to the top of a list since an earlier edition.

A paper rose if all of these hold:

- it ranks among the first papers today, as many as a digest holds;
- it ranked below them in the earlier edition (a paper unknown then had no rank);
- it has more votes than then;
- it overtook a paper: one ranked above it then is below it now.
"""

from collections.abc import Collection, Sequence
from datetime import date

from paperround.core.reasons import freeze, read_reason
from paperround.editions.lists import MailingList
from paperround.editions.model import Edition, Ranked
from paperround.papers.model import PaperId

_MOST_DAYS = 6  # within these a weekday is unambiguous; older changes are not news


def find_risers(
    ranking: Sequence[Ranked],
    before: Edition,
    mailing_list: MailingList,
    *,
    day: date,
    known: Collection[PaperId],
) -> dict[PaperId, str]:
    """Return the papers that rose in the `ranking` of `day` since the earlier edition `before`,
    with their reasons.

    `known` are the papers read by the time `before` was frozen.
    """
    if (day - before.day).days > _MOST_DAYS:
        return {}
    places = {
        id_: place for place, one in enumerate(ranking) for id_ in (one.paper.id, *one.folded)
    }
    rose = {}
    for item in ranking[: mailing_list.size]:
        earlier = _earlier_rank(item, before, known)
        if item.votes is None or earlier is None:
            continue
        position, votes = earlier
        above = before.papers[: position - 1]
        # It overtook one of the papers above it.
        passed = any(places.get(one.paper_id, -1) > places[item.paper.id] for one in above)
        if position > mailing_list.size and item.votes > (votes or 0) and passed:
            rose[item.paper.id] = _risen_reason(before.day, day, item.votes, votes)
    return rose


def _earlier_rank(
    item: Ranked, before: Edition, known: Collection[PaperId]
) -> tuple[int, int | None] | None:
    """Return its best rank in `before`, or the one below the edition, and its votes then, None if
    unknown. Returns None for a paper unknown then."""
    ids = (item.paper.id, *item.folded)
    ranked = [one for one in before.papers if one.paper_id in ids]
    if ranked:
        votes = [one.votes for one in ranked if one.votes is not None]
        return ranked[0].position, max(votes, default=None)
    return (len(before.papers) + 1, None) if item.paper.id in known else None


def _risen_reason(before: date, day: date, votes: int, earlier: int | None) -> str:
    is_yesterday = (day - before).days == 1
    code = "risen.yesterday" if is_yesterday else "risen.weekday"
    params = {"votes": votes} if is_yesterday else {"votes": votes, "weekday": before.weekday()}
    if earlier is None:
        return freeze(code, **params)
    return freeze(f"{code}_more", gained=votes - earlier, **params)


def dated(reason: str, yesterday: date) -> str:
    """Return `reason` with a weekday instead of "yesterday", for weekly digests."""
    lines = reason.split("\n")
    for number, line in enumerate(lines):
        code, params = read_reason(line)
        if code.startswith("risen.yesterday"):
            named = code.replace("yesterday", "weekday")
            lines[number] = freeze(named, **params, weekday=yesterday.weekday())
    return "\n".join(lines)
