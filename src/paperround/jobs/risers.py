"""Risers: what a new edition says of papers that came up since an earlier one."""

from collections.abc import Mapping
from datetime import timedelta

from paperround.domain.editions import Edition, EditionState
from paperround.domain.papers import PaperId
from paperround.domain.risers import risers_of
from paperround.jobs.rank import ListRanking
from paperround.store.unit_of_work import Database, UnitOfWork

_ONE_DAY = timedelta(days=1)


def risers_told(database: Database, ranked: ListRanking, cut: str) -> Mapping[PaperId, str]:
    """What to say of each paper that rose since the edition before, in place of its reason."""
    items = ranked.ranking.items
    with database.reading() as work:
        before = _edition_before(work, ranked, cut)
        if before is None:
            return {}
        top = [item.paper.id for item in items[: ranked.mailing_list.size]]
        known = work.papers.known_by(top, before.as_of)
    return risers_of(items, before, ranked.mailing_list, day=ranked.day, known=known)


def _edition_before(work: UnitOfWork, ranked: ListRanking, cut: str) -> Edition | None:
    """The edition of the same cut the day before: whoever gets the new one got that yesterday.

    Where there is none that holds papers, the newest of an earlier date that does; None for a
    list's first.
    """
    list_id = ranked.mailing_list.id
    usual = work.editions.find(list_id, ranked.day - _ONE_DAY, cut)
    if usual is not None and usual.papers and usual.state is not EditionState.CANCELLED:
        return usual
    for newest in work.editions.recent(list_id, before=ranked.day, limit=1):
        return work.editions.find(list_id, newest.day, newest.cut)
    return None
