"""Choose the gist: the sentences of an abstract that state what is new. Works offline.

Two sums of weighted features (`gist_features`) score each sentence as an idea and as a result. Its
share of `exp(sum)` over the abstract (a softmax) is the chance that a reader marks it so. A gist of
one sentence is the likeliest idea; a gist of two is the likeliest idea followed by a result. An
opening list marker or connective is dropped and a long sentence is cut at a word with an ellipsis;
no other word changes.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import exp

from paperround.papers.gist_features import (
    WEIGHTS,
    Features,
    Sentence,
    Weights,
    features_of,
    split_sentences,
)

LONGEST = 320
"""The most characters of a gist of one or two sentences."""
_LEAST_CUT = 80  # characters; do not cut a sentence shorter than this
_WORTH_CUT = 0.1  # factor on the chance of a sentence that is cut or refers to an earlier one
_MOST_PAIRED = 40  # sentences; real abstracts have fewer

_POINTS_BACK = re.compile(
    r"(?:It|Its|They|Their|Such|Both|Similarly|For (?:example|instance)"
    r"|(?:(?:Across|Based on|Building (?:up)?on|From|In|On|Through|Under|Using|With|Within) )?+"
    r"(?i:these|those|such"
    r"|this(?! (?:paper|work|article|study|report|survey|review|thesis|research|technical)\b)))\b"
)
_NO_NEWS = re.compile(
    r"\?[\"'”’)]*$|https?://|\bthis https? URL\b"
    r"|^.{0,60}\b(?:available|released|found) (?:at|on|here|online)\b"
)  # questions, and where to find the code or data


@dataclass(frozen=True, slots=True)
class Piece:
    """`text` as shown: characters `start` to `end` of the abstract, possibly capitalised at the
    start and with an ellipsis at the end."""

    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class _GistCandidate:
    """A sentence and the chances that a reader marks it as the idea and as the result."""

    sentence: Sentence
    idea: float
    result: float

    @property
    def either(self) -> float:
        return 1 - (1 - self.idea) * (1 - self.result)


def choose_gist(title: str, abstract: str) -> str:
    """The sentence that states what is new, at most 320 characters; "" for an empty abstract.

    Skips a sentence that only repeats `title`.
    """
    return " ".join(piece.text for piece in gist_pieces(title, abstract, 1))


def choose_two(title: str, abstract: str) -> str:
    """The two sentences that state what is new, in order, at most 320 characters together; "" for
    an empty abstract."""
    return " ".join(piece.text for piece in gist_pieces(title, abstract, 2))


def gist_pieces(
    title: str, abstract: str, most: int, weights: Weights = WEIGHTS
) -> tuple[Piece, ...]:
    """At most `most` (1 or 2) sentences that state what is new, cut to 320 characters in all."""
    candidates = _candidates(title, abstract, weights)
    if not candidates:
        return ()
    if most == 1 or len(candidates) == 1:
        return fitted([max(candidates, key=_chance_of_idea).sentence])
    least = sorted((one.either for one in candidates), reverse=True)[:_MOST_PAIRED][-1]
    likeliest = [one for one in candidates if one.either >= least][:_MOST_PAIRED]
    pairs = combinations(likeliest, 2)
    return _fit_pair(max(pairs, key=lambda pair: pair[0].idea * pair[1].result))


def _fit_pair(pair: tuple[_GistCandidate, _GistCandidate]) -> tuple[Piece, ...]:
    """Both sentences, at least one of them whole; only one if the other would get less than
    `_LEAST_CUT` characters."""
    sentences = [one.sentence for one in pair]
    pieces = [_without_connectives(one) for one in sentences]
    lengths = [len(one.text) for one in pieces]
    if min(lengths) <= (LONGEST - 1) // 2:
        return fitted(sentences)
    likelier = sorted(range(2), key=lambda at: -pair[at].either)
    for at in likelier:
        room = LONGEST - 1 - lengths[at]
        if room >= _LEAST_CUT:
            return tuple(one if one is pieces[at] else _shorten_piece(one, room) for one in pieces)
    whole = next((at for at in likelier if lengths[at] <= LONGEST), likelier[0])
    return fitted([sentences[whole]])


def fitted(sentences: Sequence[Sentence]) -> tuple[Piece, ...]:
    """One or two sentences without opening connectives; the longer is cut if both are too long."""
    pieces = [_without_connectives(one) for one in sentences]
    room = LONGEST - (len(pieces) - 1)
    shortest = min(len(piece.text) for piece in pieces)
    limit = max(room // len(pieces), room - shortest) if len(pieces) > 1 else room
    return tuple(_shorten_piece(piece, limit) for piece in pieces)


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
    """Each sentence's share of `exp(sum)`; `kind` is 0 for ideas, 1 for results."""
    powers = [
        exp(sum(weights[name][kind] * value for name, value in one.items() if name in weights))
        for one in features
    ]
    return [power / sum(powers) for power in powers]


def _chance_of_idea(one: _GistCandidate) -> float:
    text = without_connectives(one.sentence.text)
    is_clear = len(text) <= LONGEST and _POINTS_BACK.match(text) is None
    return one.idea if is_clear else _WORTH_CUT * one.idea


def _without_connectives(sentence: Sentence) -> Piece:
    text = without_connectives(sentence.text)
    return Piece(text, sentence.end - len(text), sentence.end)


def _shorten_piece(piece: Piece, limit: int) -> Piece:
    if len(piece.text) <= limit:
        return piece
    text = shortened(piece.text, limit)
    return Piece(text, piece.start, piece.start + len(text) - 1)


def shortened(text: str, limit: int) -> str:
    """`text`, cut at a word with an ellipsis if it is longer than `limit` characters."""
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
)  # the list continues in the same sentence; "second" may be a unit of time
_CLAUSE = re.compile(
    r"(?!(?:and|or|but|nor|yet|which|that|who|whose)\b)(?:[a-z]+(?:-[a-z]+)*[ ,]|[A-Z](?!\.))"
)  # a name such as iFoo must not become IFoo


def without_connectives(sentence: str) -> str:
    """`sentence` without its opening list marker and connectives, if a clause follows them."""
    rest = sentence
    while opening := _MARKER.match(rest) or _CONNECTIVE.match(rest):
        rest = rest[opening.end() :]
    is_list = _LIST_OPENING.match(sentence) and _GOES_ON.search(rest)
    if rest == sentence or is_list or not _CLAUSE.match(rest):
        return sentence
    return rest[0].upper() + rest[1:]


GistChooser = Callable[[str, str], str]
"""Returns the sentence that states what is new, given title and abstract."""
