"""Show a returned message as text: decoded, safe for a terminal, without addresses if wanted."""

import email
import email.policy
from collections.abc import Iterator
from email.header import decode_header, make_header
from email.message import Message

from paperround.bounces.store import ReturnStore
from paperround.core.errors import NotFound
from paperround.db.transactions import Database
from paperround.delivery.status import redact_addresses


def readable_report(database: Database, number: int) -> str:
    """Return a message in quarantine as text, without control characters. Raises NotFound."""
    with database.reading() as work:
        found = work[ReturnStore].quarantined(number)
    if found is None:
        raise NotFound(f"there is no message {number} in quarantine")
    message = email.message_from_bytes(found[1], policy=email.policy.compat32)
    lines = "\n".join(_lines(message)).splitlines()
    return "\n".join("".join(map(_shown, line)).rstrip() for line in lines)


def _shown(letter: str) -> str:
    """Return a character that is safe to print: anybody can email us a terminal's commands."""
    if letter.isprintable():
        return letter
    return " " if letter.isspace() else ""


def redacted_report(database: Database, number: int) -> str:
    """Return a message in quarantine as `readable_report` does, without addresses."""
    return redact_addresses(readable_report(database, number)) or ""


def _lines(message: Message) -> Iterator[str]:
    """Yield headers and texts, decoded so that no encoding hides an address. Of other parts, only
    the type is shown."""
    for part in message.walk():
        yield from (f"{name}: {_decoded(str(value))}" for name, value in part.items())
        yield ""
        if part.is_multipart():
            continue
        content = part.get_payload(decode=True)
        if part.get_content_maintype() in ("text", "message") and isinstance(content, bytes):
            yield content.decode("utf-8", "replace")
        else:
            yield f"({part.get_content_type()} is left out)"


def _decoded(value: str) -> str:
    try:
        return str(make_header(decode_header(value)))
    except (LookupError, ValueError):
        return "(encoded)"
