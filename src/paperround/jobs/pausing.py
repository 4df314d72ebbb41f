"""The stop button: a paused list sends nothing, within seconds, until somebody says go."""

from datetime import datetime

from paperround.domain.keys import COMMAND_LINE, Deed
from paperround.domain.lists import MailingList
from paperround.jobs.transactions import write
from paperround.store.unit_of_work import Database, UnitOfWork


def pause(
    database: Database, list_name: str | None, *, now: datetime, by: str = COMMAND_LINE
) -> list[str]:
    """Pause a list, or every list; returns the names of those that were not paused already.

    A mail whose end is written already is finished, the others wait. Confirmations and other
    notices go on. Raises NotFound for an unknown list.
    """

    def stop(work: UnitOfWork) -> list[str]:
        done = [one.name for one in _meant(work, list_name) if work.lists.pause(one.id, now=now)]
        _note(work, "pause", done, by, now)
        return done

    return write(database, stop)


def resume(
    database: Database, list_name: str | None, *, now: datetime, by: str = COMMAND_LINE
) -> list[str]:
    """Let paused lists go on; returns their names. What waited too long has expired meanwhile."""

    def go_on(work: UnitOfWork) -> list[str]:
        done = [one.name for one in _meant(work, list_name) if work.lists.resume(one.id)]
        _note(work, "resume", done, by, now)
        return done

    return write(database, go_on)


def _meant(work: UnitOfWork, list_name: str | None) -> list[MailingList]:
    return work.lists.all() if list_name is None else [work.lists.get(list_name)]


def _note(work: UnitOfWork, action: str, lists: list[str], by: str, now: datetime) -> None:
    for name in lists:
        work.audit.note(Deed(actor=by, action=action, target=name), now=now)
