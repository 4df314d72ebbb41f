"""Check envelopes and dot-stuff messages before they are sent or stored."""

import re

from paperround.delivery.model import Envelope, WireReady


def require_sendable(envelope: Envelope) -> None:
    """Raise ValueError when `envelope` is ambiguous. The error contains no address.

    Both addresses must be printable ASCII without spaces or angle brackets (RFC 5321 section
    4.1.2), so neither can end its command early. Every line must end in CRLF: a server that accepts
    a bare CR or LF as a line end could be made to see a second message (SMTP smuggling).
    """
    for name, address in (("sender", envelope.sender), ("recipient", envelope.recipient)):
        if not _ADDRESS.fullmatch(address):
            raise ValueError(f"the {name} is not one plain ASCII address")
    if not isinstance(envelope.content, WireReady):
        if BARE_CR.search(envelope.content) or BARE_LF.search(envelope.content):
            raise ValueError("a line of the message does not end in CRLF")
        if not envelope.content.endswith(b"\r\n"):
            raise ValueError("the message does not end with a line end")
    if not envelope.message_id.strip("<>"):
        raise ValueError("the message has no Message-ID")


def dot_stuffed(content: bytes) -> bytes:
    """Return `content` with dots at line starts doubled (RFC 5321 section 4.5.2)."""
    if isinstance(content, WireReady):
        return content
    if DOTTED_LINE.search(content):
        content = content.replace(b"\r\n.", b"\r\n..")
    return b"." + content if content.startswith(b".") else content


_ADDRESS = re.compile(r"[!-;=?-~]+@[!-;=?-~]+")


# Patterns that begin with a single character are the fastest to search a whole message for.
BARE_CR = re.compile(rb"\r(?!\n)")
BARE_LF = re.compile(rb"\n(?<!\r\n)")
DOTTED_LINE = re.compile(rb"\n\.")
