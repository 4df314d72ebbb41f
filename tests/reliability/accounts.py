"""The books of a day: planned = sent + failed + unknown + expired + skipped, for every person.

Read from the tables and not by the product's own totals, and held against what really arrived.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Engine, select

from paperround.db.engine import opened
from paperround.db.schema import tables as db
from paperround.delivery.outbox import file_name

ENDED = ("sent", "failed", "unknown", "expired", "skipped")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A row of either ledger; `whom` and `day` make it a person's one mail of a date."""

    whom: object
    day: date | None
    state: str
    message_id: str

    @property
    def name(self) -> str:
        """What its mail is called where it arrived."""
        return file_name(self.message_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Books:
    """Every row there is of digests, and of notices."""

    digests: tuple[Entry, ...]
    notices: tuple[Entry, ...]

    @property
    def all(self) -> tuple[Entry, ...]:
        """Both."""
        return self.digests + self.notices

    def count(self, *states: str) -> int:
        """How many rows of both stand in one of `states`."""
        return sum(entry.state in states for entry in self.all)


def books(engine: Engine) -> Books:
    """What the tables say."""
    with engine.connect() as connection:
        c = db.deliveries.c
        digests = connection.execute(
            select(c.list_id, c.subscriber_id, c.kind, c.local_date, c.state, c.message_id)
        ).all()
        n = db.notices.c
        notices = connection.execute(select(n.kind, n.key, n.state, n.message_id)).all()
    return Books(
        digests=tuple(
            Entry(
                whom=(row.list_id, row.subscriber_id, row.kind),
                day=row.local_date,
                state=row.state,
                message_id=row.message_id,
            )
            for row in digests
        ),
        notices=tuple(
            Entry(whom=(row.kind, row.key), day=None, state=row.state, message_id=row.message_id)
            for row in notices
        ),
    )


def require_balance_at(url: str, *, planned: int, taken: Mapping[str, int], in_doubt: int) -> None:
    """The same of the database at `url`, for mails that a relay took, by their Message-IDs."""
    arrived = {file_name(message_id): times for message_id, times in taken.items()}
    with opened(url) as engine:
        require_balance(books(engine), planned=planned, arrived=arrived, in_doubt=in_doubt)


def require_balance(
    found: Books, *, planned: int, arrived: Mapping[str, int], in_doubt: int
) -> None:
    """The invariant of every fault run.

    `planned` digests, each person one a date, all of them ended; each mail that `arrived` (by its
    name) came once; none is called sent that did not arrive, and none arrived that is not at least
    in doubt; at most `in_doubt` rows are unknown.
    """
    assert len(found.digests) == planned
    assert len({(one.whom, one.day) for one in found.digests}) == planned
    states = Counter(entry.state for entry in found.all)
    assert set(states) <= set(ENDED), f"not everything came to an end: {dict(states)}"
    assert max(arrived.values(), default=0) <= 1, "a mail went out twice"
    came = {name for name, times in arrived.items() if times}
    sent = {entry.name for entry in found.all if entry.state == "sent"}
    unknown = {entry.name for entry in found.all if entry.state == "unknown"}
    assert sent <= came, f"called sent, and never arrived: {sent - came}"
    assert came <= sent | unknown, f"arrived, and not recorded: {came - sent - unknown}"
    assert len(unknown) <= in_doubt, f"{len(unknown)} in doubt, where {in_doubt} could be"
