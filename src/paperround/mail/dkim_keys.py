"""Keys for DKIM: made, written and read as PEM (RFC 7468, PKCS #8)."""

import base64
import re
from collections.abc import Sequence

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from paperround.domain.errors import Misconfigured
from paperround.mail.dkim import Algorithm, SigningKey

RSA_BITS = 2048
LONGEST_RSA = 4096
"""What every receiver must be able to check ends there (RFC 8301 section 3.2)."""

_EXPONENT = 65537
_PEM = re.compile(r"-----BEGIN [A-Z0-9 ]+-----.*?-----END [A-Z0-9 ]+-----", re.DOTALL)
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_SELECTOR = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
_LONGEST_SELECTOR = 63


def new_key(algorithm: Algorithm, selector: str) -> SigningKey:
    """A new key, called `selector`."""
    if algorithm is Algorithm.RSA:
        return SigningKey(selector, generate_private_key(_EXPONENT, RSA_BITS))
    return SigningKey(selector, Ed25519PrivateKey.generate())


def pem_of(key: SigningKey) -> str:
    """The private key as it is kept."""
    made = key.private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return made.decode("ascii")


def public_of(key: SigningKey) -> str:
    """The public key as a DNS record has it: base64 of the key's DER for RSA (RFC 6376 section
    3.6.1), of its 32 bytes for Ed25519 (RFC 8463 section 4)."""
    public = key.private.public_key()
    if key.algorithm is Algorithm.RSA:
        raw = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    else:
        raw = public.public_bytes(Encoding.Raw, PublicFormat.Raw)
    return base64.b64encode(raw).decode("ascii")


def is_selector(text: str) -> bool:
    """Whether `text` can stand before `._domainkey`: letters, digits and hyphens."""
    return len(text) <= _LONGEST_SELECTOR and _SELECTOR.fullmatch(text) is not None


def keys_given(pem: str | None, selectors: Sequence[str]) -> tuple[SigningKey, ...]:
    """The keys of the settings: one PEM block after another, a selector for each; none are set by
    default. Raises Misconfigured with what is wrong, and never with a part of a key."""
    if pem is None and not selectors:
        return ()
    blocks = _PEM.findall(pem or "")
    if not blocks:
        raise Misconfigured(
            "PAPERROUND_DKIM_KEY holds no private key: name a PEM file with "
            "PAPERROUND_DKIM_KEY_FILE, or let `paperround dkim create` make one"
        )
    if len(blocks) != len(selectors):
        raise Misconfigured(
            f"PAPERROUND_DKIM_SELECTOR has {len(selectors)} names for {len(blocks)} keys: name the "
            "selector of each key, in their order, separated by commas"
        )
    for selector in selectors:
        if not is_selector(selector):
            raise Misconfigured(
                f"PAPERROUND_DKIM_SELECTOR: {selector!r} cannot stand in a DNS name"
            )
    pairs = zip(blocks, selectors, strict=True)
    return tuple(key_of(block, name, "PAPERROUND_DKIM_KEY") for block, name in pairs)


def key_of(pem: str, selector: str, place: str) -> SigningKey:
    """The key of one PEM block; raises Misconfigured, which names `place`, for any other thing."""
    try:
        private = load_pem_private_key(pem.encode("ascii"), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise Misconfigured(
            f"{place} cannot be read as a private key: it must be PEM without a password"
        ) from error
    if isinstance(private, Ed25519PrivateKey):
        return SigningKey(selector, private)
    if not isinstance(private, RSAPrivateKey):
        raise Misconfigured(f"{place} is neither an RSA nor an Ed25519 key")
    if not RSA_BITS <= private.key_size <= LONGEST_RSA:
        raise Misconfigured(
            f"{place} is an RSA key of {private.key_size} bits: receivers want {RSA_BITS}, and "
            f"take no more than {LONGEST_RSA}"
        )
    return SigningKey(selector, private)
