"""Make and verify signed return addresses (VERP), one for each message.

    bounces + 32 characters @ example.org        the characters, base32: 20 bytes
    version and use(1) key id(2) day(2) row(5) mac(10)

A tag contains no reader's address. Mail systems may change the case of an address, so tags are
case-insensitive. The MAC is HMAC-SHA256 over the bytes before it and the row's nonce, cut to 80
bits, the minimum of RFC 2104 section 5; a guess can be tried only by email. A return address is
valid for 30 days, longer than any server retries; one for unsubscribing never expires.
"""

import base64
import hmac
from dataclasses import dataclass
from datetime import date, timedelta
from enum import IntEnum

from paperround.core.tokens import KeyRing

TAG_LENGTH = 32
LONGEST_LOCAL = 64
"""Most characters in a local part (RFC 5321 section 4.5.3.1.1)."""
LONGEST_BASE = LONGEST_LOCAL - TAG_LENGTH - 1
"""Most characters in the configured local part, before the plus sign and the tag."""

TAKES_TAGS = (
    "write it bare, like bounces@example.org, without a plus sign and with at most "
    f"{LONGEST_BASE} characters before the @: each email adds +TAG to it"
)
"""Explains which addresses accept tags, for error messages."""

_NOT_BARE = frozenset(' \t\r\n<>,;:"()[]\\')
"""Characters that a bare address may not contain."""

VALID = timedelta(days=30)

_VERSION = 1
_HEAD = 10
_MAC = 10
_FIRST_DAY = date(2020, 1, 1)
_MOST_DAYS = 2**16


class TagUse(IntEnum):
    """The purpose of a tag. Emails already sent contain the numbers: never reuse one."""

    DELIVERY = 1
    """Bounces of a digest."""
    NOTICE = 2
    """Bounces of a system email."""
    LEAVE = 3
    """Unsubscribes the reader of a digest from its list."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TagParts:
    """The fields of an unverified tag. Verify it with the row's nonce before you trust them."""

    key_id: str
    use: TagUse
    day: date
    row: int

    def is_good_on(self, today: date) -> bool:
        """Whether the tag is still valid. A date one day ahead is accepted: clocks differ."""
        if self.use is TagUse.LEAVE:
            return True
        return timedelta(days=-1) <= today - self.day <= VALID


def make_tag(
    keys: KeyRing, use: TagUse, row: int, *, nonce: str, day: date, key_id: str | None = None
) -> str:
    """Return the 32 characters for `row`. Raises Misconfigured when `keys` lacks the key."""
    key = keys.current.id if key_id is None else key_id
    days = (day - _FIRST_DAY).days % _MOST_DAYS
    head = bytes([_VERSION << 4 | use]) + bytes.fromhex(key) + days.to_bytes(2) + row.to_bytes(5)
    mac = _mac(keys, head, nonce, key)
    return base64.b32encode(head + mac).decode("ascii").lower()


def read_tag(tag: str) -> TagParts | None:
    """Return the unverified fields of `tag`, None if it is malformed."""
    raw = _decode(tag)
    if raw is None or raw[0] >> 4 != _VERSION or raw[0] & 15 not in TagUse.__members__.values():
        return None
    return TagParts(
        key_id=raw[1:3].hex(),
        use=TagUse(raw[0] & 15),
        day=_FIRST_DAY + timedelta(days=int.from_bytes(raw[3:5], "big")),
        row=int.from_bytes(raw[5:_HEAD], "big"),
    )


def verify_tag(keys: KeyRing, tag: str, nonce: str) -> bool:
    """Whether a key of `keys` made `tag` for the row with `nonce`."""
    raw = _decode(tag)
    if raw is None or keys.key(raw[1:3].hex()) is None:
        return False
    return hmac.compare_digest(raw[_HEAD:], _mac(keys, raw[:_HEAD], nonce, raw[1:3].hex()))


def takes_tags(address: str) -> bool:
    """Whether a tag can be added to an address."""
    local, _, domain = address.rpartition("@")
    fits = local and domain and "+" not in local and len(local) <= LONGEST_BASE
    return bool(fits) and address.isascii() and not set(address) & _NOT_BARE


def tagged(address: str, tag: str) -> str:
    """Return `address` with `tag` added: `bounces+TAG@example.org`."""
    local, _, domain = address.rpartition("@")
    return f"{local}+{tag}@{domain}"


def tag_of(address: str, written: str) -> str:
    """Return the unverified tag in `written` if that is `address` with a tag, otherwise an empty
    string. Ignores case."""
    local, _, domain = address.lower().rpartition("@")
    theirs, _, place = written.strip().lower().rpartition("@")
    base, plus, tag = theirs.partition("+")
    is_ours = bool(local and plus) and (base, place) == (local, domain)
    return tag if is_ours else ""


def _mac(keys: KeyRing, head: bytes, nonce: str, key_id: str) -> bytes:
    return bytes.fromhex(keys.digest("return-path", f"{head.hex()}|{nonce}", key_id))[:_MAC]


def _decode(tag: str) -> bytes | None:
    if len(tag) != TAG_LENGTH:
        return None
    try:
        return base64.b32decode(tag, casefold=True)
    except ValueError:
        return None
