"""Mail as files: what an installation without a relay sends to, and what anybody can read.

Each mail becomes `<message-id>.eml`, exactly the bytes a relay would have got, with its envelope
in a `.json` twin beside it. Both are complete or absent, whatever is killed when; the twin is put
in place first, so an `.eml` always has one. What a killed process was writing has a hidden name
with its number, and is removed by the next one that sends.
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
from paperround.delivery.model import Envelope, Outcome, Phase, Reply
from paperround.delivery.replies import UNSENDABLE
from paperround.delivery.wire_format import require_sendable
from paperround.editions.model import DeliveryId

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


_KEPT = Reply(250, "2.0.0", "kept in the outbox")
_DRAFT = re.compile(r"\..+\.[0-9]+\.([0-9]{1,19})\.tmp")
"""A draft's hidden name; the number is that of the process which writes it."""


class OutboxMailer:
    """Keeps mail in `directory`, which is made when the first mail comes. Satisfies jobs' Mailer.

    `group` mails share one mark and one fsync of the folder: so many can be in doubt at once. The
    same Message-ID again takes the place of the file before it.
    """

    def __init__(self, directory: Path, *, group: int = 10, disk: Disk | None = None) -> None:
        self._directory = directory
        self._group = group
        self._disk = disk or Disk()

    def send(
        self,
        envelopes: Iterable[Envelope | None],
        *,
        before_dot: Callable[[Sequence[DeliveryId]], Collection[DeliveryId]],
        stopping: Callable[[], bool] = lambda: False,
    ) -> Iterator[Outcome]:
        """Keep `envelopes`, a group at a time. A disk error before a mail's file is in place is
        an outcome at BODY, safe to try again; one after it leaves the outcome in doubt. An id
        that is in a group twice is kept, and has an outcome, once."""
        _remove_leftovers(self._directory)
        for group in _groups(iter(envelopes), self._group):
            if stopping():
                return
            drafts, failures = self._write(group)
            try:
                yield from failures
                permitted = frozenset(before_dot([draft.id for draft in drafts]) if drafts else ())
                outcomes = self._publish([draft for draft in drafts if draft.id in permitted])
            finally:
                for draft in drafts:
                    draft.discard()
            yield from outcomes

    def _write(self, group: Sequence[Envelope]) -> tuple[list["_Draft"], list[Outcome]]:
        drafts: list[_Draft] = []
        failures: list[Outcome] = []
        for envelope in _first_of_each(group):
            try:
                require_sendable(envelope)
                drafts.append(_draft(self._disk, self._directory, envelope))
            except ValueError as error:
                failures.append(_failure(envelope.id, Phase.MAIL, f"{UNSENDABLE}: {error}"))
            except OSError as error:
                failures.append(_failure(envelope.id, Phase.BODY, _explain(error)))
        return drafts, failures

    def _publish(self, drafts: Sequence["_Draft"]) -> list[Outcome]:
        outcomes = [draft.publish() for draft in drafts]
        try:
            if drafts:
                self._disk.sync_folder(self._directory)
        except OSError as error:
            return [
                _failure(one.id, Phase.DOT, _explain(error)) if one.reply else one
                for one in outcomes
            ]
        return outcomes


@dataclass(frozen=True, slots=True, kw_only=True)
class _Draft:
    """A mail that is whole on the disk under names nobody reads."""

    id: DeliveryId
    mail: Path
    twin: Path
    disk: Disk

    def write(self, path: Path, content: bytes) -> None:
        """Write what will be at `path`, and wait until the disk has it."""
        with self.disk.create(self.hidden(path)) as file:
            self.disk.write(file, content)
            self.disk.sync(file)

    def publish(self) -> Outcome:
        """Give both files their names, the mail last: that is the dot."""
        try:
            self.disk.rename(self.hidden(self.twin), self.twin)
            self.disk.rename(self.hidden(self.mail), self.mail)
        except OSError as error:
            return _failure(self.id, Phase.BODY, _explain(error))
        return Outcome(id=self.id, phase=Phase.DOT, reply=_KEPT)

    def discard(self) -> None:
        """Remove what was not published. What the disk will not remove is left to a later sending:
        what became of the mails is worth more."""
        for path in (self.mail, self.twin):
            with suppress(OSError):
                self.disk.remove(self.hidden(path))

    def hidden(self, path: Path) -> Path:
        """Where `path` waits; another delivery of the same mail, and another process, has its
        own place."""
        return path.with_name(f".{path.name}.{self.id}.{os.getpid()}.tmp")


def file_name(message_id: str) -> str:
    """`message_id` as a file name without an ending: no two share one, none leaves the folder."""
    name = quote(message_id.strip("<>"), safe="@+=$")
    return f"%2E{name[1:]}" if name.startswith(".") else name


def forget_mails(smtp_url: str, message_ids: Iterable[str]) -> None:
    """Remove what is kept of these mails where `smtp_url` is a folder; a relay keeps none here.

    Raises OSError when one cannot be removed: whoever asked to be forgotten would not be.
    """
    where = parse_smtp_url(smtp_url)
    if isinstance(where, OutboxFolder):
        for message_id in message_ids:
            for ending in (".eml", ".json"):
                (where.directory / f"{file_name(message_id)}{ending}").unlink(missing_ok=True)


def _remove_leftovers(directory: Path) -> None:
    """Remove the drafts of processes that no longer live. One whose number has been given away
    again counts as living: its drafts wait for a later sending."""
    with suppress(OSError):  # no folder yet, or one of which the first mail will tell
        for name in os.listdir(directory):
            match = _DRAFT.fullmatch(name)
            if match is not None and _is_gone(int(match[1])):
                with suppress(OSError):  # it takes up room, and that is no reason to send nothing
                    (directory / name).unlink()


def _is_gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except (PermissionError, OverflowError):
        pass
    return False


def _groups(envelopes: Iterator[Envelope | None], size: int) -> Iterator[list[Envelope]]:
    """At most `size` at a time; fewer where more come only in a moment."""
    group: list[Envelope] = []
    for envelope in envelopes:
        if envelope is not None:
            group.append(envelope)
        if group and (envelope is None or len(group) == size):
            yield group
            group = []
    if group:
        yield group


def _first_of_each(group: Sequence[Envelope]) -> Collection[Envelope]:
    """Each id once: a second draft of it would wait under the name of the first."""
    by_id: dict[DeliveryId, Envelope] = {}
    for envelope in group:
        by_id.setdefault(envelope.id, envelope)
    return by_id.values()


def _draft(disk: Disk, directory: Path, envelope: Envelope) -> _Draft:
    disk.make_folder(directory)
    stem = directory / file_name(envelope.message_id)
    mail, twin = (stem.with_name(f"{stem.name}{ending}") for ending in (".eml", ".json"))
    draft = _Draft(id=envelope.id, mail=mail, twin=twin, disk=disk)
    try:
        words = {
            "sender": envelope.sender,
            "recipient": envelope.recipient,
            "message_id": envelope.message_id,
            "delivery": envelope.id,
        }
        draft.write(twin, json.dumps(words, indent=2).encode() + b"\n")
        draft.write(mail, envelope.content)
    except OSError:
        draft.discard()
        raise
    return draft


def _failure(delivery: DeliveryId, phase: Phase, error: str) -> Outcome:
    return Outcome(id=delivery, phase=phase, error=error)


def _explain(error: OSError) -> str:
    return f"disk: {error.strerror or type(error).__name__}"
