"""The formats a feed comes in, by the ending of its address."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from paperround.domain.syndication import FeedDocument
from paperround.exports import atom, json_feed, rss


@dataclass(frozen=True, slots=True)
class FeedFormat:
    """How a feed is written, and what that is called."""

    media_type: str
    write: Callable[[FeedDocument], bytes]


FEED_FORMATS: Mapping[str, FeedFormat] = MappingProxyType(
    {
        "atom": FeedFormat(atom.MEDIA_TYPE, atom.write_atom),
        "rss": FeedFormat(rss.MEDIA_TYPE, rss.write_rss),
        "json": FeedFormat(json_feed.MEDIA_TYPE, json_feed.write_json_feed),
    }
)
