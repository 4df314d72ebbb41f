"""Bytes of bibliographies and tables as text, whatever program saved them.

    byte order mark or NULs ─► UTF-16
    else UTF-8, and bytes that are none as windows-1252, where they stand alone among Latin letters

Bytes that stay undecoded come as surrogates (`surrogateescape`), so that only their entry is lost.
"""

import codecs
import re

_MARKS = (
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_FOREIGN = re.compile("[\udc80-\udcff]+")
_MOST_TOGETHER = 3
"""Accented letters next to each other; longer runs are of a script that is not Latin."""


def text_of_bytes(content: bytes) -> str:
    """The text without its byte order mark; surrogates stand for bytes that are no text."""
    charset = _utf_16(content)
    if charset:
        return content.decode(charset, "replace").lstrip("\ufeff")
    text = content.decode("utf-8-sig", "surrogateescape")
    # Lone foreign bytes are windows-1252; a text of another script has them in rows, and stays.
    if any(len(found[0]) > _MOST_TOGETHER for found in _FOREIGN.finditer(text)):
        return text
    return _FOREIGN.sub(_as_latin, text)


def is_utf_16(content: bytes) -> bool:
    """Whether `content` is UTF-16, which no other reader takes."""
    return _utf_16(content) is not None


def _utf_16(content: bytes) -> str | None:
    """Marked, or plain: a bibliography begins with a sign of ASCII, so that one byte of it is 0."""
    for mark, name in _MARKS:
        if content.startswith(mark):
            return name
    head = content[:4]
    if (
        len(head) == 4
        and head.count(0) == 2
        and (head[0] == head[2] == 0 or head[1] == head[3] == 0)
    ):
        return "utf-16-be" if head[0] == 0 else "utf-16-le"
    return None


def _as_latin(match: re.Match[str]) -> str:
    try:
        return match[0].encode("utf-8", "surrogateescape").decode("cp1252")
    except UnicodeDecodeError:
        return match[0]
