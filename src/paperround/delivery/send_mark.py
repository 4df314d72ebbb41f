"""Store a machine's send mark in a file: one line of fixed length, written in place and synced."""

import fcntl
import json
import os
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from paperround.core.errors import UnreadableFile
from paperround.core.files import atomic_file
from paperround.core.times import require_utc


@dataclass(frozen=True, slots=True, kw_only=True)
class SendMark:
    """When `host` last committed a claim or an outcome to the database of `installation`. `at`
    never decreases."""

    installation: str
    host: str
    at: datetime


LONGEST = 2_000
"""Most bytes to read from the file."""


class SendMarkFile:
    """The mark in the file `path`, locked while it is read or changed."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @property
    def place(self) -> str:
        """The path of the file."""
        return str(self._path)

    @property
    def is_writable(self) -> bool:
        """Whether this process may write or create the file."""
        place = self._path
        while not place.exists() and place != place.parent:
            place = place.parent
        return os.access(place, os.W_OK)

    def read(self) -> SendMark | None:
        """Return the mark, None if there is no file. Raises OSError, and UnreadableFile for an
        invalid file."""
        try:
            handle = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return None
        try:
            fcntl.flock(handle, fcntl.LOCK_SH)
            return _parse(os.pread(handle, LONGEST, 0))
        finally:
            os.close(handle)

    def create(self, mark: SendMark) -> None:
        """Create the file atomically and sync it. Keeps an existing mark, replaces an invalid file.
        Raises OSError."""
        with atomic_file(self._path, replaces=self._is_damaged()) as temporary:
            temporary.write_bytes(_line(mark))

    def advance(self, installation: str, at: datetime, *, syncs: bool = True) -> None:
        """Advance the mark to `at`, and sync it with `syncs`. Does nothing if it is later already
        or belongs to another installation. Raises OSError and UnreadableFile."""
        handle = os.open(self._path, os.O_RDWR | os.O_CLOEXEC)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            mark = _parse(os.pread(handle, LONGEST, 0))
            if mark.installation == installation and mark.at < at:
                self._write(handle, _line(replace(mark, at=at)))
                if syncs:
                    self._sync(handle)
        finally:
            os.close(handle)

    def _is_damaged(self) -> bool:
        try:
            self.read()
        except UnreadableFile:
            return True
        return False

    def _write(self, handle: int, line: bytes) -> None:
        os.pwrite(handle, line, 0)

    def _sync(self, handle: int) -> None:
        os.fdatasync(handle)


def _line(mark: SendMark) -> bytes:
    at = require_utc(mark.at).isoformat(timespec="microseconds")
    fields = {"installation": mark.installation, "host": mark.host, "at": at}
    return f"{json.dumps(fields)}\n".encode()


def _parse(line: bytes) -> SendMark:
    try:
        fields = json.loads(line)
        at = require_utc(datetime.fromisoformat(fields["at"]))
        return SendMark(installation=str(fields["installation"]), host=str(fields["host"]), at=at)
    except (ValueError, KeyError, TypeError) as error:
        raise UnreadableFile("it holds no send mark") from error
