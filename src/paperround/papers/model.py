"""Model papers, the records they are merged from, and rejected entries."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import NewType


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """`value` of `signal`; `captured_at` is None until the ingest run dates it."""

    signal: str
    value: int
    captured_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """A dated count. Its key is (paper, signal, captured_at).

    `scale` names the source of the count: ten votes are many on one site and few on another.
    """

    signal: str
    captured_at: datetime
    value: int
    scale: str = ""


PaperId = NewType("PaperId", int)
"""Opaque key of a paper, independent of its source."""

FeedId = NewType("FeedId", int)


class Show(StrEnum):
    """How much of a paper's abstract its source lets us show."""

    FULL = "full"
    GIST = "gist"
    LINK = "link"


def more_shown(one: Show, other: Show) -> Show:
    """Return the one that shows more of an abstract."""
    return min(one, other, key=tuple(Show).index)


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """The metadata of a paper.

    `identifiers` maps a kind (`arxiv doi biorxiv pmid url local`) to one normalised value.
    `listed_on` is the day a feed listed the paper.
    `links` maps `abstract pdf code project discussion thumbnail media` to http(s) addresses.
    `submitter` is an opaque key: a prior for ranking, never shown as a person.
    """

    title: str
    abstract: str = ""
    identifiers: Mapping[str, str] = field(default_factory=dict)
    authors: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    keywords: tuple[str, ...] = ()
    links: Mapping[str, str] = field(default_factory=dict)
    listed_on: date | None = None
    published_at: datetime | None = None
    updated_at: datetime | None = None
    version: int | None = None
    withdrawn: bool = False
    comment: str | None = None
    licence: str | None = None
    organization: str | None = None
    submitter: str | None = None
    show: Show = Show.FULL


@dataclass(frozen=True, slots=True, kw_only=True)
class Record(Work):
    """One parsed entry of a feed, before merging. Texts are as in the source.

    `listed_at` is the instant the feed listed the paper, if known.
    `announces` is false for an update to a paper announced before (a replacement): it may change a
    known paper but never creates one. Only such a record may have an empty title: it reports a
    withdrawal or other metadata, and the paper keeps its texts.
    `fingerprint` is a hash of the bytes the record was read from: equal means unchanged.
    `references` are (kind, value) of the works it cites. `known_as` are further names by which the
    source refers to this work when others cite it.
    """

    listed_at: datetime | None = None
    counts: tuple[Count, ...] = ()
    announces: bool = True
    fingerprint: str = ""
    references: tuple[tuple[str, str], ...] = ()
    known_as: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Reject:
    """An invalid entry, stored so that nothing is lost silently.

    `reason` is a short code (`no-title`, `not-json`, ...), `detail` a sentence for a person,
    `position` the 1-based place in the input, `excerpt` at most 500 characters of the entry.
    """

    reason: str
    detail: str
    position: int
    excerpt: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LooseCount:
    """Counts for a paper named by an identifier, from a file without records."""

    kind: str
    value: str
    counts: tuple[Count, ...]
    position: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperFigure:
    """A picture of a paper, as a PNG."""

    paper: PaperId
    width: int
    height: int
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedBatch:
    """The content of one page or file. `next` is the address of the next page, None at the end."""

    records: tuple[Record, ...] = ()
    rejects: tuple[Reject, ...] = ()
    loose_counts: tuple[LooseCount, ...] = ()
    figures: tuple[PaperFigure, ...] = ()
    next: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Paper(Work):
    """A work, stored once even if several feeds carry it. Texts are repaired.

    `counts_from` is the instant the paper starts to count as new: its first listing, else its
    first ingest. `withdrawn_by` are the ids of the feeds that report it as withdrawn; empty if
    none does or they are not known.
    """

    id: PaperId
    identifiers: Mapping[str, str]
    counts_from: datetime
    withdrawn_by: tuple[FeedId, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperWrite:
    """The change one record makes to the database.

    `paper.id` is negative for a new paper: the store assigns an id and returns the pairs.
    """

    paper: Paper
    is_new: bool
    text_changed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperText:
    """The text of a version other than the newest."""

    paper_id: PaperId
    version: int
    title: str
    abstract: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EarlierText:
    """A text that a paper had before. `replaced_at` is when we replaced it; `version` is None if
    unknown."""

    version: int | None
    title: str
    replaced_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Carried:
    """A feed that carries a paper, when we first saw it there, and the day the feed listed it."""

    feed: str
    listed_on: date | None
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperTrail:
    """The history of a paper: its earlier texts, newest first, and the feeds that carry it, in the
    order they first did."""

    earlier: tuple[EarlierText, ...] = ()
    carried: tuple[Carried, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """A paper in a feed: the day it was listed, and its fingerprints.

    `fingerprint` holds the last eight of this feed, separated by spaces, the newest last: one file
    may contain several variants of a paper, and reading it again is no change.
    """

    paper_id: PaperId
    fingerprint: str
    listed_on: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Vote:
    """A paper's votes on a feed at an instant. `listed_on` is the day that feed listed the paper;
    None if the feed is deleted or gives no day."""

    feed: FeedId | None
    listed_on: date | None
    captured_at: datetime
    value: int
