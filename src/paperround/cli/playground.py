"""`paperround try`: rank papers for a query, explain the ranks, and write a digest."""

import sys
import webbrowser
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from paperround.cli.feed_lists import preset_feeds
from paperround.cli.ingest import paper_file
from paperround.cli.options import AsJson, Papers, runtime
from paperround.cli.output import print_result, progress
from paperround.cli.rank import item_as_json, item_lines
from paperround.core.errors import FetchFailed, NotFound
from paperround.core.reasons import counted

if TYPE_CHECKING:
    from paperround.bootstrap import AppContext
    from paperround.digests.playground import PaperSet


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
    from paperround.digests.playground import candidates_of, digest_view, rank_candidates
    from paperround.ranking.query import QueryRanker

    context = runtime()
    now = context.clock.now()
    source, readings = _read_papers(context, papers, preset)
    candidates = candidates_of(readings, now=now)
    ranking = rank_candidates(candidates, QueryRanker(query=query), now=now)
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
    from paperround.digests.playground import PaperSet
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
    from paperround.digests.playground import fetch

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
