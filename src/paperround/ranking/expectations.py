"""What is expected of papers before anybody has voted: the border between ranker and prior."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
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


class Of(StrEnum):
    """Whose, or of what, earlier papers are."""

    AUTHOR = "author"
    LINK = "link"
    ORGANIZATION = "organization"
    SUBMITTER = "submitter"
    TERM = "term"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What a paper has in common with earlier ones that did well.

    `papers` earlier ones drew `times` the usual votes: the geometric mean of 1 + votes against
    that of the papers of the same day and feed. `name` is an author or the organisation as the
    paper names them, a term that stands in it, or the kind of a link; a submitter has no name.
    """

    of: Of
    name: str
    papers: int
    times: float


class Grounds(Protocol):
    """Says in words what a prior goes by. Pure."""

    def grounds(
        self, paper: Paper, lifts: Mapping[str, float], *, is_counted: bool
    ) -> Iterator[Ground]:
        """Why the parts `lifts` raise the paper, that of the greatest first. One whose votes are
        counted may be among the earlier ones itself."""
        ...
