"""Decode bibliographies and tables saved by any program.

    byte order mark or NULs ─► UTF-16
    else UTF-8, with isolated invalid bytes among Latin letters as windows-1252

Bytes that stay undecoded become surrogates (`surrogateescape`), so that only their entry is lost.
"""

import codecs
import re

_MARKS = ((codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_UNDECODED = re.compile("[\udc80-\udcff]+")
_LONGEST_RUN = 3
"""Adjacent accented letters; longer runs belong to a script that is not Latin."""


def text_of_bytes(content: bytes) -> str:
    """Decode without the byte order mark; undecodable bytes become surrogates."""
    charset = _utf_16(content)
    if charset:
        return content.decode(charset, "replace").lstrip("\ufeff")
    text = content.decode("utf-8-sig", "surrogateescape")
    # Isolated invalid bytes are windows-1252; text in another script has runs of them and is kept.
    if any(len(found[0]) > _LONGEST_RUN for found in _UNDECODED.finditer(text)):
        return text
    return _UNDECODED.sub(_decode_cp1252, text)


def is_utf_16(content: bytes) -> bool:
    """Return whether `content` is UTF-16, which no other reader accepts."""
    return _utf_16(content) is not None


def _utf_16(content: bytes) -> str | None:
    """Return the UTF-16 charset by its mark, or by the zeros beside two ASCII characters."""
    for mark, name in _MARKS:
        if content.startswith(mark):
            return name
    zeros = [byte == 0 for byte in content[:4]]
    if zeros == [True, False, True, False]:
        return "utf-16-be"
    return "utf-16-le" if zeros == [False, True, False, True] else None


def _decode_cp1252(match: re.Match[str]) -> str:
    try:
        return match[0].encode("utf-8", "surrogateescape").decode("cp1252")
    except UnicodeDecodeError:
        return match[0]
