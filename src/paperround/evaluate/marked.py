"""Abstracts in which readers marked the idea and the result."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from paperround.domain.errors import InvalidInput
from paperround.domain.gist import Piece
from paperround.domain.sentences import Sentence
from paperround.evaluate.papers import Row, read_rows

Span = tuple[int, int]
"""The first character of a mark, and the one after its last."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Marked:
    """An abstract, and what readers marked in it."""

    text: str
    ideas: tuple[Span, ...]
    results: tuple[Span, ...]

    def is_hit(self, pieces: Sequence[Piece]) -> bool:
        """Whether one of the pieces shares a character with a mark."""
        return _touched(self.marks, pieces)

    def tells_the_idea(self, pieces: Sequence[Piece]) -> bool:
        """Whether one of the pieces shares a character with a marked idea."""
        return _touched(self.ideas, pieces)

    def tells_both(self, pieces: Sequence[Piece]) -> bool:
        """Whether the pieces share characters with an idea and with a result."""
        return self.tells_the_idea(pieces) and _touched(self.results, pieces)

    @property
    def marks(self) -> tuple[Span, ...]:
        """Ideas and results."""
        return self.ideas + self.results


def _touched(marks: Sequence[Span], pieces: Sequence[Piece]) -> bool:
    return any(overlaps(mark, piece) for mark in marks for piece in pieces)


def overlaps(mark: Span, piece: Piece | Sentence) -> bool:
    """Whether they share a character."""
    return mark[0] < piece.end and piece.start < mark[1]


def read_marked(path: Path) -> list[Marked]:
    """The abstracts of the file: `abstract`, and `spans` of `start`, `end` and `label` each.

    Ends that are swapped are set right; what lies past the end of its abstract marks nothing.
    Raises InvalidInput for a file of another form.
    """
    return [_marked(row, path) for row in read_rows(path)]


def _marked(row: Row, path: Path) -> Marked:
    text, spans = row.get("abstract"), row.get("spans")
    if not isinstance(text, str) or not isinstance(spans, list):
        raise InvalidInput(f"{path}: each line needs an abstract and a list of spans")
    try:
        ideas, results = (tuple(_spans(spans, label, len(text))) for label in ("idea", "result"))
    except (KeyError, TypeError, ValueError):
        raise InvalidInput(f"{path}: a span needs start, end (whole numbers) and label") from None
    return Marked(text=text, ideas=ideas, results=results)


def _spans(spans: Sequence[Row], label: str, length: int) -> Iterator[Span]:
    for span in spans:
        start, end = sorted((int(str(span["start"])), int(str(span["end"]))))
        if span["label"] == label and start < min(end, length):
            yield start, min(end, length)
