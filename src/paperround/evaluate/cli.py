"""`paperround evaluate` and `paperround try`: measure the models on data with known outcomes, and
try the ranking on papers of your own, both without an installation."""

import sys
import webbrowser
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from paperround.cli.feed_lists import preset_feeds
from paperround.cli.ingest import paper_file
from paperround.cli.options import AsJson, Papers, runtime
from paperround.cli.output import print_result, progress, table
from paperround.cli.rank import item_as_json, item_lines
from paperround.core.errors import FetchFailed, InvalidInput, NotFound, UnreadableFile
from paperround.core.reasons import counted
from paperround.evaluate import Baselines

if TYPE_CHECKING:
    from paperround.bootstrap import AppContext
    from paperround.evaluate.playground import PaperSet
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
    database: Annotated[
        str | None,
        typer.Option("--database", help="Index in this empty database instead of a file."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """How well search puts the right papers first, beside BM25 with and without stems."""
    from paperround.evaluate.search import measure

    try:
        report = measure(queries, docs, baselines=baselines, database_url=database)
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


SAMPLES = "invented samples; --papers FILE or --preset NAME read real ones"


def try_(
    query: Annotated[str, typer.Argument(metavar="QUERY", help="Words to look for.")],
    papers: Papers = None,
    preset: Annotated[
        str | None,
        typer.Option(
            "--preset", metavar="NAME", help="Today's papers of a field: ml, cs, bio, ..."
        ),
    ] = None,
    out: Annotated[
        Path, typer.Option("--out", metavar="FILE", help="Where the digest is written.")
    ] = Path("digest.html"),
    limit: Annotated[int, typer.Option("--limit", min=1, help="How many papers.")] = 12,
    no_open: Annotated[
        bool, typer.Option("--no-open", help="Do not show the digest in a browser.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Rank papers for QUERY, say why, and write the digest they would make. Without --papers and
    --preset: invented samples. Keeps nothing but that file: no database, no mail, no account."""
    from paperround.evaluate.playground import candidates_of, digest_view, rank_for

    context = runtime()
    now = context.clock.now()
    source, readings = _read_papers(context, papers, preset)
    candidates = candidates_of(readings, now=now)
    ranking = rank_for(query, candidates, now=now)
    found = f"{counted(len(candidates), 'paper')} ({source})"
    if not ranking.items:
        raise NotFound(f"none of {found} has a word of {query!r}: try others")
    title = f"Papers for “{query}”"
    view = digest_view(
        ranking, title=title, limit=limit, sender_identity=context.sender_identity, now=now
    )
    out.write_text(context.renderer.render(view).html, encoding="utf-8")
    shown = ranking.items[:limit]
    value = {
        "query": query,
        "source": source,
        "papers": len(candidates),
        "found": len(ranking.items),
        "ranker": ranking.ranker,
        "items": [item_as_json(number, item) for number, item in enumerate(shown, 1)],
        "digest": str(out),
    }
    lines = [
        f"“{query}”: the best {len(shown)} of {len(ranking.items):,} that match, among {found}",
        *item_lines(shown, explain=True),
        f"The digest: {out}",
    ]
    print_result(value, lines, as_json=as_json)
    if not (as_json or no_open) and sys.stdout.isatty():
        _open_in_browser(out)


def _read_papers(
    context: "AppContext", papers: Path | None, preset: str | None
) -> tuple[str, "tuple[PaperSet, ...]"]:
    """Return the source of the papers as text, and the papers."""
    from paperround.evaluate.playground import PaperSet
    from paperround.samples import days

    if papers is not None and preset is not None:
        raise typer.BadParameter("give --papers FILE or --preset NAME, not both")
    if papers is not None:
        file = paper_file(papers)
        return papers.name, (PaperSet(batch=file.batch, captured_at=file.written_at),)
    if preset is not None:
        return _fetch_preset(context, preset)
    now = context.clock.now()
    batch = days.batch_at(days.read(), anchor=now, now=now)
    return SAMPLES, (PaperSet(batch=batch, captured_at=now),)


def _fetch_preset(context: "AppContext", preset: str) -> tuple[str, "tuple[PaperSet, ...]"]:
    """Fetch a preset; the source names the feeds that failed. Raises FetchFailed if all did."""
    from paperround.evaluate.playground import fetch

    feeds = preset_feeds(preset)
    with progress("pages read") as advance:
        fetched = fetch(
            feeds,
            client=context.client,
            sources=context.sources,
            now=context.clock.now(),
            progress=advance,
        )
    failures = "; ".join(f"{name}: {words}" for name, words in fetched.failed.items())
    if not fetched.readings:
        raise FetchFailed(f"no feed could be read ({failures})")
    source = ", ".join(feed.name for feed in feeds if feed.name not in fetched.failed)
    return source + (f"; not read to its end: {failures}" if failures else ""), fetched.readings


def _open_in_browser(out: Path) -> None:
    """Open the digest in a graphical browser, not in one that takes over the terminal."""
    try:
        browser = webbrowser.get()
    except webbrowser.Error:
        return
    if type(browser) is not webbrowser.GenericBrowser:
        browser.open(out.resolve().as_uri())
