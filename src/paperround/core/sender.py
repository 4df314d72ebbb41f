"""The sender identity that every email and page shows."""

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
    """A picture above digests, which mail programs fetch from there."""
    colour: str = ""
    """The colour of links, like `#0a55b8`. Empty: ours."""
    bounce_address: str = ""
    """Bounces go to this address with a tag per email. Empty: to `envelope_from`."""
