"""`python -m tools.evaluate gist`: how often a gist hits what readers marked: idea or result."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from paperround.core.errors import InvalidInput
from paperround.evaluate import Baselines
from paperround.evaluate.papers import Row, read_rows
from paperround.evaluate.report import Numbers, Report, compare
from paperround.papers.gist import LONGEST, LONGEST_ONE, gist_pieces, shortened
from paperround.papers.gist_features import Sentence, split_sentences
from paperround.papers.gist_rewriting import Piece
from paperround.papers.gist_worth import points_outside

Span = tuple[int, int]
"""The start and the end of a mark, in characters; the end is exclusive."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Marked:
    """An abstract with the ideas and results that readers marked."""

    text: str
    ideas: tuple[Span, ...]
    results: tuple[Span, ...]

    def is_hit(self, pieces: Sequence[Piece]) -> bool:
        """Whether a piece overlaps a mark."""
        return _overlap(self.marks, pieces)

    def has_idea(self, pieces: Sequence[Piece]) -> bool:
        """Whether a piece overlaps a marked idea."""
        return _overlap(self.ideas, pieces)

    def has_both(self, pieces: Sequence[Piece]) -> bool:
        """Whether the pieces overlap both an idea and a result."""
        return _overlap(self.ideas, pieces) and _overlap(self.results, pieces)

    @property
    def marks(self) -> tuple[Span, ...]:
        """Ideas and results."""
        return self.ideas + self.results


def _overlap(marks: Sequence[Span], pieces: Sequence[Piece]) -> bool:
    return any(overlaps(mark, piece) for mark in marks for piece in pieces)


def overlaps(mark: Span, piece: Piece | Sentence) -> bool:
    """Whether a mark and a piece share a character."""
    return mark[0] < piece.end and piece.start < mark[1]


def read_marked(path: Path) -> list[Marked]:
    """Read rows with an `abstract` and `spans`, which have `start`, `end` and `label`.

    Swapped ends are corrected; spans are cut at the end of the abstract. Raises InvalidInput for
    another format.
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


class Metric(NamedTuple):
    """A condition `holds` for gists of at most `most` sentences of the abstracts that `needs`
    selects."""

    most: int
    needs: Callable[[Marked], bool]
    holds: Callable[[Marked, Sequence[Piece]], bool]


def _is_any(_: Marked) -> bool:
    return True


def _is_dangling(_: Marked, pieces: Sequence[Piece]) -> bool:
    return points_outside(pieces[0].text)


def _is_cut(_: Marked, pieces: Sequence[Piece]) -> bool:
    return pieces[-1].text.endswith("…")


METRICS = {
    "idea": Metric(1, lambda one: bool(one.ideas), Marked.has_idea),
    "both": Metric(2, lambda one: bool(one.ideas and one.results), Marked.has_both),
    "cut": Metric(1, _is_any, _is_cut),
    "dangling": Metric(1, _is_any, _is_dangling),
    "overlap_1": Metric(1, _is_any, Marked.is_hit),
    "overlap_2": Metric(2, _is_any, Marked.is_hit),
}
"""Metrics by name."""

Choice = Callable[[str, int], Sequence[Piece]]
"""A function from a text and a number of sentences to the pieces of its gist."""


def evaluate_gist(path: Path, baselines: Baselines) -> Report:
    """Return the share of abstracts whose gist overlaps a mark, for our method and baselines.

    Abstracts without a mark are left out. Raises InvalidInput when no abstract has one.
    """
    every = read_marked(path)
    marked = with_marks(every, path)
    return compare(
        "gist",
        _counted_hits(marked, lambda text, most: gist_pieces("", text, most)),
        {name: _counted_hits(marked, choose) for name, choose in _others(baselines).items()},
        (
            f"{len(marked)} of {len(every)} abstracts have a mark of an idea or a result and count",
            f"one sentence has at most {LONGEST_ONE} characters, two have at most {LONGEST}",
            "a gist hits a mark when it shares a character with it",
            "one sentence: `idea` and `overlap_1`; two: `both` (idea and result) and `overlap_2`",
            "`cut`: one sentence that ends in an ellipsis",
            "`dangling`: one whose opening, such as `It`, refers to what is not shown",
        ),
    )


def _counted_hits(marked: Sequence[Marked], choose: Choice) -> Mapping[str, Numbers]:
    """Return the hits of abstracts that count, for metrics with any."""
    hits = {name: counted(numbers) for name, numbers in hits_of(marked, choose).items()}
    return {name: numbers for name, numbers in hits.items() if len(numbers)}


def with_marks(every: Sequence[Marked], path: Path) -> list[Marked]:
    """Return the abstracts with an idea or a result. Raises InvalidInput when there is none."""
    marked = [one for one in every if one.marks]
    if not marked:
        raise InvalidInput(f"{path} holds no abstract with a mark of an idea or a result")
    return marked


def hits_of(marked: Sequence[Marked], choose: Choice) -> Mapping[str, Numbers]:
    """Return arrays by metric, of shape (abstracts,).

    1.0 when the metric holds, 0.0 when it does not, and NaN when the abstract does not count.
    """
    return {
        name: np.array(
            [
                float(metric.holds(one, choose(one.text, metric.most)))
                if metric.needs(one)
                else np.nan
                for one in marked
            ]
        )
        for name, metric in METRICS.items()
    }


def counted(found: Numbers) -> Numbers:
    """Return the values that are not NaN."""
    return found[~np.isnan(found)]


def _others(baselines: Baselines) -> Mapping[str, Choice]:
    if baselines is Baselines.NONE:
        return {}
    choices: Mapping[str, Callable[[Sequence[Sentence], int], Sequence[Sentence]]] = {
        "first": lambda sentences, most: sentences[:most],
        "last": lambda sentences, most: sentences[-most:],
        "longest": lambda sentences, most: sorted(sentences, key=lambda it: -len(it.text))[:most],
    }
    return {name: _of_sentences(choose) for name, choose in choices.items()}


def _of_sentences(choose: Callable[[Sequence[Sentence], int], Sequence[Sentence]]) -> Choice:
    def chosen(text: str, most: int) -> Sequence[Piece]:
        return _fitted(choose(split_sentences(text), most))

    return chosen


def _fitted(sentences: Sequence[Sentence]) -> Sequence[Piece]:
    """One or two sentences; the longer is cut if they are too long."""
    if not sentences:
        return ()
    shortest = min(len(one.text) for one in sentences)
    limit = LONGEST_ONE if len(sentences) == 1 else max(LONGEST // 2 - 1, LONGEST - 1 - shortest)
    return [_cut(one, limit) for one in sentences]


def _cut(sentence: Sentence, limit: int) -> Piece:
    text = shortened(sentence.text, limit)
    return Piece(text, sentence.start, sentence.start + len(text.removesuffix("…")))
