"""What a database says of a move that it takes part in.

Its revision becomes a word that no version of the program works with, and the table `moves` says
the rest: the file that was moved for good, the new database until the file was left.
"""

from dataclasses import dataclass

from sqlalchemy import Connection, text

from paperround.domain.errors import MovedAway

MOVING, MOVED = "moving", "moved"

CREATE = "CREATE TABLE moves (place TEXT NOT NULL, began_at TEXT NOT NULL, revision TEXT NOT NULL)"
DROP = "DROP TABLE moves"
PUT = "INSERT INTO moves (place, began_at, revision) VALUES (:place, :began_at, :revision)"
GET = "SELECT place, began_at, revision FROM moves"
SET_REVISION = "UPDATE alembic_version SET version_num = :revision"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A move as one of its databases knows it: `place` is where the other one is, without a
    password, `began_at` an instant in RFC 3339, `revision` that of the rows."""

    place: str
    began_at: str
    revision: str


def read(connection: Connection) -> Mark:
    """The mark of a database whose revision is MOVING or MOVED."""
    row = connection.execute(text(GET)).one()
    return Mark(place=row.place, began_at=row.began_at, revision=row.revision)


def refuse(connection: Connection, found: str | None) -> None:
    """Raise MovedAway when `found`, the revision of a database, says that it takes part in a move:
    nobody may send from it, nor change it."""
    if found not in (MOVING, MOVED):
        return
    mark = read(connection)
    if found == MOVING:
        raise MovedAway(
            f"a move into this database began at {mark.began_at} and has not ended: run "
            f"`paperround db move` again where {mark.place} is"
        )
    raise MovedAway(
        f"this database was moved: set PAPERROUND_DATABASE_URL to {mark.place} with its password. "
        "If that one refuses, too, run the same `paperround db move` again: it finishes"
    )
