"""The sender identity that every email and page shows, and addresses as headers take them."""

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class SenderIdentity:
    """The sender and operator of an installation, as its emails show them."""

    mail_from: str
    """The From header: `Name <address>`."""
    envelope_from: str
    """The address in MAIL FROM when no `bounce_address` is set."""
    public_url: str
    operator: str
    postal_address: str
    contact: str
    privacy_url: str = ""
    imprint_url: str = ""
    logo_url: str = ""
    """A picture above digests, which mail clients fetch from this URL."""
    colour: str = ""
    """The colour of links, like `#0a55b8`. Empty: the default."""
    bounce_address: str = ""
    """Bounces go to this address with a tag per email. Empty: to `envelope_from`."""


def is_address(text: str) -> bool:
    """Return whether `text` is one plain ASCII address that needs no quoting in a header."""
    return len(text) <= 254 and "=?" not in text and _ADDRESS.fullmatch(text) is not None


_ADDRESS = re.compile(
    r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?"
)
