"""Signed links: 30 bytes, 40 base64url characters, no address in them, no row looked up by guess.

    version(1) key id(2) purpose(1) row(6) mac(20)

The mac is HMAC-SHA256 over the first ten bytes and the row's nonce, cut to 160 bits (RFC 2104
section 5 allows half the hash). The nonce stays in the database: changing it revokes every link
of that row. `SECRET_KEY` is a ring: the first key signs, all of them verify.
"""

import base64
import hashlib
import hmac
from dataclasses import dataclass, field
from enum import IntEnum

from paperround.core.errors import Misconfigured

TOKEN_LENGTH = 40
_VERSION = 1
_HEAD = 10
_MAC = 20


class Purpose(IntEnum):
    """What a link may be used for. Numbers are part of mails already sent: never reuse one."""

    UNSUBSCRIBE = 1
    CONFIRM = 2
    PREFERENCES = 3
    FEEDBACK = 4
    FEED = 5


@dataclass(frozen=True, slots=True)
class TokenKey:
    """One key of the ring and its public name, the first 2 bytes of a hash of it in hex."""

    id: str
    secret: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class TokenParts:
    """What an unverified token claims. Verify it with the row's nonce before believing it."""

    key_id: str
    purpose: Purpose
    row: int


class KeyRing:
    """The keys of an installation, newest first.

    Raises ValueError when there is none, or when two of them have the same name.
    """

    def __init__(self, secrets: tuple[bytes, ...]) -> None:
        if not secrets:
            raise ValueError("a key ring needs at least one secret")
        hashes = (hashlib.sha256(b"paperround key id\0" + secret) for secret in secrets)
        names = (found.digest()[:2].hex() for found in hashes)
        self._keys = tuple(map(TokenKey, names, secrets))
        self._by_id = {key.id: key for key in self._keys}
        if len(self._by_id) < len(self._keys):
            raise ValueError(
                "two of the secrets are called the same: leave one out, or make it anew"
            )

    @property
    def current(self) -> TokenKey:
        """The key that signs."""
        return self._keys[0]

    @property
    def key_ids(self) -> tuple[str, ...]:
        """The names of all keys, the signing one first."""
        return tuple(key.id for key in self._keys)

    def key(self, key_id: str) -> TokenKey | None:
        """The key called `key_id`, None when the ring has lost it."""
        return self._by_id.get(key_id)

    def token(self, purpose: Purpose, row: int, nonce: str, key_id: str | None = None) -> str:
        """The 40 characters for `row`; `key_id` names the key when old bytes are made again.

        Raises Misconfigured when the ring has lost that key.
        """
        key = self._named(key_id)
        head = bytes([_VERSION]) + bytes.fromhex(key.id) + bytes([purpose]) + row.to_bytes(6)
        raw = head + _mac(key.secret, head, nonce)
        return base64.urlsafe_b64encode(raw).decode("ascii")

    def verify(self, token: str, nonce: str) -> bool:
        """Whether `token` was made by a key of this ring for the row with `nonce`."""
        raw = _decode(token)
        if raw is None:
            return False
        key = self._by_id.get(raw[1:3].hex())
        return key is not None and hmac.compare_digest(
            raw[_HEAD:], _mac(key.secret, raw[:_HEAD], nonce)
        )

    def digest(self, purpose: str, text: str, key_id: str | None = None) -> str:
        """A keyed hash of `text` in 40 hex characters, for suppressions and Message-IDs."""
        key = self._named(key_id)
        return hmac.digest(key.secret, f"{purpose}\0{text}".encode(), "sha256").hex()[:40]

    def _named(self, key_id: str | None) -> TokenKey:
        key = self.current if key_id is None else self._by_id.get(key_id)
        if key is None:
            raise Misconfigured(
                f"the secret {key_id} is gone: add it to the end of PAPERROUND_SECRET_KEY"
            )
        return key


def read_token(token: str) -> TokenParts | None:
    """The unverified parts of `token`, None when it cannot be one."""
    raw = _decode(token)
    if raw is None or raw[0] != _VERSION or raw[3] not in Purpose.__members__.values():
        return None
    return TokenParts(raw[1:3].hex(), Purpose(raw[3]), int.from_bytes(raw[4:10], "big"))


def _mac(secret: bytes, head: bytes, nonce: str) -> bytes:
    return hmac.digest(secret, head + nonce.encode(), "sha256")[:_MAC]


def _decode(token: str) -> bytes | None:
    if len(token) != TOKEN_LENGTH:
        return None
    try:
        return base64.b64decode(token, altchars=b"-_", validate=True)
    except ValueError:
        return None
