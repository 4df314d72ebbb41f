"""DKIM: signing the bytes of a mail (RFC 6376, with the algorithms of RFC 8301 and RFC 8463).

Both canonicalisations are `relaxed`, so a relay that folds a field anew or loses a blank at the end
of a line breaks nothing. `h=` names every field of the mail, and some once more than they stand
there: a second From, or a Reply-To where there was none, ends the signature. There is no `l=` (what
is appended must not pass for ours) and no `x=`. `t=` is the mail's own Date, and neither RSA with
PKCS #1 padding nor Ed25519 draws lots: the same mail and the same keys give the same bytes.

A mail is canonicalised once (`prepared`), with as many signatures as there are keys.
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
"""What readers and their programs act on (RFC 6376 section 8.15). None of these can be added to a
mail, whether it has one or not."""

ONCE_ONLY = ("List-Unsubscribe", "List-Unsubscribe-Post")
"""None of these can be added to a mail that has one. Some relays give one to mails without."""

_LINE = 76
_FIELD_BREAK = re.compile(rb"\r\n(?![ \t])")
_BLANKS = re.compile(rb"[ \t\r\n]+")
_FOLD = "\r\n "
_PKCS1, _SHA256 = PKCS1v15(), SHA256()


class Algorithm(StrEnum):
    """The kind of a key, by its name in a DNS record."""

    RSA = "rsa"
    ED25519 = "ed25519"


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A private key, and the selector that its public half is found under."""

    selector: str
    private: RSAPrivateKey | Ed25519PrivateKey = field(repr=False)

    @property
    def algorithm(self) -> Algorithm:
        """The kind of the key."""
        is_rsa = isinstance(self.private, RSAPrivateKey)
        return Algorithm.RSA if is_rsa else Algorithm.ED25519

    def sign(self, text: bytes) -> bytes:
        """The signature of `text`. RFC 8463 section 3: Ed25519 signs the SHA-256 of it."""
        if isinstance(self.private, RSAPrivateKey):
            return self.private.sign(text, _PKCS1, _SHA256)
        return self.private.sign(hashlib.sha256(text).digest())


class Signable(NamedTuple):
    """A mail as its signatures see it."""

    names: tuple[str, ...]
    """Of its fields, in their order."""
    head: bytes
    """The canonical fields, each with its CRLF."""
    body: bytes
    """The canonical body."""


class Signer:
    """Signs for `domain` with each of `keys`."""

    def __init__(self, domain: str, keys: Sequence[SigningKey]) -> None:
        self._domain = domain
        self._keys = tuple(keys)

    def sign(self, content: bytes, at: datetime) -> bytes:
        """`content` with its signatures in front, made at the instant `at`."""
        return self.fields(prepared(content), at) + content

    def fields(self, mail: Signable, at: datetime) -> bytes:
        """The DKIM-Signature fields of `mail`, each with its CRLF."""
        body_hash = base64.b64encode(hashlib.sha256(mail.body).digest()).decode("ascii")
        when = int(at.timestamp())
        return b"".join(self._field(key, mail, when, body_hash) for key in self._keys)

    def _field(self, key: SigningKey, mail: Signable, when: int, body_hash: str) -> bytes:
        start = _start(key.algorithm, self._domain, key.selector, mail.names)
        unsigned = f"{start}t={when}; bh={body_hash};{_FOLD}b="
        canonical = f"dkim-signature:{unsigned.replace(_FOLD, ' ')}".encode("ascii")
        signature = base64.b64encode(key.sign(mail.head + canonical)).decode("ascii")
        # The first line begins behind ` b=`.
        room = _LINE - len(" b=")
        lines = [signature[at : at + room] for at in range(0, len(signature), room)]
        return f"DKIM-Signature: {unsigned}{_FOLD.join(lines)}\r\n".encode("ascii")


def prepared(content: bytes) -> Signable:
    """`content`, CRLF line ends, as its signatures see it.

    Each field stands in it once, as `headers.check` has made sure: RFC 6376 section 5.4.2 would
    take repeated ones from the last to the first.
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
    """RFC 6376 section 3.4.4: runs of blanks are one space, none ends a line, no empty line the
    body. An empty body stays empty."""
    text = canonical_lines(body + b"\r\n").rstrip(b"\r\n")
    return text + b"\r\n" if text else b""


def canonical_lines(lines: bytes) -> bytes:
    """Whole lines of a body, each with its CRLF, as a signature sees them: the same alone and
    among others, but for empty ones at the end of a body."""
    text = lines.replace(b"\t", b" ")
    while b"  " in text:
        text = text.replace(b"  ", b" ")
    return text.replace(b" \r\n", b"\r\n")


def canonical_value(value: bytes) -> bytes:
    """The value of a field as a signature sees it: unfolded, runs of blanks are one space."""
    return _BLANKS.sub(b" ", value).strip()


@lru_cache(maxsize=64)
def _start(algorithm: Algorithm, domain: str, selector: str, names: tuple[str, ...]) -> str:
    """A signature up to its time: the same for every mail with the same fields."""
    signed = ":".join((*names, *OVERSIGNED, *(name for name in ONCE_ONLY if name in names)))
    lines = [
        f"v=1; a={algorithm}-sha256; c=relaxed/relaxed;",
        f"d={domain}; s={selector};",
        *_filled(f"h={signed};"),
    ]
    return _FOLD.join(lines) + _FOLD


def _filled(text: str) -> Iterable[str]:
    """`text` in lines that are broken behind colons only."""
    line = ""
    for word in re.findall(r"[^:]+:?", text):
        if len(line) + len(word) >= _LINE:
            yield line
            line = ""
        line += word
    yield line
