"""How often the gist of an abstract hits what readers marked as its idea or its result."""

import math
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from paperround.domain.errors import InvalidInput
from paperround.domain.gist import Piece, fitted, gist_pieces
from paperround.domain.sentences import Sentence, split_sentences
from paperround.evaluate.marked import Marked, read_marked
from paperround.evaluate.report import Baselines, Figure, Numbers, Report, ahead_of, mean_of


class Metric(NamedTuple):
    """What is asked of a gist of at most `most` sentences, in abstracts with marks of `needs`."""

    most: int
    needs: Callable[[Marked], bool]
    holds: Callable[[Marked, Sequence[Piece]], bool]


def _is_any(_: Marked) -> bool:
    return True


def _is_cut(_: Marked, pieces: Sequence[Piece]) -> bool:
    return pieces[-1].text.endswith("…")


METRICS = {
    "idea": Metric(1, lambda one: bool(one.ideas), Marked.tells_the_idea),
    "both": Metric(2, lambda one: bool(one.ideas and one.results), Marked.tells_both),
    "cut": Metric(1, _is_any, _is_cut),
    "overlap_1": Metric(1, _is_any, Marked.is_hit),
    "overlap_2": Metric(2, _is_any, Marked.is_hit),
}
"""By name. A gist has 320 characters at most."""

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
    metrics = figures_of(ours)
    others = {name: hits_of(marked, one) for name, one in _others(baselines).items()}
    return Report(
        task="gist",
        metrics=metrics,
        baselines={
            method: {name: float(counted(found[name]).mean()) for name in metrics}
            for method, found in others.items()
        },
        against={
            method: {name: ahead_of(counted(ours[name]), counted(found[name])) for name in metrics}
            for method, found in others.items()
        },
        notes=(
            f"{len(marked)} of {len(every)} abstracts have a mark of an idea or a result and count",
            "a gist has at most 320 characters, and hits a mark when it shares a character with it",
            "one sentence: `idea` and `overlap_1`; two: `both` (idea and result) and `overlap_2`",
            "`cut`: one sentence that ends in an ellipsis",
        ),
    )


def with_marks(every: Sequence[Marked], path: Path) -> list[Marked]:
    """Those with an idea or a result. Raises InvalidInput when there is none."""
    marked = [one for one in every if one.marks]
    if not marked:
        raise InvalidInput(f"{path} holds no abstract with a mark of an idea or a result")
    return marked


def hits_of(marked: Sequence[Marked], choose: Choice) -> Mapping[str, Numbers]:
    """By metric: 1.0 for each abstract of which it holds, 0.0 for others, and NaN for those that do
    not count; shape (abstracts,)."""
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
    """Those that count."""
    return found[~np.isnan(found)]


def figures_of(hits: Mapping[str, Numbers]) -> Mapping[str, Figure]:
    """The share of abstracts of which each metric holds."""
    return {name: mean_of(rows) for name, found in hits.items() if len(rows := counted(found))}


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


# Sentences that resemble the others.
#
# Mihalcea and Tarau, TextRank: Bringing Order into Texts, 2004. Sentences vote for each other by
# the words they share, over the logarithms of their lengths, and a vote of a sentence with many
# votes counts more.

_DAMPING = 0.85
_ROUNDS = 50
_WORD = re.compile(r"\w{4,}")


def central(sentences: Sequence[Sentence], most: int) -> Sequence[Sentence]:
    """The `most` sentences with the most votes, the first of equals first."""
    votes = _votes([frozenset(_WORD.findall(one.text.lower())) for one in sentences])
    given = votes.sum(axis=1, keepdims=True)
    shares = np.divide(votes, given, out=np.zeros_like(votes), where=given > 0)
    ranks = np.ones(len(votes))
    for _ in range(_ROUNDS):
        ranks = (1 - _DAMPING) + _DAMPING * (shares.T @ ranks)
    order = sorted(range(len(sentences)), key=lambda at: (-ranks[at], at))
    return [sentences[at] for at in order[:most]]


def _votes(words: Sequence[frozenset[str]]) -> Numbers:
    """Likeness of every two, shape (sentences, sentences); nobody votes for themselves."""
    return np.array(
        [[0.0 if one is other else _likeness(one, other) for other in words] for one in words]
    ).reshape(len(words), len(words))


def _likeness(one: frozenset[str], other: frozenset[str]) -> float:
    lengths = math.log(len(one) + 1) + math.log(len(other) + 1)
    return len(one & other) / lengths if lengths else 0.0
