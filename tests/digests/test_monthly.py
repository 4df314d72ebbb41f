"""Monthly readers get, on the first, the best of what the editions of a month showed."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from paperround.db.transactions import SqlDatabase
from paperround.digests.plan import Hours, Welcome, plan_due
from paperround.digests.publish import freeze_cuts
from paperround.digests.render.composer import MailRenderer
from paperround.digests.resend import send_missed
from paperround.editions.model import DigestKind, TrendingPeriod
from paperround.editions.store.lists import ListStore
from paperround.ranking.trending import TrendingRanker
from paperround.ranking.weights import Weights
from paperround.subscribers.model import Frequency, Preferences
from paperround.subscribers.store.subscribers import SubscriberStore
from tests.digests.messages import sender_identity
from tests.digests.planning import days, welcome
from tests.digests.publishing import DAY, listed, mailed, publish_at, titles
from tests.sample_database import IDENTITY, NOW, fill, subscribe

MONTHLY = Preferences(frequency=Frequency.MONTHLY, size=5)
FIRST = datetime(2026, 2, 1, 7, tzinfo=UTC)
FIFTH = datetime(2026, 1, 5, 7, tzinfo=UTC)
OLD_BEST = {f"Paper {n}" for n in range(1, 5)}


def run(
    database: SqlDatabase, start: datetime, end: datetime, step: timedelta = timedelta(hours=6)
) -> None:
    """Let time pass: a paper a day, the cuts, and the digests that are due."""
    now = start
    while now <= end:
        fill(database, [listed(now.day, 5, days_ago=0, now=now)], now)
        freeze_cuts(database=database, ranker=TrendingRanker(), now=now)
        plan(database, now)
        now += step


def rows(database: SqlDatabase) -> list[tuple[str, str, str]]:
    return [(day.isoformat(), state, reason) for day, state, reason in days(database, "month")]


def plan(database: SqlDatabase, now: datetime, *, hour: int = 7) -> None:
    plan_due(database=database, identity=IDENTITY, hours=Hours(hour=hour), now=now)


def change(database: SqlDatabase, name: str, wish: Preferences, now: datetime) -> None:
    """Save other choices, as the page of one's choices does."""
    with database.writing() as work:
        trending = work[ListStore].get("trending")
        people = {one.address: one for one, _ in work[SubscriberStore].export(trending.id)}
        person = people[f"{name}@example.org"]
        subscription = work[SubscriberStore].subscription(person.id, trending.id)
        assert subscription is not None
        work[SubscriberStore].choose(subscription.id, wish, now=now)


def publish_month(database: SqlDatabase, *, by_hand: bool = True) -> None:
    """Editions of the fifth and the twentieth, and one of the first with a paper of that day; not
    `by_hand`, the last one is a cut."""
    fill(database, [listed(n, 70, days_ago=0, now=FIFTH) for n in range(1, 5)], FIFTH)
    publish_at(database, FIFTH)
    twentieth = FIFTH + 15 * DAY
    fill(database, [listed(n, 12, days_ago=0, now=twentieth) for n in range(10, 80)], twentieth)
    publish_at(database, twentieth)
    fill(database, [listed(99, 300, days_ago=0, now=FIRST)], FIRST)
    if by_hand:
        publish_at(database, FIRST)
    else:
        freeze_cuts(database=database, ranker=TrendingRanker(), now=FIRST)


@pytest.mark.accept("F23", mutant="a-month-is-of-the-last-edition")
@pytest.mark.accept("F19", mutant="a-month-is-of-the-last-edition")
def test_a_month_opens_with_the_best_of_all_its_days(database: SqlDatabase) -> None:
    subscribe(database, "month", wish=MONTHLY)
    publish_month(database)
    view = mailed(database, "month", FIRST.date())
    assert set(titles(view)[:4]) == OLD_BEST
    assert len(view.papers) == 5
    assert "Paper 99" not in titles(view)
    assert all(paper.gist for paper in view.papers)
    for paper in view.papers:
        assert paper.score == pytest.approx(sum(paper.parts.values()), abs=1e-4)


@pytest.mark.accept("F23", mutant="a-month-counts-the-votes-of-a-day")
def test_a_month_counts_the_votes_that_came_after_a_paper_was_shown(database: SqlDatabase) -> None:
    subscribe(database, "month", wish=MONTHLY)
    fill(database, [listed(n, 9 - n, days_ago=0, now=FIFTH) for n in range(1, 9)], FIFTH)
    publish_at(database, FIFTH)
    later = FIFTH + 9 * DAY
    fill(database, [listed(8, 150, days_ago=9, now=later)], later)
    publish_at(database, FIRST)
    first = mailed(database, "month", FIRST.date()).papers[0]
    assert (first.title, first.votes) == ("Paper 8", 150)
    assert first.reason == ""


@pytest.mark.accept("F23", mutant="a-month-ignores-the-weight-of-votes")
@pytest.mark.parametrize("votes", [0.5, 1.0, 3.0])
def test_votes_since_weigh_as_the_operator_set_them(database: SqlDatabase, votes: float) -> None:
    """A paper with as many votes as another is worth as much, whenever they came."""
    subscribe(database, "month", wish=MONTHLY)
    ranker = TrendingRanker(weights=Weights(votes=votes))
    fill(database, [listed(n, 60, days_ago=0, now=FIFTH) for n in range(1, 5)], FIFTH)
    fill(database, [listed(5, 1, days_ago=0, now=FIFTH)], FIFTH)
    publish_at(database, FIFTH, ranker)
    later = FIFTH + 5 * DAY
    fill(database, [listed(n, 90, days_ago=5, now=later) for n in range(1, 6)], later)
    publish_at(database, FIRST, ranker)
    scores = {one.title: one.score or 0 for one in mailed(database, "month", FIRST.date()).papers}
    assert scores["Paper 5"] == pytest.approx(scores["Paper 4"], abs=votes)


@pytest.mark.accept("F23", mutant="a-month-is-called-a-day")
def test_a_monthly_digest_says_so_and_leads_to_its_month(database: SqlDatabase) -> None:
    subscribe(database, "month", wish=MONTHLY)
    publish_month(database)
    view = mailed(database, "month", FIRST.date())
    words = MailRenderer(sender_identity()).render(view)
    assert words.subject.endswith(" · January 2026, 5 papers")
    assert "Your month, January 2026, 5 papers" in words.text
    assert "Your month, January 2026" in words.html
    assert view.days == (date(2026, 1, 1), date(2026, 1, 31))
    assert view.web_url.endswith("/trending?period=month&date=2026-01")
    assert view.more_papers == 0


def test_a_monthly_digest_holds_as_many_papers_as_the_list_s_unless_its_reader_says(
    database: SqlDatabase,
) -> None:
    subscribe(database, "month", wish=Preferences(frequency=Frequency.MONTHLY))
    subscribe(database, "short", wish=Preferences(frequency=Frequency.MONTHLY, size=2))
    publish_month(database)
    assert len(mailed(database, "month", FIRST.date()).papers) == 12
    assert len(mailed(database, "short", FIRST.date()).papers) == 2


@pytest.mark.accept("F19", mutant="a-month-comes-every-day")
def test_only_the_first_of_the_reader_s_own_month_is_theirs(database: SqlDatabase) -> None:
    """In Auckland it is the first while UTC has the last evening of the month before."""
    auckland = Preferences(frequency=Frequency.MONTHLY, timezone="Pacific/Auckland", hour=9)
    subscribe(database, "month", wish=auckland)
    run(database, FIRST - 3 * DAY, FIRST)
    assert rows(database) == [
        ("2026-01-30", "skipped", "not-their-day"),
        ("2026-01-31", "skipped", "not-their-day"),
        ("2026-02-01", "queued", ""),
    ]
    assert mailed(database, "month", date(2026, 2, 1)).days[0] == date(2026, 1, 1)


@pytest.mark.accept("F19", part="clock changes")
def test_an_hour_that_comes_twice_on_the_first_brings_one_month(database: SqlDatabase) -> None:
    new_york = Preferences(frequency=Frequency.MONTHLY, timezone="America/New_York", hour=1)
    subscribe(database, "month", wish=new_york)
    first = datetime(2026, 11, 1, tzinfo=UTC)
    run(database, first - DAY, first + DAY, step=timedelta(hours=1))
    queued = [day for day, state, _ in rows(database) if state == "queued"]
    assert queued == ["2026-11-01"]
    assert mailed(database, "month", first.date()).days[0] == date(2026, 10, 1)


@pytest.mark.accept("F23", mutant="a-month-without-editions-has-no-reason")
def test_a_month_without_editions_sends_nothing_and_the_ledger_says_why(
    database: SqlDatabase,
) -> None:
    subscribe(database, "month", wish=MONTHLY)
    fill(database, [listed(1, 5, days_ago=0, now=FIRST)], FIRST)
    publish_at(database, FIRST)
    assert rows(database) == [("2026-02-01", "skipped", "no-editions")]


def test_a_month_whose_editions_were_empty_had_no_papers(database: SqlDatabase) -> None:
    subscribe(database, "month", wish=MONTHLY)
    publish_at(database, FIFTH)
    fill(database, [listed(1, 5, days_ago=0, now=FIRST)], FIRST)
    publish_at(database, FIRST)
    assert rows(database)[-1] == ("2026-02-01", "skipped", "no-new-papers")


@pytest.mark.accept("F23", part="paused")
def test_who_pauses_over_the_first_misses_that_month_only(database: SqlDatabase) -> None:
    paused = replace(MONTHLY, paused_until=date(2026, 2, 3))
    subscribe(database, "month", wish=paused)
    publish_month(database)
    assert rows(database)[-1] == ("2026-02-01", "skipped", "paused")
    tenth, march = FIRST + 9 * DAY, FIRST + 28 * DAY
    fill(database, [listed(200, 20, days_ago=0, now=tenth)], tenth)
    publish_at(database, tenth)
    publish_at(database, march)
    view = mailed(database, "month", march.date())
    assert set(titles(view)) == {"Paper 99", "Paper 200"}
    assert view.web_url.endswith("&date=2026-02")


@pytest.mark.accept("F23", part="changed in mid-month")
def test_what_came_daily_until_mid_month_does_not_come_again(database: SqlDatabase) -> None:
    subscribe(database, "month", wish=replace(MONTHLY, frequency=Frequency.DAILY, size=3))
    fill(database, [listed(n, 70 - n, days_ago=0, now=FIFTH) for n in range(1, 9)], FIFTH)
    publish_at(database, FIFTH)
    sent = titles(mailed(database, "month", FIFTH.date()))
    assert len(sent) == 3
    change(database, "month", MONTHLY, FIFTH + 10 * DAY)
    publish_at(database, FIRST)
    assert set(titles(mailed(database, "month", FIRST.date()))) == {
        f"Paper {n}" for n in range(1, 9)
    } - set(sent)
    change(database, "month", replace(MONTHLY, frequency=Frequency.DAILY), FIRST + DAY)
    fill(database, [listed(300, 7, days_ago=0, now=FIRST + DAY)], FIRST + DAY)
    publish_at(database, FIRST + DAY)
    assert titles(mailed(database, "month", (FIRST + DAY).date())) == ["Paper 300"]


@pytest.mark.accept("F23", mutant="a-month-is-of-the-best-sixty")
def test_who_had_the_best_of_a_month_gets_the_next_ones(database: SqlDatabase) -> None:
    """Sixty papers a day are shown, and this reader had sixty of the month."""
    subscribe(database, "month", wish=replace(MONTHLY, frequency=Frequency.DAILY, size=50))
    for day in (FIFTH, FIFTH + DAY):
        first = 100 * day.day
        fill(database, [listed(first + n, 90 - n, days_ago=0, now=day) for n in range(60)], day)
        publish_at(database, day)
    had = {
        title
        for day in (FIFTH, FIFTH + DAY)
        for title in titles(mailed(database, "month", day.date()))
    }
    assert len(had) == 100
    change(database, "month", MONTHLY, FIFTH + 2 * DAY)
    publish_at(database, FIRST)
    view = mailed(database, "month", FIRST.date())
    assert len(view.papers) == 5
    assert not had & set(titles(view))


@pytest.mark.accept("F23", part="missed")
def test_a_month_that_was_missed_is_sent_again_as_a_month(database: SqlDatabase) -> None:
    subscribe(database, "month", wish=MONTHLY)
    plan(database, FIRST - timedelta(hours=2))
    publish_month(database, by_hand=False)
    late = FIRST + timedelta(hours=22)
    plan(database, late)
    assert rows(database)[-1] == ("2026-02-01", "expired", "missed")
    found = send_missed(database, "trending", identity=IDENTITY, day=FIRST.date(), now=late)
    assert found.planned == 1
    view = mailed(database, "month", FIRST.date(), DigestKind.REPLACEMENT)
    assert set(titles(view)[:4]) == OLD_BEST
    assert view.period is TrendingPeriod.MONTH


def test_two_months_share_no_paper(database: SqlDatabase) -> None:
    subscribe(database, "month", wish=MONTHLY)
    publish_month(database)
    march = FIRST + 28 * DAY
    publish_at(database, march)
    one, other = (mailed(database, "month", day.date()) for day in (FIRST, march))
    assert titles(other) == ["Paper 99"]
    assert not set(titles(one)) & set(titles(other))


def test_topics_of_a_monthly_reader_are_looked_for_in_the_whole_month(
    database: SqlDatabase,
) -> None:
    subscribe(database, "month", wish=replace(MONTHLY, topics=("zebrafish",)))
    fill(
        database,
        [replace(listed(500, 1, days_ago=0, now=FIFTH), abstract="It ends with zebrafish.")],
        FIFTH,
    )
    publish_month(database)
    view = mailed(database, "month", FIRST.date())
    assert "Paper 500" in titles(view)


@pytest.mark.accept("F23", part="newcomers")
def test_a_newcomer_gets_that_day_s_digest_at_once_and_the_month_on_the_first(
    database: SqlDatabase,
) -> None:
    subscribe(database, "month", wish=MONTHLY)
    fill(database, [listed(n, 90 - n, days_ago=1) for n in range(1, 13)])
    freeze_cuts(database=database, ranker=TrendingRanker(), now=NOW)
    assert welcome(database, NOW) is Welcome.DUE
    plan(database, NOW)
    assert rows(database) == [("2026-01-30", "queued", "")]
    run(database, NOW + DAY, FIRST)
    assert rows(database)[1:] == [
        ("2026-01-31", "skipped", "not-their-day"),
        ("2026-02-01", "queued", ""),
    ]
    at_once, month = (mailed(database, "month", day) for day in (NOW.date(), FIRST.date()))
    assert (at_once.period, month.period) == (TrendingPeriod.DAY, TrendingPeriod.MONTH)
