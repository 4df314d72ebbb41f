"""Dated counts without papers: JSON Lines with `id, captured_at, upvotes, comments, github_stars`.

Null is not 0, and an id nobody knows is rejected when the counts are stored.
"""

from paperround.domain.papers import LooseCount, ParsedBatch, Reject
from paperround.sources.entries import (
    BadEntry,
    Entry,
    counted_at,
    counts_of,
    identifiers_of,
    reject,
)
from paperround.sources.jsonl import excerpt_of, lines_of, object_of


def read_observations(content: bytes) -> ParsedBatch:
    """The counts of every line, and a reject for each line that states none."""
    counts: list[LooseCount] = []
    rejects: list[Reject] = []
    for position, line in lines_of(content):
        try:
            counts.append(_loose(object_of(line), position))
        except BadEntry as problem:
            rejects.append(reject(problem, position, excerpt_of(line)))
    return ParsedBatch(loose_counts=tuple(counts), rejects=tuple(rejects))


def _loose(entry: Entry, position: int) -> LooseCount:
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
