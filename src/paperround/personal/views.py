"""Model a reader's view of a day's papers, and the papers they get.

    interests, sent papers ─► view ─► in the edition's order, or by a chooser for readers with a
                                      profile ─► pick

Papers are identified by their places in the day's index, so a set of them is one integer: bit n for
the nth paper.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from paperround.editions.model import EditionPaper
from paperround.papers.model import Paper, PaperId
from paperround.personal.citing import NO_CITING, CitingPapers
from paperround.personal.keyword_index import Papers, any_of, bits
from paperround.personal.matches import NO_MATCHES, Matches, ReaderPreferences

MOST_PAPERS = 200
"""The most papers of each kind in a profile; the latest count."""

MOST_NEXT = 30
"""The most papers on the page of the next titles: two minutes of titles."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Taste:
    """The profile of a reader: liked and disliked papers, and topics as written.

    `given` are the liked papers that they gave themselves, `saved` those they saved, `titles` given
    papers known only by title, `own` the given papers and titles that they wrote. `focus` is what
    they write about their work, `avoid` about what to leave out.
    """

    liked: tuple[PaperId, ...] = ()
    disliked: tuple[PaperId, ...] = ()
    topics: tuple[str, ...] = ()
    given: tuple[PaperId, ...] = ()
    saved: tuple[PaperId, ...] = ()
    titles: tuple[str, ...] = ()
    own: tuple[PaperId | str, ...] = ()
    focus: str = ""
    avoid: str = ""

    @property
    def papers(self) -> tuple[PaperId, ...]:
        """Every liked or disliked paper."""
        return self.liked + self.disliked

    @property
    def known(self) -> tuple[PaperId, ...]:
        """Papers that the reader saved or wants less of, which need not be sent."""
        return self.saved + self.disliked

    def __bool__(self) -> bool:
        papers, words = self.liked or self.disliked or self.titles, self.focus or self.avoid
        return bool(papers or self.topics or words)


NO_TASTE = Taste()


def taste_of(feedback: Sequence[tuple[PaperId, str]], wish: ReaderPreferences) -> Taste:
    """The profile of a reader with these preferences and this feedback, oldest first: `more`,
    `save` or `less`. `less` overrides `more`, `save` and given papers."""
    disliked = list(dict.fromkeys((*wish.unlike, *_papers(feedback, ("less",)))))
    unwanted = frozenset(disliked)
    seeds = dict.fromkeys(wish.seeds)
    given = tuple(paper for paper in seeds if paper not in unwanted)[-MOST_PAPERS:]
    liked = [paper for paper in _papers(feedback, ("more", "save")) if paper not in unwanted]
    others = [paper for paper in liked if paper not in set(given)]
    room = MOST_PAPERS - len(given)
    return Taste(
        liked=given + tuple(others[len(others) - min(room, len(others)) :]),
        disliked=tuple(disliked[-MOST_PAPERS:]),
        topics=wish.words,
        given=given,
        saved=tuple(one for one in _papers(feedback, ("save",)) if one not in unwanted),
        titles=wish.titles[:MOST_PAPERS],
        own=(*wish.own, *wish.own_titles),
        focus=wish.focus,
        avoid=wish.avoid,
    )


def _papers(feedback: Sequence[tuple[PaperId, str]], verdicts: Collection[str]) -> list[PaperId]:
    return list(dict.fromkeys(paper for paper, verdict in feedback if verdict in verdicts))


class PaperIndex:
    """The papers of an edition and then its tail, without duplicates. The first `shown` of them are
    the edition's."""

    def __init__(self, shown: Sequence[EditionPaper], behind: Sequence[EditionPaper] = ()) -> None:
        each: dict[PaperId, EditionPaper] = {}
        for paper in (*shown, *behind):
            each.setdefault(paper.paper_id, paper)
        self.papers = tuple(each.values())
        self.shown = len({paper.paper_id for paper in shown})
        self._bits = {id_: 1 << place for place, id_ in enumerate(each)}

    def places(self, papers: Collection[PaperId]) -> Papers:
        """Those of `papers` that are in the index."""
        return any_of(self._bits[id_] for id_ in self._bits.keys() & papers)


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonalView:
    """A reader's view of the papers of an index, some of which are `citing` works of theirs, and
    the size of their digest.

    `sent` were sent to them before, `withheld` are sent to no reader or known to them, `floor` is
    the least score, `told` the papers whose number of saves they see, `chosen` those
    that an editor chose for everybody and that they may get. Without a `taste` they get papers in
    the edition's order.
    """

    taste: Taste = NO_TASTE
    size: int
    sent: Papers = 0
    withheld: Papers = 0
    matches: Matches = NO_MATCHES
    floor: float | None = None
    citing: CitingPapers = NO_CITING
    told: Papers = 0
    chosen: Papers = 0

    @property
    def wanted_anyway(self) -> Papers:
        """The papers that the reader may get wherever the edition ranks them."""
        return self.matches.followed | self.matches.wanted | self.citing.papers


@dataclass(frozen=True, slots=True, kw_only=True)
class Pick:
    """The places of a reader's papers, in the digest's order, with reasons.

    `worth` is the addition to each score and `beside` the cost of its likeness to an earlier paper,
    both rounded to 4 places. A reason is empty if the paper is worth no more to this reader than to
    others. `following` are the places of the papers that come after, best first, at most MOST_NEXT.
    `unseen`: any paper was new to them; `heard`: any of those was not muted.
    """

    places: Sequence[int]
    reasons: Sequence[str]
    worth: Sequence[float] = ()
    beside: Sequence[float] = ()
    following: Sequence[int] = ()
    unseen: bool = True
    heard: bool = True


def in_order(view: PersonalView, index: PaperIndex) -> Pick:
    """The papers of a reader without a profile: those shown, and wanted ones of the tail.

    Papers by followed authors come first, then those on their topics or found by their searches,
    each group in the edition's order. The lifts of followed categories and of cited works are added
    to the score, and `floor` applies to the sum."""
    matches, citing = view.matches, view.citing
    pinned = matches.followed | matches.wanted
    unseen = ((1 << index.shown) - 1 | view.wanted_anyway) & ~(view.sent | view.withheld)
    heard = unseen & ~matches.muted
    worth = {
        place: index.papers[place].score + matches.lift_of(place) + citing.lift_of(place)
        for place in bits(heard)
    }
    kept = [place for place in worth if view.floor is None or worth[place] >= view.floor]
    first = [place for place in kept if matches.followed >> place & 1]
    wanted = [place for place in kept if (matches.wanted & ~matches.followed) >> place & 1]
    others = [place for place in kept if not pinned >> place & 1]
    if any((matches.lifted | citing.papers) >> place & 1 for place in others):
        others.sort(key=lambda place: -worth[place])
    every = [*first, *wanted, *others]
    best, following = every[: view.size], every[view.size :][:MOST_NEXT]
    return Pick(
        places=best,
        reasons=[""] * len(best),
        following=following,
        unseen=bool(unseen),
        heard=bool(heard),
    )


def with_chosen(pick: Pick, view: PersonalView) -> Pick:
    """The pick with what an editor chose before its own papers, up to the size of the digest."""
    if not view.chosen:
        return pick
    first = list(bits(view.chosen))
    room = max(0, view.size - len(first))

    def joined(numbers: Sequence[float]) -> Sequence[float]:
        return [*[0.0] * len(first), *numbers[:room]] if numbers else ()

    return Pick(
        places=[*first, *pick.places[:room]],
        reasons=[*[""] * len(first), *pick.reasons[:room]],
        worth=joined(pick.worth),
        beside=joined(pick.beside),
        following=[*pick.places[room:], *pick.following][:MOST_NEXT],
    )


Chooser = Callable[[Sequence[PersonalView]], Sequence[Pick]]
"""Picks papers of one index for readers whose profiles it has. A reader's picks do not depend on
other readers."""

Load = Callable[[Sequence[PaperId]], Mapping[PaperId, Paper]]
"""Loads papers by id, without those that no longer exist."""


def pick_each(
    views: Sequence[PersonalView], index: PaperIndex, chooser: Chooser | None
) -> list[Pick]:
    """The pick of each view. One call ranks for every reader with a profile."""
    with_profile = [view for view in views if view.taste]
    picks = iter(chooser(with_profile) if chooser and with_profile else ())
    return [next(picks) if view.taste else in_order(view, index) for view in views]
