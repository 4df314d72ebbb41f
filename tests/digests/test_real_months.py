"""A real month, as it came: what of its most voted papers a monthly reader was sent."""

import shutil
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from paperround.core.times import midnight_utc
from paperround.db.transactions import SqlDatabase
from paperround.editions.store.lists import ListStore
from paperround.subscribers.model import Frequency, Preferences
from tests.databases import opened
from tests.ranking.real_days import MAIL_ALONE, Polls, Replay, Sent, polls_between
from tests.sample_database import subscribe

FIRST, LAST = date(2025, 11, 1), date(2025, 12, 1)
BEST = 10


@pytest.fixture(scope="module")
def polls(real_data: Path) -> Polls:
    return polls_between(real_data / "hf_daily_papers", FIRST, LAST)


@pytest.fixture(scope="module")
def mails(
    polls: Polls, sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, list[Sent]]]:
    """What a monthly reader was sent."""
    path = tmp_path_factory.mktemp("replay") / "paperround.db"
    shutil.copy(sqlite_template, path)
    with opened(f"sqlite:///{path}") as engine:
        database = SqlDatabase(engine)
        with database.writing() as work:
            work[ListStore].ensure_default(zone="UTC", now=midnight_utc(FIRST))
        subscribe(database, "month", wish=Preferences(frequency=Frequency.MONTHLY))
        replay = Replay(database)
        replay.run(FIRST, LAST, polls, hours=MAIL_ALONE)
        yield replay.mails()


@pytest.mark.slow
@pytest.mark.accept("F23", part="a real month")
def test_a_monthly_digest_holds_the_most_voted_papers_of_its_month(
    polls: Polls, mails: dict[str, list[Sent]]
) -> None:
    [month] = mails["month"]
    assert month.day == LAST
    counted: dict[str, int] = {}
    for at in sorted(one for one in polls if one <= month.edition.as_of):
        counted |= {
            row["id"]: row["upvotes"]
            for row in polls[at]
            if FIRST <= date.fromisoformat(row["listed_on"]) < LAST
        }
    best = sorted(counted, key=lambda one: -counted[one])[:BEST]
    found = [one for one in best if one in month.papers]
    print(f"{len(found)} of the {BEST} most voted of {len(counted)} papers")  # noqa: T201
    assert len(found) / BEST >= 0.8
    assert [month.papers[one].votes for one in found] == [counted[one] for one in found]


@pytest.mark.slow
@pytest.mark.accept("F23", part="a real month")
def test_no_paper_of_the_first_of_the_next_month_is_in_it(mails: dict[str, list[Sent]]) -> None:
    [month] = mails["month"]
    assert all(paper.listed for paper in month.papers.values())
    assert not any(paper.listed >= LAST.isoformat() for paper in month.papers.values())
