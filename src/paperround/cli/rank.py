"""`paperround rank`: what a list would hold, and why."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from paperround.cli.options import AsJson, Day, ListName, Now, runtime, usage
from paperround.cli.output import pick_fields, print_result
from paperround.domain.lists import DEFAULT_LIST
from paperround.domain.times import format_instant
from paperround.domain.wording import counted

if TYPE_CHECKING:
    from paperround.domain.editions import Ranked
    from paperround.jobs.rank import ListRanking


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
            help="Other weights, such as votes=2,recency=0.5.",
        ),
    ] = None,
    now: Now = None,
    as_json: AsJson = False,
) -> None:
    """Rank the papers a list may hold. Writes nothing."""
    from paperround.jobs.rank import rank_list

    home = runtime(now)
    with usage("--try"):
        ranker = home.ranker_with(weights) if weights else home.ranker
    ranked = rank_list(
        database=home.database,
        ranker=ranker,
        list_name=list_name,
        day=of_day,
        now=home.clock.now(),
    )
    print_result(_as_json(ranked, limit), _lines(ranked, limit, explain=explain), as_json=as_json)


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
