"""`paperround learn`: what the votes of earlier papers let one expect of new ones."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from paperround.cli.options import AsJson, Now, runtime
from paperround.cli.output import pick_fields, print_result
from paperround.domain.wording import counted

if TYPE_CHECKING:
    from paperround.jobs.learn import LearnReport

HELP = (
    "days count once they have been over for a day, with five papers or more whose votes a feed "
    "tells. Feeds that tell votes (`paperround feeds kinds`) bring them day by day; a file of "
    "earlier papers and one of their counts bring them at once (`paperround ingest --file`)"
)


def learn(now: Now = None, as_json: AsJson = False) -> None:
    """Learn now, from papers whose votes have settled, what to expect of new ones. A service that
    runs does so every night by itself."""
    from paperround.jobs.learn import learn as run

    home = runtime(now)
    report = run(home.database, home.model_maker, now=home.clock.now())
    print_result(_as_json(report), _lines(report), as_json=as_json)


def _as_json(report: "LearnReport") -> dict[str, Any]:
    model = None
    if report.kept is not None:
        model = {**pick_fields(report.kept, "id version as_of"), "bytes": report.kept.size}
        model |= pick_fields(report.facts, "since until weights") if report.facts else {}
    return {**pick_fields(report, "outcomes days feeds least"), "model": model}


def _lines(report: "LearnReport") -> Iterator[str]:
    found = (
        f"{counted(report.outcomes, 'paper')} of {counted(report.days, 'day')} with settled votes"
    )
    if report.kept is None or report.facts is None:
        least = counted(report.least, "paper")
        yield f"nothing was learned: {found}, and it takes {least} of several days"
        yield f"What helps: {HELP}."
        yield "Until then papers without votes stand by their topics, their day and their abstract."
        return
    facts, kept = report.facts, report.kept
    yield f"learned from {found}, {facts.since} to {facts.until}"
    yield f"model {kept.id}: {kept.version}, {kept.size / 1000:,.0f} kB, in use from now on"
    yield "weights, in the natural log of votes:"
    for part, weights in facts.weights.items():
        yield f"  {part}: {'  '.join(f'{name} {value:+.2f}' for name, value in weights.items())}"
