"""Days on which an edition is published by hand, and what people are mailed then."""

from datetime import date, datetime, timedelta

from paperround.db.transactions import SqlDatabase
from paperround.delivery.store.ledger import Ledger
from paperround.digests.compose import digest_view, edition_content
from paperround.digests.model import DigestView
from paperround.digests.publish import publish
from paperround.editions.model import DigestKind
from paperround.editions.store.editions import EditionStore
from paperround.editions.store.lists import ListStore
from paperround.papers.model import Count, Record
from paperround.ranking.models import Ranker
from paperround.ranking.trending import TrendingRanker
from paperround.subscribers.store.subscribers import SubscriberStore
from tests.fakes import SENDER_IDENTITY
from tests.sample_database import IDENTITY, NOW, record

DAY = timedelta(days=1)
PLAIN = TrendingRanker()


def listed(number: int, votes: int, *, days_ago: int, now: datetime = NOW) -> Record:
    """A paper of an earlier day that has so many votes now."""
    count = Count(signal="upvotes", value=votes, captured_at=now)
    return record(number, listed_on=(now - days_ago * DAY).date(), counts=(count,))


def publish_at(database: SqlDatabase, now: datetime, ranker: Ranker = PLAIN) -> None:
    publish(
        database=database,
        ranker=ranker,
        identity=IDENTITY,
        list_name="trending",
        day=None,
        cut="manual",
        now=now,
    )


def mailed(
    database: SqlDatabase, name: str, day: date, kind: DigestKind = DigestKind.DIGEST
) -> DigestView:
    with database.reading() as work:
        trending = work[ListStore].get("trending")
        people = {one.address: one for one, _ in work[SubscriberStore].export(trending.id)}
        person = people[f"{name}@example.org"]
        slip = work[Ledger].find(trending.id, person.id, kind, day)
        assert slip is not None
        sheet = edition_content(
            work[EditionStore].get(slip.edition_id), "Trending papers", SENDER_IDENTITY
        )
    return digest_view(sheet, slip, "x" * 40)


def titles(view: DigestView) -> list[str]:
    return [paper.title for paper in view.papers]
