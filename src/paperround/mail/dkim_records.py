"""What the DNS says of a DKIM key: the record to publish, and what a published one is worth.

RFC 6376 section 3.6.1, and section 3.6.2.2 for records in several strings.
"""

import re
from dataclasses import dataclass
from enum import StrEnum

from paperround.mail.dkim import Algorithm

_STRING = 255
"""The bytes that one string of a TXT record holds (RFC 1035 section 3.3.14)."""

_BLANKS = re.compile(r"\s+")


class Standing(StrEnum):
    """What receivers make of a key by its record."""

    GOOD = "good"
    TESTING = "testing"
    """`t=y`: receivers are told to treat the mail as unsigned."""
    REVOKED = "revoked"
    OTHER = "other"
    """Another key, or one that may not sign mail with SHA-256."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """The TXT record of one key. An empty `public` says that the key is revoked."""

    selector: str
    domain: str
    algorithm: Algorithm
    public: str

    @property
    def name(self) -> str:
        """Where it is looked for."""
        return f"{self.selector}._domainkey.{self.domain}"

    @property
    def value(self) -> str:
        """What it says, as one text."""
        return f"v=DKIM1; k={self.algorithm}; p={self.public}"

    @property
    def strings(self) -> tuple[str, ...]:
        """What it says, cut where the DNS wants it."""
        value = self.value
        return tuple(value[at : at + _STRING] for at in range(0, len(value), _STRING))

    @property
    def line(self) -> str:
        """A line of a zone file."""
        return f"{self.name}. TXT " + " ".join(f'"{string}"' for string in self.strings)


def standing_of(record: Record, published: str) -> Standing:
    """What `published`, the text at the record's name, is worth to mails that its key signs."""
    # `v=DKIM1; p=...` as a mapping. Blanks carry no meaning in any tag that is read here.
    pairs = [_BLANKS.sub("", part).partition("=") for part in published.split(";")]
    tags = {name: value for name, equals, value in pairs if equals}
    public = tags.get("p")
    if public == "":
        return Standing.REVOKED
    allows = (
        tags.get("v", "DKIM1") == "DKIM1"
        and tags.get("k", Algorithm.RSA) == record.algorithm
        and _holds(tags.get("h", ""), {"sha256"})
        and _holds(tags.get("s", ""), {"*", "email"})
    )
    if public != record.public or not allows:
        return Standing.OTHER
    return Standing.TESTING if "y" in tags.get("t", "").split(":") else Standing.GOOD


def _holds(listed: str, wanted: set[str]) -> bool:
    """Whether a list with colons names one of `wanted`; an absent one allows everything."""
    return not listed or not wanted.isdisjoint(listed.split(":"))
