"""Decode a PNG and encode it again, so that only its pixels are stored and served.

    chunks, each with its checksum ─► size and depth ─► pixels, exactly as many ─► a new file

PNG, third edition, https://www.w3.org/TR/png-3/. Interlaced pictures are refused: hardly any site
uses them.
"""

import struct
import zlib
from collections.abc import Iterator

SIGNATURE = b"\x89PNG\r\n\x1a\n"
LARGEST_FILE = 4_000_000
LARGEST_SIDE = 4096
MOST_BYTES = 32_000_000
"""Bytes of the decoded pixels: 8 million pixels of four bytes."""

_HEADER = struct.Struct(">IIBBBBB")
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
"""Samples per pixel, by colour type: grey, RGB, palette, and the first two with alpha."""
_DEPTHS = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}
_PALETTE = 3
_MOST_COLOURS = 256
_FILTERS = 5


class NotAPicture(Exception):
    """The bytes are not a PNG that we show; the text gives the reason."""


def reencoded(data: bytes) -> tuple[int, int, bytes]:
    """Width, height and the bytes of a new file with the same pixels. Raises NotAPicture."""
    if len(data) > LARGEST_FILE:
        raise NotAPicture(f"the file is larger than {LARGEST_FILE:,} bytes")
    chunks = list(_chunks(data))
    if [kind for kind, _ in chunks[:1]] != [b"IHDR"] or len(chunks[0][1]) != _HEADER.size:
        raise NotAPicture("the file has no header")
    width, height, depth, colours, *methods = _HEADER.unpack(chunks[0][1])
    if not (0 < width <= LARGEST_SIDE and 0 < height <= LARGEST_SIDE):
        raise NotAPicture(f"a picture of {width} by {height} is not shown")
    if depth not in _DEPTHS.get(colours, ()) or any(methods):
        raise NotAPicture("its colours or its interlacing are not shown")
    kept = [one for one in chunks if one[0] in {b"PLTE", b"tRNS"}]
    palette = [body for kind, body in kept if kind == b"PLTE"]
    if colours == _PALETTE and (len(palette) != 1 or len(palette[0]) % 3):
        raise NotAPicture("it has no palette")
    if any(len(body) > 3 * _MOST_COLOURS for _, body in kept):
        raise NotAPicture("its palette is too large")
    row = 1 + (width * depth * _CHANNELS[colours] + 7) // 8
    pixels = _pixels(b"".join(body for kind, body in chunks if kind == b"IDAT"), row, height)
    written = [chunks[0], *kept, (b"IDAT", zlib.compress(pixels)), (b"IEND", b"")]
    return width, height, SIGNATURE + b"".join(_chunk(kind, body) for kind, body in written)


def _pixels(packed: bytes, row: int, height: int) -> bytes:
    """The rows of a picture, each with its filter byte. Never unpacks more than that."""
    length = row * height
    if length > MOST_BYTES:
        raise NotAPicture("it has too many pixels")
    unpacker = zlib.decompressobj()
    try:
        pixels = unpacker.decompress(packed, length + 1)
    except zlib.error as error:
        raise NotAPicture("its pixels cannot be unpacked") from error
    if len(pixels) != length or not unpacker.eof:
        raise NotAPicture("it has more or fewer pixels than its header says")
    if max(pixels[::row]) >= _FILTERS:
        raise NotAPicture("its rows have no valid filter")
    return pixels


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The kind and the content of each chunk, to the end of the picture."""
    if not data.startswith(SIGNATURE):
        raise NotAPicture("it is not a PNG")
    place = len(SIGNATURE)
    while place + 12 <= len(data):
        (length,) = struct.unpack_from(">I", data, place)
        kind, end = data[place + 4 : place + 8], place + 8 + length
        if end + 4 > len(data):
            break
        (checksum,) = struct.unpack_from(">I", data, end)
        if zlib.crc32(data[place + 4 : end]) != checksum:
            raise NotAPicture("it was damaged in transit")
        if kind == b"IEND":
            return
        yield kind, data[place + 8 : end]
        place = end + 4
    raise NotAPicture("the file ends early")


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
