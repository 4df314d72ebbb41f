"""Compute the parts of a frozen score again with other weights.

A part that is a weight times something scales with it. Two are estimates when `votes` and `growth`
change differently, because they depend on all papers of the day: `source` and `votes_expected`.
So is `prior` when `authors` changes. What a cap subtracted from a score stays subtracted.
"""

from collections.abc import Mapping

from paperround.core.errors import invalid
from paperround.ranking.score import AUTHORS
from paperround.ranking.weights import DEFAULTS, PART_WEIGHTS, Weights

_PRIOR = "prior_"


def require_part_weights(weights: Weights) -> None:
    """Raise InvalidInput if `weights` changes a constant that does not multiply a part."""
    usual = DEFAULTS.by_name()
    for name, value in weights.by_name().items():
        if name not in PART_WEIGHTS and value != usual[name]:
            raise invalid(
                "weights",
                "%(name)s changes how parts of the score are computed: on past days you can try "
                "only %(known)s",
                name=name,
                known=", ".join(one for one in usual if one in PART_WEIGHTS),
            )


def is_comparable(before: Weights, after: Weights) -> bool:
    """Whether scores with the weights `before` can be recomputed with `after`: a part that was
    switched off was not stored, and other constants cannot be changed afterwards."""
    old, new = before.by_name(), after.by_name()
    return all(
        (old[name] > 0 or new[name] == 0) if name in PART_WEIGHTS else old[name] == new[name]
        for name in old
    )


def reweigh(parts: Mapping[str, float], before: Weights, after: Weights) -> float:
    """Return the score with the weights `after` of `parts` that were frozen with `before`."""
    votes = _ratio(before.votes, after.votes)
    level = _ratio(before.votes + before.growth, after.votes + after.growth)
    authors = _ratio(before.authors, after.authors)
    scales = {
        "prior": votes,
        "source": level * _ratio(before.source, after.source),
        "votes_expected": level,
        AUTHORS: level * authors,
    }
    old, new = before.by_name(), after.by_name()
    total = 0.0
    for part, value in parts.items():
        if part in scales:
            total += value * scales[part]
        elif part.startswith(_PRIOR):
            total += value * level
        else:
            total += value * (_ratio(old[part], new[part]) if part in PART_WEIGHTS else 1.0)
    return round(total, 4)


def _ratio(before: float, after: float) -> float:
    return after / before if before else 1.0
