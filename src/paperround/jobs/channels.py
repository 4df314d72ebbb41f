"""What operators do with channels: add, change, try, pause and remove them. Each is written down.

Nothing here says a secret: a channel is told by its name, and by where it leads, masked.
"""

import secrets
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from paperround.domain.audit import COMMAND_LINE, Deed
from paperround.domain.channels import (
    Channel,
    ChannelKind,
    Hook,
    read_hook,
    read_name,
    written_key,
)
from paperround.domain.errors import FetchFailed, FetchRefused, InvalidInput
from paperround.domain.interests import Interest, bounded, parse_interest
from paperround.domain.notices import Alert
from paperround.domain.posts import Greeting, PostOutcome
from paperround.domain.subscribers import Preferences, SubscriberId
from paperround.domain.times import format_instant
from paperround.jobs.choices import checked
from paperround.jobs.ports import PostOffice
from paperround.jobs.subscriber_rows import preferences_of
from paperround.jobs.transactions import write
from paperround.jobs.wishes import settled
from paperround.store.unit_of_work import Database, UnitOfWork

KEY_BYTES = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A channel as somebody describes it; `hook` and `key` are secrets. `name` empty: its kind and
    list. `key` empty: a webhook gets one of its own."""

    kind: ChannelKind
    hook: str = field(repr=False)
    list_name: str
    name: str = ""
    chat: str = ""
    key: str = field(default="", repr=False)
    wish: Preferences = field(default_factory=Preferences)
    interests: tuple[Interest, ...] = ()
    at_once: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What is to be another of a channel; None leaves it as it is. `wish` are the fields of its
    preferences by name."""

    name: str | None = None
    hook: str | None = field(default=None, repr=False)
    chat: str | None = None
    key: str | None = field(default=None, repr=False)
    wish: Mapping[str, object] = field(default_factory=dict)
    interests: tuple[Interest, ...] | None = None

    @property
    def repoints(self) -> bool:
        """Whether anything of the hook is another."""
        return (self.hook, self.chat, self.key) != (None, None, None)


def wish_fields(
    row: Mapping[str, str], *, size: int | None = None, floor: float | None = None
) -> dict[str, object]:
    """The fields of preferences that `row` names in the words of a subscriber file (`timezone`,
    `hour`, `frequency`, `topics`), with size and floor where they are given. Raises InvalidInput
    whose code is the name of the field.
    """
    fields: dict[str, object] = {}
    for name in row:
        try:
            read = preferences_of({name: row[name]}, Preferences())
        except InvalidInput as error:
            raise InvalidInput(str(error), code=name) from None
        fields[name] = getattr(read, name)
        if name == "frequency":
            fields["weekday"] = read.weekday
    sizes = {"size": size, "floor": floor}
    return fields | {name: value for name, value in sizes.items() if value is not None}


def read_interests(lines: Iterable[str]) -> tuple[Interest, ...]:
    """Interests written as `kind:value`; raises InvalidInput (code `interests`)."""
    try:
        return bounded(map(parse_interest, lines))
    except InvalidInput as error:
        raise InvalidInput(str(error), code="interests") from None


def add_channel(
    database: Database,
    office: PostOffice,
    order: Order,
    *,
    opened: Collection[str] = (),
    now: datetime,
    by: str = COMMAND_LINE,
) -> Channel:
    """Keep a channel; its first post comes at its next hour, or now. `opened` are the `host:port`
    that the operator opened.

    Raises InvalidInput whose code names the field, also when the name, or the hook on that list, is
    taken, and NotFound for an unknown list. The key of a webhook stands in its `hook`.
    """
    hook = read_hook(order.kind, order.hook, chat=order.chat, key=order.key, opened=opened)
    name = read_name(order.name or f"{order.list_name.lower()}-{order.kind}")
    _require_open(office, hook)

    def add(work: UnitOfWork) -> Channel:
        mailing_list = work.lists.get(order.list_name)
        wish = checked(order.wish, zone=mailing_list.zone, now=now)
        channel = work.channels.add(
            name, _with_key(hook), mailing_list.name, wish, at_once=order.at_once, now=now
        )
        if order.interests:
            kept = settled(work, order.interests)
            work.subscribers.set_interests(channel.id, kept, now=now)
        _note(work, by, "add channel", channel, now)
        return work.channels.get(channel.id)

    return write(database, add)


def _require_open(office: PostOffice, hook: Hook) -> None:
    """Raise InvalidInput (code `hook`) where nothing may be posted to it. A name that cannot be
    looked up now is taken: where it leads is asked again before each post."""
    try:
        office.require_open(hook)
    except FetchRefused as error:
        raise InvalidInput(str(error), code="hook") from None
    except FetchFailed:
        return


def _with_key(hook: Hook) -> Hook:
    if hook.kind is not ChannelKind.WEBHOOK or hook.key:
        return hook
    return replace(hook, key=new_key())


def new_key() -> str:
    """A key of 256 random bits."""
    return written_key(secrets.token_bytes(KEY_BYTES))


def change_channel(
    database: Database,
    office: PostOffice,
    channel_id: SubscriberId,
    changes: Changes,
    *,
    opened: Collection[str] = (),
    now: datetime,
    by: str = COMMAND_LINE,
) -> Channel:
    """Change what is given; a channel that leads elsewhere now is no longer stopped, and the key
    that was signs beside a new one for KEY_OVERLAP. Raises as `add_channel` does."""
    if changes.repoints:
        with database.reading() as work:
            hook = _pointed(work.channels.get(channel_id), changes, opened)
        _require_open(office, hook)  # before the transaction, which must not wait for a look-up

    def change(work: UnitOfWork) -> Channel:
        channel = work.channels.get(channel_id)
        if changes.name is not None:
            work.channels.rename(channel.id, read_name(changes.name))
        if changes.repoints:
            _point(work, channel, _pointed(channel, changes, opened), now)
        if changes.wish:
            _choose(work, channel, changes.wish, now)
        if changes.interests is not None:
            kept = settled(work, changes.interests)
            work.subscribers.set_interests(channel.id, kept, now=now)
        changed = work.channels.get(channel_id)
        _note(work, by, "change channel", changed, now)
        return changed

    return write(database, change)


def _pointed(channel: Channel, changes: Changes, opened: Collection[str]) -> Hook:
    """The hook of a channel with what is changed of it."""
    old = channel.hook
    if changes.hook is None:
        _require_readable(channel)
    return read_hook(
        old.kind,
        old.url if changes.hook is None else changes.hook,
        chat=old.chat if changes.chat is None else changes.chat,
        key=old.key if changes.key is None else changes.key,
        opened=opened,
    )


def _point(work: UnitOfWork, channel: Channel, hook: Hook, now: datetime) -> None:
    old = channel.hook
    kept = replace(hook, key=old.key, old_keys=old.old_keys)
    work.channels.point(channel.id, kept.with_key(_with_key(hook).key, now=now))
    if channel.stopped_at is not None and not hook.leads_with(old):
        work.channels.resume(channel.id, now=now)


def _require_readable(channel: Channel) -> None:
    """Raise InvalidInput (code `hook`) where the hook of a channel was lost with its secret."""
    if channel.hook.lost:
        raise InvalidInput(
            f"{channel.hook.lost}, or give {channel.name} its hook anew", code="hook"
        )


def _choose(work: UnitOfWork, channel: Channel, given: Mapping[str, object], now: datetime) -> None:
    """The clock starts anew where hour or zone are others; a pause stays what it is."""
    known = work.channels.get(channel.id).wish  # a new hook may have ended its pause
    zone = work.lists.get(channel.list_name).zone
    asked = replace(known, paused_until=None, **given)  # type: ignore[arg-type]
    wish = checked(asked, zone=zone, now=now)
    wish = replace(wish, paused_until=known.paused_until)
    work.subscribers.choose(channel.subscription_id, wish, now=now)
    if {"hour", "timezone"} & given.keys():
        work.subscribers.schedule({channel.subscription_id: None})


def pause_channel(
    database: Database, channel_id: SubscriberId, *, now: datetime, by: str = COMMAND_LINE
) -> bool:
    """Post nothing there until it is resumed; what waits goes out then, if it is still alive.
    False when it is paused already."""

    return _moved(
        database,
        channel_id,
        "pause channel",
        lambda work: work.channels.pause(channel_id, now=now),
        now=now,
        by=by,
    )


def resume_channel(
    database: Database, channel_id: SubscriberId, *, now: datetime, by: str = COMMAND_LINE
) -> bool:
    """Let a channel that is paused or stopped go on; False when it is neither."""

    return _moved(
        database,
        channel_id,
        "resume channel",
        lambda work: work.channels.resume(channel_id, now=now),
        now=now,
        by=by,
    )


def _moved(
    database: Database,
    channel_id: SubscriberId,
    action: str,
    move: Callable[[UnitOfWork], bool],
    *,
    now: datetime,
    by: str,
) -> bool:
    """Whether `move` did anything; what it did is written down."""

    def do(work: UnitOfWork) -> bool:
        done = move(work)
        if done:
            _note(work, by, action, work.channels.get(channel_id), now)
        return done

    return write(database, do)


def remove_channel(
    database: Database, channel_id: SubscriberId, *, now: datetime, by: str = COMMAND_LINE
) -> Channel:
    """Forget it with its secrets; the ledger keeps what became of its posts. Returns what it was.
    What waits is not posted."""

    def remove(work: UnitOfWork) -> Channel:
        channel = work.channels.get(channel_id)
        work.channels.remove(channel_id, now=now)
        _note(work, by, "remove channel", channel, now)
        return channel

    return write(database, remove)


def try_channel(
    database: Database,
    office: PostOffice,
    channel_id: SubscriberId,
    *,
    domain: str,
    now: datetime,
    by: str = COMMAND_LINE,
) -> PostOutcome:
    """Post a few words, now, whether it is paused or stopped or not; they count for nothing."""
    with database.reading() as work:
        channel = work.channels.get(channel_id)
        title = work.lists.get(channel.list_name).title
    _require_readable(channel)
    words = (
        f"This is a test by Paperround: the digest of {title} can be posted here. "
        "Nothing has to be done."
    )
    greeting = Greeting(
        list_title=title,
        words=words,
        message_id=f"<{secrets.token_hex(16)}@{domain}>",
        dated=now,
    )
    message = office.greeting(channel.hook, greeting)
    outcome = office.post(channel.hook, message, before_body=lambda: True)
    if outcome is None:
        raise AssertionError("nothing forbids a test")
    write(database, lambda work: _note(work, by, "test channel", channel, now))
    return outcome


def stopped_channels(work: UnitOfWork) -> list[Alert]:
    """An alert for each channel whose hook is no more."""
    return [
        Alert(
            key=f"channel/{one.id}/{format_instant(one.stopped_at)}",
            subject=f"The channel {one.name} is stopped: its hook is no more",
            lines=(
                f"{one.stopped_why}.",
                f"Digests of {one.list_name} are not posted there any more; mail goes on.",
                f"Give it a new hook: `paperround channels edit {one.name} --hook -`.",
                f"Or let it try again: `paperround channels resume {one.name}`.",
            ),
        )
        for one in work.channels.all()
        if one.stopped_at is not None
    ]


def _note(work: UnitOfWork, by: str, action: str, channel: Channel, now: datetime) -> None:
    details = {"kind": channel.hook.kind.value, "list": channel.list_name}
    deed = Deed(actor=by, action=action, target=channel.name, details=details)
    work.audit.note(deed, now=now)
