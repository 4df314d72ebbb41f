"""Encrypt secrets in the database that must be read again, and so cannot be hashed.

    sealed:KEY:TOKEN      TOKEN is Fernet's (AES-128-CBC and HMAC-SHA256, cryptography.io), under a
                          key that HKDF-SHA256 (RFC 5869) derives from the secret with the id KEY

The database or a dump alone is not enough to read them. The first secret of the ring encrypts, all
of them decrypt. Plain text is from before encryption was introduced.
"""

import base64
from collections.abc import Callable
from typing import TYPE_CHECKING

from paperround.core.errors import Misconfigured
from paperround.core.tokens import KeyRing, TokenKey

if TYPE_CHECKING:  # imported lazily: most commands encrypt nothing
    from cryptography.fernet import Fernet

MARK = "sealed:"
_PURPOSE = b"paperround sealed text"


def encryption_key_id(kept: str) -> str | None:
    """Return the id of the secret that encrypted `kept`; None for plain text."""
    return kept.split(":", 2)[1] if kept.startswith(MARK) else None


class SecretCipher:
    """Encrypts with the keys of an installation. Without keys it stores plain text.

    `keys` is only called when there is something to encrypt: most commands need no secret.
    """

    def __init__(self, keys: Callable[[], KeyRing] | None = None) -> None:
        self._keys = keys

    def seal(self, text: str) -> str:
        """Return `text` as the database stores it. The result differs each time."""
        if self._keys is None:
            return text
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

        key = self._keys().key(name) if self._keys is not None else None
        try:
            if key is not None:
                return _fernet(key).decrypt(kept.removeprefix(f"{MARK}{name}:")).decode()
        except InvalidToken:
            pass  # ids are short: this is another secret with the same id
        raise Misconfigured(
            f"secrets in the database are encrypted with the secret {name}, which is gone: add "
            "it to "
            "the end of PAPERROUND_SECRET_KEY"
        )

    def is_stale(self, kept: str) -> bool:
        """Whether `kept` can be decrypted, but is not encrypted with the current secret."""
        if self._keys is None or encryption_key_id(kept) == self._keys().current.id:
            return False
        try:
            self.open(kept)
        except Misconfigured:
            return False
        return True


def _fernet(key: TokenKey) -> "Fernet":
    from cryptography.fernet import Fernet
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    derived = HKDF(SHA256(), 32, salt=None, info=_PURPOSE).derive(key.secret)
    return Fernet(base64.urlsafe_b64encode(derived))
