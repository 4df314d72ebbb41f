"""How alike two orders of the same papers are."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

Numbers = NDArray[np.float64]


def rank_correlation(ours: Sequence[float], actual: Sequence[float]) -> float:
    """Spearman's, equal values sharing their mean rank; 0 when either side has one value only."""
    left, right = _centred_ranks(ours), _centred_ranks(actual)
    size = float(np.sqrt((left @ left) * (right @ right)))
    return float(left @ right) / size if size else 0.0


def _centred_ranks(values: Sequence[float]) -> Numbers:
    ranks: Numbers = rankdata(np.asarray(values, dtype=np.float64))
    centred: Numbers = ranks - ranks.mean()
    return centred


def top_overlap(ours: Sequence[float], actual: Sequence[float], size: int = 5) -> float:
    """The share of the actual `size` highest among ours; of equal values the first counts."""
    return len(set(highest(ours, size)) & set(highest(actual, size))) / size


def highest(values: Sequence[float], size: int) -> list[int]:
    """The places of the `size` highest values, best first; of equal values the first."""
    return sorted(range(len(values)), key=lambda place: (-values[place], place))[:size]


def average_precision(scores: Sequence[float], picked: Sequence[bool]) -> float:
    """Mean precision at each picked paper, best score first; of equal scores the first.

    Raises ValueError when nothing is picked.
    """
    hits = np.asarray(picked, dtype=np.float64)[np.argsort(-np.asarray(scores), kind="stable")]
    if not hits.any():
        raise ValueError("nothing was picked")
    precision = np.cumsum(hits) / np.arange(1, len(hits) + 1)
    return float((precision * hits).sum() / hits.sum())


def area_under_curve(scores: Sequence[float], picked: Sequence[bool]) -> float:
    """How often a picked paper scores above another, equal scores counting half.

    Raises ValueError unless some are picked and some are not.
    """
    chosen = np.asarray(picked, dtype=bool)
    inside, outside = int(chosen.sum()), int((~chosen).sum())
    if not inside or not outside:
        raise ValueError("picked papers and others are needed")
    ranks: Numbers = rankdata(np.asarray(scores, dtype=np.float64))
    return float((ranks[chosen].sum() - inside * (inside + 1) / 2) / (inside * outside))
