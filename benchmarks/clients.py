"""Clients on keep-alive connections, each sending one request after the other, in a cheap process:
`python -m benchmarks.clients PORT WHAT FIRST COUNT PACE`.

WHAT is `hello` or `signup`. Each request has another email address and comes from another network.
Sends COUNT requests in all, PACE a second; with COUNT 0 until standard input is closed, with PACE 0
as fast as they are answered. Prints the statuses and durations of the responses as JSON.
"""

import json
import selectors
import socket
import subprocess
import sys
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count, islice

CLIENTS = 32
HELLO = "/hello"
_DOMAINS = 1_000


@dataclass(frozen=True, slots=True)
class Responses:
    """Seconds from the first request to the last response, seconds of each response, and the number
    of responses by status; -1 means a closed connection."""

    seconds: float
    each: list[float]
    statuses: dict[int, int]

    def percentile(self, share: float) -> float:
        """The seconds within which that share of the responses arrived."""
        return sorted(self.each)[min(len(self.each) - 1, int(len(self.each) * share))]


def ask(port: int, what: str, *, first: int, requests: int) -> Responses:
    """Send this many requests, and return the responses."""
    with asking(port, what, first=first, requests=requests) as client:
        return responses_of(client)


def asking(
    port: int, what: str, *, first: int, requests: int = 0, pace: float = 0
) -> "subprocess.Popen[str]":
    """Start clients."""
    said = map(str, (port, what, first, requests, pace))
    command = [sys.executable, "-m", "benchmarks.clients", *said]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def responses_of(client: "subprocess.Popen[str]") -> Responses:
    """The result of clients once they are done; stops clients without a COUNT."""
    said, _ = client.communicate()
    seconds, each, statuses = json.loads(said)
    return Responses(seconds, each, {int(status): number for status, number in statuses.items()})


# --- the clients' process ------------------------------------------------------------------------


def _hello(number: int) -> bytes:
    return f"GET {HELLO} HTTP/1.1\r\n{_headers(number)}\r\n".encode()


def _signup(number: int) -> bytes:
    body = f'{{"email": "person{number}@mail{number % _DOMAINS}.example"}}'
    kind = f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
    head = f"POST /api/v1/subscriptions HTTP/1.1\r\n{_headers(number)}{kind}\r\n"
    return (head + body).encode()


def _headers(number: int) -> str:
    """A trusted proxy's headers, with a client from another network in each request."""
    client = f"{20 + (number >> 16)}.{number >> 8 & 255}.{number & 255}.1"
    return f"Host: localhost\r\nX-Forwarded-For: {client}\r\n"


REQUESTS: dict[str, Callable[[int], bytes]] = {"hello": _hello, "signup": _signup}


@dataclass(slots=True)
class _Line:
    """One keep-alive connection, and the response received so far."""

    socket: socket.socket
    began: float = 0.0
    answer: bytes = b""

    def send(self, request: bytes, began: float) -> None:
        self.answer, self.began = b"", began
        self.socket.sendall(request)

    def hear(self) -> int | None:
        """The status, once the response is complete."""
        some = self.socket.recv(65_536)
        if not some:
            return -1
        self.answer += some
        head, end, body = self.answer.partition(b"\r\n\r\n")
        if not end:
            return None
        length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n", 1)[0])
        return int(head[9:12]) if len(body) >= length else None


@dataclass(slots=True)
class _Clients:
    """`pace` is the number of requests a second, whether earlier ones are answered or not; 0 sends
    the next as soon as one is answered. A duration counts from when the request was scheduled."""

    port: int
    requests: Iterator[bytes]
    pace: float
    each: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    idle: deque[_Line] = field(default_factory=deque)
    busy: int = 0

    def run(self, *, until_closed: bool) -> float:
        looking = selectors.DefaultSelector()
        if until_closed:
            looking.register(sys.stdin, selectors.EVENT_READ)
        for _ in range(CLIENTS):
            line = _Line(socket.create_connection(("127.0.0.1", self.port)))
            looking.register(line.socket, selectors.EVENT_READ, line)
            self.idle.append(line)
        begin = due = time.perf_counter()
        request = next(self.requests, None)
        while request is not None or self.busy:
            now = time.perf_counter()
            while request is not None and self.idle and now >= due:
                self.idle.popleft().send(request, due if self.pace else time.perf_counter())
                self.busy += 1
                due += 1 / self.pace if self.pace else 0
                request = next(self.requests, None)
            wait = max(0.0, due - now) if self.idle and request is not None else None
            for key, _ in looking.select(wait):
                if key.data is None:
                    looking.unregister(sys.stdin)
                    request = None
                else:
                    self._hear(looking, key.data)
        return time.perf_counter() - begin

    def _hear(self, looking: selectors.BaseSelector, line: _Line) -> None:
        status = line.hear()
        if status is None:
            return
        self.busy -= 1
        self.each.append(time.perf_counter() - line.began)
        self.statuses[status] += 1
        if status == -1:
            looking.unregister(line.socket)
        else:
            self.idle.append(line)


def main(port: int, what: str, first: int, requests: int, pace: float) -> None:
    """Send the requests, and print the result."""
    each = map(REQUESTS[what], count(first))
    clients = _Clients(port, islice(each, requests) if requests else each, pace)
    seconds = clients.run(until_closed=not requests)
    print(json.dumps([seconds, clients.each, clients.statuses]))


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), float(sys.argv[5]))
