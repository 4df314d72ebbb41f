"""`paperround learn`, and what a running installation does by itself."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from paperround.access.store import AuditStore
from paperround.bootstrap import AppContext
from paperround.bootstrap.workers import LEARN, ROUNDS
from paperround.cli.app import app
from paperround.cli.options import actor
from paperround.config import Settings
from paperround.core.clock import FixedClock
from paperround.db.transactions import Database, SqlDatabase
from paperround.ranking.learn import NIGHT
from paperround.ranking.models import KeptModel
from paperround.ranking.prior import VERSION
from paperround.ranking.prior.predictor import GROUPS
from paperround.ranking.store import ModelStore
from paperround.ranking.trending import VERSION as RANKER
from tests.ranking.learning import DAY, day_of, take
from tests.waiting import until

FIRST = datetime(2025, 11, 1, tzinfo=UTC)
DAYS = 65
NIGHTFALL = FIRST + (DAYS + 1) * DAY + timedelta(hours=NIGHT)
NOW = NIGHTFALL.isoformat()


def run(*arguments: str) -> str:
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 0, done.output
    return done.stdout


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[AppContext]:
    """An installation whose clock stands in the night after its first days."""
    monkeypatch.setenv("PAPERROUND_DATA_DIR", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    made = AppContext(Settings(data_dir=tmp_path), FixedClock(NIGHTFALL))
    yield made
    if isinstance(made.database, SqlDatabase):
        made.database.close()


def fill(database: Database, days: int) -> None:
    records = [
        record
        for number in range(days)
        for record in day_of(FIRST + number * DAY, range(10), first=10 * number, at=2 * DAY)
    ]
    take(database, records, NIGHTFALL)


def newest(home: AppContext) -> KeptModel | None:
    with home.database.reading() as work:
        return work[ModelStore].newest("prior", by=NIGHTFALL)


@pytest.mark.accept("F11", part="command")
def test_with_too_little_history_the_command_says_so_and_what_helps(home: AppContext) -> None:
    fill(home.database, 3)
    words = run("learn", "--now", NOW)
    assert "no model was trained: there are 30 papers of 3 days with settled" in words
    assert "paperround ingest --file" in words
    told = json.loads(run("learn", "--now", NOW, "--json"))
    assert told == {"outcomes": 30, "days": 3, "feeds": 1, "least": 600, "model": None}


@pytest.mark.slow
@pytest.mark.accept("F11", part="command")
def test_the_command_learns_now_and_ranking_names_the_model(home: AppContext) -> None:
    fill(home.database, DAYS)
    told = json.loads(run("learn", "--now", NOW, "--json"))
    model = told["model"]
    with home.database.reading() as work:
        [entry] = work[AuditStore].page(before=None, limit=9)
    assert (entry.actor, entry.action) == (actor(), "learn")
    assert entry.details == {"model": model["id"], "papers": 10 * DAYS}
    assert (told["outcomes"], told["days"]) == (10 * DAYS, DAYS)
    assert (model["version"], model["since"], model["until"]) == (
        VERSION,
        "2025-11-01",
        "2026-01-04",
    )
    assert list(model["weights"]) == list(GROUPS)
    assert 1000 < model["bytes"] < 200_000
    ranker = f"{RANKER}+{VERSION}({10 * DAYS} until 2026-01-04)"
    assert json.loads(run("rank", "--now", NOW, "--json"))["ranker"] == ranker
    tried = json.loads(run("rank", "--now", NOW, "--try", "recency=1", "--json"))["ranker"]
    assert tried == ranker.replace(RANKER, f"{RANKER}(recency=1.0)")
    past = json.loads(run("rank", "--now", NOW, "--date", "2026-01-04", "--json"))["ranker"]
    assert past == RANKER


@pytest.mark.slow
def test_people_are_told_the_weights_by_part(home: AppContext) -> None:
    fill(home.database, DAYS)
    lines = run("learn", "--now", NOW).splitlines()
    assert lines[0] == (
        "learned from 650 papers of 65 days with settled votes, 2025-11-01 to 2026-01-04"
    )
    assert re.fullmatch(rf"model 1: {VERSION}, \d+ kB, in use from now on", lines[1])
    assert [line.split(":")[0].strip() for line in lines[3:]] == list(GROUPS)


@pytest.mark.accept("F11", part="nightly")
def test_a_running_installation_learns_by_night_and_uses_it_at_once(home: AppContext) -> None:
    fill(home.database, DAYS)
    ranker = home.ranker
    assert ranker.in_use(NIGHTFALL) is None
    assert LEARN in ROUNDS
    home.queue.put(LEARN)
    home.queue.start()
    assert until(lambda: newest(home) is not None)
    assert home.queue.stop(drain_seconds=20)
    first = newest(home)
    assert first is not None
    home.learn()
    assert newest(home) == first
    used = ranker.in_use(NIGHTFALL)
    assert used is not None
    assert used.kept == first


NUMBERS = """
import sys
from datetime import UTC, datetime
from paperround.cli import app
from paperround.core.clock import FixedClock
from paperround.config import Settings
from paperround.bootstrap import AppContext

clock = FixedClock(datetime(2026, 3, 2, 8, tzinfo=UTC))
home = AppContext(Settings(data_dir=sys.argv[1]), clock)
assert home.ranker.name.startswith("trending-")
assert home.ranker.in_use(home.clock.now()) is None
print([name for name in ("numpy", "scipy") if name in sys.modules])
"""


@pytest.mark.slow
def test_whoever_has_learned_nothing_loads_no_numbers(tmp_path: Path) -> None:
    command = [sys.executable, "-c", NUMBERS, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "[]\n"
