"""Between channels and their rows. Where a hook leads, and its keys, rest sealed."""

from typing import Any

from sqlalchemy import Row, Select, select

from paperround.domain.channels import Channel, ChannelKind, Hook, OldKey
from paperround.domain.errors import Misconfigured
from paperround.domain.subscribers import SubscriberId, SubscriptionId
from paperround.domain.times import format_instant, parse_instant
from paperround.store import schema as db
from paperround.store.sealing import Seal

CHANNELS: Select[Any] = (
    select(
        db.channels,
        db.subscribers.c.kind,
        db.lists.c.name.label("list_name"),
        db.subscriptions.c.id.label("subscription_id"),
    )
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
        return Hook(kind=ChannelKind(row.kind), url="", lost=str(error))


def _opened(row: Row[Any], seal: Seal) -> Hook:
    key, *old = seal.open(row.key).split("\n")
    return Hook(
        kind=ChannelKind(row.kind),
        url=seal.open(row.hook),
        chat=seal.open(row.chat),
        key=key,
        old_keys=tuple(_old_key(line) for line in old),
    )


def _old_key(line: str) -> OldKey:
    key, _, until = line.partition(" ")
    return OldKey(key=key, until=parse_instant(until))


def channel_of(row: Row[Any], seal: Seal) -> Channel:
    """The channel of a row of CHANNELS."""
    return Channel(
        id=SubscriberId(row.subscriber_id),
        subscription_id=SubscriptionId(row.subscription_id),
        name=row.name,
        list_name=row.list_name,
        hook=_hook_of(row, seal),
        created_at=row.created_at,
        paused_at=row.paused_at,
        stopped_at=row.stopped_at,
        stopped_why=row.stopped_why,
    )
