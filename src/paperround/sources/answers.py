"""What an enricher keeps of an answer: the news of papers that were asked for, and nothing else."""

import json
from collections.abc import Collection, Sequence
from dataclasses import replace

from paperround.domain.errors import UnreadableFile
from paperround.domain.papers import Paper, ParsedBatch, Record
from paperround.domain.text import clean
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


_SAID = 200
_EXCERPT = 1000


def json_of(content: bytes, what: str = "JSON") -> object:
    """The value `content` holds; raises UnreadableFile, with how it begins, when it is no JSON.

    `what` names in the error what the answer should have been."""
    try:
        value: object = json.loads(content.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        begins = clean(content[:_SAID].decode("utf-8", "replace"), limit=_SAID)
        raise UnreadableFile(f"the answer is not {what}, it begins with {begins!r}") from None
    return value


def excerpt_of(value: object) -> str:
    """The beginning of `value` as JSON, for an excerpt."""
    try:
        return json.dumps(value)[:_EXCERPT]
    except RecursionError:
        return "(nested too deeply)"
