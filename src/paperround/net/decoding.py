"""Undoing a content encoding within bounds: a few bytes on the wire may stand for gigabytes."""

import zlib
from collections.abc import Iterable, Iterator

from paperround.domain.errors import FetchFailed, FetchRefused
from paperround.net.limits import MIB

ACCEPTED = "gzip, deflate"

_GZIP, _ZLIB, _RAW = 31, 15, -15
_STEP = 64 * 1024


def decoded(chunks: Iterable[bytes], *, encoding: str, limit: int) -> bytes:
    """The body that `chunks` are, of at most `limit` bytes.

    `encoding` is the content-encoding header, empty when there was none. Raises FetchRefused for
    an encoding that we did not ask for, for two layers of it and for a body that is too large,
    FetchFailed for one that is broken or ends early.
    """
    # Not a list of pieces: millions of them, two bytes each, would take far more than the limit.
    body = bytearray()
    for piece in _pieces(chunks, _layer(encoding)):
        body += piece
        if len(body) > limit:
            raise FetchRefused(
                f"sends a body of more than {limit / MIB:g} MiB, and we take no more"
            )
    return bytes(body)


def _layer(encoding: str) -> str:
    names = [name.strip().lower() for name in encoding.split(",")]
    layers = [name for name in names if name not in ("", "identity")]
    if len(layers) > 1:
        raise FetchRefused("sends a body that is encoded more than once")
    layer = layers[0] if layers else ""
    if layer not in ("", "gzip", "x-gzip", "deflate"):
        raise FetchRefused(f"sends a body in an encoding that is none of {ACCEPTED}")
    return layer


def _pieces(chunks: Iterable[bytes], layer: str) -> Iterator[bytes]:
    return _inflated(chunks, layer) if layer else iter(chunks)


def _inflated(chunks: Iterable[bytes], layer: str) -> Iterator[bytes]:
    inflater = None
    for chunk in chunks:
        inflater = inflater or zlib.decompressobj(_format(layer, chunk))
        yield from _steps(inflater, chunk)
        if inflater.unused_data:
            raise FetchFailed("sent a compressed body with something after its end")
    if inflater and not inflater.eof:
        raise FetchFailed("sent a compressed body that ends early")


def _steps(inflater: "zlib._Decompress", data: bytes) -> Iterator[bytes]:
    """What `data` stands for, never more than one step of it in memory."""
    try:
        while piece := inflater.decompress(data, _STEP):
            yield piece
            data = inflater.unconsumed_tail
    except zlib.error:
        raise FetchFailed("sent a compressed body that is broken") from None


def _format(layer: str, start: bytes) -> int:
    """The window bits for zlib. Some servers call a bare stream without zlib's head `deflate`."""
    if layer != "deflate":
        return _GZIP
    return _ZLIB if start[0] & 0x0F == 8 else _RAW
