"""What mail as files asks of a disk: one call a step, and each step may fail by itself."""

import os
from pathlib import Path
from typing import BinaryIO

_PRIVATE_FOLDER, _PRIVATE_FILE = 0o700, 0o600


class Disk:
    """The disk of this machine. Every method raises OSError when the disk cannot do it."""

    def make_folder(self, path: Path) -> None:
        """Make a folder for its owner alone; one that is there stays as it is."""
        path.mkdir(mode=_PRIVATE_FOLDER, parents=True, exist_ok=True)

    def create(self, path: Path) -> BinaryIO:
        """A new, empty file only its owner may read, to be closed by the caller."""
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _PRIVATE_FILE)
        return os.fdopen(handle, "wb")

    def write(self, file: BinaryIO, content: bytes) -> None:
        """Hand the bytes to the system."""
        file.write(content)
        file.flush()

    def sync(self, file: BinaryIO) -> None:
        """Wait until the disk has what was written."""
        os.fsync(file.fileno())

    def rename(self, old: Path, new: Path) -> None:
        """Give a file its name, in one step; it takes the place of the one that had it."""
        old.replace(new)

    def sync_folder(self, path: Path) -> None:
        """Wait until the disk has the names in a folder."""
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)

    def remove(self, path: Path) -> None:
        """Remove a file, if it is there."""
        path.unlink(missing_ok=True)
