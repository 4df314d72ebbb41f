"""How much each feature of a sentence speaks for an idea, and how much for a result.

Learned by `python -m tools.gist_fit` (see `docs/gist.md`); it prints these lines.
"""

from collections.abc import Mapping

Weights = Mapping[str, tuple[float, float]]
"""By feature, what it adds to the sums of an idea and of a result."""

WEIGHTS: Weights = {
    "length": (3.1, 1.08),
    "place": (0.0, 3.94),
    "closing": (0.0, 0.48),
    "first of ours": (1.97, 0.0),
    "opens with our": (0.0, 1.28),
    "our": (0.0, 1.13),
    "this paper": (1.03, 0.0),
    "we propose": (0.66, 0.0),
    "by doing": (1.33, 1.02),
    "means": (0.83, 0.0),
    "method": (0.61, 0.0),
    "contrast": (0.85, 0.65),
    "gain": (0.0, 0.85),
    "experiment": (0.0, 0.22),
    "better": (0.0, 0.78),
    "degree": (0.0, 1.93),
    "figure": (0.0, 1.67),
    "rivals": (0.0, 1.09),
    "than": (0.81, 0.35),
    "on": (0.0, 0.68),
    "first proposal": (0.21, -1.65),
    "after the proposal": (1.5, -0.39),
    "first result": (-1.3, 1.15),
    "shortness": (-1.11, -1.02),
    "first": (-3.25, 0.0),
    "second": (-0.22, -1.04),
    "before ours": (-0.93, -1.11),
    "before the proposal": (0.0, -2.24),
    "opens with a turn": (-0.9, -0.6),
    "also": (-1.26, -0.99),
    "opens with detail": (0.0, -0.75),
    "problem": (-1.56, 0.0),
    "have": (-1.54, -0.76),
    "future": (-0.48, -0.68),
    "code": (-1.01, -1.19),
}
