"""Mark the words of a search in a text, and cut excerpts around them."""

import re

from paperround.papers.search import COMMON, Query
from paperround.papers.stems import fold_word, stem

LENGTH = 260
"""Characters of an excerpt: about three lines."""

Pieces = tuple[tuple[str, bool], ...]
"""A text in pieces, each with whether it matches the search."""

_WORD = re.compile(r"[^\W_]+")
_LEAD = 60


class Marker:
    """Marks the words of one query."""

    def __init__(self, query: Query) -> None:
        wanted = query.wanted
        whole = {word for one in wanted for word in one.words[: -1 if one.starts else None]}
        self._stems = frozenset(map(stem, whole - COMMON or whole))
        self._starts = tuple(term.words[-1] for term in wanted if term.starts)

    def marked(self, text: str) -> Pieces:
        """`text` split into matching and other pieces."""
        pieces: list[tuple[str, bool]] = []
        end = 0
        for start, stop, _ in self._matches(text):
            pieces += [(text[end:start], False), (text[start:stop], True)]
            end = stop
        pieces.append((text[end:], False))
        return tuple((piece, is_found) for piece, is_found in pieces if piece)

    def excerpt(self, text: str) -> Pieces:
        """The part of `text` with the most different matches, cut at words."""
        if len(text) <= LENGTH:
            return self.marked(text)
        start = self._best_start(text)
        if start:
            start = text.find(" ", start) + 1
        end = min(len(text), start + LENGTH)
        if end < len(text):
            end = max(text.rfind(" ", start, end), start + LENGTH // 2)
        part = text[start:end].strip()
        return self.marked(("… " if start else "") + part + (" …" if end < len(text) else ""))

    def _best_start(self, text: str) -> int:
        found = self._matches(text)

        def within(start: int) -> int:
            end = start + LENGTH - _LEAD
            return len({what for place, _, what in found if start <= place < end})

        best = max((start for start, _, _ in found), key=within, default=0)
        return max(0, min(best - _LEAD, len(text) - LENGTH))

    def _matches(self, text: str) -> list[tuple[int, int, str]]:
        """(start, end, stem) of each match."""
        matches = []
        for found in _WORD.finditer(text):
            folded = fold_word(found[0])
            if stem(folded) in self._stems or folded.startswith(self._starts):
                matches.append((found.start(), found.end(), stem(folded)))
        return matches
