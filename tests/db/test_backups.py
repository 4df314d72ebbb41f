"""A backup every night, the newest ones kept, and one command to put any of them back."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from sqlalchemy import Engine, func, inspect, select, text

from paperround.core.errors import Conflict, InvalidInput, SchemaOutOfDate, UnreadableFile
from paperround.db.backup import back_up, copy_database, restore_dump, restoring
from paperround.db.backups import BackupPlan, back_up_if_due, backups, make_backup
from paperround.db.postgres_dump import dump_database
from paperround.db.schema.tables import metadata
from paperround.db.slots import BACKUP, KIND, MARK, SlotStore
from paperround.db.transactions import SqlDatabase
from paperround.delivery.restore_guard import name_installation
from paperround.doctor.database_check import check_backups
from paperround.doctor.findings import Level
from tests.databases import PostgresServer, opened
from tests.migrations.filling import fill

NIGHT = datetime(2026, 3, 2, 2, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def plan(tmp_path: Path) -> BackupPlan:
    return BackupPlan(folder=tmp_path / "backups", keep=3, secret=tmp_path / "data" / "secret_key")


@pytest.mark.accept("F48", part="every night", mutant="every-backup-stays")
def test_a_backup_is_made_once_a_day_and_the_newest_are_kept(old: Path, plan: BackupPlan) -> None:
    stranger = plan.folder / "paperround-mine.backup"
    with opened(f"sqlite:///{old}") as engine:
        database = SqlDatabase(engine)
        for hour in range(5 * 24):
            back_up_if_due(engine, database, plan, now=NIGHT + hour * HOUR)
            stranger.touch()
        with database.reading() as work:
            last = work[SlotStore].last_beat(BACKUP)
    made = [when for when, _ in backups(plan.folder)]
    assert [(when - NIGHT).days for when in made] == [4, 3, 2]
    assert last == made[0]
    assert stranger.exists()
    assert plan.folder.stat().st_mode & 0o777 == 0o700


def test_a_night_without_room_is_logged_and_tried_again(
    old: Path, plan: BackupPlan, caplog: pytest.LogCaptureFixture
) -> None:
    plan.folder.parent.mkdir(exist_ok=True)
    plan.folder.touch()  # a file is in the way of the folder
    with opened(f"sqlite:///{old}") as engine:
        database = SqlDatabase(engine)
        assert back_up_if_due(engine, database, plan, now=NIGHT) is None
        assert "no backup was made: the folder of the backups" in caplog.text
        plan.folder.unlink()
        assert back_up_if_due(engine, database, plan, now=NIGHT + HOUR) is not None


def test_a_folder_that_cannot_be_read_is_logged_and_told_by_the_doctor(
    old: Path, plan: BackupPlan, caplog: pytest.LogCaptureFixture
) -> None:
    plan.folder.touch()  # stands for a folder without rights, which root has all the same
    with opened(f"sqlite:///{old}") as engine:
        database = SqlDatabase(engine)
        assert back_up_if_due(engine, database, plan, now=NIGHT) is None
        with database.reading() as work:
            found = check_backups(work, plan.folder, now=NIGHT)
    said = f"the folder of the backups, {plan.folder}, cannot be read: Not a directory"
    assert said in caplog.text
    assert (found.level, found.says) == (Level.WARN, said)


def test_what_a_killed_process_left_of_a_backup_is_deleted_by_the_next(
    old: Path, plan: BackupPlan, monkeypatch: pytest.MonkeyPatch
) -> None:
    child = os.fork()
    if child == 0:
        monkeypatch.setattr("paperround.db.backup.copy_database", lambda *_: os._exit(9))
        with opened(f"sqlite:///{old}") as engine:
            make_backup(engine, SqlDatabase(engine), plan, now=NIGHT)
    os.waitpid(child, 0)
    assert len([*plan.folder.iterdir()]) == 2
    with opened(f"sqlite:///{old}") as engine:
        file = make_backup(engine, SqlDatabase(engine), plan, now=NIGHT + HOUR)
    assert [*plan.folder.iterdir()] == [file]


def test_two_processes_do_not_make_a_backup_in_one_folder_at_the_same_time(
    old: Path, plan: BackupPlan, monkeypatch: pytest.MonkeyPatch
) -> None:
    with opened(f"sqlite:///{old}") as engine:
        database = SqlDatabase(engine)

        def copy(engine: Engine, to: Path) -> None:
            assert back_up_if_due(engine, database, plan, now=NIGHT + HOUR) is None
            with pytest.raises(Conflict, match="another process is writing a backup"):
                make_backup(engine, database, plan, now=NIGHT + HOUR)
            copy_database(engine, to)

        monkeypatch.setattr("paperround.db.backup.copy_database", copy)
        file = make_backup(engine, database, plan, now=NIGHT)
    assert [*plan.folder.iterdir()] == [file]


def test_a_backup_of_the_future_is_no_reason_to_make_none(old: Path, plan: BackupPlan) -> None:
    """The clock was ahead, and was set back."""
    with opened(f"sqlite:///{old}") as engine:
        database = SqlDatabase(engine)
        for days in (1000, 1001, 1002):
            assert back_up_if_due(engine, database, plan, now=NIGHT + days * DAY) is not None
        with database.writing() as work:
            name_installation(work, now=NIGHT - 3 * DAY)
            assert check_backups(work, plan.folder, now=NIGHT).level is Level.WARN
        file = back_up_if_due(engine, database, plan, now=NIGHT)
        assert file is not None
        assert file.exists()
        assert back_up_if_due(engine, database, plan, now=NIGHT + HOUR) is None
    assert len(backups(plan.folder)) == plan.keep


def test_a_backup_leaves_room_on_the_disk_for_everything_else(
    old: Path, plan: BackupPlan, monkeypatch: pytest.MonkeyPatch
) -> None:
    needed = 2 * old.stat().st_size
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=needed - 1))
    no_room = pytest.raises(InvalidInput, match=f"a backup needs up to {needed:,}")
    with opened(f"sqlite:///{old}") as engine, no_room:
        make_backup(engine, SqlDatabase(engine), plan, now=NIGHT)
    assert [*plan.folder.iterdir()] == []


def test_a_copy_that_cannot_be_written_does_not_make_the_database_damaged(
    old: Path, tmp_path: Path
) -> None:
    refused = pytest.raises(InvalidInput, match="the database cannot be copied: unable to open")
    with opened(f"sqlite:///{old}") as engine, refused:
        copy_database(engine, tmp_path / "gone" / "copy.db")


def test_a_damaged_database_is_not_copied(tmp_path: Path) -> None:
    broken = tmp_path / "broken.db"
    broken.write_bytes(b"Dear all" * 1000)
    refused = pytest.raises(UnreadableFile, match="the database is damaged")
    with opened(f"sqlite:///{broken}") as engine, refused:
        copy_database(engine, tmp_path / "copy.db")


def test_a_demo_has_no_backups(old: Path, plan: BackupPlan) -> None:
    with opened(f"sqlite:///{old}") as engine:
        database = SqlDatabase(engine)
        with database.writing() as work:
            work[SlotStore].take(KIND, MARK, now=NIGHT)
        assert back_up_if_due(engine, database, plan, now=NIGHT) is None


@pytest.mark.accept("F48", part="doctor")
def test_the_doctor_knows_how_old_the_newest_backup_is(old: Path, plan: BackupPlan) -> None:
    with opened(f"sqlite:///{old}") as engine:
        database = SqlDatabase(engine)
        with database.writing() as work:
            work[SlotStore].forget("beat", before=NIGHT + DAY)
            name_installation(work, now=NIGHT)

        def level(after: timedelta, folder: Path | None = plan.folder) -> tuple[Level, str]:
            with database.reading() as work:
                found = check_backups(work, folder, now=NIGHT + after)
            return found.level, found.says

        assert level(HOUR)[0] is Level.OK
        assert level(2 * DAY, None)[0] is Level.SKIPPED
        assert level(2 * DAY) == (Level.WARN, f"there is none, in {plan.folder}")
        back_up_if_due(engine, database, plan, now=NIGHT)
        assert level(47 * HOUR) == (Level.OK, "the newest was made on 2026-03-02T02:00:00Z")
        assert level(2 * DAY)[0] is Level.WARN
        assert level(47 * HOUR, None)[0] is Level.OK
        assert level(2 * DAY, None)[0] is Level.WARN


@pytest.mark.postgres
@pytest.mark.accept("F48", part="PostgreSQL")
def test_a_backup_of_postgresql_is_put_back_into_an_empty_database(
    postgres: PostgresServer, plan: BackupPlan, postgres_template: str, tmp_path: Path
) -> None:
    plan.secret.parent.mkdir(parents=True)
    plan.secret.write_text("a secret that is only for tests!")
    with postgres.created(like=postgres_template) as before, postgres.created() as after:
        with opened(before) as engine:
            fill(engine, papers=20)
            kept = rows(engine)
            file = back_up_if_due(engine, SqlDatabase(engine), plan, now=NIGHT)
        assert file is not None
        elsewhere = tmp_path / "new" / "secret_key"
        with opened(after) as engine:
            assert restore_dump(file, engine, elsewhere) == "2026-03-02T02:00:00Z"
            assert rows(engine) == kept
            with pytest.raises(Conflict, match="is not empty"):
                restore_dump(file, engine, elsewhere)
    assert elsewhere.read_text() == plan.secret.read_text()
    assert elsewhere.stat().st_mode & 0o777 == 0o600
    with pytest.raises(InvalidInput, match="is a backup of PostgreSQL"):
        put_back(file, tmp_path / "sqlite")


@pytest.mark.postgres
def test_a_backup_of_sqlite_does_not_go_into_postgresql(
    postgres: PostgresServer, old: Path, plan: BackupPlan, tmp_path: Path
) -> None:
    file = tmp_path / "one.backup"
    with opened(f"sqlite:///{old}") as engine:
        back_up(engine, plan.secret, file, now=NIGHT)
    refused = pytest.raises(InvalidInput, match="move it with `paperround db move`")
    with postgres.created() as url, opened(url) as engine, refused:
        restore_dump(file, engine, plan.secret)


@pytest.mark.postgres
def test_a_secret_that_cannot_be_written_leaves_the_new_database_empty(
    postgres: PostgresServer, plan: BackupPlan, postgres_template: str, tmp_path: Path
) -> None:
    plan.secret.parent.mkdir(parents=True)
    plan.secret.write_text("a secret that is only for tests!")
    in_the_way = tmp_path / "file"
    in_the_way.touch()
    with postgres.created(like=postgres_template) as before, postgres.created() as after:
        with opened(before) as engine:
            fill(engine, papers=4)
            file = make_backup(engine, SqlDatabase(engine), plan, now=NIGHT)
        with opened(after) as engine:
            with pytest.raises(InvalidInput, match="secret_key cannot be written"):
                restore_dump(file, engine, in_the_way / "secret_key")
            assert inspect(engine).get_table_names() == []


@pytest.mark.postgres
def test_a_backup_of_a_newer_version_is_refused_before_it_is_loaded(
    postgres: PostgresServer, plan: BackupPlan, postgres_template: str
) -> None:
    with postgres.created(like=postgres_template) as before, postgres.created() as after:
        with opened(before) as engine:
            with engine.begin() as connection:
                connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
            file = make_backup(engine, SqlDatabase(engine), plan, now=NIGHT)
        with opened(after) as engine:
            with pytest.raises(SchemaOutOfDate, match="9999"):
                restore_dump(file, engine, plan.secret)
            assert inspect(engine).get_table_names() == []


def test_a_program_that_cannot_be_run_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "pg_dump").touch()
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(InvalidInput, match="pg_dump cannot be run: Permission denied"):
        dump_database("postgresql+psycopg://ada@localhost/papers", tmp_path / "dump")


def put_back(file: Path, folder: Path) -> None:
    with restoring(file, folder / "paperround.db", folder / "secret_key"):
        pass


def rows(engine: Engine) -> dict[str, int]:
    """How many rows each table has."""
    with engine.connect() as connection:
        return {
            one.name: connection.execute(select(func.count()).select_from(one)).scalar_one()
            for one in metadata.sorted_tables
        }
