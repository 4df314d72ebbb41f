"""A change of weights as `paperround rank --try` shows it: the last month before and after."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from paperround.cli.options import say
from paperround.cli.tables import table, terminal_width
from paperround.domain.times import format_instant
from paperround.domain.wording import counted

if TYPE_CHECKING:
    from paperround.domain.reordering import Foresight, Moved, Reordering
    from paperround.jobs.what_if import ChangedDay, WhatIf

ENOUGH = 7
"""Days from which on means are worth believing."""


def as_json(found: "WhatIf") -> dict[str, Any]:
    """The comparison for programs."""
    last = found.days[-1].change if found.days else None
    return {
        "before": found.before,
        "after": found.after,
        "size": found.size,
        "overlap": _rounded(found.overlap if found.days else None),
        "correlation": _rounded(found.correlation),
        "foresaw": _shares(found.foresight),
        "days_foreseen": len(found.foretold),
        "came": [_moved(one) for one in last.came] if last else [],
        "went": [_moved(one) for one in last.went] if last else [],
        "days": [_day(one) for one in found.days],
    }


def _day(one: "ChangedDay") -> dict[str, Any]:
    change = one.change
    return {
        "date": one.day.isoformat(),
        "as_of": format_instant(one.as_of),
        "papers": change.papers,
        "changed": len(change.came),
        "overlap": _rounded(change.overlap),
        "correlation": _rounded(change.correlation),
        "foresaw": _shares(change.foresight),
    }


def _moved(one: "Moved") -> dict[str, Any]:
    id_, title = str(one.paper.id), one.paper.title
    return {"id": id_, "title": title, "before": one.before, "after": one.after}


def _shares(foresight: "Foresight | None") -> dict[str, float] | None:
    if foresight is None:
        return None
    return {"before": round(foresight.before, 4), "after": round(foresight.after, 4)}


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def tell(found: "WhatIf") -> None:
    """The comparison for a person."""
    days = f"{len(found.days)} of the last {counted(found.asked, 'day')}"
    say(f"{found.before} → {found.after}, {days}")
    if not found.days:
        say("None of them had a paper to try other weights on: name a day that had with --date.")
        return
    for line in table([_HEAD, *map(_row, found.days), _means(found)], terminal_width()):
        say(line)
    for line in _notes(found):
        say(line)
    for line in _moves(found.days[-1].change):
        say(line)


_HEAD = ("day", "papers", "changed", "correlation", "foresaw")


def _row(one: "ChangedDay") -> tuple[str, ...]:
    change = one.change
    changed = f"{len(change.came)} of {change.size}"
    order = _number(change.correlation)
    day, papers = one.day.isoformat(), f"{change.papers:,}"
    return day, papers, changed, order, _foresaw(change.foresight)


def _means(found: "WhatIf") -> tuple[str, ...]:
    same = f"{found.overlap:.0%} stay"
    return "mean", "", same, _number(found.correlation), _foresaw(found.foresight)


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _foresaw(foresight: "Foresight | None") -> str:
    return "-" if foresight is None else f"{foresight.before:.2f} → {foresight.after:.2f}"


def _notes(found: "WhatIf") -> Iterator[str]:
    if len(found.days) < ENOUGH:
        yield f"That is little history: believe no mean of fewer than {ENOUGH} days."
    if not found.foretold:
        yield (
            f"Fewer than {counted(found.size, 'paper')} won votes that were counted a day or more "
            "after one of these days: which order foresaw more cannot be told."
        )
    elif len(found.foretold) < ENOUGH:
        days = counted(len(found.foretold), "day")
        yield f"What came later is known of {days} only: too few to decide by."


def _moves(change: "Reordering") -> Iterator[str]:
    """What the last day's first places gain and lose."""
    yield from (f"  in   {one.before:>3} → {one.after:<3} {one.paper.title}" for one in change.came)
    yield from (f"  out  {one.before:>3} → {one.after:<3} {one.paper.title}" for one in change.went)
