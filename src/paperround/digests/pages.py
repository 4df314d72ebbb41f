"""Read the data of the front page and of edition pages."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from paperround.access.store import AuditStore
from paperround.core.errors import NotFound
from paperround.core.languages import marked
from paperround.db.transactions import Database, Transaction
from paperround.delivery.store.status import StatusStore
from paperround.digests.cancel import CANCEL, GONE, audit_target, count_states
from paperround.editions.archive import quiet_reason_text
from paperround.editions.lists import MailingList
from paperround.editions.model import Edition, EditionPaper, EditionState, EditionSummary
from paperround.editions.schedule import MOST_CUTS
from paperround.editions.store.editions import EditionStore
from paperround.editions.store.lists import ListStore
from paperround.papers.identifiers import arxiv_id
from paperround.papers.model import PaperId
from paperround.papers.store.papers import PaperStore


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdrawn:
    """The operator's reason for cancelling an edition that reached readers."""

    reason: str


def withdrawn(work: Transaction, edition: Edition) -> Withdrawn | None:
    """Return why an edition was cancelled; None if it reached nobody and needs no page."""
    of_day = work[StatusStore].editions_of(edition.list_id, edition.day)
    if not any(count_states(one.by_state, GONE) for one in of_day if one.id == edition.id):
        return None
    target = audit_target(edition.list_name, edition.day, edition.cut)
    entry = work[AuditStore].latest(CANCEL, target)
    return Withdrawn(reason=str(entry.deed.details.get("reason", "")) if entry else "")


FRONT_DAYS = 7
FRONT_PAPERS = 20
"""Papers on the front page; the edition's page shows the rest."""
_LONGEST_ID = 18
"""Digits of an id; a longer one fits no database."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EditionPage:
    """One edition in the archive: all cuts of its day, the earliest first, and the previous and
    next day with papers.

    `quiet` says why it holds few papers or none; `withdrawn` is set when it was cancelled.
    """

    mailing_list: MailingList
    edition: Edition
    quiet: str
    cuts: tuple[EditionSummary, ...]
    earlier: date | None
    later: date | None
    withdrawn: Withdrawn | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FrontPage:
    """The newest edition with papers; `held` is how many it has.

    `quiet` says why the newest edition of all has none.
    """

    mailing_list: MailingList
    edition: Edition | None
    held: int
    is_newest: bool
    quiet: str
    previous: tuple[EditionSummary, ...]

    @property
    def shown(self) -> tuple[EditionPaper, ...]:
        """The papers shown on the page."""
        return self.edition.papers[:FRONT_PAPERS] if self.edition else ()

    @property
    def more(self) -> int:
        """The number of further papers in the edition."""
        return self.held - len(self.shown)


def front_page(database: Database, list_name: str, *, now: datetime) -> FrontPage:
    """Return the front page of a list at `now`. Raises NotFound for an unknown list."""
    with database.reading() as work:
        mailing_list = work[ListStore].get(list_name)
        newest = work[EditionStore].newest(mailing_list.id, by=now, most=FRONT_PAPERS)
        recent = work[EditionStore].recent(mailing_list.id, limit=MOST_CUTS * (FRONT_DAYS + 1))
        shown = newest if newest is not None and newest.papers else None
        if shown is None and recent:
            shown = work[EditionStore].find(mailing_list.id, recent[0].day, recent[0].cut)
    held = 0
    if shown is not None:  # `newest` may have loaded only some of its papers
        known = (one.paper_count for one in recent if (one.day, one.cut) == (shown.day, shown.cut))
        held = next(known, len(shown.papers))
    # the last edition of each earlier day, newest first
    last = {one.day: one for one in reversed(recent) if shown and one.day < shown.day}
    previous = sorted(last.values(), key=lambda one: one.day, reverse=True)[:FRONT_DAYS]
    return FrontPage(
        mailing_list=mailing_list,
        edition=shown,
        held=held,
        is_newest=shown is not None and shown is newest,
        quiet=quiet_reason_text(newest),
        previous=tuple(previous),
    )


def edition_page(
    database: Database, list_name: str, day: date, cut: str | None, *, even_withdrawn: bool = False
) -> EditionPage:
    """Return the edition of (list, day, cut), or the day's last one.

    Raises NotFound without an edition, and for a cancelled one, unless `even_withdrawn` is set
    and it was sent to readers.
    """
    with database.reading() as work:
        mailing_list = work[ListStore].get(list_name)
        if cut is None:  # the day's last edition with papers, else its last edition
            newest = work[EditionStore].recent(
                mailing_list.id, before=day + timedelta(days=1), limit=1
            )
            holds_papers = bool(newest) and newest[0].day == day
            names = map(str, range(len(mailing_list.cuts) - 1, -1, -1))
            existing = (one for one in names if work[EditionStore].find(mailing_list.id, day, one))
            cut = newest[0].cut if holds_papers else next(existing, "0")
        edition = work[EditionStore].find(mailing_list.id, day, cut)
        cuts = work[EditionStore].between(mailing_list.id, since=day, until=day)
        earlier = work[EditionStore].recent(mailing_list.id, before=day, limit=1)
        later = work[EditionStore].following(mailing_list.id, after=day)
        is_cancelled = edition is not None and edition.state is EditionState.CANCELLED
        left = withdrawn(work, edition) if edition and is_cancelled and even_withdrawn else None
    if edition is None or (is_cancelled and left is None):
        raise NotFound(
            marked("The list %(term)s has no such edition on %(name)s.", term=list_name, name=day)
        )
    return EditionPage(
        mailing_list=mailing_list,
        edition=edition,
        quiet=quiet_reason_text(edition),
        cuts=tuple(reversed(cuts)),
        earlier=earlier[0].day if earlier else None,
        later=later.day if later else None,
        withdrawn=left,
    )


def paper_id(work: Transaction, name: str) -> PaperId | None:
    """Return the paper id of `name`, a number (not checked) or an arXiv id; None if unknown."""
    if name.isascii() and name.isdecimal():
        return PaperId(int(name)) if len(name) <= _LONGEST_ID else None
    found = arxiv_id(name)
    if found is None:
        return None
    key = ("arxiv", found[0])
    return work[PaperStore].find([key]).get(key)
