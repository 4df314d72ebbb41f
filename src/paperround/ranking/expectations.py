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


class Grounds(Protocol):
    """Knows whose earlier papers did well. Pure."""

    def popular_author(
        self, paper: Paper, lifts: Mapping[str, float], *, is_counted: bool
    ) -> str | None:
        """The author, as the paper names and shows them, who is why one of the parts `lifts` raises
        it. A paper whose votes are counted may be among the earlier ones itself."""
        ...
