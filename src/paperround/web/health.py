"""Health checks: `/healthz` and `/readyz` of the site, and of workers and schedulers."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from fastapi import APIRouter, Request, Response
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

from paperround.bootstrap import AppContext
from paperround.core.errors import PaperroundError
from paperround.core.jobs import format_queue_names
from paperround.core.plugins import plugins
from paperround.db.slots import SlotStore
from paperround.db.transactions import impatiently
from paperround.delivery.holds import LACKS_KEYS, PUT_BACK, SIGNING, is_held
from paperround.delivery.rate_limits import describe_unreached, unreached
from paperround.delivery.restore_guard import WAS_PUT_BACK
from paperround.delivery.store.status import StatusStore
from paperround.ops.cluster import cluster_status
from paperround.ops.scheduler_lock import is_scheduler_gone
from paperround.ops.tick import SCHEDULER, is_ticking
from paperround.web.timed_check import TimedCheck

DOES_NOT_ANSWER = "the database does not answer"
CANNOT_WRITE = "the database cannot be written: `paperround doctor` says why"
NOTHING_TICKS = "the schedule has not run: is the scheduler running?"
GONE = "the scheduler has stopped: start `paperround scheduler`, or `paperround serve`"
NOT_DONE = "ticks are enqueued but not run: check the workers' logs"

LATE_AFTER = timedelta(seconds=10)
"""A scheduler looks every five seconds at what is due."""

LastLook = Callable[[], datetime | None]
"""Returns when a scheduler last looked, None if it never did."""

router = APIRouter(include_in_schema=False)


@router.get("/healthz")
async def healthz() -> dict[str, str]:
    """Report that the process responds. Needs no thread and no database, which may be busy."""
    return {"status": "alive"}


@router.get("/readyz")
async def readyz(request: Request, response: Response) -> dict[str, object]:
    """Check the database, its schema, disk space, the scheduler, the workers and holds on sending.

    Returns 503 with the reason if one fails. An unreachable relay is only `degraded`, with status
    200, because another process could not reach it either. With separate workers the response also
    counts the processes and the jobs in each queue.
    """
    check: TimedCheck[Readiness] = request.app.state.readiness
    found = await check.result() or Readiness(problem=DOES_NOT_ANSWER)
    response.status_code = 503 if found.problem else 200
    well = "degraded" if "degraded" in found.facts else "ready"
    return {"status": found.problem or well, **found.facts}


@dataclass(frozen=True, slots=True, kw_only=True)
class Readiness:
    """The problem, None if there is none, and facts about the processes."""

    problem: str | None
    facts: Mapping[str, object] = field(default_factory=dict)


def readiness(app: AppContext, last_look: LastLook | None) -> Readiness:
    """Return whether the installation works. `last_look` is that of a scheduler in this process."""
    now = app.clock.now()
    problem = database_problem(app)
    if problem is None and last_look is not None:
        problem = late_problem(last_look(), now)
    if problem is not None:
        return Readiness(problem=problem)
    problem, facts = _work_problem(app, now)
    return Readiness(problem=problem, facts=facts)


def database_problem(app: AppContext) -> str | None:
    """Return what is wrong with the database, or None."""
    try:
        with app.database.reading() as work:
            if not work[StatusStore].is_migrated():
                return "the database schema is outdated: run `paperround db upgrade`"
            storage = work[StatusStore].storage()
        if storage.is_full:
            return "the disk is full: email waits until there is space"
        if storage.is_read_only:
            return "the database is on a read-only file system: email waits until it is writable"
    except PaperroundError:
        return DOES_NOT_ANSWER
    return None


def _can_write(app: AppContext) -> bool:
    try:
        with impatiently(), app.database.writing() as work:
            work[SlotStore].give_back("readiness", "never taken")  # a write that changes nothing
    except PaperroundError:
        return False
    return True


def _work_problem(app: AppContext, now: datetime) -> tuple[str | None, dict[str, object]]:
    """Return what is wrong with the scheduler, workers or sending, and facts about them."""
    is_shared = not app.settings.embedded
    try:
        with app.database.reading() as work:
            last_run = work[SlotStore].last_beat(SCHEDULER)
            processes = cluster_status(work, now=now) if is_shared else None
            held = LACKS_KEYS if is_held(work, SIGNING) else None
            reason = unreached(work, now=now)
            held = WAS_PUT_BACK if is_held(work, PUT_BACK) else held
        depths = app.shared_queue.queue_depths() if is_shared else {}
    except PaperroundError:
        return DOES_NOT_ANSWER, {}
    is_stale = not is_ticking(last_run, now=now)
    if is_stale and not _can_write(app):
        return CANNOT_WRITE, {}
    if not is_shared and is_scheduler_gone(app.settings.data_dir):
        return GONE, {}
    facts: dict[str, object] = {}
    if reason is not None:
        facts["degraded"] = describe_unreached(reason)
    if processes is None:
        return (NOTHING_TICKS if is_stale else held), facts
    problem = processes.problem or (NOT_DONE if is_stale else held)
    return problem, facts | {
        "schedulers": len(processes.schedulers),
        "workers": len(processes.workers),
        "queues": {
            line.value: {
                "workers": processes.serving(line),
                "waiting": one.waiting,
                "running": one.running,
            }
            for line, one in depths.items()
        },
    }


# Workers and schedulers serve health pages about their own process. Those of the site are about the
# whole installation. No page contains personal data.


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """The contents of a process's health pages: its name, its problem or None, and further facts.

    `last_look` is that of a scheduler: when it last looked at what is due.
    """

    name: str
    problem: Callable[[datetime], str | None]
    facts: Callable[[], dict[str, object]] = dict
    last_look: LastLook | None = None


def worker_role(app: AppContext) -> Role:
    """Return the role of a worker."""
    queue = app.shared_queue

    def problem(_: datetime) -> str | None:
        down = queue.down()
        return f"{format_queue_names(down)}: the worker waits for its database" if down else None

    return Role(
        name="worker",
        problem=problem,
        facts=lambda: {"queues": list(app.lines), "running": dict(queue.busy())},
    )


def late_problem(last: datetime | None, now: datetime) -> str | None:
    """Return what is wrong with a scheduler that last looked then, or None."""
    # After the clock was set back, the last look is in the future.
    is_late = last is None or abs(now - last) > LATE_AFTER
    return "the scheduler has not checked for due work for 10 seconds" if is_late else None


def scheduler_role(last_look: LastLook) -> Role:
    """Return the role of a scheduler, which on SQLite also does the work."""
    return Role(
        name="scheduler",
        problem=lambda now: late_problem(last_look(), now),
        last_look=last_look,
    )


def role_app(app: AppContext, role: Role) -> Starlette:
    """Return an application with `/healthz`, `/readyz` and what plugins add, such as `/metrics`."""

    def healthz(_: Request) -> Response:
        return JSONResponse({"status": "alive", "role": role.name})

    check = TimedCheck(lambda: database_problem(app) or role.problem(app.clock.now()) or "")

    async def readyz(_: Request) -> Response:
        found = await check.result()
        problem = DOES_NOT_ANSWER if found is None else found
        payload = {"status": problem or "ready", "role": role.name, **role.facts()}
        return JSONResponse(payload, status_code=503 if problem else 200)

    added = [route for one in plugins("process_routes").values() for route in one(app, role)]
    return Starlette(routes=[Route("/healthz", healthz), Route("/readyz", readyz), *added])
