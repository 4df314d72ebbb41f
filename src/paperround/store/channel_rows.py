"""Between channels and their rows. Where a hook leads, and its keys, rest sealed."""

from typing import Any

from sqlalchemy import Row, Select, select

from paperround.domain.channels import Channel, ChannelKind, Hook, OldKey
from paperround.domain.errors import Misconfigured
from paperround.domain.subscribers import SubscriberId, SubscriptionId
from paperround.domain.times import format_instant, parse_instant
from paperround.store import schema as db
from paperround.store.sealing import Seal

CHANNEL_COLUMNS = (
    db.channels.c.subscriber_id.label("channel_id"),
    db.channels.c.name.label("channel_name"),
    db.channels.c.hook,
    db.channels.c.chat,
    db.channels.c.key,
    db.channels.c.created_at.label("channel_since"),
    db.channels.c.paused_at.label("channel_paused_at"),
    db.channels.c.stopped_at,
    db.channels.c.stopped_why,
    db.subscribers.c.kind.label("channel_kind"),
    db.lists.c.name.label("channel_list"),
)
"""What it takes to make a Channel beside its subscription; named so that a delivery may stand next
to it."""

CHANNELS: Select[Any] = (
    select(*CHANNEL_COLUMNS, db.subscriptions.c.id.label("channel_subscription"))
    .select_from(db.channels)
    .join(db.subscribers, db.channels.c.subscriber_id == db.subscribers.c.id)
    .join(db.subscriptions, db.subscriptions.c.subscriber_id == db.subscribers.c.id)
    .join(db.lists, db.subscriptions.c.list_id == db.lists.c.id)
)


def hook_columns(hook: Hook, seal: Seal) -> dict[str, str]:
    """Where a hook leads, in columns. The column of keys has a line for each: the one that counts,
    then those that still sign beside it, with the moment at which each ends."""
    old = [f"{one.key} {format_instant(one.until)}" for one in hook.old_keys]
    said = {"hook": hook.url, "chat": hook.chat, "key": "\n".join([hook.key, *old])}
    return {name: seal.seal(text) for name, text in said.items()}


def _hook_of(row: Row[Any], seal: Seal) -> Hook:
    """Where it leads; one that cannot be opened says why, and holds up nothing else."""
    try:
        return _opened(row, seal)
    except Misconfigured as error:
        return Hook(kind=ChannelKind(row.channel_kind), url="", lost=str(error))


def _opened(row: Row[Any], seal: Seal) -> Hook:
    key, *old = seal.open(row.key).split("\n")
    return Hook(
        kind=ChannelKind(row.channel_kind),
        url=seal.open(row.hook),
        chat=seal.open(row.chat),
        key=key,
        old_keys=tuple(_old_key(line) for line in old),
    )


def _old_key(line: str) -> OldKey:
    key, _, until = line.partition(" ")
    return OldKey(key=key, until=parse_instant(until))


def channel_of(row: Row[Any], seal: Seal) -> Channel:
    """The channel of a row of CHANNELS, or of a delivery beside one."""
    return Channel(
        id=SubscriberId(row.channel_id),
        subscription_id=SubscriptionId(row.channel_subscription),
        name=row.channel_name,
        list_name=row.channel_list,
        hook=_hook_of(row, seal),
        created_at=row.channel_since,
        paused_at=row.channel_paused_at,
        stopped_at=row.stopped_at,
        stopped_why=row.stopped_why,
    )
