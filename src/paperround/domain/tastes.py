"""What a reader likes, of what they said."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from paperround.domain.papers import PaperId

MOST_PAPERS = 200
"""How many papers of each kind a taste is made of, the latest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Taste:
    """What one reader said: papers liked and not, and topics as they wrote them.

    `given` are those of the liked papers that they named themselves, `titles` more such papers, of
    which nothing but the title is known.
    """

    liked: tuple[PaperId, ...] = ()
    disliked: tuple[PaperId, ...] = ()
    topics: tuple[str, ...] = ()
    given: tuple[PaperId, ...] = ()
    titles: tuple[str, ...] = ()

    @property
    def papers(self) -> tuple[PaperId, ...]:
        """Every paper the reader spoke of."""
        return self.liked + self.disliked

    def __bool__(self) -> bool:
        return bool(self.liked or self.disliked or self.topics or self.titles)


NO_TASTE = Taste()


def taste_of(
    said: Sequence[tuple[PaperId, str]],
    topics: Sequence[str] = (),
    seeds: Sequence[PaperId] = (),
    titles: Sequence[str] = (),
    unlike: Sequence[PaperId] = (),
) -> Taste:
    """The taste of somebody who said this of papers, in that order: `more`, `save` or `less`.

    Who wants less of a paper does not like it, even if they saved it. The papers they gave, known
    ones (`seeds`) and mere `titles`, are liked like any other, until they want less of one;
    `unlike` are those they gave as what they do not like.
    """
    disliked = list(dict.fromkeys((*unlike, *_papers(said, ("less",)))))
    unwanted = frozenset(disliked)
    given = tuple(paper for paper in dict.fromkeys(seeds) if paper not in unwanted)[-MOST_PAPERS:]
    liked = [paper for paper in _papers(said, ("more", "save")) if paper not in unwanted]
    others = [paper for paper in liked if paper not in set(given)]
    room = MOST_PAPERS - len(given)
    return Taste(
        liked=given + tuple(others[len(others) - min(room, len(others)) :]),
        disliked=tuple(disliked[-MOST_PAPERS:]),
        topics=tuple(topics),
        given=given,
        titles=tuple(titles)[:MOST_PAPERS],
    )


def _papers(said: Sequence[tuple[PaperId, str]], verdicts: Collection[str]) -> list[PaperId]:
    return list(dict.fromkeys(paper for paper, verdict in said if verdict in verdicts))
