"""What the file readers share: one entry's fields read with care, or the reason why not.

A reader never lets one bad entry spoil its neighbours: whatever is wrong with an entry is raised
as `BadEntry` here and becomes one `Reject` there.
"""

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields
from datetime import date, datetime
from operator import attrgetter
from typing import TypeVar

from paperround.core.errors import InvalidInput
from paperround.core.languages import marked
from paperround.feeds.formats.dates import StatedDate, read_date, read_start
from paperround.papers.identifiers import arxiv_id, doi_identifier, identifier
from paperround.papers.model import Count, ParsedBatch, Record, Reject
from paperround.papers.text import clean

Entry = Mapping[str, object]
_Read = TypeVar("_Read", StatedDate, datetime)
_Row = TypeVar("_Row")

FEED = "file"
"""What local ids of files are prefixed with, so that a count finds the paper of another file."""

MOST_BYTES = 10_000_000
"""A longer entry is not a paper."""

COUNT_KEYS = {"upvotes": "upvotes", "comments": "comments", "github_stars": "github_stars"}
_MOST_COUNTED = 10**9
_EXCERPT = 500
_LONGEST_ID = 500
_YES = frozenset({"true", "yes", "1"})
_FLEETING = frozenset({"counts", "announces", "fingerprint"})
_LASTING = tuple(one.name for one in fields(Record) if one.name not in _FLEETING)
_lasting = attrgetter(*_LASTING)
_as_json = json.JSONEncoder(default=str, check_circular=False).encode
_UNDECODED = re.compile("[\udc80-\udcff]")
_ADDRESS = re.compile(r"https?://(?![^/?#]*@)[^\s\"<>\\^`{|}\x00-\x1f\x7f]{1,2000}", re.IGNORECASE)


class BadEntry(ValueError):
    """An entry cannot become a record: a countable `reason` and a sentence for a person."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


Line = tuple[int, str]
"""A line of a file with its number, from 1."""


def reject(problem: BadEntry, position: int, excerpt: str) -> Reject:
    """The entry at `position` (1-based), kept with what is wrong with it."""
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
    """The records of each row; one that cannot be read is one reject, with its number from 1 and
    what `shown` makes of it."""
    records: list[Record] = []
    rejects: list[Reject] = []
    for position, row in enumerate(rows, start=1):
        try:
            records += records_of(row)
        except BadEntry as problem:
            rejects.append(reject(problem, position, shown(row)))
    return ParsedBatch(records=tuple(records), rejects=tuple(rejects))


def fingerprint(content: bytes) -> str:
    """32 hexadecimal digits that stand for `content`."""
    return hashlib.blake2b(content, digest_size=16).hexdigest()


def fingerprinted(record: Record) -> Record:
    """The record with the fingerprint of what it says of its paper, whatever its counts are."""
    said = _lasting(record)
    return Record(
        **dict(zip(_LASTING, said, strict=True)),
        counts=record.counts,
        announces=record.announces,
        fingerprint=fingerprint(_as_json(said).encode()),
    )


def storable(text: str) -> str:
    """The same text without what no database takes: NUL and lone surrogates."""
    if "\0" in text:
        text = text.replace("\0", "")
    if text.isascii():
        return text
    return text.encode("utf-8", "replace").decode("utf-8")


def text_of(entry: Entry, key: str) -> str | None:
    """The text under `key`; None when it is missing, null or empty."""
    value = entry.get(key)
    if value is None:
        return None
    if not isinstance(value, str):
        raise BadEntry("wrong-type", f"{key} must be text, not {_kind(value)}")
    return storable(value) if value and not value.isspace() else None


def is_undecoded(text: str) -> bool:
    """Whether bytes that are not UTF-8 came into `text` (read with `surrogateescape`)."""
    return not text.isascii() and _UNDECODED.search(text) is not None


def texts_of(entry: Entry, key: str) -> tuple[str, ...]:
    """The list of texts under `key`, empty ones left out."""
    value = entry.get(key)
    if value is None:
        return ()
    listed: list[str] = value if isinstance(value, list) else [value]  # type: ignore[list-item]
    try:
        joined = "\n".join(listed)
    except TypeError:
        joined = None
    if joined is None or listed is not value:
        raise BadEntry("wrong-type", f"{key} must be a list of texts, not {_kind(value)}")
    texts = filter(str.strip, listed)
    return tuple(texts if joined.isascii() and "\0" not in joined else map(storable, texts))


def title_of(entry: Entry) -> str:
    """The title; an entry without a readable one is no paper."""
    title = text_of(entry, "title")
    if title is None or not (title.isprintable() or clean(title, limit=_EXCERPT)):
        raise BadEntry("no-title", marked("the entry has no title"))
    return title


def identifiers_of(entry: Entry, key: str = "id") -> dict[str, str]:
    """The identifier under `key`, by kind; empty when the entry has none."""
    value = entry.get(key)
    if isinstance(value, (int, float)):
        raise BadEntry("wrong-type", f"{key} must be text: as a number it has lost its zeros")
    text = text_of(entry, key)
    return dict([identifier(text, FEED)]) if text else {}


def doi_of(text: str) -> tuple[str, str] | None:
    """(kind, value) of a DOI; None for what is none, and for what is too long to be one."""
    return doi_identifier(text) if len(text) <= _LONGEST_ID else None


def version_of(entry: Entry, key: str = "id") -> int | None:
    """The version an arXiv id under `key` ends with, None when it names none."""
    text = text_of(entry, key)
    if text is None or "v" not in text.lower():
        return None
    found = arxiv_id(text)
    return found[1] if found else None


def instant_of(entry: Entry, key: str) -> datetime | None:
    """The instant under `key`, of a day, a month or a year its first; None when missing, or of a
    year no paper can be of."""
    return _read(read_start, entry, key)


def day_of(entry: Entry, key: str) -> date | None:
    """The UTC date under `key`, by the rules of `instant_of`."""
    start = instant_of(entry, key)
    return start.date() if start else None


def last_day_of(entry: Entry, key: str) -> date | None:
    """As `day_of`, but of a month or a year the last day: what was listed in it was no later."""
    stated = _read(read_date, entry, key)
    return stated.period.last if stated else None


def counted_at(entry: Entry, key: str) -> datetime | None:
    """When something was counted, by the rules of `instant_of`; a month or a year is too vague."""
    stated = _read(read_date, entry, key)
    if stated is not None and stated.at is None:
        raise BadEntry("bad-date", f"{key} must name a day or an instant")
    return stated.at if stated else None


def _read(read: Callable[[str], _Read | None], entry: Entry, key: str) -> _Read | None:
    text = text_of(entry, key)
    try:
        return read(text) if text else None
    except InvalidInput as error:
        raise BadEntry("bad-date", f"{key}: {error}") from None


def count_of(entry: Entry, key: str) -> int | None:
    """The whole number under `key`, None when unknown: null is not 0."""
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
    """The counts an entry states; `keys` maps the entry's keys to signals."""
    if keys.keys().isdisjoint(entry):
        return ()
    return tuple(
        Count(signal=signal, value=value, captured_at=captured_at)
        for key, signal in keys.items()
        if (value := count_of(entry, key)) is not None
    )


def links_of(candidates: Mapping[str, object]) -> dict[str, str]:
    """Those of the named values that are http(s) addresses. Others are left out; so is one with a
    user name, which may be a password of somebody's or make one host look like another."""
    return {
        name: value
        for name, value in candidates.items()
        if isinstance(value, str) and _ADDRESS.fullmatch(value)
    }


def record_of(entry: Entry, entry_fingerprint: str) -> Record:
    """The record of an entry in our own field names (see the `jsonl` reader)."""
    listed_at = instant_of(entry, "submitted_on_daily_at")
    listed_on = last_day_of(entry, "listed_on") or last_day_of(entry, "first_listed")
    abstract = text_of(entry, "summary") or text_of(entry, "abstract") or ""
    identifiers, comment = identifiers_of(entry), text_of(entry, "comment")
    withdrawn = entry.get("withdrawn")
    if isinstance(withdrawn, str):
        withdrawn = withdrawn.strip().casefold() in _YES
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
        version=version_of(entry),
        withdrawn=withdrawn is True
        or ("arxiv" in identifiers and says_withdrawn(abstract, comment)),
        comment=comment,
        licence=text_of(entry, "licence") or text_of(entry, "license"),
        organization=text_of(entry, "organization"),
        submitter=text_of(entry, "submitter"),
        counts=counts_of(entry, counted_at(entry, "captured_at")),
        fingerprint=entry_fingerprint,
    )


def _kind(value: object) -> str:
    names = {bool: "true or false", dict: "an object", list: "a list", int: "a number"}
    return names.get(type(value), "a number" if isinstance(value, float) else "something else")


# How arXiv says that a paper is withdrawn: its authors write so, where the abstract or the comment
# stood.

_SAID = re.compile(
    r"\s*(?:(?:this|the)\s+(?:paper|article|submission|manuscript|preprint|work)"
    r"\s+(?:has\s+been|was|is)\s+)?withdrawn\b(?!\s+from\b)",
    re.IGNORECASE,
)


def says_withdrawn(abstract: str, comment: str | None) -> bool:
    """Whether either begins with it; one that comes to speak of withdrawals later does not."""
    return any(map(_SAID.match, (abstract, comment or "")))
