"""Asking a relay whether it would take our mail, without sending any.

connect ─► greeting ─► EHLO ─► TLS ─► log in ─► MAIL FROM ─► RSET ─► QUIT
"""

import ssl
from dataclasses import dataclass
from datetime import UTC, datetime

from paperround.domain.deliveries import Phase
from paperround.domain.errors import Misconfigured
from paperround.domain.smtp_url import Relay, Tls
from paperround.mail.connection import Connection, Stopped, Timeouts

_BRIEF = Timeouts(connect=10, command=15, goodbye=2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Probed:
    """How far a mail would not get; `stopped` is None when the relay would take it. Until when its
    certificate is good, where it showed one."""

    stopped: Stopped | None
    certificate_until: datetime | None = None


def probe(relay: Relay, *, hostname: str, sender: str, timeouts: Timeouts = _BRIEF) -> Probed:
    """What the relay says to a mail from `sender`.

    `hostname` is the name in EHLO. Raises Misconfigured for a certificate file that cannot be
    read.
    """
    connection = _Probing(relay, hostname=hostname, timeouts=timeouts, context=_context(relay))
    until: datetime | None = None
    try:
        connection.open()
        until = connection.certificate_until()
        connection.try_sender(sender)
    except Stopped as stopped:
        return Probed(stopped=stopped, certificate_until=until)
    finally:
        connection.say_goodbye()
    return Probed(stopped=None, certificate_until=until)


def _context(relay: Relay) -> ssl.SSLContext | None:
    if relay.tls is Tls.NONE:
        return None
    try:
        return ssl.create_default_context(cafile=relay.ca_file)
    except OSError as error:
        raise Misconfigured(
            f"the certificate file {relay.ca_file} of {relay} cannot be used: {error.strerror}"
        ) from error


class _Probing(Connection):
    """A session that offers a sender and takes the offer back."""

    def certificate_until(self) -> datetime | None:
        """The end of the certificate that was shown."""
        ends = self._open_wire().certificate_ends()
        if ends is None:
            return None
        return datetime.fromtimestamp(ssl.cert_time_to_seconds(ends), tz=UTC)

    def try_sender(self, sender: str) -> None:
        """MAIL, and RSET. Raises Stopped for a refusal of the sender."""
        wire = self._open_wire()
        with self._watching():
            self._ask(wire, Phase.MAIL, f"MAIL FROM:<{sender}>", "2")
            self._reset(wire)
