"""`python -m tools.evaluate`: measure gists, search and more on collections with known answers.

Operators have no such collections; they can use `paperround evaluate`.
"""

import sys
from pathlib import Path
from typing import Annotated

import typer

from paperround.cli.options import AsJson
from paperround.cli.output import print_result
from paperround.core.errors import PaperroundError, UnreadableFile
from paperround.evaluate import Baselines
from paperround.evaluate.cli import EarlierPapers, Others, require_both, show_report

app = typer.Typer(no_args_is_help=True)


@app.callback()
def evaluate() -> None:
    """Measure personal digests, search, gists, picks and bounces on known data."""


@app.command()
def gist(
    abstracts: Annotated[
        Path, typer.Option("--abstracts", metavar="FILE", help="Abstracts with marked spans.")
    ],
    baselines: Others = Baselines.FAST,
    as_json: AsJson = False,
) -> None:
    """Measure how often one or two sentences hit what readers marked as the idea or the result."""
    from tools.evaluate.gist import evaluate_gist

    show_report(evaluate_gist(abstracts, baselines), as_json=as_json)


@app.command()
def search(
    queries: Annotated[
        Path,
        typer.Option("--queries", help="Queries with judgements or candidates, as JSON lines."),
    ],
    docs: Annotated[
        Path | None,
        typer.Option("--docs", help="The documents, if the queries do not contain their own."),
    ] = None,
    baselines: Others = Baselines.FAST,
    as_json: AsJson = False,
) -> None:
    """Measure how well search ranks the right papers, next to BM25 with and without stems."""
    from tools.evaluate.search import measure

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
    from tools.evaluate.personal import evaluate_personal

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
    from tools.evaluate.statements import closest_papers

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
def pick(
    papers: Annotated[Path, typer.Option(help="arXiv papers by day, JSON lines.")],
    picked: Annotated[Path, typer.Option(help="Those that were picked, with the day.")],
    history_papers: EarlierPapers = None,
    history_picked: Annotated[Path | None, typer.Option(help="Those of them picked.")] = None,
    baselines: Others = Baselines.FAST,
    as_json: AsJson = False,
) -> None:
    """Predict which arXiv papers will be picked: train on earlier months, test on later ones."""
    from tools.evaluate.pick import evaluate_pick

    history = require_both("--history-papers", history_papers, "--history-picked", history_picked)
    show_report(
        evaluate_pick(papers, picked, history=history, baselines=baselines), as_json=as_json
    )


@app.command()
def bounces(
    messages: Annotated[Path, typer.Option(metavar="DIR", help="Returned emails.")],
    labels: Annotated[Path, typer.Option(help="Their labels, JSON lines.")],
    baselines: Others = Baselines.FAST,
    as_json: AsJson = False,
) -> None:
    """Tell addresses that are gone from full mailboxes, filters and out-of-office replies."""
    from tools.evaluate.bounces import evaluate_bounces

    show_report(evaluate_bounces(messages, labels, baselines), as_json=as_json)


if __name__ == "__main__":
    try:
        app()
    except PaperroundError as error:
        sys.exit(f"evaluate: {error}")
