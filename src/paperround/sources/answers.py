"""What an enricher keeps of an answer: the news of papers that were asked for, and nothing else."""

import json
from collections.abc import Collection, Sequence
from dataclasses import replace

from paperround.domain.papers import Paper, ParsedBatch, Record
from paperround.sources.entries import fingerprint


def news_of(batch: ParsedBatch, *, papers: Sequence[Paper], kinds: Collection[str]) -> ParsedBatch:
    """The records of `batch` that carry an identifier, of one of `kinds`, of one of `papers`."""
    asked = {
        (kind, value)
        for paper in papers
        for kind, value in paper.identifiers.items()
        if kind in kinds
    }
    found = (one for one in batch.records if not asked.isdisjoint(one.identifiers.items()))
    return ParsedBatch(records=tuple(map(_news, found)), rejects=batch.rejects)


def _news(record: Record) -> Record:
    """The record without texts: whose they are, the feeds that list the paper know better.

    Nor has it a licence: a service states that of the copy it knows, which may be the journal's
    where ours is the preprint.
    """
    news = Record(
        title="",
        identifiers=record.identifiers,
        keywords=record.keywords,
        links=record.links,
        withdrawn=record.withdrawn,
        organization=record.organization,
        counts=record.counts,
        announces=False,
    )
    said = [
        sorted(record.identifiers.items()),
        list(record.keywords),
        sorted(record.links.items()),
        record.withdrawn,
        record.organization,
    ]
    return replace(news, fingerprint=fingerprint(json.dumps(said).encode()))
