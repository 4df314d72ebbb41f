"""What a worker or a scheduler tells whoever watches it: three pages, and no site.

They tell of one process: does it do what it is there for? How the installation is doing is told by
the site's own pages. No page names a person.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from paperround.domain.errors import PaperroundError
from paperround.domain.work import spoken_lines
from paperround.web.health import fitness
from paperround.web.metrics import Gauge, gauges_of_lines, told
from paperround.wiring import Runtime

if TYPE_CHECKING:  # an installation on one machine has no driver of PostgreSQL
    from paperround.queue.postgres import PostgresQueue

LATE = timedelta(seconds=90)
"""A scheduler that could not look for so long does not do what it is there for."""

Numbers = Callable[[], Iterable[Gauge]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """A process to be watched: what it is called, what keeps it from its work (None when nothing
    does), what there is to tell beside, and its numbers."""

    name: str
    problem: Callable[[datetime], str | None]
    facts: Callable[[], dict[str, object]] = dict
    numbers: Numbers


def worker_role(home: Runtime) -> Role:
    """A process that serves lines."""
    queue = home.shared_queue

    def problem(_: datetime) -> str | None:
        down = queue.down()
        return f"{spoken_lines(down)}: the worker waits for its database" if down else None

    return Role(
        name="worker",
        problem=problem,
        facts=lambda: {"queues": list(home.hands.lines), "running": dict(queue.busy())},
        numbers=lambda: [*_numbers_of(queue), *gauges_of_lines(queue.lined())],
    )


def scheduler_role(last_look: Callable[[], datetime | None]) -> Role:
    """A process that ticks, and on SQLite does all the rest."""

    def problem(now: datetime) -> str | None:
        last = last_look()
        is_late = last is None or now - last > LATE
        return "it has not looked at what is due for 90 seconds" if is_late else None

    def numbers() -> Iterator[Gauge]:
        last = last_look()
        yield Gauge(
            name="scheduler_last_look_timestamp_seconds",
            means="When this scheduler last looked at what is due.",
            values=[((), None if last is None else last.timestamp())],
        )

    return Role(name="scheduler", problem=problem, numbers=numbers)


def role_app(home: Runtime, role: Role) -> Starlette:
    """`/healthz`, `/readyz` and `/metrics` of a process."""

    def healthz(_: Request) -> Response:
        return JSONResponse({"status": "alive", "role": role.name})

    def readyz(_: Request) -> Response:
        wrong = fitness(home) or role.problem(home.clock.now())
        told = {"status": wrong or "ready", "role": role.name, **role.facts()}
        return JSONResponse(told, status_code=503 if wrong else 200)

    def metrics(_: Request) -> Response:
        try:
            return told(role.numbers())
        except PaperroundError as error:
            return Response(str(error), status_code=503)

    pages: Sequence[tuple[str, Callable[[Request], Response]]] = (
        ("/healthz", healthz),
        ("/readyz", readyz),
        ("/metrics", metrics),
    )
    return Starlette(routes=[Route(path, page) for path, page in pages])


def _numbers_of(queue: "PostgresQueue") -> Iterator[Gauge]:
    yield Gauge(
        name="worker_jobs",
        means="Jobs this process has ended since it began, by task and outcome.",
        labels=("task", "outcome"),
        values=list(queue.done().items()),
    )
    yield Gauge(
        name="worker_running",
        means="Jobs this process runs just now.",
        labels=("task",),
        values=[((task,), count) for task, count in queue.busy().items()],
    )
