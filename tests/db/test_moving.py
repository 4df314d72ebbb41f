"""What is moved to PostgreSQL is there as it was, and only one of the two can be worked with."""

import shutil
import sqlite3
from contextlib import closing
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Insert, insert, inspect, make_url, text, update

from paperround.core.errors import (
    Conflict,
    DatabaseFailed,
    InvalidInput,
    MovedAway,
    SchemaOutOfDate,
    UnreadableFile,
)
from paperround.db import migrate, revisions
from paperround.db.backup import back_up
from paperround.db.dialect import next_ids
from paperround.db.driver import Columns, copy_rows
from paperround.db.schema import tables as db
from paperround.plugins.postgres_move.move import move_between
from tests.builders import NOW
from tests.databases import PostgresServer, opened, run_on
from tests.db.moves import at, moved, refusal, rows_at

pytestmark = pytest.mark.accept("F47", part="moving")

ODD = (
    "tab\there, line\nbreak, return\r, back\\slash, bell\b, feed\f, rise\v",
    "\\N",
    "",
    "NULL",
    "  spaces around  ",
    "Ünïcödé 漢字 🜁 \u202e and \ufeff",
    "quotes ' \" ` and $1 %s :name",
)

SCORES = (0.1, 1.5e16, 5e-324)  # one for each paper of the edition


def change(file: Path, statement: Any) -> None:
    with opened(at(file)) as engine, engine.begin() as connection:
        connection.execute(statement)


# --- the rows ----------------------------------------------------------------------------------


@pytest.mark.accept("F47", part="every row", mutant="a-move-leaves-a-table-out")
def test_every_row_of_every_table_is_there_as_it_was(old: Path, empty: str) -> None:
    before = rows_at(at(old))
    counts = moved(old, empty)
    assert rows_at(empty) == before
    assert counts == {name: len(rows) for name, rows in before.items()}
    assert [name for name, rows in before.items() if not rows] == []


def test_texts_keep_every_character(old: Path, new: str) -> None:
    for number, words in enumerate(ODD, start=1):
        values = {"raw_title": words, "authors": [words], "links": {words: words}}
        change(old, update(db.papers).where(db.papers.c.id == number).values(values))
    before = rows_at(at(old))
    moved(old, new)
    assert rows_at(new)["papers"] == before["papers"]


def test_numbers_keep_every_bit(old: Path, new: str) -> None:
    for place, score in enumerate(SCORES, start=1):
        one = db.edition_papers.c.position == place
        change(old, update(db.edition_papers).where(one).values(score=score, votes=(1 << 62) + 1))
    before = rows_at(at(old))
    moved(old, new)
    assert rows_at(new)["edition_papers"] == before["edition_papers"]


def test_instants_dates_and_bytes_are_exact(old: Path, new: str) -> None:
    change(old, update(db.models).values(content=bytes(range(256)) * 3))
    change(old, update(db.slots).values(taken_at=datetime(1999, 12, 31, 23, 59, 59, 1, tzinfo=UTC)))
    change(old, update(db.papers).values(listed_on=date(1887, 1, 2)))
    before = rows_at(at(old))
    moved(old, new)
    assert rows_at(new) == before


def test_new_rows_get_ids_that_were_never_given(old: Path, new: str) -> None:
    with closing(sqlite3.connect(old)) as file, file:
        file.execute("UPDATE sqlite_sequence SET seq = 4321 WHERE name = 'deliveries'")
        [(last,)] = file.execute("SELECT max(id) FROM papers")
    moved(old, new)
    with opened(new) as engine, engine.begin() as connection:
        assert next_ids(connection, db.deliveries, 1) == [4322]
        assert next_ids(connection, db.papers, 2) == [last + 1, last + 2]


def test_a_table_without_rows_begins_at_one(
    sqlite_template: Path, tmp_path: Path, empty: str
) -> None:
    file = shutil.copy(sqlite_template, tmp_path / "empty.db")
    moved(Path(file), empty)
    with opened(empty) as engine, engine.begin() as connection:
        assert next_ids(connection, db.deliveries, 1) == [1]


def test_a_row_that_did_not_arrive_is_noticed(
    old: Path, new: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def all_but_one(connection: Connection, statement: Insert, rows: Columns) -> int:
        return copy_rows(connection, statement, rows[1:])

    monkeypatch.setattr("paperround.plugins.postgres_move.move.copy_rows", all_but_one)
    with pytest.raises(DatabaseFailed, match=r"\w+ has .* rows, and .* arrived"):
        moved(old, new)
    assert_untouched(old, new)


# --- what PostgreSQL cannot hold ---------------------------------------------------------------


def test_a_nul_is_replaced(old: Path, new: str) -> None:
    change(old, update(db.rejects).values(excerpt="before\0after"))
    change(old, update(db.papers).values(authors=["A\0da", "back\\u0000slash"]))
    moved(old, new)
    with opened(new) as engine, engine.connect() as connection:
        assert connection.execute(text("SELECT excerpt FROM rejects")).scalar_one() == (
            "before\ufffdafter"
        )
        authors = connection.execute(text("SELECT authors FROM papers LIMIT 1")).scalar_one()
    assert authors == ["A\ufffdda", "back\\u0000slash"]


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("UPDATE lists SET size = 3000000000", "a row of lists: .*out of range"),
        ("UPDATE feeds SET settings = '{broken'", "a row of feeds in .* is broken"),
        ("UPDATE lists SET created_at = 'yesterday'", "a row of lists in .* is broken"),
        ("UPDATE editions SET day = 'today'", "a row of editions in .* is broken"),
    ],
)
def test_what_paperround_never_writes_is_refused_by_name(
    old: Path, new: str, statement: str, words: str
) -> None:
    with closing(sqlite3.connect(old)) as connection, connection:
        connection.execute(statement)
    with pytest.raises(InvalidInput, match=words):
        moved(old, new)
    assert_untouched(old, new)


def test_rows_that_refer_to_nothing_are_refused(old: Path, new: str) -> None:
    with closing(sqlite3.connect(old)) as connection, connection:
        connection.execute("UPDATE identifiers SET paper_id = 999999 WHERE kind = 'arxiv'")
    with pytest.raises(UnreadableFile, match=r"rows of identifiers in .* refer to rows of papers"):
        moved(old, new)


def assert_untouched(old: Path, new: str) -> None:
    """Both databases are as they were before somebody tried to move."""
    with opened(at(old)) as engine:
        revisions.prepare(engine)
    with opened(new) as engine:
        revisions.prepare(engine)
        assert "moves" not in inspect(engine).get_table_names()


# --- what stands in the way --------------------------------------------------------------------


def test_a_database_that_somebody_has_open_is_not_moved(old: Path, new: str) -> None:
    with opened(at(old)) as engine:
        with engine.connect() as idle:
            idle.exec_driver_sql("SELECT count(*) FROM papers").all()
        with pytest.raises(Conflict, match=r"is in use .*stop everything"):
            moved(old, new)
        revisions.prepare(engine)
    moved(old, new)


def test_a_database_that_holds_something_is_not_overwritten(old: Path, new: str) -> None:
    with opened(new) as engine, engine.begin() as connection:
        connection.execute(insert(db.search_words), {"word": "somebody"})
    with pytest.raises(Conflict, match=r"not empty \(1 in search_words\)"):
        moved(old, new)


def test_a_database_that_is_no_more_than_migrated_is_empty(old: Path, new: str) -> None:
    before = rows_at(at(old))
    with opened(new) as engine, engine.begin() as connection:
        connection.execute(insert(db.lists).values(before["lists"][0]))
        beat = {"kind": "beat", "slot": "installation/x", "taken_at": NOW}
        connection.execute(insert(db.slots).values(beat))
    moved(old, new)
    assert rows_at(new) == before


def test_a_database_at_another_revision_is_not_moved_to(old: Path, empty: str) -> None:
    with opened(empty) as engine:
        migrate.upgrade(engine, "0009")
    with pytest.raises(SchemaOutOfDate, match="is at revision 0009, this version needs"):
        moved(old, empty)


def test_a_database_that_cannot_hold_every_text_is_not_moved_to(
    old: Path, new: str, postgres: PostgresServer
) -> None:
    name = f"{make_url(new).database}_latin"
    like = "ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0"
    run_on(postgres.url, f"CREATE DATABASE {name} {like}")
    try:
        latin = make_url(new).set(database=name).render_as_string(hide_password=False)
        with pytest.raises(InvalidInput, match="holds texts in LATIN1, and titles need UTF8"):
            moved(old, latin)
    finally:
        run_on(postgres.url, f"DROP DATABASE {name} WITH (FORCE)")


def test_a_table_of_somebody_else_is_left_alone(old: Path, empty: str) -> None:
    with opened(empty) as engine, engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE feeds (theirs text)")
    with pytest.raises(Conflict, match="a table feeds that is not Paperround's"):
        moved(old, empty)


@pytest.mark.parametrize(
    ("revision", "words"),
    [("0009", "run `paperround db upgrade`"), ("9999", "this version does not know")],
)
def test_an_installation_of_another_version_is_not_moved(
    old: Path, new: str, revision: str, words: str
) -> None:
    with closing(sqlite3.connect(old)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = ?", (revision,))
    with pytest.raises(SchemaOutOfDate, match=words):
        moved(old, new)


def test_what_is_no_installation_is_not_moved(tmp_path: Path, new: str) -> None:
    letter = tmp_path / "letter.db"
    with pytest.raises(InvalidInput, match="there is no database at"):
        moved(letter, new)
    letter.write_bytes(b"Dear all" * 1000)
    with pytest.raises(UnreadableFile, match="cannot be read"):
        moved(letter, new)
    letter.write_bytes(b"")
    with pytest.raises(InvalidInput, match="no Paperround tables"):
        moved(letter, new)


def test_a_move_to_sqlite_is_no_move(old: Path, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="postgresql://USER@HOST/NAME"):
        moved(old, at(tmp_path / "other.db"))


def test_two_moves_at_once_are_one_too_many(old: Path, new: str) -> None:
    with move_between(old, new), pytest.raises(Conflict, match="is in use"):
        moved(old, new)


# --- never both --------------------------------------------------------------------------------


def test_what_was_moved_is_neither_upgraded_nor_backed_up(old: Path, new: str) -> None:
    moved(old, new)
    with opened(at(old)) as engine:
        with pytest.raises(MovedAway):
            migrate.upgrade(engine)
        with pytest.raises(MovedAway):
            back_up(engine, old.with_name("secret_key"), old.with_name("copy"), now=NOW)


@pytest.mark.parametrize("place", ["before the host", "among the options"])
def test_a_password_stands_in_no_refusal(old: Path, new: str, place: str) -> None:
    url = make_url(new)
    if place == "before the host":
        url = url.set(password="open-sesame")
    else:
        url = url.update_query_dict({"password": "open-sesame"})
    moved(old, url.render_as_string(hide_password=False))
    assert "sesame" not in refusal(at(old))


def test_a_move_that_has_ended_is_known_to_have_ended(old: Path, new: str) -> None:
    moved(old, new)
    with move_between(old, new) as moving:
        assert moving.is_done


def test_what_was_moved_once_is_not_moved_again_though_the_new_database_is_gone(
    old: Path, new: str, postgres: PostgresServer
) -> None:
    moved(old, new)
    with (
        postgres.created() as other,
        pytest.raises(Conflict, match="already, but"),
    ):
        moved(old, other)
