"""Two real weeks of arXiv and of Hugging Face's votes: what digests told of the papers left out."""

import gzip
import json
import shutil
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

from paperround.core.times import midnight_utc
from paperround.db.transactions import SqlDatabase
from paperround.delivery.ledger_model import DeliveryContent
from paperround.delivery.store.ledger import Ledger
from paperround.digests.model import papers_at
from paperround.editions.model import DigestKind, Edition
from paperround.editions.store.editions import EditionStore
from paperround.editions.store.lists import ListStore
from paperround.personal.ranking import PersonalRanking
from paperround.subscribers.interests import Interest, InterestKind
from paperround.subscribers.model import Frequency, Preferences
from paperround.subscribers.store.subscribers import SubscriberStore
from tests.databases import opened
from tests.personal.personal_ranking import person
from tests.ranking.real_days import MAIL_ALONE, Polls, Replay, polls_between
from tests.sample_database import subscribe

FIRST, LAST = date(2026, 1, 12), date(2026, 1, 26)
FIELDS = {"RO", "MA"}
"""Of the archive of computer science, to keep the replay short."""
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
READERS = {
    "everything": (Preferences(), ()),
    "short": (Preferences(size=3), ()),
    "agents": (Preferences(size=5), ("category:cs.MA",)),
    "robots": (Preferences(size=8), ("category:cs.RO", "topic:robot")),
    "weekly": (Preferences(frequency=Frequency.WEEKLY, size=10), ("topic:agents",)),
}

Told = list[tuple[date, Edition, DeliveryContent]]
"""The digests of one reader, oldest first."""


@pytest.fixture(scope="module")
def polls(real_data: Path) -> Polls:
    """Some fields of arXiv at one o'clock of each day, and Hugging Face's lists as they came."""
    polls = polls_between(real_data / "hf_daily_papers", FIRST, LAST)
    with gzip.open(real_data / "arxiv_daily" / "papers.jsonl.gz") as lines:
        for row in map(json.loads, lines):
            day = date.fromisoformat(row["first_listed"])
            fields = {one.partition(".")[2] for one in row.get("categories", [])}
            if FIRST <= day <= LAST and fields & FIELDS:
                kept = {name: row[name] for name in ("id", "title", "summary", "authors")}
                kept |= {"listed_on": row["first_listed"], "categories": row.get("categories", [])}
                polls.setdefault(midnight_utc(day) + HOUR, []).append(kept)
    return polls


@pytest.fixture(scope="module")
def told(
    polls: Polls, sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Told]]:
    path = tmp_path_factory.mktemp("replay") / "paperround.db"
    shutil.copy(sqlite_template, path)
    with opened(f"sqlite:///{path}") as engine:
        database = SqlDatabase(engine)
        with database.writing() as work:
            work[ListStore].ensure_default(zone="UTC", now=midnight_utc(FIRST))
        for name, (wish, interests) in READERS.items():
            subscribe(database, name, wish=wish)
            kinds = [one.partition(":") for one in interests]
            wanted = [Interest(InterestKind(kind), value) for kind, _, value in kinds]
            with database.reading() as work:
                who = person(database, name)
            with database.writing() as work:
                work[SubscriberStore].set_interests(who, wanted, now=midnight_utc(FIRST))
        replay = Replay(database, personal_ranking=PersonalRanking())
        replay.run(FIRST, LAST, polls, hours=MAIL_ALONE)
        yield {name: digests_of(database, name) for name in READERS}


def digests_of(database: SqlDatabase, name: str) -> Told:
    days = [FIRST + DAY * number for number in range((LAST - FIRST).days + 1)]
    with database.reading() as work:
        trending, who = work[ListStore].get("trending"), person(database, name)
        rows = [work[Ledger].find(trending.id, who, DigestKind.DIGEST, day) for day in days]
        return [
            (row.local_date, work[EditionStore].get(row.edition_id), row)
            for row in rows
            if row is not None and row.positions
        ]


def new_papers(polls: Polls, as_of: datetime, length: timedelta) -> dict[str, set[str]]:
    """The categories of the papers that were listed for the first time, by the lists alone."""
    known: set[str] = set()
    new: dict[str, set[str]] = {}
    for at in sorted(one for one in polls if one <= as_of):
        for row in polls[at]:
            is_new = row["id"] not in known and at > as_of - length
            if is_new and midnight_utc(date.fromisoformat(row["listed_on"])) > as_of - length - DAY:
                new[row["id"]] = set()
            if row["id"] in new:
                new[row["id"]].update(row.get("categories") or ())
            known.add(row["id"])
    return new


@pytest.mark.slow
@pytest.mark.accept("F61", part="replayed", mutant="all-of-a-mail-is-new")
def test_the_number_of_new_papers_is_what_the_listings_had(
    polls: Polls, told: dict[str, Told]
) -> None:
    for name, digests in told.items():
        assert len(digests) >= 2
        for _, edition, row in digests:
            new = new_papers(polls, edition.as_of, (7 if name == "weekly" else 1) * DAY)
            field = {"agents": "cs.MA", "robots": "cs.RO"}.get(name)
            mine = {one for one, of in new.items() if field is None or field in of}
            here = {paper.identifiers["arxiv"] for paper in papers_at(edition, row.positions)}
            found = row.new_papers
            assert (found is None) == (not mine), (name, row.local_date)
            if found is not None:
                assert (found.new, found.here) == (len(mine), len(mine & here))


@pytest.mark.slow
@pytest.mark.accept("F61", part="replayed", mutant="a-sent-paper-was-left-out")
def test_what_rose_later_was_never_sent(
    told: dict[str, Told], capsys: pytest.CaptureFixture[str]
) -> None:
    lines = dict.fromkeys(told, 0)
    for name, digests in told.items():
        sent: set[int] = set()
        for day, edition, row in digests:
            sent |= {paper.paper_id for paper in papers_at(edition, row.positions)}
            risen = {one.paper_id for one in row.risen}
            assert not risen & sent, (name, day)
            assert not risen or name == "weekly" or day.weekday() == 0
            lines[name] += len(row.risen)
    with capsys.disabled():
        print(f"\nrose later, {FIRST} to {LAST}: {lines}")  # noqa: T201 - the measurement
    assert sum(lines.values()) > 0
