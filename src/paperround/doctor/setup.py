"""The settings: the secret, the sender, and the address of the site."""

from email.utils import parseaddr
from urllib.parse import urlsplit

from paperround.config import LOOPBACK, Settings
from paperround.doctor.findings import Finding, fail, ok, warn
from paperround.domain.errors import InvalidInput, Misconfigured
from paperround.mail.addresses import EmailAddresses

FEWEST_SIGNS = 10
"""Different characters in a key. Random ones of 32 characters have more than twenty."""

NOBODYS = (".example", ".test", ".invalid", ".localhost", ".local")
"""Ends of domains that never receive mail (RFC 2606, RFC 6762)."""


def secret(settings: Settings) -> Finding:
    """Whether there is a strong secret, and how many keys the ring holds."""
    try:
        count = len(settings.keys.key_ids)
    except Misconfigured as error:
        return fail("secret", str(error))
    given = map(str.strip, (settings.secret_key or "").split(","))
    if any(key and len(set(key)) < FEWEST_SIGNS for key in given):
        return fail(
            "secret",
            "PAPERROUND_SECRET_KEY holds a key that can be guessed",
            "put a random one in front: "
            "`python3 -c 'import secrets; print(secrets.token_urlsafe(32))'`",
        )
    ring = "one key" if count == 1 else f"{count} keys, the first of which signs"
    made = "" if settings.secret_key else f", made by itself in {settings.secret_file}"
    return ok("secret", f"{ring}{made}")


def sender(settings: Settings) -> Finding:
    """Whether mails say who sends them, as receivers and the law want it."""
    try:
        settings.require_sender()
        address = EmailAddresses().read(parseaddr(settings.mail_from)[1])
    except (Misconfigured, InvalidInput) as error:
        return fail("sender", f"mail cannot say who sends it: {error}")
    if settings.relay.startswith("outbox:"):
        return ok("sender", f"mails come from {settings.mail_from}, and stay on this machine")
    if address.domain.endswith(NOBODYS):
        report = fail if settings.leaves_this_machine else warn
        return report(
            "sender",
            f"PAPERROUND_MAIL_FROM is {settings.mail_from}, and nobody can own that domain",
            "name a mailbox of yours that exists",
        )
    if "@" not in (settings.contact or ""):
        return warn(
            "sender",
            "PAPERROUND_CONTACT is no e-mail address, so alerts stand in the log only",
            "name an address that a person reads",
        )
    return ok("sender", f"mails come from {settings.mail_from}")


def public_url(settings: Settings) -> Finding:
    """Whether links in mails lead readers to this site, and keep what they carry private."""
    url, parts = settings.public_url, urlsplit(settings.public_url)
    if parts.hostname in LOOPBACK:
        if settings.leaves_this_machine:
            return fail(
                "public url",
                f"mails go out, and each link in them begins with {url}, the reader's machine",
                "set PAPERROUND_PUBLIC_URL to the address readers reach this site at",
            )
        return ok("public url", f"links in mails begin with {url}: this machine only")
    if parts.scheme != "https":
        return fail(
            "public url",
            f"links in mails begin with {url}, and whoever carries them can read and use them",
            "set PAPERROUND_PUBLIC_URL to https://...; one-click unsubscribing needs it too",
        )
    if parts.path or parts.query or parts.fragment:
        return warn(
            "public url",
            f"{url} holds more than a host: the site answers at the root of its name only",
            "give it a host name of its own",
        )
    return ok("public url", f"links in mails begin with {url}")
