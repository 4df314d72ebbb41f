"""What is expected of papers before anybody has voted: the border between ranker and prior."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from paperround.domain.papers import Paper


class Expectation(Protocol):
    """Learned from the past. Pure: same papers, same parts."""

    @property
    def version(self) -> str:
        """Name, version and what it was learned from; stands in the ranker's name."""
        ...

    def parts(self, papers: Sequence[Paper]) -> list[Mapping[str, float]]:
        """For each paper, by name, what raises or lowers the natural log of its votes.

        Each part is measured against papers of the same day in the history, not in `papers`.
        """
        ...
