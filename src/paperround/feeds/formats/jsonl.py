"""Parse JSON Lines: one paper per line.

Keys: `id, title, summary` (or `abstract`)`, authors, categories, keywords, listed_on` (or
`first_listed`)`, submitted_on_daily_at, published_at, updated_at, comment, organization,
github_repo, project_page, submitter`, and the counts `upvotes, comments, github_stars` with
`captured_at`. Only `title` is required; unknown keys are ignored.
"""

import json
from collections.abc import Iterator
from io import BytesIO
from typing import Any

from paperround.feeds.formats.entries import (
    MOST_BYTES,
    VOLATILE_KEYS,
    BadEntry,
    Entry,
    batch_of,
    counted_at,
    counts_of,
    fingerprint,
    identifiers_of,
    record_of,
    reject,
    stable_fingerprint,
)
from paperround.papers.model import LooseCount, ParsedBatch, Record, Reject

_BOM = b"\xef\xbb\xbf"


def read_jsonl(content: bytes) -> ParsedBatch:
    """Return the papers, and a reject for each line that is none."""

    def records_of(line: bytes) -> list[Record]:
        if not line.strip():
            return []
        entry = object_of(line)
        # Without counts, that of the line as it is written.
        is_stable = VOLATILE_KEYS.isdisjoint(entry)
        digest = fingerprint(line.strip()) if is_stable else stable_fingerprint(entry)
        return [record_of(entry, digest)]

    return batch_of(_lines(content), records_of, excerpt_of)


def _lines(content: bytes) -> Iterator[bytes]:
    return (line.removesuffix(b"\n") for line in BytesIO(content.removeprefix(_BOM)))


def object_of(line: bytes) -> dict[str, Any]:
    """Return the JSON object in a line; raises BadEntry."""
    if len(line) > MOST_BYTES:
        raise BadEntry("too-long", f"the line has {len(line):,} bytes; at most {MOST_BYTES:,}")
    try:
        entry = json.loads(line.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise BadEntry("not-utf8", f"byte {error.start + 1} of the line is not UTF-8") from None
    except RecursionError:
        raise BadEntry("not-json", "the line is nested too deeply") from None
    except ValueError as error:
        raise BadEntry("not-json", f"the line is not JSON: {error}") from None
    if not isinstance(entry, dict):
        raise BadEntry("not-an-object", "the line is JSON, but not an object")
    return entry


def excerpt_of(line: bytes) -> str:
    """Return the beginning of a line of any bytes, for a reject."""
    return line[:1000].decode("utf-8", "replace")


# Dated counts without papers: JSON Lines with `id, captured_at, upvotes, comments, github_stars`.
# Null is not 0. Unknown ids are rejected when the counts are stored.


def read_observations(content: bytes) -> ParsedBatch:
    """Return the counts of every line, and a reject for each line without any."""
    counts: list[LooseCount] = []
    rejects: list[Reject] = []
    for position, line in enumerate(_lines(content), start=1):
        if not line.strip():
            continue
        try:
            counts.append(_parse_counts(object_of(line), position))
        except BadEntry as problem:
            rejects.append(reject(problem, position, excerpt_of(line)))
    return ParsedBatch(loose_counts=tuple(counts), rejects=tuple(rejects))


def _parse_counts(entry: Entry, position: int) -> LooseCount:
    found = identifiers_of(entry)
    if not found:
        raise BadEntry("no-id", "the row does not say which paper it counts")
    captured_at = counted_at(entry, "captured_at")
    if captured_at is None:
        raise BadEntry("no-date", "the row does not say when it was counted (captured_at)")
    counts = counts_of(entry, captured_at)
    if not counts:
        raise BadEntry("no-counts", "the row holds no count")
    kind, value = next(iter(found.items()))
    return LooseCount(kind=kind, value=value, counts=counts, position=position)
