"""After a restore: nothing may be sent that the lost installation may have sent already.

What was planned and not finished becomes unknown, what was due before the restore is skipped,
papers that counted before it stay out of new editions, and every list is paused until a person
says go. Mails from after the backup left no trace in it, so anything else would be a guess.
"""

from dataclasses import dataclass
from datetime import datetime

from paperround.domain.text import counted
from paperround.jobs.transactions import write
from paperround.store.unit_of_work import Database, UnitOfWork

RESTORED = "restored"


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """What was ended by the restore: digests and notices that may have been sent."""

    digests: int
    notices: int

    def __str__(self) -> str:
        digests, notices = counted(self.digests, "digest"), counted(self.notices, "notice")
        return f"{digests} and {notices} may be out: now unknown"


def hold_everything(database: Database, *, now: datetime) -> Held:
    """Mark a database that was put back from a copy. Sending goes on with `digest resume`."""

    def hold(work: UnitOfWork) -> Held:
        work.lists.hold_after_restore(now=now)
        work.requests.forget_old(before=now)  # they were answered after the copy was made
        return Held(
            digests=work.ledger.end_unfinished(reason=RESTORED, now=now),
            notices=work.notices.end_unfinished(reason=RESTORED, now=now),
        )

    return write(database, hold)
