"""`paperround evaluate`: how good the models are, on data whose outcome is known."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING

import typer

from paperround.cli.options import print_json, say
from paperround.cli.tables import table

if TYPE_CHECKING:
    from paperround.evaluate.report import Figure, Report

app = typer.Typer(no_args_is_help=True)


@app.callback()
def evaluate() -> None:
    """Measure ranking, personal digests, search and gists on known data."""


def show(report: "Report", *, as_json: bool) -> None:
    """The figures of a report: as a table with a row a metric, or as JSON."""
    if as_json:
        print_json(_as_json(report))
        return
    for line in (*table(list(_rows(report)), None), *_comparisons(report), *report.notes):
        say(line)


def _as_json(report: "Report") -> dict[str, object]:
    return {
        "task": report.task,
        "metrics": {name: asdict(one) for name, one in report.metrics.items()},
        "baselines": {method: dict(found) for method, found in report.baselines.items()},
        "against": {
            method: {name: asdict(one) for name, one in found.items()}
            for method, found in report.against.items()
        },
        "notes": list(report.notes),
    }


def _rows(report: "Report") -> Iterator[list[str]]:
    yield [report.task, "ours", "90 % interval", *report.baselines]
    for name, ours in report.metrics.items():
        others = [_other(found.get(name)) for found in report.baselines.values()]
        yield [name, f"{ours.value:.4f}", _ends(ours), *others]


def _other(value: float | None) -> str:
    return "" if value is None else f"{value:.4f}"


def _ends(one: "Figure") -> str:
    return f"{one.low:.4f} to {one.high:.4f}"


def _comparisons(report: "Report") -> Iterator[str]:
    for method, found in report.against.items():
        for name, one in found.items():
            yield f"{name}: {one.value:+.4f} against {method} ({one.low:+.4f} to {one.high:+.4f})"
