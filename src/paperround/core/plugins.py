"""Plugins: optional parts, found by entry point and loaded by name.

A distribution names its plugins in its metadata, in one group for each kind of plugin:

    [project.entry-points."paperround.sources"]
    crossref = "paperround.plugins.crossref:Crossref"

The plugins of this project are named in the same way. Listing the names imports no code: a plugin
is imported when its name is first looked up.
"""

import importlib.util
import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any

from paperround.core.errors import Misconfigured

GROUP = "paperround"
_PROJECT = Path(__file__).parents[3] / "pyproject.toml"


class Plugins(Mapping[str, Any]):
    """The plugins of one group by name: the objects that their entry points refer to.

    Looking up a name raises KeyError when no distribution names it, and Misconfigured when its code
    fails on import. A plugin whose module is missing is not listed.
    """

    def __init__(self, points: Mapping[str, EntryPoint]) -> None:
        self._points = points

    def __getitem__(self, name: str) -> Any:
        point = self._points[name]
        try:
            return point.load()
        except (ImportError, AttributeError) as error:
            raise Misconfigured(
                f"the plugin {name} ({point.value}) cannot be loaded: {error}"
            ) from error

    def __iter__(self) -> Iterator[str]:
        return iter(self._points)

    def __len__(self) -> int:
        return len(self._points)


@cache
def plugins(kind: str) -> Plugins:
    """Return the plugins of the group `paperround.<kind>`, such as `sources`; ours come first."""
    group, found = f"{GROUP}.{kind}", dict[str, EntryPoint]()
    for point in (*_points_of_clone(group), *entry_points(group=group)):
        if _has_module(point):
            found.setdefault(point.name, point)
    return Plugins(found)


def _points_of_clone(group: str) -> list[EntryPoint]:
    """Return our entry points in a clone, which may run uninstalled; none elsewhere."""
    if not _PROJECT.is_file():
        return []
    _, _, rest = _PROJECT.read_text(encoding="utf-8").partition(f'."{group}"]\n')
    ours = tomllib.loads(rest.partition("\n[")[0])  # the whole file takes ten times as long
    return [EntryPoint(name, value, group) for name, value in ours.items()]


def _has_module(point: EntryPoint) -> bool:
    try:
        return importlib.util.find_spec(point.module) is not None
    except ModuleNotFoundError:
        return False
