"""The webhooks of mail providers: which are on, and which one the relay would have."""

from collections.abc import Mapping
from types import MappingProxyType
from urllib.parse import urlsplit

from paperround.config import Settings
from paperround.doctor.findings import Finding, fail, ok, skipped, warn
from paperround.domain.errors import Misconfigured
from paperround.wiring import Runtime

RELAYS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        ".amazonaws.com": ("ses", "PAPERROUND_SES_TOPIC_ARN"),
        ".postmarkapp.com": ("postmark", "PAPERROUND_POSTMARK_HOOK_SECRET"),
        ".sendgrid.net": ("sendgrid", "PAPERROUND_SENDGRID_HOOK_KEY"),
        ".mailgun.org": ("mailgun", "PAPERROUND_MAILGUN_HOOK_KEY"),
    }
)
"""How the hosts of a provider's relays end; its hook, and what the hook needs."""


def hooks(runtime: Runtime) -> list[Finding]:
    """One finding for those that are on, and one for each relay whose provider is not heard."""
    try:
        on = sorted(runtime.hooks)
    except Misconfigured as error:
        return [fail("hooks", str(error), "see docs/providers.md")]
    missing = [warn("hooks", *_words(one)) for one in _unheard(runtime.settings, on)]
    if on:
        named = ", ".join(f"/hooks/{name}" for name in on)
        return [ok("hooks", f"on, each with what its provider proves itself by: {named}"), *missing]
    return missing or [skipped("hooks", "no provider is set to tell of bounces and complaints")]


def _unheard(settings: Settings, on: list[str]) -> list[tuple[str, str]]:
    hosts = [_host(url) for url in settings.relay.split(",")]
    found = [
        means for end, means in RELAYS.items() if any(f".{host}".endswith(end) for host in hosts)
    ]
    return [(name, setting) for name, setting in found if name not in on]


def _host(url: str) -> str:
    try:
        return (urlsplit(url.strip()).hostname or "").removesuffix(".")
    except ValueError:
        return ""  # whoever opens the relay says what is wrong with it


def _words(missing: tuple[str, str]) -> tuple[str, str]:
    name, setting = missing
    says = f"the relay is {name}'s, which keeps bounces and complaints to itself"
    return says, f"set {setting}, and let it post to /hooks/{name}: see docs/providers.md"
