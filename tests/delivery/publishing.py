"""Publishing an edition in a test."""

from datetime import timedelta

from paperround.db.transactions import Database
from paperround.digests.publish import PublishReport, publish
from tests.fakes import NewestFirst
from tests.sample_database import IDENTITY, NOW


def send(database: Database, *, days: int = 0, dry_run: bool = False) -> PublishReport:
    return publish(
        database=database,
        ranker=NewestFirst(),
        identity=IDENTITY,
        list_name="trending",
        day=None,
        cut="manual",
        now=NOW + timedelta(days=days),
        dry_run=dry_run,
    )
