"""What it takes to find papers by words: an index that finds them, and what puts the best in order.

The index knows every paper and orders them roughly and fast; `Relevance` looks at the few best.
"""

from collections.abc import Sequence
from typing import Protocol

from paperround.domain.papers import Paper, PaperId
from paperround.domain.search import Found, Query


class Relevance(Protocol):
    """Puts the best papers of an index into their final order. Pure."""

    def __call__(self, query: Query, papers: Sequence[Paper], found: Found) -> list[PaperId]:
        """The ids of `papers`, best first; `found` is what the index said of the query."""
        ...
