"""Days to learn from."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from paperround.db.transactions import Database
from paperround.feeds.ingest import ingest
from paperround.papers.model import Count, ParsedBatch, Record

DAY = timedelta(days=1)


def day_of(day: datetime, votes: Iterable[int], *, first: int, at: timedelta) -> list[Record]:
    """Papers listed on a day, counted `at` that age."""
    return [
        Record(
            title=f"Paper {first + place}",
            abstract=f"We present paper {first + place}.",
            identifiers={"arxiv": f"2601.{first + place:05}"},
            listed_on=day.date(),
            counts=(Count(signal="upvotes", value=count, captured_at=day + at),),
            fingerprint=f"print {first + place}",
        )
        for place, count in enumerate(votes)
    ]


def take(database: Database, records: Iterable[Record], now: datetime, feed: str = "hf") -> None:
    ingest(
        ParsedBatch(records=tuple(records)),
        database=database,
        feed_name=feed,
        feed_kind="file",
        source="tests",
        captured_at=now,
        now=now,
    )
