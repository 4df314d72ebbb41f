"""Choosing the sentences of an abstract that say what is new. Offline, and in its own words.

Two sums of weighted features (`gist_features`) say how much like an idea and how much like a result
each sentence reads. What each gets of `exp(sum)`, among the sentences of its abstract, is the
chance that a reader marks it so. One sentence is the likeliest idea; two are the likeliest idea
with a result behind it. A list marker or connective that opens a chosen sentence is dropped, what
is too long is cut at a word with an ellipsis; no other word changes.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import exp

from paperround.papers.gist_features import WEIGHTS, Features, Weights, features_of
from paperround.papers.sentences import Sentence, split_sentences

LONGEST = 320
"""Characters of a gist of one or two sentences, at most."""
_LEAST_CUT = 80  # characters; less of a sentence is not worth its ellipsis
_WORTH_CUT = 0.1  # of its chance, for one that is cut or points back at what is not shown
_MOST_PAIRED = 40  # sentences; no abstract that is one has more

_POINTS_BACK = re.compile(
    r"(?:It|Its|They|Their|Such|Both|Similarly|For (?:example|instance)"
    r"|(?:(?:Across|Based on|Building (?:up)?on|From|In|On|Through|Under|Using|With|Within) )?+"
    r"(?i:these|those|such"
    r"|this(?! (?:paper|work|article|study|report|survey|review|thesis|research|technical)\b)))\b"
)
_NO_NEWS = re.compile(
    r"\?[\"'”’)]*$|https?://|\bthis https? URL\b"
    r"|^.{0,60}\b(?:available|released|found) (?:at|on|here|online)\b"
)  # questions, and where to find something


@dataclass(frozen=True, slots=True)
class Piece:
    """`text` as shown: characters `start` to `end` of the abstract, perhaps with a capital set at
    the head and an ellipsis at the end."""

    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class _GistCandidate:
    """A sentence, and the chances that it is marked as the idea and as the result."""

    sentence: Sentence
    idea: float
    result: float

    @property
    def either(self) -> float:
        return 1 - (1 - self.idea) * (1 - self.result)


def choose_gist(title: str, abstract: str) -> str:
    """The sentence that says what is new, at most 320 characters; "" for an empty abstract.

    A sentence that only repeats `title` is passed over.
    """
    return " ".join(piece.text for piece in gist_pieces(title, abstract, 1))


def choose_two(title: str, abstract: str) -> str:
    """The two sentences that say what is new, in their order and at most 320 characters together;
    "" for an empty abstract.
    """
    return " ".join(piece.text for piece in gist_pieces(title, abstract, 2))


def gist_pieces(
    title: str, abstract: str, most: int, weights: Weights = WEIGHTS
) -> tuple[Piece, ...]:
    """At most `most` (1 or 2) sentences that say what is new, cut where 320 characters end."""
    candidates = _candidates(title, abstract, weights)
    if not candidates:
        return ()
    if most == 1 or len(candidates) == 1:
        return fitted([max(candidates, key=_chance_of_idea).sentence])
    # At most `_MOST_PAIRED` of them, in their order.
    least = sorted((one.either for one in candidates), reverse=True)[:_MOST_PAIRED][-1]
    likeliest = [one for one in candidates if one.either >= least][:_MOST_PAIRED]
    pairs = combinations(likeliest, 2)
    # The chance that the first is the idea and the second the result.
    return _paired(max(pairs, key=lambda pair: pair[0].idea * pair[1].result))


def _paired(pair: tuple[_GistCandidate, _GistCandidate]) -> tuple[Piece, ...]:
    """Both sentences, of which one at least is whole; one alone, where that leaves the other less
    than `_LEAST_CUT` characters."""
    sentences = [one.sentence for one in pair]
    pieces = [_alone(one) for one in sentences]
    lengths = [len(one.text) for one in pieces]
    if min(lengths) <= (LONGEST - 1) // 2:
        return fitted(sentences)
    likelier = sorted(range(2), key=lambda at: -pair[at].either)
    for at in likelier:
        room = LONGEST - 1 - lengths[at]
        if room >= _LEAST_CUT:
            return tuple(one if one is pieces[at] else _cut(one, room) for one in pieces)
    whole = next((at for at in likelier if lengths[at] <= LONGEST), likelier[0])
    return fitted([sentences[whole]])


def fitted(sentences: Sequence[Sentence]) -> tuple[Piece, ...]:
    """One or two sentences, each standing alone; of what is too long in all, the longer is cut."""
    pieces = [_alone(one) for one in sentences]
    room = LONGEST - (len(pieces) - 1)
    shortest = min(len(piece.text) for piece in pieces)
    limit = max(room // len(pieces), room - shortest) if len(pieces) > 1 else room
    return tuple(_cut(piece, limit) for piece in pieces)


def _candidates(title: str, abstract: str, weights: Weights) -> list[_GistCandidate]:
    sentences = split_sentences(abstract)
    features = features_of(sentences)
    ideas, results = (_shares(features, weights, kind) for kind in (0, 1))
    every = [_GistCandidate(*one) for one in zip(sentences, ideas, results, strict=True)]
    named = title.casefold().strip(" .")
    texts = ((one, one.sentence.text) for one in every)
    telling = [
        one
        for one, text in texts
        if not _NO_NEWS.search(text) and text.casefold().strip(" .") != named
    ]
    return telling or every


def _shares(features: Sequence[Features], weights: Weights, kind: int) -> list[float]:
    """What each sentence gets of `exp(sum)`: 0 as the kind is an idea, 1 a result."""
    powers = [
        exp(sum(weights[name][kind] * value for name, value in one.items() if name in weights))
        for one in features
    ]
    return [power / sum(powers) for power in powers]


def _chance_of_idea(one: _GistCandidate) -> float:
    text = standing_alone(one.sentence.text)
    is_clear = len(text) <= LONGEST and _POINTS_BACK.match(text) is None
    return one.idea if is_clear else _WORTH_CUT * one.idea


def _alone(sentence: Sentence) -> Piece:
    text = standing_alone(sentence.text)
    return Piece(text, sentence.end - len(text), sentence.end)


def _cut(piece: Piece, limit: int) -> Piece:
    if len(piece.text) <= limit:
        return piece
    text = shortened(piece.text, limit)
    return Piece(text, piece.start, piece.start + len(text) - 1)


def shortened(text: str, limit: int) -> str:
    """`text`, cut at a word with an ellipsis when it is longer than `limit` characters."""
    if len(text) <= limit:
        return text
    head = text[: limit - 1]
    return (head.rpartition(" ")[0] or head).rstrip(" ,;:–—-") + "…"


_MARKER = re.compile(
    r"(?:\((?:[ivx]{1,4}|\d{1,2}|[a-e])\)|(?:[ivx]{1,4}|\d{1,2})\)|\d{1,2}\.)\s+"
    r"(?:[A-Z][\w-]*(?: [\w-]+){0,4}: )?"
)
_LIST_OPENING = re.compile(r"\(|\w{1,4}[.)]|First")
_CONNECTIVE = re.compile(
    r"(?:First|Second|Third|Fourth|Firstly|Secondly|Thirdly|Next|Then|Finally|Lastly|Besides|"
    r"Moreover|Furthermore|Additionally|Specifically|Consequently|Hence|Thus|Therefore|"
    r"Taken together|As a result|In addition|In contrast|Instead|However|To (?:this|that) end|"
    r"To (?:address|tackle|overcome|solve|resolve|mitigate|alleviate|bridge|fill|close|remedy|meet)"
    r" (?:this|these|that|those|the|such)(?: [\w-]+){0,3}), "
)
_GOES_ON = re.compile(
    r"\((?:[ivx]{1,4}|\d{1,2}|[b-e])\)\s|\s\d{1,2}\)\s|"
    r"(?<!\d )(?<!\bper )(?<!\ba )\b(?:second|third|then|finally)(?:ly)?,? ",
    re.IGNORECASE,
)  # the list that the opening begins is in the same sentence; a second may be a time
_CLAUSE = re.compile(
    r"(?!(?:and|or|but|nor|yet|which|that|who|whose)\b)(?:[a-z]+(?:-[a-z]+)*[ ,]|[A-Z](?!\.))"
)  # a name such as iFoo must not become IFoo


def standing_alone(sentence: str) -> str:
    """`sentence` without the list marker and connectives it opens with, if a clause follows."""
    rest = sentence
    while opening := _MARKER.match(rest) or _CONNECTIVE.match(rest):
        rest = rest[opening.end() :]
    is_list = _LIST_OPENING.match(sentence) and _GOES_ON.search(rest)
    if rest == sentence or is_list or not _CLAUSE.match(rest):
        return sentence
    return rest[0].upper() + rest[1:]


GistChooser = Callable[[str, str], str]
"""From title and abstract, the one sentence that says what is new."""
