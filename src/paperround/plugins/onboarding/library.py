"""Build a reader's interests from their own library.

Results are shown first, and stored once the reader confirms.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from paperround.core.errors import invalid
from paperround.core.languages import marked
from paperround.db.transactions import Transaction
from paperround.papers.identifiers import canonical
from paperround.papers.model import Paper, PaperId, Reject
from paperround.papers.store.papers import PaperStore
from paperround.personal.reader_preferences import interests_of
from paperround.plugins.onboarding.library_formats import GivenWork, Library
from paperround.signup.context import SignupContext
from paperround.signup.magic_links import TokenHolder, authorized_reader, run_as_reader
from paperround.subscribers.choices import find_paper_by_title
from paperround.subscribers.interests import (
    LONGEST_VALUE,
    MOST_INTERESTS,
    Interest,
    InterestKind,
    interest,
    seed_name,
    validate_interests,
)
from paperround.subscribers.model import SubscriberId
from paperround.subscribers.store.subscribers import SubscriberStore

MOST_LOOKED_UP = 300
"""Titles of one library that are searched for; the others stay titles."""

_NAMING = ("arxiv", "doi", "biorxiv", "pmid")
"""Kinds of identifiers for a seed, most preferred first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MatchedWork:
    """One work as it would be imported. `seed` is what is stored, `paper` the matching paper, if
    any; `already`: it is stored now. An unknown identifier takes effect once we have its paper;
    the words of a title count at once."""

    seed: str
    title: str
    paper: PaperId | None = None
    is_identifier: bool = False
    already: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class LibraryPreview:
    """A library whose works are matched, and not stored yet. `refused` are those of the library and
    works without a usable title. `room` is how many lines the reader has left."""

    library: Library
    works: tuple[MatchedWork, ...]
    refused: tuple[Reject, ...]
    room: int

    @property
    def known(self) -> tuple[MatchedWork, ...]:
        """Works that match a paper."""
        return tuple(one for one in self.works if one.paper is not None)

    @property
    def titles(self) -> tuple[MatchedWork, ...]:
        """Unknown works with a title and no identifier."""
        return tuple(one for one in self.works if one.paper is None and not one.is_identifier)

    @property
    def identifiers(self) -> tuple[MatchedWork, ...]:
        """Unknown works with an identifier."""
        return tuple(one for one in self.works if one.paper is None and one.is_identifier)


def preview_library(
    context: SignupContext, token: str, library: Library, *, now: datetime
) -> LibraryPreview:
    """Return what an import of a library would store, for the holder of a recently mailed link.
    Stores nothing. Raises LinkExpired."""
    with context.database.reading() as work:
        reader = authorized_reader(work, context.keys, token, now=now)
        kept = interests_of(work, reader.person.id)
        papers = _find_papers(work, library.works)
    seeds = {seed_name(one.value) for one in kept if one.kind is InterestKind.SEED}
    each = [_recognize(one, paper, seeds) for one, paper in papers]
    nameless = marked("it has neither a title nor an identifier")
    rejects = (
        Reject(reason="no-title", detail=nameless, position=number)
        for number, one in enumerate(each, start=1)
        if one is None
    )
    return LibraryPreview(
        library=library,
        works=tuple({one.seed: one for one in each if one is not None}.values()),
        refused=(*library.refused, *rejects),
        room=MOST_INTERESTS - len(kept),
    )


def _find_papers(
    work: Transaction, works: Sequence[GivenWork]
) -> list[tuple[GivenWork, Paper | None]]:
    """Return the stored paper of each work, found by any identifier, else by title."""
    named = {pair for one in works for pair in one.identifiers.items()}
    found = work[PaperStore].find(named) if named else {}
    by_name = work[PaperStore].load(set(found.values())) if found else {}
    looked_up = 0
    papers: list[tuple[GivenWork, Paper | None]] = []
    for one in works:
        ids = (found[pair] for pair in one.identifiers.items() if pair in found)
        paper = next((by_name[id_] for id_ in ids if id_ in by_name), None)
        if paper is None and one.title and looked_up < MOST_LOOKED_UP:
            looked_up += 1
            paper = find_paper_by_title(work, one.title)
        papers.append((one, paper))
    return papers


def _recognize(one: GivenWork, paper: Paper | None, seeds: set[str]) -> MatchedWork | None:
    """Return what would be stored for a work; None if it has neither a usable title nor an
    identifier."""
    if paper is not None:
        seed = canonical(paper.identifiers)
        return MatchedWork(seed=seed, title=paper.title, paper=paper.id, already=seed in seeds)
    title = " ".join(one.title.split())[:LONGEST_VALUE].lstrip("-–+ ")
    if title.isprintable() and any(char.isalnum() for char in title):
        seed = interest(InterestKind.SEED, title).value
        return MatchedWork(seed=seed, title=title, already=seed in seeds)
    kind = next((kind for kind in _NAMING if kind in one.identifiers), None)
    if kind is None:
        return None
    seed = f"{kind}:{one.identifiers[kind]}"
    return MatchedWork(seed=seed, title=seed, is_identifier=True, already=seed in seeds)


def keep_seeds(context: SignupContext, token: str, seeds: Sequence[str], *, now: datetime) -> int:
    """Store these papers as interests of the holder of a recently mailed link; return how many were
    new.

    Raises LinkExpired, and InvalidInput: with code `seed` for an invalid one, `interests` if they
    exceed the limit.
    """
    wanted = validate_interests([Interest(InterestKind.SEED, one) for one in seeds])

    def keep(work: Transaction, reader: TokenHolder) -> int:
        return add_all(work, reader.person.id, wanted, now=now)

    return run_as_reader(context, token, keep, now=now)


def add_all(
    work: Transaction, person: SubscriberId, more: Sequence[Interest], *, now: datetime
) -> int:
    """Add these interests to a reader's; return how many were new. Raises InvalidInput (code
    `interests`), and adds none, if they exceed the limit."""
    known = interests_of(work, person)
    new = [one for one in dict.fromkeys(more) if one not in known]
    room = MOST_INTERESTS - len(known)
    if len(new) > room:
        raise invalid(
            "interests",
            "%(some)s are ticked, but there is room for %(all)s: untick some, or remove lines "
            "from your choices first",
            some=len(new),
            all=room,
        )
    if new:
        work[SubscriberStore].set_interests(person, (*known, *new), now=now)
    return len(new)
