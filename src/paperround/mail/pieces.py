"""Bytes that are made once and cut where values go that differ from mail to mail.

While shared bytes are made, marks stand where those values go: words of 40 characters, as long as
a token and never broken in two, so that every line folds as it will with the real values. They are
random, so nothing that a source or a reader wrote can look like one.
"""

import re
import secrets
from collections import OrderedDict
from collections.abc import Callable, Collection, Sequence
from operator import itemgetter
from typing import Generic, NamedTuple, TypeVar

from paperround.domain.errors import RenderingFailed
from paperround.domain.tokens import TOKEN_LENGTH
from paperround.mail.dkim import Signable, canonical_lines, prepared
from paperround.mail.quoted_printable import encode
from paperround.mail.sendable import are_ready

Key = TypeVar("Key")
Value = TypeVar("Value")


def new_mark() -> str:
    """A word that stands nowhere else."""
    return secrets.token_hex(TOKEN_LENGTH // 2)


class Tokens(NamedTuple):
    """The ends of a reader's four links."""

    unsubscribe: str
    preferences: str
    one_click: str
    feedback: str


class Encoded(NamedTuple):
    """Whole lines, quoted-printable and ready for the wire, and the same as a signature sees
    them."""

    plain: bytes
    canonical: bytes


def encoded(text: str, unbroken: Collection[str] = ()) -> Encoded:
    """`text`, whose last line is ended, in quoted-printable."""
    return as_signed(encode(text, unbroken=unbroken).encode("ascii"))


def as_signed(lines: bytes) -> Encoded:
    """`lines` with what a signature sees of them; one object where that is the same. Raises
    RenderingFailed where they are not ready for the wire."""
    require_ready(lines)
    canonical = canonical_lines(lines)
    return Encoded(lines, lines if canonical == lines else canonical)


def require_ready(lines: bytes) -> None:
    """Raise RenderingFailed unless `lines` can be put on a wire as they are."""
    if not are_ready(lines):
        raise RenderingFailed("a line does not end in CRLF, or begins with a full stop")


_DIFFERENCE = re.compile(rb"[^\0]")

_UNFILLED = (b"", b"")
"""What stands in wide slots until they are filled: there are two at most."""


class Slices(NamedTuple):
    """Bytes cut at their slots: every second piece is a gap, for what `pick` takes out of the
    values. `wide` are the places of gaps that take several pieces at once, each once only."""

    pieces: tuple[bytes, ...]
    pick: Callable[[Sequence[bytes]], tuple[bytes, ...]]
    wide: tuple[int, ...] = ()

    def fill(self, values: Sequence[bytes], *pieces: Sequence[bytes]) -> bytes:
        """The bytes with one value in each slot, and with `pieces` in the wide ones."""
        whole = list(self.pieces)
        whole[1::2] = self.pick((*values, *_UNFILLED[: len(pieces)]))
        for place, several in zip(reversed(self.wide), reversed(pieces), strict=False):
            whole[place : place + 1] = several
        return b"".join(whole)


def cut_apart(one: bytes, other: bytes) -> tuple[bytes, ...]:
    """`one` without the bytes in which it differs from `other`, which is as long, cut there."""
    differing = int.from_bytes(one) ^ int.from_bytes(other)
    places = [found.start() for found in _DIFFERENCE.finditer(differing.to_bytes(len(one)))]
    starts = [0, *(place + 1 for place in places)]
    return tuple(one[start:end] for start, end in zip(starts, [*places, len(one)], strict=True))


def cut_at(pieces: Sequence[bytes | int]) -> Slices:
    """Bytes and, by the place of their values, the gaps between them, in order."""
    whole, order = [b""], list[int]()
    for piece in pieces:
        if isinstance(piece, int):
            order.append(piece)
            whole += (b"", b"")
        else:
            whole[-1] += piece
    return Slices(tuple(whole), _picker(order))


def sliced(content: bytes, slots: Sequence[bytes], wide: int = 0) -> Slices:
    """`content` cut at `slots`; each may stand there any number of times. The last ones of them,
    `wide` in number and in the order they stand there, are wide."""
    pieces = re.split(b"(%b)" % b"|".join(map(re.escape, slots)), content)
    order = [slots.index(piece) for piece in pieces[1::2]]
    first_wide = len(slots) - wide
    places = [2 * at + 1 for at, slot in enumerate(order) if slot >= first_wide]
    return Slices(tuple(pieces), _picker(order), tuple(places))


def _picker(order: Sequence[int]) -> Callable[[Sequence[bytes]], tuple[bytes, ...]]:
    """Picks by position, in one call of C where there are several."""
    if len(order) < 2:
        return lambda values: tuple(values[at] for at in order)
    pick: Callable[[Sequence[bytes]], tuple[bytes, ...]] = itemgetter(*order)
    return pick


class Whole(NamedTuple):
    """A message with slots, and the same as its signatures see it."""

    names: tuple[str, ...]
    message: Slices
    head: Slices
    body: Slices

    def signable(self, values: Sequence[bytes], *pieces: Sequence[bytes]) -> Signable:
        """The message with `values` and `pieces`, which are canonical, as its signatures see it."""
        return Signable(self.names, self.head.fill(values), self.body.fill(values, *pieces))


def whole(content: bytes, slots: Sequence[bytes], wide: int = 0) -> Whole:
    """The message `content` cut at `slots`, the last `wide` of which are wide in its body. Raises
    RenderingFailed where it is not ready for the wire."""
    require_ready(content)
    canonical = prepared(content)
    return Whole(
        names=canonical.names,
        message=sliced(content, slots, wide),
        head=sliced(canonical.head, slots),
        body=sliced(canonical.body, slots, wide),
    )


class Recent(Generic[Key, Value]):
    """The last `most` values that were kept. Threads may share one: what one of them drops is
    made again."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._values: OrderedDict[Key, Value] = OrderedDict()
        self.get = self._values.get

    def keep(self, key: Key, value: Value) -> Value:
        """Keep `value`; the oldest is dropped where there is no more room."""
        self._values[key] = value
        while len(self._values) > self._most:
            self._values.popitem(last=False)
        return value

    def __len__(self) -> int:
        return len(self._values)
