"""The words of a mail that came back, whatever its charset, and however broken its parts are."""

import re
from email.header import decode_header, make_header
from email.message import Message
from html import unescape

_COPY = re.compile(
    r"^[ \t>]*(?:"
    r"--.*(?:copy of|below this line|original message|message header|returned message).*"
    r"|-{3,} ?(?:unsent|undelivered|message|headers?)\b.*"
    r"|(?:received|return-path|dkim-signature|list-unsubscribe):\s.*"
    r")$",
    re.I | re.M,
)
_BREAKS = re.compile(r"<(?:br|/?p|/?div|/?tr)\b[^<>]*>", re.I)
_TAG = re.compile(r"<[^<>]+>")
_JAPANESE = "\x1b$"


def field(part: Message, name: str) -> str:
    """A field on one line; empty when it is not there. Some put UTF-8 or Japanese into it as it
    is."""
    value = " ".join(_as_it_came(part, name).split())
    if _JAPANESE in value:
        return value.encode("latin-1", "replace").decode("iso-2022-jp", "replace")
    return _decoded(value) if "=?" in value else value


def _as_it_came(part: Message, name: str) -> str:
    """The library itself gives a question mark for each byte that is no ASCII."""
    found = (str(value) for one, value in part.raw_items() if one.lower() == name.lower())
    return next(found, "").encode("utf-8", "surrogateescape").decode("utf-8", "replace")


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
    return unescape(_TAG.sub(" ", _BREAKS.sub("\n\n", text)))


def unparted(raw: bytes) -> str:
    """The body as it came, for mails whose parts cannot be told apart; line ends are newlines."""
    return raw.partition(b"\n\n")[2].decode("utf-8", "replace")


def before_the_copy(text: str) -> str:
    """What stands before the copy of the mail that came back."""
    match = _COPY.search(text)
    return text if match is None else text[: match.start()]
