"""One request and one answer over one guarded connection.

httpx's own transport has deadlines that a trickle of bytes moves, connects to whatever a name
leads to, and does not say when more came than was announced. So its place is taken by this one:
h11 knows the grammar of HTTP/1.1, and every byte passes a `Wire` with a budget.
"""

import ssl
from collections.abc import Iterator
from socket import socket

import h11
import httpx

from paperround.core.errors import FetchFailed, FetchRefused, FetchWithheld
from paperround.http.limits import Budget, FetchLimits
from paperround.http.network import Network
from paperround.http.targets import HostPort, target

_CHUNK = 64 * 1024


class Wire:
    """Reads and writes of one connection. Raises FetchFailed and FetchRefused, never OSError."""

    def __init__(self, sock: socket, budget: Budget) -> None:
        self._sock = sock
        self._budget = budget

    def protect(self, context: ssl.SSLContext, host: str) -> None:
        """Put TLS around the connection; the certificate must be `host`'s."""
        try:
            self._sock.settimeout(self._budget.seconds())
            # An end without TLS's own goodbye may be somebody cutting the answer short.
            self._sock = context.wrap_socket(
                self._sock, server_hostname=host.removesuffix("."), suppress_ragged_eofs=False
            )
        except OSError as error:
            raise self._failed(error) from None

    def write(self, data: bytes) -> None:
        """Send all of `data`."""
        try:
            self._sock.settimeout(self._budget.seconds())
            self._sock.sendall(data)
        except OSError as error:
            raise self._failed(error) from None

    def read(self) -> bytes:
        """The next bytes, none at the end of the connection."""
        try:
            self._sock.settimeout(self._budget.seconds())
            data = self._sock.recv(_CHUNK)
        except OSError as error:
            raise self._failed(error) from None
        self._budget.spend(len(data))
        return data

    def close(self) -> None:
        """Free the socket."""
        self._sock.close()

    def _failed(self, error: OSError) -> FetchFailed:
        match error:
            case TimeoutError():
                return self._budget.out_of_time()
            case ssl.SSLCertVerificationError():
                return FetchFailed("shows a certificate that we cannot trust")
            case ssl.SSLError():
                return FetchFailed("broke its TLS connection")
            case _:
                return FetchFailed("broke the connection")


BUDGET = "paperround.budget"
"""The extension of a request that carries its Budget."""

BEFORE_BODY = "paperround.before-body"
"""The extension that carries what is asked before a connected server gets a byte of the request:
whether it may have it."""

_MOST_INTERIM = 10
"""Answers of status 1xx before the one that counts; they say nothing that we need."""


class Exchange(httpx.SyncByteStream):
    """An answer as it comes in; iterating over it yields the body, still encoded."""

    def __init__(self, wire: Wire, limits: FetchLimits) -> None:
        self._wire = wire
        self._limits = limits
        self._ended = False
        self._http = h11.Connection(h11.CLIENT, max_incomplete_event_size=limits.header_bytes)

    def ask(self, request: httpx.Request) -> h11.Response:
        """Send `request` and read the head of the answer."""
        try:
            head = h11.Request(
                method=request.method, headers=request.headers.raw, target=request.url.raw_path
            )
        except h11.LocalProtocolError:
            raise FetchRefused("cannot be sent a header that we were given") from None
        sent = [self._http.send(head)]
        if content := request.read():
            sent.append(self._http.send(h11.Data(data=content)))
        sent.append(self._http.send(h11.EndOfMessage()))
        self._wire.write(b"".join(one for one in sent if one))
        for _ in range(_MOST_INTERIM + 1):
            if isinstance(event := self._next(), h11.Response):
                size = sum(len(name) + len(value) for name, value in event.headers)
                if len(event.headers) > self._limits.headers or size > self._limits.header_bytes:
                    break
                return event
        raise self._too_many_headers()

    def __iter__(self) -> Iterator[bytes]:
        while isinstance(event := self._next(), h11.Data):
            yield bytes(event.data)
        if self._http.trailing_data[0].strip(b"\r\n"):
            raise FetchFailed("sent more than it announced, so its answer cannot be trusted")

    def close(self) -> None:
        """End the connection; there is no second request on it."""
        self._wire.close()

    def _next(self) -> h11.Event:
        try:
            while (event := self._http.next_event()) is h11.NEED_DATA:
                data = self._wire.read()
                self._ended = not data
                self._http.receive_data(data)
        except h11.RemoteProtocolError as error:
            if error.error_status_hint == 431:
                raise self._too_many_headers() from None
            if self._ended:
                raise FetchFailed("ended its answer early") from None
            raise FetchFailed("sent an answer that is no HTTP") from None
        return event  # type: ignore[return-value]  # PAUSED follows an upgrade; we ask for none

    def _too_many_headers(self) -> FetchRefused:
        return FetchRefused("sends more headers than we take")


class GuardedTransport(httpx.BaseTransport):
    """Checks whom a request asks, and connects to nobody else."""

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
        """Ask, on a connection of its own. The budget is the request's extension `BUDGET`; one with
        `BEFORE_BODY` asks whether it may, once it is connected."""
        budget: Budget = request.extensions[BUDGET]
        asked = target(request.url, ports=self._limits.ports, allow=self._allow)
        sock = self._network.connect(asked, min(self._limits.connect, budget.seconds()))
        wire = Wire(sock, budget)
        try:
            if asked.tls:
                wire.protect(self._trust, asked.host)
            if not request.extensions.get(BEFORE_BODY, lambda: True)():
                raise FetchWithheld("is told nothing: what was to be posted may not go any more")
            conversation = Exchange(wire, self._limits)
            head = conversation.ask(request)
        except BaseException:
            wire.close()
            raise
        return httpx.Response(
            head.status_code, headers=head.headers.raw_items(), stream=conversation
        )
