"""The web server, with a timeout on slow request heads."""

import asyncio
import socket
from collections.abc import Callable
from types import FrameType
from typing import Any
from urllib.parse import urlsplit

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

from paperround.config import LOOPBACK, Settings
from paperround.core.errors import InvalidInput

HOST, PORT = "127.0.0.1", 8000
"""Default address and port."""

HEADER_SECONDS = 8.0
"""How long a connection may go without a complete request head, even if bytes arrive."""

DRAIN_SECONDS = 10
"""How long running requests may take to end after a stop signal."""

TOO_SLOW = b"HTTP/1.1 408 Request Timeout\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"


class TimeoutProtocol(H11Protocol):
    """HTTP/1.1 that closes connections with a slow request head."""

    _timer: asyncio.TimerHandle | None = None
    _has_begun: bool = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start the timer and turn off Nagle's algorithm: asyncio does that only for sockets that
        name their protocol, which a listening socket passed in need not."""
        connection = transport.get_extra_info("socket")
        if connection is not None and connection.family in (socket.AF_INET, socket.AF_INET6):
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        super().connection_made(transport)
        self._start_timer()

    def data_received(self, data: bytes) -> None:
        """Stop the timer once the head is complete; the security middleware times the body."""
        self._has_begun = True
        super().data_received(data)
        if self._is_answering:
            self._stop_timer()

    def on_response_complete(self) -> None:
        """Restart the timer for the next request of a keep-alive connection."""
        self._has_begun = False
        super().on_response_complete()  # this may start a pipelined request
        if not self._is_answering:
            self._start_timer()

    @property
    def _is_answering(self) -> bool:
        cycle: RequestResponseCycle | None = self.cycle
        return cycle is not None and not cycle.response_complete

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the timer."""
        self._stop_timer()
        super().connection_lost(exc)

    def _start_timer(self) -> None:
        self._stop_timer()
        if not self.transport.is_closing():
            self._timer = self.loop.call_later(HEADER_SECONDS, self._time_out)

    def _time_out(self) -> None:
        """Close the connection, after a 408 response if a request has begun."""
        if self._has_begun and not self.transport.is_closing():
            self.transport.write(TOO_SLOW)
        self.transport.close()

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


class Server(uvicorn.Server):
    """A server that calls `on_ready` once it listens and `on_stop` in its signal handler."""

    def __init__(
        self, config: uvicorn.Config, on_ready: Callable[[], None], on_stop: Callable[[], None]
    ) -> None:
        super().__init__(config)
        self._on_ready = on_ready
        self._on_stop = on_stop

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start listening, then call `on_ready`."""
        await super().startup(sockets)
        if self.started:
            self._on_ready()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Call `on_stop`, then handle SIGTERM or SIGINT."""
        self._on_stop()
        super().handle_exit(sig, frame)


def listening_place(public_url: str) -> tuple[str, int]:
    """Return where to listen: at `public_url` if it leads to this machine, else at the defaults."""
    parts = urlsplit(public_url)
    if parts.scheme != "http" or parts.hostname not in LOOPBACK:
        return HOST, PORT
    return parts.hostname if parts.hostname == "::1" else HOST, parts.port or PORT


def opens_outbox(settings: Settings, host: str) -> bool:
    """Return whether everybody on this machine may read the outbox: no relay is set, the links of
    emails lead to this machine, and the site listens on `host` for this machine only."""
    links_to = urlsplit(settings.public_url).hostname
    return settings.keeps_mail and LOOPBACK.issuperset((host, links_to))


def listen(host: str, port: int, option: str = "--port") -> socket.socket:
    """Return a socket bound to `host` and `port`, which `option` names. Raises InvalidInput if they
    are not available."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except OSError as error:
        reason = str(error.strerror).partition(" (")[0]  # the rest repeats the address
        raise InvalidInput(
            f"cannot listen on port {port} of {host} ({reason}): another process may use it; "
            f"choose another with {option}"
        ) from error


def server(
    app: Any,
    *,
    host: str,
    port: int,
    on_ready: Callable[[], None] = lambda: None,
    on_stop: Callable[[], None] = lambda: None,
) -> uvicorn.Server:
    """Return a server for `app`, to be `run`.

    It calls `on_ready` once it answers, and `on_stop` in the handler of a stop signal. The access
    log is off, because URLs contain tokens.
    """
    return Server(
        uvicorn.Config(
            app,
            host=host,
            port=port,
            http=TimeoutProtocol,
            ws="none",
            proxy_headers=False,  # the middleware reads them, from trusted proxies only
            server_header=False,
            access_log=False,
            log_config=None,
            h11_max_incomplete_event_size=16 * 1024,
            timeout_graceful_shutdown=DRAIN_SECONDS,
        ),
        on_ready,
        on_stop,
    )
