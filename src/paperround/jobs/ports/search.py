"""What it takes to find papers by words: an index that finds them, and what puts the best in order.

The index knows every paper and orders them roughly and fast; `Relevance` looks at the few best.
"""

from collections.abc import Collection, Sequence
from typing import Protocol

from paperround.domain.papers import Paper, PaperId
from paperround.domain.search import Filters, Found, Query, Term


class Search(Protocol):
    """The index over titles, abstracts and authors, kept current by whatever writes papers."""

    def find(self, query: Query, *, limit: int, upto: PaperId | None = None) -> Found:
        """The best `limit` papers for a query, and in how many papers each of its terms stands.
        Of those that came after the paper `upto` nothing is known, whatever it is asked."""
        ...

    def newest(
        self, filters: Filters, *, limit: int, most: int, upto: PaperId | None = None
    ) -> Found:
        """The `limit` papers that pass the filters and count as new last, the last first. It counts
        no further than `most`."""
        ...

    def spread(self, terms: Collection[Term], *, upto: PaperId | None = None) -> dict[Term, int]:
        """In how many papers each term stands, up to the paper `upto`."""
        ...

    def words_like(self, word: str) -> list[str]:
        """Words of titles that begin as `word` does and are about as long."""
        ...


class Relevance(Protocol):
    """Puts the best papers of an index into their final order. Pure."""

    def __call__(self, query: Query, papers: Sequence[Paper], found: Found) -> list[PaperId]:
        """The ids of `papers`, best first; `found` is what the index said of the query."""
        ...
