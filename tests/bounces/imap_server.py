"""A small IMAP server on the loopback interface, with folders of mails in memory.

It speaks as much of RFC 3501 as reading a mailbox takes, to one connection at a time, and can be
told to break off after a command.
"""

import re
import socket
import ssl
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

USER, PASSWORD = "bounces@example.org", "p@ss/word"
LOGIN = "bounces%40example.org:p%40ss%2Fword"
"""As a URL holds it."""

_COMMAND = re.compile(rb"(\S+) (?:UID )?(\S+) ?(.*)", re.S)
_ARGUMENT = re.compile(rb'"((?:[^"\\]|\\.)*)"|(\S+)')


@dataclass
class Stored:
    """A mail in a folder."""

    uid: int
    raw: bytes
    flags: set[str] = field(default_factory=set)


class ImapServer:
    """Serves `folders` while it is entered."""

    def __init__(
        self, *raws: bytes, certificate: tuple[Path, Path] | None = None, breaks_after: str = ""
    ) -> None:
        self.folders: dict[str, list[Stored]] = {
            "INBOX": [Stored(uid, raw) for uid, raw in enumerate(raws, 1)]
        }
        self.commands: list[str] = []
        self.unreadable: set[int] = set()
        """Mails that the server has, and cannot read."""
        self.announces = 0
        """How long each mail is said to be, where that is not its length."""
        self._breaks_after = breaks_after
        self._context = None
        if certificate is not None:
            self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._context.load_cert_chain(*certificate)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._accept, daemon=True)

    @property
    def port(self) -> int:
        return int(self._listener.getsockname()[1])

    def url(self, options: str = "", *, login: str = LOGIN) -> str:
        """The setting that leads here."""
        scheme = "imap" if self._context is None else "imaps"
        return f"{scheme}://{login}@127.0.0.1:{self.port}/INBOX{options}"

    def raws(self, folder: str = "INBOX") -> list[bytes]:
        """The mails of a folder."""
        return [one.raw for one in self.folders.get(folder, [])]

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(timeout=10)

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            try:
                wrapped = (
                    self._context.wrap_socket(sock, server_side=True) if self._context else sock
                )
                with wrapped:
                    _Session(self, wrapped, self._breaks_after).hold()
            except OSError:
                sock.close()  # whoever came does not trust us, or went away


class _Session:
    """One connection."""

    def __init__(self, server: ImapServer, sock: socket.socket, breaks_after: str) -> None:
        self._server = server
        self._sock = sock
        self._breaks_after = breaks_after
        self._folder = ""

    def hold(self) -> None:
        self._say(b"* OK ready\r\n")
        for line in self._sock.makefile("rb"):
            match = _COMMAND.match(line.rstrip(b"\r\n"))
            if match is None:
                return
            tag, name, rest = match[1], match[2].decode().upper(), match[3]
            words = [(a or b).decode() for a, b in _ARGUMENT.findall(rest)]
            self._server.commands.append(" ".join([name, *words]))
            answer = getattr(self, f"_{name.lower()}", self._unknown)(words)
            if name == self._breaks_after:
                return
            self._say(tag + b" " + answer + b" (that is all)\r\n")
            if name == "LOGOUT":
                return

    def _say(self, line: bytes) -> None:
        self._sock.sendall(line)

    @property
    def _mails(self) -> list[Stored]:
        return self._server.folders[self._folder]

    def _unknown(self, _: list[str]) -> bytes:
        return b"BAD what?"

    def _capability(self, _: list[str]) -> bytes:
        self._say(b"* CAPABILITY IMAP4rev1\r\n")
        return b"OK"

    def _login(self, words: list[str]) -> bytes:
        good = words == [USER, PASSWORD]
        return b"OK" if good else b"NO wrong: " + " ".join(words).encode()

    def _select(self, words: list[str]) -> bytes:
        if words[0] not in self._server.folders:
            return b"NO no such folder"
        self._folder = words[0]
        self._say(b"* %d EXISTS\r\n" % len(self._mails))
        return b"OK [READ-WRITE]"

    def _search(self, words: list[str]) -> bytes:
        first, last = map(int, words[0].split(":"))
        if not 1 <= first <= last <= len(self._mails):
            return b"BAD no such numbers"
        among = self._mails[first - 1 : last]
        uids = [str(one.uid) for one in among if r"\Deleted" not in one.flags]
        self._say(b"* SEARCH " + " ".join(uids).encode() + b"\r\n")
        return b"OK"

    def _fetch(self, words: list[str]) -> bytes:
        most = re.search(r"<0\.(\d+)>", words[1])
        if int(words[0]) in self._server.unreadable:
            return b"NO the disk says no"
        for one in self._mails:
            if str(one.uid) == words[0] and most is not None:
                part = one.raw[: int(most[1])]
                if "BODY.PEEK[" not in words[1]:
                    one.flags.add(r"\Seen")
                head = b"* 1 FETCH (UID %d BODY[]<0> {%d}\r\n" % (
                    one.uid,
                    self._server.announces or len(part),
                )
                self._say(head + part + b")\r\n")
        return b"OK"

    def _store(self, words: list[str]) -> bytes:
        for one in self._mails:
            if str(one.uid) == words[0]:
                one.flags.add(words[2].strip("()"))
        return b"OK"

    def _create(self, words: list[str]) -> bytes:
        self._server.folders.setdefault(words[0], [])
        return b"OK"

    def _copy(self, words: list[str]) -> bytes:
        if words[1] not in self._server.folders:
            return b"NO [TRYCREATE] no such folder"
        copied = [one for one in self._mails if str(one.uid) == words[0]]
        self._server.folders[words[1]] += [Stored(one.uid, one.raw) for one in copied]
        return b"OK"

    def _expunge(self, _: list[str]) -> bytes:
        self._mails[:] = [one for one in self._mails if r"\Deleted" not in one.flags]
        return b"OK"

    def _logout(self, _: list[str]) -> bytes:
        self._say(b"* BYE\r\n")
        return b"OK"
