"""What a file of feeds says, before anybody judged it."""

from dataclasses import dataclass
from typing import Any

from paperround.domain.feeds import NewFeed

MOST_FEEDS = 2000
"""Feeds of one file, far more than anybody reads."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DescribedFeed:
    """One entry of a file: `value` is its feed in the keys of the JSON export, whatever it holds.

    `label` is what the file calls it, for a message. Where `is_named` is false the name was made
    from the label, and gives way to a feed of the same address and to one that has the name.
    `problem` says why no feed can be made of it: (reason, detail).
    """

    position: int
    label: str = ""
    value: object = None
    is_named: bool = True
    problem: tuple[str, str] | None = None


def feed_as_json(feed: NewFeed) -> dict[str, Any]:
    """A feed as a file has it: what an operator said of it, without how it is doing."""
    return {
        "name": feed.name,
        "kind": feed.kind,
        "url": feed.url,
        "settings": dict(feed.settings),
        "show": feed.show,
        "enabled": feed.enabled,
    }
