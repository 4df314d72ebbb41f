"""`paperround evaluate`: measure the models on data with known outcomes. Needs no installation."""

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from paperround.cli.options import AsJson
from paperround.cli.output import print_result, table
from paperround.core.errors import InvalidInput, UnreadableFile
from paperround.evaluate import Baselines

if TYPE_CHECKING:
    from paperround.evaluate.report import Report

Others = Annotated[
    Baselines, typer.Option("--baselines", help="Which other methods run beside ours.")
]
EarlierPapers = Annotated[Path | None, typer.Option(help="Earlier papers, to learn from.")]

app = typer.Typer(no_args_is_help=True)


@app.callback()
def evaluate() -> None:
    """Measure ranking, personal digests, search and gists on known data."""


@app.command()
def gist(
    abstracts: Annotated[
        Path, typer.Option("--abstracts", metavar="FILE", help="Abstracts with marked spans.")
    ],
    baselines: Others = Baselines.FAST,
    as_json: AsJson = False,
) -> None:
    """How often one sentence, and two, hit what readers marked as the idea or the result."""
    from paperround.evaluate.gist import evaluate_gist

    show_report(evaluate_gist(abstracts, baselines), as_json=as_json)


@app.command()
def search(
    queries: Annotated[
        Path,
        typer.Option("--queries", help="Queries with judgements or candidates, as JSON lines."),
    ],
    docs: Annotated[
        Path | None,
        typer.Option("--docs", help="The documents, where the queries do not carry their own."),
    ] = None,
    baselines: Others = Baselines.FAST,
    as_json: AsJson = False,
) -> None:
    """How well search puts the right papers first, beside BM25 with and without stems."""
    from paperround.evaluate.search import measure

    try:
        report = measure(queries, docs, baselines=baselines)
    except OSError as error:
        raise UnreadableFile(f"{error.filename}: {error.strerror or error}") from error
    show_report(report, as_json=as_json)


@app.command()
def personal(
    items: Annotated[Path, typer.Option(metavar="FILE", help="Papers: JSON lines, id and words.")],
    users: Annotated[Path, typer.Option(metavar="FILE", help="Readers: JSON lines, items kept.")],
    baselines: Others = Baselines.FAST,
    as_json: AsJson = False,
) -> None:
    """Find the hidden half of what readers kept from the known half, by the papers' words."""
    from paperround.evaluate.personal import evaluate_personal

    show_report(evaluate_personal(items, users, baselines), as_json=as_json)


@app.command()
def statements(
    statements: Annotated[
        Path, typer.Option("--statements", metavar="FILE", help="JSON lines, text.")
    ],
    papers: Annotated[Path, typer.Option(help="Papers by day of listing, JSON lines.")],
    month: Annotated[str, typer.Option(metavar="YYYY-MM", help="The month of the papers.")],
    as_json: AsJson = False,
) -> None:
    """Print the ten papers of a month closest to each text about somebody's work, to be graded."""
    from paperround.core.times import parse_date
    from paperround.evaluate.statements import closest_papers

    found = closest_papers(statements, papers, parse_date(f"{month}-01"))
    lines = [
        line
        for one in found
        for line in ("", one.statement, *(f"  {paper.title}" for paper, _ in one.papers))
    ]
    rows = [
        {
            "statement": one.statement,
            "papers": [
                {"id": paper.identifiers["arxiv"], "title": paper.title, "likeness": likeness}
                for paper, likeness in one.papers
            ],
        }
        for one in found
    ]
    print_result(rows, lines[1:], as_json=as_json)


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
    """Find the papers of a day and of a week early: as each day was known, day after day."""
    from paperround.evaluate.trending import evaluate_trending

    history = _require_both(
        "--history-papers", history_papers, "--history-snapshots", history_snapshots
    )
    report = evaluate_trending(papers, snapshots, weekly, history=history, baselines=baselines)
    show_report(report, as_json=as_json)


@app.command()
def pick(
    papers: Annotated[Path, typer.Option(help="arXiv papers by day, JSON lines.")],
    picked: Annotated[Path, typer.Option(help="Those that were picked, with the day.")],
    history_papers: EarlierPapers = None,
    history_picked: Annotated[Path | None, typer.Option(help="Those of them picked.")] = None,
    baselines: Others = Baselines.FAST,
    as_json: AsJson = False,
) -> None:
    """Tell which arXiv papers will be picked: earlier months train, each later one is a test."""
    from paperround.evaluate.pick import evaluate_pick

    history = _require_both("--history-papers", history_papers, "--history-picked", history_picked)
    show_report(
        evaluate_pick(papers, picked, history=history, baselines=baselines), as_json=as_json
    )


@app.command()
def bounces(
    messages: Annotated[Path, typer.Option(metavar="DIR", help="Mails that came back.")],
    labels: Annotated[Path, typer.Option(help="What is known of each, JSON lines.")],
    baselines: Others = Baselines.FAST,
    as_json: AsJson = False,
) -> None:
    """Tell addresses that are gone from mailboxes that are full, filters, and notes of absence."""
    from paperround.evaluate.bounces import evaluate_bounces

    show_report(evaluate_bounces(messages, labels, baselines), as_json=as_json)


def _require_both(
    first: str, first_path: Path | None, second: str, second_path: Path | None
) -> tuple[Path, Path] | None:
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
