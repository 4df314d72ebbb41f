"""Lines and deadlines on one socket: the part of SMTP that knows nothing of mail.

The standard smtplib is not used: it takes an answer that breaks off in the middle of its line
(`250 o`, end of file) for a complete one, so a lost connection would count as a sent mail.
"""

import socket
import ssl
from collections.abc import Callable

from paperround.domain.deliveries import Reply
from paperround.domain.replies import CERTIFICATE, parse_reply

LONGEST_LINE = 4096
MOST_LINES = 100
_CHUNK = 65536


class WireBroken(Exception):
    """No usable answer came. The text is a short code, a colon and a detail."""


class Wire:
    """One connected socket. Every wait has a deadline that no trickle of bytes can move."""

    def __init__(self, sock: socket.socket, monotonic: Callable[[], float]) -> None:
        self._sock = sock
        self._monotonic = monotonic
        self._unread = b""

    def write(self, data: bytes, seconds: float) -> None:
        """Send all of `data`."""
        try:
            self._sock.settimeout(seconds)
            self._sock.sendall(data)
        except OSError as error:
            raise WireBroken(explain(error)) from error

    def ask(self, line: str, seconds: float) -> list[str]:
        """Send one command and read the lines of its answer."""
        if self._unread:
            raise WireBroken("garbage: an answer that nobody asked for")
        self.write(line.encode("ascii") + b"\r\n", seconds)
        return self.read_lines(seconds)

    def read_reply(self, seconds: float) -> Reply:
        """Read one answer."""
        return as_reply(self.read_lines(seconds))

    def read_lines(self, seconds: float) -> list[str]:
        """Read the lines of one answer, line ends removed, within `seconds` altogether."""
        deadline = self._monotonic() + seconds
        lines: list[str] = []
        while not lines or goes_on(lines[-1]):
            if len(lines) == MOST_LINES:
                raise WireBroken("garbage: an answer without end")
            lines.append(self._read_line(deadline, begun=bool(lines)))
        return lines

    def release(self) -> socket.socket:
        """The socket, for another reader; nothing that was read may be left behind."""
        if self._unread:
            raise WireBroken("garbage: an answer that nobody asked for")
        return self._sock

    def protect(self, context: ssl.SSLContext, host: str, seconds: float) -> None:
        """Put TLS around the connection; the certificate must be `host`'s."""
        if self._unread:
            raise WireBroken("garbage: words in the open that would seem to be protected")
        try:
            self._sock.settimeout(seconds)
            self._sock = context.wrap_socket(self._sock, server_hostname=host)
        except OSError as error:
            raise WireBroken(explain(error)) from error

    def certificate_ends(self) -> str | None:
        """When the server's certificate ends, as it says it; None without TLS."""
        known = self._sock.getpeercert() if isinstance(self._sock, ssl.SSLSocket) else None
        return str(known["notAfter"]) if known and "notAfter" in known else None

    def hang_up(self) -> None:
        """End the connection. Another thread may call it: whoever waits here stops waiting."""
        try:
            # On purpose not the TLS socket's own method, which would forget its TLS state while
            # another thread is still using it.
            socket.socket.shutdown(self._sock, socket.SHUT_RDWR)
        except OSError:
            return  # it was gone already, which is all we want

    def close(self) -> None:
        """Free the socket; only the thread that reads from it may."""
        self.hang_up()
        self._sock.close()

    def _read_line(self, deadline: float, *, begun: bool) -> str:
        while (end := self._unread.find(b"\n")) < 0:
            if len(self._unread) > LONGEST_LINE:
                raise WireBroken("garbage: a line without end")
            self._wait_for_more(deadline, begun=begun or bool(self._unread))
        line, self._unread = self._unread[:end], self._unread[end + 1 :]
        return line.rstrip(b"\r").decode("utf-8", "replace")

    def _wait_for_more(self, deadline: float, *, begun: bool) -> None:
        left = deadline - self._monotonic()
        if left <= 0:
            raise WireBroken("timeout: no answer in time")
        try:
            self._sock.settimeout(left)
            self._receive(begun=begun)
        except OSError as error:
            raise WireBroken(explain(error)) from error

    def _receive(self, *, begun: bool) -> None:
        chunk = self._sock.recv(_CHUNK)
        if not chunk:
            half = "half-line: the connection ended inside an answer"
            raise WireBroken(half if begun else "disconnected: the connection ended")
        self._unread += chunk


def as_reply(lines: list[str]) -> Reply:
    """The reply that `lines` are; raises WireBroken when they are none."""
    try:
        return parse_reply(lines)
    except ValueError as error:
        raise WireBroken(f"garbage: {error}") from None


def explain(error: OSError) -> str:
    """A short code and a detail for what a socket raised."""
    match error:
        case TimeoutError():
            return "timeout: no answer in time"
        case ssl.SSLCertVerificationError():
            return f"{CERTIFICATE}: {error.verify_message}"
        case ssl.SSLError():
            return f"tls: {error.reason or 'handshake failed'}"
        case ConnectionResetError() | BrokenPipeError():
            return "reset: the connection was reset"
        case _:
            return f"network: {error.strerror or type(error).__name__}"


def goes_on(line: str) -> bool:
    """Whether more lines of the same answer follow (RFC 5321 section 4.2.1)."""
    return line[:3].isdigit() and line[3:4] == "-"
