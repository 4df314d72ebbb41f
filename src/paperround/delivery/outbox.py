"""Store email as files in a folder, for installations without a relay.

Each email becomes `<message-id>.eml`, exactly the bytes a relay would get, with its envelope in a
`.json` file beside it. Both are written atomically; the `.json` file is put in place first, so an
`.eml` always has one. An unfinished file has a hidden name with the number of its process; if that
process was killed, the next one that sends removes the file.
"""

import json
import os
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

from paperround.core.files import sync
from paperround.core.processes import is_free
from paperround.core.smtp_url import OutboxFolder, parse_smtp_url
from paperround.delivery.model import (
    IN_OUTBOX,
    BeforeDot,
    Envelope,
    Outcome,
    Phase,
    Reply,
    require_sendable,
)
from paperround.delivery.replies import UNSENDABLE


class Disk:
    """The file system. Every method raises OSError."""

    def make_folder(self, path: Path) -> None:
        """Create a folder only its owner may read, unless it exists."""
        path.mkdir(mode=0o700, parents=True, exist_ok=True)

    def write(self, path: Path, content: bytes) -> None:
        """Write a new file that only its owner may read, and wait until it is on disk."""
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        sync(path)

    def rename(self, old: Path, new: Path) -> None:
        """Rename a file atomically, replacing `new`."""
        old.replace(new)

    def sync_folder(self, path: Path) -> None:
        """Wait until the entries of a folder are on disk."""
        sync(path)

    def remove(self, path: Path) -> None:
        """Remove a file if it exists."""
        path.unlink(missing_ok=True)


_STORED = Reply(250, "2.0.0", IN_OUTBOX)
_DRAFT = re.compile(r"\..+\.[0-9]+\.([0-9]{1,19})\.tmp")
"""The hidden name of a draft, with the number of the process that writes it."""


class OutboxMailer:
    """A `Mailer` that stores email in `directory`, which it creates with the first email. The same
    Message-ID replaces the file before it."""

    def __init__(self, directory: Path, *, disk: Disk | None = None) -> None:
        self._directory = directory
        self._disk = disk or Disk()

    def send(
        self,
        envelopes: Iterable[Envelope | None],
        *,
        before_dot: BeforeDot,
        stopping: Callable[[], bool] = lambda: False,
    ) -> Iterator[Outcome]:
        """Store `envelopes` one after another. A disk error before the file is in place is an
        outcome at BODY, safe to retry; after that the outcome is unknown."""
        _remove_leftovers(self._directory)
        for envelope in filter(None, envelopes):
            if stopping():
                return
            outcome = self._store(envelope, before_dot)
            if outcome is not None:
                yield outcome

    def _store(self, envelope: Envelope, before_dot: BeforeDot) -> Outcome | None:
        """Store an email and return the outcome, None if it may not be sent after all."""
        try:
            require_sendable(envelope)
        except ValueError as error:
            unsendable = f"{UNSENDABLE}: {error}"
            return Outcome(id=envelope.id, phase=Phase.MAIL, error=unsendable)
        name = file_name(envelope.message_id)
        contents = {f"{name}.json": _sidecar(envelope), f"{name}.eml": envelope.content}
        drafts = {one: f".{one}.{envelope.id}.{os.getpid()}.tmp" for one in contents}
        phase = Phase.BODY
        try:
            self._disk.make_folder(self._directory)
            for one, content in contents.items():
                self._disk.write(self._directory / drafts[one], content)
            if envelope.id not in before_dot([envelope.id]):
                return None
            for one, draft in drafts.items():  # the email last: that corresponds to the dot
                self._disk.rename(self._directory / draft, self._directory / one)
            phase = Phase.DOT
            self._disk.sync_folder(self._directory)
        except OSError as error:
            explained = f"disk: {error.strerror or type(error).__name__}"
            return Outcome(id=envelope.id, phase=phase, error=explained)
        finally:
            self._discard(drafts.values())
        return Outcome(id=envelope.id, phase=Phase.DOT, reply=_STORED)

    def _discard(self, drafts: Iterable[str]) -> None:
        """Remove unpublished files. Ignores errors, so that the outcome is not lost; a later run
        removes the rest."""
        for draft in drafts:
            with suppress(OSError):
                self._disk.remove(self._directory / draft)


def _sidecar(envelope: Envelope) -> bytes:
    fields = {
        "sender": envelope.sender,
        "recipient": envelope.recipient,
        "message_id": envelope.message_id,
        "delivery": envelope.id,
    }
    return json.dumps(fields, indent=2).encode() + b"\n"


def file_name(message_id: str) -> str:
    """Return a unique file name for `message_id`, without suffix and without path separators."""
    name = quote(message_id.strip("<>"), safe="@+=$")
    return f"%2E{name[1:]}" if name.startswith(".") else name


def remove_emails(smtp_url: str, message_ids: Iterable[str]) -> None:
    """Remove the files of these emails if `smtp_url` is an outbox folder.

    Raises OSError when one cannot be removed, because an erasure would then be incomplete.
    """
    where = parse_smtp_url(smtp_url)
    if isinstance(where, OutboxFolder):
        for message_id in message_ids:
            for ending in (".eml", ".json"):
                (where.directory / f"{file_name(message_id)}{ending}").unlink(missing_ok=True)


def _remove_leftovers(directory: Path) -> None:
    """Remove the drafts of dead processes. If another process has the same number, its drafts stay
    until a later run."""
    with suppress(OSError):  # no folder yet, or an error that the first email will report
        for name in os.listdir(directory):
            match = _DRAFT.fullmatch(name)
            if match is not None and is_free(int(match[1])):
                with suppress(OSError):  # a leftover file must not stop sending
                    (directory / name).unlink()
