"""Compare fairly on a busy machine: contenders take turns, and ratios are computed per round.

A busy machine slows all contenders of a round, so their ratio remains meaningful; the median over
the rounds drops outliers.
"""

import gc
import math
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import TypeVar

T = TypeVar("T")
Contender = Callable[[], object]
Rounds = Mapping[str, list[float]]


def interleaved(
    contenders: Mapping[str, Contender],
    *,
    rounds: int = 5,
    timer: Callable[[], float] = time.perf_counter,
    before: Contender | None = None,
) -> Rounds:
    """The seconds of every contender in every round, after one round that does not count.

    The order rotates by one place each round, so that no contender always follows the same one.
    `before` runs ahead of each of them and is not timed. The benchmark's own objects are hidden
    from Python's garbage collector, so that no contender pays for scanning them.
    """
    names = list(contenders)
    taken: dict[str, list[float]] = {name: [] for name in names}
    gc.collect()
    gc.freeze()
    for number in range(-1, rounds):
        for name in turned(names, number):
            if before is not None:
                before()
            begin = timer()
            contenders[name]()
            seconds = timer() - begin
            if number >= 0:
                taken[name].append(seconds)
    gc.unfreeze()
    return taken


def turned(contenders: Sequence[T], number: int) -> list[T]:
    """The contenders in the order of round `number`."""
    turn = number % len(contenders)
    return [*contenders[turn:], *contenders[:turn]]


def speed_ratio(rounds: Rounds, ours: str, peer: str) -> float:
    """How many times as fast as `peer` `ours` is: the median of the rounds' ratios."""
    pairs = zip(rounds[peer], rounds[ours], strict=True)
    return statistics.median(theirs / own for theirs, own in pairs)


def cost_ratio(rounds: Rounds, ours: str, peer: str) -> float:
    """The time of `ours` as a multiple of `peer`'s: the median of the rounds' ratios."""
    return 1 / speed_ratio(rounds, ours, peer)


def cost_exponent(seconds: Mapping[int, float]) -> float:
    """How cost grows with size: `x` when ten times the work takes `10 ** x` times as long.

    `seconds` is the cost by size; the steepest growth from one size to the next counts.
    """
    sizes = sorted(seconds)
    return max(
        math.log(seconds[large] / seconds[small]) / math.log(large / small)
        for small, large in pairwise(sizes)
    )
