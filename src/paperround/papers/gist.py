"""Choose the gist: the sentences of an abstract that say what the paper does. Works offline.

    abstract ──► sentences ──► chance of idea, of result ──► rewritten ──► worth alone ──► gist

Two sums of weighted features (`gist_features`) score each sentence as an idea and as a result. Its
share of `exp(sum)` over the abstract (a softmax) is the chance that a reader marks it so. It is
rewritten to stand alone (`gist_rewriting`), and its chance counts by how well it does
(`gist_worth`). A gist of one sentence is the best idea; where the authors' proposal says little,
the sentence after it is joined by a semicolon. A gist of two is the best idea and then a result.
"""

from collections.abc import Callable, Iterator, Sequence, Set
from dataclasses import replace
from functools import cached_property
from itertools import chain, combinations
from math import exp

from paperround.papers.gist_features import (
    WEIGHTS,
    Features,
    Sentence,
    Weights,
    features_of,
    split_sentences,
)
from paperround.papers.gist_names import acronyms, expanded, without_macros
from paperround.papers.gist_rewriting import Piece, curtailed, joined, versions
from paperround.papers.gist_worth import (
    can_follow,
    is_news,
    is_proposal,
    is_readable,
    points_outside,
    said_of_title,
    says_little,
    title_words,
    worth_alone,
)

LONGEST_ONE = 240
"""The most characters of a gist of one sentence."""
LONGEST = 320
"""The most characters of a gist of two sentences."""
_MOST_PAIRED = 40  # sentences; real abstracts have fewer

# Chosen by reading gists as a stranger would, and by the marks of abstracts left out.
_TEMPER = 0.6  # the power of the chance of an idea: less than 1 gives words their say
_TITLE = 1.5  # a sentence with all words of the title counts as much as exp(1.5) without
_FIRST_PROPOSAL = 2.0
_UNREADABLE = 0.0003  # a sentence that is cut, or opens with what is not shown
_MOST_BETWEEN = 2  # characters between two sentences that follow each other
_WORTH_IN_PAIR = 0.3  # the power of its worth: the result says some of what an idea leaves out
_POINTS_AT_ANOTHER = 0.1  # a result that opens with what is not shown


class _Candidate:
    """A sentence, its chances to be marked as the idea and as the result, and how it can be
    shown."""

    def __init__(self, sentence: Sentence, idea: float, result: float, title: str) -> None:
        self.sentence = sentence
        self.idea = idea
        self.result = result
        self._title = title
        self._versions = versions(sentence)

    @cached_property
    def whole(self) -> Piece:
        """The most complete version."""
        return self._named(next(self._versions))

    @cached_property
    def versions(self) -> Sequence[Piece]:
        """Every version, the longest first."""
        return (self.whole, *map(self._named, self._versions))

    @property
    def shortest(self) -> int:
        """The characters of the shortest version."""
        return min(len(one.text) for one in self.versions)

    def within(self, limit: int) -> Piece:
        """The longest version that fits, else one without a phrase, else one with an ellipsis."""
        if len(self.whole.text) <= limit:
            return self.whole
        every = chain(self.versions, chain.from_iterable(map(curtailed, self.versions)))
        fitting = (one for one in every if len(one.text) <= limit)
        return next(fitting, None) or _cut(self.whole, limit)

    def _named(self, piece: Piece) -> Piece:
        return replace(piece, text=without_macros(piece.text, self._title))


def choose_gist(title: str, abstract: str) -> str:
    """The sentence that says what the paper does, at most 240 characters; "" for an empty abstract.

    Skips a sentence that only repeats `title`.
    """
    return " ".join(piece.text for piece in gist_pieces(title, abstract, 1))


def choose_two(title: str, abstract: str) -> str:
    """What the paper does and what came of it, in two sentences of at most 320 characters together;
    "" for an empty abstract."""
    return " ".join(piece.text for piece in gist_pieces(title, abstract, 2))


def gist_pieces(
    title: str, abstract: str, most: int, weights: Weights = WEIGHTS
) -> tuple[Piece, ...]:
    """At most `most` (1 or 2) sentences: what the paper does, then what came of it."""
    candidates = _candidates(title, abstract, weights)
    if not candidates:
        return ()
    known, words = acronyms(abstract), title_words(title)
    if most == 2 and (pair := _best_pair(candidates, words)):
        first = expanded(pair[0], known, LONGEST - 1 - len(pair[1].text))
        return first, expanded(pair[1], known, LONGEST - 1 - len(first.text))
    return (expanded(_best_one(candidates, words), known, LONGEST_ONE),)


def _best_one(candidates: Sequence[_Candidate], words: Set[str]) -> Piece:
    """The candidate that says best what the paper does, or two joined.

    Those that cannot be the best, whatever their words, are not looked at.
    """
    bonus = _bonus(candidates)
    chances = [sum(one.idea for one in candidates[at : at + 2]) for at in range(len(candidates))]
    most = exp(_TITLE if words else 0.0) * _FIRST_PROPOSAL
    best, chosen = 0.0, candidates[0].within(LONGEST_ONE)
    for at in sorted(range(len(candidates)), key=lambda at: -chances[at]):
        if chances[at] ** _TEMPER * most <= best:
            break
        for piece, chance in _one_or_joined(candidates[at : at + 2]):
            value = chance**_TEMPER * _worth(piece, words) * bonus[at]
            if value > best:
                best, chosen = value, piece
    return chosen


def _one_or_joined(candidates: Sequence[_Candidate]) -> Iterator[tuple[Piece, float]]:
    """The first alone, and both as one sentence if that can be, with their chances."""
    one, *others = candidates
    yield one.within(LONGEST_ONE), one.idea
    for other in others:
        if piece := _joined(one, other):
            yield piece, one.idea + other.idea


def _bonus(candidates: Sequence[_Candidate]) -> list[float]:
    """By candidate a factor, which is more than 1 for the first that proposes something."""
    proposals = (at for at, one in enumerate(candidates) if is_proposal(one.sentence.text))
    first = next(proposals, None)
    return [_FIRST_PROPOSAL if at == first else 1.0 for at in range(len(candidates))]


def _worth(piece: Piece, words: Set[str]) -> float:
    """How well a piece says alone what the paper does."""
    if piece.text.endswith("…") or points_outside(piece.text):
        return _UNREADABLE
    return worth_alone(piece.text) * exp(_TITLE * said_of_title(piece.text, words))


def _joined(one: _Candidate, other: _Candidate) -> Piece | None:
    """Both as one sentence, where the first needs the second and they fit."""
    if not says_little(one.whole.text) or not can_follow(other.sentence.text):
        return None
    if not _are_neighbours(one, other):
        return None
    both = (
        joined(one.whole, second)
        for second in other.versions
        if is_readable(second.text, one.whole.text)
    )
    return next((piece for piece in both if len(piece.text) <= LONGEST_ONE), None)


def _are_neighbours(one: _Candidate, other: _Candidate) -> bool:
    return other.sentence.start - one.sentence.end <= _MOST_BETWEEN


def _best_pair(candidates: Sequence[_Candidate], words: Set[str]) -> tuple[Piece, Piece] | None:
    """The likeliest idea before a result, of those that fit together."""
    least = sorted((one.idea + one.result for one in candidates), reverse=True)[:_MOST_PAIRED][-1]
    likeliest = [one for one in candidates if one.idea + one.result >= least][:_MOST_PAIRED]
    ideas = [
        one.idea * _worth(one.whole, words) ** _WORTH_IN_PAIR * more
        for one, more in zip(likeliest, _bonus(likeliest), strict=True)
    ]
    pairs = sorted(
        combinations(zip(likeliest, ideas, strict=True), 2),
        key=lambda pair: -pair[0][1] * _result_after(pair[0][0], pair[1][0]),
    )
    fitting = (_fit(one, other) for (one, _), (other, _) in pairs)
    return next(filter(None, fitting), None)


def _result_after(one: _Candidate, other: _Candidate) -> float:
    """The chance that `other` is a result, and says so after `one`."""
    points = not _are_neighbours(one, other) and points_outside(other.whole.text)
    return _POINTS_AT_ANOTHER * other.result if points else other.result


def _fit(one: _Candidate, other: _Candidate) -> tuple[Piece, Piece] | None:
    """The most telling versions of both that fit together; both may lose a phrase."""
    firsts, seconds = list(one.versions), list(other.versions)
    if one.shortest + other.shortest >= LONGEST:
        for every in (firsts, seconds):
            every += chain.from_iterable(map(curtailed, tuple(every)))
    fitting = [
        (worth_alone(first.text) * (len(first.text) + len(second.text)), first, second)
        for first in firsts
        if not points_outside(first.text)
        for second in seconds
        if len(first.text) + len(second.text) < LONGEST
    ]
    return max(fitting, key=lambda pair: pair[0])[1:] if fitting else None


def _cut(piece: Piece, limit: int) -> Piece:
    text = shortened(piece.text, limit)
    return Piece(text, piece.start, min(piece.end, piece.start + len(text) - 1))


def shortened(text: str, limit: int) -> str:
    """`text`, cut at a word with an ellipsis if it is longer than `limit` characters."""
    if len(text) <= limit:
        return text
    head = text[: limit - 1]
    return (head.rpartition(" ")[0] or head).rstrip(" ,;:–—-") + "…"


def _candidates(title: str, abstract: str, weights: Weights) -> list[_Candidate]:
    sentences = split_sentences(abstract)
    features = features_of(sentences)
    ideas, results = (_shares(features, weights, kind) for kind in (0, 1))
    every = [
        _Candidate(sentence, idea, result, title)
        for sentence, idea, result in zip(sentences, ideas, results, strict=True)
    ]
    named = title.casefold().strip(" .")
    texts = ((one, one.sentence.text) for one in every)
    telling = [one for one, text in texts if is_news(text) and text.casefold().strip(" .") != named]
    return telling or every


def _shares(features: Sequence[Features], weights: Weights, kind: int) -> list[float]:
    """Each sentence's share of `exp(sum)`; `kind` is 0 for ideas, 1 for results."""
    powers = [
        exp(sum(weights[name][kind] * value for name, value in one.items() if name in weights))
        for one in features
    ]
    return [power / sum(powers) for power in powers]


GistChooser = Callable[[str, str], str]
"""Returns the sentence that says what the paper does, given title and abstract."""
