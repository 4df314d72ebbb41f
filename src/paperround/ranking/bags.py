"""The words of a paper that say what it is about, counted."""

import re
from collections import Counter
from collections.abc import Set
from functools import lru_cache
from itertools import chain

from paperround.ranking.text_space import Bag
from paperround.ranking.words import may_join, tokens

_WHOLE = re.compile(r"\w+")


def bag_of(*texts: str) -> Bag:
    """How often each telling word stands in `texts`, in lower case; filler is left out.

    Of a compound such as `zero-shot` the parts count too, so that it is found by either.
    """
    found = Counter(chain.from_iterable(map(tokens, texts)))
    bag: dict[str, int] = {}
    for token, times in found.items():
        for word in _words_of(token):
            bag[word] = bag.get(word, 0) + times
    return bag


@lru_cache(maxsize=50_000)
def _words_of(token: str) -> tuple[str, ...]:
    words = [token, *token.split("-")] if "-" in token else [token]
    return tuple(word for word in words if word[:1].isalnum() and may_join(word))


def whole_words(text: str) -> frozenset[str]:
    """What stands between the marks and spaces of `text`, in lower case: `zero` of `zero-shot`."""
    return frozenset(_WHOLE.findall(text.lower()))


def as_written(word: str, text: str) -> str:
    """`word` of a bag with the capitals that `text` always gives it: `T2I`, but not `Tides` of a
    heading."""
    found = _found(word, text)
    return word if word in found or not found else str(found[0])


def _found(word: str, text: str) -> list[str]:
    """`word` wherever it stands whole in `text`, as it is written there."""
    if not (word.isascii() and text.isascii()):  # where a letter has more forms than two
        return re.findall(rf"(?<!\w){re.escape(word)}(?!\w)", text, re.IGNORECASE)
    wanted, lower, found = word.lower(), text.lower(), []
    start = lower.find(wanted)
    while start >= 0:
        end = start + len(word)
        if _is_end(lower[start - 1 : start]) and _is_end(lower[end : end + 1]):
            found.append(text[start:end])
            start = end - 1
        start = lower.find(wanted, start + 1)
    return found


def _is_end(neighbour: str) -> bool:
    return not (neighbour.isalnum() or neighbour == "_")


def stands_in(word: str, whole: Set[str]) -> bool:
    """Whether a word of a bag can be quoted as it is from the text with these whole words."""
    return all(part in whole for part in word.split("-"))
