"""What machines said, kept in files: one a text, wording and model.

A file's name is a hash of all that the answer depends on, so a changed abstract, another language
or another model has another file. An empty file says that the machine had nothing to show. Whatever
goes wrong with a file is logged, and is as if there were none.
"""

import hashlib
import json
import logging
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from paperround.core.files import write_private
from paperround.papers.summaries import Wording

log = logging.getLogger(__name__)

_LARGEST = 4096
"""Bytes; what is longer was not written by us."""


@dataclass(frozen=True)
class SummaryCache:
    """Files below `folder`, which is made when something is kept."""

    folder: Path
    wording: Wording

    def get(self, title: str, abstract: str) -> str | None:
        """What was kept of this text: a sentence, "" for nothing to show; None: never asked."""
        try:
            with self._file(title, abstract).open("rb") as file:
                return file.read(_LARGEST).decode()
        except FileNotFoundError:
            return None
        except (OSError, UnicodeDecodeError) as error:
            log.warning("a kept summary cannot be read: %s", error)
            return None

    def put(self, title: str, abstract: str, text: str) -> None:
        """Keep the text, whole or not at all."""
        path = self._file(title, abstract)
        try:
            write_private(path, text)
        except OSError as error:
            log.warning("a summary cannot be kept: %s", error)

    def forget(self, *, before: datetime) -> None:
        """Drop what was kept before, in whatever wording."""
        for path in self.folder.glob("??/*"):
            try:
                if path.stat().st_mtime < before.timestamp():
                    path.unlink(missing_ok=True)
            except OSError as error:
                log.warning("a kept summary cannot be dropped: %s", error)

    def _file(self, title: str, abstract: str) -> Path:
        parts = [self.wording.model, self.wording.language, title, abstract]
        name = hashlib.sha256(json.dumps(parts).encode()).hexdigest()
        return self.folder / name[:2] / name
