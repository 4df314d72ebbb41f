"""Read the fields of one entry, shared by all formats.

A bad entry must not affect its neighbours: readers turn its `BadEntry` into one `Reject`.
"""

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields, replace
from datetime import date, datetime
from operator import attrgetter
from typing import TypeVar

from paperround.core.errors import InvalidInput
from paperround.core.languages import marked
from paperround.feeds.formats.dates import StatedDate, read_date
from paperround.papers.identifiers import arxiv_id, doi_identifier, identifier
from paperround.papers.model import Count, ParsedBatch, Record, Reject
from paperround.papers.text import clean

Entry = Mapping[str, object]
_Row = TypeVar("_Row")

FEED = "file"
"""The prefix of local ids of files, so that counts find the papers of other files."""

MOST_BYTES = 10_000_000
"""A longer entry is not a paper."""

COUNT_KEYS = {"upvotes": "upvotes", "comments": "comments", "github_stars": "github_stars"}
VOLATILE_KEYS = frozenset({*COUNT_KEYS, "captured_at"})
_MOST_COUNTED = 10**9
_EXCERPT = 500
_LONGEST_ID = 500
_TRUE_TEXTS = frozenset({"true", "yes", "1"})
_VOLATILE = frozenset({"counts", "announces", "fingerprint", "references", "known_as"})
_stable_values = attrgetter(*(one.name for one in fields(Record) if one.name not in _VOLATILE))
_as_json = json.JSONEncoder(default=str, check_circular=False).encode
_UNDECODED = re.compile("[\udc80-\udcff]")
_ADDRESS = re.compile(r"https?://(?![^/?#]*@)[^\s\"<>\\^`{|}\x00-\x1f\x7f]{1,2000}", re.IGNORECASE)


class BadEntry(ValueError):
    """An entry cannot become a record: a countable `reason` and a sentence to show."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


Line = tuple[int, str]
"""A line of a file with its number, from 1."""


def reject(problem: BadEntry, position: int, excerpt: str) -> Reject:
    """Return the reject of the entry at `position` (1-based)."""
    return Reject(
        reason=problem.reason,
        detail=problem.detail,
        position=position,
        excerpt=clean(excerpt[: _EXCERPT * 2], limit=_EXCERPT),
    )


def batch_of(
    rows: Iterable[_Row],
    records_of: Callable[[_Row], Iterable[Record]],
    shown: Callable[[_Row], str],
) -> ParsedBatch:
    """Return the records of each row. A row that raises BadEntry becomes a reject with its number
    from 1 and the excerpt that `shown` returns."""
    records: list[Record] = []
    rejects: list[Reject] = []
    for position, row in enumerate(rows, start=1):
        try:
            records += records_of(row)
        except BadEntry as problem:
            rejects.append(reject(problem, position, shown(row)))
    return ParsedBatch(records=tuple(records), rejects=tuple(rejects))


def fingerprint(content: bytes) -> str:
    """Return 32 hexadecimal digits of a hash of `content`."""
    return hashlib.blake2b(content, digest_size=16).hexdigest()


def stable_fingerprint(entry: Entry) -> str:
    """Return the fingerprint of an entry without its counts: votes do not change a paper."""
    stable = {key: value for key, value in entry.items() if key not in VOLATILE_KEYS}
    return fingerprint(json.dumps(stable, sort_keys=True).encode())


def with_fingerprint(record: Record) -> Record:
    """Return the record with a fingerprint of its content, without its counts."""
    return replace(record, fingerprint=fingerprint(_as_json(_stable_values(record)).encode()))


def storable(text: str) -> str:
    """Return the text without NUL and lone surrogates, which databases reject."""
    if "\0" in text:
        text = text.replace("\0", "")
    if text.isascii():
        return text
    return text.encode("utf-8", "replace").decode("utf-8")


def text_of(entry: Entry, key: str) -> str | None:
    """Return the text under `key`; None when missing, null or empty. Raises BadEntry."""
    value = entry.get(key)
    if value is None:
        return None
    if not isinstance(value, str):
        raise BadEntry("wrong-type", f"{key} must be text, not {_type_name(value)}")
    return storable(value) if value and not value.isspace() else None


def is_undecoded(text: str) -> bool:
    """Return whether `text`, read with `surrogateescape`, has bytes that are not UTF-8."""
    return not text.isascii() and _UNDECODED.search(text) is not None


def texts_of(entry: Entry, key: str) -> tuple[str, ...]:
    """Return the list of texts under `key`, without empty ones. Raises BadEntry."""
    value = entry.get(key)
    if value is None:
        return ()
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise BadEntry("wrong-type", f"{key} must be a list of texts, not {_type_name(value)}")
    return tuple(storable(text) for text in value if text.strip())


def title_of(entry: Entry) -> str:
    """Return the title; raises BadEntry without a readable one."""
    title = text_of(entry, "title")
    if title is None or not (title.isprintable() or clean(title, limit=_EXCERPT)):
        raise BadEntry("no-title", marked("the entry has no title"))
    return title


def identifiers_of(entry: Entry) -> dict[str, str]:
    """Return the identifier under `id`, by kind; empty without one. Raises BadEntry."""
    if isinstance(entry.get("id"), (int, float)):
        raise BadEntry("wrong-type", "id must be text: as a number it has lost its zeros")
    text = text_of(entry, "id")
    return dict([identifier(text, FEED)]) if text else {}


def doi_of(text: str) -> tuple[str, str] | None:
    """Return (kind, value) of a DOI; None when it is none or too long."""
    return doi_identifier(text) if len(text) <= _LONGEST_ID else None


def instant_of(entry: Entry, key: str) -> datetime | None:
    """Return the instant under `key`, the first one of a day, month or year; None when missing, or
    of an impossible year of a paper. Raises BadEntry."""
    stated = _stated_date(entry, key)
    return stated.start if stated else None


def day_of(entry: Entry, key: str) -> date | None:
    """Return the UTC date under `key`, as `instant_of`."""
    start = instant_of(entry, key)
    return start.date() if start else None


def last_day_of(entry: Entry, key: str) -> date | None:
    """Return the date under `key`; for a month or a year its last day, as the latest listing."""
    stated = _stated_date(entry, key)
    return stated.period.last if stated else None


def counted_at(entry: Entry, key: str) -> datetime | None:
    """Return the time of counts, as `instant_of`; a month or a year raises BadEntry."""
    stated = _stated_date(entry, key)
    if stated is not None and stated.at is None:
        raise BadEntry("bad-date", f"{key} must name a day or an instant")
    return stated.at if stated else None


def _stated_date(entry: Entry, key: str) -> StatedDate | None:
    text = text_of(entry, key)
    try:
        return read_date(text) if text else None
    except InvalidInput as error:
        raise BadEntry("bad-date", f"{key}: {error}") from None


def count_of(entry: Entry, key: str) -> int | None:
    """Return the whole number under `key`; None when unknown: null is not 0."""
    value = entry.get(key)
    if value is None:
        return None
    if type(value) is not int or not 0 <= value <= _MOST_COUNTED:
        raise BadEntry(
            "bad-count", f"{key} must be a whole number from 0 to 10^9, not {value!r:.40}"
        )
    return value


def counts_of(
    entry: Entry, captured_at: datetime | None, keys: Mapping[str, str] = COUNT_KEYS
) -> tuple[Count, ...]:
    """Return the counts of an entry; `keys` maps its keys to signals."""
    if keys.keys().isdisjoint(entry):
        return ()
    return tuple(
        Count(signal=signal, value=value, captured_at=captured_at)
        for key, signal in keys.items()
        if (value := count_of(entry, key)) is not None
    )


def links_of(candidates: Mapping[str, object]) -> dict[str, str]:
    """Return the values that are http(s) addresses. One with a user name is left out: it may be a
    password, or disguise the host."""
    return {
        name: value
        for name, value in candidates.items()
        if isinstance(value, str) and _ADDRESS.fullmatch(value)
    }


def record_of(entry: Entry, entry_fingerprint: str) -> Record:
    """Return the record of an entry with our own field names (see `jsonl`)."""
    listed_at = instant_of(entry, "submitted_on_daily_at")
    listed_on = last_day_of(entry, "listed_on") or last_day_of(entry, "first_listed")
    abstract = text_of(entry, "summary") or text_of(entry, "abstract") or ""
    identifiers, comment = identifiers_of(entry), text_of(entry, "comment")
    found = arxiv_id(text_of(entry, "id") or "")
    withdrawn = entry.get("withdrawn")
    if isinstance(withdrawn, str):
        withdrawn = withdrawn.strip().casefold() in _TRUE_TEXTS
    return Record(
        title=title_of(entry),
        abstract=abstract,
        identifiers=identifiers,
        authors=texts_of(entry, "authors"),
        categories=texts_of(entry, "categories"),
        keywords=texts_of(entry, "keywords"),
        links=links_of({"code": entry.get("github_repo"), "project": entry.get("project_page")}),
        listed_on=listed_on or (listed_at.date() if listed_at else None),
        listed_at=listed_at,
        published_at=instant_of(entry, "published_at"),
        updated_at=instant_of(entry, "updated_at"),
        version=found[1] if found else None,
        withdrawn=withdrawn is True
        or ("arxiv" in identifiers and says_withdrawn(abstract, comment)),
        comment=comment,
        licence=text_of(entry, "licence") or text_of(entry, "license"),
        organization=text_of(entry, "organization"),
        submitter=text_of(entry, "submitter"),
        counts=counts_of(entry, counted_at(entry, "captured_at")),
        fingerprint=entry_fingerprint,
    )


def _type_name(value: object) -> str:
    names = {bool: "true or false", dict: "an object", list: "a list", int: "a number"}
    return names.get(type(value), "a number" if isinstance(value, float) else "something else")


# Authors withdraw a paper on arXiv by replacing the abstract or the comment with a notice.

_WITHDRAWN = re.compile(
    r"\s*(?:(?:this|the)\s+(?:paper|article|submission|manuscript|preprint|work)"
    r"\s+(?:has\s+been|was|is)\s+)?withdrawn\b(?!\s+from\b)",
    re.IGNORECASE,
)


def says_withdrawn(abstract: str, comment: str | None) -> bool:
    """Return whether either begins with a withdrawal; later mentions do not count."""
    return any(map(_WITHDRAWN.match, (abstract, comment or "")))
