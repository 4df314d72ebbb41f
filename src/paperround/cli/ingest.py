"""`paperround ingest`: papers from a file into the database."""

from contextlib import nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from paperround.cli.options import (
    AsJson,
    Now,
    counts,
    instant_of,
    print_json,
    read_file,
    runtime,
    say,
    usage,
)
from paperround.cli.progress import progress

if TYPE_CHECKING:
    from paperround.jobs.ingest import IngestReport


def ingest(
    file: Annotated[Path, typer.Option("--file", metavar="PATH", help="The file; .gz is read.")],
    file_format: Annotated[
        str,
        typer.Option(
            "--format", metavar="FORMAT", help="auto, page, jsonl, csv, observations, hf."
        ),
    ] = "auto",
    captured_at: Annotated[
        str | None,
        typer.Option(
            "--captured-at",
            metavar="TIME",
            help="When votes without a date were counted. Default: when the file was last written.",
        ),
    ] = None,
    now: Now = None,
    as_json: AsJson = False,
) -> None:
    """Read papers, or counts of votes, from FILE. The same file twice changes nothing."""
    from paperround.jobs.ingest import ingest as run
    from paperround.sources.formats import decompress, reader_for

    content = decompress(read_file(file))
    with usage("--format") if file_format != "auto" else nullcontext():
        name, reader = reader_for(file.name, content, file_format)
    home = runtime(now)
    present = home.clock.now()
    batch = reader(content)
    with progress(f"reading {file.name}", len(batch.records)) as advance:
        report = run(
            batch,
            database=home.database,
            feed_name=f"file:{name}",
            feed_kind="file",
            source=file.name,
            captured_at=instant_of(captured_at, "--captured-at") or min(_written_at(file), present),
            now=present,
            progress=advance,
        )
    if as_json:
        print_json(_as_json(report))
    else:
        _tell(file, report)


def _written_at(file: Path) -> datetime:
    """When the file was last written: the latest moment its counts can be of."""
    return datetime.fromtimestamp(file.stat().st_mtime, tz=UTC)


def _as_json(report: "IngestReport") -> dict[str, Any]:
    return {
        "records": report.records,
        "new": report.new,
        "changed": report.changed,
        "unchanged": report.unchanged,
        "observations": report.observations,
        "rejects": [{"reason": why, "count": n} for why, n in sorted(report.rejects.items())],
        "papers_total": report.papers_total,
    }


def _tell(file: Path, report: "IngestReport") -> None:
    papers = {"new": report.new, "changed": report.changed, "unchanged": report.unchanged}
    say(f"{file.name}: {report.records:,} records ({counts(papers)})")
    say(f"  {report.observations:,} new counts of votes, comments or stars")
    for reason, number in sorted(report.rejects.items()):
        say(f"  {number:,} rejected: {reason} (kept in the database)")
    say(f"  {report.papers_total:,} papers in all")
