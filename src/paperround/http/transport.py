"""The transport of the guarded client: one request and one response on each connection.

httpx's own transport restarts its timeouts with every byte, connects to any address a name resolves
to, and accepts more bytes than announced. This one parses HTTP/1.1 with h11, and counts every byte
and second against a budget.
"""

import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from socket import socket

import h11
import httpx

from paperround.core.errors import FetchFailed, FetchRefused, FetchWithheld
from paperround.http.network import HostPort, Network, check_target

_CHUNK = 64 * 1024
MIB = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchLimits:
    """Limits of one request with all its redirects. Times in seconds, sizes in bytes.

    `connect` covers the DNS lookup and the TCP connection, `total` everything; both are wall-clock
    time. `wire` limits the bytes read after TLS and before decoding, headers included.
    """

    connect: float = 5.0
    total: float = 30.0
    wire: int = 15 * MIB
    decoded: int = 20 * MIB
    redirects: int = 3
    headers: int = 128
    header_bytes: int = 64 * 1024
    ports: frozenset[int] = frozenset({80, 443})


class Budget:
    """The time and bytes that one request has left."""

    def __init__(self, limits: FetchLimits) -> None:
        self._limits = limits
        self._deadline = time.monotonic() + limits.total
        self._wire = limits.wire

    def seconds_left(self) -> float:
        """Return the seconds left. Raises FetchFailed when the time is over."""
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise self.timeout_error()
        return left

    def count_bytes(self, count: int) -> None:
        """Count `count` bytes as read. Raises FetchRefused above the limit."""
        self._wire -= count
        if self._wire < 0:
            raise FetchRefused(
                f"sends more than {self._limits.wire / MIB:g} MiB, which is the limit"
            )

    def timeout_error(self) -> FetchFailed:
        """Return the error for a response that was not complete in time."""
        return FetchFailed(f"took more than {self._limits.total:g} seconds")


class BudgetedSocket:
    """A socket with a budget. Raises FetchFailed and FetchRefused, never OSError."""

    def __init__(self, sock: socket, budget: Budget) -> None:
        self._sock = sock
        self._budget = budget

    def start_tls(self, context: ssl.SSLContext, host: str) -> None:
        """Start TLS; the certificate must be valid for `host`."""
        with self._within_budget():
            # An end without close_notify may be an attacker truncating the response.
            self._sock = context.wrap_socket(
                self._sock, server_hostname=host.removesuffix("."), suppress_ragged_eofs=False
            )

    def write(self, data: bytes) -> None:
        """Send all of `data`."""
        with self._within_budget():
            self._sock.sendall(data)

    def read(self) -> bytes:
        """Return the next bytes, none at the end of the connection."""
        with self._within_budget():
            data = self._sock.recv(_CHUNK)
        self._budget.count_bytes(len(data))
        return data

    def close(self) -> None:
        """Close the socket."""
        self._sock.close()

    @contextmanager
    def _within_budget(self) -> Iterator[None]:
        """Limit a socket call to the time left, and translate its OSError."""
        try:
            self._sock.settimeout(self._budget.seconds_left())
            yield
        except TimeoutError:
            raise self._budget.timeout_error() from None
        except ssl.SSLCertVerificationError as error:
            why = error.verify_message.rstrip(".")  # such as "certificate has expired"
            raise FetchFailed(f"has a certificate that is not trusted ({why})") from None
        except ssl.SSLError:
            raise FetchFailed("broke its TLS connection") from None
        except OSError:
            raise FetchFailed("broke the connection") from None


BUDGET = "paperround.budget"
"""The request extension that holds its Budget."""

BEFORE_BODY = "paperround.before-body"
"""The request extension with a function that is called after connecting and before the first byte
is sent; the request is withheld when it returns false."""

_MAX_INTERIM = 10
"""Interim responses (1xx) that we skip before the final one."""


class Exchange(httpx.SyncByteStream):
    """A response as it arrives; iterate over it to get the body, still encoded."""

    def __init__(self, connection: BudgetedSocket, limits: FetchLimits) -> None:
        self._connection = connection
        self._limits = limits
        self._ended = False
        self._http = h11.Connection(h11.CLIENT, max_incomplete_event_size=limits.header_bytes)

    def send_request(self, request: httpx.Request) -> h11.Response:
        """Send `request` and return the head of the response."""
        try:
            head = h11.Request(
                method=request.method, headers=request.headers.raw, target=request.url.raw_path
            )
        except h11.LocalProtocolError:
            raise FetchRefused("has a header that cannot be sent") from None
        sent = [self._http.send(head)]
        if content := request.read():
            sent.append(self._http.send(h11.Data(data=content)))
        sent.append(self._http.send(h11.EndOfMessage()))
        self._connection.write(b"".join(one for one in sent if one))
        for _ in range(_MAX_INTERIM + 1):
            if isinstance(event := self._next_event(), h11.Response):
                size = sum(len(name) + len(value) for name, value in event.headers)
                if len(event.headers) > self._limits.headers or size > self._limits.header_bytes:
                    break
                return event
        raise self._too_many_headers()

    def __iter__(self) -> Iterator[bytes]:
        while isinstance(event := self._next_event(), h11.Data):
            yield bytes(event.data)
        if self._http.trailing_data[0].strip(b"\r\n"):
            raise FetchFailed("sent more than it announced, so its response is rejected")

    def close(self) -> None:
        """Close the connection; it is not reused."""
        self._connection.close()

    def _next_event(self) -> h11.Event:
        try:
            while (event := self._http.next_event()) is h11.NEED_DATA:
                data = self._connection.read()
                self._ended = not data
                self._http.receive_data(data)
        except h11.RemoteProtocolError as error:
            if error.error_status_hint == 431:
                raise self._too_many_headers() from None
            if self._ended:
                raise FetchFailed("ended its response early") from None
            raise FetchFailed("sent a response that is not HTTP") from None
        return event  # type: ignore[return-value]  # PAUSED needs an upgrade, and we request none

    def _too_many_headers(self) -> FetchRefused:
        return FetchRefused("sends too many headers")


class GuardedTransport(httpx.BaseTransport):
    """Checks the target of each request before connecting."""

    def __init__(
        self,
        *,
        allow: frozenset[HostPort],
        limits: FetchLimits,
        network: Network,
        trust: ssl.SSLContext,
    ) -> None:
        self._allow = allow
        self._limits = limits
        self._network = network
        self._trust = trust

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send `request` on a new connection and return the response, with its body unread.

        The extension `BUDGET` is required, `BEFORE_BODY` optional. Raises FetchWithheld when
        `BEFORE_BODY` returns false.
        """
        budget: Budget = request.extensions[BUDGET]
        destination = check_target(request.url, ports=self._limits.ports, allow=self._allow)
        sock = self._network.connect(destination, min(self._limits.connect, budget.seconds_left()))
        connection = BudgetedSocket(sock, budget)
        try:
            if destination.tls:
                connection.start_tls(self._trust, destination.host)
            if not request.extensions.get(BEFORE_BODY, lambda: True)():
                raise FetchWithheld("got no request: it was cancelled before sending")
            exchange = Exchange(connection, self._limits)
            head = exchange.send_request(request)
        except BaseException:
            connection.close()
            raise
        return httpx.Response(head.status_code, headers=head.headers.raw_items(), stream=exchange)
