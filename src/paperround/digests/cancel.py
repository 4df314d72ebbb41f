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

from paperround.access.model import COMMAND_LINE
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


def editions_to_cancel(
    database: Database, list_name: str, *, day: date | None, cut: str | None, now: datetime
) -> list[Cancelled]:
    """Return what `cancel` would return. Raises NotFound for a list or an edition.

    `day` defaults to today in the list's zone. `cut` defaults to that day's newest edition not
    yet cancelled, plus every one with unsent emails.
    """
    with database.reading() as work:
        mailing_list = work[ListStore].get(list_name)
        return [
            Cancelled(
                list_name=list_name,
                day=one.day,
                cut=one.cut,
                skipped=count_states(one.by_state, STOPPABLE),
                gone=count_states(one.by_state, GONE),
                fresh=one.cancelled_at is None,
            )
            for one in _selected(work, mailing_list, day, cut, now)
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
    """Cancel the editions that `editions_to_cancel` returns, in one transaction. `reason` is for
    readers.

    Calling it again cancels replacements planned since. Raises InvalidInput unless the reason is
    a single line.
    """
    if reason and not (reason.isprintable() and len(reason) <= LONGEST_REASON):
        raise InvalidInput(
            f"the reason is one line of at most {LONGEST_REASON} characters", code="reason"
        )

    def cancel_all(work: Transaction) -> list[Cancelled]:
        mailing_list, cancelled = work[ListStore].get(list_name), list[Cancelled]()
        name = mailing_list.name
        for edition in _selected(work, mailing_list, day, cut, now):
            fresh = work[EditionStore].cancel(edition.id, now=now)
            skipped = work[Ledger].cancel(edition.id)
            of_day = work[StatusStore].editions_of(mailing_list.id, edition.day)
            [after] = [one for one in of_day if one.id == edition.id]
            gone = count_states(after.by_state, GONE)
            if fresh or skipped:
                details: dict[str, str | int] = {"skipped": skipped, "gone": gone}
                if reason:
                    details["reason"] = reason
                target = audit_target(name, edition.day, edition.cut)
                work[AuditStore].add(by, CANCEL, target, details, now=now)
            cancelled.append(
                Cancelled(
                    list_name=name,
                    day=edition.day,
                    cut=edition.cut,
                    skipped=skipped,
                    gone=gone,
                    fresh=fresh,
                )
            )
        return cancelled

    return write(database, cancel_all)


def audit_target(list_name: str, day: date, cut: str) -> str:
    """Return the name of an edition in the audit log."""
    return f"{list_name}/{day}/{cut}"


def undo(
    database: Database,
    list_name: str,
    *,
    day: date | None,
    cut: str | None,
    now: datetime,
    by: str = COMMAND_LINE,
) -> list[Restored]:
    """Restore the cancelled editions of a day, or the one of `cut`, in one transaction.

    Raises NotFound for an unknown list or edition, and InvalidInput when another digest was
    planned for one of the readers since.
    """

    def restore(work: Transaction) -> list[Restored]:
        mailing_list, restored = work[ListStore].get(list_name), list[Restored]()
        name = mailing_list.name
        for one in _editions_of(work, mailing_list, day, cut, now):
            if one.cancelled_at is None:
                continue
            work[EditionStore].restore(one.id)
            queued = work[Ledger].queue_again(one.id, since=one.cancelled_at)
            target, details = audit_target(name, one.day, one.cut), {"queued": queued}
            work[AuditStore].add(by, "undo-cancel", target, details, now=now)
            restored.append(Restored(list_name=name, day=one.day, cut=one.cut, queued=queued))
        return restored

    try:
        return write(database, restore)
    except Conflict as error:
        raise InvalidInput(
            f"it is too late to undo this: {error}. Use `paperround digest missed --send` to send "
            "the edition to those who did not get it",
            code="undo",
        ) from error


def _selected(
    work: Transaction, mailing_list: MailingList, day: date | None, cut: str | None, now: datetime
) -> Sequence[EditionTally]:
    """Return the editions that `cancel` applies to."""
    editions = _editions_of(work, mailing_list, day, cut, now)
    if cut is not None:
        return editions
    newest = next((one for one in editions if one.cancelled_at is None), None)
    return [one for one in editions if one is newest or count_states(one.by_state, STOPPABLE)]


def _editions_of(
    work: Transaction, mailing_list: MailingList, day: date | None, cut: str | None, now: datetime
) -> Sequence[EditionTally]:
    """Return the editions of a day (default: today), newest first. Raises NotFound."""
    day = day or local_date(now, mailing_list.zone)
    editions = work[StatusStore].editions_of(mailing_list.id, day)
    if cut is not None:
        editions = [one for one in editions if one.cut == cut]
    if not editions:
        which = f"cut {cut} of {day}" if cut else str(day)
        raise NotFound(f"the list {mailing_list.name} has no edition of {which}")
    return editions


def count_states(by_state: Mapping[DeliveryState, int], states: Sequence[DeliveryState]) -> int:
    """Return the number of deliveries in these states."""
    return sum(by_state.get(state, 0) for state in states)


def pause(
    database: Database, list_name: str | None, *, now: datetime, by: str = COMMAND_LINE
) -> list[str]:
    """Pause a list, or every list; return the names of those not paused before.

    A message whose final dot was already sent is finished; the others wait. Confirmations and
    other notices are still sent. Raises NotFound for an unknown list.
    """
    return _change_lists(
        database, list_name, "pause", lambda work, one: work[ListStore].pause(one, now=now), by, now
    )


def resume(
    database: Database, list_name: str | None, *, now: datetime, by: str = COMMAND_LINE
) -> list[str]:
    """Resume paused lists and return their names. Digests older than DIGEST_LIFE have expired."""
    return _change_lists(
        database, list_name, "resume", lambda work, one: work[ListStore].resume(one), by, now
    )


def _change_lists(
    database: Database,
    list_name: str | None,
    action: str,
    change: Callable[[Transaction, ListId], bool],
    by: str,
    now: datetime,
) -> list[str]:
    """Call `change` for the lists, audit those it changed, and return their names."""

    def change_all(work: Transaction) -> list[str]:
        lists = work[ListStore].all() if list_name is None else [work[ListStore].get(list_name)]
        changed = [one.name for one in lists if change(work, one.id)]
        for name in changed:
            work[AuditStore].add(by, action, name, now=now)
        return changed

    return write(database, change_all)
