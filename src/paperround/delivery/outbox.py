"""Store email as files in a folder, for installations without a relay.

Each email becomes `<message-id>.eml`, exactly the bytes a relay would get, with its envelope in a
`.json` file beside it. Both are written atomically; the `.json` file is put in place first, so an
`.eml` always has one. An unfinished file has a hidden name with the number of its process; if that
process was killed, the next one that sends removes the file.
"""

import json
import os
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO
from urllib.parse import quote

from paperround.core.smtp_url import OutboxFolder, parse_smtp_url
from paperround.delivery.model import Envelope, Outcome, Phase, Reply, require_sendable
from paperround.delivery.replies import UNSENDABLE
from paperround.editions.model import DeliveryId

_PRIVATE_FOLDER, _PRIVATE_FILE = 0o700, 0o600


class Disk:
    """The file system. Every method raises OSError."""

    def make_folder(self, path: Path) -> None:
        """Create a folder only its owner may read, unless it exists."""
        path.mkdir(mode=_PRIVATE_FOLDER, parents=True, exist_ok=True)

    def create(self, path: Path) -> BinaryIO:
        """Open a new, empty file only its owner may read. The caller closes it."""
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _PRIVATE_FILE)
        return os.fdopen(handle, "wb")

    def write(self, file: BinaryIO, content: bytes) -> None:
        """Write and flush the bytes."""
        file.write(content)
        file.flush()

    def sync(self, file: BinaryIO) -> None:
        """Wait until the content of a file is on disk."""
        os.fsync(file.fileno())

    def rename(self, old: Path, new: Path) -> None:
        """Rename a file atomically, replacing `new`."""
        old.replace(new)

    def sync_folder(self, path: Path) -> None:
        """Wait until the entries of a folder are on disk."""
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)

    def remove(self, path: Path) -> None:
        """Remove a file if it exists."""
        path.unlink(missing_ok=True)


_STORED = Reply(250, "2.0.0", "kept in the outbox")
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
        before_dot: Callable[[Sequence[DeliveryId]], Collection[DeliveryId]],
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

    def _store(
        self,
        envelope: Envelope,
        before_dot: Callable[[Sequence[DeliveryId]], Collection[DeliveryId]],
    ) -> Outcome | None:
        """Store an email and return the outcome, None if it may not be sent after all."""
        try:
            require_sendable(envelope)
            draft = _draft(self._disk, self._directory, envelope)
        except ValueError as error:
            return _failure(envelope.id, Phase.MAIL, f"{UNSENDABLE}: {error}")
        except OSError as error:
            return _failure(envelope.id, Phase.BODY, _explain(error))
        try:
            return draft.publish() if envelope.id in before_dot([envelope.id]) else None
        finally:
            draft.discard()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Draft:
    """An email that is complete on disk under hidden names."""

    id: DeliveryId
    mail: Path
    sidecar: Path
    disk: Disk

    def write(self, path: Path, content: bytes) -> None:
        """Write and sync the hidden file for `path`."""
        with self.disk.create(self.hidden(path)) as file:
            self.disk.write(file, content)
            self.disk.sync(file)

    def publish(self) -> Outcome:
        """Rename both files, the email last: that corresponds to the dot."""
        phase = Phase.BODY
        try:
            self.disk.rename(self.hidden(self.sidecar), self.sidecar)
            self.disk.rename(self.hidden(self.mail), self.mail)
            phase = Phase.DOT
            self.disk.sync_folder(self.mail.parent)
        except OSError as error:
            return _failure(self.id, phase, _explain(error))
        return Outcome(id=self.id, phase=Phase.DOT, reply=_STORED)

    def discard(self) -> None:
        """Remove unpublished files. Ignores errors, so that the outcomes are not lost; a later run
        removes the rest."""
        for path in (self.mail, self.sidecar):
            with suppress(OSError):
                self.disk.remove(self.hidden(path))

    def hidden(self, path: Path) -> Path:
        """Return the hidden name for `path`, unique by delivery and process."""
        return path.with_name(f".{path.name}.{self.id}.{os.getpid()}.tmp")


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
            if match is not None and _is_gone(int(match[1])):
                with suppress(OSError):  # a leftover file must not stop sending
                    (directory / name).unlink()


def _is_gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except (PermissionError, OverflowError):
        pass
    return False


def _draft(disk: Disk, directory: Path, envelope: Envelope) -> _Draft:
    disk.make_folder(directory)
    stem = directory / file_name(envelope.message_id)
    mail, sidecar = (stem.with_name(f"{stem.name}{ending}") for ending in (".eml", ".json"))
    draft = _Draft(id=envelope.id, mail=mail, sidecar=sidecar, disk=disk)
    try:
        envelope_json = {
            "sender": envelope.sender,
            "recipient": envelope.recipient,
            "message_id": envelope.message_id,
            "delivery": envelope.id,
        }
        draft.write(sidecar, json.dumps(envelope_json, indent=2).encode() + b"\n")
        draft.write(mail, envelope.content)
    except OSError:
        draft.discard()
        raise
    return draft


def _failure(delivery: DeliveryId, phase: Phase, error: str) -> Outcome:
    return Outcome(id=delivery, phase=phase, error=error)


def _explain(error: OSError) -> str:
    return f"disk: {error.strerror or type(error).__name__}"
