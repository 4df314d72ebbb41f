"""Learn the weights of `papers/gist_features.py` from marked abstracts.

    python -m tools.gist_fit ABSTRACTS.jsonl.gz

For each kind (idea, result), the sentences of an abstract share probability 1 in proportion to
`exp(sum of weighted features)`. If marked sentences get the share a, the loss of the abstract is
(1 - a^q) / q (Zhang and Sabuncu, Generalized Cross Entropy Loss for Training Deep Neural Networks
with Noisy Labels, 2018), which tolerates marks that cannot be predicted. A quadratic penalty keeps
weights small, and a weight may only have the sign that is expected of its feature.
"""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from paperround.evaluate.cli import show_report
from paperround.evaluate.report import Figure, Numbers, Report, mean_of
from paperround.papers.gist import gist_pieces
from paperround.papers.gist_features import Sentence, Weights, features_of, split_sentences
from tools.evaluate.gist import (
    METRICS,
    Marked,
    Span,
    counted,
    hits_of,
    overlaps,
    read_marked,
    with_marks,
)

Q = 0.3
PENALTY = 0.3
"""With Q up to 0.4 and any penalty from 0.1 to 0.5 the figures change by less than 0.01."""
FOLDS = 10
REPEATS = 8
"""How often folds are drawn: with a single drawing the figures vary by 0.005."""

_Bounds = tuple[float | None, float | None]
_RISES: _Bounds = (0.0, None)
_FALLS: _Bounds = (None, 0.0)
_EITHER: _Bounds = (None, None)
SIGNS: Mapping[str, tuple[_Bounds, _Bounds]] = {
    **dict.fromkeys(
        ("length", "place", "at ours", "opens with our", "this paper", "by doing", "method",
         "than"),
        (_RISES, _RISES),
    ),
    **dict.fromkeys(("middle", "after ours"), (_RISES, _FALLS)),
    **dict.fromkeys(
        ("our", "allow", "better", "degree", "figure", "rivals", "on"), (_FALLS, _RISES)
    ),
    **dict.fromkeys(
        ("at the proposal", "after the proposal", "first result"), (_EITHER, _EITHER)
    ),
    **dict.fromkeys(
        ("before ours", "before the proposal", "also", "problem", "have", "code"), (_FALLS, _FALLS)
    ),
}  # fmt: skip
"""The features that have a weight, and its bounds for ideas and for results."""


@dataclass(frozen=True, slots=True)
class _Example:
    """An abstract: features of shape (sentences, features), and 1.0 for each marked sentence."""

    features: Numbers
    marked: Numbers


def refit_gist(path: Path) -> Report:
    """Return the weights learned from the file, as notes, and their metrics on abstracts left out.

    Raises InvalidInput for a file without a marked abstract.
    """
    marked = with_marks(read_marked(path), path)
    return Report(
        task="gist, weights learned on other abstracts",
        metrics=figures_of(cross_validated(marked)),
        notes=(
            f"{len(marked)} abstracts, {FOLDS} folds, drawn {REPEATS} times",
            *table_of(learned(marked)),
        ),
    )


def figures_of(hits: Mapping[str, Numbers]) -> Mapping[str, Figure]:
    """Return the share of abstracts for which each metric holds."""
    return {name: mean_of(rows) for name, found in hits.items() if len(rows := counted(found))}


def table_of(weights: Weights) -> list[str]:
    """Return the lines of `WEIGHTS`."""
    return [f'"{name}": ({idea}, {result}),' for name, (idea, result) in weights.items()]


def cross_validated(marked: Sequence[Marked], *, repeats: int = REPEATS) -> Mapping[str, Numbers]:
    """Return by metric the mean hit of each abstract, with weights learned without it."""
    whole = {name: np.zeros(len(marked)) for name in METRICS}
    for seed in range(repeats):
        places = np.random.default_rng(seed).permutation(len(marked))
        for fold in range(FOLDS):
            tested = places[fold::FOLDS]
            for name, hits in _tested(marked, tested).items():
                whole[name][tested] += hits / repeats
    return whole


def _tested(marked: Sequence[Marked], tested: NDArray[np.intp]) -> Mapping[str, Numbers]:
    left_out = set(tested.tolist())
    weights = learned([one for at, one in enumerate(marked) if at not in left_out])
    return hits_of(
        [marked[at] for at in tested], lambda text, most: gist_pieces("", text, most, weights)
    )


def learned(marked: Sequence[Marked]) -> Weights:
    """Return the weights for ideas and results by feature, to two decimals."""
    examples = [_sentences_of(one) for one in marked]
    ideas, results = (
        _fit([one for one in kind if one.marked.any()], [pair[at] for pair in SIGNS.values()])
        for at, kind in enumerate(zip(*examples, strict=True))
    )
    return {
        name: (round(float(idea), 2) + 0.0, round(float(result), 2) + 0.0)
        for name, idea, result in zip(SIGNS, ideas, results, strict=True)
    }


def _sentences_of(one: Marked) -> tuple[_Example, _Example]:
    sentences = split_sentences(one.text)
    features = np.array(
        [[found.get(name, 0.0) for name in SIGNS] for found in features_of(sentences)]
    )
    ideas, results = (_hit(sentences, spans) for spans in (one.ideas, one.results))
    return _Example(features, ideas), _Example(features, results)


def _hit(sentences: Sequence[Sentence], spans: Sequence[Span]) -> Numbers:
    return np.array(
        [float(any(overlaps(span, sentence) for span in spans)) for sentence in sentences]
    )


def _fit(examples: Sequence[_Example], bounds: Sequence[_Bounds]) -> Numbers:
    """Return the weights with the least loss, shape (features,)."""
    features = np.vstack([one.features for one in examples])
    marked = np.concatenate([one.marked for one in examples])
    starts = np.cumsum([0, *(len(one.marked) for one in examples[:-1])])
    owner = np.repeat(np.arange(len(examples)), [len(one.marked) for one in examples])

    def loss(weights: Numbers) -> tuple[float, Numbers]:
        sums = features @ weights
        powers = np.exp(sums - np.maximum.reduceat(sums, starts)[owner])
        shares = powers / np.add.reduceat(powers, starts)[owner]
        hit = np.add.reduceat(shares * marked, starts)
        slope = -(hit ** (Q - 1))[owner] * shares * (marked - hit[owner])
        lost = ((1 - hit**Q) / Q).sum() + PENALTY * (weights @ weights) / 2
        return float(lost), features.T @ slope + PENALTY * weights

    start = np.zeros(len(SIGNS))
    return np.asarray(minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds).x)


if __name__ == "__main__":
    show_report(refit_gist(Path(sys.argv[1])), as_json=False)
