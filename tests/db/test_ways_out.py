"""Error messages for a database that cannot be used."""

import sqlite3
import sys

import pytest
from sqlalchemy.exc import DBAPIError

from paperround.core.errors import Misconfigured
from paperround.db.dialect import reason_of
from paperround.db.engine import create


@pytest.mark.parametrize(
    ("code", "message", "way_out"),
    [
        ("SQLITE_IOERR_SHMSIZE", "disk I/O error", "is the disk full?"),
        ("SQLITE_FULL", "database or disk is full", "make room"),
        ("SQLITE_READONLY", "attempt to write a readonly database", "this account cannot write"),
        ("SQLITE_CANTOPEN", "unable to open database file", "can this account read"),
        ("SQLITE_NOTADB", "file is not a database", "`paperround doctor` says what to do"),
    ],
)
def test_an_error_of_the_file_says_what_to_do(code: str, message: str, way_out: str) -> None:
    error = sqlite3.OperationalError(message)
    error.sqlite_errorname = code
    said = reason_of(DBAPIError("", None, error))
    assert said.startswith(f"{message} (")
    assert way_out in said


def test_other_errors_keep_the_message_of_the_driver() -> None:
    error = sqlite3.OperationalError("no such table: papers")
    error.sqlite_errorname = "SQLITE_ERROR"
    assert reason_of(DBAPIError("", None, error)) == "no such table: papers"


def test_without_its_driver_postgresql_names_the_extra_to_install_from_a_clone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(Misconfigured, match=r"driver: .*its extra `postgres`, in a clone"):
        create("postgresql://ada@db/papers")
