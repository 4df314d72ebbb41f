"""Figures of papers: PNG files in a folder of each paper, named by their size.

    DATA_DIR/figures/7/1200x648.png

Pages need the size before a browser has the file, so that no text moves when it arrives.
"""

import os
import shutil
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from paperround.core.files import atomic_file
from paperround.papers.model import PaperFigure, PaperId

KEPT = timedelta(days=365)
"""How long a figure is kept after it was fetched."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredFigure:
    """A figure as pages show it: its URL and its size."""

    url: str
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class FigureFolder:
    """The folder of all figures of an installation."""

    path: Path

    def save(self, figure: PaperFigure, *, now: datetime) -> None:
        """Store the figure of a paper in place of an earlier one. Raises OSError."""
        folder = self.path / str(figure.paper)
        shutil.rmtree(folder, ignore_errors=True)
        target = folder / f"{figure.width}x{figure.height}.png"
        with atomic_file(target) as temporary:
            temporary.write_bytes(figure.content)
        os.utime(folder, (now.timestamp(), now.timestamp()))

    def find(self, paper: PaperId) -> StoredFigure | None:
        """The figure of a paper; None without one."""
        for file in (self.path / str(paper)).glob("[1-9]*x[1-9]*.png"):
            width, _, height = file.stem.partition("x")
            return StoredFigure(
                url=f"/figures/{paper}/{file.name}", width=int(width), height=int(height)
            )
        return None

    def read(self, paper: PaperId, name: str) -> bytes | None:
        """The bytes of the figure of a paper; None if it has none of this name."""
        found = self.find(paper)
        if found is not None and found.url.rpartition("/")[2] == name:
            with suppress(FileNotFoundError):  # it was deleted just now
                return (self.path / str(paper) / name).read_bytes()
        return None

    def clean_up(self, *, now: datetime) -> None:
        """Delete figures that were fetched long ago."""
        oldest = (now - KEPT).timestamp()
        for folder in self.path.iterdir() if self.path.is_dir() else ():
            if folder.stat().st_mtime < oldest:
                shutil.rmtree(folder, ignore_errors=True)

    def delete(self) -> None:
        """Delete all figures: the operator turned them off."""
        shutil.rmtree(self.path, ignore_errors=True)
