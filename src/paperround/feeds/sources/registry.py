"""Every source by its kind: those of the core, and those that plugins add."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from paperround.core.plugins import plugins
from paperround.feeds.sources.arxiv import Arxiv
from paperround.feeds.sources.base import Source
from paperround.feeds.sources.feed import AnyFeed
from paperround.feeds.sources.hugging_face import HfDaily

_FIRST: tuple[Callable[[], Source[Any]], ...] = (HfDaily, Arxiv)
_LAST: tuple[Callable[[], Source[Any]], ...] = (AnyFeed,)


class Sources(Mapping[str, Source[Any]]):
    """The sources by kind; a plugin's is made when it is looked up.

    A plugin's class is called with `key=` where `keys` has one for its kind. Raises Misconfigured
    for a key that its source refuses.
    """

    def __init__(self, keys: Mapping[str, str]) -> None:
        self._keys = keys
        self._made = {source.kind: source for source in (make() for make in (*_FIRST, *_LAST))}
        last = [make().kind for make in _LAST]
        first = [kind for kind in self._made if kind not in last]
        self._kinds = (*first, *(kind for kind in plugins("sources") if kind not in last), *last)

    def __getitem__(self, kind: str) -> Source[Any]:
        if kind not in self._made:
            make = plugins("sources")[kind]
            self._made[kind] = make(key=self._keys[kind]) if kind in self._keys else make()
        return self._made[kind]

    def __iter__(self) -> Iterator[str]:
        return iter(self._kinds)

    def __len__(self) -> int:
        return len(self._kinds)


def sources(keys: Mapping[str, str] | None = None) -> Sources:
    """Every source; `keys` are those that the operator has for services, by kind."""
    return Sources(keys or {})


SOURCES = sources()
"""The sources without any key."""
