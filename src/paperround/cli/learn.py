"""`paperround learn`: what the votes of earlier papers let one expect of new ones."""

from typing import TYPE_CHECKING, Any

from paperround.cli.options import AsJson, Now, print_json, runtime, say
from paperround.domain.times import format_instant
from paperround.domain.wording import counted

if TYPE_CHECKING:
    from paperround.domain.models import KeptModel, ModelFacts
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
    if as_json:
        print_json(_as_json(report))
    else:
        _tell(report)


def _as_json(report: "LearnReport") -> dict[str, Any]:
    return {
        "outcomes": report.outcomes,
        "days": report.days,
        "feeds": report.feeds,
        "least": report.least,
        "model": None if report.kept is None else _model(report.kept, report.facts),
    }


def _model(kept: "KeptModel", facts: "ModelFacts | None") -> dict[str, Any]:
    about = {
        "id": kept.id,
        "version": kept.version,
        "as_of": format_instant(kept.as_of),
        "bytes": kept.size,
    }
    if facts is None:
        return about
    return about | {
        "since": facts.since.isoformat(),
        "until": facts.until.isoformat(),
        "weights": {part: dict(weights) for part, weights in facts.weights.items()},
    }


def _tell(report: "LearnReport") -> None:
    found = (
        f"{counted(report.outcomes, 'paper')} of {counted(report.days, 'day')} with settled votes"
    )
    if report.kept is None or report.facts is None:
        least = counted(report.least, "paper")
        say(f"nothing was learned: {found}, and it takes {least} of several days")
        say(f"What helps: {HELP}.")
        say("Until then papers without votes stand by their topics, their day and their abstract.")
        return
    facts, kept = report.facts, report.kept
    say(f"learned from {found}, {facts.since} to {facts.until}")
    say(f"model {kept.id}: {kept.version}, {kept.size / 1000:,.0f} kB, in use from now on")
    say("weights, in the natural log of votes:")
    for part, weights in facts.weights.items():
        said = "  ".join(f"{name} {value:+.2f}" for name, value in weights.items())
        say(f"  {part}: {said}")
