"""Read a mailbox over IMAP; messages are deleted only after they were processed.

Reading sets no flags. A processed message is marked as deleted, after copying it to a folder if one
is configured. If the connection breaks before that, the message stays.
"""

import imaplib
import logging
import re
import ssl
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from paperround.bounces.reports import LONGEST
from paperround.core.errors import FetchFailed, Misconfigured
from paperround.core.smtp_url import is_loopback

# The BOUNCE_IMAP_URL setting: the mailbox for bounces.
#
#     imaps://user:password@host:993/INBOX                    implicit TLS
#     imaps://user:password@host/INBOX?done=Paperround-done   processed messages are moved there
#     imap://user:password@127.0.0.1:143/INBOX                plain, to the loopback interface only
#
# User, password and folder are percent-encoded. `ca=FILE` names the CA certificate of a private
# server. No error repeats any part of the setting.


@dataclass(frozen=True, slots=True, kw_only=True)
class ImapSettings:
    """A folder of an IMAP server. Its text never contains the password."""

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


def parse_imap_url(text: str) -> ImapSettings:
    """Parse the setting; raise Misconfigured, without any secret, if it is invalid."""
    try:
        url = urlsplit(text)
    except ValueError:
        raise _invalid("its host cannot be read") from None
    if url.scheme not in ("imap", "imaps"):
        raise _invalid("it must start with imaps://")
    tls = url.scheme == "imaps"
    try:
        host, port = url.hostname or "", url.port
    except ValueError:
        raise _invalid("its port is not a number from 1 to 65535 (in passwords # is %23)") from None
    if not host or port == 0:
        raise _invalid("it names no host, or port 0")
    options = dict(parse_qsl(url.query, keep_blank_values=True))
    if not options.keys() <= {"done", "ca"}:
        raise _invalid("the options are done and ca (in passwords ? is %3F)")
    if not tls and not is_loopback(host):
        raise _invalid("it is another machine: use imaps://")
    user, password = unquote(url.username or ""), unquote(url.password or "")
    if not (user and password) or not (user + password).isprintable():
        raise _invalid("a login needs both: imaps://user:password@host/INBOX")
    return ImapSettings(
        host=host,
        port=port or (993 if tls else 143),
        tls=tls,
        user=user,
        password=password,
        folder=_folder(unquote(url.path.lstrip("/")) or "INBOX"),
        done=_folder(options.get("done", "")),
        ca_file=Path(options["ca"]) if options.get("ca") else None,
    )


def _folder(name: str) -> str:
    if not name.isascii() or (not name.isprintable() and name):
        raise _invalid("name folders in plain ASCII")
    return name


def _invalid(what: str) -> Misconfigured:
    return Misconfigured(f"PAPERROUND_BOUNCE_IMAP_URL: {what}")


TIMEOUT_SECONDS = 30
"""Timeout of each response."""

MOST_SEARCHED = 5_000
"""Messages of a folder that a search covers. The response for a hundred times as many would exceed
the longest line that imaplib reads."""

_LONGEST_RESPONSE = 64 * 1024 * 1024
"""Bytes. Some servers send a whole message when asked for its start, and few accept larger ones."""

log = logging.getLogger(__name__)


def read_mailbox(settings: ImapSettings, *, limit: int) -> Generator[bytes, None, None]:
    """Yield the oldest messages, truncated to LONGEST bytes.

    A message is moved away or deleted when the next one is requested: a caller that cannot store
    one closes the generator. Raises FetchFailed, without any secret, if the mailbox cannot be read.
    """
    with _translate_errors(settings):
        connection = _connect(settings)
        try:
            try:
                connection.login(settings.user, settings.password)
            except imaplib.IMAP4.abort:
                raise
            except imaplib.IMAP4.error as error:  # its text may contain the password
                raise FetchFailed(f"{settings} rejects the user or the password") from error
            opened = connection.select(_quoted(settings.folder))
            [count, *_] = _require_ok(opened, f"open the folder {settings.folder}")
            # The number of messages; 1 if it cannot be parsed, so that the folder is searched.
            holds = int(count) if count and count.isdigit() else 1
            for uid in _oldest(connection, holds)[:limit]:
                raw = _fetch(connection, uid, settings)
                if raw is not None:
                    yield raw
                    _remove(connection, uid, settings.done)
            connection.expunge()
        finally:
            try:
                connection.logout()
            except (imaplib.IMAP4.error, OSError):
                connection.shutdown()


def _oldest(connection: imaplib.IMAP4, holds: int) -> list[str]:
    """Return the ids of the oldest messages of the folder, which has `holds` messages."""
    if not holds:
        return []
    response = connection.uid("SEARCH", f"1:{min(holds, MOST_SEARCHED)}", "UNDELETED")
    found = _require_ok(response, "search for messages")
    return found[0].decode("ascii").split() if found and found[0] else []


def _fetch(connection: imaplib.IMAP4, uid: str, settings: ImapSettings) -> bytes | None:
    """Return the bytes of a message; None if it was deleted meanwhile or the server cannot read
    it."""
    word, found = connection.uid("FETCH", uid, f"(BODY.PEEK[]<0.{LONGEST}>)")
    if word != "OK":
        log.warning("message %s of %s cannot be read there; it stays", uid, settings)
    return next((one[1] for one in found if isinstance(one, tuple)), None)


def _remove(connection: imaplib.IMAP4, uid: str, done: str) -> None:
    """Delete a message, once it is copied to the folder `done` if one is configured."""
    folder = _quoted(done)
    if done and connection.uid("COPY", uid, folder)[0] != "OK":
        connection.create(folder)
        _require_ok(connection.uid("COPY", uid, folder), f"move a message to {folder}")
    marked = connection.uid("STORE", uid, "+FLAGS.SILENT", r"(\Deleted)")
    _require_ok(marked, "delete a message")


class _BoundedImap(imaplib.IMAP4):
    """Refuses responses too large for memory."""

    def read(self, size: int) -> bytes:
        """Read `size` bytes, a number the server sent."""
        if size > _LONGEST_RESPONSE:
            raise self.abort(f"it sends {size:,} bytes where {LONGEST:,} were asked for")
        return super().read(size)


class _BoundedImapOverTls(_BoundedImap, imaplib.IMAP4_SSL):
    """The same over TLS."""


def _connect(settings: ImapSettings) -> imaplib.IMAP4:
    if not settings.tls:
        return _BoundedImap(settings.host, settings.port, timeout=TIMEOUT_SECONDS)
    try:
        context = ssl.create_default_context(cafile=settings.ca_file)
    except OSError as error:
        words = f"PAPERROUND_BOUNCE_IMAP_URL: ca={settings.ca_file} cannot be read"
        raise Misconfigured(words) from error
    return _BoundedImapOverTls(
        settings.host, settings.port, ssl_context=context, timeout=TIMEOUT_SECONDS
    )


@contextmanager
def _translate_errors(settings: ImapSettings) -> Iterator[None]:
    try:
        yield
    except (imaplib.IMAP4.error, EOFError) as error:
        words = re.sub(r"\s+", " ", str(error))[:100]
        raise FetchFailed(f"the mailbox at {settings}: {words}") from error
    except ssl.SSLCertVerificationError as error:
        raise FetchFailed(f"{settings} cannot be trusted: {error.verify_message}") from error
    except OSError as error:
        raise FetchFailed(f"{settings} cannot be reached: {error.strerror or error}") from error


def _require_ok(response: tuple[str, list[Any]], what: str) -> list[Any]:
    """Return the data of a response; raise an error if it is not OK."""
    word, data = response
    if word != "OK":
        raise imaplib.IMAP4.error(f"it does not allow us to {what}")
    return data


def _quoted(folder: str) -> str:
    escaped = folder.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
