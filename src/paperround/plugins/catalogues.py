"""Share code between catalogues of works: JSON, rights, enrichments, and paging by cursor marks.

An abstract is shown only under a Creative Commons licence; otherwise it is used for ranking.
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from paperround.core.errors import FetchFailed, InvalidInput, UnreadableFile
from paperround.core.times import require_utc
from paperround.feeds.formats.entries import (
    BadEntry,
    Entry,
    batch_of,
    fingerprint,
    reject,
    storable,
)
from paperround.feeds.formats.registry import JSON_HEAD, Format, Reader, is_one_object
from paperround.feeds.model import FeedState
from paperround.feeds.sources.base import Source, listed, oldest_day
from paperround.papers.model import Paper, ParsedBatch, Record
from paperround.papers.text import clean

LONGEST_QUERY = 500
"""Characters of a search query."""

OTHER_KIND = "other-kind"
"""The reason of a reject for a work that is no paper: an issue, a dataset, a correction."""

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
        raise InvalidInput(f"the JSON is not a response of {name}: it is not an object")
    return value


def service_error(value: object) -> str:
    """Return a service's error message, short and safe to show."""
    try:
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    except RecursionError:
        text = "(nested too deeply)"
    return clean(storable(text[: 4 * _LONGEST_TEXT]), limit=_LONGEST_TEXT)


def read_works(
    works: Iterable[object], records_of: Callable[[Entry], Iterable[Record]]
) -> ParsedBatch:
    """Return the records of each work; one that cannot be read becomes one reject."""

    def read_work(work: object) -> list[Record]:
        if not isinstance(work, dict):
            raise BadEntry("not-a-paper", "the work is not an object")
        try:
            return list(records_of(work))
        except RecursionError:
            raise BadEntry("too-deep", "the work is nested too deeply") from None

    return batch_of(works, read_work, excerpt_of)


def read_list(
    said: Entry,
    works: object,
    totals: object,
    records_of: Callable[[Entry], Iterable[Record]],
    *,
    name: str,
    total: str,
    mark: str,
) -> CatalogueResponse:
    """Return a page of `works`; `totals` has the total and the next mark under these keys.

    Raises InvalidInput when they are no list and object: what the service `name` said is an error.
    """
    if not isinstance(works, list) or not isinstance(totals, dict):
        raise InvalidInput(
            f"the JSON is not a list of works of {name}, it says: {service_error(said)!r}"
        )
    count, following = totals.get(total), totals.get(mark)
    return CatalogueResponse(
        batch=read_works(works, records_of),
        rows=len(works),
        total=count if type(count) is int else None,
        mark=following if isinstance(following, str) else None,
    )


def format_with(sign: str, read: Reader) -> Format:
    """Return the format of a saved response: one JSON object with `sign` in its beginning."""
    found = re.compile(sign.encode())
    return Format(
        read=read,
        recognise=lambda body: (
            body[:1] == b"{" and bool(found.search(body[:JSON_HEAD])) and is_one_object(body)
        ),
    )


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


def cited_works(entry: Entry, key: str) -> list[object]:
    """Return the list of cited works under `key`; empty if they are not stated."""
    cited = entry.get(key)
    return cited if isinstance(cited, list) else []


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
                f"{part!r:.80} is not a filter: write filters like {example}",
                code="settings.filter",
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
            f"choose works with filter (like {example}) or {key}: all works would be too many",
            code="settings.filter",
        )
    return filters, search


def parse_enrichments(batch: ParsedBatch, papers: Sequence[Paper]) -> ParsedBatch:
    """Return the records of `batch` with an identifier of one of `papers`, reduced to what an
    enricher may add."""
    known = {pair for paper in papers for pair in paper.identifiers.items()}
    found = (one for one in batch.records if not known.isdisjoint(one.identifiers.items()))
    return ParsedBatch(records=tuple(map(_enrichment, found)), rejects=batch.rejects)


def _enrichment(record: Record) -> Record:
    """Return the record without texts: the feeds that list the paper know their rights better.

    The licence is dropped too: it is that of the copy the service knows, which may be the journal's
    while ours is the preprint.
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
        references=record.references,
        known_as=record.known_as,
    )
    content = [
        sorted(record.identifiers.items()),
        list(record.keywords),
        sorted(record.links.items()),
        record.withdrawn,
        record.organization,
    ]
    return replace(reduced, fingerprint=fingerprint(json.dumps(content).encode()))


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
    """Return `value` as JSON, for a reject."""
    try:
        return json.dumps(value)
    except RecursionError:
        return "(nested too deeply)"


def listed_when_published(batch: ParsedBatch) -> ParsedBatch:
    """The papers of a search, each listed when it was published, so that an old one is not new."""
    records = tuple(
        replace(one, listed_on=_day(one.published_at.date())) if one.published_at else one
        for one in batch.records
    )
    return replace(batch, records=records)


def _day(published: date) -> date:
    """The day; for 1 January, which both services write for a year alone, the year's last day."""
    is_year = (published.month, published.day) == (1, 1)
    return published.replace(month=12, day=31) if is_year else published


def is_cut_off(seen: int, total: int | None) -> bool:
    """Return whether more than 1 % of a list is missing: services count again for each page."""
    return total is not None and seen < total - total // 100


def query_of(settings: Mapping[str, str], kind: str) -> str:
    """Return the search query of the settings."""
    query = settings.get("query", "").strip()
    if not (query and len(query) <= LONGEST_QUERY and query.isprintable()):
        raise InvalidInput(
            f"{kind} needs a query of 1 to {LONGEST_QUERY} characters on one line",
            code="settings.query",
        )
    return query


# Results are paged by the service's own marks (`cursor=*`), which some services forget.

MOST_PAGES = 100
"""Pages of one poll. Further works are reported as a reject and not read."""

PAGE = 100
"""Works per page."""

_MARK = re.compile(r"[!-~]{1,4000}")


@dataclass(frozen=True, slots=True, kw_only=True)
class PageCursor:
    """A page of the works from `since` to `until`. `mark` is the service's name of it, empty for
    the first, until `expires`."""

    since: date
    until: date
    page: int = 0
    expires: datetime | None = None
    mark: str = ""

    def turned(self, mark: str, expires: datetime | None) -> "PageCursor":
        """Return the page named by `mark`; raises FetchFailed when it is not valid."""
        if not _MARK.fullmatch(mark):
            raise FetchFailed("the service gives no usable link to its next page")
        return replace(self, page=self.page + 1, mark=mark, expires=expires)


class CatalogueSource(Source[PageCursor]):
    """A source of which each poll reads the last days, page after page."""

    place = PageCursor

    def first(self, state: FeedState, now: datetime) -> PageCursor:
        """Return the first page of the days of a poll."""
        oldest = oldest_day(state, now, days=self.days_back(state.settings))
        return PageCursor(since=oldest, until=require_utc(now).date())


def page_and_position(
    place: PageCursor,
    answer: CatalogueResponse,
    name: str,
    *,
    size: int = PAGE,
    most: int = MOST_PAGES,
    expires: datetime | None = None,
) -> tuple[ParsedBatch, PageCursor | None]:
    """Return the papers of a page of `size` works and the next position; `expires` is the end of
    the next mark.

    Raises FetchFailed when the works of the service `name` end before the announced total.
    """
    seen = place.page * size + answer.rows
    if not answer.rows or not answer.mark:
        if is_cut_off(seen, answer.total):
            after = f" after {seen:,}" if seen else ""
            raise FetchFailed(
                f"{name} returned no works{after} though it announced {answer.total:,}: ask again "
                "later"
            )
        return answer.batch, None
    if place.page + 1 < most:
        return answer.batch, place.turned(answer.mark, expires)
    if answer.total is not None and seen >= answer.total:
        return answer.batch, None  # the last page, even if it names another
    problem = BadEntry(
        "too-many-found",
        f"{name} has more than {most * size:,} works since {place.since}, and the others are not "
        "read: narrow the settings of this feed, or make two of it",
    )
    rejects = (*answer.batch.rejects, reject(problem, 0, problem.detail))
    return replace(answer.batch, rejects=rejects), None
