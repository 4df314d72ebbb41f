"""A bad line between this host and a server: a TCP proxy that fails to order.

    with Proxy(("127.0.0.1", 25), to_server=[Latency(0.05)], to_client=[Slicer(7)]) as line:
        connect to line.port
        line.cut()                                   every connection that is open is reset
        line.pull_the_plug() ... line.plug_in()      and none is made meanwhile
        line.trip(Tripwire(b"COMMIT", heard=True))   the next COMMIT is heard, its answer is not

The server is a (host, port), or the path of a socket. It runs in threads of its own. Connections
are numbered, and connection n draws from a chance seeded by the proxy's seed and n: which of the
toxics it has (each with probability `share`), and all that these draw.
"""

import socket
import struct
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from threading import Event, Lock, Thread

from tests.listening import Listener
from tests.reliability.toxics import Cut, Ended, Line, Pieces, Toxic

Server = tuple[str, int] | Path

PIECE = 65536
_RESET = struct.pack("ii", 1, 0)


@dataclass(slots=True)
class Tripwire:
    """Cuts the connection whose client says `word` next: at once, or when it was `heard` and the
    first of the answer is on its way back. `sprung` once it has. One that `unplugs` also pulls the
    plug."""

    word: bytes
    heard: bool
    unplugs: bool = False
    sprung: Event = field(default_factory=Event)


class Proxy(Listener):
    """Passes on what is said on 127.0.0.1 while its `with` block lasts."""

    def __init__(
        self,
        server: Server,
        *,
        to_server: Sequence[Toxic] = (),
        to_client: Sequence[Toxic] = (),
        share: float = 1.0,
        seed: int = 0,
    ) -> None:
        self.connections = 0
        self.lost = 0
        self.server = server
        self.toxics = {True: tuple(to_server), False: tuple(to_client)}
        self.idle = Event()
        self._share = share
        self._seed = seed
        self._lock = Lock()
        self._plugged = True
        self._tripwire: Tripwire | None = None
        self._links: set[_Link] = set()
        super().__init__("proxy")

    def hang_up(self) -> None:
        """Reset every connection that is open now."""
        self.cut()

    def cut(self) -> int:
        """Reset every connection that is open now; returns how many."""
        with self._lock:
            links = list(self._links)
        return sum(link.end(reset=True) for link in links)

    def pull_the_plug(self) -> None:
        """Reset what is open, and whoever connects from now on."""
        self._plugged = False
        self.cut()

    def plug_in(self) -> None:
        """Take connections again."""
        self._plugged = True

    def trip(self, wire: Tripwire) -> Tripwire:
        """Lay a tripwire for one connection, instead of any that lies."""
        self._tripwire = wire
        return wire

    def trips(self, piece: bytes) -> Tripwire | None:
        """The tripwire that a client's `piece` meets, taken up: it springs once."""
        with self._lock:
            wire = self._tripwire
            if wire is None or wire.word not in piece:
                return None
            self._tripwire = None
        return wire

    def leave(self, link: "_Link", *, lost: bool) -> None:
        """A connection is over; `lost` when this proxy ended it."""
        with self._lock:
            self._links.discard(link)
            self.lost += lost
            if not self._links:
                self.idle.set()

    def _chance(self) -> Random:
        return Random(f"{self._seed}/{self.connections}")  # noqa: S311 - the same choices each time

    def meet(self, sock: socket.socket) -> None:
        """Connect a client to the server, or turn it away while there is none."""
        self.connections += 1
        server = _connected(self.server) if self._plugged else None
        if server is None:
            _close(sock, reset=True)
            return
        link = _Link(self, sock, server, self._chance())
        with self._lock:
            self._links.add(link)
        for to_server in (True, False):
            chosen = [one for one in self.toxics[to_server] if link.chance.random() < self._share]
            drawing = Random(link.chance.random())  # noqa: S311 - a fault, and no secret
            way = (to_server, chosen, Line(drawing, link.over.wait))
            thread = Thread(target=link.pump, args=way, daemon=True)
            self.threads.append(thread)
            thread.start()


class _Link:
    """One connection through the proxy: two sockets, and a thread for each direction."""

    def __init__(
        self, proxy: Proxy, client: socket.socket, server: socket.socket, chance: Random
    ) -> None:
        self._proxy = proxy
        self._ends = (client, server)
        self.chance = chance
        self.over = Event()
        self._wire: Tripwire | None = None
        self._lock = Lock()
        for end in self._ends:
            if end.family != socket.AF_UNIX:
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def pump(self, to_server: bool, toxics: Sequence[Toxic], line: Line) -> None:
        """Pass on what one end says until either is gone."""
        source, sink = self._ends if to_server else reversed(self._ends)
        pieces = self._heard(source)
        for toxic in toxics:
            pieces = toxic.pass_on(pieces, line)
        try:
            for piece in pieces:
                self._pass(piece, sink, to_server)
            if not self.over.is_set():  # the other direction may go on
                sink.shutdown(socket.SHUT_WR)
        except Ended:
            self.end(reset=False)
        except Cut:
            self.end(reset=True)
        except OSError:
            self._finish()
        if self.over.is_set() or not to_server:
            self._finish()

    def _heard(self, source: socket.socket) -> Pieces:
        while piece := source.recv(PIECE):
            yield piece

    def _pass(self, piece: bytes, sink: socket.socket, to_server: bool) -> None:
        if not to_server and self._wire is not None:
            self._spring(self._wire)
        wire = self._proxy.trips(piece) if to_server else None
        if wire is not None and not wire.heard:
            self._spring(wire)
        self._wire = wire or self._wire
        sink.sendall(piece)

    def _spring(self, wire: Tripwire) -> None:
        wire.sprung.set()
        if wire.unplugs:
            self._proxy.pull_the_plug()
        raise Cut

    def end(self, *, reset: bool) -> bool:
        """End both directions; False when they had ended already."""
        with self._lock:
            if self.over.is_set():
                return False
            self.over.set()
        for end in self._ends:
            _close(end, reset=reset)
        self._proxy.leave(self, lost=True)
        return True

    def _finish(self) -> None:
        """One of the ends went by itself."""
        with self._lock:
            over = self.over.is_set()
            self.over.set()
        if not over:
            for end in self._ends:
                _close(end, reset=False)
            self._proxy.leave(self, lost=False)


def _connected(server: Server) -> socket.socket | None:
    """A connection to the server, None while it takes none."""
    made = socket.socket(socket.AF_UNIX if isinstance(server, Path) else socket.AF_INET)
    try:
        made.connect(str(server) if isinstance(server, Path) else server)
    except OSError:
        made.close()
        return None
    return made


def _close(sock: socket.socket, *, reset: bool) -> None:
    """Close it, whoever reads from it; by a reset its other end loses what it has not read."""
    with suppress(OSError):
        if reset and sock.family != socket.AF_UNIX:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        else:
            sock.shutdown(socket.SHUT_RDWR)
        if reset:
            sock.shutdown(socket.SHUT_RD)  # wakes the thread that reads from it
    sock.close()
