"""Create a temporary installation to measure with."""

import tempfile
from functools import cache
from pathlib import Path

from benchmarks.invented import NOW
from paperround.bootstrap import AppContext
from paperround.config import Settings
from paperround.core.clock import FixedClock
from paperround.db.transactions import Database
from paperround.digests.publish import PublishReport, publish


@cache
def _folder() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="paperround-bench-")


def home_to_measure() -> AppContext:
    """An application context with its own temporary data folder, because the send mark in that
    folder belongs to one database."""
    folder = Path(tempfile.mkdtemp(dir=_folder().name))
    return AppContext(
        Settings(data_dir=folder, secret_key="only-for-measuring-" * 2), FixedClock(NOW)
    )


def publish_now(home: AppContext, database: Database) -> PublishReport:
    """Rank, freeze and plan the default list, as `digest send` does."""
    return publish(
        database=database,
        ranker=home.ranker,
        identity=home.identity,
        list_name="trending",
        day=None,
        cut="manual",
        now=NOW,
        personal_ranking=home.personal_ranking,
    )
