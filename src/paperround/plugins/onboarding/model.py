"""Model the works of a reference library that a reader imports."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from paperround.papers.model import PaperId, Reject
from paperround.subscribers.interests import LONGEST_VALUE

MOST_WORKS = 1000
"""Only the first works of a library are imported."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenWork:
    """A work by its title, its identifiers (kind: value), or both."""

    title: str = ""
    identifiers: Mapping[str, str] = field(default_factory=dict)

    @property
    def words(self) -> str:
        """The title in one line, cut to the longest seed."""
        return " ".join(self.title.split())[:LONGEST_VALUE]


@dataclass(frozen=True, slots=True, kw_only=True)
class Library:
    """A parsed file: `called` is the name of its format, `left` the number of works over the limit,
    `refused` the invalid entries and `unread` the lines outside any entry, with reasons."""

    called: str
    works: tuple[GivenWork, ...] = ()
    refused: tuple[Reject, ...] = ()
    unread: tuple[Reject, ...] = ()
    left: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class UnderstoodWork:
    """One work as it would be imported. `seed` is what is stored, `paper` the matching paper, if
    any; `already`: it is stored now. An unknown identifier takes effect once we have its paper;
    the words of a title count at once."""

    seed: str
    title: str
    paper: PaperId | None = None
    is_identifier: bool = False
    already: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Understood:
    """A matched library that is not stored yet. `room` is how many lines the reader has left."""

    called: str
    works: tuple[UnderstoodWork, ...] = ()
    refused: tuple[Reject, ...] = ()
    unread: tuple[Reject, ...] = ()
    left: int = 0
    room: int = 0

    @property
    def known(self) -> tuple[UnderstoodWork, ...]:
        """Works that match a paper."""
        return tuple(one for one in self.works if one.paper is not None)

    @property
    def titles(self) -> tuple[UnderstoodWork, ...]:
        """Unknown works with a title and no identifier."""
        return tuple(one for one in self.works if one.paper is None and not one.is_identifier)

    @property
    def identifiers(self) -> tuple[UnderstoodWork, ...]:
        """Unknown works with an identifier."""
        return tuple(one for one in self.works if one.paper is None and one.is_identifier)
