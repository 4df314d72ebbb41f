"""How often the gist of an abstract hits what readers marked as its idea or its result."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np

from paperround.domain.errors import InvalidInput
from paperround.domain.gist import Piece, fitted, gist_pieces
from paperround.domain.sentences import Sentence, split_sentences
from paperround.evaluate.bootstrap import Numbers, ahead_of, mean_of
from paperround.evaluate.marked import Marked, read_marked
from paperround.evaluate.report import Baselines, Report
from paperround.evaluate.textrank import central

METRICS = {"overlap_1": 1, "overlap_2": 2}
"""Metrics by name, and how many sentences a gist may have. It has 320 characters at most."""

Choice = Callable[[str, int], Sequence[Piece]]
"""The pieces of a text that are its gist of at most so many sentences."""


def evaluate_gist(path: Path, baselines: Baselines) -> Report:
    """The share of abstracts whose gist overlaps a mark, ours beside others.

    Abstracts without a mark of an idea or a result are left out. Raises InvalidInput for a file
    that holds none with one.
    """
    every = read_marked(path)
    marked = with_marks(every, path)
    ours = hits_of(marked, _ours)
    others = {name: hits_of(marked, one) for name, one in _others(baselines).items()}
    return Report(
        task="gist",
        metrics={name: mean_of(found) for name, found in ours.items()},
        baselines={
            method: {name: float(one.mean()) for name, one in found.items()}
            for method, found in others.items()
        },
        against={
            method: {name: ahead_of(ours[name], one) for name, one in found.items()}
            for method, found in others.items()
        },
        notes=(
            f"{len(marked)} of {len(every)} abstracts have a mark of an idea or a result and count",
            "a gist has at most 320 characters, and hits when it shares one with a mark",
        ),
    )


def with_marks(every: Sequence[Marked], path: Path) -> list[Marked]:
    """Those with an idea or a result. Raises InvalidInput when there is none."""
    marked = [one for one in every if one.marks]
    if not marked:
        raise InvalidInput(f"{path} holds no abstract with a mark of an idea or a result")
    return marked


def hits_of(marked: Sequence[Marked], choose: Choice) -> Mapping[str, Numbers]:
    """By metric: 1.0 for each abstract that is hit, 0.0 for the others; shape (abstracts,)."""
    return {
        name: np.array([float(one.is_hit(choose(one.text, most))) for one in marked])
        for name, most in METRICS.items()
    }


def _ours(text: str, most: int) -> Sequence[Piece]:
    return gist_pieces("", text, most)


def _others(baselines: Baselines) -> Mapping[str, Choice]:
    if baselines is Baselines.NONE:
        return {}
    choices: Mapping[str, Callable[[Sequence[Sentence], int], Sequence[Sentence]]] = {
        "first": lambda sentences, most: sentences[:most],
        "last": lambda sentences, most: sentences[-most:],
        "longest": _longest,
        "textrank": central,
    }
    return {name: _of_sentences(choose) for name, choose in choices.items()}


def _of_sentences(choose: Callable[[Sequence[Sentence], int], Sequence[Sentence]]) -> Choice:
    def chosen(text: str, most: int) -> Sequence[Piece]:
        sentences = choose(split_sentences(text), most)
        return fitted(sentences) if sentences else ()

    return chosen


def _longest(sentences: Sequence[Sentence], most: int) -> Sequence[Sentence]:
    return sorted(sentences, key=lambda one: -len(one.text))[:most]
