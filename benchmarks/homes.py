"""An installation to measure with: of nobody's data, and gone when the measuring ends."""

import tempfile
from functools import cache
from pathlib import Path

from benchmarks.invented import NOW
from paperround.clock import FixedClock
from paperround.config import Settings
from paperround.jobs.publish import PublishReport, publish
from paperround.store.unit_of_work import Database
from paperround.wiring import Runtime


@cache
def _folder() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="paperround-bench-")


def home_to_measure() -> Runtime:
    """A runtime whose data folder is a temporary one."""
    folder = Path(_folder().name)
    return Runtime(Settings(data_dir=folder, secret_key="only-for-measuring-" * 2), FixedClock(NOW))


def publish_now(home: Runtime, database: Database) -> PublishReport:
    """Rank, freeze and plan the default list, as `digest send` does."""
    return publish(
        database=database,
        ranker=home.ranker,
        identity=home.identity,
        list_name="trending",
        day=None,
        cut="manual",
        now=NOW,
        opinions=home.opinions,
    )
