"""Answers that are written while they are made, so that a long one takes no more memory."""

from collections.abc import Iterable, Iterator
from itertools import chain

from fastapi.responses import StreamingResponse

PIECE = 32 * 1024
"""Characters that are sent at once, at least; fewer at the end."""


def streamed(pieces: Iterator[str], *, media_type: str, name: str) -> StreamingResponse:
    """A file called `name`, made of `pieces` as they come.

    The first of them is made before the answer begins: a failure until then is answered as any
    other is. One that comes later breaks the connection off, so that nobody takes a part for the
    whole.
    """
    gathered = _gathered(pieces)
    first = next(gathered, b"")
    headers = {"content-disposition": f'attachment; filename="{name}"'}
    return StreamingResponse(chain((first,), gathered), headers=headers, media_type=media_type)


def _gathered(pieces: Iterator[str]) -> Iterator[bytes]:
    """The same in larger pieces: each of them costs a turn of the server's loop."""
    waiting: list[str] = []
    size = 0
    for piece in pieces:
        waiting.append(piece)
        size += len(piece)
        if size >= PIECE:
            yield _encoded(waiting)
            waiting, size = [], 0
    if waiting:
        yield _encoded(waiting)


def _encoded(pieces: Iterable[str]) -> bytes:
    """Half a character, which JSON can say and UTF-8 cannot, becomes a question mark."""
    return "".join(pieces).encode("utf-8", "replace")
