"""The words of a paper that say what it is about, counted."""

import re
from collections import Counter
from collections.abc import Iterable, Set
from functools import lru_cache
from itertools import chain

from paperround.papers.stems import blank_but, cut
from paperround.ranking.stop_words import may_join
from paperround.ranking.text_space import Bag

_WHOLE = re.compile(r"\w+")
_MORE_FORMS = re.compile("[\u0130\u0131\u017f\u212a]")
"""Further forms of i, s and k, one of which is as long as two letters when it is small."""

_WORD = re.compile(r"[^\W_]+(?:-[^\W_]+)*")


_COMPOUNDS, _PLAIN = blank_but("-"), blank_but("_")


def bag_of(*texts: str) -> Bag:
    """How often each telling word stands in `texts`, in lower case; filler is left out.

    Of a compound such as `zero-shot` the parts count too, so that it is found by either.
    """
    found = Counter(chain.from_iterable(map(_pieces, texts)))
    bag: dict[str, int] = {}
    for piece, times in found.items():
        for word in _words_of(piece):
            bag[word] = bag.get(word, 0) + times
    return bag


def _pieces(text: str) -> Iterable[str]:
    """The words of `text`; of one in plain English letters what stands between spaces, with the
    dashes: cutting it so takes a tenth of the time."""
    if text.isascii():
        return cut(text, _COMPOUNDS)
    return _WORD.findall(text.lower())


@lru_cache(maxsize=50_000)
def _words_of(piece: str) -> tuple[str, ...]:
    if "-" not in piece:
        return (piece,) if may_join(piece) else ()
    compounds = _WORD.findall(piece)
    words = (
        word
        for one in compounds
        for word in ([one, *one.split("-")] if "-" in one else [one])
        if may_join(word)
    )
    return tuple(words)


def whole_words(text: str) -> frozenset[str]:
    """What stands between the marks and spaces of `text`, in lower case: `zero` of `zero-shot`."""
    return frozenset(cut(text, _PLAIN) if text.isascii() else _WHOLE.findall(text.lower()))


def as_written(word: str, text: str) -> str:
    """`word` of a bag with the capitals that `text` always gives it: `T2I`, but not `Tides` of a
    heading."""
    found = _found(word, text)
    return word if word in found or not found else str(found[0])


def _found(word: str, text: str) -> list[str]:
    """`word` wherever it stands whole in `text`, as it is written there."""
    if not (word.isascii() and (text.isascii() or _MORE_FORMS.search(text) is None)):
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
    return word in whole or ("-" in word and all(part in whole for part in word.split("-")))
