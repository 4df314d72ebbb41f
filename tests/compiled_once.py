"""Every statement is compiled once for a test process, and not once for each engine.

A process of Paperround has one engine; a test process has thousands, and each would compile all
that it says anew: a third of what a test on a database costs.
"""

from collections.abc import Hashable, MutableMapping
from typing import Any

from sqlalchemy import Connection, Engine, event
from sqlalchemy.engine import Dialect
from sqlalchemy.engine.interfaces import Compiled
from sqlalchemy.util import LRUCache

STATEMENTS = 5000
"""More than there are."""


class CompiledOnce:
    """Has every engine use the dialect of the first of its kind, and one memory of statements."""

    def __init__(self) -> None:
        self._dialects: dict[Hashable, Dialect] = {}
        self._compiled: MutableMapping[Any, Compiled] = LRUCache(STATEMENTS)

    def listen(self) -> None:
        """From now on."""
        event.listen(Engine, "engine_connect", self._share)

    def _share(self, connection: Connection) -> None:
        """A connection that was just made: its dialect has met its server."""
        engine, own = connection.engine, connection.dialect
        kind = (own.name, own.driver, own.server_version_info, own.default_schema_name)
        shared = self._dialects.setdefault(kind, own)
        if engine.dialect is not shared or engine._compiled_cache is not self._compiled:
            engine.dialect, engine._compiled_cache = shared, self._compiled
        connection.dialect = shared
