"""Find the papers that cite a reader's own papers, or those they saved or added.

    references of the day's papers ─► places by cited work ─┐
    own papers, saved ones, added ones ─────────────────────┴► citing papers, with lift and reason

A cited work is a paper if we have it, else a name (`papers.references`).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from paperround.core.reasons import freeze
from paperround.db.transactions import Transaction
from paperround.papers.formatting import title_in_reason
from paperround.papers.model import PaperId
from paperround.papers.references import CitedName, Reference, spoken_name, title_name
from paperround.papers.store.papers import PaperStore
from paperround.personal.keyword_index import Papers, any_of
from paperround.personal.matches import MOST_LIFT, ReaderPreferences
from paperround.subscribers.interests import (
    InterestKind,
    is_own,
    is_unlike,
    seed_identifier,
    seed_name,
)
from paperround.subscribers.model import SubscriberId

if TYPE_CHECKING:
    from paperround.personal.views import Taste

CitedWork = PaperId | CitedName

_YOURS, _SAVED, _GIVEN = "yours", "saved", "given"

LIFTS: Mapping[str, float] = {_YOURS: MOST_LIFT, _SAVED: MOST_LIFT / 2, _GIVEN: MOST_LIFT / 2}
"""What citing a work adds to the score of a paper, in log odds. Chosen: readers rarely skip a paper
that builds on their own; one that builds on a saved paper is worth as much as a narrow category."""


@dataclass(frozen=True, slots=True)
class CitingGroup:
    """The papers that cite one of the reader's works and are in no earlier group, how the reader
    knows that work, and its title."""

    papers: Papers
    relation: str
    title: str


@dataclass(frozen=True, slots=True)
class CitingPapers:
    """The papers of an index that cite works of one reader, each in one group."""

    groups: tuple[CitingGroup, ...] = ()

    @property
    def papers(self) -> Papers:
        """All of them."""
        return any_of(one.papers for one in self.groups)

    def lift_of(self, place: int) -> float:
        """The addition to the paper's score: citing several works adds no more than the best
        one."""
        found = self._group_of(place)
        return 0.0 if found is None else LIFTS[found.relation]

    def reason(self, place: int) -> str:
        """The reason to show to this reader; empty if the paper cites none of their works."""
        found = self._group_of(place)
        return "" if found is None else freeze(f"cites.{found.relation}", title=found.title)

    def _group_of(self, place: int) -> CitingGroup | None:
        return next((one for one in self.groups if one.papers >> place & 1), None)


NO_CITING = CitingPapers()


def cited_works(
    citations: Iterable[Reference], papers: Sequence[PaperId]
) -> dict[CitedWork, Papers]:
    """The places among `papers` that cite each work."""
    bits = {paper: 1 << place for place, paper in enumerate(papers)}
    cited: dict[CitedWork, Papers] = {}
    for paper, name, known in citations:
        for work in (name,) if known is None else (name, known):
            cited[work] = cited.get(work, 0) | bits.get(paper, 0)
    return cited


def load_citing(
    work: Transaction,
    cited: Mapping[CitedWork, Papers],
    wishes: Mapping[SubscriberId, ReaderPreferences],
    tastes: Mapping[SubscriberId, "Taste"],
) -> dict[SubscriberId, CitingPapers]:
    """The papers that cite works of these readers, without readers who are not cited."""
    if not cited:
        return {}
    found = {
        person: each
        for person in wishes.keys() | tastes.keys()
        if (each := list(_find(cited, wishes.get(person), tastes.get(person))))
    }
    known = {one for each in found.values() for _, _, one in each if isinstance(one, int)}
    titles = {
        paper: title_in_reason(it.title) for paper, it in work[PaperStore].load(known).items()
    }
    return {
        person: CitingPapers(
            tuple(
                CitingGroup(papers, relation, titles[one] if isinstance(one, int) else one)
                for papers, relation, one in each
                if not isinstance(one, int) or one in titles
            )
        )
        for person, each in found.items()
    }


def _find(
    cited: Mapping[CitedWork, Papers], wish: ReaderPreferences | None, taste: "Taste | None"
) -> Iterator[tuple[Papers, str, PaperId | str]]:
    """Yield the papers that cite each work of a reader, how they know it, and what it is: a paper,
    or a title. Their own works come first, and a paper counts for the first it cites."""
    left = ~0
    for one, relation, called in _works_of(wish, taste):
        papers = cited.get(one, 0) & left
        if papers:
            left &= ~papers
            yield papers, relation, called


def _works_of(
    wish: ReaderPreferences | None, taste: "Taste | None"
) -> Iterator[tuple[CitedWork, str, PaperId | str]]:
    own = frozenset(() if wish is None else wish.own)
    given = () if taste is None else taste.given
    seeds = () if wish is None else tuple(wish.of_kind(InterestKind.SEED))
    named = [work for work in map(_named_by, seeds) if work is not None]
    yield from ((one, _YOURS, one) for one in given if one in own)
    yield from (work for work in named if work[1] == _YOURS)
    yield from ((one, _SAVED, one) for one in (() if taste is None else taste.saved))
    yield from ((one, _GIVEN, one) for one in given if one not in own)
    yield from (work for work in named if work[1] == _GIVEN)


@lru_cache(maxsize=16384)
def _named_by(seed: str) -> tuple[CitedName, str, str] | None:
    """The work that a seed names, which we may not have, and what to call it."""
    if is_unlike(seed):
        return None
    relation = _YOURS if is_own(seed) else _GIVEN
    identifier = seed_identifier(seed)
    if identifier is not None:
        return identifier, relation, spoken_name(identifier)
    title = seed_name(seed)
    name = title_name(title)
    return None if name is None else (name, relation, title_in_reason(title))
