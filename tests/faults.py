"""An SMTP server that misbehaves to order, and an honest sink when it has no orders.

    with SmtpSink() as sink:                                    takes everything
    with SmtpSink({"rcpt": [Say("450 4.2.1 later")]}) as sink:  the first RCPT only
    with SmtpSink({"dot": repeat(Break.DROP)}) as sink:         every final dot
    with SmtpSink({"mail": [None, Break.RST]}) as sink:         the second MAIL
    with SmtpSink(offers=("PIPELINING",)) as sink:              takes commands in groups

Stages: banner ehlo starttls auth mail rcpt data body dot accepted rset quit. `body` acts after
the first bytes of a message, `dot` after its last ones and before it is taken, `accepted` after it
was taken, in place of the 250. A command out of its order is refused and visits no stage; a sink
that is `eager` wants the body all the same, as some servers do, and one that is `forgetful` loses
what comes before its answer. `python -m tests.faults --port 0 [--pipelining] [--journal FILE]` runs
a sink by hand; the journal gets one synced line a message: its Message-ID and its recipient.
"""

import argparse
import base64
import os
import re
import select
import socket
import ssl
import struct
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from threading import Lock, Thread

from tests.listening import Listener

_MESSAGE_ID = re.compile(rb"^message-id:\s*(\S+)", re.IGNORECASE | re.MULTILINE)
_NORMAL = {
    "banner": "220 sink.example ESMTP",
    "starttls": "220 2.0.0 go ahead",
    "auth": "235 2.7.0 welcome",
    "mail": "250 2.1.0 ok",
    "rcpt": "250 2.1.5 ok",
    "data": "354 go on",
    "dot": "250 2.0.0 taken",
    "accepted": "250 2.0.0 taken",
    "rset": "250 2.0.0 ok",
    "quit": "221 2.0.0 bye",
}


class Break(StrEnum):
    """Ways to end a conversation without an answer."""

    DROP = "drop"
    RST = "rst"
    HANG = "hang"
    GARBAGE = "garbage"
    HALF_LINE = "half-line"


@dataclass(frozen=True, slots=True)
class Say:
    """Answer with this (lines joined by CRLF); a 421 also ends the connection."""

    text: str


@dataclass(frozen=True, slots=True)
class Late:
    """Wait, and note a client that cannot; then `then`, or the normal answer."""

    seconds: float
    then: "Action | None" = None


@dataclass(frozen=True, slots=True)
class Part:
    """Send this as it is, and then act."""

    text: str
    then: "Action"


Action = Break | Say | Late | Part


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """A message the sink took, dots unstuffed; connections are numbered from 1."""

    sender: str
    recipients: tuple[str, ...]
    content: bytes
    connection: int

    @property
    def message_id(self) -> str:
        """The Message-ID header, empty when there is none."""
        match = _MESSAGE_ID.search(self.content.partition(b"\r\n\r\n")[0])
        return match[1].decode() if match else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Security:
    """TLS from the first byte (`implicit`) or by STARTTLS, and the one login that is known."""

    context: ssl.SSLContext | None = None
    implicit: bool = False
    login: tuple[str, str] | None = None
    mechanisms: str = "PLAIN LOGIN"


_OPEN = Security()


class SmtpSink(Listener):
    """Takes mails on 127.0.0.1 while its `with` block lasts."""

    def __init__(
        self,
        script: Mapping[str, Iterable[Action | None]] | None = None,
        *,
        offers: Sequence[str] = (),
        eager: bool = False,
        forgetful: bool = False,
        security: Security = _OPEN,
        port: int = 0,
        journal: Path | None = None,
    ) -> None:
        self.security = security
        self.offers = tuple(offers)
        self.eager = eager
        self.forgetful = forgetful
        self.messages: list[Accepted] = []
        self.commands: list[str] = []
        self.connections = 0
        self.early_talkers = 0
        self._script = {stage: iter(actions) for stage, actions in (script or {}).items()}
        self._lock = Lock()
        self._journal = journal
        self._open: dict[int, socket.socket] = {}
        # So that a client with a large message is still sending when its body is cut short.
        super().__init__("sink", port=port, receives=8192 if "body" in self._script else 0)

    @property
    def url(self) -> str:
        """What SMTP_URL must say to send here in the open."""
        return f"smtp://127.0.0.1:{self.port}"

    def next_action(self, stage: str) -> Action | None:
        """The order for this visit of `stage`; None is the normal course."""
        with self._lock:
            return next(self._script.get(stage, iter(())), None)

    def note(self, command: str) -> None:
        """Keep a command line."""
        with self._lock:
            self.commands.append(command)

    def opened(self, number: int, sock: socket.socket) -> None:
        """Remember the socket that ends connection `number` when the sink stops."""
        with self._lock:
            self._open[number] = sock

    def hang_up(self) -> None:
        """End every connection that is open now."""
        with self._lock:
            for sock in self._open.values():
                _end(sock)

    def take(self, message: Accepted) -> None:
        """Accept a message, for good."""
        with self._lock:
            self.messages.append(message)
            if self._journal is not None:
                _append(self._journal, f"{message.message_id} {' '.join(message.recipients)}\n")

    def meet(self, sock: socket.socket) -> None:
        """Begin a conversation."""
        # Answers to a group are small writes one after the other.
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with self._lock:
            self.connections += 1
            number = self.connections
            self._open[number] = sock
        thread = Thread(target=self._serve, args=(sock, number), daemon=True)
        self.threads.append(thread)
        thread.start()

    def _serve(self, sock: socket.socket, number: int) -> None:
        conversation = _Conversation(self, sock, number)
        try:
            conversation.hold()
        except (_Gone, OSError):
            return  # the conversation is over, one way or the other
        finally:
            with self._lock:
                del self._open[number]
            conversation.close()


class _Gone(Exception):
    """This connection has ended."""


class _Conversation:
    """One client, served by one thread."""

    def __init__(self, sink: SmtpSink, sock: socket.socket, number: int) -> None:
        self._sink = sink
        self._sock = sock
        self._number = number
        self._reader = sock.makefile("rb")
        self._sender: str | None = None  # "" is that of a bounce
        self._recipients: list[str] = []
        self._logged_in = sink.security.login is None

    def hold(self) -> None:
        """Talk until either side ends it."""
        if self._sink.security.implicit:
            self._protect()
        self._meet("banner")
        while line := self._reader.readline():
            command = line.decode("latin-1").rstrip("\r\n")
            self._sink.note(command)
            if self._sink.forgetful:
                self._forget()
            self._obey(command)

    def close(self) -> None:
        """Free the socket."""
        self._reader.close()
        self._sock.close()

    def _forget(self) -> None:
        """Lose whatever has come behind the last command."""
        self._reader.close()
        self._reader = self._sock.makefile("rb")
        if select.select([self._sock], [], [], 0)[0]:
            self._sock.recv(65536)

    def _obey(self, command: str) -> None:
        known = {
            "EHLO": self._hello,
            "STARTTLS": self._start_tls,
            "AUTH": self._log_in,
            "MAIL": self._begin,
            "RCPT": self._add,
            "DATA": self._receive,
            "RSET": self._reset,
            "QUIT": self._leave,
        }
        known.get(command.split(" ")[0].upper(), self._wonder)(command)

    def _hello(self, _: str) -> None:
        self._answer("ehlo", "\r\n".join(self._greeting()))

    def _start_tls(self, _: str) -> None:
        if self._meet("starttls"):
            self._protect()

    def _add(self, command: str) -> None:
        if self._sender is None:
            self._say("503 5.5.1 need MAIL first")
        elif self._meet("rcpt"):
            self._recipients.append(_address(command))

    def _reset(self, _: str) -> None:
        self._sender, self._recipients = None, []
        self._meet("rset")

    def _leave(self, _: str) -> None:
        self._meet("quit")
        raise _Gone

    def _wonder(self, _: str) -> None:
        self._say("502 5.5.1 what?")

    def _greeting(self) -> list[str]:
        words = ["sink.example", "SIZE 50000000", "ENHANCEDSTATUSCODES", *self._sink.offers]
        security = self._sink.security
        protected = isinstance(self._sock, ssl.SSLSocket)
        if security.context is not None and not protected:
            words.append("STARTTLS")
        if security.login is not None and (protected or security.context is None):
            words.append(f"AUTH {security.mechanisms}")
        return [f"250-{word}" for word in words[:-1]] + [f"250 {words[-1]}"]

    def _begin(self, command: str) -> None:
        if not self._logged_in:
            self._say("530 5.7.0 log in first")
        elif self._sender is not None:
            self._say("503 5.5.1 one mail at a time")
        elif self._meet("mail"):
            self._sender, self._recipients = _address(command), []

    def _log_in(self, command: str) -> None:
        words = command.split(" ")
        if words[1].upper() == "PLAIN":
            given = tuple(_decoded(words[2]).split("\0")[1:])
        else:
            given = (self._challenge("VXNlcm5hbWU6"), self._challenge("UGFzc3dvcmQ6"))
        if given != self._sink.security.login:
            self._say("535 5.7.8 no")
        elif self._meet("auth"):
            self._logged_in = True

    def _challenge(self, text: str) -> str:
        self._say(f"334 {text}")
        return _decoded(self._reader.readline().decode("ascii").strip())

    def _receive(self, _: str) -> None:
        if not self._recipients and not self._sink.eager:
            self._say("554 5.5.1 no valid recipients")
            return
        if not self._meet("data"):
            return
        if action := self._sink.next_action("body"):
            self._reader.read1(1)
            self._act(action, "")
            self._drain()
        content = self._content()
        message = Accepted(
            sender=self._sender or "",
            recipients=tuple(self._recipients),
            content=content,
            connection=self._number,
        )
        self._sender, self._recipients = None, []
        self._end_message(message, self._sink.next_action("dot"))

    def _end_message(self, message: Accepted, action: Action | None) -> None:
        """Take a message before anybody hears that it was taken."""
        match action:
            case None:
                self._sink.take(message)
                self._meet("accepted")
            case Late(seconds, then):
                self._sink.stopping.wait(seconds)
                self._end_message(message, then or Say(_NORMAL["dot"]))
            case Say(text) if text.startswith("2"):
                self._sink.take(message)
                self._say(text)
            case _:
                self._act(action, "")

    def _content(self) -> bytes:
        lines: list[bytes] = []
        while (line := self._reader.readline()) != b".\r\n":
            if not line.endswith(b"\n"):
                raise _Gone
            lines.append(line.removeprefix(b"."))
        return b"".join(lines)

    def _meet(self, stage: str) -> bool:
        """Answer at `stage`; whether the answer was a yes."""
        return self._answer(stage, _NORMAL[stage])

    def _answer(self, stage: str, normal: str) -> bool:
        action = self._sink.next_action(stage)
        said = self._act(action, normal) if action else self._say(normal)
        return said[0] in "23"

    def _act(self, action: Action, normal: str) -> str:
        match action:
            case Say(text):
                return self._say(text)
            case Late(seconds, then):
                self._sink.stopping.wait(seconds)
                if select.select([self._sock], [], [], 0)[0]:
                    self._sink.early_talkers += 1
                return self._act(then, normal) if then else self._say(normal)
            case Part(text, then):
                self._sock.sendall(text.encode())
                return self._act(then, normal)
            case _:
                self._break_off(action)
                raise _Gone

    def _break_off(self, how: Break) -> None:
        match how:
            case Break.DROP:
                self._sock.shutdown(socket.SHUT_WR)
            case Break.RST:
                linger = struct.pack("ii", 1, 0)
                self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            case Break.HANG:
                self._sink.stopping.wait()
            case Break.GARBAGE:
                self._sock.sendall(b"\xff\xfe\x00 what is this\r\n")
                self._drain()
            case Break.HALF_LINE:
                self._sock.sendall(b"250 o")
                self._sock.shutdown(socket.SHUT_WR)
                self._drain()

    def _say(self, text: str) -> str:
        self._sock.sendall(text.encode() + b"\r\n")
        if text.startswith("421"):
            self._sock.shutdown(socket.SHUT_WR)
            self._drain()
        return text

    def _drain(self) -> None:
        """Read until the client has hung up, so that what was said to it is not lost."""
        while self._reader.read1(65536):
            pass
        raise _Gone

    def _protect(self) -> None:
        context = self._sink.security.context
        if context is None:
            raise _Gone
        self._reader.close()
        self._sock = context.wrap_socket(self._sock, server_side=True)
        self._sink.opened(self._number, self._sock)
        self._reader = self._sock.makefile("rb")


def _end(sock: socket.socket) -> None:
    try:
        sock.shutdown(socket.SHUT_RDWR)
    except OSError:
        return  # it had ended already


def _append(path: Path, line: str) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        os.write(handle, line.encode())
        os.fsync(handle)
    finally:
        os.close(handle)


def _address(command: str) -> str:
    return command.partition("<")[2].partition(">")[0]


def _decoded(text: str) -> str:
    return base64.b64decode(text).decode()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Take mail on 127.0.0.1 and keep none of it.")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--pipelining", action="store_true", help="take commands in groups")
    parser.add_argument("--journal", type=Path, help="one line a message: Message-ID, recipient")
    return parser.parse_args()


def _main() -> None:
    options = _options()
    offers = ("PIPELINING",) if options.pipelining else ()
    with SmtpSink(port=options.port, journal=options.journal, offers=offers) as sink:
        sys.stdout.write(f"{sink.port}\n")
        sys.stdout.flush()
        sink.wait()


if __name__ == "__main__":
    _main()
