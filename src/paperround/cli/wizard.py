"""Validate the answers of `paperround init` and write them to `.env`."""

import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from email.utils import parseaddr
from pathlib import Path
from urllib.parse import urlsplit

from paperround.core.errors import InvalidInput, Misconfigured
from paperround.core.smtp_url import OutboxFolder, parse_smtp_url
from paperround.core.times import zone_of

OUTBOX = "outbox"
_SECRETS = ("PAPERROUND_SECRET_KEY", "PAPERROUND_SECRET_KEY_FILE")

_PLAIN = re.compile(r"[A-Za-z0-9_./:@,%+?=&~-]+")
_SPECIALS = re.compile(r"[()<>@,;:.\[\]]")
_NAME = re.compile(r"\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=")
_COMMENTS = {
    "PUBLIC_URL": "Where readers reach the site. Every link in an email begins with it.",
    "SECRET_KEY": "Signs every link. Keep it with your backups; never remove one that is in use.",
    "OPERATOR": "Who runs this, for the footer of every email.",
    "SMTP_URL": "The mail server. Without it, email is written to a folder and none is sent.",
    "TIMEZONE": "The list's time zone and default hour.",
    "POSTAL_ADDRESS": "For the footer. Your own group needs none: PRIVATE=1.",
}


def read_public_url(text: str) -> str:
    """Return a web address without a path; raises InvalidInput."""
    from paperround.config import LOOPBACK

    try:
        parts = urlsplit(text.strip())
        _ = parts.port
    except ValueError:
        raise InvalidInput("write it like https://papers.example.org") from None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise InvalidInput("write it with http or https, like https://papers.example.org")
    if parts.path not in ("", "/") or parts.query or parts.username:
        raise InvalidInput("write nothing after the name: https://papers.example.org")
    if parts.scheme == "http" and parts.hostname not in LOOPBACK:
        raise InvalidInput("readers need https: links in emails give access to their choices")
    return text.strip().rstrip("/")


def read_address(text: str) -> str:
    """Return the address in `ann@example.org` or `Ann <ann@example.org>`; raises InvalidInput."""
    from paperround.subscribers.addresses import parse_address  # slow to import

    bare = parseaddr(text)[1] if text.strip().endswith(">") else text
    return parse_address(bare or text).mailed


def read_sender(text: str) -> str:
    """Return a From field, `Name <address>`; raises InvalidInput."""
    field = read_line(text)
    read_address(parseaddr(field)[1])
    return field


def sender_of(name: str, address: str) -> str:
    """Build a From field; empty without an address."""
    shown = name.replace('"', "").replace("\\", "")
    if _SPECIALS.search(shown):
        shown = f'"{shown}"'
    return f"{shown} <{address}>" if shown and address else address


def required(read: Callable[[str], str], why: str, *, must: bool) -> Callable[[str], str]:
    """Wrap `read` to accept an empty answer, or to refuse it with the reason `why` if `must`."""

    def parse(text: str) -> str:
        if text.strip():
            return read(text)
        if must:
            raise InvalidInput(f"a relay on another machine needs this: {why}")
        return ""

    return parse


def read_relay(text: str) -> str:
    """Return a relay's URL, empty for an outbox; raises InvalidInput, which shows no secret."""
    from paperround.config import PREFIX

    text = read_line(text)
    if text in ("", OUTBOX):
        return ""
    try:
        where = parse_smtp_url(text)
    except Misconfigured as error:
        raise InvalidInput(str(error).removeprefix(f"{PREFIX}SMTP_URL").lstrip(":, ")) from None
    if isinstance(where, OutboxFolder):
        return f"outbox:{where.directory}"
    return text


def read_zone(text: str) -> str:
    """Return a time zone's name; raises InvalidInput."""
    zone_of(text.strip())
    return text.strip()


def read_hour(text: str) -> int:
    """Return an hour, 0 to 23, also from `8:00`; raises InvalidInput."""
    hour = text.strip().removesuffix(":00")
    if not (hour.isascii() and hour.isdecimal() and int(hour) <= 23):
        raise InvalidInput("write an hour from 0 to 23")
    return int(hour)


def read_line(text: str) -> str:
    """Return text that a settings file can hold; raises InvalidInput."""
    text = text.strip()
    if not text.isprintable():
        raise InvalidInput("write it on one line, without control characters")
    if "${" in text:
        raise InvalidInput("a settings file cannot hold ${ (in an address, $ is %24)")
    return text


def machine_zone() -> str:
    """Return the time zone of this machine, UTC if it is unknown."""
    with suppress(InvalidInput, OSError):
        place = Path("/etc/localtime").resolve().as_posix()
        return read_zone(place.partition("/zoneinfo/")[2]).removeprefix("Etc/")
    with suppress(InvalidInput, OSError):
        return read_zone(Path("/etc/timezone").read_text(encoding="utf-8"))
    return "UTC"


def env_text(settings: Mapping[str, str], secret: str, before: str = "") -> str:
    """Return the text of `.env`. Keeps the lines of `before` that `settings` do not replace, above
    all its secret, which signed the links in earlier messages."""
    from paperround.config import PREFIX

    answered = {PREFIX + name for name in settings}
    kept = [
        line for line in before.splitlines() if (name := _name_of(line)) and name not in answered
    ]
    has_secret = any(_name_of(line) in _SECRETS for line in kept)
    values = dict(settings) if has_secret else {"SECRET_KEY": secret, **settings}
    lines = ["# Settings of Paperround. Each one is described in docs/settings.md."]
    for name, value in values.items():
        lines += ["", f"# {_COMMENTS[name]}"] if name in _COMMENTS else []
        lines.append(f"{PREFIX}{name}={quote(value)}" if value else f"# {PREFIX}{name}=")
    if kept:
        lines += ["", "# Kept from the file that was here before.", *kept]
    return "\n".join(lines) + "\n"


def _name_of(line: str) -> str | None:
    match = _NAME.match(line)
    return None if match is None else match[1]


def quote(value: str) -> str:
    """Quote `value` for a settings file."""
    if _PLAIN.fullmatch(value):
        return value
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


def copy_of(path: Path) -> Path:
    """Return an unused name beside `path`: `.env.before-1`, `.env.before-2`, ..."""
    number = 1
    while (copy := path.with_name(f"{path.name}.before-{number}")).exists():
        number += 1
    return copy
