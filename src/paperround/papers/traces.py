"""Compute the history of a count, as a line to draw and as numbers."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from paperround.papers.model import Observation

WIDTH, HEIGHT = 240, 48
"""Size of the drawing, in its own units."""
_EDGE = 3
MOST_POINTS = 120
"""More points are not visible at this width."""
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """Counts of one signal by one feed, at least one, oldest first."""

    counts: tuple[Observation, ...]

    @property
    def first(self) -> Observation:
        """The oldest count."""
        return self.counts[0]

    @property
    def last(self) -> Observation:
        """The newest count."""
        return self.counts[-1]

    @property
    def is_line(self) -> bool:
        """Whether there is a line to draw: two counts at different times."""
        return self.first.captured_at < self.last.captured_at

    @property
    def gained(self) -> int | None:
        """The change in the day before the newest count; None if no count is that old. May be
        negative."""
        before = [one for one in self.counts if one.captured_at <= self.last.captured_at - DAY]
        return self.last.value - before[-1].value if before else None

    @property
    def points(self) -> str:
        """The line as `x,y x,y`, in a box of WIDTH by HEIGHT whose bottom is 0."""
        shown = sample_evenly(self.counts, MOST_POINTS)
        begin, span = shown[0].captured_at, shown[-1].captured_at - shown[0].captured_at
        most = max(*(one.value for one in shown), 1)
        drawn = []
        for one in shown:
            along, up = (one.captured_at - begin) / span, one.value / most
            x = round(_EDGE + along * (WIDTH - 2 * _EDGE), 1)
            y = round(HEIGHT - _EDGE - up * (HEIGHT - 2 * _EDGE), 1)
            drawn.append(f"{x:g},{y:g}")
        return " ".join(drawn)


def sample_evenly(counts: Sequence[Observation], most: int) -> Sequence[Observation]:
    """At most `most` of the counts, evenly spaced, including the first and the last."""
    if len(counts) <= most:
        return counts
    step = (len(counts) - 1) / (most - 1)
    return [counts[round(number * step)] for number in range(most)]


def vote_trace(counts: Iterable[Observation], signal: str) -> Trace | None:
    """The history of `signal` on the scale that has the newest count; None without counts."""
    of_signal = [one for one in counts if one.signal == signal]
    if not of_signal:
        return None
    newest = max(of_signal, key=lambda one: one.captured_at)
    same = (one for one in of_signal if one.scale == newest.scale)
    return Trace(counts=tuple(sorted(same, key=lambda one: one.captured_at)))


def latest_of(counts: Iterable[Observation]) -> dict[str, Observation]:
    """The newest count of each signal, by its name."""
    in_order = sorted(counts, key=lambda one: one.captured_at)
    return dict(sorted({one.signal: one for one in in_order}.items()))
