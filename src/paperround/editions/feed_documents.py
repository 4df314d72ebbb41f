"""What a feed for readers holds, whichever format it is written in. Addresses are absolute."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedEntry:
    """A paper in a feed.

    `id` is an address that stays the paper's for good, `page` the one to show. `text` is as much
    as its source lets us show, `reason` why it is there. `published` is when it came into the
    feed, `updated` when what is said of it changed last. `links` are by kind, as a paper's.
    """

    id: str
    page: str
    title: str
    authors: tuple[str, ...] = ()
    reason: str = ""
    text: str = ""
    categories: tuple[str, ...] = ()
    links: Mapping[str, str] = field(default_factory=dict)
    published: datetime
    updated: datetime
    withdrawn: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedDocument:
    """A feed, its newest entries first.

    `address` is its own, without the ending that names a format; `page` shows the same to people.
    `subtitle` says what it holds, and why it holds nothing when that is so. `publisher` is who
    runs the site. A feed that `is_private` is one person's and known to nobody else.
    """

    title: str
    subtitle: str
    address: str
    page: str
    publisher: str
    updated: datetime
    entries: tuple[FeedEntry, ...]
    is_private: bool = False
