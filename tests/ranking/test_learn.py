"""Learning by night: from the installation's own papers, once, and never of later days."""

import gzip
import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import delete, update

from paperround.core.errors import InvalidInput
from paperround.db.schema import tables as db
from paperround.db.slots import SlotStore
from paperround.db.transactions import Database, SqlDatabase
from paperround.editions.model import Ranking
from paperround.editions.store.lists import ListStore
from paperround.ops.cleanup import KEPT_SLOTS, clean_up
from paperround.ops.tick import learn_round
from paperround.papers.model import Count, Record
from paperround.ranking.learn import (
    KEPT_MODELS,
    NIGHT,
    LearnedRanker,
    LearnReport,
    learn,
    learn_if_due,
    ranking_page,
)
from paperround.ranking.models import ModelFacts, Ranker, TrainingBatch
from paperround.ranking.prior import PriorMaker
from paperround.ranking.rank import rank_list
from paperround.ranking.store import ModelStore
from paperround.ranking.trending import VERSION as RANKER
from paperround.ranking.weights import DEFAULTS
from tests.builders import english
from tests.fakes import NewestFirst
from tests.races import at_once
from tests.ranking.learned import told
from tests.ranking.learning import DAY, day_of, take
from tests.ranking.ranked_papers import occurs
from tests.sample_database import IDENTITY

HOUR = timedelta(hours=1)
FIRST = datetime(2026, 1, 5, tzinfo=UTC)
TONIGHT = datetime(2026, 1, 12, NIGHT, 1, tzinfo=UTC)


@dataclass(frozen=True)
class NamedRanker(NewestFirst):
    """Orders like any other, under a name of its own."""

    name: str


@dataclass
class Counting(PriorMaker):
    """Makes models that hold how many papers they are of."""

    least: int = 20
    version: str = "counting-1"
    fails: bool = False
    fitted: list[Sequence[TrainingBatch]] = field(default_factory=list)
    opened: list[bytes] = field(default_factory=list)

    name = "count"
    plain = NamedRanker("plain")

    def fit(self, cohorts: Sequence[TrainingBatch]) -> tuple[bytes, ModelFacts] | None:
        self.fitted.append(cohorts)
        if self.fails:
            raise ZeroDivisionError
        papers = sum(len(one.settled) for one in cohorts)
        if papers < self.least:
            return None
        return f"{self.version} {papers}".encode(), facts(papers)

    def open(self, content: bytes) -> tuple[ModelFacts, Ranker]:
        self.opened.append(content)
        version, papers = content.decode().split()
        if version != self.version:
            raise InvalidInput(f"it is of {version}, and this program reads {self.version}")
        return facts(int(papers)), NamedRanker(f"plain+{papers}")


def facts(papers: int) -> ModelFacts:
    return ModelFacts(outcomes=papers, days=1, since=date.min, until=date.max, weights={})


def fill(database: Database, days: int = 4, *, feed: str = "hf", first: int = 0) -> None:
    """Ten papers a day from FIRST on, each counted at two days of age."""
    for number in range(days):
        day = FIRST + number * DAY
        records = day_of(day, range(10), first=first + 10 * number, at=2 * DAY)
        take(database, records, day + 2 * DAY, feed)


def models(database: Database, name: str = "count") -> int:
    with database.reading() as work:
        newest = work[ModelStore].newest(name, by=datetime.max.replace(tzinfo=UTC))
        return 0 if newest is None else newest.id


def ranked(database: Database, ranker: Ranker, now: datetime) -> Ranking:
    return rank_list(
        database=database, ranker=ranker, list_name="trending", day=None, now=now
    ).ranking


# --- what is learned from ----------------------------------------------------------------------


@pytest.mark.accept("F11", part="learned")
def test_settled_papers_are_learned_from_oldest_day_first(database: SqlDatabase) -> None:
    fill(database)
    maker = Counting()
    report = learn(database, maker, now=TONIGHT)
    assert [one.day for one in maker.fitted[0]] == [(FIRST + n * DAY).date() for n in range(4)]
    assert [one.votes for one in maker.fitted[0][0].settled] == list(range(10))
    assert (report.outcomes, report.days, report.feeds, report.least) == (40, 4, 1, 20)
    assert report.kept is not None
    assert (report.kept.as_of, report.kept.outcomes) == (TONIGHT, 40)


@pytest.mark.accept("F10", part="sources")
def test_each_feed_is_compared_with_itself(database: SqlDatabase) -> None:
    fill(database, 1)
    fill(database, 1, feed="lab", first=50)
    maker = Counting()
    report = learn(database, maker, now=TONIGHT)
    assert [len(one.settled) for one in maker.fitted[0]] == [10, 10]
    assert report.feeds == 2


def test_too_little_history_keeps_nothing_and_says_how_much_it_takes(
    database: SqlDatabase,
) -> None:
    fill(database, 1)
    report = learn(database, Counting(), now=TONIGHT)
    assert (report.outcomes, report.least, report.kept, report.facts) == (10, 20, None, None)
    assert models(database) == 0


def test_no_more_than_the_newest_papers_are_read(
    database: SqlDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("paperround.ranking.learn.MOST_OUTCOMES", 20)
    monkeypatch.setattr("paperround.ranking.learn.PAGE", 7)
    fill(database)
    maker = Counting()
    assert learn(database, maker, now=TONIGHT).outcomes == 20
    assert [one.day for one in maker.fitted[0]] == [(FIRST + n * DAY).date() for n in (2, 3)]


def test_old_models_are_forgotten(database: SqlDatabase) -> None:
    fill(database)
    for night in range(KEPT_MODELS + 2):
        learn(database, Counting(), now=TONIGHT + night * DAY)
    with database.reading() as work:
        assert work[ModelStore].newest("count", by=TONIGHT + DAY) is None
        assert work[ModelStore].newest("count", by=TONIGHT + 2 * DAY) is not None


# --- once a night ------------------------------------------------------------------------------


@pytest.mark.accept("F11", part="nightly")
def test_a_night_is_learned_from_once(database: SqlDatabase) -> None:
    fill(database)
    maker = Counting()
    assert learn_if_due(database, maker, now=TONIGHT.replace(hour=NIGHT - 1)) is None
    assert isinstance(learn_if_due(database, maker, now=TONIGHT), LearnReport)
    assert learn_if_due(database, maker, now=TONIGHT + timedelta(minutes=1)) is None
    assert learn_if_due(database, maker, now=TONIGHT + 5 * HOUR) is None
    assert learn_if_due(database, maker, now=TONIGHT + DAY) is not None
    assert len(maker.fitted) == 2


def test_a_night_with_too_little_to_learn_from_is_done_too(database: SqlDatabase) -> None:
    maker = Counting()
    assert learn_if_due(database, maker, now=TONIGHT) is not None
    assert learn_if_due(database, maker, now=TONIGHT + HOUR) is None


class Killed(BaseException):
    """The process is gone."""


class Mortal(Counting):
    """Is killed while it fits."""

    def fit(self, cohorts: Sequence[TrainingBatch]) -> tuple[bytes, ModelFacts] | None:
        raise Killed(cohorts)


@pytest.mark.accept("F11", part="nightly")
def test_a_night_that_was_cut_off_is_done_within_the_hour(database: SqlDatabase) -> None:
    fill(database)
    with pytest.raises(Killed):
        learn_if_due(database, Mortal(), now=TONIGHT)
    assert models(database) == 0
    soon = learn_if_due(database, Counting(), now=TONIGHT + timedelta(minutes=1))
    assert soon is None, "the hour has had its try"
    assert learn_if_due(database, Counting(), now=TONIGHT + HOUR) is not None
    assert models(database) > 0


@pytest.mark.accept("F11", part="nightly")
def test_two_who_learn_the_same_night_keep_one_model(database: SqlDatabase) -> None:
    fill(database)
    first = learn(database, Counting(), now=TONIGHT, night="2026-01-12")
    again = learn(database, Counting(), now=TONIGHT + HOUR, night="2026-01-12")
    assert first.kept is not None
    assert again.kept is None
    assert models(database) == first.kept.id


@pytest.mark.postgres
def test_machines_at_once_make_one_try_an_hour(database: SqlDatabase) -> None:
    fill(database)
    makers = [Counting() for _ in range(4)]
    at_once(4, lambda number: learn_if_due(database, makers[number], now=TONIGHT))
    assert sum(len(maker.fitted) for maker in makers) == 1


def test_learning_that_fails_keeps_nothing_else_from_its_work(
    database: SqlDatabase, caplog: pytest.LogCaptureFixture
) -> None:
    fill(database)
    failing = Counting(fails=True)
    for minute in range(3):
        assert learn_round(database, failing, now=TONIGHT + timedelta(minutes=minute)) is None
    assert len(failing.fitted) == 1
    assert [one.levelname for one in caplog.records if "'learn'" in one.message] == ["ERROR"]


def test_nights_long_past_are_forgotten(database: SqlDatabase) -> None:
    learn_if_due(database, Counting(), now=TONIGHT)
    clean_up(database=database, identity=IDENTITY, now=TONIGHT + KEPT_SLOTS + HOUR)
    with database.reading() as work:
        assert work[SlotStore].taken_at("learn", "2026-01-12") is None
        assert work[SlotStore].taken_at("learning", f"2026-01-12T0{NIGHT}") is None


# --- what is ranked with -----------------------------------------------------------------------


@pytest.mark.accept("F11", part="in use")
def test_a_ranker_that_lives_on_takes_up_what_was_learned_meanwhile(
    database: SqlDatabase,
) -> None:
    fill(database)
    maker = Counting()
    ranker = LearnedRanker(database, maker)
    assert ranked(database, ranker, TONIGHT).ranker == ranker.name == "plain"
    learn(database, maker, now=TONIGHT)
    assert ranked(database, ranker, TONIGHT).ranker == "plain+40"
    fill(database, 5)
    learn(database, maker, now=TONIGHT + DAY)
    assert ranked(database, ranker, TONIGHT + DAY).ranker == "plain+50"
    assert ranked(database, ranker, TONIGHT + DAY).ranker == "plain+50"
    assert len(maker.opened) == 2, "each model is read once"


@pytest.mark.accept("F11", part="never later")
def test_the_past_is_ranked_with_what_was_known_then(database: SqlDatabase) -> None:
    fill(database)
    maker = Counting()
    for night in range(3):
        learn(database, maker, now=TONIGHT + night * DAY)
    ranker = LearnedRanker(database, maker)
    assert ranked(database, ranker, TONIGHT - HOUR).ranker == "plain"
    assert ranker.in_use(TONIGHT - HOUR) is None
    for night in range(3):
        used = ranker.in_use(TONIGHT + night * DAY + HOUR)
        assert used is not None
        assert used.kept.as_of == TONIGHT + night * DAY
    with_date = rank_list(
        database=database,
        ranker=ranker,
        list_name="trending",
        day=(TONIGHT - DAY).date(),
        now=TONIGHT + 9 * DAY,
    )
    assert with_date.ranking.ranker == "plain"


def refused(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [one.message for one in caplog.records if "ranking without" in one.message]


@pytest.mark.accept("F11", part="damaged")
def test_a_damaged_model_is_said_once_and_ranked_without(
    database: SqlDatabase, caplog: pytest.LogCaptureFixture
) -> None:
    fill(database)
    learn(database, Counting(), now=TONIGHT)
    with database.writing() as work:
        work.connection.execute(update(db.models).values(content=b"counting-1 99"))
    ranker = LearnedRanker(database, Counting())
    assert [ranked(database, ranker, TONIGHT).ranker for _ in range(3)] == ["plain"] * 3
    assert ranker.in_use(TONIGHT) is None
    (said,) = refused(caplog)
    assert "differs from what was stored: `paperround learn` trains a new one" in said


@pytest.mark.accept("F11", part="damaged")
def test_a_model_of_another_version_is_said_once_and_ranked_without(
    database: SqlDatabase, caplog: pytest.LogCaptureFixture
) -> None:
    fill(database)
    learn(database, Counting(version="counting-0"), now=TONIGHT)
    ranker = LearnedRanker(database, Counting())
    assert [ranked(database, ranker, TONIGHT).ranker for _ in range(3)] == ["plain"] * 3
    (said,) = refused(caplog)
    assert "it is of counting-0, and this program reads counting-1" in said


def test_a_model_that_goes_while_it_is_asked_for_is_ranked_without(database: SqlDatabase) -> None:
    fill(database)
    learn(database, Counting(), now=TONIGHT)
    ranker = LearnedRanker(database, Counting())
    used = ranker.in_use(TONIGHT)
    assert used is not None
    with database.writing() as work:
        work.connection.execute(delete(db.models))
    fresh = LearnedRanker(database, Counting())
    assert fresh._open(used.kept) is None
    assert ranked(database, ranker, TONIGHT).ranker == "plain"


# --- the real thing ----------------------------------------------------------------------------

REAL_NIGHT = datetime(2026, 1, 30, NIGHT, tzinfo=UTC)
SINCE = date(2025, 12, 8)


def real_history(folder: Path) -> list[Record]:
    """Daily papers of the last weeks, each with its counts, as a feed would have told them."""
    counts: dict[str, list[Count]] = {}
    for row in rows(folder / "upvote_snapshots.jsonl.gz"):
        at = datetime.fromisoformat(str(row["captured_at"]))
        count = Count(signal="upvotes", value=int(str(row["upvotes"])), captured_at=at)
        counts.setdefault(str(row["id"]), []).append(count)
    return [
        Record(
            title=str(row["title"]),
            abstract=str(row["summary"]),
            authors=tuple(row["authors"]),  # type: ignore[arg-type]
            identifiers={"arxiv": str(row["id"])},
            listed_on=date.fromisoformat(str(row["listed_on"])),
            submitter=str(row["submitter"]) if row.get("submitter") else None,
            counts=tuple(counts.get(str(row["id"]), ())),
            fingerprint=str(row["id"]),
        )
        for row in rows(folder / "papers.jsonl.gz")
        if str(row["listed_on"]) >= SINCE.isoformat()
    ]


def rows(path: Path) -> list[dict[str, object]]:
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def without_votes(record: Record, day: date) -> Record:
    return replace(record, counts=()) if record.listed_on == day else record


@pytest.mark.slow
@pytest.mark.accept("F10", part="learned")
@pytest.mark.accept("F11", part="learned")
@pytest.mark.accept("F12", part="reason")
@pytest.mark.accept("Q9", part="prior")
def test_a_real_history_gives_a_model_by_which_the_next_day_is_ranked(
    sqlite_database: Database, real_data: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    today = REAL_NIGHT.date() - DAY
    history = real_history(real_data / "hf_daily_papers")
    with sqlite_database.writing() as work:
        work[ListStore].ensure_default(zone="UTC", now=REAL_NIGHT)
    known = [without_votes(one, today) for one in history if one.listed_on <= today]  # type: ignore[operator]
    take(sqlite_database, known, REAL_NIGHT)
    maker = PriorMaker()
    ranker = LearnedRanker(sqlite_database, maker)
    before = ranked(sqlite_database, ranker, REAL_NIGHT)
    report = learn_if_due(sqlite_database, maker, now=REAL_NIGHT)
    assert report is not None
    assert report.facts is not None
    assert report.facts.until == today - DAY
    assert 600 < report.outcomes < 1500
    after = ranked(sqlite_database, ranker, REAL_NIGHT + HOUR)
    assert before.ranker == RANKER
    assert after.ranker == f"{RANKER}+{maker.version}({report.outcomes} until {today - DAY})"
    fresh = [item for item in after.items if item.paper.listed_on == today]
    assert len(fresh) > 10
    assert all("prior_text" in item.parts for item in fresh)
    assert any("often popular here" in english(item.reason) for item in fresh)
    assert all(occurs(name, text) for name, text in told(after))
    assert all(
        item.paper.submitter not in english(item.reason) for item in fresh if item.paper.submitter
    )
    page = ranking_page(ranker, DEFAULTS, now=REAL_NIGHT + HOUR)
    assert page.ranker == after.ranker
    assert page.learned is not None
    assert page.learned.facts == report.facts
