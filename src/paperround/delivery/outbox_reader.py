"""Read the local outbox: list its emails and parse one.

The id of an email is its file name without suffix. Only files listed in the folder are opened, so
no id can lead out of it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from pathlib import Path

from paperround.core.times import require_utc
from paperround.delivery.status_text import DIGEST, email_kind_name

SHOWN = 200
"""Most emails in a listing."""

_ENDING = ".eml"
_HEAD_BYTES = 32 * 1024
"""Bytes to read for the header, more than any header has."""

_PARSER = BytesParser(_class=EmailMessage, policy=policy.default)


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxEntry:
    """An email in a listing. `called` is the name of its kind; `dated` is None without a valid
    date."""

    id: str
    to: str
    subject: str
    called: str
    dated: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxMail:
    """A complete email: its entry, its header fields in order, both parts, and its bytes."""

    line: OutboxEntry
    headers: tuple[tuple[str, str], ...]
    text: str
    html: str
    content: bytes

    @property
    def source(self) -> str:
        """The bytes as text."""
        return self.content.decode("utf-8", "replace")


def list_emails(directory: Path) -> list[OutboxEntry]:
    """Return up to 200 emails in `directory`, newest first; none if there is no such folder."""
    aged = sorted(((path.stat().st_mtime_ns, path) for path in _files(directory)), reverse=True)
    entries = []
    for _, path in aged[:SHOWN]:
        with path.open("rb") as file:
            header = _PARSER.parsebytes(file.read(_HEAD_BYTES), headersonly=True)
        entries.append(_entry(path, header))
    return entries


def read_email(directory: Path, mail_id: str) -> OutboxMail | None:
    """Return the email with this id, None if it is not in `directory`."""
    path = next((one for one in _files(directory) if one.stem == mail_id), None)
    if path is None:
        return None
    content = path.read_bytes()
    message = _PARSER.parsebytes(content)
    return OutboxMail(
        line=_entry(path, message),
        headers=tuple((name, str(value)) for name, value in message.items()),
        text=_part(message, "plain"),
        html=_part(message, "html"),
        content=content,
    )


def _files(directory: Path) -> Iterator[Path]:
    """Return the files of the emails, without the hidden ones that are still being written."""
    return (path for path in directory.glob(f"*{_ENDING}") if not path.name.startswith("."))


def _entry(path: Path, message: EmailMessage) -> OutboxEntry:
    moment = getattr(message.get("Date"), "datetime", None)
    # A list's email is a digest; system email names its kind: `Feedback-ID: confirm:notice:...`.
    kind = str(message.get("Feedback-ID", "")).partition(":")[0].strip()
    return OutboxEntry(
        id=path.stem,
        to=str(message.get("To", "")),
        subject=str(message.get("Subject", "")),
        called=email_kind_name(DIGEST if "List-Id" in message else kind),
        dated=None if moment is None or moment.tzinfo is None else require_utc(moment),
    )


def _part(message: EmailMessage, subtype: str) -> str:
    body = message.get_body((subtype,))
    return "" if body is None else str(body.get_content())
