"""A feed of each kind on which nothing is as it is by itself."""

from paperround.feeds.model import NewFeed, Setting
from paperround.feeds.sources.registry import SOURCES
from paperround.papers.model import Show


def another_value(choice: Setting) -> str:
    """A value that is not the one a feed has by itself."""
    if choice.example:
        return choice.example
    bounds = [str(one) for one in (choice.low, choice.high) if one is not None]
    others = [one for one in (*choice.values(), *bounds) if one != choice.default]
    return ",".join(others[:2]) if choice.many else others[0]


def full_feed(kind: str) -> NewFeed:
    """A feed of the kind on which nothing is as it is by itself."""
    return NewFeed(
        name=f"my-{kind}",
        kind=kind,
        url="https://mirror.example/path",
        settings={name: another_value(one) for name, one in SOURCES[kind].settings.items()},
        show=Show.GIST,
        enabled=False,
    )
