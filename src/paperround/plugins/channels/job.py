"""The periodic job that posts to channels, and what alerts, status and doctor say about them."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from paperround.core.jobs import Job, QueueName
from paperround.core.reasons import counted
from paperround.core.times import format_instant
from paperround.db.transactions import Transaction
from paperround.delivery.status import MailRecord
from paperround.delivery.store.status import StatusStore
from paperround.delivery.system_mail_model import Alert
from paperround.doctor.findings import Finding, ok, warn
from paperround.editions.model import DeliveryState
from paperround.ops.plugin_jobs import JobReport, PluginJob
from paperround.plugins.channels.delivery import ChannelContext, deliver_channels
from paperround.plugins.channels.model import Channel
from paperround.plugins.channels.sender import sender_of
from paperround.plugins.channels.store import ChannelStore, PostLedger

if TYPE_CHECKING:  # it loads this module
    from paperround.bootstrap import AppContext
    from paperround.ops.status import Status


def post_due(app: "AppContext") -> JobReport:
    """Post the digests that are due."""
    report = deliver_channels(
        ChannelContext(
            database=app.database,
            sender=sender_of(app),
            sender_identity=app.sender_identity,
            keys=app.settings.keys,
            clock=app.clock,
            processes=app.processes,
            lease=timedelta(seconds=app.settings.lease_seconds),
            stopping=app.stopping.is_set,
            boot=app.boot,
            wait=app.stopping.wait,
            pending_writes=app.pending_writes,
            marks=app.send_marks,
        )
    )
    lines = [f"  {n:,} not posted now: {why}" for why, n in sorted(report.troubles.items())]
    if report.messages or lines:
        lines.insert(0, f"messages to channels: {report.messages:,}")
    return JobReport(values={"channels": {"messages": report.messages}}, lines=lines)


def stopped_channels(work: Transaction) -> Iterator[Alert]:
    """Yield an alert for each stopped channel."""
    for one in work[ChannelStore].all():
        if one.stopped_at is not None:
            yield Alert(
                key=f"channel/{one.id}/{format_instant(one.stopped_at)}",
                subject=f"The channel {one.name} is stopped: its hook no longer exists",
                lines=(
                    f"{one.stopped_why}.",
                    f"Digests of {one.list_name} are no longer posted there. Email is still sent.",
                    f"Give it a new hook: `paperround channels edit {one.name} --hook -`.",
                    f"Or retry the old one: `paperround channels resume {one.name}`.",
                ),
            )


def _list_status(work: Transaction, list_name: str) -> Mapping[str, Any]:
    channels = [
        {"name": one.name, "state": one.state, "kind": one.hook.kind, "reason": one.stopped_why}
        for one in work[ChannelStore].all()
        if one.list_name == list_name
    ]
    return {"channels": channels}


POSTS_SEARCHED = 10
"""Newest posts of a channel that are searched for the last one with an outcome."""

_WITH_OUTCOME = frozenset({DeliveryState.SENT, DeliveryState.FAILED, DeliveryState.EXPIRED})


def check_channels(
    context: "AppContext", current_status: "Status | None", _: datetime
) -> list[Finding]:
    """Return one finding for each channel that is stopped or refused its last post, and one for
    all others. The check of the keys reports hooks that were lost with a secret."""
    if current_status is None:
        return []
    with context.database.reading() as work:
        readable = [one for one in work[ChannelStore].all() if one.stopped_at or not one.hook.lost]
        troubles = [
            _channel_finding(one, work[StatusStore].mails(one.id, limit=POSTS_SEARCHED))
            for one in readable
        ]
    found = [one for one in troubles if one is not None]
    if well := len(readable) - len(found):
        found.append(ok("channels", f"{counted(well, 'channel')} can be posted to"))
    return found


def _channel_finding(channel: Channel, posts: Sequence[MailRecord]) -> Finding | None:
    """Return what is wrong with a channel, None if nothing is; `posts` are newest first."""
    name = channel.name
    if channel.stopped_at is not None:
        return warn(
            "channels",
            f"{name} was stopped at {format_instant(channel.stopped_at)}: {channel.stopped_why}",
            f"`paperround channels edit {name} --hook -` sets a new hook",
        )
    last = next((one for one in posts if one.state in _WITH_OUTCOME), None)
    if last is None or last.state is DeliveryState.SENT:
        return None
    return warn(
        "channels",
        f"the last post to {name} failed: {last.reason or last.state}",
        f"`paperround channels history {name}` shows more, `channels test` tests it",
    )


POSTS = PluginJob(
    job=Job(task="posts", priority=-5, line=QueueName.POSTS),
    run=post_due,
    has_due=lambda work, now: work[PostLedger].has_due(now=now),
    alerts=stopped_channels,
    clean_up=lambda work: work[ChannelStore].reencrypt(),
    list_status=_list_status,
)
"""The job `posts`."""
