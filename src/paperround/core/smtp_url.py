"""Parse the SMTP_URL setting: relays in order of preference, or a folder.

    smtps://user:password@host:465              TLS from the first byte
    smtp://host:587?starttls=required           TLS before anything else
    smtp://127.0.0.1:25                         plain, to the loopback interface only
    smtps://a.example,smtps://b.example         the second one if the first is unreachable
    outbox:DIR                                  files in DIR instead of a relay

User and password are percent-encoded. `ca=FILE` names the CA certificate of a private relay. Errors
never repeat any part of the setting: with an unescaped comma or slash, any part may be a piece of
the password.
"""

import ipaddress
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from paperround.core.errors import Misconfigured

OUTBOX = "outbox:"
EXAMPLE = "smtps://user:password@smtp.example.org:465"


class Tls(StrEnum):
    """How a connection is encrypted."""

    NONE = "none"
    STARTTLS = "starttls"
    IMPLICIT = "implicit"


_PORTS = {Tls.IMPLICIT: 465, Tls.STARTTLS: 587, Tls.NONE: 25}


@dataclass(frozen=True, slots=True, kw_only=True)
class Relay:
    """An SMTP relay. Its text never shows the password."""

    host: str
    port: int
    tls: Tls
    user: str = ""
    password: str = field(default="", repr=False)
    ca_file: Path | None = None

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class OutboxFolder:
    """Write emails as files to `directory`."""

    directory: Path


def parse_smtp_url(text: str) -> tuple[Relay, ...] | OutboxFolder:
    """Return the relays in order, or the outbox; raises Misconfigured without showing secrets."""
    if text.startswith(OUTBOX):
        directory = text.removeprefix(OUTBOX)
        if not directory or "," in directory:
            raise _wrong("", "outbox cannot be combined with relays: write outbox:./outbox")
        return OutboxFolder(Path(directory))
    parts = [part.strip() for part in text.split(",")]
    if len(parts) == 1:
        return (_relay(text.strip(), ""),)
    return tuple(_relay(part, f", relay {number}") for number, part in enumerate(parts, 1))


def is_loopback(host: str) -> bool:
    """Whether `host` names this machine: localhost, 127.0.0.0/8 or ::1."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _relay(part: str, name: str) -> Relay:
    url = _split(part, name)
    options = dict(parse_qsl(url.query, keep_blank_values=True))
    if not options.keys() <= {"starttls", "ca"}:
        raise _wrong(name, "the options are starttls and ca (in passwords ? is %3F)")
    host = _host(url, name)
    tls = _tls(url, options, name)
    if tls is Tls.NONE and not is_loopback(host):
        raise _wrong(name, "it is another machine: use smtps:// or add ?starttls=required")
    if tls is Tls.NONE and "ca" in options:
        raise _wrong(name, "ca=FILE needs smtps:// or starttls=required")
    user, password = unquote(url.username or ""), unquote(url.password or "")
    if bool(user) != bool(password):
        raise _wrong(name, "a login needs both: user:password@")
    if "\0" in user + password:
        raise _wrong(name, "a login cannot contain a NUL")
    return Relay(
        host=host,
        port=_port(url, name) or _PORTS[tls],
        tls=tls,
        user=user,
        password=password,
        ca_file=Path(options["ca"]) if "ca" in options else None,
    )


def _split(part: str, name: str) -> SplitResult:
    try:
        url = urlsplit(part)
    except ValueError:
        raise _wrong(name, "its host cannot be read") from None
    if url.scheme not in ("smtp", "smtps"):
        raise _wrong(name, f"write it like {EXAMPLE} (in passwords , is %2C)")
    if url.path not in ("", "/") or url.fragment:
        raise _wrong(
            name, "nothing may follow the port but ?options (in passwords / is %2F, # is %23)"
        )
    return url


def _host(url: SplitResult, name: str) -> str:
    host = url.hostname or ""
    try:
        host.encode("idna")
    except UnicodeError:
        host = ""
    if not host or any(char.isspace() for char in host):
        raise _wrong(name, "it has no host")
    return host


def _port(url: SplitResult, name: str) -> int | None:
    try:
        port = url.port
    except ValueError:
        port = 0
    if port == 0:
        raise _wrong(name, "its port is not a number from 1 to 65535 (in passwords # is %23)")
    return port


def _tls(url: SplitResult, options: dict[str, str], name: str) -> Tls:
    starttls = options.get("starttls")
    if starttls not in (None, "required"):
        raise _wrong(name, "starttls can only be `required`: email is never sent in the clear")
    if url.scheme == "smtps":
        if starttls:
            raise _wrong(name, "smtps:// is TLS already: remove starttls")
        return Tls.IMPLICIT
    return Tls.STARTTLS if starttls else Tls.NONE


def _wrong(name: str, what: str) -> Misconfigured:
    return Misconfigured(f"PAPERROUND_SMTP_URL{name}: {what}")
