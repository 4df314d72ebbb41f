"""What a server offers, and the commands that put a mail before it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from paperround.domain.deliveries import Envelope

_LONGEST_ENVID = 100
_PLAIN = frozenset(range(0x21, 0x7F)) - frozenset(b"+=")
_ALL_PLAIN = re.compile("[!-*,-<>-~]*")


@dataclass(frozen=True, slots=True)
class Offers:
    """The extensions of an EHLO answer that mails are sent with."""

    pipelining: bool = False
    size: bool = False
    dsn: bool = False

    @classmethod
    def named(cls, keywords: Sequence[str], *, pipelining: bool) -> "Offers":
        """What `keywords`, in capitals, come to; without `pipelining` that one is not used."""
        return cls(
            pipelining=pipelining and "PIPELINING" in keywords,
            size="SIZE" in keywords,
            dsn="DSN" in keywords,
        )


def mail_command(envelope: Envelope, offers: Offers) -> bytes:
    """MAIL, with the size (RFC 1870) and the name bounces are to call the mail by (RFC 3461).

    Of a mail that cannot be delivered only the head comes back. Nothing is asked of NOTIFY: a
    success nobody waits for would come back as well.
    """
    size = f" SIZE={len(envelope.content)}" if offers.size else ""
    notify = ""
    if offers.dsn:
        name = xtext(envelope.message_id.strip("<>"))
        notify = f" RET=HDRS ENVID={name}" if len(name) <= _LONGEST_ENVID else " RET=HDRS"
    return f"MAIL FROM:<{envelope.sender}>{size}{notify}\r\n".encode("ascii")


def rcpt_command(envelope: Envelope) -> bytes:
    """RCPT, for the one recipient."""
    return f"RCPT TO:<{envelope.recipient}>\r\n".encode("ascii")


def xtext(text: str) -> str:
    """`text` as RFC 3461 section 4 writes it: what is not plain becomes + and two hex digits."""
    if _ALL_PLAIN.fullmatch(text):
        return text
    return "".join(chr(one) if one in _PLAIN else f"+{one:02X}" for one in text.encode())
