"""Cancelling: what is left of an edition is not sent, and nothing more is planned of it.

    frozen | planned ─► cancelled     queued | deferred | claimed ─► skipped (cancelled)
                                      in_data ─► whatever its server answers

The papers of what was skipped are released: a later digest may carry them. Mails that are out
cannot be taken back, so whoever cancels is told how many there are.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from paperround.domain.audit import COMMAND_LINE, Deed
from paperround.domain.deliveries import DeliveryState
from paperround.domain.errors import NotFound
from paperround.domain.lists import MailingList
from paperround.domain.status import EditionTally
from paperround.domain.times import local_date
from paperround.jobs.ports import Database, UnitOfWork
from paperround.jobs.transactions import write

STOPPABLE = (DeliveryState.QUEUED, DeliveryState.DEFERRED, DeliveryState.CLAIMED)
GONE = (DeliveryState.SENT, DeliveryState.IN_DATA, DeliveryState.UNKNOWN)
"""Out of the house, or perhaps: nobody can take these back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prospect:
    """An edition that may be cancelled: how many of its mails that would stop, and how many are
    out already, or may be."""

    list_name: str
    edition: EditionTally

    @property
    def stoppable(self) -> int:
        """Mails that would not be sent."""
        return _count(self.edition.by_state, STOPPABLE)

    @property
    def gone(self) -> int:
        """Mails that cannot be taken back."""
        return _count(self.edition.by_state, GONE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancelled:
    """An edition that is cancelled now. `skipped` mails were stopped by this call, `gone` ones were
    out; `fresh` is false when it was cancelled before."""

    list_name: str
    day: date
    cut: str
    skipped: int
    gone: int
    fresh: bool


def prospects(
    database: Database, list_name: str, *, day: date | None, cut: str | None, now: datetime
) -> list[Prospect]:
    """The editions that `cancel` would end. Raises NotFound for a list or an edition there is not.

    Without `day` it is today in the list's zone; without `cut`, of that day the newest edition that
    stands and every one with mails to be sent.
    """
    with database.reading() as work:
        mailing_list = work.lists.get(list_name)
        return [
            Prospect(list_name=list_name, edition=one)
            for one in _meant(work, mailing_list, day, cut, now)
        ]


def cancel(
    database: Database,
    list_name: str,
    *,
    day: date | None,
    cut: str | None,
    now: datetime,
    by: str = COMMAND_LINE,
) -> list[Cancelled]:
    """End what `prospects` names, in one transaction. Doing it again ends what was planned since:
    replacements that somebody asked for."""

    def end(work: UnitOfWork) -> list[Cancelled]:
        mailing_list = work.lists.get(list_name)
        meant = _meant(work, mailing_list, day, cut, now)
        return [_end(work, mailing_list, one, by, now) for one in meant]

    return write(database, end)


def _end(
    work: UnitOfWork, mailing_list: MailingList, edition: EditionTally, by: str, now: datetime
) -> Cancelled:
    fresh = work.editions.cancel(edition.id, now=now)
    skipped = work.ledger.cancel(edition.id)
    [after] = [
        one for one in work.status.editions_of(mailing_list.id, edition.day) if one.id == edition.id
    ]
    ended = Cancelled(
        list_name=mailing_list.name,
        day=edition.day,
        cut=edition.cut,
        skipped=skipped,
        gone=_count(after.by_state, GONE),
        fresh=fresh,
    )
    if fresh or skipped:
        work.audit.note(_deed(ended, by), now=now)
    return ended


def _deed(ended: Cancelled, by: str) -> Deed:
    target = f"{ended.list_name}/{ended.day}/{ended.cut}"
    details = {"skipped": ended.skipped, "gone": ended.gone}
    return Deed(actor=by, action="cancel", target=target, details=details)


def _meant(
    work: UnitOfWork, mailing_list: MailingList, day: date | None, cut: str | None, now: datetime
) -> Sequence[EditionTally]:
    day = day or local_date(now, mailing_list.zone)
    there = work.status.editions_of(mailing_list.id, day)
    if cut is not None:
        there = [one for one in there if one.cut == cut]
    if not there:
        which = f"cut {cut} of {day}" if cut else str(day)
        raise NotFound(f"the list {mailing_list.name} has no edition of {which}")
    return there if cut is not None else _unfinished(there)


def _unfinished(editions: Sequence[EditionTally]) -> Sequence[EditionTally]:
    newest = next((one for one in editions if one.cancelled_at is None), None)
    return [one for one in editions if one is newest or _count(one.by_state, STOPPABLE)]


def _count(by_state: Mapping[DeliveryState, int], states: Sequence[DeliveryState]) -> int:
    return sum(by_state.get(state, 0) for state in states)
