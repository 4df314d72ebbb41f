"""Pages of readers that are chosen for at once and written part by part."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from sqlalchemy import func, insert, select

from paperround.core.errors import Conflict
from paperround.db.schema import tables as db
from paperround.db.transactions import TRIES, SqlDatabase, Transaction
from paperround.digests import build, plan, publish
from paperround.digests.build import write_in_batches
from paperround.digests.plan import plan_due
from tests.delivery.publishing import send
from tests.digests.planning import HOURS, MINUTE, SEVEN, at, cut
from tests.sample_database import IDENTITY, NOW, fill, record, subscribe

NAMES = ("ada", "bob", "cleo", "dora", "eve")


@dataclass
class Desk:
    """Chooses a row for everybody but those it leaves out, and loses some races as it writes."""

    without: frozenset[int] = frozenset()
    loses: list[int] = field(default_factory=list)
    asked: list[list[int]] = field(default_factory=list)
    written: list[list[str]] = field(default_factory=list)

    def choose(self, page: Sequence[int]) -> list[str | None]:
        self.asked.append([*page])
        round_ = len(self.asked)
        return [None if one in self.without else f"{one} of {round_}" for one in page]

    def write(self, part: Sequence[int], rows: list[str]) -> int:
        if part[0] in self.loses:
            self.loses.remove(part[0])
            raise Conflict
        self.written.append(rows)
        return len(rows)

    def plan(self, page: Sequence[int]) -> list[tuple[list[int], int]]:
        found = write_in_batches(page, choose=self.choose, write=self.write)
        return [([*part], wrote) for part, wrote in found]


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build, "PART", 2)


def test_a_page_is_chosen_at_once_and_written_in_parts() -> None:
    signup_context = Desk(without=frozenset({2}))
    assert signup_context.plan([1, 2, 3, 4, 5]) == [([1, 2], 1), ([3, 4], 2), ([5], 1)]
    assert signup_context.asked == [[1, 2, 3, 4, 5]]
    assert signup_context.written == [["1 of 1"], ["3 of 1", "4 of 1"], ["5 of 1"]]


def test_who_lost_a_race_is_chosen_for_again_and_nobody_else() -> None:
    signup_context = Desk(loses=[3, 3])
    assert signup_context.plan([1, 2, 3, 4, 5]) == [([1, 2], 2), ([3, 4], 2), ([5], 1)]
    assert signup_context.asked == [[1, 2, 3, 4, 5], [3, 4], [3, 4]]
    assert signup_context.written == [["1 of 1", "2 of 1"], ["3 of 3", "4 of 3"], ["5 of 1"]]


def test_a_part_that_loses_every_race_leaves_the_earlier_ones(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("paperround.db.transactions.LONGEST_WAIT", 0)
    signup_context = Desk(loses=[3] * TRIES)
    with pytest.raises(Conflict):
        signup_context.plan([1, 2, 3, 4, 5])
    assert signup_context.written == [["1 of 1", "2 of 1"]]


# --- as lists are planned ------------------------------------------------------------------------


@dataclass
class Overtaken:
    """A database in which, before a transaction that writes, another list sends somebody one of the
    papers; `written` are how many rows stood before each one."""

    database: SqlDatabase
    name: str
    before: int
    written: list[int] = field(default_factory=list)

    def reading(self) -> AbstractContextManager[Transaction]:
        return self.database.reading()

    def writing(self) -> AbstractContextManager[Transaction]:
        with self.database.writing() as work:
            rows = work.connection.execute(select(func.count()).select_from(db.deliveries))
            self.written.append(rows.scalar_one())
            if self.before == 0:
                person = select(db.subscribers.c.id).where(
                    db.subscribers.c.folded == f"{self.name}@example.org"
                )
                paper = select(func.min(db.papers.c.id)).scalar_subquery()
                sent = {"subscriber_id": person.scalar_subquery(), "paper_id": paper}
                work.connection.execute(insert(db.sent_papers).values(sent))
        self.before -= 1
        return self.database.writing()


def papers_sent(database: SqlDatabase) -> dict[str, int]:
    """By the row of each reader, how many papers it carries."""
    with database.reading() as work:
        found = work.connection.execute(
            select(db.subscribers.c.folded, func.count())
            .join_from(db.sent_papers, db.subscribers)
            .where(db.sent_papers.c.delivery_id.is_not(None))
            .group_by(db.subscribers.c.folded)
        )
        return {address.partition("@")[0]: papers for address, papers in found}


@pytest.mark.postgres
@pytest.mark.accept("R1", part="a shard that lost a race")
def test_a_shard_whose_paper_another_list_took_is_chosen_again_and_the_others_stand(
    database: SqlDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publish, "PAGE", 4)
    fill(database, [record(n) for n in range(1, 4)])
    subscribe(database, *NAMES)
    report = send(Overtaken(database, "dora", before=2))  # the freezing and one shard
    assert (report.added, report.planned.rows) == (5, 5)
    assert papers_sent(database) == dict.fromkeys(NAMES, 3) | {"dora": 2}
    assert marks(database) == [(0, 2), (1, 2), (2, 1)]
    assert send(database).added == 0


def marks(database: SqlDatabase) -> list[tuple[int, int]]:
    """The number of each shard, and its rows."""
    with database.reading() as work:
        c = db.shards.c
        found = work.connection.execute(select(c.number, c.rows).order_by(c.number))
        return [(number, rows) for number, rows in found]


@pytest.mark.postgres
@pytest.mark.accept("R1", part="a part that lost a race")
def test_those_due_whose_paper_another_list_took_are_counted_once(
    database: SqlDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plan, "PAGE", 4)
    fill(database, [record(n) for n in range(1, 4)])
    subscribe(database, *NAMES)
    plan_due(database=database, identity=IDENTITY, hours=HOURS, now=NOW + MINUTE)
    cut(database, at(6))
    hurt = Overtaken(database, "dora", before=3)  # expiring, starting clocks and one part
    reports = plan_due(database=hurt, identity=IDENTITY, hours=HOURS, now=SEVEN)
    assert (reports["trending"].planned, reports["trending"].skipped) == (5, {})
    assert papers_sent(database) == dict.fromkeys(NAMES, 3) | {"dora": 2}
    assert hurt.written == [0, 0, 0, 2, 2, 4]
    later = plan_due(database=database, identity=IDENTITY, hours=HOURS, now=SEVEN)["trending"]
    assert later.planned == 0


def test_nobody_holds_the_writers_lock_for_those_who_wait(database: SqlDatabase) -> None:
    subscribe(database, *NAMES)
    plan_due(database=database, identity=IDENTITY, hours=HOURS, now=NOW + MINUTE)
    seen = Overtaken(database, "", before=-1)
    reports = plan_due(
        database=seen, identity=IDENTITY, hours=HOURS, now=SEVEN + timedelta(minutes=1)
    )
    assert reports["trending"].waiting == 5
    assert len(seen.written) == 2  # expiring, and starting clocks
