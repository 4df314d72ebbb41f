"""Count the content words of papers (bags of words), and quote them as written."""

import re
from collections import Counter
from collections.abc import Iterable, Set
from functools import lru_cache
from itertools import chain

from paperround.papers.stems import split_ascii, translation_table
from paperround.ranking.stop_words import may_join
from paperround.ranking.text_space import Bag

_WHOLE = re.compile(r"\w+")
_MORE_FORMS = re.compile("[\u0130\u0131\u017f\u212a]")
"""Non-ASCII forms of i, s and k; the lower case of the first has two code points."""

_WORD = re.compile(r"[^\W_]+(?:-[^\W_]+)*")
_COMPOUNDS, _PLAIN = translation_table("-"), translation_table("_")


def bag_of(*texts: str) -> Bag:
    """Counts of the lower-case words in `texts`, without stop words.

    The parts of a compound such as `zero-shot` count too.
    """
    found = Counter(chain.from_iterable(map(_pieces, texts)))
    bag: dict[str, int] = {}
    for piece, times in found.items():
        for word in _words_of(piece):
            bag[word] = bag.get(word, 0) + times
    return bag


def _pieces(text: str) -> Iterable[str]:
    """The words of `text`. ASCII text is split at spaces only, which takes a tenth of the time;
    `_words_of` then handles the dashes."""
    if text.isascii():
        return split_ascii(text, _COMPOUNDS)
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
    """The lower-case words of `text` without compounds: `zero` and `shot` for `zero-shot`."""
    return frozenset(split_ascii(text, _PLAIN) if text.isascii() else _WHOLE.findall(text.lower()))


def as_written(word: str, text: str) -> str:
    """`word` with the capitals of `text`, if it is never in lower case there: `T2I`, but not the
    `Tides` of a heading."""
    found = _occurrences(word, text)
    return word if word in found or not found else str(found[0])


def _occurrences(word: str, text: str) -> list[str]:
    """Every whole-word occurrence of `word` in `text`, as written."""
    if not (word.isascii() and (text.isascii() or _MORE_FORMS.search(text) is None)):
        return re.findall(rf"(?<!\w){re.escape(word)}(?!\w)", text, re.IGNORECASE)
    wanted, lower, found = word.lower(), text.lower(), []
    start = lower.find(wanted)
    while start >= 0:
        end = start + len(word)
        if _is_boundary(lower[start - 1 : start]) and _is_boundary(lower[end : end + 1]):
            found.append(text[start:end])
            start = end - 1
        start = lower.find(wanted, start + 1)
    return found


def _is_boundary(neighbour: str) -> bool:
    return not (neighbour.isalnum() or neighbour == "_")


def can_quote(word: str, whole: Set[str]) -> bool:
    """Whether a word of a bag can be quoted from the text with these whole words."""
    return word in whole or ("-" in word and all(part in whole for part in word.split("-")))
