"""Add, change, test, pause and remove channels. Each action is audited.

No secret is shown: a channel appears by its name and its masked address.
"""

import secrets
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from paperround.access.model import COMMAND_LINE, AuditedAction
from paperround.access.store import AuditStore
from paperround.core.errors import FetchFailed, FetchRefused, InvalidInput
from paperround.db.transactions import Database, Transaction, write
from paperround.editions.store.lists import ListStore
from paperround.plugins.channels.model import (
    Channel,
    ChannelKind,
    ChannelSettings,
    Hook,
    read_hook,
    read_name,
    written_key,
)
from paperround.plugins.channels.sender import (
    ChannelSender,
    PostOutcome,
    TestMessage,
    sender_of,
    service_of,
)
from paperround.plugins.channels.store import ChannelStore
from paperround.subscribers.choices import checked, settled
from paperround.subscribers.import_files import preferences_of
from paperround.subscribers.interests import bounded, parse_interest
from paperround.subscribers.model import SubscriberId
from paperround.subscribers.store.subscribers import SubscriberStore

if TYPE_CHECKING:  # it takes a while to import, and --help is quick
    from paperround.bootstrap import AppContext

_HOOK = frozenset({"hook", "chat", "key"})
_CLOCK = frozenset({"hour", "timezone"})
_PREFERENCES = frozenset({"timezone", "hour", "frequency", "size", "floor", "topics"})


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelAdmin:
    """Change channels on behalf of the operator `by`.

    `opened` lists the non-public `host:port` pairs that posts may go to. The methods raise
    NotFound for an unknown channel or list, and InvalidInput with the setting's name as code.
    """

    database: Database
    sender: ChannelSender
    opened: Collection[str] = ()
    now: datetime
    by: str = COMMAND_LINE

    def add(
        self,
        kind: ChannelKind,
        list_name: str,
        settings: ChannelSettings,
        *,
        at_once: bool = False,
    ) -> Channel:
        """Add a channel and return it; a webhook without a key gets one.

        The first post comes at the next hour set, or now with `at_once`. Raises AlreadyTaken when
        the name, or the hook on that list, is taken.
        """
        hook = self._with_settings(Hook(kind=kind, url=""), settings)
        name = read_name(settings.get("name") or f"{list_name.lower()}-{kind}")
        self._require_open(hook)

        def add(work: Transaction) -> Channel:
            mailing_list = work[ListStore].get_live(list_name)
            added = work[ChannelStore].add(name, _with_key(hook), mailing_list, now=self.now)
            self._store_preferences(work, added, settings)
            if at_once:
                work[SubscriberStore].schedule({added.subscription_id: self.now})
            return self._audit(work, "add channel", work[ChannelStore].get(added.id))

        return write(self.database, add)

    def change(self, channel_id: SubscriberId, settings: ChannelSettings) -> Channel:
        """Change the given settings and return the channel. Raises like `add`.

        A new address restarts a stopped channel.
        """
        changes_hook = not _HOOK.isdisjoint(settings)
        if changes_hook:
            with self.database.reading() as work:
                hook = self._with_settings(work[ChannelStore].get(channel_id).hook, settings)
            self._require_open(hook)  # outside the transaction: this may query DNS

        def change(work: Transaction) -> Channel:
            channel = work[ChannelStore].get(channel_id)
            if "name" in settings:
                work[ChannelStore].rename(channel.id, read_name(settings["name"]))
            if changes_hook:
                old, hook = channel.hook, self._with_settings(channel.hook, settings)
                work[ChannelStore].point(channel.id, _with_key(hook))
                if channel.stopped_at is not None and not hook.leads_with(old):
                    work[ChannelStore].resume(channel.id, now=self.now)
            channel = work[ChannelStore].get(channel_id)  # `resume` may have ended a pause
            self._store_preferences(work, channel, settings)
            names = ", ".join(sorted(settings))
            changed = work[ChannelStore].get(channel_id)
            return self._audit(work, "change channel", changed, changed=names)

        return write(self.database, change)

    def _require_open(self, hook: Hook) -> None:
        """Raise InvalidInput (code `hook`) for a forbidden address. A name that cannot be resolved
        now is accepted: every post resolves it again."""
        try:
            self.sender.require_open(hook)
        except FetchRefused as error:
            raise InvalidInput(str(error), code="hook") from None
        except FetchFailed:
            return

    def _with_settings(self, old: Hook, settings: ChannelSettings) -> Hook:
        """Return the hook with the given settings applied."""
        if "hook" not in settings:
            _require_readable(old)
        return read_hook(
            old.kind,
            settings.get("hook", old.url),
            chat=settings.get("chat", old.chat),
            key=settings.get("key", old.key),
            opened=self.opened,
        )

    def _store_preferences(
        self, work: Transaction, channel: Channel, settings: ChannelSettings
    ) -> None:
        """Store preferences and interests; reset the due time for a new clock, keep a pause."""
        given: dict[str, Any] = {
            name: one for name, one in settings.items() if name in _PREFERENCES
        }
        if given:
            zone, until = work[ListStore].get(channel.list_name).zone, channel.wish.paused_until
            preferences = replace(channel.wish, paused_until=None)
            for name in {"timezone", "frequency"} & given.keys():
                with _error_code(name):
                    preferences = preferences_of({name: given.pop(name) or ""}, preferences)
            if "topics" in given:
                given["topics"] = tuple(given["topics"])
            valid = checked(replace(preferences, **given), zone=zone, now=self.now)
            work[SubscriberStore].choose(
                channel.subscription_id, replace(valid, paused_until=until), now=self.now
            )
        if not _CLOCK.isdisjoint(settings):
            work[SubscriberStore].schedule({channel.subscription_id: None})
        if "interests" in settings:
            with _error_code("interests"):
                interests = bounded(map(parse_interest, settings["interests"]))
            work[SubscriberStore].set_interests(channel.id, settled(work, interests), now=self.now)

    def pause(self, channel_id: SubscriberId) -> bool:
        """Pause a channel until `resume`; return False if it is paused already."""
        return self._change_state("pause channel", channel_id, ChannelStore.pause)

    def resume(self, channel_id: SubscriberId) -> bool:
        """Resume a paused or stopped channel; return False if it is neither."""
        return self._change_state("resume channel", channel_id, ChannelStore.resume)

    def _change_state(
        self, action: str, channel_id: SubscriberId, change: Callable[..., bool]
    ) -> bool:
        """Call `change` of the store, audit a change, and return whether there was one."""

        def audited(work: Transaction) -> bool:
            is_changed = change(work[ChannelStore], channel_id, now=self.now)
            if is_changed:
                self._audit(work, action, work[ChannelStore].get(channel_id))
            return is_changed

        return write(self.database, audited)

    def remove(self, channel_id: SubscriberId) -> None:
        """Delete a channel, its secrets and its waiting posts; the ledger keeps the outcomes."""

        def remove(work: Transaction) -> None:
            self._audit(work, "remove channel", work[ChannelStore].get(channel_id))
            work[ChannelStore].remove(channel_id, now=self.now)

        write(self.database, remove)

    def test(self, channel_id: SubscriberId) -> PostOutcome:
        """Post a test message now, even if the channel is paused; return its outcome, uncounted."""
        with self.database.reading() as work:
            channel = work[ChannelStore].get(channel_id)
            title = work[ListStore].get(channel.list_name).title
        _require_readable(channel.hook)
        words = (
            f"This is a test by Paperround: the digest of {title} can be posted here. You don't "
            "need to do anything."
        )
        greeting = TestMessage(
            list_title=title, words=words, message_id=secrets.token_hex(16), dated=self.now
        )
        message = service_of(channel.hook.kind).greeting(channel.hook, greeting)
        outcome = self.sender.post(channel.hook, message, before_body=lambda: True)
        if outcome is None:
            raise AssertionError("nothing forbids a test")
        write(self.database, lambda work: self._audit(work, "test channel", channel))
        return outcome

    def _audit(self, work: Transaction, action: str, channel: Channel, **more: str) -> Channel:
        details = {"kind": channel.hook.kind.value, "list": channel.list_name, **more}
        entry = AuditedAction(actor=self.by, action=action, target=channel.name, details=details)
        work[AuditStore].note(entry, now=self.now)
        return channel


@contextmanager
def _error_code(name: str) -> Iterator[None]:
    """Set the code of an InvalidInput raised inside to this setting."""
    try:
        yield
    except InvalidInput as error:
        raise InvalidInput(str(error), code=name) from None


def _with_key(hook: Hook) -> Hook:
    if hook.kind is not ChannelKind.WEBHOOK or hook.key:
        return hook
    return replace(hook, key=new_key())


def new_key() -> str:
    """Return a random 256-bit key."""
    return written_key(secrets.token_bytes(32))


def _require_readable(hook: Hook) -> None:
    """Raise InvalidInput (code `hook`) for a hook that cannot be decrypted any more."""
    if hook.lost:
        raise InvalidInput(f"{hook.lost}, or set the channel's hook again", code="hook")


def channel_admin(
    app: "AppContext", *, now: datetime | None = None, by: str = COMMAND_LINE
) -> ChannelAdmin:
    """Return the service that changes channels on behalf of `by`."""
    return ChannelAdmin(
        database=app.database,
        sender=sender_of(app),
        opened=app.settings.open_places,
        now=now or app.clock.now(),
        by=by,
    )
