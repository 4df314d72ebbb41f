"""Is the database sound? What SQLite can be asked about itself; PostgreSQL sees to it alone."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy import Engine, Text, column, select, table
from sqlalchemy.exc import DBAPIError

from paperround.core.errors import SchemaOutOfDate
from paperround.db.dialect import is_damage
from paperround.db.engine import opened, place_of
from paperround.db.migrate import check_drift
from paperround.db.revisions import current, is_newer, prepare, reached, require_reachable

MOST_LINES = 5

DURABLE = ("fsync", "full_page_writes", "synchronous_commit")
"""What must not be off in PostgreSQL (https://www.postgresql.org/docs/current/runtime-config-wal.html):
with the first two a crash of the system may ruin the database, with the last one the newest commits
are gone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Soundness:
    """What was found. What follows `damage` was not looked at where there is any.

    `outdated` says why the schema is not that of this version; `dangling` counts rows of each
    table that refer to rows which are gone; `drift` names differences from the declared schema.
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
        """Whether a newer version than this one made the schema."""
        return is_newer(self.revision)

    @property
    def usable(self) -> bool:
        """Whether this version can work with it at all."""
        return not self.damage and self.outdated is None


def look(url: str) -> Soundness:
    """How the database at `url` is.

    Raises Misconfigured when it cannot be reached. SQLite reads every page of the file, which
    takes seconds on a large one.
    """
    with opened(url) as engine:
        where = place_of(engine)
        if broken := damage(engine):
            return Soundness(where=where, damage=tuple(broken))
        require_reachable(engine)
        try:
            prepare(engine, creates=False)
        except SchemaOutOfDate as error:
            return Soundness(where=where, revision=current(engine), outdated=str(error))
        return Soundness(
            where=where,
            revision=current(engine),
            dangling=dangling(engine),
            drift=tuple(check_drift(engine)),
            unsafe=unsafe(engine),
        )


def damage(engine: Engine) -> list[str]:
    """What is broken in the file of a database, at most five lines; empty when nothing is. Raises
    Misconfigured when it cannot be opened for another reason."""
    if engine.dialect.name != "sqlite":
        return []
    with reached(engine):
        try:
            with engine.connect() as connection:
                found = connection.exec_driver_sql(f"PRAGMA quick_check({MOST_LINES})").scalars()
                return [" ".join(line.split()) for line in found if line != "ok"]
        except DBAPIError as error:
            if is_damage(error):  # it is too broken to be looked at
                return [str(error.orig)]
            raise


def unsafe(engine: Engine) -> dict[str, str]:
    """The settings, as our own connections have them, by which PostgreSQL may lose commits; empty
    when there are none. SQLite is opened so that it loses none."""
    if engine.dialect.name != "postgresql":
        return {}
    looking = (
        select(column("name", Text), column("setting", Text))
        .select_from(table("pg_settings"))
        .where(column("name").in_(DURABLE), column("setting") == "off")
    )
    with engine.connect() as connection:
        return {row.name: row.setting for row in connection.execute(looking)}


def dangling(engine: Engine) -> dict[str, int]:
    """How many rows of which table refer to rows that are gone; empty when none do."""
    if engine.dialect.name != "sqlite":
        return {}
    with engine.connect() as connection:
        broken = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
    return dict(Counter(row[0] for row in broken))
