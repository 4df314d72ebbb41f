"""A database to fill with papers and subscribers, on SQLite and on PostgreSQL."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import Engine

from paperround.core.tokens import KeyRing
from paperround.db.transactions import Database, SqlDatabase, Transaction
from paperround.delivery.model import Identity
from paperround.delivery.status import DeliveryEntry, DeliveryQuery
from paperround.delivery.store.status import StatusStore
from paperround.editions.store.lists import ListStore
from paperround.feeds.ingest import IngestReport, ingest
from paperround.papers.model import ParsedBatch, Record
from paperround.subscribers.model import (
    Address,
    Consent,
    ImportedSubscriber,
    Preferences,
    SubscriberId,
    SubscriberState,
)
from paperround.subscribers.store.subscribers import SubscriberStore

NOW = datetime(2026, 1, 30, 7, tzinfo=UTC)
IDENTITY = Identity(keys=KeyRing((b"a secret that is only for tests!",)), domain="papers.example")


@pytest.fixture
def database(engine: Engine) -> SqlDatabase:
    """A migrated database with its default list, on each engine."""
    database = SqlDatabase(engine)
    with database.writing() as work:
        work[ListStore].ensure_default(zone="UTC", now=NOW)
    return database


def record(number: int, **changes: object) -> Record:
    values: dict[str, object] = {
        "title": f"Paper {number}",
        "abstract": f"We present paper {number}.",
        "identifiers": {"arxiv": f"2601.{number:05}"},
        "fingerprint": f"print {number}",
    }
    return Record(**(values | changes))  # type: ignore[arg-type]


def fill(database: Database, records: list[Record], now: datetime = NOW) -> IngestReport:
    return ingest(
        ParsedBatch(records=tuple(records)),
        database=database,
        feed_name="tests",
        feed_kind="file",
        source="tests",
        captured_at=now,
        now=now,
    )


def subscribe(database: SqlDatabase, *names: str, wish: Preferences | None = None) -> None:
    with database.writing() as work:
        trending = work[ListStore].get("trending")
        for name in names:
            written = f"{name}@example.org"
            address = Address(written=written, mailed=written)
            work[SubscriberStore].put(
                ImportedSubscriber(
                    address=address,
                    state=SubscriberState.ACTIVE,
                    consent=Consent(at=NOW, source="tests"),
                    preferences=wish or Preferences(),
                    nonce="nonce",
                ),
                trending.id,
                now=NOW,
            )


def deliveries_of(work: Transaction, person: SubscriberId, *, limit: int) -> list[DeliveryEntry]:
    """A person's digests, newest first."""
    wanted = DeliveryQuery(subscriber_id=person)
    return work[StatusStore].deliveries(wanted, before=None, limit=limit)
