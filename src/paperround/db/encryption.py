"""What rests in the database sealed: secrets that must be read again, and so cannot be hashes.

    sealed:KEY:TOKEN      TOKEN is Fernet's (AES-128-CBC and HMAC-SHA256, cryptography.io), under a
                          key that HKDF-SHA256 (RFC 5869) derives from the secret called KEY

Whoever has the database alone, a dump or a backup of it, reads none of them. The first secret of
the ring seals, all of them open. Text that is not sealed was written before anything was.
"""

import base64
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from paperround.core.errors import Misconfigured
from paperround.core.tokens import KeyRing, TokenKey

if TYPE_CHECKING:  # read when there is something to seal: most commands have nothing
    from cryptography.fernet import Fernet

MARK = "sealed:"
_PURPOSE = b"paperround sealed text"


def sealed_with(kept: str) -> str | None:
    """The name of the secret that `kept` is sealed with; None for text that is not sealed."""
    return kept.split(":", 2)[1] if kept.startswith(MARK) else None


class SecretCipher(Protocol):
    """Seals text for the database, and opens it."""

    def seal(self, text: str) -> str:
        """`text` as it is kept."""
        ...

    def open(self, kept: str) -> str:
        """What was sealed. Raises Misconfigured when the secret it was sealed with is gone."""
        ...

    def is_stale(self, kept: str, /) -> bool:
        """Whether `kept` can be opened, and would be kept otherwise now."""
        ...


class KeyRingCipher:
    """Seals with the keys of an installation. They are asked for when there is something to seal:
    most commands need no secret."""

    def __init__(self, keys: Callable[[], KeyRing]) -> None:
        self._keys = keys

    def seal(self, text: str) -> str:
        """`text` as it is kept: another text each time."""
        key = self._keys().current
        return f"{MARK}{key.id}:{_fernet(key).encrypt(text.encode()).decode()}"

    def open(self, kept: str) -> str:
        """What was sealed. Raises Misconfigured when its secret is gone, or is another one of that
        name."""
        name = sealed_with(kept)
        if name is None:
            return kept
        from cryptography.fernet import InvalidToken

        token = kept.removeprefix(f"{MARK}{name}:")
        key = self._keys().key(name)
        try:
            if key is not None:
                return _fernet(key).decrypt(token).decode()
        except InvalidToken:
            pass  # the names of secrets are short: this is another one
        raise _lost(name)

    def is_stale(self, kept: str, /) -> bool:
        """Whether `kept` can be opened, and is not sealed with the secret that seals now."""
        if sealed_with(kept) == self._keys().current.id:
            return False
        try:
            self.open(kept)
        except Misconfigured:
            return False
        return True


class NoCipher:
    """Keeps text as it is, for whoever opens a database without its secrets. What others sealed
    stays closed."""

    def seal(self, text: str) -> str:
        """`text` itself."""
        return text

    def open(self, kept: str) -> str:
        """What was kept as it is. Raises Misconfigured for what is sealed."""
        name = sealed_with(kept)
        if name is not None:
            raise _lost(name)
        return kept

    def is_stale(self, _: str, /) -> bool:
        """Never: what can be opened is as it would be kept."""
        return False


def _fernet(key: TokenKey) -> "Fernet":
    """The cipher of a secret."""
    from cryptography.fernet import Fernet
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    derived = HKDF(SHA256(), 32, salt=None, info=_PURPOSE).derive(key.secret)
    return Fernet(base64.urlsafe_b64encode(derived))


def _lost(name: str) -> Misconfigured:
    return Misconfigured(
        f"secrets in the database are sealed with the secret {name}, which is gone: add it to the "
        "end of PAPERROUND_SECRET_KEY"
    )
