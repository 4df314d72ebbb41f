"""Check a database: file damage, schema, dangling references, and unsafe settings."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy import Engine, Text, column, select, table
from sqlalchemy.exc import DBAPIError

from paperround.core.errors import SchemaOutOfDate
from paperround.db.dialect import is_damage
from paperround.db.engine import opened, place_of
from paperround.db.migrate import check_drift
from paperround.db.revisions import current, is_newer, prepare, require_reachable, translate_errors

MOST_LINES = 5

DURABLE = ("fsync", "full_page_writes", "synchronous_commit")
"""Settings that must be on in PostgreSQL
(https://www.postgresql.org/docs/current/runtime-config-wal.html): without the first two a system
crash can corrupt the database, without the last one it loses the newest commits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Soundness:
    """The result of a check. A damaged database is not checked further.

    `outdated` tells why the schema is not that of this version; `dangling` counts the rows of each
    table that refer to missing rows; `drift` lists differences from the declared schema; `unsafe`
    has the DURABLE settings that are off.
    """

    where: str
    damage: tuple[str, ...] = ()
    revision: str | None = None
    outdated: str | None = None
    dangling: Mapping[str, int] = field(default_factory=dict)
    drift: tuple[str, ...] = ()
    unsafe: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_newer(self) -> bool:
        """Whether a newer version than this one created the schema."""
        return is_newer(self.revision)

    @property
    def usable(self) -> bool:
        """Whether this version can use the database."""
        return not self.damage and self.outdated is None


def look(url: str) -> Soundness:
    """Check the database at `url`.

    Raises Misconfigured when it is unreachable. SQLite reads the whole file, which takes seconds
    for a large one.
    """
    with opened(url) as engine:
        where = place_of(engine)
        if broken := find_damage(engine):
            return Soundness(where=where, damage=tuple(broken))
        require_reachable(engine)
        try:
            prepare(engine, creates=False)
        except SchemaOutOfDate as error:
            return Soundness(where=where, revision=current(engine), outdated=str(error))
        return Soundness(
            where=where,
            revision=current(engine),
            dangling=dangling_references(engine),
            drift=tuple(check_drift(engine)),
            unsafe=unsafe_settings(engine),
        )


def find_damage(engine: Engine) -> list[str]:
    """Return what is damaged in a SQLite file, at most five lines.

    Raises Misconfigured when it cannot be opened for another reason.
    """
    if engine.dialect.name != "sqlite":
        return []
    with translate_errors(engine):
        try:
            with engine.connect() as connection:
                found = connection.exec_driver_sql(f"PRAGMA quick_check({MOST_LINES})").scalars()
                return [" ".join(line.split()) for line in found if line != "ok"]
        except DBAPIError as error:
            if is_damage(error):  # too damaged to run the check
                return [str(error.orig)]
            raise


def unsafe_settings(engine: Engine) -> dict[str, str]:
    """Return the settings with which PostgreSQL may lose commits; empty on SQLite.

    Reads the settings of Paperround's own connections.
    """
    if engine.dialect.name != "postgresql":
        return {}
    looking = (
        select(column("name", Text), column("setting", Text))
        .select_from(table("pg_settings"))
        .where(column("name").in_(DURABLE), column("setting") == "off")
    )
    with engine.connect() as connection:
        return {row.name: row.setting for row in connection.execute(looking)}


def dangling_references(engine: Engine) -> dict[str, int]:
    """Count the rows that refer to missing rows, by table; empty on PostgreSQL."""
    if engine.dialect.name != "sqlite":
        return {}
    with engine.connect() as connection:
        broken = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
    return dict(Counter(row[0] for row in broken))
