"""Back up an embedded installation: one archive with the database and its secrets.

    paperround-backup.tar.gz
      ├── paperround.db     a consistent copy of the live database (SQLite's online backup)
      ├── secret_key        the generated secret, if any: without it no old link works
      ├── dkim.json         the generated DKIM keys, if any
      └── about.json        time and schema revision

The archive is written atomically, and only its owner can read it. For PostgreSQL use `pg_dump`.
`db.restore` restores an archive.
"""

import io
import json
import sqlite3
import tarfile
import tempfile
from contextlib import closing
from datetime import datetime
from pathlib import Path

from sqlalchemy import Engine

from paperround.core.errors import InvalidInput, UnreadableFile
from paperround.core.files import atomic_file
from paperround.core.times import format_instant
from paperround.db.revisions import require_not_moved, require_reachable

DATABASE = "paperround.db"
SECRET = "secret_key"  # noqa: S105 - the name of a file
DKIM = "dkim.json"
SECRETS = (SECRET, DKIM)
"""Generated files that cannot be generated again. They share a folder."""
ABOUT = "about.json"


def back_up(engine: Engine, secret: Path, target: Path, *, now: datetime) -> int:
    """Write a backup to `target`, and return its size in bytes.

    `secret` is the file of the generated secret, which need not exist; other `SECRETS` are in the
    same folder. Raises InvalidInput on PostgreSQL, when `target` exists, and when there is nothing
    to back up; UnreadableFile when the database is damaged.
    """
    if engine.dialect.name != "sqlite":
        raise InvalidInput(
            "this database is PostgreSQL: back it up with pg_dump --format=custom, and keep "
            "PAPERROUND_SECRET_KEY and dkim.json, if there is one, beside it"
        )
    if target.exists():
        raise InvalidInput(f"{target} exists: name another file, or move it away")
    about = {"made_at": format_instant(now), "revision": _revision(engine)}
    with atomic_file(target) as temporary, tempfile.TemporaryDirectory(dir=target.parent) as work:
        copy = Path(work) / DATABASE
        _copy_database(engine, copy)
        with tarfile.open(temporary, "w:gz") as archive:
            archive.add(copy, DATABASE)
            for name in SECRETS:
                if secret.with_name(name).exists():
                    _add(archive, name, secret.with_name(name).read_bytes(), now)
            _add(archive, ABOUT, json.dumps(about).encode(), now)
    return target.stat().st_size


def _revision(engine: Engine) -> str:
    """Return the revision of an existing database. Connecting would create a missing file."""
    place = Path(str(engine.url.database))
    if not place.is_file():
        raise InvalidInput(f"there is no database at {place}: is PAPERROUND_DATA_DIR right?")
    require_reachable(engine)
    revision = require_not_moved(engine)
    if revision is None:
        raise InvalidInput(f"{place} holds nothing of Paperround yet: there is nothing to back up")
    return revision


def _copy_database(engine: Engine, copy: Path) -> None:
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
        problem = str(error)
    if problem != "ok":
        raise UnreadableFile(f"the database is damaged, and a copy of it would be: {problem}")


def _add(archive: tarfile.TarFile, name: str, content: bytes, now: datetime) -> None:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mtime, entry.mode = len(content), int(now.timestamp()), 0o600
    archive.addfile(entry, io.BytesIO(content))
