"""Works that a reader gave from a library of their own, and what is understood of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from paperround.papers.model import PaperId, Reject

MOST_WORKS = 1000
"""Works of one library that are looked at: of a longer one, the first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenWork:
    """A work by its title, its identifiers (kind: value), or both."""

    title: str = ""
    identifiers: Mapping[str, str] = field(default_factory=dict)

    @property
    def words(self) -> str:
        """The title in one line, no longer than a seed may be."""
        return " ".join(self.title.split())[:LONGEST_VALUE]


@dataclass(frozen=True, slots=True, kw_only=True)
class Library:
    """What was read: `called` is the kind of file in words, `left` how many further works were not
    looked at, `refused` the entries that are no works and `unread` the lines that belong to none,
    each with its reason."""

    called: str
    works: tuple[GivenWork, ...] = ()
    refused: tuple[Reject, ...] = ()
    unread: tuple[Reject, ...] = ()
    left: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class UnderstoodWork:
    """One work as it would be kept. `seed` is what is kept of it; `paper` the paper here that it
    is, None where none is known; `already`: it is kept now. Of an unknown one an identifier waits
    for the day it is known, while the words of a title count at once."""

    seed: str
    title: str
    paper: PaperId | None = None
    is_identifier: bool = False
    already: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Understood:
    """A library, understood and not kept yet. `room` is how many lines its reader has left."""

    called: str
    works: tuple[UnderstoodWork, ...] = ()
    refused: tuple[Reject, ...] = ()
    unread: tuple[Reject, ...] = ()
    left: int = 0
    room: int = 0

    @property
    def known(self) -> tuple[UnderstoodWork, ...]:
        """Those that are papers here."""
        return tuple(one for one in self.works if one.paper is not None)

    @property
    def titles(self) -> tuple[UnderstoodWork, ...]:
        """Those that are known by their title alone."""
        return tuple(one for one in self.works if one.paper is None and not one.is_identifier)

    @property
    def identifiers(self) -> tuple[UnderstoodWork, ...]:
        """Those of which nothing but an identifier is known."""
        return tuple(one for one in self.works if one.paper is None and one.is_identifier)


LONGEST_VALUE = 300
