"""Is it alive, and is it ready? For whatever watches the process."""

from datetime import datetime, timedelta

from fastapi import APIRouter, Response

from paperround.domain.errors import PaperroundError
from paperround.jobs.tick import SCHEDULER
from paperround.web.home import Home, Present
from paperround.wiring import Runtime

STALE_BEAT = timedelta(minutes=3)
"""Ticks come once a minute."""

router = APIRouter(include_in_schema=False)


@router.get("/healthz")
def healthz() -> dict[str, str]:
    """The process answers."""
    return {"status": "alive"}


@router.get("/readyz")
def readyz(home: Home, now: Present, response: Response) -> dict[str, str]:
    """The database answers, its schema is right, it has room, and something ticks; 503 with the
    reason."""
    problem = _problem(home, now)
    response.status_code = 503 if problem else 200
    return {"status": problem or "ready"}


def _problem(home: Runtime, now: datetime) -> str | None:
    try:
        with home.database.reading() as work:
            if not work.status.is_migrated():
                return "the database is not at this version's schema: run `paperround db upgrade`"
            if work.status.storage().is_full:
                return "the disk is full: mail waits until there is room"
            beat = work.slots.last_beat(SCHEDULER)
    except PaperroundError:
        return "the database does not answer"
    if beat is None or now - beat > STALE_BEAT:
        return "nothing ticks: is the scheduler running?"
    return None
