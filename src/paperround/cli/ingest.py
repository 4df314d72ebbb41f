"""`paperround ingest`: read papers from a file or a live feed. Other commands read files of papers
with `paper_file`."""

import gc
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from paperround.cli.feed_lists import Show, find_feed, show_of
from paperround.cli.options import AsJson, Now, actor, instant, read_file, runtime, takes, usage
from paperround.cli.output import counts, print_result, progress
from paperround.core.errors import FetchFailed
from paperround.core.interfaces import Advance, no_progress
from paperround.core.reasons import counted

if TYPE_CHECKING:
    from paperround.bootstrap import AppContext
    from paperround.feeds.ingest import IngestReport
    from paperround.feeds.poll import PollReport
    from paperround.papers import model as papers


def ingest(
    file: Annotated[
        Path | None, takes("--file", "PATH", "The file, which may be compressed (.gz).")
    ] = None,
    feed: Annotated[str | None, takes("--feed", "NAME", "A live feed, read now.")] = None,
    file_format: Annotated[
        str,
        takes(
            "--format",
            "FORMAT",
            "auto, page, jsonl, csv, observations, hf, arxiv-rss, arxiv-atom, arxiv-oai, "
            "biorxiv, openalex, crossref, semantic-scholar, pubmed, rss, jsonfeed, bibtex, ris.",
        ),
    ] = "auto",
    captured_at: Annotated[
        datetime | None,
        takes(
            "--captured-at",
            "TIME",
            "When votes without a date were counted. Default: when the file was last written.",
            parser=instant,
        ),
    ] = None,
    show_as: Show = None,
    now: Now = None,
    as_json: AsJson = False,
) -> None:
    """Read papers, or counts of votes, from a file or a live feed. Repeating it changes
    nothing."""
    from paperround.feeds.due import run_now
    from paperround.web.models import IngestAnswer

    if (file is None) == (feed is None):
        raise typer.BadParameter("give --file PATH or --feed NAME")
    if file is not None:
        lines, report = _read_file(file, file_format, captured_at, show_as, now)
    else:
        if file_format != "auto" or captured_at is not None or show_as is not None:
            raise typer.BadParameter("--format, --captured-at and --show belong to --file")
        name = str(feed)
        context = runtime(now, creates=True)
        feed_id = find_feed(context, name).id
        report = run_now(context.feed_context, feed_id, now=context.clock.now(), by=actor())
        if report.error or report.put_off:
            raise FetchFailed(f"{name}: {report.error or report.reason}")
        lines = [*_lines(name, report, name)]
    print_result(IngestAnswer.of(report), lines, as_json=as_json)


def _read_file(
    file: Path,
    file_format: str,
    captured_at: datetime | None,
    show_as: str | None,
    now: datetime | None,
) -> tuple[list[str], "IngestReport | PollReport"]:
    """Ingest `file`; return the lines to print, and the report."""
    show = None if show_as is None else show_of(show_as)
    context = runtime(now, creates=True)
    read = paper_file(file, file_format)
    gc.freeze()  # the batch lives to the end: do not scan it for garbage
    with progress(f"reading {file.name}", len(read.batch.records)) as advance:
        report = store_papers(context, read, captured_at, show=show, progress=advance, by=actor())
    lines = [*_lines(file.name, report, read.feed)]
    hidden = sum(bool(one.abstract) and one.show == "link" for one in read.batch.records)
    if hidden and show is None:
        lines.append(
            f"  abstracts not shown: {hidden:,}; the file states no licence that allows it. If you "
            "have the right to show them, repeat the command with --show full"
        )
    return lines, report


def _lines(name: str, report: "IngestReport | PollReport", feed: str) -> Iterator[str]:
    papers = {"new": report.new, "changed": report.changed, "unchanged": report.unchanged}
    yield f"{name}: {counted(report.records, 'record')} ({counts(papers)})"
    yield f"  {counted(report.observations, 'new count')} of votes, comments, stars or citations"
    for reason, number in sorted(report.rejects.items()):
        yield f"  {number:,} rejected: {reason} (paperround feeds rejects {feed})"
    yield f"  {counted(report.papers_total, 'paper')} in all"


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperFile:
    """The papers of a file. `written_at` is the latest time its undated counts can be from."""

    name: str
    format: str
    batch: "papers.ParsedBatch"
    written_at: datetime

    @property
    def feed(self) -> str:
        """The name of the feed of all files of this format."""
        return f"file:{self.format}"


def paper_file(path: Path, file_format: str = "auto") -> PaperFile:
    """Read a file; `auto` detects the format by name and content. Raises UnreadableFile and
    UnknownFormat, or BadParameter for a `file_format` that is unknown."""
    from paperround.feeds.formats.registry import decompress, reader_for

    content = decompress(read_file(path))
    with usage("--format") if file_format != "auto" else nullcontext():
        name, reader = reader_for(path.name, content, file_format)
    return PaperFile(
        name=path.name,
        format=name,
        batch=reader(content),
        written_at=datetime.fromtimestamp(path.stat().st_mtime, tz=UTC),
    )


def store_papers(
    context: "AppContext",
    read: PaperFile,
    captured_at: datetime | None = None,
    *,
    show: "papers.Show | None" = None,
    progress: Advance = no_progress,
    by: str | None = None,
) -> "IngestReport":
    """Ingest the papers of a file; undated counts get `captured_at`, by default when the file was
    written. `show` replaces how much the file lets us show of its abstracts. An import by an
    operator, `by`, is audited."""
    from paperround.feeds.ingest import ingest as run

    now = context.clock.now()
    return run(
        read.batch,
        database=context.database,
        feed_name=read.feed,
        feed_kind="file",
        source=read.name,
        captured_at=captured_at or min(read.written_at, now),
        now=now,
        show=show,
        progress=progress,
        by=by,
    )
