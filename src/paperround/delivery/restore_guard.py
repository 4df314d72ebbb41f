"""Hold email when the database was replaced by an older copy, until the operator resumes.

    claim, outcomes ─► committed, with the host's row at an instant ─► the send mark, synced
                                                                              │
    a run begins: the mark is ahead of the row, or gone ─► held ◄─────────────┘
                                     └─► `digest resume`: unfinished rows become unknown

Every machine that sends keeps a send mark outside the database, which is never ahead of the last
commit: a process that dies between the two leaves it behind, which is harmless. The database stores
the installation's id and the instant after which marks count; resuming advances that instant for
all machines at once. If mark and database are restored together, this cannot be detected.
"""

import logging
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from paperround.access.model import COMMAND_LINE
from paperround.core.errors import UnreadableFile
from paperround.core.reasons import counted
from paperround.core.times import format_instant
from paperround.db.slots import SlotStore
from paperround.db.transactions import Database, Transaction, write
from paperround.delivery.holds import HOLD, PUT_BACK, is_held, note_release
from paperround.delivery.send_mark import SendMark, SendMarkFile
from paperround.delivery.store.ledger import Ledger
from paperround.delivery.store.system_mail import NoticeLedger
from paperround.delivery.system_mail_model import Alert
from paperround.editions.store.lists import ListStore
from paperround.subscribers.store.requests import RequestStore

# After a restore, nothing may be sent that the lost installation may have sent already.
#
# Unfinished rows become unknown, digests due before the restore are skipped, papers counted before
# it stay out of new editions, and every list is paused until the operator resumes it. The backup
# does not contain email sent after it was made, so anything else would be a guess.

RESTORED = "restored"


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoredCopy:
    """How many digests and system emails may have been sent and became unknown."""

    digests: int
    notices: int

    def __str__(self) -> str:
        kinds = ((self.digests, "digest"), (self.notices, "system email"))
        emails = " and ".join(counted(count, noun) for count, noun in kinds if count)
        if not emails:
            return "no email was waiting that may have been sent"
        return f"{emails} may have been sent: `unknown` from now on, and not sent again"


def hold_all_email(database: Database, *, now: datetime) -> RestoredCopy:
    """Mark a database that was restored from a copy. `digest resume` resumes sending."""

    def hold(work: Transaction) -> RestoredCopy:
        work[ListStore].hold_after_restore(now=now)
        work[RequestStore].forget_old(before=now)  # they were handled after the copy was made
        return RestoredCopy(
            digests=work[Ledger].end_unfinished(reason=RESTORED),
            notices=work[NoticeLedger].end_unfinished(reason=RESTORED),
        )

    return write(database, hold)


log = logging.getLogger(__name__)

INSTALLATION = "installation/"
MARK = "send-mark/"

CLOCKS_DIFFER = timedelta(hours=1)
"""How far the marks of other machines may be ahead of this machine's clock."""

_Found = SendMark | OSError | UnreadableFile | None
"""A mark, why it cannot be read, or None if there is no file."""

_ALWAYS = datetime.min.replace(tzinfo=UTC)

WAS_PUT_BACK = "email is held: an older copy of the database may have been restored"
GO_ON = (
    "`paperround digest resume` sends what is due from now on, and nothing that may have been "
    "sent before"
)
AS_IT_IS = (
    "if nothing was restored, `paperround db restore --in-place --moved` continues where it stopped"
)
WAY_OUT = f"{GO_ON}; {AS_IT_IS}"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    """The marks in the database: for each installation id the instant after which marks count,
    and the last instant of each host."""

    installations: Mapping[str, datetime]
    hosts: Mapping[str, datetime]

    @property
    def since(self) -> datetime | None:
        return max(self.installations.values(), default=None)

    @property
    def had_mark(self) -> bool:
        """Whether a host has kept a mark since marks count."""
        return self.since is not None and any(at > self.since for at in self.hosts.values())

    def is_foreign(self, mark: SendMark) -> bool:
        """Whether the mark belongs to another installation."""
        return bool(self.installations) and mark.installation not in self.installations

    def is_behind(self, mark: SendMark) -> bool:
        """Whether the database is behind the mark; it must have the mark's id or none yet."""
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
    """The send mark of this process, kept in `file`; None to keep no mark.

    `stays` is true if the file lasts as long as the database, so that a missing file is evidence of
    a restore. It is false if machines come and go with their disks.
    """

    file: SendMarkFile | None = None
    host: str = ""
    stays: bool = True
    _mark: SendMark | None = None
    _counts_from: datetime = _ALWAYS
    _warned: set[str] = field(default_factory=set)

    # --- at the start of a run -----------------------------------------------------------------

    def hold(self, database: Database, *, now: datetime) -> str | None:
        """Return why email must not be sent, None if it may. Stores the result for all machines."""
        if self.file is None:
            return None
        found = _read(self.file)
        with database.reading() as work:
            was_held, known = is_held(work, PUT_BACK), _known(work)
        reason, mark = self._check(self.file, found, known)
        if reason is None and was_held:
            return f"{WAS_PUT_BACK}: {WAY_OUT}"
        if reason is not None:
            if not was_held:
                write(database, lambda work: work[SlotStore].take(HOLD, PUT_BACK, now=now))
            return reason
        self._mark = mark or self._create(self.file, database, now)
        self._counts_from = (known.since or now) + timedelta(microseconds=1)
        return None

    def trouble(self, database: Database) -> str | None:
        """Return a problem with the mark that does not hold email, None if there is none."""
        if self.file is None:
            return None
        with database.reading() as work:
            known = _known(work)
        found = _read(self.file)
        if isinstance(found, OSError | UnreadableFile):
            return _unusable(self.file, found)
        if found is not None and known.is_foreign(found):
            return _foreign(self.file)
        return None if self.file.is_writable else f"{self.file.place} cannot be written"

    def _check(
        self, file: SendMarkFile, mark: _Found, known: _Known
    ) -> tuple[str | None, SendMark | None]:
        """Return why the mark holds email, and the mark if it can be continued.

        `mark` was read before `known`, because other processes of this machine advance the database
        before the mark. They create a mark before they advance the database, so a missing one is
        read again.
        """
        if isinstance(mark, OSError):
            self._warn_once(_unusable(file, mark))
            return None, None
        if not isinstance(mark, SendMark):
            what = "is gone" if mark is None else f"is damaged ({mark})"
            is_lost = self.stays and known.had_mark and not isinstance(_read(file), SendMark)
            return (_reason(f"the send mark {file.place} {what}") if is_lost else None), None
        if known.is_foreign(mark):
            self._warn_once(_foreign(file))
            return None, None
        if known.is_behind(mark):
            at = known.hosts.get(mark.host)
            ended = "has no record of sending" if at is None else f"ends at {format_instant(at)}"
            what = f"says that email was sent until {format_instant(mark.at)}"
            return _reason(f"the send mark {file.place} {what}, but the database {ended}"), None
        return None, mark

    def _create(self, file: SendMarkFile, database: Database, now: datetime) -> SendMark | None:
        """Create a mark: first the id, then the file; the next claim adds the host's row. In this
        order, a crash in between leaves nothing that holds email."""
        installation, since = write(database, lambda work: name_installation(work, now=now))
        mark = SendMark(installation=installation, host=self.host, at=since)
        try:
            file.create(mark)
            found = file.read()
        except (OSError, UnreadableFile) as error:
            self._warn_once(_unusable(file, error))
            return None
        return found if found is not None and found.installation == installation else None

    def _warn_once(self, problem: str) -> None:
        """Log a warning once for each process, because a run begins every few seconds."""
        if problem not in self._warned:
            self._warned.add(problem)
            log.warning("%s; a restored older database would go unnoticed", problem)

    # --- during a run --------------------------------------------------------------------------

    def advance(self, work: Transaction, *, now: datetime) -> datetime | None:
        """Advance the host's row, as the last step of the transaction of a claim or an outcome.
        Returns the instant to pass to `keep` after the commit."""
        if self._mark is None:
            return None
        return work[SlotStore].advance(MARK + self._mark.host, now=max(now, self._counts_from))

    def keep(self, at: datetime | None, *, syncs: bool = True) -> None:
        """Advance the mark to a committed instant. On an error the mark stays behind and email is
        sent anyway: the mark only detects a rare event. `syncs` outlasts a power cut, and is slow.
        """
        if at is None or self._mark is None or self.file is None:
            return
        try:
            self.file.advance(self._mark.installation, at, syncs=syncs)
        except (OSError, UnreadableFile) as error:
            problem = f"the send mark {self.file.place} cannot be written: {_describe(error)}"
            self._warn_once(problem)

    # --- resuming ------------------------------------------------------------------------------

    def invalidate_marks(self, database: Database, *, now: datetime, by: str | None = None) -> bool:
        """Invalidate all earlier marks, so that database and marks agree. Returns False when
        nothing was held. If `by`, an operator, releases email, that is audited."""
        found = None if self.file is None else _read(self.file)
        mark = found if isinstance(found, SendMark) else None

        def invalidate(work: Transaction) -> bool:
            known = _known(work)
            before = [now, *known.installations.values(), *known.hosts.values()]
            at = max([*before, mark.at] if mark is not None else before)
            named = known.installations or [
                mark.installation if mark is not None else secrets.token_hex(8)
            ]
            for one in named:
                work[SlotStore].beat(INSTALLATION + one, now=at + CLOCKS_DIFFER)
            was_held = work[SlotStore].give_back(HOLD, PUT_BACK)
            if was_held and by is not None:
                note_release(work, "accept old copy", now=now, by=by)
            return was_held

        return write(database, invalidate)

    def resume(
        self, database: Database, *, now: datetime, by: str = COMMAND_LINE
    ) -> RestoredCopy | None:
        """Resume sending from a held database. Unfinished rows become unknown, as after a restore.
        Returns None when nothing was held."""
        if self.hold(database, now=now) is None:
            return None
        held = hold_all_email(database, now=now)
        self.invalidate_marks(database, now=now, by=by)
        return held


def name_installation(work: Transaction, *, now: datetime) -> tuple[str, datetime]:
    """Return the id of the installation, created if necessary, and the instant after which its
    marks count."""
    known = work[SlotStore].beats(INSTALLATION)
    if not known:
        known = {secrets.token_hex(8): now}
        for one in known:
            work[SlotStore].beat(INSTALLATION + one, now=now)
    return min(known), max(known.values())


def restored_copy_alerts(work: Transaction) -> Iterator[Alert]:
    """Yield an alert while email is held."""
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


def _reason(found: str) -> str:
    return f"email is held: {found}, so an older copy of the database may be in use. {WAY_OUT}"


def _foreign(file: SendMarkFile) -> str:
    return f"the send mark {file.place} belongs to another database: move it away"


def _unusable(file: SendMarkFile, error: Exception) -> str:
    return f"the send mark {file.place} cannot be used: {_describe(error)}"


def _describe(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)
