"""An SMTP sink that seems far away: it delays each reply by a round trip.

`python -m benchmarks.lag_sink PORT SECONDS [JOURNAL]` runs one on 127.0.0.1 until it is stopped. It
appends the Message-ID of each message as a line to the file JOURNAL, if given.
"""

import asyncio
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

_END = b"\r\n.\r\n"
_HELLO = b"250-far.example\r\n250-PIPELINING\r\n250-SIZE 50000000\r\n250 ENHANCEDSTATUSCODES\r\n"
_HEAD, _NAME = b"\r\n\r\n", b"\r\nMessage-ID: "
_ANSWERS = {
    b"EHLO": _HELLO,
    b"HELO": b"250 far.example\r\n",
    b"MAIL": b"250 2.1.0 ok\r\n",
    b"RCPT": b"250 2.1.5 ok\r\n",
    b"DATA": b"354 go on\r\n",
    b"QUIT": b"221 2.0.0 bye\r\n",
}


class FarSink(asyncio.Protocol):
    """Accepts and discards every message; calls `note` with the Message-ID of each, if any."""

    def __init__(self, seconds: float, note: Callable[[bytes], object] | None = None) -> None:
        self._seconds = seconds
        self._note = note
        self._name: bytes | None = None
        self._unread = b""
        self._is_body = False
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._answer(b"220 far.example ESMTP\r\n")

    def data_received(self, data: bytes) -> None:
        self._unread += data
        if answers := b"".join(self._answers()):
            self._answer(answers)

    def _answers(self) -> Iterator[bytes]:
        while True:
            end = _END if self._is_body else b"\r\n"
            if self._is_body and self._name is None:
                self._read_name()
            at = self._unread.find(end)
            if at < 0:
                break
            if self._is_body:
                self._taken()
            line, self._unread = self._unread[:at], self._unread[at + len(end) :]
            yield (
                b"250 2.0.0 taken\r\n" if self._is_body else _ANSWERS.get(line[:4], b"502 what\r\n")
            )
            self._is_body = not self._is_body and line[:4] == b"DATA"
        if self._is_body and self._name is not None:
            self._unread = self._unread[-len(_END) :]

    def _read_name(self) -> None:
        """Read the Message-ID, once the whole head has arrived."""
        if self._note is None:
            self._name = b""
        elif (end := self._unread.find(_HEAD)) >= 0:
            head = b"\r\n" + self._unread[:end]
            self._name = head.partition(_NAME)[2].partition(b"\r\n")[0]

    def _taken(self) -> None:
        if self._note is not None:
            self._note((self._name or b"without a name") + b"\n")
        self._name = None

    def _answer(self, answer: bytes) -> None:
        if self._transport is not None:
            loop = asyncio.get_running_loop()
            loop.call_later(self._seconds, self._transport.write, answer)


async def _serve(port: int, seconds: float, note: Callable[[bytes], object] | None) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: FarSink(seconds, note), "127.0.0.1", port, backlog=500
    )
    print("ready", flush=True)
    await server.serve_forever()


def _main(port: str, seconds: str, *journal: str) -> None:
    with ExitStack() as stack:
        note = None
        for name in journal:
            note = stack.enter_context(Path(name).open("wb", buffering=0)).write
        asyncio.run(_serve(int(port), float(seconds), note))


if __name__ == "__main__":
    _main(*sys.argv[1:])
