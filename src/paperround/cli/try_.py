"""`paperround try`: papers for a query, ranked and explained, and the digest they make."""

import sys
import webbrowser
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from paperround.cli.options import AsJson, print_json, runtime, say
from paperround.cli.progress import progress
from paperround.domain.errors import FetchFailed, NotFound
from paperround.domain.wording import counted

if TYPE_CHECKING:
    from paperround.domain.editions import Ranked, Ranking
    from paperround.jobs.trial import Reading
    from paperround.wiring import Runtime


SAMPLES = "invented samples; --papers FILE or --preset NAME read real ones"


def try_(
    query: Annotated[str, typer.Argument(metavar="QUERY", help="Words to look for.")],
    papers: Annotated[
        Path | None,
        typer.Option("--papers", metavar="FILE", help="Papers of your own, in any format."),
    ] = None,
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
    from paperround.jobs.trial import candidates_of, rank_candidates
    from paperround.ranking.query import QueryRanker

    home = runtime()
    now = home.clock.now()
    source, readings = _read(home, papers, preset)
    candidates = candidates_of(readings, now=now)
    ranking = rank_candidates(candidates, QueryRanker(query=query), now=now)
    found = f"{counted(len(candidates), 'paper')} ({source})"
    if not ranking.items:
        raise NotFound(f"none of {found} has a word of {query!r}: try others")
    _write(home, ranking, query, limit, out)
    if as_json:
        print_json(_as_json(query, source, len(candidates), ranking, limit, out))
        return
    _tell(query, found, ranking, limit)
    say(f"The digest: {out}")
    if not no_open and sys.stdout.isatty():
        _show(out)


# --- papers ------------------------------------------------------------------------------------


def _read(
    home: "Runtime", papers: Path | None, preset: str | None
) -> tuple[str, "tuple[Reading, ...]"]:
    """Where the papers are from, in words, and the papers."""
    if papers is not None and preset is not None:
        raise typer.BadParameter("give --papers FILE or --preset NAME, not both")
    if papers is not None:
        return papers.name, _from_file(papers)
    if preset is not None:
        return _fetch(home, preset)
    return SAMPLES, _samples(home)


def _from_file(papers: Path) -> "tuple[Reading, ...]":
    from paperround.cli.files import paper_file
    from paperround.jobs.trial import Reading

    file = paper_file(papers)
    return (Reading(batch=file.batch, captured_at=file.written_at),)


def _samples(home: "Runtime") -> "tuple[Reading, ...]":
    from paperround.jobs.trial import Reading
    from paperround.samples import days

    now = home.clock.now()
    batch = days.batch_at(days.read(), anchor=now, now=now)
    return (Reading(batch=batch, captured_at=now),)


def _fetch(home: "Runtime", preset: str) -> tuple[str, "tuple[Reading, ...]"]:
    """Raises FetchFailed when no feed could be read; one that failed is named."""
    from paperround.domain.presets import PRESETS
    from paperround.jobs.trial import fetch

    if preset not in PRESETS:
        raise typer.BadParameter(f"use one of {', '.join(PRESETS)}", param_hint="--preset")
    feeds = PRESETS[preset]
    with progress("pages read") as advance:
        fetched = fetch(
            feeds,
            client=home.client,
            sources=home.sources,
            now=home.clock.now(),
            progress=advance,
        )
    failures = "; ".join(f"{name}: {words}" for name, words in fetched.failed.items())
    if not fetched.readings:
        raise FetchFailed(f"no feed could be read ({failures})")
    source = ", ".join(feed.name for feed in feeds if feed.name not in fetched.failed)
    return source + (f"; not read to its end: {failures}" if failures else ""), fetched.readings


# --- what is shown -----------------------------------------------------------------------------


def _write(home: "Runtime", ranking: "Ranking", query: str, limit: int, out: Path) -> None:
    from paperround.jobs.trial import digest_view

    view = digest_view(
        ranking,
        title=f"Papers for “{query}”",
        limit=limit,
        letterhead=home.letterhead,
        now=ranking.as_of,
    )
    out.write_text(home.renderer.render(view).html, encoding="utf-8")


def _as_json(
    query: str, source: str, papers: int, ranking: "Ranking", limit: int, out: Path
) -> dict[str, Any]:
    return {
        "query": query,
        "source": source,
        "papers": papers,
        "found": len(ranking.items),
        "ranker": ranking.ranker,
        "items": [_item(number, item) for number, item in enumerate(ranking.items[:limit], 1)],
        "digest": str(out),
    }


def _item(position: int, item: "Ranked") -> dict[str, Any]:
    return {
        "position": position,
        "title": item.paper.title,
        "score": item.score,
        "parts": dict(item.parts),
        "reason": item.reason,
        "identifiers": dict(item.paper.identifiers),
    }


def _tell(query: str, found: str, ranking: "Ranking", limit: int) -> None:
    shown = min(limit, len(ranking.items))
    say(f"“{query}”: the best {shown} of {len(ranking.items):,} that match, among {found}")
    say()
    for position, item in enumerate(ranking.items[:limit], 1):
        parts = "  ".join(f"{name} {value:+.2f}" for name, value in item.parts.items())
        say(f"{position:>3}. {item.paper.title}")
        say(f"     {item.reason}")
        say(f"     {item.score:.2f} = {parts}")
    say()


def _show(out: Path) -> None:
    """In a browser with a window; one that would take over the terminal is left alone."""
    try:
        browser = webbrowser.get()
    except webbrowser.Error:
        return
    if type(browser) is not webbrowser.GenericBrowser:
        browser.open(out.resolve().as_uri())
