"""Two real weeks, as they came: what each reader was sent, and which papers rose."""

import shutil
from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest

from paperround.core.times import midnight_utc
from paperround.db.transactions import SqlDatabase
from paperround.editions.model import Edition
from paperround.editions.store.lists import ListStore
from paperround.papers.store.papers import PaperStore
from paperround.subscribers.model import Frequency, Preferences
from tests.builders import english
from tests.databases import opened
from tests.ranking.real_days import Polls, Replay, Sent, named, polls_between
from tests.sample_database import subscribe

FIRST, LAST = date(2025, 12, 8), date(2025, 12, 21)
MOVED_BY_THE_SOURCE = "2512.13281"
"""Listed with 2 votes on the 16th, and with 43 on the 17th."""

READERS = {
    "ada": Preferences(),
    "bert": Preferences(timezone="Europe/Berlin", hour=19),
    "dan": Preferences(frequency=Frequency.WEEKDAYS),
    "kiri": Preferences(timezone="Pacific/Auckland", hour=7),
    "lana": Preferences(timezone="America/Los_Angeles", hour=7, size=30),
    "some": Preferences(size=5),
    "week": Preferences(frequency=Frequency.WEEKLY, weekday="fri"),
}
EVERY_DAY = ("ada", "bert", "kiri", "lana")
"""Those who get all of the first twelve, each day."""


def list_again(polls: Polls, of: date, on: date, *, votes: int) -> set[str]:
    """Let the source list the last twelve papers of one day on another one too, in its last reading
    of that one, with more votes. Returns which."""
    source = max(at for at in polls if at.date() == of)
    again = polls[source][-12:]
    polls[max(at for at in polls if at.date() == on)] += [
        {
            **row,
            "listed_on": on.isoformat(),
            "submitted_on_daily_at": f"{on}T02:00:00Z",
            "captured_at": f"{on}T15:00:00Z",
            "upvotes": row["upvotes"] + votes,
        }
        for row in again
    ]
    return {row["id"] for row in again}


@pytest.fixture(scope="module")
def polls(real_data: Path) -> Polls:
    """What was read; to the paper that did move two days, days of others are added."""
    found = polls_between(real_data / "hf_daily_papers", FIRST, LAST)
    list_again(found, date(2025, 12, 9), date(2025, 12, 15), votes=200)
    list_again(found, date(2025, 12, 11), date(2025, 12, 12), votes=60)
    return found


@pytest.fixture(scope="module")
def replay(
    polls: Polls, sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Replay]:
    path = tmp_path_factory.mktemp("replay") / "paperround.db"
    shutil.copy(sqlite_template, path)
    with opened(f"sqlite:///{path}") as engine:
        database = SqlDatabase(engine)
        with database.writing() as work:
            work[ListStore].ensure_default(zone="UTC", now=midnight_utc(FIRST))
        for name, wish in READERS.items():
            subscribe(database, name, wish=wish)
        replay = Replay(database)
        replay.run(FIRST, LAST, polls)
        yield replay


@pytest.fixture(scope="module")
def mails(replay: Replay) -> dict[str, list[Sent]]:
    return replay.mails()


def risers(replay: Replay, polls: Polls, edition: Edition) -> dict[str, str]:
    """The papers of the first twelve that the same cut of the day before had further down, or
    lower than it goes, with fewer votes; with what there is to say of each."""
    place = (edition.day - timedelta(days=1), edition.cut)
    before = next((one for one in replay.editions if (one.day, one.cut) == place), None)
    if before is None:
        return {}
    read = {row["id"] for at, rows in polls.items() if at <= before.as_of for row in rows}
    above, below = named(before.papers[:12]), named(before.papers[12:])
    told = {}
    for name, paper in named(edition.papers[:12]).items():
        then = below[name].votes if name in below else None
        gained = (paper.votes or 0) - (then or 0)
        if name in read and name not in above and gained > 0:
            words = f"Rose since yesterday: {paper.votes:,} votes"
            told[name] = f"{words}, {gained:,} new" if name in below else words
    return told


@pytest.mark.accept("F14")
def test_nobody_is_sent_a_paper_twice(mails: dict[str, list[Sent]]) -> None:
    assert {name: len(mails[name]) >= 2 for name in READERS} == dict.fromkeys(READERS, True)
    for name in READERS:
        sent = Counter(paper for mail in mails[name] for paper in mail.papers)
        assert set(sent.values()) == {1}, name


@pytest.mark.slow
@pytest.mark.accept("F14")
def test_what_stands_in_the_first_twelve_is_sent_that_day_or_was_before(
    mails: dict[str, list[Sent]],
) -> None:
    for name in EVERY_DAY:
        sent: set[str] = set()
        for mail in mails[name]:
            sent |= mail.papers.keys()
            assert named(mail.edition.papers[:12]).keys() <= sent, (name, mail.day)


@pytest.mark.accept("F14")
def test_a_day_without_new_papers_brings_what_was_left_of_the_days_before(
    mails: dict[str, list[Sent]], polls: Polls
) -> None:
    (saturday,) = (mail for mail in mails["ada"] if mail.day == date(2025, 12, 20))
    assert saturday.day not in {at.date() for at in polls}
    assert len(saturday.papers) == 12


@pytest.mark.accept("F14")
def test_a_late_riser_is_sent_on_the_day_it_rises_and_says_so(
    replay: Replay, polls: Polls, mails: dict[str, list[Sent]]
) -> None:
    carried: dict[str, set[str]] = {}
    for name in EVERY_DAY:
        sent: set[str] = set()
        for mail in mails[name]:
            rose = risers(replay, polls, mail.edition)
            for paper in rose.keys() - sent:
                assert mail.reasons[paper] == rose[paper]
                carried.setdefault(paper, set()).add(name)
            sent |= mail.papers.keys()
    assert len(carried) >= 3
    assert carried[MOVED_BY_THE_SOURCE] == {"ada", "bert", "kiri"}  # lana has it since the 16th


@pytest.mark.accept("F14")
def test_only_what_rose_says_so(replay: Replay, polls: Polls) -> None:
    found = 0
    for edition in replay.editions:
        reasons = {name: english(one.reason) for name, one in named(edition.papers).items()}
        said = {name: why for name, why in reasons.items() if "Rose" in why}
        assert said == risers(replay, polls, edition)
        found += len(said)
    assert found == 58


@pytest.mark.accept("F14")
def test_a_paper_that_its_source_moved_or_listed_again_is_the_paper_it_was(
    replay: Replay, polls: Polls
) -> None:
    ids = {row["id"] for rows in polls.values() for row in rows}
    days: dict[str, set[str]] = {id_: set() for id_ in ids}
    for rows in polls.values():
        for row in rows:
            days[row["id"]].add(row["listed_on"])
    assert days[MOVED_BY_THE_SOURCE] == {"2025-12-16", "2025-12-17"}
    assert sum(len(listed) > 1 for listed in days.values()) == 25
    with replay.database.reading() as work:
        assert work[PaperStore].count() == len(ids)
        found = (
            work[PaperStore]
            .load(set(work[PaperStore].find({("arxiv", id_) for id_ in ids}).values()))
            .values()
        )
    assert {one.identifiers["arxiv"]: str(one.listed_on) for one in found} == {
        id_: min(listed) for id_, listed in days.items()
    }
