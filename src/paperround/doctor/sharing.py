"""Many machines: somebody asks for the work, somebody does it, and none of it waits for long."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from paperround.doctor.findings import Finding, fail, ok, warn
from paperround.domain.text import counted
from paperround.domain.times import format_instant
from paperround.domain.work import Line, Lined, Staff, spoken_lines

LONG = timedelta(minutes=15)
"""How long a job may wait that somebody could do. One waits while another of its kind runs: reading
many feeds takes some minutes."""


def sharing(
    staff: Staff, lined: Mapping[Line, Lined], *, ticks: bool, now: datetime
) -> list[Finding]:
    """What the processes of an installation on PostgreSQL leave undone. `ticks`: its rounds are
    done all the same, by `paperround tick` for instance."""
    if ticks and not staff.schedulers and not staff.workers:
        says = "no scheduler and no worker lives; `paperround tick` does their work"
        return [ok("schedulers", says)]
    return [_schedulers(staff), _workers(staff, lined), *_stalled(staff, lined, now=now)]


def _schedulers(staff: Staff) -> Finding:
    if not staff.schedulers:
        return fail(
            "schedulers",
            "none lives, so nothing new is read, published or planned",
            "start `paperround scheduler`, on two machines if you can",
        )
    number = counted(len(staff.schedulers), "scheduler")
    return ok("schedulers", f"{number}: {', '.join(staff.schedulers)}")


def _workers(staff: Staff, lined: Mapping[Line, Lined]) -> Finding:
    unserved = spoken_lines(staff.unserved)
    if unserved:
        waiting = sum(lined[line].waiting for line in staff.unserved)
        says = f"none serves {unserved}, where {counted(waiting, 'job')} {_wait(waiting)}"
        return fail("workers", says, f"start `paperround worker --queues {unserved}`")
    number = counted(len(staff.workers), "worker")
    return ok("workers", f"{number}, and every queue is served: {', '.join(staff.workers)}")


def _wait(count: int) -> str:
    return "waits" if count == 1 else "wait"


def _stalled(staff: Staff, lined: Mapping[Line, Lined], *, now: datetime) -> list[Finding]:
    """Queues that are served, and get on with nothing. One that is not served was told of."""
    late = {
        line: one.due_since
        for line, one in lined.items()
        if staff.serving(line) and one.due_since is not None and now - one.due_since > LONG
    }
    if not late:
        return [ok("jobs", "none waits for long where a worker serves")]
    return [
        warn(
            "jobs",
            f"{line} has had a job to do since {format_instant(since)}, and no worker takes it "
            f"({lined[line].running} run)",
            "the workers' logs say what they do; a worker that hangs may be stopped, and another "
            "takes over",
        )
        for line, since in late.items()
    ]


def of_another_version(strangers: Mapping[str, int]) -> list[Finding]:
    """Jobs that no worker of this version takes; nothing when there are none."""
    return [
        warn(
            "jobs",
            f"{counted(number, 'job')} {task} {_wait(number)}, which this version does not know",
            "workers of the version that put them take them: upgrade this machine",
        )
        for task, number in strangers.items()
    ]
