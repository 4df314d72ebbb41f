"""Reading the BOUNCE_IMAP_URL setting: the mailbox that mails come back to.

    imaps://user:password@host:993/INBOX                    TLS from the first byte
    imaps://user:password@host/INBOX?done=Paperround-done   mails that were taken are moved there
    imap://user:password@127.0.0.1:143/INBOX                plain, to the loopback interface only

User, password and folder are percent-encoded. `ca=FILE` names the certificate a private server is
trusted by. No error repeats any part of the setting.
"""

from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from paperround.domain.errors import Misconfigured
from paperround.domain.smtp_url import is_loopback

_IMAPS, _IMAP = 993, 143


@dataclass(frozen=True, slots=True, kw_only=True)
class ImapPlace:
    """A folder of a mail server. Its text never shows the password."""

    host: str
    port: int
    tls: bool
    user: str
    password: str = field(repr=False)
    folder: str
    done: str = ""
    ca_file: Path | None = None

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


def parse_imap_url(text: str) -> ImapPlace:
    """The place that `text` names; raises Misconfigured and shows no secret."""
    try:
        url = urlsplit(text)
    except ValueError:
        raise _wrong("its host cannot be read") from None
    if url.scheme not in ("imap", "imaps"):
        raise _wrong("it must begin with imaps://")
    tls = url.scheme == "imaps"
    host, port = _host_and_port(url)
    options = dict(parse_qsl(url.query, keep_blank_values=True))
    if not options.keys() <= {"done", "ca"}:
        raise _wrong("the options are done and ca (in passwords ? is %3F)")
    if not tls and not is_loopback(host):
        raise _wrong("it is another machine: use imaps://")
    user, password = unquote(url.username or ""), unquote(url.password or "")
    if not (user and password) or not (user + password).isprintable():
        raise _wrong("a login needs both: imaps://user:password@host/INBOX")
    return ImapPlace(
        host=host,
        port=port or (_IMAPS if tls else _IMAP),
        tls=tls,
        user=user,
        password=password,
        folder=_folder(unquote(url.path.lstrip("/")) or "INBOX"),
        done=_folder(options.get("done", "")),
        ca_file=Path(options["ca"]) if options.get("ca") else None,
    )


def _host_and_port(url: SplitResult) -> tuple[str, int | None]:
    try:
        host, port = url.hostname or "", url.port
    except ValueError:
        raise _wrong("its port is not a number from 1 to 65535 (in passwords # is %23)") from None
    if not host or port == 0:
        raise _wrong("it names no host, or port 0")
    return host, port


def _folder(name: str) -> str:
    if not name.isascii() or (not name.isprintable() and name):
        raise _wrong("name folders in plain ASCII")
    return name


def _wrong(what: str) -> Misconfigured:
    return Misconfigured(f"PAPERROUND_BOUNCE_IMAP_URL: {what}")
