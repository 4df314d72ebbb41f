"""Every source by its kind: those of the core, and those that plugins add."""

from collections.abc import Iterator, Mapping
from typing import Any

from paperround.core.plugins import plugins
from paperround.feeds.sources.arxiv import Arxiv
from paperround.feeds.sources.base import Source
from paperround.feeds.sources.feed import AnyFeed
from paperround.feeds.sources.hugging_face import HfDaily


class Sources(Mapping[str, Source[Any]]):
    """The sources by kind; a plugin's is made when it is looked up.

    A plugin's class is called with `key=` where `keys`, which the operator has for services, has
    one for its kind. Raises Misconfigured for a key that its source refuses.
    """

    def __init__(self, keys: Mapping[str, str]) -> None:
        self._keys = keys
        core: tuple[Source[Any], ...] = (HfDaily(), Arxiv(), AnyFeed())
        self._made = {source.kind: source for source in core}
        self._kinds = tuple(dict.fromkeys((*self._made, *plugins("sources"))))

    def __getitem__(self, kind: str) -> Source[Any]:
        if kind not in self._made:
            make = plugins("sources")[kind]
            self._made[kind] = make(key=self._keys[kind]) if kind in self._keys else make()
        return self._made[kind]

    def __iter__(self) -> Iterator[str]:
        return iter(self._kinds)

    def __len__(self) -> int:
        return len(self._kinds)


SOURCES = Sources({})
"""The sources without any key."""
