"""A file of papers, in whatever format it is, for commands that are handed one."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from paperround.cli.options import read_file
from paperround.domain.papers import ParsedBatch


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperFile:
    """What a file holds. `written_at` is the latest moment its undated counts can be of."""

    name: str
    format: str
    batch: ParsedBatch
    written_at: datetime


def paper_file(path: Path) -> PaperFile:
    """Read the file; raises UnreadableFile and UnknownFormat."""
    from paperround.sources.formats import decompress, reader_for

    content = decompress(read_file(path))
    name, reader = reader_for(path.name, content)
    return PaperFile(
        name=path.name,
        format=name,
        batch=reader(content),
        written_at=datetime.fromtimestamp(path.stat().st_mtime, tz=UTC),
    )
