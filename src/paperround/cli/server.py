"""The web server, with a limit on how long a client may take to say what it wants."""

import asyncio
import socket
from collections.abc import Callable
from types import FrameType
from typing import Any
from urllib.parse import urlsplit

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

from paperround.config import LOOPBACK
from paperround.core.errors import InvalidInput

HOST, PORT = "127.0.0.1", 8000
"""Where a server listens unless something else is said."""

HEADER_SECONDS = 8.0
"""How long a connection may stay without a whole request head, whatever trickles in."""

DRAIN_SECONDS = 10
"""How long requests that run may take to end after the server was asked to stop."""

TOO_SLOW = b"HTTP/1.1 408 Request Timeout\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"


class PatientProtocol(H11Protocol):
    """HTTP/1.1 whose patience with a slow request head ends."""

    _timer: asyncio.TimerHandle | None = None
    _has_begun: bool = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start the clock with the connection, whose last bytes never wait for an answer to the
        first: asyncio sees to that only for sockets that name their protocol, which a listening
        one that was handed over need not."""
        line = transport.get_extra_info("socket")
        if line is not None and line.family in (socket.AF_INET, socket.AF_INET6):
            line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        super().connection_made(transport)
        self._wait()

    def data_received(self, data: bytes) -> None:
        """Stop it once there is a request to answer; the guard times its body."""
        self._has_begun = True
        super().data_received(data)
        if self._is_answering:
            self._stop_waiting()

    def on_response_complete(self) -> None:
        """A kept connection waits for its next request under the same clock."""
        self._has_begun = False
        super().on_response_complete()  # which may begin to answer a request that waited behind
        if not self._is_answering:
            self._wait()

    @property
    def _is_answering(self) -> bool:
        cycle: RequestResponseCycle | None = self.cycle
        return cycle is not None and not cycle.response_complete

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing is waited for any more."""
        self._stop_waiting()
        super().connection_lost(exc)

    def _wait(self) -> None:
        self._stop_waiting()
        if not self.transport.is_closing():
            self._timer = self.loop.call_later(HEADER_SECONDS, self._give_up)

    def _give_up(self) -> None:
        """Hang up, with a word to somebody who is in the middle of asking."""
        if self._has_begun and not self.transport.is_closing():
            self.transport.write(TOO_SLOW)
        self.transport.close()

    def _stop_waiting(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


class Server(uvicorn.Server):
    """A server that says when it answers, and passes the word on at once when it has to stop."""

    def __init__(
        self, config: uvicorn.Config, on_ready: Callable[[], None], on_stop: Callable[[], None]
    ) -> None:
        super().__init__(config)
        self._on_ready = on_ready
        self._on_stop = on_stop

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to answer."""
        await super().startup(sockets)
        if self.started:
            self._on_ready()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """What SIGTERM and SIGINT do."""
        self._on_stop()
        super().handle_exit(sig, frame)


def listening_place(public_url: str) -> tuple[str, int]:
    """The address and port to listen on: those of `public_url` if it leads to this machine, else
    the usual ones, which a proxy asks."""
    parts = urlsplit(public_url)
    if parts.scheme != "http" or parts.hostname not in LOOPBACK:
        return HOST, PORT
    return parts.hostname if parts.hostname == "::1" else HOST, parts.port or PORT


def listen(host: str, port: int) -> socket.socket:
    """A socket that is bound to `host` and `port`; raises InvalidInput where that cannot be had."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except OSError as error:
        reason = str(error.strerror).partition(" (")[0]  # what follows names the place again
        raise InvalidInput(
            f"port {port} of {host} cannot be had ({reason}): another "
            "process may have it; --port names another"
        ) from error


def server(
    app: Any,
    *,
    host: str,
    port: int,
    on_ready: Callable[[], None] = lambda: None,
    on_stop: Callable[[], None] = lambda: None,
) -> uvicorn.Server:
    """A server for `app`; `run` it. `on_ready` runs once it answers and signals end it orderly,
    `on_stop` in the handler of such a signal. Its own access log is off: it would write tokens
    down."""
    return Server(
        uvicorn.Config(
            app,
            host=host,
            port=port,
            http=PatientProtocol,
            ws="none",
            proxy_headers=False,  # the guard reads them, from trusted proxies only
            server_header=False,
            access_log=False,
            log_config=None,
            h11_max_incomplete_event_size=16 * 1024,
            timeout_graceful_shutdown=DRAIN_SECONDS,
        ),
        on_ready,
        on_stop,
    )
