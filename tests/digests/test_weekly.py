"""Weekly readers get the best of seven days, and a Monday has what a weekend brought."""

import pytest

from paperround.db.transactions import SqlDatabase
from paperround.digests.render.composer import MailRenderer
from paperround.subscribers.model import Frequency, Preferences
from tests.digests.messages import sender_identity
from tests.digests.publishing import DAY, listed, mailed, publish_at, titles
from tests.sample_database import NOW, fill, subscribe

WEEKLY = Preferences(frequency=Frequency.WEEKLY, weekday="fri", size=5)


@pytest.fixture
def busy_friday(database: SqlDatabase) -> SqlDatabase:
    """Seventy papers of today, more than an edition shows, and four of Monday with more votes. On
    Thursday there was an edition without them."""
    fill(database, [listed(9, 1, days_ago=1)], NOW - DAY)
    publish_at(database, NOW - DAY)
    fill(database, [listed(n, 70, days_ago=4) for n in range(1, 5)])
    fill(database, [listed(n, 12, days_ago=0) for n in range(10, 80)])
    subscribe(database, "week", wish=WEEKLY)
    subscribe(database, "ada", wish=Preferences(size=5))
    publish_at(database, NOW)
    return database


@pytest.mark.accept("Q18", part="order", mutant="a-week-is-of-what-the-edition-shows")
@pytest.mark.accept("F19", mutant="a-week-is-of-what-the-edition-shows")
def test_a_week_opens_with_the_best_of_all_its_days(busy_friday: SqlDatabase) -> None:
    day, week = (mailed(busy_friday, name, NOW.date()) for name in ("ada", "week"))
    assert not {f"Paper {n}" for n in range(1, 5)} & set(titles(day))
    assert set(titles(week)[:4]) == {f"Paper {n}" for n in range(1, 5)}
    assert all(paper.gist for paper in week.papers)


@pytest.mark.accept("Q18", part="order", mutant="a-week-is-called-a-day")
def test_a_weekly_digest_says_so_and_leads_to_its_week(busy_friday: SqlDatabase) -> None:
    day, week = (mailed(busy_friday, name, NOW.date()) for name in ("ada", "week"))
    renderer = MailRenderer(sender_identity())
    assert renderer.render(week).subject.endswith(" · week of 23–29 Jan, 5 papers")
    assert renderer.render(day).subject.endswith(" · 5 papers, 30 Jan")
    assert week.web_url.endswith("/trending?period=week&date=2026-W05")
    assert week.more_papers == 0
    assert day.web_url.endswith("/editions/trending/2026-01-30/manual")


def test_the_score_of_a_weekly_paper_is_the_sum_of_its_parts(busy_friday: SqlDatabase) -> None:
    for paper in mailed(busy_friday, "week", NOW.date()).papers:
        assert paper.parts["week"] < 0
        assert paper.score == round(sum(paper.parts.values()), 4)


def test_what_a_weekly_reader_was_sent_is_not_sent_again(busy_friday: SqlDatabase) -> None:
    first = mailed(busy_friday, "week", NOW.date())
    publish_at(busy_friday, NOW + 7 * DAY)
    second = mailed(busy_friday, "week", (NOW + 7 * DAY).date())
    assert second.papers
    assert not set(titles(first)) & set(titles(second))


def test_a_weekly_digest_without_editions_in_its_week_is_of_its_day(database: SqlDatabase) -> None:
    fill(database, [listed(n, 12, days_ago=0) for n in range(1, 5)])
    subscribe(database, "week", wish=WEEKLY)
    publish_at(database, NOW)
    first = mailed(database, "week", NOW.date())
    subject = MailRenderer(sender_identity()).render(first).subject
    assert subject.endswith(" · 4 papers, 30 Jan")
    assert first.web_url.endswith("/editions/trending/2026-01-30/manual")


def test_a_monday_digest_of_a_week_leads_to_the_week_before(database: SqlDatabase) -> None:
    monday = NOW + 3 * DAY
    fill(database, [listed(9, 12, days_ago=0)])
    publish_at(database, NOW)
    fill(database, [listed(n, 12, days_ago=3, now=monday) for n in range(1, 5)], monday)
    subscribe(database, "week", wish=Preferences(frequency=Frequency.WEEKLY, weekday="mon"))
    publish_at(database, monday)
    assert mailed(database, "week", monday.date()).web_url.endswith("&date=2026-W05")


@pytest.mark.accept("F19", mutant="a-monday-misses-the-weekend")
def test_a_weekdays_reader_gets_what_the_weekend_brought_on_monday(database: SqlDatabase) -> None:
    subscribe(database, "ada", wish=Preferences(frequency=Frequency.WEEKDAYS, size=3))
    for days, number in ((0, 1), (1, 2), (2, 3), (3, 4)):
        now = NOW + days * DAY
        fill(database, [listed(number, 30, days_ago=0, now=now)], now)
        publish_at(database, now)
    assert titles(mailed(database, "ada", NOW.date())) == ["Paper 1"]
    assert mailed(database, "ada", (NOW + 3 * DAY).date()).papers
    assert set(titles(mailed(database, "ada", (NOW + 3 * DAY).date()))) == {
        "Paper 2",
        "Paper 3",
        "Paper 4",
    }
