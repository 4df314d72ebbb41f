"""The daily routine: clock, schedule, feeds, editions, and whether digests get out."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from paperround.bounces.model import ReturnTally
from paperround.core.jobs import ClusterStatus, QueueDepth, QueueName, spoken_lines
from paperround.core.reasons import counted
from paperround.core.times import format_instant
from paperround.db.slots import SlotStore
from paperround.db.transactions import Transaction
from paperround.delivery.channel_model import Channel
from paperround.delivery.holds import ALLOW, LACKS_KEYS
from paperround.delivery.ledger_model import DeliveryRecord
from paperround.delivery.restore_guard import WAS_PUT_BACK, WAY_OUT
from paperround.delivery.store.channels import ChannelStore
from paperround.delivery.store.ledger import Ledger
from paperround.digests.plan import LATE
from paperround.doctor.database_check import CLOCKS_DIFFER, DOCTOR
from paperround.doctor.findings import Finding, fail, ok, skipped, warn
from paperround.editions.model import DeliveryState
from paperround.feeds.health import cause_of
from paperround.feeds.model import FeedHealth, LiveFeed
from paperround.ops.status import ListStatus, PaceStatus, Status
from paperround.ops.tick import SCHEDULER
from paperround.ranking.models import KeptModel

QUIET = timedelta(minutes=3)
"""How long nothing may tick. Ticks come once a minute."""

OLD_EDITION = timedelta(hours=30)
"""Lists are cut at least once a day, and a cut waits for late papers for some hours."""

OLD_MODEL = timedelta(days=3)
"""One is learned every night."""

MOST_NAMED = 5
"""Feeds that a finding names; of the others it says how many there are."""

_AILING = frozenset({FeedHealth.FAILED, FeedHealth.STALE, FeedHealth.NEW})

LOST = (DeliveryState.EXPIRED, DeliveryState.FAILED)

TURN_ON = "start `paperround serve`, or run `paperround tick` every minute"


def clock(work: Transaction, *, now: datetime) -> Finding:
    """Whether the clock stands after every sign of life that was left before."""
    beats = [beat for name in (SCHEDULER, DOCTOR) if (beat := work[SlotStore].last_beat(name))]
    if not beats:
        return skipped("clock", "there is nothing yet to compare the machine's clock with")
    if max(beats) > now + CLOCKS_DIFFER:
        return fail(
            "clock",
            f"it says {format_instant(now)}, and something was done at "
            f"{format_instant(max(beats))} already: it is behind now, or it was ahead then",
            "set it right (`timedatectl`); digests are due by it",
        )
    return ok("clock", f"it says {format_instant(now)}, after all that was done so far")


def schedule(last_tick_at: datetime | None, *, now: datetime) -> Finding:
    """Whether something looks every minute at what is due."""
    if last_tick_at is None:
        return warn("schedule", "nothing has ticked yet, so no digest is sent by itself", TURN_ON)
    if not ticks(last_tick_at, now=now):
        says = f"nothing has ticked since {format_instant(last_tick_at)}"
        return fail("schedule", says, TURN_ON)
    return ok("schedule", f"the last tick was at {format_instant(last_tick_at)}")


def ticks(last_tick_at: datetime | None, *, now: datetime) -> bool:
    """Whether something does."""
    return last_tick_at is not None and now - last_tick_at <= QUIET


def model(newest: KeptModel | None, *, is_read: bool, now: datetime) -> Finding:
    """Whether what was learned of earlier papers can be read, and is not old."""
    again = "`paperround learn` makes a new one, or says what it lacks"
    if newest is None:
        says = "nothing was learned yet, so papers without votes stand by topics, day and abstract"
        return skipped("model", says, "`paperround learn` says what it takes")
    if not is_read:
        says = f"model {newest.id} cannot be read, so papers are ranked without it"
        return warn("model", says, f"the log tells why; {again}")
    papers = counted(newest.outcomes, "paper")
    says = f"model {newest.id} knows {papers} as of {format_instant(newest.as_of)}"
    if now - newest.as_of > OLD_MODEL:
        return warn("model", f"{says}: nothing newer was learned", again)
    return ok("model", says)


def feeds(found: Sequence[LiveFeed]) -> list[Finding]:
    """One finding for each reason why feeds bring nothing though they should; one for all feeds
    that are well."""
    if not found:
        way_out = "`paperround feeds add --preset ml`, or `paperround ingest --file`"
        return [warn("feeds", "no feed is read by itself", way_out)]
    causes: dict[str, list[LiveFeed]] = {}
    for feed in found:
        if feed.health in _AILING:
            causes.setdefault(cause_of(feed), []).append(feed)
    said = [_ailing(hit) for hit in causes.values()]
    if well := len(found) - sum(map(len, causes.values())):
        said.append(ok("feeds", f"{well} of {len(found)} {'is' if well == 1 else 'are'} well"))
    return said


def _ailing(hit: Sequence[LiveFeed]) -> Finding:
    """What is wrong with feeds that share a cause."""
    first = hit[0]
    match first.health:
        case FeedHealth.FAILED:
            return fail("feeds", _told(hit), f"`paperround feeds check {first.name} --live`")
        case FeedHealth.STALE:
            return warn("feeds", _told(hit), "look at the source; digests go out without it")
        case _:
            be = "was" if len(hit) == 1 else "were"
            way_out = f"`paperround feeds run {first.name}`, or wait for the next tick"
            return warn("feeds", f"{_named(hit)} {be} not read yet", way_out)


def _told(hit: Sequence[LiveFeed]) -> str:
    first = hit[0]
    if len(hit) == 1:
        return f"{first.name} is {first.health.value}: {first.reason}"
    same = f"{counted(len(hit), 'feed')} are {first.health.value} for one reason"
    return f"{same} ({first.reason}): {_named(hit)}"


def _named(hit: Sequence[LiveFeed]) -> str:
    named = ", ".join(feed.name for feed in hit[:MOST_NAMED])
    return f"{named} and {len(hit) - MOST_NAMED:,} more" if len(hit) > MOST_NAMED else named


def returns(tally: ReturnTally) -> Finding:
    """Whether few enough mails came back in the last week, and few enough were complained of."""
    if not tally.tried:
        return skipped("returns", "no digest was sent in 7 days, so none can have come back")
    says = (
        f"of {counted(tally.tried, 'digest')} in 7 days {tally.bounced:,} came back "
        f"({tally.bounce_rate:.2%}), readers complained of {tally.complained:,} "
        f"({tally.complaint_rate:.2%})"
    )
    match tally.too_many:
        case "complaints":
            way_out = "did everybody ask for this mail? Gmail refuses senders above 0.3 %"
            return warn("returns", f"{says}: more than 0.1 %", way_out)
        case "bounces":
            way_out = "`paperround bounces list` shows what servers said"
            return warn("returns", f"{says}: more than 5 %", way_out)
        case _:
            return ok("returns", says)


def holds(pace: PaceStatus) -> list[Finding]:
    """Whether mail is held: there is no key to sign it with, or the database is an older copy.
    Nothing when it is not."""
    found = []
    if pace.lacks_keys:
        found.append(fail("mail", LACKS_KEYS, f"put the keys back (docs/dkim.md), or {ALLOW}"))
    if pace.was_put_back:
        found.append(fail("mail", WAS_PUT_BACK, WAY_OUT))
    return found


def lists(status: Status, *, now: datetime) -> list[Finding]:
    """For each list, whether it has a fresh edition and its digests get out."""
    return [
        finding for one in status.lists for finding in (_edition(one, now), _digests(one, now=now))
    ]


def _edition(one: ListStatus, now: datetime) -> Finding:
    name = one.mailing_list.name
    if not one.editions:
        return warn("editions", f"{name} has no edition yet", "feeds and a tick make one")
    newest = one.editions[0]
    says = f"the newest of {name} is of {newest.day} with {counted(newest.papers, 'paper')}"
    if now - newest.cut_at > OLD_EDITION:
        way_out = "see `schedule` and `feeds` here; the log tells more"
        return warn("editions", f"{says}, more than a day old", way_out)
    return ok("editions", says)


def _digests(one: ListStatus, *, now: datetime) -> Finding:
    name, oldest = one.mailing_list.name, one.backlog.oldest_held_due
    if one.mailing_list.paused_at is not None:
        since = format_instant(one.mailing_list.paused_at)
        says = f"{name} is paused since {since}: no digest leaves"
        return warn("digests", says, "`paperround digest resume` when all is well")
    if oldest is not None and now - oldest > LATE:
        says = f"one of {name} was due at {format_instant(oldest)} and has not left"
        return fail("digests", says, "`paperround digest status` shows what the relay says")
    lost = sum(tally.count for tally in one.reasons if tally.state in LOST)
    if lost:
        says = f"of {name} {counted(lost, 'digest')} of today did not get out"
        return warn("digests", says, "`paperround digest status` has the reasons")
    return ok("digests", f"none of {name} is late")


LOOKED_AT = 10
"""Posts of a channel that are looked through for the last that came to something."""

_TELLING = frozenset({DeliveryState.SENT, DeliveryState.FAILED, DeliveryState.EXPIRED})


def channels(work: Transaction) -> list[Finding]:
    """One finding for each that is stopped, or whose last post was not taken; one for all others;
    nothing where there are none. Of hooks that were lost with a secret, the check of the keys
    says so."""
    readable = [one for one in work[ChannelStore].all() if one.stopped_at or not one.hook.lost]
    troubles = [_trouble(one, work[Ledger].history(one.id, limit=LOOKED_AT)) for one in readable]
    found = [one for one in troubles if one is not None]
    if well := len(readable) - len(found):
        found.append(ok("channels", f"{counted(well, 'channel')} can be posted to"))
    return found


def _trouble(channel: Channel, posts: Sequence[DeliveryRecord]) -> Finding | None:
    """What is wrong with a channel; `posts` are its newest first."""
    name = channel.name
    if channel.stopped_at is not None:
        return warn(
            "channels",
            f"{name} is stopped since {format_instant(channel.stopped_at)}: {channel.stopped_why}",
            f"`paperround channels edit {name} --hook -` gives it another hook",
        )
    last = next((one for one in posts if one.state in _TELLING), None)
    if last is None or last.state is DeliveryState.SENT:
        return None
    return warn(
        "channels",
        f"the last post to {name} was not taken: {last.reason or last.state}",
        f"`paperround channels history {name}` says more, `channels test` tries it",
    )


LONG = timedelta(minutes=15)
"""How long a job may wait that somebody could do. One waits while another of its kind runs: reading
many feeds takes some minutes."""


def sharing(
    staff: ClusterStatus, lined: Mapping[QueueName, QueueDepth], *, ticks: bool, now: datetime
) -> list[Finding]:
    """What the processes of an installation on PostgreSQL leave undone. `ticks`: its rounds are
    done all the same, by `paperround tick` for instance."""
    if ticks and not staff.schedulers and not staff.workers:
        says = "no scheduler and no worker lives; `paperround tick` does their work"
        return [ok("schedulers", says)]
    return [_schedulers(staff), _workers(staff, lined), *_stalled(staff, lined, now=now)]


def _schedulers(staff: ClusterStatus) -> Finding:
    if not staff.schedulers:
        return fail(
            "schedulers",
            "none lives, so nothing new is read, published or planned",
            "start `paperround scheduler`, on two machines if you can",
        )
    number = counted(len(staff.schedulers), "scheduler")
    return ok("schedulers", f"{number}: {', '.join(staff.schedulers)}")


def _workers(staff: ClusterStatus, lined: Mapping[QueueName, QueueDepth]) -> Finding:
    unserved = spoken_lines(staff.unserved)
    if unserved:
        waiting = sum(lined[line].waiting for line in staff.unserved)
        says = f"none serves {unserved}, where {counted(waiting, 'job')} {_wait(waiting)}"
        return fail("workers", says, f"start `paperround worker --queues {unserved}`")
    number = counted(len(staff.workers), "worker")
    return ok("workers", f"{number}, and every queue is served: {', '.join(staff.workers)}")


def _wait(count: int) -> str:
    return "waits" if count == 1 else "wait"


def _stalled(
    staff: ClusterStatus, lined: Mapping[QueueName, QueueDepth], *, now: datetime
) -> list[Finding]:
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
