"""Encode and check header fields.

The standard library rewrites a long List-Unsubscribe into encoded words, which breaks one-click
unsubscribing, and some of its versions allow a line break in an encoded word. So text is cleaned
first (`header_text`), encoded here (RFC 2047), and the finished bytes are checked against the
expected field names (`check`).

    text_field      text for people: folded at spaces, encoded where necessary
    mailbox_field   a display name and one address
    literal_field   text for machines: never encoded, folded only after a comma
"""

import base64
import re
from collections.abc import Iterable, Sequence

from paperround.core.errors import RenderingFailed
from paperround.core.sender import is_address

LINE = 76
"""The line length for folding (RFC 2047 section 2)."""
_HARD_LIMIT = 998
_WORD = 75
_ENVELOPE = len("=?utf-8?q??=")

_BREAKS = re.compile("[\t\n\x0b\x0c\r\x1c-\x1f\x85\u2028\u2029]+")
_UNWANTED = re.compile(
    "[\x00-\x1f\x7f-\x9f"  # controls
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # bidi marks, embeddings, isolates
    "\u200b\u2060-\u2064\u206a-\u206f\ufeff\ufff9-\ufffb"  # invisible, but not the joiners
    "\ud800-\udfff]"  # halves of characters
)
_SPACES = re.compile(" {2,}")
_LITERAL = re.compile(r"[!-~]+(?: [!-~]+)*")
_ATOMS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~ -]+")
_Q_SAFE = re.compile(r"[A-Za-z0-9!*+/-]")
_BARE_LINE_END = re.compile(rb"(?<!\r)\n|\r(?!\n)")


def one_line(text: str) -> str:
    """Return `text` without control, bidi and invisible characters, with single spaces."""
    if not (text.isascii() and text.isprintable()):
        text = _UNWANTED.sub("", _BREAKS.sub(" ", text))
    if "  " in text:
        text = _SPACES.sub(" ", text)
    return text.strip(" ")


def header_text(text: str) -> str:
    """Return `text` on one clean line without `=?`, which would start an encoded word."""
    return one_line(text).replace("=?", "= ?")


def text_field(name: str, text: str) -> str:
    """Return an unstructured field such as Subject, with its CRLF."""
    words = _words_to_fold(header_text(text), room=LINE - len(name) - 2)
    return _fold(name, words)


def mailbox_field(name: str, display: str, address: str) -> str:
    """Return a field with one mailbox, such as From, with its CRLF.

    Raises RenderingFailed for an address that is not plain ASCII.
    """
    if not is_address(address):
        raise RenderingFailed(f"{name}: the address must be plain ASCII, like papers@example.org")
    shown = header_text(display)
    if not shown:
        return literal_field(name, [address])
    return _fold(name, [*_phrase(shown, LINE - len(name) - 2), f"<{address}>"])


def literal_field(name: str, values: Sequence[str]) -> str:
    """Return a field of printable ASCII, one value per line, with its CRLF.

    Raises RenderingFailed for anything else, and for a line over 998 characters (RFC 5322 2.1.1).
    """
    for value in values:
        if _LITERAL.fullmatch(value) is None:
            raise RenderingFailed(f"{name}: only printable ASCII is allowed")
    lines = f"{name}: " + ",\r\n ".join(values)
    if max(map(len, lines.split("\r\n"))) > _HARD_LIMIT:
        raise RenderingFailed(f"{name}: longer than the {_HARD_LIMIT} characters of a header line")
    return lines + "\r\n"


def check(content: bytes, names: Iterable[str]) -> None:
    """Raise RenderingFailed unless `content` has exactly these header fields, each once.

    Also refuses bytes outside ASCII, a bare CR or LF, and lines over 998 characters.
    """
    head, _, body = content.partition(b"\r\n\r\n")
    found = [line.split(b":", 1)[0] for line in head.split(b"\r\n") if line[:1] not in b" \t"]
    if found != [name.encode("ascii") for name in names] or len(set(found)) != len(found):
        raise RenderingFailed("the header fields are not the ones that were set")
    if not body or not content.isascii() or _BARE_LINE_END.search(content):
        raise RenderingFailed("the message is not ASCII lines that end in CRLF")
    if max(map(len, content.split(b"\r\n"))) > _HARD_LIMIT:
        raise RenderingFailed(f"a line is longer than {_HARD_LIMIT} characters")


def _words_to_fold(text: str, room: int) -> list[str]:
    """Return the words to fold: plain if they are ASCII and fit, else encoded words."""
    words = text.split(" ")
    if text.isascii() and len(words[0]) <= room and all(len(word) < LINE for word in words):
        return words
    return _encoded_words(text, room)


def _phrase(text: str, room: int) -> list[str]:
    if _ATOMS.fullmatch(text):
        return _words_to_fold(text, room)
    if text.isascii() and len(text) + 2 <= room:
        return ['"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"']
    return _encoded_words(text, room)


def _fold(name: str, words: Sequence[str]) -> str:
    """Return the field on lines of at most 76 characters; the first word follows the name."""
    lines = [f"{name}: {words[0]}"]
    for word in words[1:]:
        if len(lines[-1]) + 1 + len(word) <= LINE:
            lines[-1] += f" {word}"
        else:
            lines.append(f" {word}")
    return "\r\n".join(lines) + "\r\n"


def _encoded_words(text: str, room: int) -> list[str]:
    """Return RFC 2047 words of at most 75 characters, all in Q or B, whichever is shorter."""
    q_length = sum(len(_q_encode(character)) for character in text)
    as_q = q_length <= len(base64.b64encode(text.encode()))
    chunks = [""]
    size = 0
    for character in text:
        cost = len(_q_encode(character)) if as_q else len(character.encode())
        limit = (room if len(chunks) == 1 else _WORD) - _ENVELOPE
        if size + cost > (limit if as_q else limit // 4 * 3):
            chunks.append("")
            size = 0
        chunks[-1] += character
        size += cost
    if as_q:
        return [f"=?utf-8?q?{''.join(map(_q_encode, chunk))}?=" for chunk in chunks]
    return [f"=?utf-8?b?{base64.b64encode(one.encode()).decode('ascii')}?=" for one in chunks]


def _q_encode(character: str) -> str:
    """Return the Q form, in the alphabet allowed in display names (RFC 2047 section 5)."""
    if character == " ":
        return "_"
    if _Q_SAFE.fullmatch(character):
        return character
    return "".join(f"={byte:02X}" for byte in character.encode())
