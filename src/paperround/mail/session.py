"""A conversation and its socket, which never makes anybody wait."""

import contextlib
import socket
import ssl

from paperround.mail.conversation import Conversation
from paperround.mail.wire import explain

_CHUNK = 65536
"""Bytes, more than any TLS record holds."""

_NOT_NOW = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


class Session:
    """An open session with the relay of number `relay`. Its owner calls it when the socket is
    ready, and closes it once the conversation is over."""

    def __init__(self, sock: socket.socket, relay: int, conversation: Conversation) -> None:
        sock.setblocking(False)
        self.sock = sock
        self.relay = relay
        self.talk = conversation
        self.is_watched_for_writing = False
        self.permitted_at = 0.0
        self._sent = 0

    @property
    def has_more_to_write(self) -> bool:
        """Whether the socket took less than there was."""
        return bool(self.talk.output)

    def read(self, now: float) -> None:
        """Hear what there is, and write what it leads to."""
        self._receive(now)
        self.write(now)

    def write(self, now: float) -> None:
        """Write as much as the socket takes."""
        output = self.talk.output
        try:
            while self._sent < len(output):
                rest = memoryview(output)[self._sent :] if self._sent else output
                self._sent += self.sock.send(rest)
        except _NOT_NOW:
            return
        except OSError as error:
            self._receive(now)  # the server's last words say more than the broken pipe
            self.talk.lose(explain(error))
            return
        if output:
            self._sent = 0
            self.talk.flushed()

    def close(self) -> None:
        """Free the socket, as it is."""
        with contextlib.suppress(OSError):  # it was gone already
            self.sock.shutdown(socket.SHUT_RDWR)
        self.sock.close()

    def _receive(self, now: float) -> None:
        """Read once: under TLS that is a whole record, so nothing stays behind unseen."""
        if self.talk.over:
            return
        try:
            data = self.sock.recv(_CHUNK)
        except _NOT_NOW:
            return
        except OSError as error:
            self.talk.lose(explain(error))
            return
        self.talk.receive(data, now)
