"""What a reader gives from a library of their own: understood first, and kept when they say so."""

from collections.abc import Sequence
from datetime import datetime

from paperround.domain.errors import invalid
from paperround.domain.identifiers import canonical
from paperround.domain.interests import (
    MOST_INTERESTS,
    Interest,
    InterestKind,
    checked_interests,
    interest,
    seed_name,
)
from paperround.domain.languages import marked
from paperround.domain.libraries import GivenWork, Library, Understood, UnderstoodWork
from paperround.domain.papers import Paper, Reject
from paperround.domain.subscribers import SubscriberId
from paperround.jobs.desk import Desk
from paperround.jobs.links import choosing_reader, write_by_link
from paperround.jobs.wishes import interests_of, paper_called
from paperround.store.unit_of_work import UnitOfWork

MOST_LOOKED_UP = 300
"""Titles of one library that are looked for, each with a search; the others stay titles."""

_NAMING = ("arxiv", "doi", "biorxiv", "pmid")
"""The kinds of identifiers that a seed is best kept as."""


def understand(desk: Desk, token: str, library: Library, *, now: datetime) -> Understood | None:
    """What of a library is known here and what would be kept, for whoever holds a freshly mailed
    link; None for any other. Nothing is kept."""
    with desk.database.reading() as work:
        reader = choosing_reader(work, desk.keys, token, now=now)
        if reader is None:
            return None
        kept = interests_of(work, reader.person.id)
        papers = _papers(work, library.works)
    seeds = {seed_name(one.value) for one in kept if one.kind is InterestKind.SEED}
    each = [_understood(one, paper, seeds) for one, paper in papers]
    nameless = marked("it has neither a title nor an identifier")
    lost = (
        Reject(reason="no-title", detail=nameless, position=number)
        for number, one in enumerate(each, start=1)
        if one is None
    )
    return Understood(
        called=library.called,
        works=tuple({one.seed: one for one in each if one is not None}.values()),
        refused=(*library.refused, *lost),
        unread=library.unread,
        left=library.left,
        room=MOST_INTERESTS - len(kept),
    )


def _papers(work: UnitOfWork, works: Sequence[GivenWork]) -> list[tuple[GivenWork, Paper | None]]:
    """The paper here that each work is, by any of its identifiers, else by its title."""
    named = {pair for one in works for pair in one.identifiers.items()}
    found = work.papers.find(named) if named else {}
    by_name = work.papers.load(set(found.values())) if found else {}
    looked_up = 0
    papers: list[tuple[GivenWork, Paper | None]] = []
    for one in works:
        ids = (found[pair] for pair in one.identifiers.items() if pair in found)
        paper = next((by_name[id_] for id_ in ids if id_ in by_name), None)
        if paper is None and one.title and looked_up < MOST_LOOKED_UP:
            looked_up += 1
            paper = paper_called(work, one.title)
        papers.append((one, paper))
    return papers


def _understood(one: GivenWork, paper: Paper | None, seeds: set[str]) -> UnderstoodWork | None:
    """None for what has neither a title that can be kept nor an identifier."""
    if paper is not None:
        seed = canonical(paper.identifiers)
        return UnderstoodWork(seed=seed, title=paper.title, paper=paper.id, already=seed in seeds)
    title = one.words.lstrip("-– ")
    if title.isprintable() and any(char.isalnum() for char in title):
        seed = interest(InterestKind.SEED, title).value
        return UnderstoodWork(seed=seed, title=title, already=seed in seeds)
    kind = next((kind for kind in _NAMING if kind in one.identifiers), None)
    if kind is None:
        return None
    seed = f"{kind}:{one.identifiers[kind]}"
    return UnderstoodWork(seed=seed, title=seed, is_identifier=True, already=seed in seeds)


def keep_seeds(desk: Desk, token: str, seeds: Sequence[str], *, now: datetime) -> int | None:
    """Keep these papers as what whoever holds a freshly mailed link likes; returns how many were
    new, None for any other link.

    Raises InvalidInput (code `seed`) for one that cannot be read, and (code `interests`) when there
    is no room for all of them.
    """
    wanted = checked_interests([Interest(InterestKind.SEED, one) for one in seeds])

    def keep(work: UnitOfWork) -> int | None:
        reader = choosing_reader(work, desk.keys, token, now=now)
        return None if reader is None else add_all(work, reader.person.id, wanted, now=now)

    return write_by_link(desk, token, keep)


def add_all(
    work: UnitOfWork, person: SubscriberId, more: Sequence[Interest], *, now: datetime
) -> int:
    """Add all of these to what a person is interested in; returns how many were new. Raises
    InvalidInput (code `interests`), and adds none, when there is no room for all."""
    known = interests_of(work, person)
    new = [one for one in dict.fromkeys(more) if one not in known]
    room = MOST_INTERESTS - len(known)
    if len(new) > room:
        raise invalid(
            "interests",
            "%(some)s are chosen and there is room for %(all)s: leave some out, or take "
            "lines out of your choices first",
            some=len(new),
            all=room,
        )
    if new:
        work.subscribers.set_interests(person, (*known, *new), now=now)
    return len(new)
