"""A mailbox over IMAP: mails are read without a trace, and go once they were taken.

When whoever reads says that it is done with a mail, that is marked as deleted, and copied to a
folder first where one is named. A connection that breaks before leaves the mail where it was.
"""

import imaplib
import logging
import re
import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from paperround.domain.errors import FetchFailed, Misconfigured
from paperround.domain.returns import Letter
from paperround.mail.imap_url import ImapPlace
from paperround.mail.returned import LONGEST

SECONDS = 30
"""How long each answer is waited for."""

MOST_LOOKED_FOR = 5_000
"""Mails of a folder that a search goes through. Of a hundred times as many the answer would be a
longer line than is read."""

_WORDS_AT_MOST = 100
_LONGEST_ANSWER = 64 * 1024 * 1024
"""Bytes. Some servers send a whole mail where its start was asked for, and few take longer ones."""

log = logging.getLogger(__name__)


@contextmanager
def opened_box(place: ImapPlace) -> Iterator["ImapBox"]:
    """The mailbox at `place`, logged in, its folder open. Raises FetchFailed, without a secret."""
    with _failures_named(place):
        connection = _connect(place)
        try:
            _log_in(connection, place)
            opened = connection.select(_quoted(place.folder))
            [held, *_] = _answer(opened, f"open the folder {place.folder}")
            # How many mails a server said that a folder holds; one where that cannot be read, so
            # that it is looked into.
            yield ImapBox(connection, place, holds=int(held) if held and held.isdigit() else 1)
            connection.expunge()
        finally:
            try:
                connection.logout()
            except (imaplib.IMAP4.error, OSError):
                connection.shutdown()


class ImapBox:
    """A folder of a server, which `holds` so many mails."""

    def __init__(self, connection: imaplib.IMAP4, place: ImapPlace, *, holds: int) -> None:
        self._connection = connection
        self._place = place
        self._holds = holds

    def letters(self, *, limit: int) -> Iterator[Letter]:
        """The oldest mails, as far as they are read at all; raises FetchFailed when the mailbox
        cannot be read."""
        if not self._holds:
            return
        oldest = f"1:{min(self._holds, MOST_LOOKED_FOR)}"
        with _failures_named(self._place):
            answered = self._connection.uid("SEARCH", oldest, "UNDELETED")
            found = _answer(answered, "look for mails")
        uids = found[0].decode("ascii").split() if found and found[0] else []
        for uid in uids[:limit]:
            raw = self._fetched(uid)
            if raw is not None:
                yield Letter(uid, raw)

    def _fetched(self, uid: str) -> bytes | None:
        """The bytes of a mail; None when somebody else took it meanwhile, or the server itself
        cannot read it."""
        part = f"(BODY.PEEK[]<0.{LONGEST}>)"
        with _failures_named(self._place):
            word, found = self._connection.uid("FETCH", uid, part)
        if word != "OK":
            log.warning("mail %s of %s cannot be read there; it stays", uid, self._place)
        return next((one[1] for one in found if isinstance(one, tuple)), None)

    def done(self, letters: Sequence[Letter]) -> None:
        """Take these out of the way."""
        with _failures_named(self._place):
            for letter in letters:
                self._put_away(letter.name)
                marked = self._connection.uid("STORE", letter.name, "+FLAGS.SILENT", r"(\Deleted)")
                _answer(marked, "delete a mail")

    def _put_away(self, uid: str) -> None:
        if not self._place.done:
            return
        folder = _quoted(self._place.done)
        if self._connection.uid("COPY", uid, folder)[0] != "OK":
            self._connection.create(folder)
            _answer(self._connection.uid("COPY", uid, folder), f"move a mail to {folder}")


class _Wary(imaplib.IMAP4):
    """Reads no more of one answer than memory has room for."""

    def read(self, size: int) -> bytes:
        """`size` bytes, which the server named."""
        if size > _LONGEST_ANSWER:
            raise self.abort(f"it sends {size:,} bytes where {LONGEST:,} were asked for")
        return super().read(size)


class _WaryOverTls(_Wary, imaplib.IMAP4_SSL):
    """The same over TLS."""


def _connect(place: ImapPlace) -> imaplib.IMAP4:
    if not place.tls:
        return _Wary(place.host, place.port, timeout=SECONDS)
    try:
        context = ssl.create_default_context(cafile=place.ca_file)
    except OSError as error:
        words = f"PAPERROUND_BOUNCE_IMAP_URL: ca={place.ca_file} cannot be read"
        raise Misconfigured(words) from error
    return _WaryOverTls(place.host, place.port, ssl_context=context, timeout=SECONDS)


def _log_in(connection: imaplib.IMAP4, place: ImapPlace) -> None:
    try:
        connection.login(place.user, place.password)
    except imaplib.IMAP4.abort:
        raise
    except imaplib.IMAP4.error as error:  # its words may repeat what was sent
        raise FetchFailed(f"{place} refuses the user or the password") from error


@contextmanager
def _failures_named(place: ImapPlace) -> Iterator[None]:
    try:
        yield
    except (imaplib.IMAP4.error, EOFError) as error:
        words = re.sub(r"\s+", " ", str(error))[:_WORDS_AT_MOST]
        raise FetchFailed(f"the mailbox at {place}: {words}") from error
    except ssl.SSLCertVerificationError as error:
        raise FetchFailed(f"{place} cannot be trusted: {error.verify_message}") from error
    except OSError as error:
        raise FetchFailed(f"{place} cannot be reached: {error.strerror or error}") from error


def _answer(answered: tuple[str, list[Any]], what: str) -> list[Any]:
    """The data of an answer; raises when it is a no."""
    word, data = answered
    if word != "OK":
        raise imaplib.IMAP4.error(f"it does not let us {what}")
    return data


def _quoted(folder: str) -> str:
    escaped = folder.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
