"""A mail sink that is far away: each answer is held until a round trip after the bytes that caused
it came. `python -m benchmarks.lag_sink PORT SECONDS` runs one on 127.0.0.1 until it is ended.
"""

import asyncio
import sys
from collections.abc import Iterator

_END = b"\r\n.\r\n"
_HELLO = b"250-far.example\r\n250-PIPELINING\r\n250-SIZE 50000000\r\n250 ENHANCEDSTATUSCODES\r\n"
_ANSWERS = {
    b"EHLO": _HELLO,
    b"HELO": b"250 far.example\r\n",
    b"MAIL": b"250 2.1.0 ok\r\n",
    b"RCPT": b"250 2.1.5 ok\r\n",
    b"DATA": b"354 go on\r\n",
    b"QUIT": b"221 2.0.0 bye\r\n",
}


class FarSink(asyncio.Protocol):
    """Takes every mail, and keeps none."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
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
            at = self._unread.find(end)
            if at < 0:
                break
            line, self._unread = self._unread[:at], self._unread[at + len(end) :]
            yield (
                b"250 2.0.0 taken\r\n" if self._is_body else _ANSWERS.get(line[:4], b"502 what\r\n")
            )
            self._is_body = not self._is_body and line[:4] == b"DATA"
        if self._is_body:
            self._unread = self._unread[-len(_END) :]

    def _answer(self, answer: bytes) -> None:
        if self._transport is not None:
            loop = asyncio.get_running_loop()
            loop.call_later(self._seconds, self._transport.write, answer)


async def _serve(port: int, seconds: float) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: FarSink(seconds), "127.0.0.1", port, backlog=500)
    print("ready", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1]), float(sys.argv[2])))
