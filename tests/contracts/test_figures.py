"""Figures for the operator, on every database."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest
from sqlalchemy import Engine, insert, select, update

from paperround.bounces.handling import receive
from paperround.bounces.model import ReportKind
from paperround.core.errors import InvalidInput, NotFound
from paperround.db.schema import tables as db
from paperround.db.transactions import Database
from paperround.delivery.ledger_model import Claimed
from paperround.delivery.model import Evidence
from paperround.delivery.store.ledger import Ledger
from paperround.editions.model import DeliveryState, Edition
from paperround.editions.store.lists import ListStore
from paperround.ops.cleanup import clean_up
from paperround.ops.stats import MOST_DAYS, count_editions, stats, summarise
from paperround.ops.stats_model import (
    FeedSaves,
    LatenessFigures,
    QueueFigures,
    ReturnDay,
    SignupDay,
    SignupFigures,
    StatsSummary,
    SubscriberDay,
    SubscriberFigures,
)
from paperround.papers.model import PaperId
from paperround.signup.confirm import confirm
from paperround.subscribers.store.subscribers import SubscriberStore
from tests.builders import (
    DAY,
    HOUR,
    MINUTE,
    NOW,
    TOKEN,
    lease,
    move,
    new_delivery,
    plan,
    returned_event,
    seed_edition,
    seed_list,
    seed_papers,
    seed_subscribers,
)
from tests.sample_database import IDENTITY
from tests.self_service.readers import link, post, request, second_list, signup_context, subscribe

NAMES = ("alice", "bob", "carol", "dora")
DAYS = timedelta(days=1)
SENT, FAILED, DEFERRED = DeliveryState.SENT, DeliveryState.FAILED, DeliveryState.DEFERRED
UNKNOWN = DeliveryState.UNKNOWN


@dataclass
class Sent:
    """An edition that was sent to four people of one provider."""

    database: Database
    edition: Edition
    papers: Sequence[PaperId]
    rows: Sequence[Claimed]

    def say(self, verdict: str, *places: int, paper: int = 0) -> None:
        """Some of them say something of a paper of their digests."""
        with self.database.writing() as work:
            for place in places:
                row = self.rows[place]
                work[SubscriberStore].give_feedback(
                    row.subscriber_id, self.papers[paper], verdict, delivery=row.id, now=NOW
                )


def send(database: Database, *ends: DeliveryState, late: timedelta = MINUTE) -> Sent:
    """Four digests, each with its end."""
    trending = seed_list(database)
    papers = seed_papers(database, 2)
    edition = seed_edition(database, trending, papers)
    people = seed_subscribers(database, trending, NAMES)
    plan(database, edition, [new_delivery(one, papers, due_at=NOW) for one in people])
    with database.writing() as work:
        rows = work[Ledger].claim(lease(until=NOW + 12 * HOUR), limit=10, now=NOW)
        work[Ledger].mark_in_data([one.id for one in rows], TOKEN, until=NOW + 12 * HOUR, now=NOW)
        moves = [move(row, end) for row, end in zip(rows, ends, strict=True)]
        work[Ledger].settle(moves, now=NOW + late)
    return Sent(database, edition, papers, rows)


# --- subscribers and sign-ups --------------------------------------------------------------------


@pytest.mark.accept("F57", part="growth", mutant="who-is-paused-counts-as-active")
def test_people_are_counted_by_what_they_get_and_once_however_many_lists_they_read(
    database: Database, engine: Engine
) -> None:
    seed_subscribers(database, seed_list(database), NAMES)
    subscribe(signup_context(database), request("eve"), now=NOW)
    other = second_list(engine)
    with engine.begin() as connection:
        people = dict(
            connection.execute(select(db.subscribers.c.address, db.subscribers.c.id)).all()
        )
        ours = db.subscriptions

        def change(name: str, **values: object) -> None:
            theirs = ours.c.subscriber_id == people[f"{name}@mail.example"]
            connection.execute(update(ours).where(theirs).values(**values))

        change("bob", paused_until=DAY + 3 * DAYS)
        change("carol", state="unsubscribed")
        alice = select(ours).where(ours.c.subscriber_id == people["alice@mail.example"])
        row = dict(connection.execute(alice).mappings().one())
        list_id = connection.execute(select(db.lists.c.id).where(db.lists.c.name == other)).scalar()
        del row["id"]
        connection.execute(insert(ours).values({**row, "list_id": list_id}))
    found = stats(database, now=NOW)
    assert found.subscribers == SubscriberFigures(active=2, paused=1, waiting=1, left=1)
    assert stats(database, now=NOW, list_name=other).subscribers == SubscriberFigures(active=1)
    assert stats(database, now=NOW + 3 * DAYS).subscribers.active == 3, "bob is back that morning"


@pytest.mark.accept("F57", part="growth", mutant="nobody-counts-subscribers")
def test_the_hourly_round_keeps_how_many_there_were_each_day(database: Database) -> None:
    trending = seed_list(database)
    seed_subscribers(database, trending, NAMES[:1])
    clean_up(database=database, identity=IDENTITY, now=NOW)
    seed_subscribers(database, trending, NAMES)
    clean_up(database=database, identity=IDENTITY, now=NOW + HOUR)
    clean_up(database=database, identity=IDENTITY, now=NOW + 2 * DAYS)
    found = stats(database, now=NOW + 2 * DAYS)
    kept = [
        SubscriberDay(date=DAY, active=4),
        SubscriberDay(date=DAY + 2 * DAYS, active=4),
    ]
    assert found.subscribers_by_day == kept, "a day without a round is left out"
    assert stats(database, now=NOW + 2 * DAYS, list_name="trending").subscribers_by_day == kept
    assert stats(database, now=NOW + 2 * DAYS, days=1).subscribers_by_day == kept[1:]


def test_today_counts_the_subscribers_there_are_now(database: Database) -> None:
    trending = seed_list(database)
    clean_up(database=database, identity=IDENTITY, now=NOW)
    seed_subscribers(database, trending, NAMES)
    today = [SubscriberDay(date=DAY, active=4)]
    assert stats(database, now=NOW + MINUTE).subscribers_by_day == today
    assert stats(database, now=NOW + MINUTE, list_name="trending").subscribers_by_day == today


@pytest.mark.accept("F57", part="sign-ups", mutant="a-used-link-is-not-counted")
def test_sign_ups_are_counted_when_they_are_asked_for_confirmed_and_reminded(
    database: Database,
) -> None:
    seed_list(database)
    here = signup_context(database)
    for name in ("alice", "bob"):
        subscribe(here, request(name), now=NOW)
    first, second = post(database)
    assert confirm(here, link(first), now=NOW) is not None
    assert confirm(here, link(first), now=NOW) is None, "a link that is used again counts once"
    assert confirm(here, link(second)[:-1], now=NOW) is None
    later = NOW + 25 * HOUR
    clean_up(database=database, identity=IDENTITY, now=later)
    found = stats(database, now=later)
    assert found.signups == SignupFigures(asked=2, confirmed=1, reminded=1)
    assert found.signups_by_day == [
        SignupDay(date=DAY, asked=2, confirmed=1),
        SignupDay(date=DAY + DAYS, reminded=1),
    ]
    long_after = NOW + 20 * DAYS
    clean_up(database=database, identity=IDENTITY, now=long_after)
    kept = stats(database, now=long_after, list_name="trending")
    assert (kept.signups.asked, kept.subscribers.waiting) == (2, 0), "bob is forgotten, not his try"


# --- deliveries ----------------------------------------------------------------------------------


@pytest.mark.accept("F57", part="deliveries")
@pytest.mark.parametrize("counted", [False, True])
def test_digests_are_counted_by_state_day_and_domain(database: Database, counted: bool) -> None:
    send(database, SENT, SENT, FAILED, UNKNOWN)
    now = NOW + 2 * DAYS
    if counted:
        assert count_editions(database, now=now) == 1
    found = stats(database, now=now)
    [day] = found.deliveries_by_day
    assert (day.date, day.sent, day.failed, day.unknown, day.queued) == (DAY, 2, 1, 1, 0)
    assert found.deliveries.sent == 2
    [domain] = found.domains
    assert (domain.domain, domain.sent, domain.failed) == ("mail.example", 2, 1)
    assert stats(database, now=now, days=2).deliveries.sent == 0


@pytest.mark.accept("F57", part="no spying", mutant="a-domain-of-two-is-named")
@pytest.mark.parametrize("counted", [False, True])
def test_a_domain_of_fewer_than_three_people_is_one_of_the_others(
    database: Database, engine: Engine, counted: bool
) -> None:
    send(database, SENT, SENT, FAILED, SENT)
    with engine.begin() as connection:
        for table, key in ((db.subscribers, "id"), (db.deliveries, "subscriber_id")):
            two = connection.execute(select(table.c[key]).order_by(table.c[key]).limit(2)).scalars()
            rare = update(table).where(table.c[key].in_(list(two))).values(domain="rare.example")
            connection.execute(rare)
    now = NOW + 2 * DAYS
    if counted:
        count_editions(database, now=now)
        with engine.begin() as connection:
            kept = connection.execute(select(db.edition_figures.c.figures)).scalars().all()
        assert "rare.example" not in str(kept)
    [others] = stats(database, now=now).domains
    assert (others.domain, others.sent, others.failed) == ("others", 3, 1)


@pytest.mark.accept("F57", part="deliveries", mutant="an-edition-is-counted-too-early")
def test_an_edition_is_counted_for_good_only_once_its_digests_are_at_an_end(
    database: Database,
) -> None:
    send(database, SENT, SENT, SENT, DEFERRED)
    assert count_editions(database, now=NOW + 20 * HOUR) == 0
    assert stats(database, now=NOW + 20 * HOUR).deliveries.deferred == 1
    assert count_editions(database, now=NOW + 22 * HOUR) == 1
    assert count_editions(database, now=NOW + 22 * HOUR) == 0


@pytest.mark.accept("F57", part="deliveries", mutant="late-digests-of-an-edition-are-left-out")
def test_an_edition_is_counted_again_when_more_digests_were_planned_from_it(
    database: Database,
) -> None:
    edition = send(database, SENT, SENT, SENT, SENT).edition
    later = NOW + 22 * HOUR
    assert count_editions(database, now=later) == 1
    with database.writing() as work:
        trending = work[ListStore].get("trending")
    [eve] = seed_subscribers(database, trending, ("eve",))
    plan(database, edition, [new_delivery(eve, due_at=later)])
    assert stats(database, now=later).deliveries.queued == 1
    assert count_editions(database, now=later + 22 * HOUR) == 1
    found = stats(database, now=later + 22 * HOUR).deliveries
    assert (found.sent, found.queued) == (4, 1)


@pytest.mark.accept("F57", part="lateness", mutant="half-an-hour-late-is-on-time")
@pytest.mark.parametrize(("late", "over"), [(30 * MINUTE, 0), (31 * MINUTE, 4)])
def test_lateness_is_told_from_the_readers_hour_on(
    database: Database, late: timedelta, over: int
) -> None:
    send(database, SENT, SENT, SENT, SENT, late=late)
    seconds = int(late.total_seconds())
    assert stats(database, now=NOW).lateness == LatenessFigures(
        median_seconds=seconds, p95_seconds=seconds, max_seconds=seconds, over_30_minutes=over
    )


def test_the_median_and_the_95th_percentile_are_those_of_all_digests() -> None:
    late = {5: 60, 10: 35, 600: 4, 7200: 1}
    assert LatenessFigures.of(late) == LatenessFigures(
        median_seconds=5, p95_seconds=10, max_seconds=7200, over_30_minutes=1
    )
    assert LatenessFigures.of({}).median_seconds is None


@pytest.mark.accept("F57", part="deliveries")
def test_the_queue_tells_what_waits_and_since_when(database: Database) -> None:
    send(database, SENT, UNKNOWN, DEFERRED, SENT)
    later = NOW + HOUR
    assert stats(database, now=later).queue == QueueFigures(
        waiting=1, oldest_due_at=NOW, oldest_seconds=3600, unknown=1
    )


# --- what comes back, and feedback ---------------------------------------------------------------


@pytest.mark.accept("F57", part="bounces")
def test_bounces_and_complaints_are_counted_by_day(database: Database, engine: Engine) -> None:
    sent = send(database, SENT, SENT, SENT, SENT)
    named = [
        replace(
            returned_event(event_id=f"event {place}", kind=kind, evidence=evidence),
            way="hook:postmark",
            message_id=sent.rows[place].message_id,
            recipient=f"{NAMES[place]}@mail.example",
        )
        for place, (kind, evidence) in enumerate(
            [
                (ReportKind.BOUNCE, Evidence.GONE),
                (ReportKind.COMPLAINT, Evidence.COMPLAINT),
                (ReportKind.AUTO_REPLY, Evidence.AUTO_REPLY),
            ]
        )
    ]
    receive(database, IDENTITY.keys, named[:2], now=NOW)
    receive(database, IDENTITY.keys, named[2:], now=NOW + DAYS)
    wanted = [ReturnDay(date=DAY, bounces=1, complaints=1)]
    assert stats(database, now=NOW + DAYS).returned_by_day == wanted
    assert stats(database, now=NOW + DAYS, list_name="trending").returned_by_day == wanted
    assert stats(database, now=NOW, list_name=second_list(engine)).returned_by_day == []


@pytest.mark.accept("F57", part="no spying", mutant="two-people-are-counted")
def test_feedback_of_fewer_than_three_people_is_not_counted(database: Database) -> None:
    sent = send(database, SENT, SENT, SENT, SENT)
    sent.say("save", 0, 1, 2)
    sent.say("more", 0, 1)
    sent.say("more", 0, paper=1)
    [told] = stats(database, now=NOW).feedback
    assert (told.list, told.date, told.cut) == ("trending", DAY, "0")
    assert (told.saved, told.more, told.less) == (3, "<3", "<3")


@pytest.mark.accept("F57", part="feedback", mutant="one-reader-makes-a-feed-look-good")
def test_a_feed_is_praised_by_three_people_not_by_one_who_saves_much(database: Database) -> None:
    sent = send(database, SENT, SENT, SENT, SENT)
    sent.say("save", 0, 1)
    sent.say("save", 0, 1, paper=1)
    assert stats(database, now=NOW).saves_by_feed == []
    sent.say("save", 2)
    assert stats(database, now=NOW).saves_by_feed == [FeedSaves(feed="hf", saves=5)]
    assert stats(database, now=NOW, list_name="trending").saves_by_feed[0].saves == 5


def test_the_summary_tells_the_same_as_the_figures(database: Database) -> None:
    sent = send(database, SENT, SENT, FAILED, UNKNOWN, late=31 * MINUTE)
    complaint = replace(
        returned_event(kind=ReportKind.COMPLAINT, evidence=Evidence.COMPLAINT),
        way="hook:postmark",
        message_id=sent.rows[0].message_id,
        recipient="alice@mail.example",
    )
    receive(database, IDENTITY.keys, [complaint], now=NOW)
    found, told = stats(database, now=NOW), summarise(database, now=NOW)
    assert told == StatsSummary(
        days=30, readers=3, confirmed=0, sent=2, late=2, bounces=0, complaints=1
    )
    assert (found.subscribers.active, found.deliveries.sent) == (told.readers, told.sent)
    assert (found.lateness.over_30_minutes, found.returned.complaints) == (told.late, 1)


# --- what is asked -------------------------------------------------------------------------------


@pytest.mark.parametrize("days", [0, -1, MOST_DAYS + 1])
def test_only_days_that_are_kept_can_be_asked_for(database: Database, days: int) -> None:
    with pytest.raises(InvalidInput, match="1 to 90"):
        stats(database, now=NOW, days=days)


def test_an_unknown_list_is_named(database: Database) -> None:
    seed_list(database)
    with pytest.raises(NotFound, match="nowhere"):
        stats(database, now=NOW, list_name="nowhere")
