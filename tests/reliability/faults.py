"""A machine that fails at its n-th step: a statement, a commit, a file written or synced.

    faults = Faults(at=17)             the 17th step fails, and the process lives on
    faults = Faults(at=17, dies=True)  the process is gone at the 17th step: nothing works any more

The steps are those of the database's driver (`faulty_sqlite`, `faulty_postgres`) and of the
outbox's disk (`FaultyDisk`). A commit is two steps: one that fails before anything is kept, and one
that fails when everything is.
"""

import sqlite3
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, event
from sqlalchemy.engine import Dialect

from paperround.delivery.outbox import Disk
from paperround.delivery.send_mark import SendMark, SendMarkFile


class Killed(BaseException):
    """The process is gone."""


@dataclass
class Faults:
    """Counts steps, of `only` some kinds or of all, and fails the one numbered `at` (from 1)."""

    at: int = 0
    dies: bool = False
    only: frozenset[str] | None = None
    steps: list[str] = field(default_factory=list)
    struck: bool = False

    @property
    def is_dead(self) -> bool:
        """Whether the process is gone."""
        return self.struck and self.dies

    def step(self, kind: str, error: Callable[[], Exception]) -> None:
        """One step of this kind; raises `error`, or Killed."""
        if self.is_dead:
            raise Killed
        if self.only is not None and kind not in self.only:
            return
        self.steps.append(kind)
        if len(self.steps) == self.at:
            self.struck = True
            raise Killed if self.dies else error()


def _io_error() -> Exception:
    return sqlite3.OperationalError("disk I/O error")


def _disk_error() -> Exception:
    return OSError(5, "Input/output error")


class _Cursor(sqlite3.Cursor):
    def execute(self, *arguments: Any) -> "_Cursor":
        _faults_of(self.connection).step("statement", _io_error)
        super().execute(*arguments)
        return self

    def executemany(self, *arguments: Any) -> "_Cursor":
        _faults_of(self.connection).step("statement", _io_error)
        super().executemany(*arguments)
        return self


class _Connection(sqlite3.Connection):
    present: "Present"

    def cursor(self, *_: Any) -> sqlite3.Cursor:  # type: ignore[override]
        return super().cursor(_Cursor)

    def commit(self) -> None:
        self.present().step("before a commit", _io_error)
        super().commit()
        self.present().step("after a commit", _io_error)


def _faults_of(connection: sqlite3.Connection) -> Faults:
    assert isinstance(connection, _Connection)
    return connection.present()


Present = Callable[[], Faults]
"""The faults of the process that lives now."""


def faulty_sqlite(engine: Engine, present: Present) -> None:
    """Have every connection of `engine` count its steps. What a dead one left open is undone."""

    def connect(_: Dialect, _record: object, arguments: Any, named: dict[str, Any]) -> object:
        made = sqlite3.connect(*arguments, **named, factory=_Connection)
        made.present = present
        return made

    event.listen(engine, "do_connect", connect)


def faulty_postgres(engine: Engine, present: Present) -> None:
    """The same for PostgreSQL, whose commits alone are counted: the connection is lost there."""
    import psycopg

    def lost() -> Exception:
        return psycopg.OperationalError("server closed the connection unexpectedly")

    class Faulty(psycopg.Connection[Any]):
        def commit(self) -> None:
            self._met("before a commit")
            super().commit()
            self._met("after a commit")

        def _met(self, kind: str) -> None:
            try:
                present().step(kind, lost)
            except BaseException:
                self.close()
                raise

    def connect(_: Dialect, _record: object, arguments: Any, named: Mapping[str, Any]) -> object:
        if present().is_dead:
            raise Killed
        return Faulty.connect(*arguments, **named)

    def execute(*_: object) -> None:
        if present().is_dead:
            raise Killed

    event.listen(engine, "do_connect", connect)
    event.listen(engine, "before_cursor_execute", execute)


@dataclass
class FaultyDisk(Disk):
    """Counts every step. `arrived` says how often each mail was given its name."""

    faults: Faults
    arrived: Counter[str]

    def make_folder(self, path: Path) -> None:
        self._step("make a folder")
        super().make_folder(path)

    def write(self, path: Path, content: bytes) -> None:
        self._step("create a file")
        super().write(path, content[: len(content) // 2])
        self._step("write a file")
        super().write(path, content)
        self._step("sync a file")

    def rename(self, old: Path, new: Path) -> None:
        self._step("name a file")
        super().rename(old, new)
        if new.suffix == ".eml":
            self.arrived[new.stem] += 1

    def sync_folder(self, path: Path) -> None:
        self._step("sync a folder")
        super().sync_folder(path)

    def remove(self, path: Path) -> None:
        self._step("remove a file")
        super().remove(path)

    def _step(self, kind: str) -> None:
        self.faults.step(kind, _disk_error)


class FaultyMark(SendMarkFile):
    """Counts the steps of the send mark."""

    def __init__(self, faults: Faults, path: Path) -> None:
        super().__init__(path)
        self._faults = faults

    def create(self, mark: SendMark) -> None:
        self._faults.step("create a file", _disk_error)
        super().create(mark)
        self._faults.step("sync a folder", _disk_error)

    def _write(self, handle: int, line: bytes) -> None:
        self._faults.step("write a file", _disk_error)
        super()._write(handle, line)

    def _sync(self, handle: int) -> None:
        self._faults.step("sync a file", _disk_error)
        super()._sync(handle)
