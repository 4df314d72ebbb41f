"""`paperround stats`: figures of the installation."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Annotated, Any

from paperround.cli.options import AnyList, AsJson, Now, runtime, takes, usage
from paperround.cli.output import print_result, table_lines, to_json
from paperround.ops.stats_model import OTHERS

BAR = 30
"""The widest bar, in characters."""

SHOWN = 14
"""How many rows a table shows: the last days, the largest domains. `--json` has them all."""


def stats(
    days: Annotated[int, takes("--days", "N", "How many days, including today, up to 90.")] = 30,
    list_name: AnyList = None,
    now: Now = None,
    as_json: AsJson = False,
) -> None:
    """Show growth, sign-ups, deliveries, bounces and feedback. Nothing is about one person, and
    opens are not tracked."""
    from paperround.ops.stats import stats as read_stats

    context = runtime(now)
    with usage(days="--days"):
        found = read_stats(
            context.database, now=context.clock.now(), days=days, list_name=list_name
        )
    value = to_json(asdict(found))
    print_result(value, list(_lines(value)), as_json=as_json)


def _lines(value: Mapping[str, Any]) -> Iterator[str]:
    """Yield the figures as text: totals first, then tables."""
    which = f"list {value['list']}" if value["list"] else "all lists"
    yield f"{value['first']} to {value['last']}, {which}"
    for name in ("subscribers", "signups", "deliveries", "returned"):
        yield f"{'sign-ups' if name == 'signups' else name}: {_counts(value[name])}"
    yield f"lateness: {_lateness(value['lateness'])}"
    yield f"queue now: {_queue(value['queue'])}"
    yield from _table("sent by day", _with_bars(value["deliveries_by_day"][-SHOWN:]))
    yield from _table("subscribers by day", value["subscribers_by_day"][-SHOWN:], "date")
    yield from _table("domains", _largest(value["domains"]), "domain")
    yield from _table("people who gave feedback", value["feedback"][:SHOWN])
    yield from _table("saved papers by feed", value["saves_by_feed"][:SHOWN])
    yield from _table("feeds", value["feeds"], "name health reason")


def _counts(numbers: Mapping[str, int]) -> str:
    return ", ".join(f"{count:,} {name}" for name, count in numbers.items())


def _lateness(value: Mapping[str, int | None]) -> str:
    if value["median_seconds"] is None:
        return "nothing was sent"
    names = {"median": "median_seconds", "95 % within": "p95_seconds", "most": "max_seconds"}
    told = ", ".join(f"{name} {_duration(value[field] or 0)}" for name, field in names.items())
    return f"{told}; {value['over_30_minutes']:,} over 30 minutes"


def _queue(value: Mapping[str, Any]) -> str:
    since = f", the oldest for {_duration(value['oldest_seconds'])}" if value["waiting"] else ""
    return f"{value['waiting']:,} wait{since}; {value['unknown']:,} unknown"


def _duration(seconds: int) -> str:
    return f"{seconds} s" if seconds < 120 else f"{seconds // 60} min"


def _with_bars(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the days with a bar for what was sent and what was not."""
    most = max((row["sent"] for row in rows), default=0)
    return [
        {
            **{name: row[name] for name in ("date", "sent", "failed", "unknown", "expired")},
            "": "#" * (-(-row["sent"] * BAR // most) if most else 0),
        }
        for row in rows
    ]


def _largest(domains: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return the domains with the most digests, and the row for all others."""
    named = [one for one in domains if one["domain"] != OTHERS]
    return [*named[:SHOWN], *(one for one in domains if one["domain"] == OTHERS)]


def _table(heading: str, rows: Sequence[Mapping[str, Any]], columns: str = "") -> Iterator[str]:
    """Yield a table below its heading; `columns` are the first ones, or all if there are more."""
    if not rows:
        return
    first = columns.split()
    names = first if len(first) > 1 else [*first, *(one for one in rows[0] if one not in first)]
    yield from ["", f"{heading}:"]
    ordered = [{name: row[name] for name in names} for row in rows]
    yield from (f"  {line}" for line in table_lines(ordered))
