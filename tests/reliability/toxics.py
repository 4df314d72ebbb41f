"""What a bad line does to a stream of bytes, after toxiproxy's seven toxics.

A toxic takes the pieces of one direction of one connection and passes them on, later, smaller or
not at all. Each draws from the connection's own seeded chance, so the same seed makes the same
choices. `Ended` ends the connection as a peer would, `Cut` by a reset.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from random import Random
from typing import Protocol

Pieces = Iterator[bytes]


class Ended(Exception):
    """The connection ends here, in order."""


class Cut(Exception):
    """The connection is reset."""


@dataclass(frozen=True, slots=True)
class Line:
    """What a toxic may use of its connection: chance, and a wait that its end cuts short."""

    chance: Random
    wait: Callable[[float], object]


class Toxic(Protocol):
    """Passes the pieces of one direction on."""

    def pass_on(self, pieces: Pieces, line: Line) -> Pieces: ...


@dataclass(frozen=True, slots=True)
class Latency:
    """Each piece comes `seconds` later, give or take `jitter`."""

    seconds: float
    jitter: float = 0.0

    def pass_on(self, pieces: Pieces, line: Line) -> Pieces:
        for piece in pieces:
            line.wait(max(0.0, self.seconds + line.chance.uniform(-self.jitter, self.jitter)))
            yield piece


@dataclass(frozen=True, slots=True)
class Bandwidth:
    """No more than so many bytes a second."""

    rate: int

    def pass_on(self, pieces: Pieces, line: Line) -> Pieces:
        for piece in pieces:
            line.wait(len(piece) / self.rate)
            yield piece


@dataclass(frozen=True, slots=True)
class SlowClose:
    """The end of the stream is told `seconds` after it came."""

    seconds: float

    def pass_on(self, pieces: Pieces, line: Line) -> Pieces:
        yield from pieces
        line.wait(self.seconds)


@dataclass(frozen=True, slots=True)
class Timeout:
    """Nothing gets through once `after` bytes have; `seconds` later the connection ends."""

    seconds: float
    after: int = 0

    def pass_on(self, pieces: Pieces, line: Line) -> Pieces:
        yield from _first(pieces, self.after)
        line.wait(self.seconds)
        raise Ended


@dataclass(frozen=True, slots=True)
class ResetPeer:
    """The connection is reset once `after` bytes have got through."""

    after: int = 0

    def pass_on(self, pieces: Pieces, line: Line) -> Pieces:  # noqa: ARG002 - as all
        yield from _first(pieces, self.after)
        raise Cut


@dataclass(frozen=True, slots=True)
class LimitData:
    """The connection ends, in order, once `after` bytes have got through."""

    after: int

    def pass_on(self, pieces: Pieces, line: Line) -> Pieces:  # noqa: ARG002 - as all
        yield from _first(pieces, self.after)
        raise Ended


@dataclass(frozen=True, slots=True)
class Slicer:
    """Pieces of about `size` bytes, give or take `vary`, each on its own way."""

    size: int
    vary: int = 0

    def pass_on(self, pieces: Pieces, line: Line) -> Pieces:
        for piece in pieces:
            while piece:
                length = max(1, self.size + line.chance.randint(-self.vary, self.vary))
                yield piece[:length]
                piece = piece[length:]


def _first(pieces: Pieces, count: int) -> Pieces:
    """The first `count` bytes; a stream that ends before has no more to give."""
    left = count
    while left > 0:
        piece = next(pieces, None)
        if piece is None:
            raise Ended
        yield piece[:left]
        left -= len(piece)
