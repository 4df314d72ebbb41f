"""What became of a feed: its runs, and the entries that could not be used."""

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from paperround.cli.feed_options import Name, find_any_feed
from paperround.cli.options import AsJson, counts, print_json, runtime, say
from paperround.cli.tables import table, terminal_width
from paperround.domain.times import format_instant

if TYPE_CHECKING:  # a command imports the rooms it needs, so that --help stays quick
    from paperround.domain.feeds import FeedRun, KeptReject

Limit = Annotated[
    int, typer.Option("--limit", metavar="N", min=1, max=500, help="How many, the newest first.")
]
_TOLD = ("new", "changed", "unchanged", "rejects")
"""The counts of a run that are printed, in this order."""


def runs(name: Name, limit: Limit = 20, as_json: AsJson = False) -> None:
    """Show when a feed was read, and what came of it."""
    home = runtime()
    feed = find_any_feed(home, name)
    with home.database.reading() as work:
        found = work.feeds.runs(feed.id, before=None, limit=limit)
    if as_json:
        print_json({"runs": list(map(_as_run, found))})
        return
    _print([(_day(one.started_at), one.state, _came_of(one)) for one in found])
    if not found:
        say(f"{name} was not read yet: paperround feeds run {name}")


def rejects(name: Name, limit: Limit = 20, as_json: AsJson = False) -> None:
    """Show what of a feed could not be used, and why. Files have feeds, too: file:jsonl."""
    home = runtime()
    feed = find_any_feed(home, name)
    with home.database.reading() as work:
        found = work.feeds.rejects(feed.id, before=None, limit=limit)
    if as_json:
        print_json({"rejects": list(map(_as_reject, found))})
        return
    _print(
        [(_day(one.created_at), one.reason, f"entry {one.position}: {one.detail}") for one in found]
    )
    if not found:
        say(f"nothing of {name} was rejected")


def _print(rows: Iterable[tuple[str, str, str]]) -> None:
    kept = list(rows)
    for line in table(kept, terminal_width()) if kept else ():
        say(line)


def _day(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"


def _came_of(run: "FeedRun") -> str:
    if run.error:
        return run.error
    told = {name: run.counts.get(name, 0) for name in _TOLD}
    return "no papers" if not any(told.values()) else counts(told)


def _as_run(run: "FeedRun") -> dict[str, Any]:
    return {
        "id": run.id,
        "source": run.source,
        "state": run.state,
        "counts": dict(run.counts),
        "names": {how: list(which) for how, which in run.names.items()},
        "health": run.health and run.health.value,
        "error": run.error,
        "started_at": format_instant(run.started_at),
        "finished_at": run.finished_at and format_instant(run.finished_at),
    }


def _as_reject(reject: "KeptReject") -> dict[str, Any]:
    return {
        "id": reject.id,
        "run": reject.run,
        "reason": reject.reason,
        "detail": reject.detail,
        "position": reject.position,
        "excerpt": reject.excerpt,
        "created_at": format_instant(reject.created_at),
    }
