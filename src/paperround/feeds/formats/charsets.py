"""Decode XML, bibliographies and tables saved by any program.

    byte order mark, or zeros beside ASCII ─► UTF-16 or UTF-32
    XML   ─► the declared charset, UTF-8, or windows-1252
    other ─► UTF-8, with isolated invalid bytes among Latin letters as windows-1252

Other bytes that stay undecoded become surrogates (`surrogateescape`), so that only their entry is
lost.
"""

import codecs
import re

_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16, whose mark is the start of this one
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_ZEROS: dict[tuple[bool, ...], str] = {
    (False, True, True, True): "utf-32-le",
    (True, True, True, False): "utf-32-be",
    (False, True, False, True): "utf-16-le",
    (True, False, True, False): "utf-16-be",
}
"""Which of the first four bytes are zero."""

_UNDECODED = re.compile("[\udc80-\udcff]+")
_LONGEST_RUN = 3
"""Adjacent accented letters; longer runs belong to a script that is not Latin."""

_DECLARATION = re.compile(
    rb"\s*<\?xml[^>]{0,200}?\bencoding\s*=\s*[\"']([A-Za-z][\w.-]{0,39})[\"']", re.ASCII
)
_READ_CHARSETS = re.compile(
    r"utf-8|iso8859-\d+|cp125\d|koi8-[rut]|mac-\w+|big5|gb2312|gbk|gb18030|shift_jis|cp932"
    r"|euc_(?:jp|kr)|iso2022_jp"
)
"""Python's names of accepted charsets; UTF-7 and codecs of other kinds are left out."""
_LATIN_1 = frozenset({"iso8859-1", "ascii"})


def wide_charset(content: bytes) -> str | None:
    """Return the charset of UTF-16 or UTF-32; None for any other."""
    for mark, name in _MARKS:
        if content.startswith(mark):
            return name
    return _ZEROS.get(tuple(byte == 0 for byte in content[:4]))


def text_of_bytes(content: bytes) -> str:
    """Decode without the byte order mark; undecodable bytes become surrogates."""
    charset = wide_charset(content)
    if charset:
        return content.decode(charset, "replace").lstrip("\ufeff")
    text = content.decode("utf-8-sig", "surrogateescape")
    # Isolated invalid bytes are windows-1252; text in another script has runs of them and is kept.
    if any(len(found[0]) > _LONGEST_RUN for found in _UNDECODED.finditer(text)):
        return text
    return _UNDECODED.sub(_decode_cp1252, text)


def text_of_xml(content: bytes) -> str:
    """Decode XML by its byte order mark, the declared charset, UTF-8 or windows-1252."""
    content = content.removeprefix(codecs.BOM_UTF8)
    for charset in (wide_charset(content) or _declared_charset(content), "utf-8"):
        try:
            return content.decode(charset).lstrip("\ufeff \t\r\n")
        except UnicodeDecodeError:
            continue
    return content.decode("cp1252", "replace").lstrip()


def _declared_charset(content: bytes) -> str:
    """Return the declared charset if accepted; Latin-1 often means cp1252."""
    match = _DECLARATION.match(content)
    try:
        name = codecs.lookup(match[1].decode("ascii")).name if match else "utf-8"
    except LookupError:
        return "utf-8"
    if name in _LATIN_1:
        return "cp1252"
    return name if _READ_CHARSETS.fullmatch(name) else "utf-8"


def _decode_cp1252(match: re.Match[str]) -> str:
    try:
        return match[0].encode("utf-8", "surrogateescape").decode("cp1252")
    except UnicodeDecodeError:
        return match[0]
