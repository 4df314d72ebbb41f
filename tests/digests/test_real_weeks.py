"""Real weeks and a month, as they came: what of their most voted papers weekly and monthly readers
were sent."""

import json
import shutil
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest

from paperround.core.times import midnight_utc
from paperround.db.transactions import SqlDatabase
from paperround.editions.store.lists import ListStore
from paperround.subscribers.model import WEEKDAYS, Frequency, Preferences
from tests.databases import opened
from tests.ranking.real_days import MAIL_ALONE, Polls, Replay, Sent, polls_between
from tests.sample_database import subscribe

FIRST, LAST = date(2025, 11, 1), date(2025, 12, 8)
FIRST_OF_NEXT_MONTH = date(2025, 12, 1)
BEST = 10


@pytest.fixture(scope="module")
def polls(real_data: Path) -> Polls:
    return polls_between(real_data / "hf_daily_papers", FIRST, LAST)


@pytest.fixture(scope="module")
def mails(
    polls: Polls, sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, list[Sent]]]:
    """What a monthly reader was sent, and a weekly one of each weekday from the second week on."""
    path = tmp_path_factory.mktemp("replay") / "paperround.db"
    shutil.copy(sqlite_template, path)
    with opened(f"sqlite:///{path}") as engine:
        database = SqlDatabase(engine)
        with database.writing() as work:
            work[ListStore].ensure_default(zone="UTC", now=midnight_utc(FIRST))
        for weekday in WEEKDAYS[:5]:
            wish = Preferences(frequency=Frequency.WEEKLY, weekday=weekday)
            subscribe(database, weekday, wish=wish)
        subscribe(database, "month", wish=Preferences(frequency=Frequency.MONTHLY))
        replay = Replay(database)
        replay.run(FIRST, LAST, polls, hours=MAIL_ALONE)
        yield {
            name: [one for one in sent if one.day >= FIRST + timedelta(days=7)]
            for name, sent in replay.mails().items()
        }


def most_voted(polls: Polls, sent: Sent) -> set[str]:
    """Of the papers listed in the seven days before, by what was counted when it was sent."""
    counted: dict[str, int] = {}
    for at in sorted(one for one in polls if one <= sent.edition.as_of):
        for row in polls[at]:
            if timedelta(0) < sent.day - date.fromisoformat(row["listed_on"]) <= timedelta(days=7):
                counted[row["id"]] = row["upvotes"]
    return set(sorted(counted, key=lambda one: -counted[one])[:BEST])


@pytest.mark.slow
@pytest.mark.accept("Q18", part="real weeks", mutant="a-week-is-ordered-like-a-day")
@pytest.mark.accept("F19", mutant="a-week-is-ordered-like-a-day")
def test_a_weekly_digest_holds_the_most_voted_papers_of_its_week(
    polls: Polls, mails: dict[str, list[Sent]]
) -> None:
    for weekday in WEEKDAYS[:5]:
        all_sent = mails[weekday]
        found = [len(most_voted(polls, one) & one.papers.keys()) / BEST for one in all_sent]
        assert len(found) >= 4
        assert sum(found) / len(found) >= 0.8, (weekday, found)


@pytest.mark.slow
@pytest.mark.accept("Q18", part="real weeks")
def test_of_what_was_most_voted_a_week_later_a_monday_holds_most(
    real_data: Path, mails: dict[str, list[Sent]]
) -> None:
    """Of votes that nobody knows yet, the site's own ranking seven days later tells."""
    best: dict[str, set[str]] = {}
    for line in (real_data / "weekly_top10" / "top10.jsonl").read_text().splitlines():
        row = json.loads(line)
        best.setdefault(row["week_start"], set()).add(row["id"])
    found = [
        len(best[week] & one.papers.keys()) / len(best[week])
        for one in mails["mon"]
        if (week := (one.day - timedelta(days=7)).isoformat()) in best
    ]
    assert len(found) >= 4
    assert sum(found) / len(found) >= 0.75


@pytest.mark.slow
@pytest.mark.accept("F23", part="a real month")
def test_a_monthly_digest_holds_the_most_voted_papers_of_its_month(
    polls: Polls, mails: dict[str, list[Sent]]
) -> None:
    [month] = mails["month"]
    assert month.day == FIRST_OF_NEXT_MONTH
    counted: dict[str, int] = {}
    for at in sorted(one for one in polls if one <= month.edition.as_of):
        counted |= {
            row["id"]: row["upvotes"]
            for row in polls[at]
            if FIRST <= date.fromisoformat(row["listed_on"]) < FIRST_OF_NEXT_MONTH
        }
    best = sorted(counted, key=lambda one: -counted[one])[:BEST]
    found = [one for one in best if one in month.papers]
    assert len(found) / BEST >= 0.8
    assert [month.papers[one].votes for one in found] == [counted[one] for one in found]


@pytest.mark.slow
@pytest.mark.accept("F23", part="a real month")
def test_no_paper_of_the_first_of_the_next_month_is_in_it(mails: dict[str, list[Sent]]) -> None:
    [month] = mails["month"]
    assert all(paper.listed for paper in month.papers.values())
    assert not any(
        paper.listed >= FIRST_OF_NEXT_MONTH.isoformat() for paper in month.papers.values()
    )
