"""A process that publishes is killed between any two statements; nothing is left half."""

import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, select

from paperround.db import engine as engines
from paperround.db.schema import tables as db
from paperround.db.transactions import SqlDatabase
from paperround.digests import build
from paperround.digests import publish as publishing
from paperround.digests.publish import PublishReport, publish
from paperround.editions.model import EditionState
from paperround.editions.store.lists import ListStore
from tests.fakes import NewestFirst
from tests.reliability.accounts import books
from tests.reliability.faults import Faults, Killed, faulty_sqlite
from tests.sample_database import IDENTITY, NOW, fill, record, subscribe

NAMES = ("ada", "alan", "barbara", "grace", "kurt")
STRIDE = 3


class Press:
    """One database, published from by processes that are killed."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.faults = Faults()

    def publish(self, faults: Faults) -> PublishReport | None:
        """Send by hand; None when the process died of it."""
        self.faults = faults
        try:
            return publish(
                database=SqlDatabase(self.engine),
                ranker=NewestFirst(),
                identity=IDENTITY,
                list_name="trending",
                day=None,
                cut="manual",
                now=NOW + timedelta(hours=1),
            )
        except Killed:
            return None
        finally:
            self.faults = Faults()
            self.engine.dispose()


@pytest.fixture
def before(sqlite_template: Path, tmp_path: Path) -> Path:
    """Papers and people, and nothing published."""
    path = Path(shutil.copy(sqlite_template, tmp_path / "before.db"))
    with engines.opened(f"sqlite:///{path}") as engine:
        database = SqlDatabase(engine)
        with database.writing() as work:
            work[ListStore].ensure_default(zone="UTC", now=NOW)
        fill(database, [record(number) for number in range(1, 4)])
        subscribe(database, *NAMES)
    return path


@pytest.fixture
def press(tmp_path: Path) -> Iterator[Press]:
    with engines.opened(f"sqlite:///{tmp_path / 'paperround.db'}") as engine:
        found = Press(engine)
        faulty_sqlite(engine, lambda: found.faults)
        yield found


@pytest.mark.accept("R1")
@pytest.mark.accept("R2", part="publishing")
def test_killed_between_any_two_statements_nothing_is_half_and_the_rest_follows(
    press: Press,
    before: Path,
    tmp_path: Path,
    long_form: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(publishing, "PAGE", 4)
    monkeypatch.setattr(build, "PART", 2)
    at, met, halfway = 1, 0, 0
    while True:
        shutil.copy(before, tmp_path / "paperround.db")
        if press.publish(Faults(at=at, dies=True)) is not None:
            break
        halfway += nothing_is_half(press.engine)
        report = press.publish(Faults())
        assert report is not None
        assert (report.planned.rows, rows(press.engine)) == (5, 5), f"killed at step {at}"
        nothing_is_half(press.engine)
        assert report.edition.state in {EditionState.FROZEN, EditionState.PLANNED}
        at, met = at + (1 if long_form else STRIDE), met + 1
    assert met > 60 // STRIDE
    assert halfway, "some were killed between two shards"


def nothing_is_half(engine: Engine) -> bool:
    """No orphan: an edition has all its papers, a row its edition and Message-ID, a memory its row,
    a mark its rows. True when some shards stand and others do not."""
    with engine.connect() as connection:
        dangling = connection.exec_driver_sql("PRAGMA foreign_key_check").fetchall()
        frozen = connection.execute(select(db.edition_papers.c.edition_id)).scalars().all()
        editions = connection.execute(select(db.editions.c.id)).scalars().all()
        found = connection.execute(
            select(db.deliveries.c.subscriber_id, db.deliveries.c.message_id)
        ).all()
        memory = connection.execute(select(db.sent_papers.c.subscriber_id)).scalars().all()
        marks = connection.execute(select(db.shards.c.edition_id)).scalars().all()
    engine.dispose()
    assert dangling == []
    assert len(frozen) == 3 * len(editions)
    assert len({name for _, name in found}) == len(found) in (0, 2, 4, 5)
    assert sorted(memory) == sorted(3 * [person for person, _ in found])
    assert len(marks) == -(-len(found) // 2)
    return 0 < len(found) < len(NAMES)


def rows(engine: Engine) -> int:
    found = len(books(engine).digests)
    engine.dispose()
    return found
