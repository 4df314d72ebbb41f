"""`paperround rank`: what a list would hold, and why."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from paperround.cli import what_if
from paperround.cli.options import (
    AsJson,
    Day,
    ListName,
    Now,
    day_of,
    print_json,
    runtime,
    say,
    usage,
)
from paperround.cli.progress import progress
from paperround.domain.lists import DEFAULT_LIST
from paperround.domain.times import format_instant
from paperround.domain.wording import counted

if TYPE_CHECKING:
    from paperround.domain.editions import Ranked
    from paperround.jobs.ports import Ranker
    from paperround.jobs.rank import ListRanking
    from paperround.jobs.what_if import WhatIf
    from paperround.wiring import Runtime


def rank(
    list_name: ListName = DEFAULT_LIST,
    day: Day = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="How many papers.")] = 20,
    explain: Annotated[
        bool, typer.Option("--explain", help="Show the parts of each score.")
    ] = False,
    weights: Annotated[
        str | None,
        typer.Option(
            "--try",
            metavar="WEIGHTS",
            help="Other weights, such as votes=2,recency=0.5, and what they change.",
        ),
    ] = None,
    days: Annotated[
        int, typer.Option("--days", min=1, max=366, help="With --try: how many days to compare.")
    ] = 30,
    now: Now = None,
    as_json: AsJson = False,
) -> None:
    """Rank the papers a list may hold. Writes nothing."""
    from paperround.jobs.rank import rank_list

    home, wanted = runtime(now), day_of(day)
    with usage("--try"):
        ranker = home.ranker_with(weights) if weights else home.ranker
    present = home.clock.now()
    ranked = rank_list(
        database=home.database, ranker=ranker, list_name=list_name, day=wanted, now=present
    )
    change = _change(home, ranker, ranked, days, present) if weights else None
    if as_json:
        print_json(_as_json(ranked, limit) | ({"tried": what_if.as_json(change)} if change else {}))
        return
    if change is not None:
        what_if.tell(change)
        say()
    _tell(ranked, limit, explain=explain)


def _change(
    home: "Runtime", tried: "Ranker", ranked: "ListRanking", days: int, now: datetime
) -> "WhatIf":
    """The days up to the one that is ranked, before and after."""
    from paperround.jobs.what_if import what_if as compare

    with progress("Ranking each day twice", days) as advance:
        return compare(
            database=home.database,
            ranker=home.ranker,
            tried=tried,
            list_name=ranked.mailing_list.name,
            day=ranked.day,
            now=now,
            days=days,
            advance=advance,
        )


def _as_json(ranked: "ListRanking", limit: int) -> dict[str, Any]:
    return {
        "list": ranked.mailing_list.name,
        "date": ranked.day.isoformat(),
        "now": format_instant(ranked.window.as_of),
        "ranker": ranked.ranking.ranker,
        "items": [
            _item(position, item)
            for position, item in enumerate(ranked.ranking.items[:limit], start=1)
        ],
    }


def _item(position: int, item: "Ranked") -> dict[str, Any]:
    return {
        "position": position,
        "id": str(item.paper.id),
        "title": item.paper.title,
        "score": item.score,
        "parts": dict(item.parts),
        "reason": item.reason,
        "identifiers": dict(item.paper.identifiers),
        "votes": item.votes,
    }


def _tell(ranked: "ListRanking", limit: int, *, explain: bool) -> None:
    items = ranked.ranking.items
    name, day = ranked.mailing_list.name, ranked.day.isoformat()
    if not items:
        say(
            f"{name}, {day}: no paper counts in the "
            f"{counted(ranked.mailing_list.candidate_days, 'day')} before "
            f"{format_instant(ranked.window.as_of)} ({counted(ranked.papers_known, 'paper')} known)"
        )
        return
    shown, papers = min(limit, len(items)), counted(len(items), "paper")
    say(f"{name}, {day}: {shown:,} of {papers} ({ranked.ranking.ranker})")
    for position, item in enumerate(items[:limit], start=1):
        say(f"{position:>3}. {item.paper.title}")
        say(f"     {item.score:.4f}  {item.reason}")
        if explain:
            parts = "  ".join(f"{part} {value:+.4f}" for part, value in item.parts.items())
            say(f"     = {parts}")
