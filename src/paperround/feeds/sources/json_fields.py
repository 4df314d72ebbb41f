"""Parse JSON of catalogues of works, and decide which texts may be shown.

An abstract is shown only under a Creative Commons licence; otherwise it is used for ranking.
"""

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
"""The reason of a reject for a work that is no paper: an issue, a dataset, a correction."""

_TOO_DEEP = BadEntry("too-deep", "the work is nested too deeply")
_LONGEST_TEXT = 200
_LONGEST_PART = 2000
_CREATIVE_COMMONS = re.compile(
    r"https?://(?:www\.)?creativecommons\.org/(?:licenses|publicdomain)/\S+", re.IGNORECASE
)
_FILTER_KEY = re.compile(r"[a-z][a-z0-9._-]{0,99}")


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogueResponse:
    """One page: its papers, the number of works in it and in total, and the mark of the next page.
    None where the service does not say."""

    batch: ParsedBatch
    rows: int
    total: int | None
    mark: str | None = None


def read_object(content: bytes, name: str) -> Mapping[str, Any]:
    """Return the JSON object of a response; raises InvalidInput for anything else."""
    value = json_of(content, f"the JSON of {name}")
    if not isinstance(value, dict):
        raise InvalidInput(f"the JSON is no answer of {name}: it is not an object")
    return value


def service_error(value: object) -> str:
    """Return a service's error message, short and safe to show."""
    try:
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    except RecursionError:
        text = "(nested too deeply)"
    return clean(text[: 4 * _LONGEST_TEXT], limit=_LONGEST_TEXT)


def read_works(
    works: Iterable[object], records_of: Callable[[Entry], Iterable[Record]]
) -> ParsedBatch:
    """Return the records of each work; one that cannot be read becomes one reject."""
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
    """Return whether `address` is a Creative Commons licence or dedication."""
    return _CREATIVE_COMMONS.fullmatch(address) is not None


def objects_of(entry: Entry, key: str) -> tuple[Entry, ...]:
    """Return the list of objects under `key`; empty when missing. Raises BadEntry."""
    value = entry.get(key)
    if value is None:
        return ()
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        raise BadEntry("wrong-type", f"{key} must be a list of objects")
    return tuple(value)


def object_of(entry: Entry, key: str) -> Entry:
    """Return the object under `key`; empty when missing. Raises BadEntry."""
    value = entry.get(key)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise BadEntry("wrong-type", f"{key} must be an object")
    return value


def parse_filters(
    settings: Mapping[str, str], refused: Mapping[str, str], example: str, key: str
) -> tuple[tuple[str, ...], str]:
    """Return the parts of the setting `filter` (`name:value,name:value`) without duplicates, and
    the text of the search under `key`, on one line.

    `refused` maps names of filters that are not allowed to the reason. Raises InvalidInput.
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
    search = " ".join(settings.get(key, "").split())
    if len(search) > _LONGEST_PART or not search.isprintable():
        raise InvalidInput(
            f"{key} must be at most {_LONGEST_PART:,} characters that can be printed",
            code=f"settings.{key}",
        )
    if not filters and not search:
        raise InvalidInput(
            f"say which works with filter (like {example}) or {key}: all are too many",
            code="settings.filter",
        )
    return filters, search


def parse_enrichments(
    batch: ParsedBatch, *, papers: Sequence[Paper], kinds: Collection[str]
) -> ParsedBatch:
    """Return the records of `batch` with an identifier, of one of `kinds`, of one of `papers`,
    reduced to what an enricher may add."""
    known = {
        (kind, value)
        for paper in papers
        for kind, value in paper.identifiers.items()
        if kind in kinds
    }
    found = (one for one in batch.records if not known.isdisjoint(one.identifiers.items()))
    return ParsedBatch(records=tuple(map(_enrichment, found)), rejects=batch.rejects)


def _enrichment(record: Record) -> Record:
    """Return the record without texts: the feeds that list the paper know better whose they are.

    The licence is dropped too: it is that of the copy the service knows, which may be the journal's
    where ours is the preprint.
    """
    reduced = Record(
        title="",
        identifiers=record.identifiers,
        keywords=record.keywords,
        links=record.links,
        withdrawn=record.withdrawn,
        organization=record.organization,
        counts=record.counts,
        announces=False,
    )
    content = [
        sorted(record.identifiers.items()),
        list(record.keywords),
        sorted(record.links.items()),
        record.withdrawn,
        record.organization,
    ]
    return replace(reduced, fingerprint=fingerprint(json.dumps(content).encode()))


_EXCERPT = 1000


def json_of(content: bytes, what: str = "JSON") -> object:
    """Parse JSON; raises UnreadableFile, quoting the beginning, when it is not valid.

    `what` names the expected content in the error.
    """
    try:
        value: object = json.loads(content.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        begins = clean(content[:_LONGEST_TEXT].decode("utf-8", "replace"), limit=_LONGEST_TEXT)
        raise UnreadableFile(f"the answer is not {what}, it begins with {begins!r}") from None
    return value


def excerpt_of(value: object) -> str:
    """Return the beginning of `value` as JSON, for a reject."""
    try:
        return json.dumps(value)[:_EXCERPT]
    except RecursionError:
        return "(nested too deeply)"
