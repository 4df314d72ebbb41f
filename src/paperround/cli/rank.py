"""`paperround rank` and `learn`: rank the papers of a list, and train the model."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from paperround.cli.options import AsJson, Day, ListName, Now, actor, runtime, switch, takes, usage
from paperround.cli.output import pick_fields, print_result
from paperround.core.reasons import counted
from paperround.core.times import format_instant
from paperround.editions.lists import DEFAULT_LIST

if TYPE_CHECKING:
    from paperround.bootstrap import AppContext
    from paperround.editions.model import EditionPaper, Ranked
    from paperround.ranking.learn import LearnReport
    from paperround.ranking.rank import ListRanking
    from paperround.ranking.trial import MovedPaper, WeightsTrial


def rank(
    list_name: ListName = DEFAULT_LIST,
    of_day: Day = None,
    limit: Annotated[int, takes("--limit", "N", "How many papers.", min=1)] = 20,
    explain: Annotated[bool, switch("--explain", "Show the parts of each score.")] = False,
    weights: Annotated[
        str | None, takes("--try", "WEIGHTS", "Other weights, such as votes=2,recency=0.5.")
    ] = None,
    days: Annotated[
        int | None,
        takes(
            "--days",
            "N",
            "Show what --try would have changed in the editions of the last N days, up to 90.",
        ),
    ] = None,
    now: Now = None,
    as_json: AsJson = False,
) -> None:
    """Rank the papers that a list can show. Writes nothing."""
    from paperround.ranking.rank import rank_list

    context = runtime(now)
    if days is not None:
        _try_on_past_days(context, list_name, weights, days, limit, as_json=as_json)
        return
    with usage("--try"):
        ranker = context.ranker_with(weights) if weights else context.ranker
    ranked = rank_list(
        database=context.database,
        ranker=ranker,
        list_name=list_name,
        day=of_day,
        now=context.clock.now(),
    )
    value = {
        "list": ranked.mailing_list.name,
        "date": ranked.day,
        "now": ranked.window.as_of,
        "ranker": ranked.ranking.ranker,
        "items": [
            {"id": str(item.paper.id), **item_as_json(place, item), "votes": item.votes}
            for place, item in enumerate(ranked.ranking.items[:limit], start=1)
        ],
    }
    print_result(value, _lines(ranked, limit, explain=explain), as_json=as_json)


def _try_on_past_days(
    context: "AppContext",
    list_name: str,
    weights: str | None,
    days: int,
    limit: int,
    *,
    as_json: bool,
) -> None:
    """Print what other weights would have changed in the editions of the last days."""
    from paperround.ranking.trial import try_weights

    if not weights:
        raise typer.BadParameter("--days needs weights to try", param_hint="--try")
    with usage(days="--days", weights="--try"):
        found = try_weights(
            context.database, list_name, weights, now=context.clock.now(), days=days
        )
    value = {
        **pick_fields(found, "list size shown same deepest incomparable"),
        "weights": found.weights.changes(),
        "outcome": found.outcome and pick_fields(found.outcome, "days sent tried"),
        "days": [
            {**pick_fields(one, "day cut same size"), "entered": _titles(one.entered)}
            for one in found.days
        ],
        "entered": [_moved_as_json(one) for one in found.entered[:limit]],
        "left": [_moved_as_json(one) for one in found.left[:limit]],
    }
    print_result(value, _trial_lines(found, limit), as_json=as_json)


def _titles(papers: "Sequence[EditionPaper]") -> list[str]:
    return [one.title for one in papers]


def _moved_as_json(moved: "MovedPaper") -> dict[str, Any]:
    return {"days": moved.days, **pick_fields(moved.paper, "title identifiers")}


def _trial_lines(trial: "WeightsTrial", limit: int) -> Iterator[str]:
    editions = counted(len(trial.days), "edition")
    yield f"{trial.list}, {editions}, with {trial.weights.changes() or 'the usual weights'}"
    yield f"  the same: {trial.same:.1f} of the first {trial.size} papers on average"
    if trial.deepest:
        yield f"  papers come in from as far down as rank {trial.deepest} of {trial.shown}"
    if trial.outcome is None:
        yield "  votes a week later: no edition is old enough and has papers with votes"
    else:
        sent, tried = trial.outcome.sent, trial.outcome.tried
        over = counted(trial.outcome.days, "day")
        yield f"  votes a week later: {sent:.1f} as sent, {tried:.1f} with these weights ({over})"
    if trial.incomparable:
        yield f"  left out: {counted(trial.incomparable, 'edition')} ranked with other settings"
    for name, moved in (("come in", trial.entered), ("drop out", trial.left)):
        for one in moved[:limit]:
            yield f"  would {name} on {counted(one.days, 'day')}: {one.paper.title}"
    yield "Only papers that an edition shows can move, by the parts they were frozen with."


def item_as_json(position: int, item: "Ranked") -> dict[str, Any]:
    """Return a ranked paper as JSON: its position, score, reason and title."""
    from paperround.core.i18n.localize import english_reason

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
        yield f"{name}, {ranked.day}: no paper was listed in the {days} before {before} {known}"
        return
    shown, papers = min(limit, len(items)), counted(len(items), "paper")
    yield f"{name}, {ranked.day}: {shown:,} of {papers} ({ranked.ranking.ranker})"
    yield from item_lines(items[:limit], explain=explain)


def item_lines(items: "Sequence[Ranked]", *, explain: bool) -> Iterator[str]:
    """Yield ranked papers as lines, with the parts of each score if `explain`."""
    from paperround.core.i18n.localize import english_reason

    for position, item in enumerate(items, start=1):
        yield f"{position:>3}. {item.paper.title}"
        yield f"     {item.score:.4f}  {english_reason(item.reason)}".rstrip()
        if explain:
            yield f"     = {'  '.join(f'{part} {n:+.4f}' for part, n in item.parts.items())}"


def learn(now: Now = None, as_json: AsJson = False) -> None:
    """Learn how many votes to expect of new papers. This uses papers with final votes; a
    running service does it every night."""
    from paperround.ranking.learn import learn as run

    context = runtime(now)
    report = run(context.database, context.model_maker, now=context.clock.now(), by=actor())
    model = None
    if report.kept is not None:
        model = {**pick_fields(report.kept, "id version as_of"), "bytes": report.kept.size}
        model |= pick_fields(report.facts, "since until weights") if report.facts else {}
    value = {**pick_fields(report, "outcomes days feeds least"), "model": model}
    print_result(value, _learned_lines(report), as_json=as_json)


def _learned_lines(report: "LearnReport") -> Iterator[str]:
    papers, days = counted(report.outcomes, "paper"), counted(report.days, "day")
    found = f"{papers} of {days} with settled votes"
    if report.kept is None or report.facts is None:
        least = counted(report.least, "paper")
        yield f"no model was trained: there are {found}, and it takes {least} of several days"
        yield (
            "A day counts once it has been over for a day and has five papers with votes from a "
            "feed. Feeds with votes (`paperround feeds kinds`) add days one by one; a file of "
            "earlier papers and a file of their votes add them at once (`paperround ingest "
            "--file`)."
        )
        yield "Until then, papers without votes are ranked by topics, day and abstract."
        return
    facts, kept = report.facts, report.kept
    yield f"learned from {found}, {facts.since} to {facts.until}"
    yield f"model {kept.id}: {kept.version}, {kept.size / 1000:,.0f} kB, in use from now on"
    yield "weights, in the natural log of votes:"
    for part, weights in facts.weights.items():
        yield f"  {part}: {'  '.join(f'{name} {value:+.2f}' for name, value in weights.items())}"
