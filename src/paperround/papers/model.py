"""Papers, the records they are made of, and the rejects that could not become one."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
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
    """A count with its date. The key of one is (paper, signal, captured_at).

    `scale` names whose count it is: ten votes are many in one place and few in another.
    """

    signal: str
    captured_at: datetime
    value: int
    scale: str = ""


PaperId = NewType("PaperId", int)
"""Opaque key of a paper; says nothing about where the paper came from."""

FeedId = NewType("FeedId", int)


class Show(StrEnum):
    """How much of a paper's abstract its source lets us show."""

    FULL = "full"
    GIST = "gist"
    LINK = "link"


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What is told of a paper.

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
    """One parsed entry of a feed, before merging. Texts are as the source wrote them.

    `listed_at` is the instant the feed listed the paper, where it says one.
    `announces` is false for news of a paper that was announced before (a replacement): it may
    change a known paper, and never makes a new one. Only such a record may have an empty title: it
    says that a paper is withdrawn, or what else is known of it, and the paper keeps its texts.
    `fingerprint` is a hash of the bytes the record was read from: equal means nothing changed.
    """

    listed_at: datetime | None = None
    counts: tuple[Count, ...] = ()
    announces: bool = True
    fingerprint: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reject:
    """An entry that could not become a record, kept so that nothing is lost silently.

    `reason` is a short code that can be counted (`no-title`, `not-json`, ...), `detail` a
    sentence for a person, `position` the 1-based place in the input, `excerpt` at most 500
    characters of it.
    """

    reason: str
    detail: str
    position: int
    excerpt: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LooseCount:
    """Counts for a paper named by an identifier, from a file that carries no papers."""

    kind: str
    value: str
    counts: tuple[Count, ...]
    position: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedBatch:
    """What one page or file held. `next` is where the source goes on, None at its end.

    `pause` is how long the source wants not to be asked, None when it does not say.
    """

    records: tuple[Record, ...] = ()
    rejects: tuple[Reject, ...] = ()
    loose_counts: tuple[LooseCount, ...] = ()
    next: str | None = None
    pause: timedelta | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Paper(Work):
    """The canonical work: one value however many feeds carry it. Texts are repaired.

    `counts_from` is the instant the paper starts to count as new: its first listing, else
    its first ingest. `withdrawn_by` are the feeds that say it is withdrawn, by id; none where
    nobody does, or where it is not known who did.
    """

    id: PaperId
    identifiers: Mapping[str, str]
    counts_from: datetime
    withdrawn_by: tuple[FeedId, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """A configured source. Files read by hand belong to a feed of their own, one per format."""

    id: FeedId
    name: str
    kind: str
    show: Show | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperWrite:
    """What one record does to the database.

    `paper.id` is negative for a new paper: the store gives it a real one and returns the pairs.
    `title_key` is empty for a paper that has none. A raw text is as the source wrote it, None
    where that is the paper's own text; where it stays, the store keeps the one it has.
    """

    paper: Paper
    is_new: bool
    text_changed: bool
    title_key: str
    canonical: str
    raw_title: str | None
    raw_abstract: str | None
    raw_title_stays: bool = False
    raw_abstract_stays: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperText:
    """The text of a version that is not, or no longer, the newest. Raw texts as in `PaperWrite`."""

    paper_id: PaperId
    version: int
    title: str
    abstract: str
    raw_title: str | None
    raw_abstract: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class EarlierText:
    """A text that a paper had before. `replaced_at` is when it was, here; `version` is None where
    its source did not say which it was of."""

    version: int | None
    title: str
    replaced_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Carried:
    """That a feed carries a paper, since when it is known, and on what day the feed listed it."""

    feed: str
    listed_on: date | None
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperTrail:
    """Where a paper came from: its earlier texts, the newest first, and the feeds that carry it,
    the first first."""

    earlier: tuple[EarlierText, ...] = ()
    carried: tuple[Carried, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """A feed's claim on a paper: when it listed it, and with which fingerprints.

    `fingerprint` holds the last eight this feed listed the paper with, separated by spaces, the
    newest last: one file may hold several variants of a paper, and reading it again is no change.
    """

    paper_id: PaperId
    fingerprint: str
    listed_on: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Vote:
    """The votes of a paper as a feed told them at an instant. `listed_on` is the day on which that
    feed listed the paper; None where the feed is gone, or names no day."""

    feed: FeedId | None
    listed_on: date | None
    captured_at: datetime
    value: int
