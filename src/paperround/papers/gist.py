"""Choose the gist: the sentences of an abstract that say what the paper does. Works offline.

    abstract ──► sentences ──► chance of idea, of result ──► rewritten ──► worth alone ──► gist

Two sums of weighted features (`gist_features`) score each sentence as an idea and as a result. Its
share of `exp(sum)` over the abstract (a softmax) is the chance that a reader marks it as such. The
sentence is rewritten to be read alone (`gist_rewriting`), and its chance is multiplied by how well
that works (`gist_worth`). A gist of one sentence is the best idea; if that says little, the next
sentence is joined to it with a semicolon. A gist of two is the best idea and then a result.
"""

from collections.abc import Callable, Iterator, Sequence, Set
from dataclasses import dataclass
from functools import cached_property, lru_cache
from heapq import nlargest
from itertools import combinations, product
from math import exp

from paperround.papers import gist_features, gist_rewriting, gist_worth
from paperround.papers.gist_features import WEIGHTS, Features, Sentence, Weights
from paperround.papers.gist_rewriting import Acronyms, Piece
from paperround.papers.gist_worth import PROPOSAL, STATEMENT, points_outside, says_little

GistChooser = Callable[[str, str], str]
"""Returns the sentence that says what the paper does, given title and abstract."""
LONGEST_ONE = 240
"""The most characters of a gist of one sentence."""
LONGEST = 320
"""The most characters of a gist of two sentences."""

_REMEMBERED = 1024
"""Papers whose gists a process caches: successive editions have most papers in common."""

# Chosen by reading gists without their abstracts, and by marked abstracts held out of the fit.
_MOST_PAIRED = 16  # sentences, the likeliest
_TEMPER = 0.6  # the power of the chance of an idea: below 1, the words of a sentence matter more
_LEAST_CHANCE = 0.03  # added, so that words can outweigh a place where ideas are rare
_TITLE = 1.5  # a sentence with all words of the title counts exp(1.5) times
_FIRST_STATEMENT = 1.75  # the first in which the authors say what they do
_FIRST_PROPOSAL = 2.5
_BACKGROUND = 0.3  # a sentence before the authors speak of their own work
_UNREADABLE = 0.0003  # a sentence that is cut, or refers to text that is not shown
_LEAST_OF_BEST = 0.2  # the first of two sentences is worth at least this share of the best
_POOR_RESULT = 0.1  # one that refers to text that is not shown, or only hopes


@dataclass(eq=False)
class _Candidate:
    """A sentence, its chances to be marked as idea and as result, and how it can be shown."""

    sentence: Sentence
    idea: float
    result: float
    bonus: float

    @cached_property
    def versions(self) -> Sequence[Piece]:
        """Every version, the most complete first."""
        return list(gist_rewriting.versions(self.sentence))

    @cached_property
    def curtailed(self) -> Sequence[Piece]:
        """The versions without a phrase."""
        return [short for one in self.versions for short in gist_rewriting.curtailed(one)]

    @property
    def whole(self) -> Piece:
        """The most complete version."""
        return self.versions[0]

    def within(self, limit: int) -> Piece:
        """The longest version that fits; one without a phrase if that says little; else one with
        an ellipsis."""
        fitting = [one for one in self.versions if len(one.text) <= limit]
        if not fitting or (fitting[0] != self.whole and says_little(fitting[0].text)):
            fitting += [one for one in self.curtailed if len(one.text) <= limit]
        cut = self.whole._replace(text=shortened(self.whole.text, limit))
        return max(fitting, key=lambda one: len(one.text), default=cut)

    def precedes(self, other: "_Candidate") -> bool:
        """Whether only white space is between the two."""
        return other.sentence.start - self.sentence.end <= 2


@lru_cache(maxsize=_REMEMBERED)
def choose_gist(title: str, abstract: str) -> str:
    """The sentence that says what the paper does, at most 240 characters; "" for an empty abstract.

    Skips a sentence that only repeats `title`.
    """
    return " ".join(piece.text for piece in gist_pieces(title, abstract, 1))


@lru_cache(maxsize=_REMEMBERED)
def choose_two(title: str, abstract: str) -> str:
    """What the paper does and what came of it, in two sentences of at most 320 characters together;
    "" for an empty abstract."""
    return " ".join(piece.text for piece in gist_pieces(title, abstract, 2))


def gist_pieces(
    title: str, abstract: str, most: int, weights: Weights = WEIGHTS
) -> tuple[Piece, ...]:
    """At most `most` (1 or 2) sentences: what the paper does, then what came of it."""
    abstract = gist_rewriting.without_macros(abstract, title)
    candidates = _candidates(title, abstract, weights)
    if not candidates:
        return ()
    known, words = gist_rewriting.acronyms(abstract), gist_worth.title_words(title)
    if most == 2 and (pair := _best_pair(candidates, words)):
        first = gist_rewriting.expanded(pair[0], known, LONGEST - 1 - len(pair[1].text))
        room = LONGEST - 1 - len(first.text)
        return first, gist_rewriting.expanded(pair[1], known, room)
    return (_best_one(candidates, words, known),)


def _candidates(title: str, abstract: str, weights: Weights) -> list[_Candidate]:
    sentences = gist_features.split_sentences(abstract)
    features = gist_features.features_of(sentences)
    ideas, results = (_shares(features, weights, kind) for kind in (0, 1))
    bonuses = (_BACKGROUND if gist_features.is_background(one) else 1.0 for one in features)
    every = [*map(_Candidate, sentences, ideas, results, bonuses)]
    named = title.casefold().strip(" .")
    news = [one for one in every if not gist_worth.NO_NEWS.search(one.sentence.text)]
    candidates = [one for one in news if one.sentence.text.casefold().strip(" .") != named] or every
    for says, factor in ((STATEMENT, _FIRST_STATEMENT), (PROPOSAL, _FIRST_PROPOSAL)):
        if first := next((one for one in candidates if says.search(one.sentence.text)), None):
            first.bonus = factor
    return candidates


def _shares(features: Sequence[Features], weights: Weights, kind: int) -> list[float]:
    """Each sentence's share of `exp(sum)`; `kind` is 0 for ideas, 1 for results."""
    powers = [
        exp(sum(weights[name][kind] * value for name, value in one.items() if name in weights))
        for one in features
    ]
    return [power / sum(powers) for power in powers]


def _best_one(candidates: Sequence[_Candidate], words: Set[str], known: Acronyms) -> Piece:
    """The candidate that says best what the paper does, or two joined.

    Skips those that could not win with any words: rewriting takes time.
    """
    highest = exp(_TITLE) if words else 1.0
    best, chosen = 0.0, Piece("", 0, 0)
    pairs = zip(candidates, [*candidates[1:], None], strict=True)
    chances = ((one.idea + (other.idea if other else 0.0), one, other) for one, other in pairs)
    for most, one, other in sorted(chances, key=lambda it: -it[0] * it[1].bonus):
        if (most + _LEAST_CHANCE) ** _TEMPER * one.bonus * highest <= best:
            continue
        for piece, chance in _one_or_joined(one, other, known):
            value = _value(piece, chance, one.bonus, words)
            if value > best:
                best, chosen = value, piece
    return gist_rewriting.expanded(chosen, known, LONGEST_ONE)


def _one_or_joined(
    one: _Candidate, other: _Candidate | None, known: Acronyms
) -> Iterator[tuple[Piece, float]]:
    """The first alone, and both as one sentence where the first needs the second and they fit."""
    alone = one.within(LONGEST_ONE)
    yield alone, one.idea
    if other is None or not one.precedes(other) or not says_little(alone.text):
        return
    first = gist_rewriting.expanded(alone, known, LONGEST_ONE)
    for second in (*other.versions, *other.curtailed):
        if gist_worth.can_follow(alone.text, second.text):
            both = gist_rewriting.joined(first, second)
            if both and len(both.text) <= LONGEST_ONE:
                yield both, one.idea + other.idea
                return


def _value(piece: Piece, chance: float, bonus: float, words: Set[str]) -> float:
    """How well a piece on its own says what the paper does; `chance` is that of an idea."""
    value: float = (chance + _LEAST_CHANCE) ** _TEMPER * bonus
    if piece.text.endswith("…") or points_outside(piece.text):
        return value * _UNREADABLE
    said = gist_worth.said_of_title(piece.text, words)
    return value * gist_worth.worth_alone(piece.text) * exp(_TITLE * said)


def _best_pair(candidates: Sequence[_Candidate], words: Set[str]) -> tuple[Piece, Piece] | None:
    """The sentence that says best what the paper does, before the likeliest result that fits."""
    likeliest = nlargest(_MOST_PAIRED, candidates, key=lambda one: one.idea + one.result)
    worth = {one: _value(one.within(LONGEST_ONE), one.idea, one.bonus, words) for one in likeliest}

    def chance(pair: tuple[_Candidate, _Candidate]) -> float:
        """How well the first says it, and that one of them is a result."""
        one, other = pair
        points = not one.precedes(other) and points_outside(other.whole.text)
        is_poor = points or gist_worth.only_hopes(other.whole.text)
        result = one.result + other.result * (_POOR_RESULT if is_poor else 1.0)
        return worth[one] * result

    least = _LEAST_OF_BEST * max(worth.values())
    pairs = combinations((one for one in candidates if one in worth), 2)
    telling = (pair for pair in pairs if worth[pair[0]] >= least)
    fitting = (_fit(*pair) for pair in sorted(telling, key=chance, reverse=True))
    return next(filter(None, fitting), None)


def _fit(one: _Candidate, other: _Candidate) -> tuple[Piece, Piece] | None:
    """The most telling versions of both that fit together; both may lose a phrase."""
    firsts, seconds = one.versions, other.versions
    if min(len(it.text) for it in firsts) + min(len(it.text) for it in seconds) >= LONGEST:
        firsts, seconds = [*firsts, *one.curtailed], [*seconds, *other.curtailed]
    pairs = product((it for it in firsts if not points_outside(it.text)), seconds)
    fitting = [pair for pair in pairs if len(pair[0].text) + len(pair[1].text) < LONGEST]
    return max(fitting, key=lambda pair: len(pair[0].text) + len(pair[1].text), default=None)


def shortened(text: str, limit: int) -> str:
    """`text`, cut at a word with an ellipsis if it is longer than `limit` characters."""
    if len(text) <= limit:
        return text
    head = text[: limit - 1]
    return (head.rpartition(" ")[0] or head).rstrip(" ,;:–—-") + "…"
