"""What a backup must be to be put back, and that a restore that fails leaves nothing behind."""

import gzip
import io
import os
import shutil
import sqlite3
import tarfile
import tracemalloc
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO

import pytest

from paperround.core.errors import Conflict, InvalidInput, SchemaOutOfDate, UnreadableFile
from paperround.core.times import format_instant
from paperround.db import migrate
from paperround.db.backup import (
    ABOUT,
    DATABASE,
    FOLDER,
    SECRET,
    SMALL,
    back_up,
    restoring,
)
from paperround.db.transactions import SqlDatabase
from paperround.delivery.restore_guard import hold_all_email
from paperround.editions.store.lists import ListStore
from tests.builders import NOW, seed_list
from tests.databases import opened

Member = tuple[str, bytes]
WORDS = b"the old secret"


@dataclass(frozen=True)
class Machine:
    """Where a backup comes from, and an empty folder it goes to."""

    source: Path
    folder: Path

    @property
    def database(self) -> Path:
        return self.folder / "data" / DATABASE

    @property
    def secret(self) -> Path:
        return self.folder / "data" / SECRET

    def restore(self, meanwhile: Callable[[Path], None] = lambda _: None) -> str | None:
        with restoring(self.source, self.database, self.secret) as (staged, made_at):
            meanwhile(staged)
        return made_at

    def left(self) -> list[str]:
        return sorted(one.name for one in self.folder.glob("data/*"))


@pytest.fixture
def machine(sqlite_template: Path, tmp_path: Path) -> Machine:
    old = tmp_path / "old"
    old.mkdir()
    shutil.copy(sqlite_template, old / DATABASE)
    (old / SECRET).write_bytes(WORDS)
    copy = tmp_path / "copy.tar.gz"
    with opened(f"sqlite:///{old / DATABASE}") as engine:
        seed_list(SqlDatabase(engine))
        back_up(engine, old / SECRET, copy, now=NOW)
    return Machine(copy, tmp_path / "new")


def unpacked(source: Path) -> dict[str, bytes]:
    with tarfile.open(source) as archive:
        found = {name: archive.extractfile(name) for name in archive.getnames()}
        return {name: file.read() for name, file in found.items() if file is not None}


def packed(target: Path, members: Iterable[Member]) -> None:
    with tarfile.open(target, "w:gz") as archive:
        for name, content in members:
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))


def changed(machine: Machine, **changes: bytes) -> None:
    """The backup with other contents: `database`, `secret`, `about`."""
    names = {"database": DATABASE, "secret": SECRET, "about": ABOUT}
    members = unpacked(machine.source) | {names[key]: new for key, new in changes.items()}
    packed(machine.source, members.items())


@pytest.mark.accept("F48", part="whole")
def test_a_backup_comes_back_whole_and_for_its_owner_only(machine: Machine) -> None:
    assert machine.restore() == format_instant(NOW)
    assert machine.left() == [DATABASE, SECRET]
    assert machine.secret.read_bytes() == WORDS
    assert [one.stat().st_mode & 0o777 for one in (machine.database, machine.secret)] == [0o600] * 2
    with closing(sqlite3.connect(machine.database)) as connection:
        assert connection.execute("SELECT name FROM lists").fetchall() == [("trending",)]


def test_a_secret_that_lies_elsewhere_is_in_the_backup_itself(
    machine: Machine, tmp_path: Path
) -> None:
    secret = tmp_path / "old" / SECRET
    secret.rename(tmp_path / "kept")
    secret.symlink_to(tmp_path / "kept")
    machine.source.unlink()
    with opened(f"sqlite:///{secret.with_name(DATABASE)}") as engine:
        back_up(engine, secret, machine.source, now=NOW)
    machine.restore()
    assert machine.secret.read_bytes() == WORDS
    assert not machine.secret.is_symlink()


def truncate(machine: Machine) -> None:
    whole = machine.source.read_bytes()
    machine.source.write_bytes(whole[: len(whole) // 2])


def flip(machine: Machine) -> None:
    whole = bytearray(machine.source.read_bytes())
    for place in (len(whole) // 2, len(whole) // 2 + 7):
        whole[place] ^= 0xFF
    machine.source.write_bytes(bytes(whole))


def damage(machine: Machine) -> None:
    """Pages overwritten before it was packed: the archive itself is whole."""
    database = bytearray(unpacked(machine.source)[DATABASE])
    database[4096 : 4096 * 9] = b"\xff" * (4096 * 8)
    changed(machine, database=bytes(database))


def link(machine: Machine) -> None:
    with tarfile.open(machine.source, "w:gz") as archive:
        entry = tarfile.TarInfo(DATABASE)
        entry.type, entry.linkname = tarfile.SYMTYPE, "/etc/hostname"
        archive.addfile(entry)


def twice(machine: Machine) -> None:
    members = list(unpacked(machine.source).items())
    packed(machine.source, members + members[:1])


def crowd(machine: Machine) -> None:
    packed(machine.source, [(str(number), b"") for number in range(1000)])


BROKEN: list[Callable[[Machine], object]] = [
    truncate,
    flip,
    damage,
    link,
    twice,
    crowd,
    lambda machine: changed(machine, database=b"Dear all" * 1000),
    lambda machine: changed(machine, database=b""),
    lambda machine: changed(machine, about=b"{broken"),
    lambda machine: changed(machine, about=b"[]"),
    lambda machine: changed(machine, about=b"\xff"),
    lambda machine: changed(machine, secret=b"x" * (SMALL + 1)),
    lambda machine: packed(machine.source, [(ABOUT, b"{}")]),
    lambda machine: packed(machine.source, [(f"../{DATABASE}", b"x")]),
    lambda machine: machine.source.write_bytes(b"Dear all"),
    lambda machine: machine.source.write_bytes(b""),
]


@pytest.mark.accept("D5", part="broken backup")
@pytest.mark.parametrize("break_it", BROKEN)
def test_a_broken_backup_is_refused_in_one_line_and_leaves_nothing(
    machine: Machine, break_it: Callable[[Machine], object]
) -> None:
    break_it(machine)
    with pytest.raises(UnreadableFile, match=r"copy\.tar\.gz is not a backup"):
        machine.restore()
    assert machine.left() == []


def test_a_backup_that_is_not_there_is_told_without_an_errno(machine: Machine) -> None:
    machine.source.unlink()
    with pytest.raises(UnreadableFile, match=r"copy\.tar\.gz cannot be read: No such file or dir"):
        machine.restore()
    assert machine.left() == []


def test_a_backup_is_read_from_a_pipe_which_cannot_be_read_twice(machine: Machine) -> None:
    """An encrypted backup is restored with `<(gpg --decrypt FILE)`."""
    reading, writing = os.pipe()
    try:
        os.write(writing, machine.source.read_bytes())
        os.close(writing)
        machine = replace(machine, source=Path(f"/dev/fd/{reading}"))
        assert machine.restore() == format_instant(NOW)
    finally:
        os.close(reading)
    assert machine.left() == [DATABASE, SECRET]


def test_a_dump_of_postgresql_is_told_from_a_backup(machine: Machine) -> None:
    machine.source.write_bytes(b"PGDMP\x01\x0e")
    with pytest.raises(InvalidInput, match="`paperround db restore --in-place`"):
        machine.restore()
    assert machine.left() == []


class Zeros(io.RawIOBase):
    """As many as are asked for."""

    def read(self, size: int = -1) -> bytes:
        return bytes(size)


def add_junk(machine: Machine, size: int) -> None:
    members = unpacked(machine.source)
    with tarfile.open(machine.source, "w:gz", compresslevel=1) as archive:
        junk = tarfile.TarInfo("junk")
        junk.size = size
        zeros: IO[bytes] = Zeros()  # type: ignore[assignment]
        archive.addfile(junk, zeros)
        for name, content in members.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))


@pytest.fixture
def peak() -> Iterator[Callable[[], int]]:
    """The most bytes that were in use at once."""
    tracemalloc.start()
    yield lambda: tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()


@pytest.mark.slow
def test_what_a_backup_does_not_hold_is_passed_over_and_fills_no_memory(
    machine: Machine, peak: Callable[[], int]
) -> None:
    add_junk(machine, 100_000_000)
    tracemalloc.reset_peak()
    machine.restore()
    assert peak() < 20_000_000
    assert machine.left() == [DATABASE, SECRET]


def test_a_database_larger_than_the_disk_is_refused_before_it_is_unpacked(
    machine: Machine,
) -> None:
    """Only the head of the entry says so; there is nothing behind it."""
    entry = tarfile.TarInfo(DATABASE)
    entry.size = 1 << 60
    machine.source.write_bytes(gzip.compress(entry.tobuf(tarfile.GNU_FORMAT), mtime=0))
    with pytest.raises(InvalidInput, match="room for"):
        machine.restore()
    assert machine.left() == []


def test_a_database_of_a_newer_version_is_refused_in_one_line(machine: Machine) -> None:
    def upgrade(staged: Path) -> None:
        with closing(sqlite3.connect(staged)) as connection, connection:
            connection.execute("UPDATE alembic_version SET version_num = '9999'")
        with opened(f"sqlite:///{staged}") as engine:
            migrate.upgrade(engine)

    with pytest.raises(SchemaOutOfDate, match="9999"):
        machine.restore(upgrade)
    assert machine.left() == []


# --- stopped on the way ------------------------------------------------------------------------


class Killed(BaseException):
    """The process ends here."""


def test_a_restore_stopped_before_its_end_leaves_nothing(machine: Machine) -> None:
    def die(staged: Path) -> None:
        assert staged.exists()
        raise Killed

    with pytest.raises(Killed):
        machine.restore(die)
    assert machine.left() == []
    machine.restore()


def test_what_a_killed_restore_left_is_removed_by_the_next(machine: Machine) -> None:
    leftover = machine.database.parent / FOLDER
    leftover.mkdir(parents=True)
    (leftover / DATABASE).write_bytes(b"half of it")
    machine.restore()
    assert machine.left() == [DATABASE, SECRET]


def test_a_place_taken_in_the_last_moment_is_not_taken_back(machine: Machine) -> None:
    """Somebody starts another installation in the last moment; once it is gone, all is well."""

    def take_the_place(_: Path) -> None:
        machine.database.with_name(f"{DATABASE}-wal").write_bytes(b"")
        machine.secret.write_bytes(WORDS)

    with pytest.raises(Conflict, match="in the way"):
        machine.restore(take_the_place)
    machine.database.with_name(f"{DATABASE}-wal").unlink()
    assert machine.left() == [SECRET]
    machine.restore()
    assert machine.left() == [DATABASE, SECRET]


@pytest.mark.accept("F48", part="held first")
def test_a_database_is_held_before_it_has_its_name(machine: Machine) -> None:
    def hold(staged: Path) -> None:
        with opened(f"sqlite:///{staged}") as engine:
            hold_all_email(SqlDatabase(engine), now=NOW)
        assert not machine.database.exists()

    machine.restore(hold)
    assert machine.left() == [DATABASE, SECRET]
    with opened(f"sqlite:///{machine.database}") as engine, SqlDatabase(engine).reading() as work:
        assert work[ListStore].get("trending").paused_at == NOW


def test_another_secret_in_the_way_is_kept(machine: Machine) -> None:
    machine.secret.parent.mkdir(parents=True)
    machine.secret.write_bytes(b"another")
    with pytest.raises(Conflict, match="differs from the backup's secret"):
        machine.restore()
    assert machine.left() == [SECRET]
    assert machine.secret.read_bytes() == b"another"


# --- making one --------------------------------------------------------------------------------


def test_an_empty_database_is_not_backed_up(tmp_path: Path) -> None:
    place = tmp_path / DATABASE
    place.write_bytes(b"")
    with opened(f"sqlite:///{place}") as engine, pytest.raises(InvalidInput, match="nothing"):
        back_up(engine, tmp_path / SECRET, tmp_path / "copy", now=NOW)
    assert not (tmp_path / "copy").exists()
