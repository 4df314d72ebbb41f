"""Channels: what is kept of them, their part of the ledger, and the way out."""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from paperround.domain.channels import Channel, Hook, NewChannel
from paperround.domain.deliveries import DeliveryId
from paperround.domain.papers import PaperId
from paperround.domain.posts import ClaimedPost, Digest, Greeting, Message, PostOutcome
from paperround.domain.subscribers import Preferences, SubscriberId
from paperround.jobs.ports.ledger import Claiming


class ChannelStore(Protocol):
    """The channels of an installation."""

    def add(
        self, channel: NewChannel, wish: Preferences, *, at_once: bool, now: datetime
    ) -> Channel:
        """Keep it, active; `at_once` has its first post due now. Raises AlreadyTaken (code `name`
        or `hook`) when its name, or its hook on this list, is taken. The list is one there is."""
        ...

    def exist(self) -> bool:
        """Whether there is any."""
        ...

    def all(self) -> list[Channel]:
        """Every channel, by name."""
        ...

    def page(self, after: SubscriberId, *, limit: int) -> list[Channel]:
        """Channels with an id above `after`, by id."""
        ...

    def find(self, name: str) -> Channel:
        """The channel called that; raises NotFound with the names there are."""
        ...

    def get(self, channel: SubscriberId) -> Channel:
        """The channel with this number; raises NotFound."""
        ...

    def due(self, channels: Collection[SubscriberId]) -> Mapping[SubscriberId, datetime | None]:
        """When each is posted to next; None for one whose clock was not started yet."""
        ...

    def rename(self, channel: SubscriberId, name: str) -> None:
        """Call it otherwise; raises AlreadyTaken (code `name`)."""
        ...

    def point(self, channel: SubscriberId, hook: Hook) -> None:
        """Lead it elsewhere; raises AlreadyTaken (code `hook`) when a channel of its list
        leads there."""
        ...

    def pause(self, channel: SubscriberId, *, now: datetime) -> bool:
        """Post nothing there until `resume`; False when it is paused already."""
        ...

    def stop(self, channel: SubscriberId, hook: Hook, why: str, *, now: datetime) -> bool:
        """`hook` is no more: plan and post nothing there. False when it was stopped before, leads
        elsewhere by now, or was removed."""
        ...

    def resume(self, channel: SubscriberId, *, now: datetime) -> bool:
        """End a pause or a stop. After a stop the next post is the next that is due."""
        ...

    def remove(self, channel: SubscriberId, *, now: datetime) -> None:
        """Forget it with its secrets. What became of its posts stays in the ledger."""
        ...

    def seal_anew(self) -> int:
        """Seal with the secret that seals now what rests otherwise; returns of how many channels.
        What cannot be opened stays as it is."""
        ...


class PostLedger(Claiming[ClaimedPost], Protocol):
    """The rows of the ledger that are posts. The same rules as for mails; rows of a channel that
    is paused wait."""

    def note_taken(self, post: DeliveryId, messages: int, shown: Collection[PaperId]) -> None:
        """So many messages of the post were taken so far, and showed these papers. They stay in the
        channel's memory whatever becomes of the rest."""
        ...


class PostOffice(Protocol):
    """Says a digest as each kind of channel wants it, and posts it."""

    def require_open(self, hook: Hook) -> None:
        """Raise FetchRefused for a hook that leads where nothing may be posted, and FetchFailed
        where nobody knows yet where it leads."""
        ...

    def messages(self, hook: Hook, digest: Digest) -> Sequence[Message]:
        """The messages that say the digest, in order; one at least."""
        ...

    def greeting(self, hook: Hook, greeting: Greeting) -> Message:
        """The message that says a few words."""
        ...

    def post(
        self, hook: Hook, message: Message, *, before_body: Callable[[], bool]
    ) -> PostOutcome | None:
        """Post one message. `before_body` is called once the other end is there and before it
        gets a byte of the message: when it says no, nothing is sent and there is no outcome."""
        ...
