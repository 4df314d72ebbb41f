"""B11: public pages against a page that says hello, served by the same application.

The application runs in its own process, with its usual server. One client sends one request after
the other over a keep-alive connection, and the contenders take turns. Hello is a plain `def`
handler, like all of ours, that returns twelve bytes and is the first route: its requests pass only
the security middleware, the framework and its threads.

The cost is the CPU time of the serving process, with all its threads: wall time says little on a
machine that others use.

Warm: the page is in the page cache. Cold: its URL was never requested before, so it is rendered
from the database; similar papers are cached from earlier that day, and formatted values (links,
authors, parts of a score) from earlier pages. The client does not accept compression.
"""

import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from itertools import count, islice
from pathlib import Path

from fastapi.responses import PlainTextResponse

from benchmarks.cpu import can_measure_cpu, cpu_seconds
from benchmarks.invented import NOW, as_jsonl, papers, store
from benchmarks.rounds import interleaved, speed_ratio
from benchmarks.table import Bar, Measured
from paperround.bootstrap import AppContext
from paperround.cli.process import freeze_startup_objects
from paperround.cli.server import server
from paperround.config import Settings
from paperround.core.clock import FixedClock
from paperround.digests.publish import freeze_cuts
from paperround.feeds.formats.jsonl import read_jsonl
from paperround.web.app import create_app

PAPERS = 2_000
WARM, COLD = 200, 20
"""Requests per round."""
ROUNDS = 7
HELLO = "/hello"


def speed_of_pages() -> list[Measured]:
    """The cost of hello as a multiple of three cached pages, and the cost of the same pages
    rendered as a multiple of hello."""
    if not can_measure_cpu("B11"):
        return []
    with (
        tempfile.TemporaryDirectory() as folder,
        _serving(folder) as (served, port, paths),
        socket.create_connection(("127.0.0.1", port)) as line,
    ):
        timer = partial(cpu_seconds, served)
        return [row for name, path in paths.items() for row in _measured(line, name, path, timer)]


def _measured(
    line: socket.socket, name: str, path: str, timer: Callable[[], float]
) -> list[Measured]:
    fresh = count()
    warm = interleaved(
        {"page": partial(_ask, line, path, WARM), "hello": partial(_ask, line, HELLO, WARM)},
        rounds=ROUNDS,
        timer=timer,
    )
    cold = interleaved(
        {
            "page": partial(_ask_uncached, line, path, fresh),
            "hello": partial(_ask, line, HELLO, COLD),
        },
        rounds=ROUNDS,
        timer=timer,
    )
    return [
        Measured(
            id="B11",
            measure=f"the page {name}, warm / hello",
            value=speed_ratio(warm, "page", "hello"),
            bar=Bar("at least", 0.6),
        ),
        Measured(
            id="B11",
            measure=f"time of the page {name}, cold / hello",
            value=1 / speed_ratio(cold, "page", "hello"),
            bar=Bar("at most", 15),
        ),
    ]


def _ask_uncached(line: socket.socket, path: str, fresh: Iterator[int]) -> None:
    """Request URLs that were never requested before."""
    for number in islice(fresh, COLD):
        _ask(line, f"{path}?{number}", 1)


def _ask(line: socket.socket, path: str, times: int) -> None:
    """Send this many requests, and read each response to its end."""
    request = f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
    for _ in range(times):
        line.sendall(request)
        _read(line)


def _read(line: socket.socket) -> None:
    answer = b""
    while b"\r\n\r\n" not in answer:
        answer += _some(line)
    head, _, body = answer.partition(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.1 200"):
        raise RuntimeError(f"not a page: {head[:80]!r}")
    length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n", 1)[0])
    missing = length - len(body)
    while missing > 0:
        missing -= len(_some(line))


def _some(line: socket.socket) -> bytes:
    some = line.recv(262_144)
    if not some:
        raise RuntimeError("the server hung up")
    return some


# --- the process that serves ---------------------------------------------------------------------


@contextmanager
def _serving(folder: str) -> Iterator[tuple[int, int, dict[str, str]]]:
    """The process, its port, and the pages by name."""
    command = [sys.executable, "-m", "benchmarks.pages", folder]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as program:
        try:
            assert program.stdout is not None
            port, paper, edition = program.stdout.readline().split()
            pages = {"today": "/", "of a paper": paper, "of an edition": edition}
            yield program.pid, int(port), pages
        finally:
            program.terminate()


def _serve(folder: str) -> None:
    home = AppContext(
        Settings(data_dir=Path(folder), public_url="http://localhost"), FixedClock(NOW)
    )
    rows = papers(PAPERS)
    for number, row in enumerate(rows):
        row["upvotes"] = number * 7919 % 60
    store(read_jsonl(as_jsonl(rows)), home.database)
    [edition] = freeze_cuts(database=home.database, ranker=home.ranker, now=NOW)
    site = create_app(home)
    site.add_api_route(HELLO, _hello)
    site.router.routes.insert(0, site.router.routes.pop())
    with socket.create_server(("127.0.0.1", 0)) as door:
        port = door.getsockname()[1]
        pages = (f"/papers/{edition.papers[0].name}", f"/editions/trending/{edition.day}")
        print(port, *pages, flush=True)
        freeze_startup_objects()
        server(site, host="127.0.0.1", port=port).run(sockets=[door])


def _hello() -> PlainTextResponse:
    return PlainTextResponse("hello, world")


if __name__ == "__main__":
    _serve(sys.argv[1])
