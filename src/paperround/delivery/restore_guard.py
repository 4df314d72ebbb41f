"""A database that an older copy replaced sends nothing before an operator says so.

    claim, outcomes ─► committed, with the host's row at an instant ─► the mark beside it, synced
                                                                              │
    a run begins: the mark is ahead of the row, or gone ─► held ◄─────────────┘
                                     └─► `digest resume`: what may be out is unknown, and on it goes

Every machine that sends keeps a mark outside the database, which is never ahead of what was
committed: a process that dies between the two leaves it behind, and that holds nothing. An instant
from which on marks count stands in the database with the installation's id: to let go is to move
it on, for all machines at once. Mark and database that are put back together cannot be told.
"""

import logging
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from paperround.core.errors import UnreadableFile
from paperround.core.reasons import counted
from paperround.core.times import format_instant
from paperround.db.slots import SlotStore
from paperround.db.transactions import Database, Transaction, write
from paperround.delivery.holds import HOLD
from paperround.delivery.send_mark import SendMark, SendMarkFile
from paperround.delivery.store.ledger import Ledger
from paperround.delivery.store.system_mail import NoticeLedger
from paperround.delivery.system_mail_model import Alert
from paperround.editions.store.lists import ListStore
from paperround.subscribers.store.requests import RequestStore

# After a restore: nothing may be sent that the lost installation may have sent already.
#
# What was planned and not finished becomes unknown, what was due before the restore is skipped,
# papers that counted before it stay out of new editions, and every list is paused until a person
# says go. Mails from after the backup left no trace in it, so anything else would be a guess.

RESTORED = "restored"


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoredCopy:
    """What was ended by the restore: digests and notices that may have been sent."""

    digests: int
    notices: int

    def __str__(self) -> str:
        digests, notices = counted(self.digests, "digest"), counted(self.notices, "notice")
        return f"{digests} and {notices} may be out: now unknown"


def hold_everything(database: Database, *, now: datetime) -> RestoredCopy:
    """Mark a database that was put back from a copy. Sending goes on with `digest resume`."""

    def hold(work: Transaction) -> RestoredCopy:
        work[ListStore].hold_after_restore(now=now)
        work[RequestStore].forget_old(before=now)  # they were answered after the copy was made
        return RestoredCopy(
            digests=work[Ledger].end_unfinished(reason=RESTORED, now=now),
            notices=work[NoticeLedger].end_unfinished(reason=RESTORED, now=now),
        )

    return write(database, hold)


log = logging.getLogger(__name__)

PUT_BACK = "put-back"
INSTALLATION = "installation/"
MARK = "send-mark/"

CLOCKS_DIFFER = timedelta(hours=1)
"""How much further than the clock of this machine the marks of others may be."""

_Found = SendMark | OSError | UnreadableFile | None
"""A mark, or why there is none to read."""

_EVER = datetime.min.replace(tzinfo=UTC)

WAS_PUT_BACK = "mail is held: an older copy of the database may have been put back"
GO_ON = (
    "`paperround digest resume` goes on with what is due from now, and sends nothing again that "
    "may be out"
)
AS_IT_IS = (
    "if nothing was put back, `paperround db restore --in-place --moved` goes on where it stopped"
)
WAY_OUT = f"{GO_ON}; {AS_IT_IS}"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    """What the database says of marks: since when those of each installation id count, and how
    far each host came."""

    installations: Mapping[str, datetime]
    hosts: Mapping[str, datetime]

    @property
    def since(self) -> datetime | None:
        return max(self.installations.values(), default=None)

    @property
    def had_mark(self) -> bool:
        """Whether a mark was kept since marks count."""
        return self.since is not None and any(at > self.since for at in self.hosts.values())

    def is_foreign(self, mark: SendMark) -> bool:
        """Whether the mark is of another installation than the database, if that has an id."""
        return bool(self.installations) and mark.installation not in self.installations

    def is_behind(self, mark: SendMark) -> bool:
        """Whether the mark was ahead of the database, which has the mark's id or none yet."""
        if self.since is None:
            return True
        at = self.hosts.get(mark.host)
        return mark.at > self.since and (at is None or at < mark.at)


def _known(work: Transaction) -> _Known:
    return _Known(
        installations=work[SlotStore].beats(INSTALLATION), hosts=work[SlotStore].beats(MARK)
    )


@dataclass(slots=True)
class SendMarks:
    """The mark that this process keeps in `file`; without a file it keeps none.

    `stays` says that the file lasts as long as the database does, so that one without the other was
    put back. Where machines come and go, with disks of their own, a missing mark says nothing.
    """

    file: SendMarkFile | None = None
    host: str = ""
    stays: bool = True
    _mark: SendMark | None = None
    _counts_from: datetime = _EVER
    _told: set[str] = field(default_factory=set)

    # --- when a run begins ---------------------------------------------------------------------

    def hold(self, database: Database, *, now: datetime) -> str | None:
        """Why no mail may leave; None when it may. What is found is written down for everybody."""
        if self.file is None:
            return None
        found = _read(self.file)
        with database.reading() as work:
            was_held, known = is_put_back(work), _known(work)
        reason, mark = self._look(self.file, found, known)
        if reason is None and was_held:
            return f"{WAS_PUT_BACK}: {WAY_OUT}"
        if reason is not None:
            if not was_held:
                write(database, lambda work: work[SlotStore].take(HOLD, PUT_BACK, now=now))
            return reason
        self._mark = mark or self._begun(self.file, database, now)
        self._counts_from = (known.since or now) + timedelta(microseconds=1)
        return None

    def trouble(self, database: Database) -> str | None:
        """What is wrong with the mark, though it holds no mail; None when nothing is."""
        if self.file is None:
            return None
        with database.reading() as work:
            known = _known(work)
        found = _read(self.file)
        if isinstance(found, OSError | UnreadableFile):
            return _unread(self.file, found)
        if found is not None and known.is_foreign(found):
            return _foreign(self.file)
        return None if self.file.is_writable else f"{self.file.place} cannot be written"

    def _look(
        self, file: SendMarkFile, mark: _Found, known: _Known
    ) -> tuple[str | None, SendMark | None]:
        """Why mail is held by what the mark says, and the mark, if it is one to go on with.

        `mark` was read before `known`, since others of this machine send meanwhile: they move the
        database on before the mark. They make a mark before they move the database on, so one
        that was not there is looked for again.
        """
        if isinstance(mark, OSError):
            self._tell(_unread(file, mark))
            return None, None
        if not isinstance(mark, SendMark):
            what = "is gone" if mark is None else f"is damaged ({mark})"
            is_lost = self.stays and known.had_mark and not isinstance(_read(file), SendMark)
            return (_reason(f"the send mark {file.place} {what}") if is_lost else None), None
        if known.is_foreign(mark):
            self._tell(_foreign(file))
            return None, None
        if known.is_behind(mark):
            at = known.hosts.get(mark.host)
            ended = "knows of no sending" if at is None else f"ends at {format_instant(at)}"
            what = f"says that mail was sent until {format_instant(mark.at)}"
            return _reason(f"the send mark {file.place} {what}, and the database {ended}"), None
        return None, mark

    def _begun(self, file: SendMarkFile, database: Database, now: datetime) -> SendMark | None:
        """A mark where none is: first the id, then the file, and the host's row with a claim. So
        whoever dies between leaves nothing that holds mail."""
        installation, since = write(database, lambda work: name_installation(work, now=now))
        mark = SendMark(installation=installation, host=self.host, at=since)
        try:
            file.create(mark)
            found = file.read()
        except (OSError, UnreadableFile) as error:
            self._tell(_unread(file, error))
            return None
        return found if found is not None and found.installation == installation else None

    def _tell(self, words: str) -> None:
        """Once for a process: a run begins every few seconds."""
        if words not in self._told:
            self._told.add(words)
            log.warning("%s; so nobody would notice that an older database was put back", words)

    # --- while it lasts ------------------------------------------------------------------------

    def advance(self, work: Transaction, *, now: datetime) -> datetime | None:
        """In the transaction of a claim or an outcome, as its last step: how far this host comes
        with it. It is to be kept once that is committed."""
        if self._mark is None:
            return None
        return work[SlotStore].advance(MARK + self._mark.host, now=max(now, self._counts_from))

    def keep(self, at: datetime | None) -> None:
        """Move the mark on to what is committed. One that cannot be written stays behind, and mail
        leaves all the same: it would only notice what seldom happens."""
        if at is None or self._mark is None or self.file is None:
            return
        try:
            self.file.advance(self._mark.installation, at)
        except (OSError, UnreadableFile) as error:
            self._tell(f"the send mark {self.file.place} cannot be written: {_said(error)}")

    # --- letting go ----------------------------------------------------------------------------

    def let_go(self, database: Database, *, now: datetime) -> bool:
        """No mark counts that was kept before: database and marks agree. False when nothing was
        held."""
        found = None if self.file is None else _read(self.file)
        mark = found if isinstance(found, SendMark) else None

        def go_on(work: Transaction) -> bool:
            known = _known(work)
            before = [now, *known.installations.values(), *known.hosts.values()]
            at = max([*before, mark.at] if mark is not None else before)
            named = known.installations or [mark.installation if mark is not None else _new_id()]
            for one in named:
                work[SlotStore].beat(INSTALLATION + one, now=at + CLOCKS_DIFFER)
            return work[SlotStore].give_back(HOLD, PUT_BACK)

        return write(database, go_on)

    def resume(self, database: Database, *, now: datetime) -> RestoredCopy | None:
        """Let a database go that is held. What may be out becomes unknown, as after a restore;
        None when nothing was held."""
        if self.hold(database, now=now) is None:
            return None
        held = hold_everything(database, now=now)
        self.let_go(database, now=now)
        return held


def name_installation(work: Transaction, *, now: datetime) -> tuple[str, datetime]:
    """The id of the installation, and since when its marks count; it is given one if it has
    none."""
    known = work[SlotStore].beats(INSTALLATION)
    if not known:
        known = {_new_id(): now}
        for one in known:
            work[SlotStore].beat(INSTALLATION + one, now=now)
    return min(known), max(known.values())


def is_put_back(work: Transaction) -> bool:
    """Whether mail was held for a database that was put back, when it was last looked at."""
    return work[SlotStore].taken_at(HOLD, PUT_BACK) is not None


def put_back(work: Transaction) -> Iterator[Alert]:
    """The alert while mail is held."""
    since = work[SlotStore].taken_at(HOLD, PUT_BACK)
    if since is None:
        return
    yield Alert(
        key=f"{PUT_BACK}/{format_instant(since)}",
        subject=f"{WAS_PUT_BACK[0].upper()}{WAS_PUT_BACK[1:]}",
        lines=(
            "It does not know what was sent after it was made. The log says what was found.",
            f"{GO_ON}.",
            f"{AS_IT_IS[0].upper()}{AS_IT_IS[1:]}.",
        ),
        stops_mail=True,
    )


def _read(file: SendMarkFile) -> _Found:
    try:
        return file.read()
    except (OSError, UnreadableFile) as error:
        return error


def _new_id() -> str:
    return secrets.token_hex(8)


def _reason(found: str) -> str:
    return f"mail is held: {found}, so an older copy of the database may be in use. {WAY_OUT}"


def _foreign(file: SendMarkFile) -> str:
    return f"the send mark {file.place} is of another database: move it away"


def _unread(file: SendMarkFile, error: Exception) -> str:
    return f"the send mark {file.place} cannot be used: {_said(error)}"


def _said(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)
