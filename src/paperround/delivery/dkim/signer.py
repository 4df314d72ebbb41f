"""Sign email with DKIM (RFC 6376, with the algorithms of RFC 8301 and RFC 8463).

Both canonicalisations are `relaxed`, so a relay may refold a field or strip trailing whitespace.
`h=` names every field of the message, and some once more than they occur: adding a second From, or
a Reply-To where there was none, breaks the signature. There is no `l=` (appended text must not
count as signed) and no `x=`. `t=` is the Date of the message, and neither RSA with PKCS #1 padding
nor Ed25519 is randomised: the same message and keys give the same bytes.

A message is canonicalised once (`prepared`), then signed with each key.
"""

import base64
import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256

OVERSIGNED = (
    *("From", "To", "Cc", "Reply-To", "Subject", "Date", "Message-ID"),
    *("MIME-Version", "Content-Type"),
)
"""Fields that readers and mail programs act on (RFC 6376 section 8.15). Adding one breaks the
signature, whether or not the message has one."""

ONCE_ONLY = ("List-Unsubscribe", "List-Unsubscribe-Post")
"""Adding one of these breaks the signature of a message that already has one. Some relays add them
to messages without."""

_LINE = 76
_FIELD_BREAK = re.compile(rb"\r\n(?![ \t])")
_BLANKS = re.compile(rb"[ \t\r\n]+")
_FOLD = "\r\n "
_PKCS1, _SHA256 = PKCS1v15(), SHA256()


class Algorithm(StrEnum):
    """The algorithm of a key, as named in a DNS record."""

    RSA = "rsa"
    ED25519 = "ed25519"


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A private key and the DNS selector of its public half."""

    selector: str
    private: RSAPrivateKey | Ed25519PrivateKey = field(repr=False)

    @property
    def algorithm(self) -> Algorithm:
        """The algorithm of the key."""
        is_rsa = isinstance(self.private, RSAPrivateKey)
        return Algorithm.RSA if is_rsa else Algorithm.ED25519

    def sign(self, text: bytes) -> bytes:
        """Return the signature of `text`. Ed25519 signs its SHA-256 (RFC 8463 section 3)."""
        if isinstance(self.private, RSAPrivateKey):
            return self.private.sign(text, _PKCS1, _SHA256)
        return self.private.sign(hashlib.sha256(text).digest())


class Signable(NamedTuple):
    """A canonicalised message."""

    names: tuple[str, ...]
    """The names of the fields, in order."""
    head: bytes
    """The canonical fields, each with its CRLF."""
    body: bytes
    """The canonical body."""


class Signer:
    """Sign messages for `domain` with each of `keys`."""

    def __init__(self, domain: str, keys: Sequence[SigningKey]) -> None:
        self._domain = domain
        self._keys = tuple(keys)

    def sign(self, content: bytes, at: datetime) -> bytes:
        """Return `content` with signatures dated `at` prepended."""
        return self.fields(prepared(content), at) + content

    def fields(self, message: Signable, at: datetime) -> bytes:
        """Return the DKIM-Signature fields of `message`, each with its CRLF."""
        body_hash = base64.b64encode(hashlib.sha256(message.body).digest()).decode("ascii")
        when = int(at.timestamp())
        return b"".join(self._field(key, message, when, body_hash) for key in self._keys)

    def _field(self, key: SigningKey, message: Signable, when: int, body_hash: str) -> bytes:
        start = _start(key.algorithm, self._domain, key.selector, message.names)
        unsigned = f"{start}t={when}; bh={body_hash};{_FOLD}b="
        canonical = f"dkim-signature:{unsigned.replace(_FOLD, ' ')}".encode("ascii")
        signature = base64.b64encode(key.sign(message.head + canonical)).decode("ascii")
        # The first line begins after ` b=`.
        width = _LINE - len(" b=")
        lines = [signature[at : at + width] for at in range(0, len(signature), width)]
        return f"DKIM-Signature: {unsigned}{_FOLD.join(lines)}\r\n".encode("ascii")


def prepared(content: bytes) -> Signable:
    """Canonicalise `content`, which has CRLF line ends.

    Each field must occur once, which `headers.check` ensures: RFC 6376 section 5.4.2 signs repeated
    fields from the last to the first.
    """
    head, _, body = content.partition(b"\r\n\r\n")
    fields = [one.partition(b":") for one in _FIELD_BREAK.split(head)]
    # RFC 6376 section 3.4.2: lower case, unfolded.
    return Signable(
        names=tuple(name.decode("ascii").strip() for name, _, _ in fields),
        head=b"".join(
            b"%b:%b\r\n" % (name.strip().lower(), canonical_value(value))
            for name, _, value in fields
        ),
        body=canonical_body(body),
    )


def canonical_body(body: bytes) -> bytes:
    """Canonicalise a body (RFC 6376 section 3.4.4): collapse whitespace, strip it at line ends, and
    drop trailing empty lines. An empty body stays empty."""
    text = canonical_lines(body + b"\r\n").rstrip(b"\r\n")
    return text + b"\r\n" if text else b""


def canonical_lines(lines: bytes) -> bytes:
    """Canonicalise whole lines of a body, each with its CRLF. Except for trailing empty lines, the
    result does not depend on the other lines."""
    text = lines.replace(b"\t", b" ")
    while b"  " in text:
        text = text.replace(b"  ", b" ")
    return text.replace(b" \r\n", b"\r\n")


def canonical_value(value: bytes) -> bytes:
    """Canonicalise the value of a field: unfold it and collapse whitespace."""
    return _BLANKS.sub(b" ", value).strip()


@lru_cache(maxsize=64)
def _start(algorithm: Algorithm, domain: str, selector: str, names: tuple[str, ...]) -> str:
    """Return a signature up to its time, the same for all messages with the same fields."""
    signed = ":".join((*names, *OVERSIGNED, *(name for name in ONCE_ONLY if name in names)))
    lines = [
        f"v=1; a={algorithm}-sha256; c=relaxed/relaxed;",
        f"d={domain}; s={selector};",
        *_wrap(f"h={signed};"),
    ]
    return _FOLD.join(lines) + _FOLD


def _wrap(text: str) -> Iterable[str]:
    """Split `text` into lines, after colons only."""
    line = ""
    for word in re.findall(r"[^:]+:?", text):
        if len(line) + len(word) >= _LINE:
            yield line
            line = ""
        line += word
    yield line
