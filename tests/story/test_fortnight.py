"""Two weeks of a running service, in one breath: 300 people in 24 zones, over three changes of
clocks, two machines that tick, a power failure every day."""

from collections import Counter, defaultdict
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine

from paperround.core.times import local_date
from paperround.db.engine import opened
from paperround.db.migrate import upgrade
from paperround.db.transactions import SqlDatabase
from paperround.delivery.status import DeliveryEntry
from paperround.delivery.store.ledger import Ledger
from paperround.digests.plan import LONGEST_WAIT
from paperround.editions.model import DeliveryState, DigestKind
from paperround.editions.schedule import due_instant
from paperround.editions.store.editions import EditionStore
from paperround.editions.store.lists import ListStore
from paperround.subscribers.model import Frequency, Preferences
from paperround.subscribers.store.subscribers import SubscriberStore
from tests.databases import database_url, engine, postgres, postgres_url, sqlite_template
from tests.sample_database import deliveries_of
from tests.story.fortnight import DAYS, FEW, START, World

__all__ = ["database_url", "engine", "postgres", "postgres_url", "sqlite_template"]


def histories(world: World) -> dict[str, list[DeliveryEntry]]:
    with world.database.reading() as work:
        people = list(work[SubscriberStore].export(work[ListStore].get("trending").id))
        return {
            person.address.partition("@")[0]: deliveries_of(work, person.id, limit=100)
            for person, _ in people
        }


def owed(wish: Preferences, end: datetime) -> list[date]:
    """The local dates whose hour came within the two weeks."""
    assert wish.timezone is not None
    assert wish.hour is not None
    first = local_date(START, wish.timezone)
    days = (first + timedelta(days=n) for n in range(DAYS + 2))
    dues = {day: due_instant(day, wish.hour, wish.timezone) for day in days}
    return [day for day, due in dues.items() if due is not None and START <= due < end]


@pytest.mark.early
@pytest.mark.accept("T1", part="a fortnight")
@pytest.mark.accept("T6", part="two processes, small")
@pytest.mark.accept("F19", part="a fortnight")
@pytest.mark.accept("F20", part="a fortnight")
@pytest.mark.accept("R2", part="a fortnight")
def test_two_weeks_bring_exactly_the_promised_mails(tmp_path: Path) -> None:
    with opened(f"sqlite:///{tmp_path / 'world.db'}") as engine:
        upgrade(engine)
        keeps_its_promises(World(SqlDatabase(engine), people=FEW, together=12))


@pytest.mark.long
@pytest.mark.accept("T6", part="two processes")
def test_two_weeks_in_quarters_of_an_hour_on_every_database(engine: Engine) -> None:
    keeps_its_promises(World(SqlDatabase(engine), step=timedelta(minutes=15)))


def keeps_its_promises(world: World) -> None:
    wishes = world.settle_in()
    world.live()
    rows = histories(world)
    assert (len(rows), world.restarts) == (world.people, DAYS)
    for name, wish in wishes.items():
        assert sorted(row.local_date for row in rows[name]) == owed(wish, world.present.moment)
    every_mail_is_accounted_for(world, [row for mine in rows.values() for row in mine])
    never_twice(world)
    assert world.alerts == []
    mails = Counter(taken[0].partition("@")[0] for taken in world.relay.taken)
    weekly = [name for name, wish in wishes.items() if wish.frequency is Frequency.WEEKLY]
    assert {mails[name] for name in weekly} == {2}


def every_mail_is_accounted_for(world: World, rows: list[DeliveryEntry]) -> None:
    """What left is recorded as sent, or, where the power failed at that moment, as unknown."""
    states = Counter(row.state for row in rows)
    taken = world.relay.taken
    assert len({message_id for _, message_id, _ in taken}) == len(taken)
    assert states[DeliveryState.SENT] + states[DeliveryState.UNKNOWN] == len(taken)
    assert states[DeliveryState.UNKNOWN] <= world.restarts
    without = [row for row in rows if row.state is DeliveryState.SKIPPED]
    assert states.total() == len(taken) + len(without)
    known = {"not-their-day", "no-new-papers", "no-papers-at-all", "holiday"}
    assert {row.reason for row in without} <= known
    for row in rows:
        if row.sent_at is not None:
            assert row.due_at <= row.sent_at <= row.due_at + LONGEST_WAIT + 2 * world.step


def never_twice(world: World) -> None:
    """No paper reached a person twice."""
    with world.database.reading() as work:
        trending = work[ListStore].get("trending")
        seen: dict[str, list[int]] = defaultdict(list)
        for person, _ in work[SubscriberStore].export(trending.id):
            for row in deliveries_of(work, person.id, limit=100):
                slip = work[Ledger].find(
                    trending.id, person.id, DigestKind(row.kind), row.local_date
                )
                assert slip is not None
                if row.state is DeliveryState.SENT:
                    papers = work[EditionStore].get(slip.edition_id).papers
                    seen[person.address] += [papers[n - 1].paper_id for n in slip.positions]
    assert all(len(papers) == len(set(papers)) for papers in seen.values())
