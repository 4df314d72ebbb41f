"""Who sends: what every message and page says of the operator."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class SenderIdentity:
    """What every mail of an installation says about its sender."""

    mail_from: str
    """A From field: `Name <address>`."""
    envelope_from: str
    """The bare address of MAIL FROM, where no return address is set."""
    public_url: str
    operator: str
    postal_address: str
    contact: str
    privacy_url: str = ""
    imprint_url: str = ""
    bounce_address: str = ""
    """Mails come back to this address, with a tag of their own in it. Empty: to `envelope_from`."""
