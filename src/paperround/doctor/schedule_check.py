"""Check the daily operation: clock, schedule, feeds, editions, digests and processes."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from paperround.bounces.model import ReturnTally
from paperround.core.jobs import QueueDepth, QueueName, format_queue_names
from paperround.core.reasons import counted
from paperround.core.times import format_instant
from paperround.db.slots import SlotStore
from paperround.db.transactions import Transaction
from paperround.delivery.holds import clock_alerts, unsigned
from paperround.delivery.restore_guard import restored_copy_alerts
from paperround.digests.plan import LATE
from paperround.doctor.findings import Finding, fail, findings_of, ok, skipped, warn
from paperround.editions.model import DeliveryState
from paperround.feeds.model import FeedHealth, LiveFeed
from paperround.ops.alerts import group_by_cause, list_names, rate_alerts
from paperround.ops.cluster import ClusterStatus
from paperround.ops.status import ListStatus, Status
from paperround.ops.tick import SCHEDULER, is_ticking
from paperround.ranking.models import KeptModel

DOCTOR = "doctor"
"""The name of the heartbeat that the checks write."""

CLOCKS_DIFFER = timedelta(minutes=2)

OLD_EDITION = timedelta(hours=30)
"""Every list is cut at least once a day, and a cut waits some hours for late papers."""

OLD_MODEL = timedelta(days=3)
"""A model is trained every night."""

_UNHEALTHY = frozenset({FeedHealth.FAILED, FeedHealth.STALE, FeedHealth.NEW})

LOST = (DeliveryState.EXPIRED, DeliveryState.FAILED)

START_TICKING = "start `paperround serve`, or run `paperround tick` every minute"


def check_clock(work: Transaction, *, now: datetime) -> Finding:
    """Check that the clock is not behind the heartbeats in the database."""
    heartbeats = [
        heartbeat for name in (SCHEDULER, DOCTOR) if (heartbeat := work[SlotStore].last_beat(name))
    ]
    if not heartbeats:
        return skipped("clock", "there is nothing yet to compare this machine's clock with")
    if max(heartbeats) > now + CLOCKS_DIFFER:
        return fail(
            "clock",
            f"it says {format_instant(now)}, and something was done at "
            f"{format_instant(max(heartbeats))} already: it is behind now, or it was ahead then",
            "correct it (`timedatectl`): digests are due by this clock",
        )
    return ok("clock", f"it says {format_instant(now)}, later than everything recorded so far")


def check_schedule(last_tick_at: datetime | None, *, now: datetime) -> Finding:
    """Check that something ticks every minute."""
    if last_tick_at is None:
        return warn("schedule", "the schedule has never run, so no digests are sent", START_TICKING)
    if not is_ticking(last_tick_at, now=now):
        says = f"the schedule has not run since {format_instant(last_tick_at)}"
        return fail("schedule", says, START_TICKING)
    return ok("schedule", f"the last tick was at {format_instant(last_tick_at)}")


def check_model(newest: KeptModel | None, *, is_read: bool, now: datetime) -> Finding:
    """Check that the model trained on earlier papers can be read and is not old."""
    advice = "`paperround learn` trains a new one, or says what is missing"
    if newest is None:
        says = (
            "no model was trained yet, so papers without votes are ranked by topics, day and "
            "abstract"
        )
        return skipped("model", says, "`paperround learn` says what is missing")
    if not is_read:
        says = f"model {newest.id} cannot be read, so papers are ranked without it"
        return warn("model", says, f"the log says why; {advice}")
    papers = counted(newest.outcomes, "paper")
    says = f"model {newest.id} knows {papers} as of {format_instant(newest.as_of)}"
    if now - newest.as_of > OLD_MODEL:
        return warn("model", f"{says}: no newer one was trained", advice)
    return ok("model", says)


def check_feeds(found: Sequence[LiveFeed]) -> list[Finding]:
    """Return one finding for each cause of failing feeds, and one for all healthy feeds."""
    if not found:
        way_out = (
            "`paperround feeds add --preset ml`; ignore this if you import all papers with "
            "`paperround ingest --file`"
        )
        return [warn("feeds", "no feed is polled", way_out)]
    causes = group_by_cause(found, _UNHEALTHY)
    findings = [_unhealthy_finding(feeds) for feeds in causes]
    if well := len(found) - sum(map(len, causes)):
        findings.append(ok("feeds", f"{well} of {len(found)} {'is' if well == 1 else 'are'} well"))
    return findings


def _unhealthy_finding(feeds: Sequence[LiveFeed]) -> Finding:
    """Return the finding on feeds that share a cause."""
    first = feeds[0]
    match first.health:
        case FeedHealth.FAILED:
            return fail("feeds", _describe(feeds), f"`paperround feeds check {first.name} --live`")
        case FeedHealth.STALE:
            return warn("feeds", _describe(feeds), "check the source; digests are sent without it")
        case _:
            have = "has" if len(feeds) == 1 else "have"
            way_out = f"`paperround feeds run {first.name}`, or wait for the next tick"
            return warn("feeds", f"{list_names(feeds)} {have} not been polled yet", way_out)


def _describe(feeds: Sequence[LiveFeed]) -> str:
    first = feeds[0]
    if len(feeds) == 1:
        return f"{first.name} is {first.health.value}: {first.reason}"
    summary = f"{counted(len(feeds), 'feed')} are {first.health.value} for one reason"
    return f"{summary} ({first.reason}): {list_names(feeds)}"


def check_returns(tally: ReturnTally, *, now: datetime) -> list[Finding]:
    """Check the rates of bounces and complaints in the last week."""
    if not tally.tried:
        says = "no digest was sent in the last 7 days"
        return [skipped("returns", says)]
    says = (
        f"of {counted(tally.tried, 'digest')} in 7 days {tally.bounced:,} bounced "
        f"({tally.bounce_rate:.2%}), complaints about {tally.complained:,} "
        f"({tally.complaint_rate:.2%})"
    )
    return findings_of("returns", rate_alerts(tally, {}, now=now)) or [ok("returns", says)]


def check_holds(work: Transaction, *, now: datetime) -> list[Finding]:
    """Report email that is held: after a clock jump, without a key, for an older database."""
    alerts = (*clock_alerts(work, now=now), *unsigned(work), *restored_copy_alerts(work))
    return findings_of("mail", alerts)


def check_lists(status: Status, *, now: datetime) -> list[Finding]:
    """Check that each list has a recent edition and its digests get out."""
    return [
        finding
        for one in status.lists
        for finding in (_check_edition(one, now), _check_digests(one, now=now))
    ]


def _check_edition(one: ListStatus, now: datetime) -> Finding:
    name = one.mailing_list.name
    if not one.editions:
        return warn("editions", f"{name} has no edition yet", "add a feed and run the schedule")
    newest = one.editions[0]
    says = f"the newest of {name} is of {newest.day} with {counted(newest.paper_count, 'paper')}"
    if now - newest.cut_at > OLD_EDITION:
        way_out = "see `schedule` and `feeds` above; the log says more"
        return warn("editions", f"{says}, more than a day old", way_out)
    return ok("editions", says)


def _check_digests(one: ListStatus, *, now: datetime) -> Finding:
    name, oldest = one.mailing_list.name, one.backlog.oldest_held_due
    if one.mailing_list.paused_at is not None:
        since = format_instant(one.mailing_list.paused_at)
        says = f"{name} has been paused since {since}: no digests are sent"
        return warn("digests", says, "run `paperround digest resume` when you are ready")
    if oldest is not None and now - oldest > LATE:
        says = f"one of {name} was due at {format_instant(oldest)} and has not been sent"
        return fail("digests", says, "`paperround digest status` shows what the relay says")
    lost = sum(tally.count for tally in one.reasons if tally.state in LOST)
    if lost:
        says = f"of {name} {counted(lost, 'digest')} of today could not be sent"
        return warn("digests", says, "`paperround digest status` has the reasons")
    return ok("digests", f"none of {name} is late")


MAX_WAIT = timedelta(minutes=15)
"""How long a job of a served queue may wait; reading many feeds takes some minutes."""


def check_processes(
    cluster: ClusterStatus, depths: Mapping[QueueName, QueueDepth], *, ticks: bool, now: datetime
) -> list[Finding]:
    """Check the processes on PostgreSQL. With `ticks` something else runs the periodic jobs."""
    if ticks and not cluster.schedulers and not cluster.workers:
        says = "no scheduler or worker is running; `paperround tick` does their work"
        return [ok("schedulers", says)]
    return [
        _check_schedulers(cluster),
        _check_workers(cluster, depths),
        *_check_queues(cluster, depths, now=now),
    ]


def _check_schedulers(cluster: ClusterStatus) -> Finding:
    if not cluster.schedulers:
        return fail(
            "schedulers",
            "none is running, so nothing new is read, published or planned",
            "start `paperround scheduler`, on two machines if you can",
        )
    number = counted(len(cluster.schedulers), "scheduler")
    return ok("schedulers", f"{number}: {', '.join(cluster.schedulers)}")


def _check_workers(cluster: ClusterStatus, depths: Mapping[QueueName, QueueDepth]) -> Finding:
    unserved = format_queue_names(cluster.unserved)
    if unserved:
        waiting = sum(depths[line].waiting for line in cluster.unserved)
        says = f"none serves {unserved}, where {counted(waiting, 'job')} {_waits(waiting)}"
        return fail("workers", says, f"start `paperround worker --queues {unserved}`")
    number = counted(len(cluster.workers), "worker")
    return ok("workers", f"{number}, and every queue is served: {', '.join(cluster.workers)}")


def _waits(count: int) -> str:
    return "waits" if count == 1 else "wait"


def _check_queues(
    cluster: ClusterStatus, depths: Mapping[QueueName, QueueDepth], *, now: datetime
) -> list[Finding]:
    """Report queues that are served but make no progress; `_check_workers` reports the others."""
    late = {
        line: one.due_since
        for line, one in depths.items()
        if cluster.serving(line) and one.due_since is not None and now - one.due_since > MAX_WAIT
    }
    if not late:
        return [ok("jobs", "no job waits long in a served queue")]
    return [
        warn(
            "jobs",
            f"{line} has had a job to do since {format_instant(since)}, and no worker takes it "
            f"({depths[line].running} run)",
            "check the workers' logs; if a worker hangs, stop it, and another takes over",
        )
        for line, since in late.items()
    ]
