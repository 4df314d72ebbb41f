"""Reading the local outbox: the mails that were kept, and one of them as a mail program has it.

A mail's id is its file's name without the ending. Only names that stand in the folder are opened,
so no id leads out of it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from pathlib import Path

from paperround.core.times import require_utc
from paperround.delivery.status_text import DIGEST, mail_called

SHOWN = 200
"""Mails in a listing: the newest ones."""

_ENDING = ".eml"
_HEAD_BYTES = 32 * 1024
"""Where the head of a mail has certainly ended."""

_PARSER = BytesParser(_class=EmailMessage, policy=policy.default)


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxEntry:
    """A mail as a listing shows it. `called` is what kind it is, in words; `dated` is None for a
    mail without a readable date."""

    id: str
    to: str
    subject: str
    called: str
    dated: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxMail:
    """A mail in full: its line, its header fields in order, both its parts, and its bytes."""

    line: OutboxEntry
    headers: tuple[tuple[str, str], ...]
    text: str
    html: str
    content: bytes

    @property
    def source(self) -> str:
        """The bytes as text, for looking at."""
        return self.content.decode("utf-8", "replace")


def kept_mails(directory: Path) -> list[OutboxEntry]:
    """The newest mails in `directory`, newest first; none while there is no such folder."""
    aged = sorted(((path.stat().st_mtime_ns, path) for path in _files(directory)), reverse=True)
    return [_line(path, _head(path)) for _, path in aged[:SHOWN]]


def kept_mail(directory: Path, mail_id: str) -> OutboxMail | None:
    """The mail called `mail_id`, None when none in `directory` is."""
    path = next((one for one in _files(directory) if one.stem == mail_id), None)
    if path is None:
        return None
    content = path.read_bytes()
    message = _parsed(content)
    return OutboxMail(
        line=_line(path, message),
        headers=tuple((name, str(value)) for name, value in message.items()),
        text=_part(message, "plain"),
        html=_part(message, "html"),
        content=content,
    )


def _files(directory: Path) -> Iterator[Path]:
    """Hidden names are mails that are still being written."""
    return (path for path in directory.glob(f"*{_ENDING}") if not path.name.startswith("."))


def _head(path: Path) -> EmailMessage:
    with path.open("rb") as file:
        return _parsed(file.read(_HEAD_BYTES), head_only=True)


def _parsed(content: bytes, *, head_only: bool = False) -> EmailMessage:
    return _PARSER.parsebytes(content, headersonly=head_only)


def _line(path: Path, message: EmailMessage) -> OutboxEntry:
    moment = getattr(message.get("Date"), "datetime", None)
    # A list's mail is a digest; any other says what it is: `Feedback-ID: confirm:notice:...`.
    kind = str(message.get("Feedback-ID", "")).partition(":")[0].strip()
    return OutboxEntry(
        id=path.stem,
        to=str(message.get("To", "")),
        subject=str(message.get("Subject", "")),
        called=mail_called(DIGEST if "List-Id" in message else kind),
        dated=None if moment is None or moment.tzinfo is None else require_utc(moment),
    )


def _part(message: EmailMessage, subtype: str) -> str:
    body = message.get_body((subtype,))
    return "" if body is None else str(body.get_content())
