"""Publishing an edition in a test."""

from datetime import date, datetime, timedelta

from paperround.db.transactions import Database
from paperround.digests.publish import PublishReport, publish
from tests.fakes import NewestFirst
from tests.sample_database import IDENTITY, NOW


def send(
    database: Database,
    *,
    days: int = 0,
    of: date | None = None,
    at: datetime = NOW,
    dry_run: bool = False,
) -> PublishReport:
    return publish(
        database=database,
        ranker=NewestFirst(),
        identity=IDENTITY,
        list_name="trending",
        day=of,
        cut="manual",
        now=at + timedelta(days=days),
        dry_run=dry_run,
    )
