"""Create, rotate and load DKIM keys, and check their DNS records.

    made ──► waiting ──► signing ──► kept ──────► revoked ──► gone
             you publish  email is   its record   an empty    you may
             its record   signed     must remain  record      delete the
             in the DNS   with it    for 7 days   revokes it  record

The first keys sign at once, because no email was signed before. Later keys wait until their records
are published. The private half of a retired key is deleted.
"""

import base64
import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from itertools import chain, count
from typing import Any

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

from paperround.core.errors import Conflict, InvalidInput, Misconfigured
from paperround.delivery.dkim.signer import Algorithm, SigningKey

# DNS records: RFC 6376 section 3.6.1, and section 3.6.2.2 for records in several strings.

_STRING = 255
"""Most bytes in one string of a TXT record (RFC 1035 section 3.3.14)."""

_BLANKS = re.compile(r"\s+")


class RecordStatus(StrEnum):
    """How receivers treat a key, given its DNS record."""

    GOOD = "good"
    TESTING = "testing"
    """`t=y`: receivers treat the email as unsigned."""
    REVOKED = "revoked"
    OTHER = "other"
    """A different key, or one that may not sign email with SHA-256."""


class KeyState(StrEnum):
    """The stages in the life of a key."""

    WAITING = "waiting"
    SIGNING = "signing"
    KEPT = "kept"
    REVOKED = "revoked"
    GONE = "gone"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRecord:
    """The TXT record that the DNS should contain for one key. An empty `public` revokes the key;
    `until` is when that record may replace the one of a retired key."""

    selector: str
    domain: str
    algorithm: Algorithm
    public: str
    state: KeyState = KeyState.SIGNING
    until: datetime | None = None

    @property
    def name(self) -> str:
        """The DNS name of the record."""
        return f"{self.selector}._domainkey.{self.domain}"

    @property
    def value(self) -> str:
        """The content of the record as one string."""
        return f"v=DKIM1; k={self.algorithm}; p={self.public}"

    @property
    def strings(self) -> tuple[str, ...]:
        """The content of the record, split into strings of at most 255 bytes."""
        value = self.value
        return tuple(value[at : at + _STRING] for at in range(0, len(value), _STRING))

    @property
    def line(self) -> str:
        """The record as a line of a zone file."""
        return f"{self.name}. TXT " + " ".join(f'"{string}"' for string in self.strings)


def record_status(record: KeyRecord, published: str) -> RecordStatus:
    """Classify `published`, the text found at the record's name."""
    # `v=DKIM1; p=...` as a mapping. Whitespace has no meaning in the tags read here.
    pairs = [_BLANKS.sub("", part).partition("=") for part in published.split(";")]
    tags = {name: value for name, equals, value in pairs if equals}
    public = tags.get("p")
    if public == "":
        return RecordStatus.REVOKED
    allows = (
        tags.get("v", "DKIM1") == "DKIM1"
        and tags.get("k", Algorithm.RSA) == record.algorithm
        and _allows(tags.get("h", ""), {"sha256"})
        and _allows(tags.get("s", ""), {"*", "email"})
    )
    if public != record.public or not allows:
        return RecordStatus.OTHER
    return RecordStatus.TESTING if "y" in tags.get("t", "").split(":") else RecordStatus.GOOD


def published_status(record: KeyRecord, texts: Iterable[str]) -> RecordStatus | None:
    """Classify `texts`, all that was found at the record's name: good if one is. None for none."""
    found = [record_status(record, text) for text in texts]
    return next((one for one in found if one is RecordStatus.GOOD), found[0] if found else None)


def _allows(listed: str, wanted: set[str]) -> bool:
    """Whether a colon-separated list names one of `wanted`; an empty list allows everything."""
    return not listed or not wanted.isdisjoint(listed.split(":"))


KEEP = timedelta(days=7)
"""How long a record must remain after its key signed the last email: relays hold email for up to
five days, and forwarding verifies the signature again."""

SHOW_REVOKED = timedelta(days=30)
"""How long after that the empty record is required; then you may delete the DNS name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredKey:
    """A key as stored. `private` is PEM, None once the key is retired."""

    selector: str
    algorithm: Algorithm
    public: str
    private: str | None = field(repr=False)
    made_at: datetime
    signs_since: datetime | None = None
    retired_at: datetime | None = None

    def state(self, now: datetime) -> KeyState:
        """Return the state of the key at `now`."""
        end = self.kept_until
        if end is None:
            return KeyState.WAITING if self.signs_since is None else KeyState.SIGNING
        if now < end:
            return KeyState.KEPT
        return KeyState.REVOKED if now < end + SHOW_REVOKED else KeyState.GONE

    @property
    def kept_until(self) -> datetime | None:
        """When the record may be replaced by the revoking one; None until the key is retired."""
        return None if self.retired_at is None else self.retired_at + KEEP

    def due(self, domain: str, now: datetime) -> KeyRecord:
        """Return the record the DNS should contain at `now`."""
        state = self.state(now)
        return KeyRecord(
            selector=self.selector,
            domain=domain,
            algorithm=self.algorithm,
            public="" if state in (KeyState.REVOKED, KeyState.GONE) else self.public,
            state=state,
            until=self.kept_until,
        )


@dataclass(frozen=True, slots=True)
class KeyFile:
    """All keys of the installation, oldest first."""

    keys: tuple[StoredKey, ...] = ()

    def within(self, now: datetime, *states: KeyState) -> tuple[StoredKey, ...]:
        """Return the keys in one of `states`."""
        return tuple(key for key in self.keys if key.state(now) in states)

    def due(self, domain: str, now: datetime) -> tuple[KeyRecord, ...]:
        """Return the records the DNS should contain at `now`."""
        every = (key.due(domain, now) for key in self.keys)
        return tuple(one for one in every if one.state is not KeyState.GONE)

    def with_first(
        self, algorithms: Collection[Algorithm], selector: str | None, *, now: datetime
    ) -> "KeyFile":
        """Return a file with new keys that sign at once. Raises Conflict when keys already sign."""
        if self.within(now, KeyState.SIGNING):
            raise Conflict("email is signed already: `paperround dkim rotate` creates the next key")
        generated = self._generate_all(algorithms, selector, now)
        return KeyFile((*self.keys, *(replace(key, signs_since=now) for key in generated)))

    def with_next(
        self, algorithms: Collection[Algorithm], selector: str | None, *, now: datetime
    ) -> "KeyFile":
        """Return a file with new waiting keys, by default of the algorithms that sign now.

        Raises Conflict when no key signs or some already wait.
        """
        signing = self.within(now, KeyState.SIGNING)
        if not signing:
            raise Conflict("no key signs yet: `paperround dkim create` creates the first")
        if waiting := self.within(now, KeyState.WAITING):
            raise Conflict(
                f"{' and '.join(key.selector for key in waiting)} is waiting already: run "
                "`paperround dkim rotate` without options"
            )
        kinds = algorithms or [key.algorithm for key in signing]
        return KeyFile((*self.keys, *self._generate_all(kinds, selector, now)))

    def switched(self, *, now: datetime) -> "KeyFile":
        """Return a file in which the waiting keys sign and the signing keys are retired."""
        changes: dict[KeyState, dict[str, Any]] = {
            KeyState.WAITING: {"signs_since": now},
            KeyState.SIGNING: {"retired_at": now, "private": None},
        }
        return KeyFile(tuple(replace(key, **changes.get(key.state(now), {})) for key in self.keys))

    def _generate_all(
        self, algorithms: Collection[Algorithm], selector: str | None, now: datetime
    ) -> tuple[StoredKey, ...]:
        """Make one key for each algorithm; if they share a name, the Ed25519 one ends in `e`."""
        is_shared = selector is None or len(algorithms) > 1
        keys = []
        for kind in dict.fromkeys(algorithms):
            ending = "e" if is_shared and kind is Algorithm.ED25519 else ""
            key = new_key(kind, self._selector(selector, ending, now))
            keys.append(
                StoredKey(
                    selector=key.selector,
                    algorithm=kind,
                    public=public_of(key),
                    private=pem_of(key),
                    made_at=now,
                )
            )
        return tuple(keys)

    def _selector(self, wanted: str | None, ending: str, now: datetime) -> str:
        """Return `wanted` or the date, with `ending`: the first such name that was never used."""
        used = {key.selector for key in self.keys}
        name = f"{wanted or f'pr{now:%Y%m%d}'}{ending}".lower()
        if not is_selector(name):
            raise InvalidInput(f"{wanted!r} cannot be part of a DNS name: use letters and digits")
        if wanted is None:
            others = (f"{name}-{number}" for number in count(2))
            return next(free for free in chain([name], others) if free not in used)
        if name in used:
            raise InvalidInput(
                f"{name} was used before, and receivers may remember it: choose another"
            )
        return name


RSA_BITS = 2048

LONGEST_RSA = 4096
"""The longest key that every receiver must be able to verify (RFC 8301 section 3.2)."""

_EXPONENT = 65537

_PEM = re.compile(r"-----BEGIN [A-Z0-9 ]+-----.*?-----END [A-Z0-9 ]+-----", re.DOTALL)

_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"

_SELECTOR = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")

_LONGEST_SELECTOR = 63


def new_key(algorithm: Algorithm, selector: str) -> SigningKey:
    """Generate a key with this selector."""
    if algorithm is Algorithm.RSA:
        return SigningKey(selector, generate_private_key(_EXPONENT, RSA_BITS))
    return SigningKey(selector, Ed25519PrivateKey.generate())


def pem_of(key: SigningKey) -> str:
    """Return the private key as PEM."""
    pem = key.private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return pem.decode("ascii")


def public_of(key: SigningKey) -> str:
    """Return the public key as in a DNS record: base64 of the key's DER for RSA (RFC 6376 section
    3.6.1), of its 32 bytes for Ed25519 (RFC 8463 section 4)."""
    public = key.private.public_key()
    if key.algorithm is Algorithm.RSA:
        raw = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    else:
        raw = public.public_bytes(Encoding.Raw, PublicFormat.Raw)
    return base64.b64encode(raw).decode("ascii")


def is_selector(text: str) -> bool:
    """Whether `text` is valid before `._domainkey`: letters, digits and hyphens."""
    return len(text) <= _LONGEST_SELECTOR and _SELECTOR.fullmatch(text) is not None


def keys_from_settings(pem: str | None, selectors: Sequence[str]) -> tuple[SigningKey, ...]:
    """Load the keys of the settings: consecutive PEM blocks, with a selector for each.

    Raises Misconfigured; the message never contains part of a key.
    """
    if pem is None and not selectors:
        return ()
    blocks = _PEM.findall(pem or "")
    if not blocks:
        raise Misconfigured(
            "PAPERROUND_DKIM_KEY is not a private key: set PAPERROUND_DKIM_KEY_FILE to a PEM "
            "file, or run `paperround dkim create`"
        )
    if len(blocks) != len(selectors):
        raise Misconfigured(
            f"PAPERROUND_DKIM_SELECTOR has {len(selectors)} names for {len(blocks)} keys: give "
            "the selector of each key, in the same order, separated by commas"
        )
    for selector in selectors:
        if not is_selector(selector):
            raise Misconfigured(
                f"PAPERROUND_DKIM_SELECTOR: {selector!r} cannot be part of a DNS name"
            )
    pairs = zip(blocks, selectors, strict=True)
    return tuple(key_of(block, name, "PAPERROUND_DKIM_KEY") for block, name in pairs)


@lru_cache(maxsize=16)
def key_of(pem: str, selector: str, place: str) -> SigningKey:
    """Load the key of one PEM block. Raises Misconfigured, naming `place`, if it is not valid.

    Cached because checking an RSA key takes as long as a hundred signatures.
    """
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
            f"accept at most {LONGEST_RSA}"
        )
    return SigningKey(selector, private)
