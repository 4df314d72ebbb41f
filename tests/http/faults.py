"""An HTTP server that misbehaves to order.

    with FaultServer({"/": says(page(b"hello"))}) as server:
        client.get(FetchRequest(url=server.url("/")))

A behaviour is given the open connection after the request's head was read; when it returns, the
connection is closed. That of `/` also serves all paths without one. `server.requests` holds the
heads, `server.bodies` what was posted, `server.accepted` counts connections,
and `server.connected` is set by the first.
"""

import re
import socket
import ssl
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from threading import Event, Thread
from types import TracebackType
from typing import Self

PATIENCE = 10.0
"""Seconds until a thread of a test gives up by itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """The connection of one client, and the sign that the server is to stop."""

    sock: socket.socket
    stopped: Event

    def pause(self, seconds: float) -> bool:
        """Wait; True when the server is to stop."""
        return self.stopped.wait(seconds)


Behaviour = Callable[[Caller], None]


class FaultServer:
    """Listens on 127.0.0.1 while its `with` block lasts."""

    def __init__(
        self, paths: Mapping[str, Behaviour], *, tls: ssl.SSLContext | None = None
    ) -> None:
        self.requests: list[bytes] = []
        self.bodies: list[bytes] = []
        self.accepted = 0
        self.connected = Event()
        self._paths = paths
        self._tls = tls
        self._stopped = Event()
        self._threads: list[Thread] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]

    @property
    def at(self) -> str:
        """host:port, as an allow list wants it."""
        return f"127.0.0.1:{self.port}"

    def url(self, path: str = "/") -> str:
        return f"{'https' if self._tls else 'http'}://{self.at}{path}"

    def __enter__(self) -> Self:
        self._start(self._accept)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stopped.set()
        with socket.create_connection(("127.0.0.1", self.port)):
            pass  # wakes the thread that accepts
        for thread in self._threads:
            thread.join(PATIENCE)
        self._listener.close()

    def _start(self, work: Callable[[], None]) -> None:
        thread = Thread(target=work, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            sock, _ = self._listener.accept()
            if self._stopped.is_set():
                sock.close()
                return
            self.accepted += 1
            self.connected.set()
            self._start(lambda sock=sock: self._serve(sock))  # type: ignore[misc]

    def _serve(self, sock: socket.socket) -> None:
        sock.settimeout(PATIENCE)
        try:
            with self._tls.wrap_socket(sock, server_side=True) if self._tls else sock as wrapped:
                head = _head(wrapped)
                self.requests.append(head)
                self.bodies.append(_body(wrapped, head))
                words = head.split(b" ", 2)
                path = words[1].decode("latin-1") if len(words) > 1 else "/"
                behave = self._paths.get(path, self._paths["/"])
                behave(Caller(sock=wrapped, stopped=self._stopped))
        except OSError:
            return  # the client hung up, which is what these servers are for
        finally:
            sock.close()


def _head(sock: socket.socket) -> bytes:
    head = b""
    while b"\r\n\r\n" not in head and (data := sock.recv(4096)):
        head += data
    return head


def _body(sock: socket.socket, so_far: bytes) -> bytes:
    """What was posted, read to its announced end: who hangs up before loses the answer too."""
    head, _, body = so_far.partition(b"\r\n\r\n")
    announced = re.search(rb"(?i)\r\ncontent-length: (\d+)", head)
    while announced and len(body) < int(announced[1]) and (data := sock.recv(4096)):
        body += data
    return body


def page(
    body: bytes = b"", *lines: str, status: str = "200 OK", length: int | None = None
) -> bytes:
    """The bytes of an answer; `length` is announced instead of the true one, -1 for none."""
    announced = len(body) if length is None else length
    fields = [*lines, *([f"Content-Length: {announced}"] if announced >= 0 else [])]
    return "\r\n".join([f"HTTP/1.1 {status}", *fields, "", ""]).encode() + body


def says(answer: bytes) -> Behaviour:
    """Sends this and closes."""
    return lambda caller: caller.sock.sendall(answer)


def redirects(to: str) -> Behaviour:
    """Sends the client elsewhere."""
    return says(page(b"", f"Location: {to}", status="302 Found"))


def trickles(head: bytes, piece: bytes, *, every: float = 0.02) -> Behaviour:
    """Sends `head` and then a piece now and then, for ever."""

    def behave(caller: Caller) -> None:
        caller.sock.sendall(head)
        while not caller.pause(every):
            caller.sock.sendall(piece)

    return behave


def floods(head: bytes, block: bytes) -> Behaviour:
    """Sends `head` and then blocks as fast as they are taken, for ever."""

    def behave(caller: Caller) -> None:
        caller.sock.sendall(head)
        while not caller.stopped.is_set():
            caller.sock.sendall(block)

    return behave


def hangs(caller: Caller) -> None:
    """Says nothing."""
    caller.pause(PATIENCE)


def bomb(mebibytes: int, *, wbits: int = 31) -> bytes:
    """A gzip stream (`wbits=15`: zlib) of that many MiB of zeros, made in milliseconds.

    After a full flush deflate has no memory, so the same bytes stand for one more MiB each time.
    The checksum at its end is wrong, which nobody learns who stops in time.
    """
    squeezer = zlib.compressobj(9, zlib.DEFLATED, wbits)
    first, again = (
        squeezer.compress(bytes(1024 * 1024)) + squeezer.flush(zlib.Z_FULL_FLUSH) for _ in range(2)
    )
    return first + again * (mebibytes - 1) + squeezer.flush(zlib.Z_FINISH)
