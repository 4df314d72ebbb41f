"""Show a returned message as text, without the addresses in it."""

import email
import email.policy
from collections.abc import Iterator
from email.header import decode_header, make_header
from email.message import Message

from paperround.bounces.store import ReturnStore
from paperround.core.errors import NotFound
from paperround.db.transactions import Database
from paperround.delivery.status import redact_addresses


def redacted_report(database: Database, number: int) -> str:
    """Return a message in quarantine as text without addresses. Raises NotFound."""
    with database.reading() as work:
        found = work[ReturnStore].quarantined(number)
    if found is None:
        raise NotFound(f"there is no message {number} in quarantine")
    message = email.message_from_bytes(found[1], policy=email.policy.compat32)
    return redact_addresses("\n".join(_lines(message))) or ""


def _lines(message: Message) -> Iterator[str]:
    """Yield headers and texts, decoded: an address must not hide in an encoding. Other parts are
    named only."""
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
