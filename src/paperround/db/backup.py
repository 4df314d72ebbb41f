"""Back up an installation into one archive, and restore it.

    paperround-backup.tar.gz
      ├── paperround.db     a consistent copy of the live database (SQLite's online backup),
      │                     or paperround.dump, made by `pg_dump`
      ├── secret_key        the generated secret, if any: without it no old link works
      ├── dkim.json         the generated DKIM keys, if any
      └── about.json        time and schema revision

The archive is written atomically, and only its owner can read it.

    backup ─► .restoring/ (checked, migrated, held) ─► secret_key, dkim.json ─► paperround.db

A restore prepares everything in a staging folder. The database is moved last: before that there is
no installation, afterwards there is a complete one. A process that dies in between leaves the
folder, which the next restore removes. Backups are not trusted: only regular files with known names
are read, and none that is larger than the free disk space.
"""

import io
import json
import shutil
import sqlite3
import tarfile
import tempfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import datetime
from io import BufferedReader
from pathlib import Path

from sqlalchemy import Engine, inspect

from paperround.core.errors import Conflict, InvalidInput, SchemaOutOfDate, UnreadableFile
from paperround.core.files import atomic_file, sync
from paperround.core.times import format_instant
from paperround.db.dialect import is_corrupt
from paperround.db.postgres_dump import dump_database, load_database
from paperround.db.revisions import is_newer, mismatch, require_not_moved, translate_errors

DATABASE = "paperround.db"
DUMP = "paperround.dump"
SECRET = "secret_key"  # noqa: S105 - the name of a file
DKIM = "dkim.json"
SECRETS = (SECRET, DKIM)
"""Generated files that cannot be recreated. They share a folder."""
ABOUT = "about.json"

SMALL = 1_000_000
"""The maximum size in bytes of a secret and of the description."""

MOST_MEMBERS = 100
"""The maximum number of entries in an archive. A backup has four."""

CHUNK = 1 << 20
_DUMP_BEGINS = b"PGDMP"
FOLDER = ".restoring"


def back_up(engine: Engine, secret: Path, target: Path, *, now: datetime) -> int:
    """Write a backup to `target`, and return its size in bytes.

    `secret` is the file of the generated secret, which need not exist; other `SECRETS` are in the
    same folder. Raises InvalidInput when `target` exists or cannot be written, when there is
    nothing to back up or no room, and when `pg_dump` is missing or fails; UnreadableFile when the
    database is damaged.
    """
    if target.exists():
        raise InvalidInput(f"{target} exists: choose another file, or move it away")
    about = {"made_at": format_instant(now), "revision": _revision(engine)}
    try:
        _write_archive(engine, secret, target, about, now)
    except OSError as error:
        raise InvalidInput(f"{target} cannot be written: {error.strerror}") from error
    return target.stat().st_size


def _write_archive(
    engine: Engine, secret: Path, target: Path, about: Mapping[str, str], now: datetime
) -> None:
    """Write the archive. Raises OSError. A killed process leaves a file and a folder beside it;
    their names start with a dot and the name of the archive."""
    prefix = f".{target.name}-"
    with (
        atomic_file(target) as temporary,
        tempfile.TemporaryDirectory(dir=target.parent, prefix=prefix) as work,
    ):
        is_file = engine.dialect.name == "sqlite"
        copy = Path(work) / (DATABASE if is_file else DUMP)
        if is_file:
            _require_room(engine, target.parent)
            copy_database(engine, copy)
        else:
            dump_database(engine.url.render_as_string(hide_password=False), copy)
        with tarfile.open(temporary, "w:gz", compresslevel=6 if is_file else 0) as archive:
            archive.add(copy, copy.name)
            for name in SECRETS:
                if secret.with_name(name).exists():
                    _add(archive, name, secret.with_name(name).read_bytes(), now)
            _add(archive, ABOUT, json.dumps(about).encode(), now)


def _require_room(engine: Engine, folder: Path) -> None:
    """Raise InvalidInput unless the folder has room for a copy of the database and its archive: a
    full disk would stop the emails."""
    needed = 2 * Path(str(engine.url.database)).stat().st_size
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise InvalidInput(
            f"{folder} has room for {free:,} bytes, and a backup needs up to {needed:,}"
        )


def _revision(engine: Engine) -> str:
    """Return the revision of an existing database. Connecting would create a missing file."""
    place = Path(str(engine.url.database))
    if engine.dialect.name == "sqlite" and not place.is_file():
        raise InvalidInput(f"there is no database at {place}: is PAPERROUND_DATA_DIR right?")
    with translate_errors(engine):
        revision = require_not_moved(engine)
    if revision is None:
        raise InvalidInput(f"{place} has no Paperround tables yet: there is nothing to back up")
    return revision


def copy_database(engine: Engine, copy: Path) -> None:
    """Copy the database. SQLite restarts the copy when another process writes meanwhile."""
    try:
        with (
            closing(sqlite3.connect(str(engine.url.database))) as source,
            closing(sqlite3.connect(copy)) as target,
        ):
            source.backup(target)
            target.execute("PRAGMA journal_mode = DELETE")
            problem = target.execute("PRAGMA quick_check").fetchone()[0]
    except sqlite3.DatabaseError as error:
        if not is_corrupt(error):  # such as a full disk
            raise InvalidInput(f"the database cannot be copied: {error}") from error
        problem = str(error)
    if problem != "ok":
        raise UnreadableFile(f"the database is damaged, and a copy of it would be: {problem}")


def _add(archive: tarfile.TarFile, name: str, content: bytes, now: datetime) -> None:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mtime, entry.mode = len(content), int(now.timestamp()), 0o600
    archive.addfile(entry, io.BytesIO(content))


# --- restoring ---------------------------------------------------------------------------------


@contextmanager
def restoring(source: Path, database: Path, secret: Path) -> Iterator[tuple[Path, str | None]]:
    """Unpack the backup `source`, and move it into place at the end with the caller's changes.

    Yields the unpacked database and when the backup was made, None when that is unknown.
    After an exception nothing is moved. Raises UnreadableFile for a file that is not a complete
    backup, InvalidInput when the disk is too small, and Conflict when a file exists: a restore
    never overwrites.
    """
    _require_free(database)
    folder = database.parent / FOLDER
    shutil.rmtree(folder, ignore_errors=True)
    try:
        folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.mkdir(mode=0o700)
    except OSError as error:
        raise InvalidInput(f"the folder {folder} cannot be created: {error.strerror}") from error
    try:
        _unpack(source, folder, DATABASE)
        _check_database(source, folder / DATABASE)
        _require_same(secret, folder)
        yield folder / DATABASE, _description(source, folder / ABOUT).get("made_at")
        with closing(sqlite3.connect(folder / DATABASE)) as connection:
            # Everything in one file: a log beside it would not be moved.
            connection.execute("PRAGMA journal_mode = DELETE")
        _require_free(database)
        _require_same(secret, folder)
        for kept in _secrets(folder):
            _move(kept, secret.with_name(kept.name))
        _move(folder / DATABASE, database)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def restore_dump(source: Path, engine: Engine, secret: Path) -> str | None:
    """Put the secrets of the backup `source` into place, and load its dump into an empty PostgreSQL
    database. Returns when the backup was made, None when that is unknown.

    Raises UnreadableFile for a file that is not a complete backup, InvalidInput when it is a backup
    of SQLite or `pg_restore` is missing or fails, SchemaOutOfDate for a backup of a newer version,
    and Conflict when the database or a secret exists.
    """
    if inspect(engine).get_table_names():
        raise Conflict(
            "the database of PAPERROUND_DATABASE_URL is not empty: use a new one, created with "
            "`createdb`"
        )
    with tempfile.TemporaryDirectory() as work:
        folder = Path(work)
        _unpack(source, folder, DUMP)
        about = _description(source, folder / ABOUT)
        revision = about.get("revision")
        if is_newer(revision):  # afterwards the new database would not be empty
            raise SchemaOutOfDate(mismatch(revision))
        _require_same(secret, folder)
        for kept in _secrets(folder):
            place = secret.with_name(kept.name)
            try:
                with atomic_file(place) as temporary:
                    temporary.write_bytes(kept.read_bytes())
            except OSError as error:
                raise InvalidInput(f"{place} cannot be written: {error.strerror}") from error
        load_database(engine.url.render_as_string(hide_password=False), folder / DUMP)
        return about.get("made_at")


def _require_free(database: Path) -> None:
    for ending in ("", "-wal", "-shm", "-journal"):
        place = database.with_name(database.name + ending)
        if place.exists():
            raise Conflict(f"{place} is in the way: move it, or set another PAPERROUND_DATA_DIR")


def _require_same(secret: Path, folder: Path) -> None:
    for kept in _secrets(folder):
        place = secret.with_name(kept.name)
        if place.exists() and place.read_bytes().strip() != kept.read_bytes().strip():
            raise Conflict(f"{place} differs from the backup's secret: move it away first")


def _secrets(folder: Path) -> list[Path]:
    """Return the secrets that were unpacked."""
    return [folder / name for name in SECRETS if (folder / name).exists()]


def _unpack(source: Path, folder: Path, database: str) -> None:
    """Unpack the members of a backup; `database` is DATABASE or DUMP."""
    with _open(source) as file, _translate_errors(source):
        # Opened once: it may be a pipe, such as `<(gpg --decrypt FILE)`.
        if file.peek().startswith(_DUMP_BEGINS):
            raise InvalidInput(
                f"{source} is a dump of PostgreSQL: load it into an empty database with "
                "`pg_restore`, then run `paperround db restore --in-place`"
            )
        with tarfile.open(fileobj=file, mode="r:gz") as archive:
            for number, member in enumerate(archive):
                if number >= MOST_MEMBERS:
                    raise _Damaged("it is much larger than a backup")
                if member.name in (DATABASE, DUMP, *SECRETS, ABOUT):
                    _unpack_member(archive, member, folder)
    if (folder / database).exists():
        return
    if database == DATABASE and (folder / DUMP).exists():
        raise InvalidInput(
            f"{source} is a backup of PostgreSQL: set PAPERROUND_DATABASE_URL to an empty database"
        )
    if database == DUMP and (folder / DATABASE).exists():
        raise InvalidInput(
            f"{source} is a backup of SQLite: restore it without PAPERROUND_DATABASE_URL, then "
            "move it with `paperround db move`"
        )
    raise UnreadableFile(f"{source} is not a backup of Paperround: it has no {database}")


def _open(source: Path) -> BufferedReader:
    try:
        return source.open("rb")
    except OSError as error:
        raise UnreadableFile(f"{source} cannot be read: {error.strerror}") from error


def _unpack_member(archive: tarfile.TarFile, member: tarfile.TarInfo, folder: Path) -> None:
    content = archive.extractfile(member) if member.isreg() else None
    if content is None:
        raise _Damaged(f"{member.name} is not a regular file")
    free = shutil.disk_usage(folder).free
    if member.name not in (DATABASE, DUMP) and member.size > SMALL:
        raise _Damaged(f"{member.name} has {member.size:,} bytes")
    if member.size > free:
        raise InvalidInput(
            f"{folder.parent} has room for {free:,} bytes, and the database needs {member.size:,}"
        )
    place = folder / member.name
    with place.open("xb") as file:  # it may be in the archive twice
        place.chmod(0o600)
        while chunk := content.read(CHUNK):
            try:
                file.write(chunk)
            except OSError as error:
                raise InvalidInput(f"the backup cannot be unpacked: {error.strerror}") from error


class _Damaged(Exception):
    """The archive contains something that a backup does not."""


@contextmanager
def _translate_errors(source: Path) -> Iterator[None]:
    """Turn every error that a damaged or foreign file causes into UnreadableFile."""
    try:
        yield
    except (
        OSError,
        EOFError,
        zlib.error,
        tarfile.TarError,
        sqlite3.DatabaseError,
        _Damaged,
        KeyError,
        ValueError,
    ) as error:
        raise UnreadableFile(
            f"{source} is not a backup of Paperround, or is damaged: {error}"
        ) from error


def _check_database(source: Path, database: Path) -> None:
    with _translate_errors(source), closing(sqlite3.connect(database)) as connection:
        problem = connection.execute("PRAGMA quick_check").fetchone()[0]
        if problem != "ok":
            raise _Damaged(problem)
        if connection.execute("SELECT count(*) FROM alembic_version").fetchone()[0] != 1:
            raise _Damaged(f"{DATABASE} has no schema")


def _description(source: Path, about: Path) -> Mapping[str, str]:
    """Return the time and the revision stored in a backup; empty if it has no description."""
    if not about.exists():
        return {}
    with _translate_errors(source):
        found = json.loads(about.read_bytes())
        if not isinstance(found, dict):
            raise _Damaged(f"{ABOUT} is not a description")
        return {name: str(value) for name, value in found.items() if value}


def _move(staged: Path, place: Path) -> None:
    place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    sync(staged)
    staged.replace(place)
    sync(place.parent)
