"""Cancel editions, undo that, and pause lists.

    frozen | planned ─► cancelled     queued | deferred | claimed ─► skipped (cancelled)
                                      in_data ─► depends on the server's reply

A later digest may carry the papers of skipped deliveries. Sent emails cannot be recalled: the
operator sees how many there are, and the edition's page tells their readers that it was
withdrawn and why.

    cancelled ─► frozen     skipped (cancelled) ─► queued, with its papers

Undo works until another digest is planned for one of the readers.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from paperround.access.model import COMMAND_LINE, AuditedAction
from paperround.access.store import AuditStore
from paperround.core.errors import Conflict, InvalidInput, NotFound
from paperround.core.times import local_date
from paperround.db.transactions import Database, Transaction, write
from paperround.delivery.status import EditionTally
from paperround.delivery.store.ledger import Ledger
from paperround.delivery.store.status import StatusStore
from paperround.editions.lists import ListId, MailingList
from paperround.editions.model import DeliveryState
from paperround.editions.store.editions import EditionStore
from paperround.editions.store.lists import ListStore

STOPPABLE = (DeliveryState.QUEUED, DeliveryState.DEFERRED, DeliveryState.CLAIMED)
GONE = (DeliveryState.SENT, DeliveryState.IN_DATA, DeliveryState.UNKNOWN)
"""Sent or possibly sent; these cannot be recalled."""

CANCEL = "cancel"
LONGEST_REASON = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Prospect:
    """An edition that can be cancelled, with the number of emails to stop and already sent."""

    list_name: str
    edition: EditionTally

    @property
    def stoppable(self) -> int:
        """The number of emails that would not be sent."""
        return _count(self.edition.by_state, STOPPABLE)

    @property
    def gone(self) -> int:
        """The number of emails that were, or may have been, sent."""
        return _count(self.edition.by_state, GONE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancelled:
    """A cancelled edition: `skipped` emails were stopped by this call, `gone` were already sent.

    `fresh` is false when the edition was cancelled before.
    """

    list_name: str
    day: date
    cut: str
    skipped: int
    gone: int
    fresh: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """A restored edition, with the number of emails `queued` again."""

    list_name: str
    day: date
    cut: str
    queued: int


def prospects(
    database: Database, list_name: str, *, day: date | None, cut: str | None, now: datetime
) -> list[Prospect]:
    """Return the editions that `cancel` would cancel. Raises NotFound for a list or an edition.

    `day` defaults to today in the list's zone. `cut` defaults to that day's newest edition not
    yet cancelled, plus every one with unsent emails.
    """
    with database.reading() as work:
        mailing_list = work[ListStore].get(list_name)
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
    reason: str = "",
) -> list[Cancelled]:
    """Cancel the editions that `prospects` returns, in one transaction. `reason` is for readers.

    Calling it again cancels replacements planned since. Raises InvalidInput unless the reason is
    a single line.
    """
    if reason and not (reason.isprintable() and len(reason) <= LONGEST_REASON):
        raise InvalidInput(
            f"the reason is one line of at most {LONGEST_REASON} characters", code="reason"
        )

    def end(work: Transaction) -> list[Cancelled]:
        mailing_list, ended = work[ListStore].get(list_name), list[Cancelled]()
        for edition in _meant(work, mailing_list, day, cut, now):
            fresh = work[EditionStore].cancel(edition.id, now=now)
            skipped = work[Ledger].cancel(edition.id)
            of_day = work[StatusStore].editions_of(mailing_list.id, edition.day)
            [after] = [one for one in of_day if one.id == edition.id]
            gone = _count(after.by_state, GONE)
            if fresh or skipped:
                details: dict[str, str | int] = {"skipped": skipped, "gone": gone}
                if reason:
                    details["reason"] = reason
                target = _target(mailing_list.name, edition.day, edition.cut)
                deed = AuditedAction(actor=by, action=CANCEL, target=target, details=details)
                work[AuditStore].note(deed, now=now)
            ended.append(
                Cancelled(
                    list_name=mailing_list.name,
                    day=edition.day,
                    cut=edition.cut,
                    skipped=skipped,
                    gone=gone,
                    fresh=fresh,
                )
            )
        return ended

    return write(database, end)


def _target(list_name: str, day: date, cut: str) -> str:
    return f"{list_name}/{day}/{cut}"


def undo(
    database: Database,
    list_name: str,
    *,
    day: date | None,
    cut: str | None,
    now: datetime,
) -> list[Restored]:
    """Restore the cancelled editions of a day, or the one of `cut`, in one transaction.

    Raises NotFound for an unknown list or edition, and InvalidInput when another digest was
    planned for one of the readers since.
    """

    def restore(work: Transaction) -> list[Restored]:
        mailing_list, restored = work[ListStore].get(list_name), list[Restored]()
        name = mailing_list.name
        for one in _of_day(work, mailing_list, day or local_date(now, mailing_list.zone), cut):
            if one.cancelled_at is None:
                continue
            work[EditionStore].restore(one.id)
            queued = work[Ledger].queue_again(one.id, since=one.cancelled_at)
            target, details = _target(name, one.day, one.cut), {"queued": queued}
            deed = AuditedAction(
                actor=COMMAND_LINE, action="undo-cancel", target=target, details=details
            )
            work[AuditStore].note(deed, now=now)
            restored.append(Restored(list_name=name, day=one.day, cut=one.cut, queued=queued))
        return restored

    try:
        return write(database, restore)
    except Conflict as error:
        raise InvalidInput(
            f"it is too late to undo this: {error}. `paperround digest missed --send` sends the "
            "edition to those who did not get it",
            code="undo",
        ) from error


def _meant(
    work: Transaction, mailing_list: MailingList, day: date | None, cut: str | None, now: datetime
) -> Sequence[EditionTally]:
    there = _of_day(work, mailing_list, day or local_date(now, mailing_list.zone), cut)
    if cut is not None:
        return there
    newest = next((one for one in there if one.cancelled_at is None), None)
    return [one for one in there if one is newest or _count(one.by_state, STOPPABLE)]


def _of_day(
    work: Transaction, mailing_list: MailingList, day: date, cut: str | None
) -> Sequence[EditionTally]:
    there = work[StatusStore].editions_of(mailing_list.id, day)
    if cut is not None:
        there = [one for one in there if one.cut == cut]
    if not there:
        which = f"cut {cut} of {day}" if cut else str(day)
        raise NotFound(f"the list {mailing_list.name} has no edition of {which}")
    return there


def _count(by_state: Mapping[DeliveryState, int], states: Sequence[DeliveryState]) -> int:
    return sum(by_state.get(state, 0) for state in states)


def pause(
    database: Database, list_name: str | None, *, now: datetime, by: str = COMMAND_LINE
) -> list[str]:
    """Pause a list, or every list; return the names of those not paused before.

    A message whose final dot was already sent is finished; the others wait. Confirmations and
    other notices are still sent. Raises NotFound for an unknown list.
    """
    return _move(
        database, list_name, "pause", lambda work, one: work[ListStore].pause(one, now=now), by, now
    )


def resume(
    database: Database, list_name: str | None, *, now: datetime, by: str = COMMAND_LINE
) -> list[str]:
    """Resume paused lists and return their names. Digests older than DIGEST_LIFE have expired."""
    return _move(
        database, list_name, "resume", lambda work, one: work[ListStore].resume(one), by, now
    )


def _move(
    database: Database,
    list_name: str | None,
    action: str,
    move: Callable[[Transaction, ListId], bool],
    by: str,
    now: datetime,
) -> list[str]:
    """Call `move` for the lists, audit each one it changed, and return their names."""

    def do(work: Transaction) -> list[str]:
        meant = work[ListStore].all() if list_name is None else [work[ListStore].get(list_name)]
        done = [one.name for one in meant if move(work, one.id)]
        for name in done:
            work[AuditStore].note(AuditedAction(actor=by, action=action, target=name), now=now)
        return done

    return write(database, do)
