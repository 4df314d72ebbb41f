"""`paperround evaluate`: measure the ranking on data with known outcomes. Needs no installation."""

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from paperround.cli.options import AsJson, switch
from paperround.cli.output import print_result, table
from paperround.core.errors import InvalidInput
from paperround.evaluate import Baselines

if TYPE_CHECKING:
    from paperround.evaluate.report import Report

Others = Annotated[Baselines, switch("--baselines", "Which other methods to compare with.")]
EarlierPapers = Annotated[Path | None, typer.Option(help="Earlier papers, to learn from.")]

app = typer.Typer(no_args_is_help=True)


@app.callback()
def evaluate() -> None:
    """Measure the ranking on known data."""


@app.command()
def trending(
    papers: Annotated[Path, typer.Option(help="Papers by day of listing, JSON lines.")],
    snapshots: Annotated[Path, typer.Option(help="Their votes in the morning and afternoon.")],
    weekly: Annotated[Path, typer.Option(help="The ten highest papers of each week.")],
    history_papers: EarlierPapers = None,
    history_snapshots: Annotated[Path | None, typer.Option(help="Their votes.")] = None,
    baselines: Others = Baselines.FAST,
    as_json: AsJson = False,
) -> None:
    """Measure how early the best papers of a day and a week are found, replaying one day after the
    other."""
    from paperround.evaluate.trending import evaluate_trending

    history = require_both(
        "--history-papers", history_papers, "--history-snapshots", history_snapshots
    )
    report = evaluate_trending(papers, snapshots, weekly, history=history, baselines=baselines)
    show_report(report, as_json=as_json)


def require_both(
    first: str, first_path: Path | None, second: str, second_path: Path | None
) -> tuple[Path, Path] | None:
    """Return both paths, None if neither is given. Raises InvalidInput for one alone."""
    if first_path is not None and second_path is not None:
        return first_path, second_path
    if first_path is not None or second_path is not None:
        raise InvalidInput(f"{first} and {second} belong together: give both or neither")
    return None


def show_report(report: "Report", *, as_json: bool) -> None:
    """Print a report, as a table with a row for each metric or as JSON."""
    comparisons = [
        f"{name}: {one.value:+.4f} against {method} ({one.low:+.4f} to {one.high:+.4f})"
        for method, found in report.against.items()
        for name, one in found.items()
    ]
    lines = [*table(list(_table_rows(report)), None), *comparisons, *report.notes]
    print_result(asdict(report), lines, as_json=as_json)


def _table_rows(report: "Report") -> Iterator[list[str]]:
    yield [report.task, "ours", "90 % interval", *report.baselines]
    for name, ours in report.metrics.items():
        others = [found.get(name) for found in report.baselines.values()]
        known = [ours.value, ours.low, ours.high, *(one for one in others if one is not None)]
        # Rates are at most 1, and hardly ever all integers.
        are_counts = max(known) > 1 and all(value == round(value) for value in known)
        decimals = 0 if are_counts else 4
        yield [
            name,
            f"{ours.value:,.{decimals}f}",
            f"{ours.low:,.{decimals}f} to {ours.high:,.{decimals}f}",
            *("" if one is None else f"{one:,.{decimals}f}" for one in others),
        ]
