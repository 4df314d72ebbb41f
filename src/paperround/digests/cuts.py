"""Freeze the editions of lists whose cut is due.

    newest cut of the list ─► frozen already? ─► feeds still pending? ─► rank ─► freeze

Only the newest cut is frozen; cuts missed during a downtime are not made up. A cut waits up to
LONGEST_WAIT for feeds that are due or expect a batch; an edition without papers waits until each
feed was read once.
"""

from collections.abc import Sequence
from datetime import datetime

from paperround.db.transactions import Database, Transaction, write
from paperround.delivery.store.ledger import Ledger
from paperround.digests.plan import LONGEST_WAIT
from paperround.digests.publish import draft_edition, freeze
from paperround.editions.lists import MailingList
from paperround.editions.model import Edition, SkipReason
from paperround.editions.schedule import Cut, newest_cut
from paperround.editions.source_pages import feeds_of
from paperround.editions.store.editions import EditionStore
from paperround.editions.store.lists import ListStore
from paperround.feeds.due import polled_feeds
from paperround.feeds.model import LiveFeed
from paperround.feeds.outlook import awaited, never_read, quiet_reason
from paperround.papers.gist import GistChooser, choose_gist
from paperround.ranking.models import Ranker


def freeze_cuts(
    *,
    database: Database,
    ranker: Ranker,
    now: datetime,
    only: str | None = None,
    gist: GistChooser = choose_gist,
) -> list[Edition]:
    """Freeze the editions that are due, of every list or of `only` one; return the new ones."""
    with database.reading() as work:
        lists = work[ListStore].all() if only is None else [work[ListStore].get(only)]
        feeds = polled_feeds(work)
    frozen = (_freeze_cut(database, ranker, one, feeds_of(one, feeds), now, gist) for one in lists)
    return [edition for edition in frozen if edition is not None]


def _freeze_cut(
    database: Database,
    ranker: Ranker,
    mailing_list: MailingList,
    feeds: Sequence[LiveFeed],
    now: datetime,
    gist: GistChooser,
) -> Edition | None:
    cut = newest_cut(mailing_list, now)
    existing, name = _find_edition(database, mailing_list, cut)
    if existing is not None and existing.papers:
        return None
    waits = now < cut.instant + LONGEST_WAIT
    if waits and awaited(feeds, cut.instant, now=now):
        return None
    drafted = draft_edition(
        database,
        ranker,
        mailing_list.name,
        day=cut.day,
        now=now,
        cut=name,
        cut_at=cut.instant,
        quiet_reason=quiet_reason(feeds, now=now),
        gist=gist,
    )
    has_papers = drafted.empty_reason != SkipReason.NO_PAPERS_AT_ALL
    if never_read(feeds, papers_known=has_papers, now=now):
        return None
    if existing is not None and not (drafted.papers and _discard_unplanned(database, existing)):
        return None
    if waits and not has_papers:
        return None  # no feed was read yet: wait for the first papers
    return freeze(database, drafted)


def _find_edition(
    database: Database, mailing_list: MailingList, cut: Cut
) -> tuple[Edition | None, str]:
    """Return the edition of this cut, if frozen, and the cut's name.

    After a change of zone or cuts an older edition may hold the usual name; the cut then gets
    another one.
    """
    other_name = f"{cut.name}-{cut.instant:%H%M}"
    with database.reading() as work:
        usual = work[EditionStore].find(mailing_list.id, cut.day, cut.name)
        if usual is None or usual.cut_at >= cut.instant:
            return usual, cut.name
        return work[EditionStore].find(mailing_list.id, cut.day, other_name), other_name


def _discard_unplanned(database: Database, empty: Edition) -> bool:
    """Delete an empty edition unless rows were planned from it; return whether it was deleted."""

    def discard(work: Transaction) -> bool:
        is_planned = work[Ledger].planned(empty.id).rows
        return not is_planned and work[EditionStore].discard_empty(empty.id)

    return write(database, discard)
