"""Where a mail comes back to: an address of its own, signed, with no address of a reader in it.

    bounces + 32 characters @ example.org        the characters, base32: 20 bytes
    version and use(1) key id(2) day(2) row(5) mac(10)

Mail systems may change the case of an address, so the tag knows none. The mac is HMAC-SHA256 over
what stands before it and the row's nonce, cut to 80 bits, the least that RFC 2104 section 5 allows;
a guess can be tried only by mail. A return address is good for 30 days, as long as any server tries
a mail and then some; one that leaves a list is good for ever.
"""

import base64
import hmac
from dataclasses import dataclass
from datetime import date, timedelta
from enum import IntEnum

from paperround.core.tokens import KeyRing

TAG_LENGTH = 32
LONGEST_LOCAL = 64
"""Characters of a local part (RFC 5321 section 4.5.3.1.1)."""
LONGEST_BASE = LONGEST_LOCAL - TAG_LENGTH - 1
"""Characters of the local part that is set, before the plus sign and the tag."""

TAKES_TAGS = (
    "write it bare, like bounces@example.org, without a plus sign and with at most "
    f"{LONGEST_BASE} characters before the @: each mail adds +TAG to it"
)
"""What an address must be that tags are put into."""

_NOT_BARE = frozenset(' \t\r\n<>,;:"()[]\\')
"""What no bare address holds."""

VALID = timedelta(days=30)

_VERSION = 1
_HEAD = 10
_MAC = 10
_FIRST_DAY = date(2020, 1, 1)
_MOST_DAYS = 2**16


class TagUse(IntEnum):
    """What an address is for. Numbers are part of mails already sent: never reuse one."""

    DELIVERY = 1
    """A digest came back."""
    NOTICE = 2
    """A notice came back."""
    LEAVE = 3
    """The reader of a digest leaves its list."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TagParts:
    """What an unverified tag claims. Verify it with the row's nonce before believing it."""

    key_id: str
    use: TagUse
    day: date
    row: int

    def is_good_on(self, today: date) -> bool:
        """Whether its time is not over. A day ahead is a clock that differs, not a forgery."""
        if self.use is TagUse.LEAVE:
            return True
        return timedelta(days=-1) <= today - self.day <= VALID


def make_tag(
    keys: KeyRing, use: TagUse, row: int, *, nonce: str, day: date, key_id: str | None = None
) -> str:
    """The 32 characters for `row`. Raises Misconfigured when the ring has lost that key."""
    key = keys.current.id if key_id is None else key_id
    days = (day - _FIRST_DAY).days % _MOST_DAYS
    head = bytes([_VERSION << 4 | use]) + bytes.fromhex(key) + days.to_bytes(2) + row.to_bytes(5)
    mac = _mac(keys, head, nonce, key)
    return base64.b32encode(head + mac).decode("ascii").lower()


def read_tag(tag: str) -> TagParts | None:
    """The unverified parts of `tag`, None when it cannot be one."""
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
    """Whether `tag` was made by a key of this ring for the row with `nonce`."""
    raw = _decode(tag)
    if raw is None or keys.key(raw[1:3].hex()) is None:
        return False
    return hmac.compare_digest(raw[_HEAD:], _mac(keys, raw[:_HEAD], nonce, raw[1:3].hex()))


def takes_tags(address: str) -> bool:
    """Whether a tag can be put into an address."""
    local, _, domain = address.rpartition("@")
    fits = local and domain and "+" not in local and len(local) <= LONGEST_BASE
    return bool(fits) and address.isascii() and not set(address) & _NOT_BARE


def tagged(address: str, tag: str) -> str:
    """`address` with `tag` in it: `bounces+TAG@example.org`."""
    local, _, domain = address.rpartition("@")
    return f"{local}+{tag}@{domain}"


def tag_of(address: str, written: str) -> str:
    """The tag in `written` when that is `address` with one, however bad; empty otherwise. Case does
    not count."""
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
