"""A change of weights as `paperround rank --try` shows it: the last month before and after."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from paperround.cli.output import pick_fields, table_lines, to_json
from paperround.domain.wording import counted

if TYPE_CHECKING:
    from paperround.domain.reordering import Foresight, Moved
    from paperround.jobs.what_if import ChangedDay, WhatIf

ENOUGH = 7
"""Days from which on means are worth believing."""


def as_json(found: "WhatIf") -> dict[str, Any]:
    """The comparison for programs."""
    last = found.days[-1].change if found.days else None
    return {
        **pick_fields(found, "before after size"),
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
        "date": one.day,
        "as_of": one.as_of,
        "papers": change.papers,
        "changed": len(change.came),
        "overlap": _rounded(change.overlap),
        "correlation": _rounded(change.correlation),
        "foresaw": _shares(change.foresight),
    }


def _moved(one: "Moved") -> dict[str, Any]:
    return {"id": str(one.paper.id), "title": one.paper.title, **pick_fields(one, "before after")}


def _shares(foresight: "Foresight | None") -> dict[str, float] | None:
    if foresight is None:
        return None
    return {"before": round(foresight.before, 4), "after": round(foresight.after, 4)}


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def lines(found: "WhatIf") -> Iterator[str]:
    """The comparison for a person: a row a day, their means, and the last day's moves."""
    days = f"{len(found.days)} of the last {counted(found.asked, 'day')}"
    yield f"{found.before} → {found.after}, {days}"
    if not found.days:
        yield "None of them had a paper to try other weights on: name a day that had with --date."
        return
    value = to_json(as_json(found))
    mean = {"date": "mean", "papers": None, "changed": None}
    yield from table_lines([*value["days"], {**value, **mean}], COLUMNS)
    yield from _notes(found)
    for way in ("came", "went"):
        for one in value[way]:
            yield f"  {way}  {one['before']:>3} → {one['after']:<3} {one['title']}"


COLUMNS = "date papers changed overlap correlation foresaw"


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
