"""The words of a mail that came back, whatever its charset, and however broken its parts are."""

import re
from email.header import decode_header, make_header
from email.message import Message
from html import unescape

MOST_LINES = 20_000
"""Lines of a mail that are read. Of an honest one as long as we read there are eight thousand."""
LONGEST_LINE = 4096
"""Bytes of a line; a mail's own are 998 at most (RFC 5322 section 2.1.1)."""
LONGEST_FOLDED = 16 * 1024
"""Bytes of the lines in a row that go on one before: a field, or words that are set in."""
MOST_BOUNDARIES = 30
"""Of parts in parts; each is looked for in every line. A report with a copy of ours has two."""
LONGEST_FIELD = 2000
"""Characters of a field that are read."""

_COPY = re.compile(
    r"^[ \t>]*(?:"
    r"--.*(?:copy of|below this line|original message|message header|returned message).*"
    r"|-{3,} ?(?:unsent|undelivered|message|headers?)\b.*"
    r"|(?:received|return-path|dkim-signature|list-unsubscribe):\s.*"
    r")$",
    re.I | re.M,
)
_BREAKS = re.compile(r"<(?:br|/?p|/?div|/?tr)\b[^<>]*>", re.I)
_STYLE = re.compile(r"<(?:style|script)\b", re.I)
_STYLE_ENDS = re.compile(r"</(?:style|script)\s*>", re.I)
_TAG = re.compile(r"<[^<>]+>")
_JAPANESE = "\x1b$"
_BOUNDARY = re.compile(rb"boundary", re.I)
_GOES_ON = (b" ", b"\t")
_ROW = re.compile(rb"(?:\n[ \t][^\n]*)+")
"""Lines that go on one before."""


def plain_of(raw: bytes) -> bytes:
    """The mail with newlines for line ends, without whatever would keep a reader busy and no
    honest mail has: lines and fields without an end, parts in parts in parts."""
    plain = raw.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    lines = plain.split(b"\n")
    if len(lines) > MOST_LINES or max(map(len, lines)) > LONGEST_LINE:
        plain = b"\n".join([line[:LONGEST_LINE] for line in lines[:MOST_LINES]])
    if sum(len(line) for line in lines if line.startswith(_GOES_ON)) > LONGEST_FOLDED:
        plain = _ROW.sub(_start_of_row, plain)
    if plain.lower().count(b"boundary") > MOST_BOUNDARIES:
        plain = _BOUNDARY.sub(b"-", plain)
    return plain


def _start_of_row(row: re.Match[bytes]) -> bytes:
    return row[0][:LONGEST_FOLDED]


def field(part: Message, name: str) -> str:
    """A field on one line; empty when it is not there. Some put UTF-8 or Japanese into it as it
    is."""
    # The library itself gives a question mark for each byte that is no ASCII.
    found = (str(value) for one, value in part.raw_items() if one.lower() == name.lower())
    came = next(found, "").encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    value = " ".join(came[:LONGEST_FIELD].split())
    if _JAPANESE in value:
        return value.encode("latin-1", "replace").decode("iso-2022-jp", "replace")
    return _decoded(value) if "=?" in value else value


def _decoded(value: str) -> str:
    try:
        return str(make_header(decode_header(value)))
    except (LookupError, ValueError):  # no charset, or no text of that charset
        return value


def is_prose(part: Message) -> bool:
    """Whether people are meant to read it."""
    return part.get_content_type() in ("text/plain", "text/html") and not part.is_multipart()


def prose_of(part: Message) -> str:
    """Its text; tags left out, paragraphs kept."""
    content = part.get_payload(decode=True)
    raw = content if isinstance(content, bytes) else b""
    try:
        text = raw.decode(part.get_content_charset("utf-8"), "replace")
    except (LookupError, ValueError):  # no charset, or none that text can be in
        text = raw.decode("latin-1")
    if part.get_content_type() != "text/html":
        return text
    shown = "".join(_STYLE.split(one, maxsplit=1)[0] for one in _STYLE_ENDS.split(text))
    return unescape(_TAG.sub(" ", _BREAKS.sub("\n\n", shown)))


def unparted(raw: bytes) -> str:
    """The body as it came, for mails whose parts cannot be told apart; line ends are newlines."""
    return raw.partition(b"\n\n")[2].decode("utf-8", "replace")


def before_the_copy(text: str) -> str:
    """What stands before the copy of the mail that came back."""
    match = _COPY.search(text)
    return text if match is None else text[: match.start()]
