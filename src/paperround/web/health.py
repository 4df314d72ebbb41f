"""Is it alive, and is it ready? For whatever watches the process."""

from datetime import datetime, timedelta

from fastapi import APIRouter, Response

from paperround.domain.errors import PaperroundError
from paperround.jobs.holding import LACKS_KEYS, lacks_keys
from paperround.jobs.pacing import UNREACHED, unreached
from paperround.jobs.put_back import WAS_PUT_BACK, is_put_back
from paperround.jobs.roles import staff
from paperround.jobs.tick import SCHEDULER
from paperround.web.home import Home, Present
from paperround.wiring import Runtime

STALE_BEAT = timedelta(minutes=3)
"""Ticks come once a minute."""

DOES_NOT_ANSWER = "the database does not answer"
NOTHING_TICKS = "nothing ticks: is the scheduler running?"
NOT_DONE = "ticks are asked for and not done: look at the workers' logs"

ALIVE = "/healthz"

router = APIRouter(include_in_schema=False)


@router.get(ALIVE)
async def healthz() -> dict[str, str]:
    """The process answers. This needs no thread and no database, which others may keep busy."""
    return {"status": "alive"}


@router.get("/readyz")
def readyz(home: Home, now: Present, response: Response) -> dict[str, object]:
    """The database answers, its schema is right, it has room, somebody does the work, and mail may
    leave; 503 with the reason. `degraded` with the reason, and 200, where the relay cannot be
    reached: no other process would do better. Where several processes share the work it says how
    many there are and what waits."""
    problem = fitness(home)
    facts: dict[str, object] = {}
    if problem is None:
        problem, facts = _working(home, now)
    response.status_code = 503 if problem else 200
    well = "degraded" if "degraded" in facts else "ready"
    return {"status": problem or well, **facts}


def fitness(home: Runtime) -> str | None:
    """What is wrong with the database; None when nothing is."""
    try:
        with home.database.reading() as work:
            if not work.status.is_migrated():
                return "the database is not at this version's schema: run `paperround db upgrade`"
            if work.status.storage().is_full:
                return "the disk is full: mail waits until there is room"
    except PaperroundError:
        return DOES_NOT_ANSWER
    return None


def _working(home: Runtime, now: datetime) -> tuple[str | None, dict[str, object]]:
    """What keeps the work from being done, and who does it."""
    is_shared = not home.settings.embedded
    try:
        with home.database.reading() as work:
            beat = work.slots.last_beat(SCHEDULER)
            people = staff(work, now=now) if is_shared else None
            held = LACKS_KEYS if lacks_keys(work) else None
            reason = unreached(work, now=now)
            held = WAS_PUT_BACK if is_put_back(work) else held
        lined = home.shared_queue.lined() if is_shared else {}
    except PaperroundError:
        return DOES_NOT_ANSWER, {}
    is_stale = beat is None or now - beat > STALE_BEAT
    facts: dict[str, object] = {}
    if reason is not None:
        facts["degraded"] = f"{UNREACHED}: {reason}"
    if people is None:
        return (NOTHING_TICKS if is_stale else held), facts
    problem = people.problem or (NOT_DONE if is_stale else held)
    return problem, facts | {
        "schedulers": len(people.schedulers),
        "workers": len(people.workers),
        "queues": {
            line.value: {
                "workers": people.serving(line),
                "waiting": one.waiting,
                "running": one.running,
            }
            for line, one in lined.items()
        },
    }
