"""Signed tokens for links: 30 bytes, 40 base64url characters, without an email address.

    version(1) key id(2) purpose(1) row(6) mac(20)

The MAC is HMAC-SHA256 over the first ten bytes and the row's nonce, truncated to 160 bits (RFC 2104
section 5 allows half the hash). The nonce stays in the database: changing it revokes every link
of that row. `SECRET_KEY` is a key ring: the first key signs, all keys verify.
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
    """The purpose of a link. The numbers are in emails already sent: never reuse one."""

    UNSUBSCRIBE = 1
    CONFIRM = 2
    PREFERENCES = 3
    FEEDBACK = 4
    FEED = 5
    LOGIN = 6


@dataclass(frozen=True, slots=True)
class TokenKey:
    """A key of the ring. `id` is public: the first 2 bytes of the key's hash in hex."""

    id: str
    secret: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class TokenParts:
    """The parts of an unverified token. Verify it with the row's nonce before you use them."""

    key_id: str
    purpose: Purpose
    row: int


class KeyRing:
    """The keys of an installation, newest first.

    Raises ValueError without keys, or when two keys have the same id.
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
                "two of the secrets have the same id: remove one, or generate a new one"
            )

    @property
    def current(self) -> TokenKey:
        """The key that signs."""
        return self._keys[0]

    @property
    def key_ids(self) -> tuple[str, ...]:
        """The ids of all keys, the signing key first."""
        return tuple(key.id for key in self._keys)

    def key(self, key_id: str) -> TokenKey | None:
        """Return the key with `key_id`, None when it is not in the ring."""
        return self._by_id.get(key_id)

    def token(self, purpose: Purpose, row: int, nonce: str, key_id: str | None = None) -> str:
        """Return the token for `row`, signed with `key_id` or the current key.

        Raises Misconfigured when the key is not in the ring.
        """
        key = self._require_key(key_id)
        head = bytes([_VERSION]) + bytes.fromhex(key.id) + bytes([purpose]) + row.to_bytes(6)
        raw = head + _mac(key.secret, head, nonce)
        return base64.urlsafe_b64encode(raw).decode("ascii")

    def verify(self, token: str, nonce: str) -> bool:
        """Whether a key of this ring signed `token` for the row with `nonce`."""
        raw = _decode(token)
        if raw is None:
            return False
        key = self._by_id.get(raw[1:3].hex())
        return key is not None and hmac.compare_digest(
            raw[_HEAD:], _mac(key.secret, raw[:_HEAD], nonce)
        )

    def digest(self, purpose: str, text: str, key_id: str | None = None) -> str:
        """Return a keyed hash of `text` in 40 hex characters, for suppressions and Message-IDs.

        Raises Misconfigured when the key is not in the ring.
        """
        key = self._require_key(key_id)
        return hmac.digest(key.secret, f"{purpose}\0{text}".encode(), "sha256").hex()[:40]

    def _require_key(self, key_id: str | None) -> TokenKey:
        key = self.current if key_id is None else self._by_id.get(key_id)
        if key is None:
            raise Misconfigured(
                f"the secret {key_id} is gone: add it to the end of PAPERROUND_SECRET_KEY"
            )
        return key


def read_token(token: str) -> TokenParts | None:
    """Return the unverified parts of `token`, None when its format is invalid."""
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
