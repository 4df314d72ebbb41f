"""Count the content words of papers (bags of words), and quote them as written."""

import re
from collections import Counter
from collections.abc import Set
from functools import lru_cache

from paperround.ranking.stop_words import may_join
from paperround.ranking.text_space import Bag

_WHOLE = re.compile(r"\w+")
_COMPOUND = re.compile(r"[^\W_]+(?:-[^\W_]+)*")


def bag_of(*texts: str) -> Bag:
    """Counts of the lower-case words in `texts`, without stop words.

    The parts of a compound such as `zero-shot` count too.
    """
    found = Counter(piece for text in texts for piece in _COMPOUND.findall(text.lower()))
    bag: dict[str, int] = {}
    for piece, times in found.items():
        for word in _words_of(piece):
            bag[word] = bag.get(word, 0) + times
    return bag


@lru_cache(maxsize=50_000)
def _words_of(piece: str) -> tuple[str, ...]:
    parts = piece.split("-")
    return tuple(filter(may_join, parts if len(parts) == 1 else (piece, *parts)))


def whole_words(text: str) -> frozenset[str]:
    """The lower-case words of `text` without compounds: `zero` and `shot` for `zero-shot`."""
    return frozenset(_WHOLE.findall(text.lower()))


def as_written(word: str, text: str) -> str:
    """`word` with the capitals of `text`, if it is never in lower case there: `T2I`, but not the
    `Tides` of a heading."""
    found = re.findall(rf"(?<!\w){re.escape(word)}(?!\w)", text, re.IGNORECASE)
    return word if word in found or not found else str(found[0])


def can_quote(word: str, whole: Set[str]) -> bool:
    """Whether a word of a bag can be quoted from the text with these whole words."""
    return word in whole or ("-" in word and all(part in whole for part in word.split("-")))
