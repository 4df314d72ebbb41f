"""Fill the database of a demo with sample papers, and add more as time passes.

    new? ─► mark                                                       once
    empty? ─► anchor ─► the samples listed so far ─► ingest            once
    anchor ─► listed or counted since the last read? ─► ingest         every minute

The anchor is the instant at which a demo began in this database. It is stored there, so a demo that
you start again continues, and samples never mix with your own papers. The mark means that the
database belongs to a demo: no installation works with it.

A line of `papers.jsonl` is a JSON object with the keys of the `jsonl` format, and these for dates:

- `day`: days before the first day of the demo (0); negative for days after it
- `hour`: hours into that day in UTC, from 0 to below 24; the first day is scaled to end at the
  start of the demo
- `lead`: hours from publication to listing; missing if the publication date is unknown
- `votes`: `[hours after the listing, upvotes, comments]`, oldest first; empty when unknown
"""

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from importlib import resources
from typing import Any

from paperround.core.times import midnight_utc, require_utc
from paperround.db.slots import ANCHOR, KIND, MARK, SlotStore
from paperround.db.transactions import Database, Transaction, write
from paperround.editions.store.lists import ListStore
from paperround.feeds.ingest import IngestReport, ingest
from paperround.papers.model import Count, ParsedBatch, Record
from paperround.papers.store.papers import PaperStore

FEED = "samples"
"""The name of their feed, and the prefix of their local ids."""

LOOK = "demo-samples"
"""The heartbeat that is recorded when samples were read."""

_DATES = frozenset({"day", "hour", "lead", "votes"})
_LINKS = {"code": "github_repo", "project": "project_page"}

SamplePaper = Mapping[str, Any]


def claim(database: Database, *, now: datetime) -> bool:
    """Mark a database as a demo's; return False if it is an installation's, with a default list."""

    def mark(work: Transaction) -> bool:
        if not work[SlotStore].is_of_a_demo() and work[ListStore].default() is not None:
            return False
        work[SlotStore].take(KIND, MARK, now=now)
        return True

    return write(database, mark)


def begin(database: Database, *, now: datetime) -> bool:
    """Begin a demo if `database` has no papers. Return whether one began in it, now or before."""

    def may_begin(work: Transaction) -> bool:
        began = work[SlotStore].taken_at(KIND, ANCHOR) is not None
        return began or (
            work[PaperStore].count() == 0 and work[SlotStore].take(KIND, ANCHOR, now=now)
        )

    return write(database, may_begin)


def has_samples(database: Database) -> bool:
    """Return whether a demo began in `database`; your own papers do not belong there."""
    with database.reading() as work:
        return work[SlotStore].taken_at(KIND, ANCHOR) is not None


def read_samples(database: Database, *, now: datetime) -> IngestReport | None:
    """Store the new samples; return None if there are none, or if no demo began here."""
    with database.reading() as work:
        anchor = work[SlotStore].taken_at(KIND, ANCHOR)
        looked = work[SlotStore].last_beat(LOOK)
    if anchor is None:
        return None
    batch = batch_at(anchor=anchor, now=now)
    if looked is not None and batch == batch_at(anchor=anchor, now=looked):
        return None
    report = ingest(
        batch,
        database=database,
        feed_name=FEED,
        feed_kind=FEED,
        source="the samples of this version",
        captured_at=now,
        now=now,
    )
    write(database, lambda work: work[SlotStore].beat(LOOK, now=now))
    return report


def batch_at(*, anchor: datetime, now: datetime) -> ParsedBatch:
    """Return the samples listed until `now` in a demo that began at `anchor`, with their counts so
    far. With the same anchor, a later `now` repeats every record and adds papers and counts."""
    began, known = require_utc(anchor), require_utc(now)
    lines = resources.files(__package__).joinpath("papers.jsonl").read_bytes().splitlines()
    dated = ((entry, _listed_at(entry, began)) for entry in map(json.loads, lines))
    return ParsedBatch(
        records=tuple(_record(entry, listed, known) for entry, listed in dated if listed <= known)
    )


def _listed_at(entry: SamplePaper, began: datetime) -> datetime:
    """The time of the listing; on the first day between midnight and `began`."""
    midnight = midnight_utc(began.date())
    day_length = timedelta(days=1) if entry["day"] else began - midnight
    share: float = entry["hour"] / 24
    listed = midnight - timedelta(days=entry["day"]) + day_length * share
    return listed.replace(microsecond=0)


def _record(entry: SamplePaper, listed: datetime, known: datetime) -> Record:
    lead = entry.get("lead")
    lasting = {key: value for key, value in entry.items() if key not in _DATES}
    return Record(
        title=entry["title"],
        abstract=entry.get("abstract", ""),
        identifiers={"local": f"{FEED}:{entry['id']}"},
        authors=tuple(entry.get("authors", ())),
        categories=tuple(entry.get("categories", ())),
        keywords=tuple(entry.get("keywords", ())),
        links={name: entry[key] for name, key in _LINKS.items() if key in entry},
        listed_on=listed.date(),
        listed_at=listed,
        published_at=None if lead is None else listed - timedelta(hours=lead),
        comment=entry.get("comment"),
        licence=entry.get("licence"),
        organization=entry.get("organization"),
        submitter=entry.get("submitter"),
        counts=tuple(
            Count(signal=signal, value=value, captured_at=taken)
            for hours, *votes in entry["votes"]
            if (taken := listed + timedelta(hours=hours)) <= known
            for signal, value in zip(("upvotes", "comments"), votes, strict=True)
        ),
        # Excludes the dates, so restarting a demo lists no changed papers.
        fingerprint=hashlib.blake2b(
            json.dumps(lasting, sort_keys=True).encode(), digest_size=16
        ).hexdigest(),
    )
