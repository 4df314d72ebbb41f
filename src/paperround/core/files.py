"""Write files atomically: a reader or a crash finds the old file or the new one, never a part."""

import os
import pwd
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def atomic_file(path: Path, *, replaces: bool = True) -> Iterator[Path]:
    """Yield a temporary file of mode 0600 that becomes `path` unless an exception is raised.

    Replaces an existing file, or keeps it if `replaces` is false. Creates the folder. Raises
    OSError.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")  # mode 0600
    except OSError as error:
        error.filename = str(path)
        raise
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        sync(temporary)
        if replaces:
            temporary.replace(path)
        else:
            with suppress(FileExistsError):
                path.hardlink_to(temporary)
        sync(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


def write_private(path: Path, text: str) -> None:
    """Write `text` to `path` atomically, readable by its owner only. Raises OSError."""
    with atomic_file(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def sync(path: Path) -> None:
    """Flush a file, or the entries of a folder, to disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def file_trouble(error: OSError) -> str:
    """Return the file and what the system says; for a refusal, whose it is and who asks."""
    if not error.filename:
        return str(error)
    path, words = Path(error.filename), f"{error.filename}: {error.strerror}"
    place = path if path.exists() else path.absolute().parent
    if isinstance(error, PermissionError):
        with suppress(KeyError, OSError):  # a container may have accounts without a name
            user = pwd.getpwuid(os.geteuid()).pw_name
            words += f" (you are {user}, and {place} belongs to {place.owner()})"
    return words
