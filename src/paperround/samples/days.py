"""Read the sample papers, with dates relative to the start of a demo.

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
from paperround.papers.model import Count, ParsedBatch, Record

FEED = "samples"
"""The name of their feed, and the prefix of their local ids."""

_DATES = frozenset({"day", "hour", "lead", "votes"})
_LINKS = {"code": "github_repo", "project": "project_page"}

Entry = Mapping[str, Any]


def read() -> bytes:
    """The bundled sample papers, one JSON object per line."""
    return resources.files(__package__).joinpath("papers.jsonl").read_bytes()


def batch_at(content: bytes, *, anchor: datetime, now: datetime) -> ParsedBatch:
    """The samples listed until `now` in a demo that began at `anchor`, with their counts so far.

    With the same anchor, a later `now` repeats every record and adds papers and counts. Raises
    ValueError for a naive `anchor` or `now` and for invalid JSON, KeyError for a sample without
    id, title or dates.
    """
    began, known = require_utc(anchor), require_utc(now)
    dated = ((entry, _listed_at(entry, began)) for entry in map(json.loads, content.splitlines()))
    return ParsedBatch(
        records=tuple(_record(entry, listed, known) for entry, listed in dated if listed <= known)
    )


def _listed_at(entry: Entry, began: datetime) -> datetime:
    """The time of the listing; on the first day between midnight and `began`."""
    midnight = midnight_utc(began.date())
    day_length = timedelta(days=1) if entry["day"] else began - midnight
    share: float = entry["hour"] / 24
    listed = midnight - timedelta(days=entry["day"]) + day_length * share
    return listed.replace(microsecond=0)


def _record(entry: Entry, listed: datetime, known: datetime) -> Record:
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
