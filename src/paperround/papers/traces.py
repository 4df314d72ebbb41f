"""How a count went over time, as a line to be drawn and as words."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from paperround.papers.model import Observation

WIDTH, HEIGHT = 240, 48
"""Of the drawing, in its own units."""
_EDGE = 3
MOST_POINTS = 120
"""A line of this width shows no more."""
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """Counts of one signal by one feed, oldest first, at least one."""

    counts: tuple[Observation, ...]

    @property
    def first(self) -> Observation:
        """The oldest."""
        return self.counts[0]

    @property
    def last(self) -> Observation:
        """The newest."""
        return self.counts[-1]

    @property
    def is_line(self) -> bool:
        """Whether there is something to draw: two counts that lie apart."""
        return self.first.captured_at < self.last.captured_at

    @property
    def gained(self) -> int | None:
        """What the last day before the newest count brought; None where no count is so old. It may
        be below 0."""
        before = [one for one in self.counts if one.captured_at <= self.last.captured_at - DAY]
        return self.last.value - before[-1].value if before else None

    @property
    def points(self) -> str:
        """The line as `x,y x,y`, in a box of WIDTH by HEIGHT whose bottom is nothing."""
        shown = thinned(self.counts, MOST_POINTS)
        begin, span = shown[0].captured_at, shown[-1].captured_at - shown[0].captured_at
        most = max(*(one.value for one in shown), 1)
        drawn = []
        for one in shown:
            along, up = (one.captured_at - begin) / span, one.value / most
            x = round(_EDGE + along * (WIDTH - 2 * _EDGE), 1)
            y = round(HEIGHT - _EDGE - up * (HEIGHT - 2 * _EDGE), 1)
            drawn.append(f"{x:g},{y:g}")
        return " ".join(drawn)


def thinned(counts: Sequence[Observation], most: int) -> Sequence[Observation]:
    """At most `most` of them, evenly, the first and the last among them."""
    if len(counts) <= most:
        return counts
    step = (len(counts) - 1) / (most - 1)
    return [counts[round(number * step)] for number in range(most)]


def trace_of(counts: Iterable[Observation], signal: str) -> Trace | None:
    """How `signal` went, as the feed saw it that counted last; None where nobody counted."""
    told = [one for one in counts if one.signal == signal]
    if not told:
        return None
    newest = max(told, key=lambda one: one.captured_at)
    same = (one for one in told if one.scale == newest.scale)
    return Trace(counts=tuple(sorted(same, key=lambda one: one.captured_at)))


def latest_of(counts: Iterable[Observation]) -> dict[str, Observation]:
    """The newest count of each signal, by its name."""
    in_order = sorted(counts, key=lambda one: one.captured_at)
    return dict(sorted({one.signal: one for one in in_order}.items()))
