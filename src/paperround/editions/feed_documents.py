"""Define the content of Atom, RSS and JSON feeds. URLs are absolute."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedEntry:
    """A paper in a feed.

    `id` is a permanent URL, `page` the one to show. `text` is what we may show of the abstract,
    `reason` why the paper is in the feed. `published` is when it entered the feed, `updated` when
    the entry last changed. `links` are by kind, like a paper's.
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

    `address` is its URL without the extension of a format, `page` the same content as a web page.
    `subtitle` describes the content, or why it is empty. `publisher` is the operator of the site.
    An `is_private` feed has a secret URL for one person.
    """

    title: str
    subtitle: str
    address: str
    page: str
    publisher: str
    updated: datetime
    entries: tuple[FeedEntry, ...]
    is_private: bool = False
