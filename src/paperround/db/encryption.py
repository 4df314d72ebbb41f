"""Encrypt secrets in the database that must be read again, and so cannot be hashed.

    sealed:KEY:TOKEN      TOKEN is Fernet's (AES-128-CBC and HMAC-SHA256, cryptography.io), under a
                          key that HKDF-SHA256 (RFC 5869) derives from the secret with the id KEY

The database or a dump alone is not enough to read them. The first secret of the ring encrypts, all
of them decrypt. Plain text is from before encryption was introduced.
"""

import base64
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from paperround.core.errors import Misconfigured
from paperround.core.tokens import KeyRing, TokenKey

if TYPE_CHECKING:  # imported lazily: most commands encrypt nothing
    from cryptography.fernet import Fernet

MARK = "sealed:"
_PURPOSE = b"paperround sealed text"


def encryption_key_id(kept: str) -> str | None:
    """Return the id of the secret that encrypted `kept`; None for plain text."""
    return kept.split(":", 2)[1] if kept.startswith(MARK) else None


class SecretCipher(Protocol):
    """Encrypts text for the database, and decrypts it."""

    def seal(self, text: str) -> str:
        """Return `text` as the database stores it."""
        ...

    def open(self, kept: str) -> str:
        """Decrypt `kept`. Raises Misconfigured when its secret is missing."""
        ...

    def is_stale(self, kept: str, /) -> bool:
        """Whether `kept` can be decrypted, but is not encrypted with the current secret."""
        ...


class KeyRingCipher:
    """Encrypts with the keys of an installation.

    `keys` is only called when there is something to encrypt: most commands need no secret.
    """

    def __init__(self, keys: Callable[[], KeyRing]) -> None:
        self._keys = keys

    def seal(self, text: str) -> str:
        """Encrypt `text`. The result differs each time."""
        key = self._keys().current
        return f"{MARK}{key.id}:{_fernet(key).encrypt(text.encode()).decode()}"

    def open(self, kept: str) -> str:
        """Decrypt `kept`; return plain text unchanged.

        Raises Misconfigured when its secret is missing, or is another one with the same id.
        """
        name = encryption_key_id(kept)
        if name is None:
            return kept
        from cryptography.fernet import InvalidToken

        token = kept.removeprefix(f"{MARK}{name}:")
        key = self._keys().key(name)
        try:
            if key is not None:
                return _fernet(key).decrypt(token).decode()
        except InvalidToken:
            pass  # ids are short: this is another secret with the same id
        raise _secret_missing(name)

    def is_stale(self, kept: str, /) -> bool:
        """Whether `kept` can be decrypted, but is not encrypted with the current secret."""
        if encryption_key_id(kept) == self._keys().current.id:
            return False
        try:
            self.open(kept)
        except Misconfigured:
            return False
        return True


class NoCipher:
    """Stores plain text, for opening a database without its secrets."""

    def seal(self, text: str) -> str:
        """Return `text` unchanged."""
        return text

    def open(self, kept: str) -> str:
        """Return plain text unchanged. Raises Misconfigured for encrypted text."""
        name = encryption_key_id(kept)
        if name is not None:
            raise _secret_missing(name)
        return kept

    def is_stale(self, _: str, /) -> bool:
        """Return False."""
        return False


def _fernet(key: TokenKey) -> "Fernet":
    from cryptography.fernet import Fernet
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    derived = HKDF(SHA256(), 32, salt=None, info=_PURPOSE).derive(key.secret)
    return Fernet(base64.urlsafe_b64encode(derived))


def _secret_missing(name: str) -> Misconfigured:
    return Misconfigured(
        f"secrets in the database are sealed with the secret {name}, which is gone: add it to the "
        "end of PAPERROUND_SECRET_KEY"
    )
