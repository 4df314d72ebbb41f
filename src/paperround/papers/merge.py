"""Merge records into papers. Pure: old value, record, now -> write.

A later version replaces the texts; an earlier one never does, but is kept as a version. A text
with a version replaces one without, whichever came first. If two feeds carry the same version, the
first text stays, so a feed with poorer text cannot spoil a paper. A missing abstract is taken from
any feed, and an abstract is never removed. Of one abstract that two feeds carry, as much is shown
as either feed lets us. Of two author lists of one version, the one that
contains the other counts.

A withdrawal lasts until a newer text comes without it, or every feed that reported it retracts it.

A record may carry identifiers of several known papers (a journal's DOI and an arXiv id), or the
title, first author and year of one and the identifier of another. Then they are one work, unless
they have two different ids of one kind, and are joined first: the older paper (smaller id) keeps
its id, and the other id redirects to it. The newer text wins, as if every record had been merged
into one paper from the start. If two papers must stay apart, a record with identifiers of both
updates the paper of its most trusted identifier.
"""

from dataclasses import dataclass, fields, replace
from datetime import date, datetime, timedelta
from typing import Any, TypeVar

from paperround.core.times import midnight_utc
from paperround.papers.identifiers import author_key, title_key
from paperround.papers.model import (
    FeedId,
    Paper,
    PaperId,
    PaperText,
    PaperWrite,
    Record,
    Work,
    more_shown,
)
from paperround.papers.text import author_names, repair_abstract, repair_title

FUTURE_ALLOWED = timedelta(hours=24)
"""A date further ahead than this is a mistake of the source and is ignored."""

REMEMBERED = 8
"""Fingerprints kept per feed and paper: one file may contain several variants of a paper."""


def repaired(record: Record) -> Record:
    """The record with readable texts and names."""
    title, abstract = repair_title(record.title), repair_abstract(record.abstract)
    authors = author_names(record.authors)
    if (title, abstract, authors) == (record.title, record.abstract, record.authors):
        return record  # true of most records; copying costs as much as repairing the title
    return replace(record, title=title, abstract=abstract, authors=authors)


def key_of(record: Record) -> str:
    """The title key of a repaired record."""
    return title_key(record.title, record.authors, _year(record))


def _year(record: Record) -> int | None:
    dated = record.published_at or record.listed_at or record.listed_on
    return dated.year if dated else None


def may_merge_by_title(record: Record, paper: Paper) -> bool:
    """Whether a repaired record with the paper's title key is that paper.

    If either has an identifier, the record needs an author and a year ("Editorial" is the title of
    many works), and the two must not have different ids of one kind.
    """
    own = [kind for kind in paper.identifiers if kind != "title_key"]
    if not own and not record.identifiers:
        return True
    return has_author_and_year(record) and not any(kind in record.identifiers for kind in own)


def has_author_and_year(record: Record) -> bool:
    """Whether a repaired record has an author and a year, so that its title identifies a work."""
    author = record.authors[0] if record.authors else ""
    return any(map(str.isalnum, author)) and _year(record) is not None


def listed_from(record: Record, now: datetime) -> datetime | None:
    """When the record's listing starts to count; None if it has none or one too far in the
    future, such as the end of the current month or year."""
    if record.listed_on is None:
        return None
    precise = record.listed_at is not None and record.listed_at.date() == record.listed_on
    start = record.listed_at if precise and record.listed_at else midnight_utc(record.listed_on)
    return _plausible(start, now)


def new_paper(
    provisional: PaperId,
    record: Record,
    key: str,
    now: datetime,
    *,
    feed: FeedId | None = None,
) -> PaperWrite:
    """The write that creates a paper from the first record, its title key and its feed.

    A paper that cannot be merged by title leaves the key to a paper without identifiers.
    """
    by_title = not record.identifiers or has_author_and_year(record)
    start = listed_from(record, now)
    stated = {one.name: getattr(record, one.name) for one in fields(Work)}
    accepted: dict[str, Any] = {
        "identifiers": {**record.identifiers, **({"title_key": key} if by_title else {})},
        "listed_on": record.listed_on if start else None,
        "published_at": _plausible(record.published_at, now),
        "updated_at": _plausible(record.updated_at, now),
    }
    paper = Paper(
        **(stated | accepted),
        id=provisional,
        counts_from=start or now,
        withdrawn_by=_with_feed(feed, ()) if record.withdrawn else (),
    )
    return PaperWrite(paper=paper, is_new=True, text_changed=True)


def merged(
    old: Paper,
    record: Record,
    *,
    same_feed: bool,
    now: datetime,
    feed: FeedId | None = None,
) -> PaperWrite | None:
    """The write that updates `old` with the record; None if nothing changes.

    `same_feed`: the feed listed this paper before, so a different text is a correction. Remove
    identifiers of other papers from the record first.
    """
    age = _age(old, record, now, same_feed=same_feed)
    stated = order_known(record.version, old.version)
    is_text = bool(record.title) or record.withdrawn  # else it only has counts and links
    replaces = is_text and ((stated or age) > 0 or (same_feed and (stated or age) == 0))
    base, other = (_with_text(old, record), old) if replaces else (old, record)
    if not order(record.version, old.version):
        base = replace(base, authors=fuller_authors(base.authors, other.authors))
    withdrawn, withdrawn_by = _withdrawal(
        old, record, feed, age=age, stated=stated, is_the_state=replaces and not stated
    )
    if old.abstract and record.abstract == old.abstract and not same_feed:
        base = replace(base, show=more_shown(old.show, record.show))
    elif record.abstract and (replaces or not old.abstract):
        base = replace(base, abstract=record.abstract, show=record.show)
    # A replacement of a paper announced before does not make it new again.
    start = listed_from(record, now) if record.announces else None
    counted = start or old.counts_from
    paper = replace(
        base,
        identifiers={**record.identifiers, **old.identifiers},
        categories=old.categories
        + tuple(one for one in record.categories if one not in old.categories),
        keywords=old.keywords or record.keywords,
        links={**record.links, **base.links},
        counts_from=min(counted, old.counts_from) if old.listed_on else counted,
        listed_on=earliest(old.listed_on, record.listed_on if start else None),
        published_at=earliest(old.published_at, _plausible(record.published_at, now)),
        updated_at=latest(old.updated_at, _plausible(record.updated_at, now)),
        withdrawn=withdrawn,
        withdrawn_by=withdrawn_by,
        comment=base.comment or record.comment,
        licence=base.licence or record.licence,
        organization=old.organization or record.organization,
        submitter=old.submitter or record.submitter,
    )
    if paper == old:
        return None
    text_changed = (old.title, old.abstract) != (paper.title, paper.abstract)
    return PaperWrite(paper=paper, is_new=False, text_changed=text_changed)


def fuller_authors(ours: tuple[str, ...], theirs: tuple[str, ...]) -> tuple[str, ...]:
    """`theirs` if they are ours in the same order and more, else `ours`.

    Some sources name only the first author, or the first three.
    """
    if len(theirs) <= len(ours):
        return ours
    rest = iter(map(author_key, theirs))
    return theirs if all(author_key(name) in rest for name in ours) else ours


def order_known(version: int | None, known: int | None) -> int:
    """1 if only the first of two versions is known, -1 if only the second is, else 0."""
    return (version is not None) - (known is not None)


def earlier_text(paper: Paper, record: Record) -> PaperText | None:
    """The text of a repaired record if it is an earlier version than the paper's, else None."""
    if record.version is None or paper.version is None or not record.title:
        return None
    if record.version >= paper.version:
        return None
    return PaperText(
        paper_id=paper.id,
        version=record.version,
        title=record.title,
        abstract=record.abstract,
    )


def text_of(write: PaperWrite) -> PaperText | None:
    """The text that a write stores, to keep once a later one replaces it; None if it has no
    version or stores no text."""
    paper = write.paper
    if paper.version is None or not (write.is_new or write.text_changed):
        return None
    return PaperText(
        paper_id=paper.id,
        version=paper.version,
        title=paper.title,
        abstract=paper.abstract,
    )


def merge_changes(before: PaperWrite, after: PaperWrite) -> PaperWrite:
    """Two writes to one paper as one: new if the first is, text changed if either changes it."""
    return replace(
        after,
        is_new=before.is_new,
        text_changed=before.text_changed or after.text_changed,
    )


def has_fingerprint(known: str | None, fingerprint: str) -> bool:
    """Whether `fingerprint` is one of `known`."""
    return known is not None and f" {fingerprint} " in f" {known} "


def newest_fingerprint(known: str | None) -> str | None:
    """The newest of the fingerprints `known`."""
    return known.rpartition(" ")[2] if known else None


def add_fingerprint(known: str | None, fingerprint: str) -> str:
    """The last `REMEMBERED` fingerprints, separated by spaces, the new one last."""
    earlier = [one for one in known.split(" ") if one != fingerprint] if known else []
    return " ".join([*earlier, fingerprint][-REMEMBERED:])


def _age(old: Paper, record: Record, now: datetime, *, same_feed: bool) -> int:
    """1 if the record's text is newer than the paper's, -1 if it is older, else 0.

    The version decides, then the date of the update, then within one feed the listing, which can
    only be earlier than the paper's first.
    """
    decided = order(record.version, old.version) or order(
        _plausible(record.updated_at, now), old.updated_at
    )
    if decided or not same_feed:
        return decided
    return min(0, order(record.listed_on, old.listed_on))


def _withdrawal(
    old: Paper, record: Record, feed: FeedId | None, *, age: int, stated: int, is_the_state: bool
) -> tuple[bool, tuple[FeedId, ...]]:
    """Whether the paper is withdrawn now, and the feeds that report it.

    A newer text that is not withdrawn ends every withdrawal. A feed that corrects its text, or
    sends a record without text, retracts only its own.
    """
    unchanged = old.withdrawn, old.withdrawn_by
    if record.withdrawn:
        return (True, _with_feed(feed, old.withdrawn_by)) if stated or age >= 0 else unchanged
    if is_the_state and (age > 0 or not old.withdrawn_by):
        return False, ()
    if feed in old.withdrawn_by and (is_the_state or not record.title):
        others = tuple(one for one in old.withdrawn_by if one != feed)
        return bool(others), others
    return unchanged


def _with_feed(feed: FeedId | None, others: tuple[FeedId, ...]) -> tuple[FeedId, ...]:
    return others if feed is None else tuple(sorted({*others, feed}))


def _with_text(old: Paper, record: Record) -> Paper:
    """The paper with the record's text and its metadata, all but the abstract."""
    return replace(
        old,
        title=record.title or old.title,
        authors=record.authors or old.authors,
        links={**old.links, **record.links},
        version=latest(old.version, record.version),
        comment=record.comment or old.comment,
        licence=record.licence or old.licence,
    )


def _plausible(moment: datetime | None, now: datetime) -> datetime | None:
    return moment if moment is not None and moment <= now + FUTURE_ALLOWED else None


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperJoin:
    """The result of a join: `paper` remains, the id `gone` redirects to it. `lost` is the one of
    the two whose text to store as a version, None if their texts are equal."""

    paper: Paper
    gone: PaperId
    lost: PaperId | None = None


def may_join(one: Paper, other: Paper) -> bool:
    """Whether two papers may be one work: they have no kind of identifier in common.

    No two papers share an id, so two ids of one kind always differ.
    """
    return not (one.identifiers.keys() & other.identifiers.keys()) - {"title_key"}


def joined(one: Paper, other: Paper) -> PaperJoin:
    """The two papers joined; the order of the arguments does not matter."""
    kept, gone = sorted((one, other), key=lambda paper: paper.id)
    stated = order_known(gone.version, kept.version)
    age = order(gone.version, kept.version) or order(gone.updated_at, kept.updated_at)
    newer, older = (gone, kept) if (stated or age) > 0 else (kept, gone)
    # Without a known order of the two texts, a withdrawal of either counts.
    decisive = (newer,) if age != 0 and not stated else (newer, older)
    withdrawn_by = tuple(sorted({feed for one in decisive for feed in one.withdrawn_by}))
    abstract_from = newer if newer.abstract or not older.abstract else older
    show = abstract_from.show
    if one.abstract == other.abstract:
        show = more_shown(one.show, other.show)
    authors = newer.authors or older.authors
    if not order(gone.version, kept.version):
        authors = fuller_authors(authors, older.authors)
    # A paper counts from its listing, or from its first ingest if it has none.
    listed = [one for one in (kept, gone) if one.listed_on is not None]
    paper = replace(
        kept,
        identifiers={**gone.identifiers, **kept.identifiers},
        title=newer.title,
        abstract=abstract_from.abstract,
        show=show,
        authors=authors,
        categories=tuple(dict.fromkeys(kept.categories + gone.categories)),
        keywords=kept.keywords or gone.keywords,
        links={**older.links, **newer.links},
        counts_from=min(one.counts_from for one in listed or (kept, gone)),
        listed_on=earliest(kept.listed_on, gone.listed_on),
        published_at=earliest(kept.published_at, gone.published_at),
        updated_at=latest(kept.updated_at, gone.updated_at),
        version=latest(kept.version, gone.version),
        withdrawn=any(one.withdrawn for one in decisive),
        withdrawn_by=withdrawn_by,
        comment=newer.comment or older.comment,
        licence=newer.licence or older.licence,
        organization=kept.organization or gone.organization,
        submitter=kept.submitter or gone.submitter,
    )
    is_same_text = (kept.title, kept.abstract) == (gone.title, gone.abstract)
    return PaperJoin(paper=paper, gone=gone.id, lost=None if is_same_text else older.id)


T = TypeVar("T", int, datetime, date)


def order(one: T | None, other: T | None) -> int:
    """1 if the first is later, -1 if it is earlier, 0 if they are equal or one is unknown."""
    if one is None or other is None or one == other:
        return 0
    return 1 if one > other else -1


def earliest(one: T | None, other: T | None) -> T | None:
    """The earlier of the known values; None if neither is known."""
    return min((value for value in (one, other) if value is not None), default=None)


def latest(one: T | None, other: T | None) -> T | None:
    """The later of the known values; None if neither is known."""
    return max((value for value in (one, other) if value is not None), default=None)
