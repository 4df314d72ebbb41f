"""Lines of a plain text, by the columns that their characters take.

Letters of Chinese, Japanese and Korean take two columns (Unicode Standard Annex 11). Chinese and
Japanese are written without spaces, and a line may end behind any letter. Of the rules for their
punctuation (UAX 14) those are kept that a reader notices: no line begins with a closing mark, and
none ends with an opening one.
"""

import unicodedata
from collections.abc import Iterator
from functools import lru_cache

TEXT_WIDTH = 72
"""Columns."""

_CLOSING = frozenset("、。，．：；！？）］｝〉》」』】〕〗’”…—・ー%％,.:;!?)]}")
_OPENING = frozenset("（［｛〈《「『【〔〖‘“([{")
_KOREAN = ("\u1100", "\u11ff"), ("\u3130", "\u318f"), ("\uac00", "\ud7ff")
"""Wide, but written with spaces."""


def columns(text: str) -> int:
    """How many columns `text` takes."""
    return len(text) if text.isascii() else sum(map(_columns_of, text))


@lru_cache(maxsize=8192)
def _columns_of(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in ("W", "F") else 1


@lru_cache(maxsize=8192)
def _stands_alone(character: str) -> bool:
    """Whether a line may end beside it, wherever in a word it stands."""
    korean = any(first <= character <= last for first, last in _KOREAN)
    return _columns_of(character) == 2 and not korean


def wrapped(text: str, first: str = "", indent: str | None = None) -> str:
    """`text` on lines of at most 72 columns, broken at spaces and beside Chinese and Japanese
    letters; words stay whole.

    The first line starts with `first`, the others with `indent` (default: as many spaces).
    """
    if columns(first) + columns(text) <= TEXT_WIDTH:
        return first + text
    margin = " " * columns(first) if indent is None else indent
    lines, used, is_bare = [first], columns(first), True
    for space, piece in _pieces(text):
        gap = "" if is_bare else space
        needed = len(gap) + columns(piece)
        if is_bare or used + needed <= TEXT_WIDTH:
            lines[-1] += gap + piece
            used += needed
        else:
            lines.append(margin + piece)
            used = columns(margin) + columns(piece)
        is_bare = False
    return "\n".join(lines)


def _pieces(text: str) -> Iterator[tuple[str, str]]:
    """What of `text` stays whole, with the space before it, if any."""
    for number, word in enumerate(text.split(" ")):
        space = " " if number else ""
        if word.isascii():
            yield space, word
            continue
        start = 0
        for at in range(1, len(word)):
            if _may_part(word[at - 1], word[at]):
                yield space, word[start:at]
                space, start = "", at
        yield space, word[start:]


def _may_part(before: str, after: str) -> bool:
    if before in _OPENING or after in _CLOSING:
        return False
    return _stands_alone(before) or _stands_alone(after)
