"""Delete old rows, and store a compact record of what is still needed.

A digest's row is deleted some months after its edition ended. Its reader is kept, so that links in
old emails work, and so are its papers, so that none is sent twice.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from hmac import compare_digest

from paperround.core.errors import Misconfigured
from paperround.core.tokens import KeyRing
from paperround.db.slots import SlotStore
from paperround.db.transactions import Database, Transaction, write
from paperround.delivery.model import delivery_key, delivery_nonce
from paperround.delivery.store.past import REACHED, EndedDigest, PastStore

BATCH = 2000
"""Digests compacted in one transaction, for which other writers wait."""

COMPACTION = "compaction"
"""The heartbeat of compaction."""

MOST_BATCHES = 5
"""Batches compacted in one tick; the next tick is a minute later."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """How long each kind of row is kept."""

    deliveries: timedelta = timedelta(days=90)
    audit: timedelta = timedelta(days=1095)
    observations: timedelta = timedelta(days=400)
    runs: timedelta = timedelta(days=366)


KEEP = Retention()
"""The defaults of the settings."""


def compact_digests(database: Database, keys: KeyRing, *, keep: timedelta, now: datetime) -> int:
    """Delete the rows of digests whose edition ended before `now - keep`, up to MOST_BATCHES, and
    store what their links and later digests need. Return how many rows were deleted."""

    def compact(work: Transaction) -> int | None:
        if work[PastStore].next_edition(before=now - keep) is None:
            return None
        # Another process waits here: both add to the people who were sent a paper.
        work[SlotStore].beat(COMPACTION, now=now)
        edition = work[PastStore].next_edition(before=now - keep)
        if edition is None:
            return None
        rows = work[PastStore].ended_digests(edition, limit=BATCH)
        if rows:
            kept = [row for row in rows if row.state in REACHED and _has_links(keys, row)]
            work[PastStore].compact(edition, kept, [row.id for row in rows])
        if len(rows) < BATCH:
            work[PastStore].finish(edition, now=now)
        return len(rows)

    deleted = 0
    for _ in range(MOST_BATCHES):
        found = write(database, compact)
        if found is None:
            break
        deleted += found
    return deleted


def _has_links(keys: KeyRing, row: EndedDigest) -> bool:
    """Return whether links of the digest work, because their key is still in the ring. A nonce
    that was not derived is from before the first release."""
    key = delivery_key(row.list_name, row.subscriber_id, row.kind, row.local_date)
    try:
        return compare_digest(delivery_nonce(keys, key, row.key_id), row.nonce)
    except Misconfigured:
        return False
