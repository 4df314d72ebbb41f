"""What the catalogues of works share: JSON answers, works one by one, and whose words are shown: a
Creative Commons licence lets an abstract be passed on; without one it only ranks."""

import json
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from paperround.core.errors import InvalidInput, UnreadableFile
from paperround.feeds.formats.entries import BadEntry, Entry, fingerprint, reject
from paperround.feeds.sources.base import listed
from paperround.papers.model import Paper, ParsedBatch, Record, Reject
from paperround.papers.text import clean

OTHER_KIND = "other-kind"
"""The reason of a reject for a work that is no paper: a journal issue, a dataset, a correction."""

_TOO_DEEP = BadEntry("too-deep", "the work is nested too deeply")
_SAID = 200
_LONGEST_PART = 2000
_CREATIVE_COMMONS = re.compile(
    r"https?://(?:www\.)?creativecommons\.org/(?:licenses|publicdomain)/\S+", re.IGNORECASE
)
_FILTER_KEY = re.compile(r"[a-z][a-z0-9._-]{0,99}")


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogueResponse:
    """One page: the papers in it, how many works it had, of how many in all, and the mark of the
    next page. None where it does not say."""

    batch: ParsedBatch
    rows: int
    total: int | None
    mark: str | None = None


def read_object(content: bytes, name: str) -> Mapping[str, Any]:
    """The JSON object that the service `name` answered; raises InvalidInput for other bytes."""
    said = json_of(content, f"the JSON of {name}")
    if not isinstance(said, dict):
        raise InvalidInput(f"the JSON is no answer of {name}: it is not an object")
    return said


def told(value: object) -> str:
    """What a service says of an error, short and safe to show."""
    try:
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    except RecursionError:
        text = "(nested too deeply)"
    return clean(text[: 4 * _SAID], limit=_SAID)


def read_works(
    works: Iterable[object], records_of: Callable[[Entry], Iterable[Record]]
) -> ParsedBatch:
    """The records of each work; one that cannot be read is one reject."""
    records: list[Record] = []
    rejects: list[Reject] = []
    for position, work in enumerate(works, start=1):
        try:
            if not isinstance(work, dict):
                raise BadEntry("not-a-paper", "the work is not an object")
            records += records_of(work)
        except BadEntry as problem:
            rejects.append(reject(problem, position, excerpt_of(work)))
        except RecursionError:
            rejects.append(reject(_TOO_DEEP, position, ""))
    return ParsedBatch(records=tuple(records), rejects=tuple(rejects))


def is_creative_commons(address: str) -> bool:
    """Whether `address` is that of a licence or a dedication of Creative Commons."""
    return _CREATIVE_COMMONS.fullmatch(address) is not None


def objects_of(entry: Entry, key: str) -> tuple[Entry, ...]:
    """The list of objects under `key`, empty when it is missing."""
    value = entry.get(key)
    if value is None:
        return ()
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        raise BadEntry("wrong-type", f"{key} must be a list of objects")
    return tuple(value)


def object_of(entry: Entry, key: str) -> Entry:
    """The object under `key`, an empty one when it is missing."""
    value = entry.get(key)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise BadEntry("wrong-type", f"{key} must be an object")
    return value


def wanted_of(
    settings: Mapping[str, str], refused: Mapping[str, str], example: str, key: str
) -> tuple[tuple[str, ...], str]:
    """What is asked for: the parts of the setting `filter` (`name:value,name:value`), each once,
    and the words to search for under `key`, on one line.

    `refused` says of names of filters that cannot be taken why not.
    """
    filters = listed(settings.get("filter", ""))
    for part in filters:
        name, colon, value = part.partition(":")
        if not (colon and value.strip() and part.isprintable() and _FILTER_KEY.fullmatch(name)):
            raise InvalidInput(
                f"{part!r:.80} is no filter: write them like {example}", code="settings.filter"
            )
        if name in refused:
            raise InvalidInput(f"the filter {name} {refused[name]}", code="settings.filter")
    if len(settings.get("filter", "")) > _LONGEST_PART:
        raise InvalidInput("filter is too long: make two feeds of it", code="settings.filter")
    words = " ".join(settings.get(key, "").split())
    if len(words) > _LONGEST_PART or not words.isprintable():
        raise InvalidInput(
            f"{key} must be at most {_LONGEST_PART:,} characters that can be printed",
            code=f"settings.{key}",
        )
    if not filters and not words:
        raise InvalidInput(
            f"say which works with filter (like {example}) or {key}: all are too many",
            code="settings.filter",
        )
    return filters, words


def news_of(batch: ParsedBatch, *, papers: Sequence[Paper], kinds: Collection[str]) -> ParsedBatch:
    """What an enricher keeps of an answer: the records of `batch` that carry an identifier, of one
    of `kinds`, of one of `papers`."""
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
