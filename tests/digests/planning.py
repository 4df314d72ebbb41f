"""Days on which digests are planned."""

from datetime import UTC, date, datetime, timedelta

from paperround.db.transactions import SqlDatabase
from paperround.delivery.status import DeliveryEntry
from paperround.digests.plan import (
    Hours,
    PlanReport,
    Welcome,
    plan_due,
    plan_first_digest,
)
from paperround.digests.publish import draft, freeze
from paperround.editions.model import Edition
from paperround.editions.store.lists import ListStore
from paperround.ranking.rank import rank_list
from paperround.subscribers.model import Subscription
from paperround.subscribers.store.subscribers import SubscriberStore
from tests.fakes import NewestFirst
from tests.sample_database import IDENTITY, deliveries_of

HOURS = Hours(hour=7)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
SEVEN = datetime(2026, 1, 31, 7, tzinfo=UTC)
"""The first due instant of somebody in UTC whose clock starts on the 30th after seven."""


def at(hour: int, day: int = 31, minute: int = 0) -> datetime:
    return datetime(2026, 1, day, hour, minute, tzinfo=UTC)


def plan(database: SqlDatabase, now: datetime) -> PlanReport:
    return plan_due(database=database, identity=IDENTITY, hours=HOURS, now=now)["trending"]


def cut(database: SqlDatabase, cut_at: datetime, *, late: timedelta = timedelta()) -> Edition:
    """Freeze the edition of the cut that is due at `cut_at`, some time later."""
    now = cut_at + late
    ranked = rank_list(
        database=database,
        ranker=NewestFirst(),
        list_name="trending",
        day=cut_at.date(),
        now=now,
    )
    return freeze(database, draft(ranked, str(cut_at.hour // 6), now, cut_at=cut_at))


def history(database: SqlDatabase, name: str = "ada") -> list[DeliveryEntry]:
    """What became of a person's mails, oldest first."""
    with database.reading() as work:
        people = work[SubscriberStore].export(work[ListStore].get("trending").id)
        (person,) = (one for one, _ in people if one.address.startswith(name))
        return deliveries_of(work, person.id, limit=50)[::-1]


def days(database: SqlDatabase, name: str = "ada") -> list[tuple[date, str, str]]:
    return [(one.local_date, one.state.value, one.reason) for one in history(database, name)]


def welcome(database: SqlDatabase, now: datetime) -> Welcome:
    """Plan the first digest of the first reader, who has just confirmed."""
    with database.writing() as work:
        trending = work[ListStore].get("trending")
        person = next(iter(work[SubscriberStore].export(trending.id)))[0]
        subscription = work[SubscriberStore].subscription(person.id, trending.id)
        assert isinstance(subscription, Subscription)
        return plan_first_digest(
            work,
            hours=HOURS,
            mailing_list=trending,
            subscription=subscription,
            now=now,
        )
