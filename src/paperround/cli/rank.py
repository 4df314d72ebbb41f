"""`paperround rank`: what a list would hold, and why."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from paperround.cli import what_if
from paperround.cli.options import AsJson, Day, ListName, Now, runtime, usage
from paperround.cli.output import pick_fields, print_result
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
    of_day: Day = None,
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

    home = runtime(now)
    with usage("--try"):
        ranker = home.ranker_with(weights) if weights else home.ranker
    present = home.clock.now()
    ranked = rank_list(
        database=home.database, ranker=ranker, list_name=list_name, day=of_day, now=present
    )
    change = _change(home, ranker, ranked, days, present) if weights else None
    tried = {"tried": what_if.as_json(change)} if change else {}
    lines = [*what_if.lines(change), ""] if change else []
    lines += _lines(ranked, limit, explain=explain)
    print_result({**_as_json(ranked, limit), **tried}, lines, as_json=as_json)


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
        "date": ranked.day,
        "now": ranked.window.as_of,
        "ranker": ranked.ranking.ranker,
        "items": [
            {"id": str(item.paper.id), **item_as_json(place, item), "votes": item.votes}
            for place, item in enumerate(ranked.ranking.items[:limit], start=1)
        ],
    }


def item_as_json(position: int, item: "Ranked") -> dict[str, Any]:
    """A ranked paper: where it is, and why."""
    from paperround.languages.localize import english_reason

    return {
        "position": position,
        **pick_fields(item, "score parts"),
        "reason": english_reason(item.reason),
        **pick_fields(item.paper, "title identifiers"),
    }


def _lines(ranked: "ListRanking", limit: int, *, explain: bool) -> Iterator[str]:
    items, name = ranked.ranking.items, ranked.mailing_list.name
    if not items:
        days = counted(ranked.mailing_list.candidate_days, "day")
        before = format_instant(ranked.window.as_of)
        known = f"({counted(ranked.papers_known, 'paper')} known)"
        yield f"{name}, {ranked.day}: no paper counts in the {days} before {before} {known}"
        return
    shown, papers = min(limit, len(items)), counted(len(items), "paper")
    yield f"{name}, {ranked.day}: {shown:,} of {papers} ({ranked.ranking.ranker})"
    yield from item_lines(items[:limit], explain=explain)


def item_lines(items: "Sequence[Ranked]", *, explain: bool) -> Iterator[str]:
    """Ranked papers for a person, with the parts of each score where these `explain` it."""
    from paperround.languages.localize import english_reason

    for position, item in enumerate(items, start=1):
        yield f"{position:>3}. {item.paper.title}"
        yield f"     {item.score:.4f}  {english_reason(item.reason)}"
        if explain:
            yield f"     = {'  '.join(f'{part} {n:+.4f}' for part, n in item.parts.items())}"
