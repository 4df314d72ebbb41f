"""Slack, Discord, Telegram and a webhook's owner, all on this machine, answering to order."""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from random import Random
from typing import Any

from paperround.core.clock import FixedClock
from paperround.core.interfaces import Worker
from paperround.db.transactions import Database
from paperround.delivery.ledger_model import LedgerTotals
from paperround.delivery.status import MailRecord
from paperround.delivery.store.ledger import Ledger
from paperround.delivery.store.status import StatusStore
from paperround.plugins.channels.admin import ChannelAdmin
from paperround.plugins.channels.delivery import ChannelContext
from paperround.plugins.channels.model import Channel, ChannelKind, ChannelSettings, Hook
from paperround.plugins.channels.sender import (
    ChannelSender,
    Digest,
    Message,
    PostOutcome,
)
from paperround.subscribers.model import SubscriberId
from tests.fakes import HERE, SENDER_IDENTITY, Neighbours
from tests.http.clients import guarded
from tests.http.faults import Behaviour, Caller, FaultServer, page, says
from tests.sample_database import IDENTITY, NOW

SLACK = "/services/T000/B000/a-secret-of-slack"
DISCORD = "/api/webhooks/123/a-secret-of-discord"
TELEGRAM = "/bot12345:a-secret-of-telegram-bots"
WEBHOOK = "/hooks/a-secret-of-somebody"
KEY = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

PATHS = {
    ChannelKind.SLACK: SLACK,
    ChannelKind.DISCORD: DISCORD,
    ChannelKind.TELEGRAM: TELEGRAM,
    ChannelKind.WEBHOOK: WEBHOOK,
}
TAKES = {
    ChannelKind.SLACK: page(b"ok"),
    ChannelKind.DISCORD: page(b'{"id": "1"}'),
    ChannelKind.TELEGRAM: page(b'{"ok": true, "result": {}}'),
    ChannelKind.WEBHOOK: page(b"", status="204 No Content"),
}


def silence(_caller: Caller) -> None:
    """Takes what is posted and hangs up without a word."""


@dataclass
class Services:
    """What each kind answers: the first of its `answers`, and its usual word when none is left."""

    server: FaultServer = field(init=False)
    answers: dict[ChannelKind, list[Behaviour]] = field(default_factory=dict)

    def behaviour(self, kind: ChannelKind) -> Behaviour:
        def behave(caller: Caller) -> None:
            waiting = self.answers.get(kind)
            (waiting.pop(0) if waiting else says(TAKES[kind]))(caller)

        return behave

    def answers_with(self, kind: ChannelKind, *answers: bytes | Behaviour) -> None:
        """What is said next, bytes as they are."""
        told = [says(one) if isinstance(one, bytes) else one for one in answers]
        self.answers.setdefault(kind, []).extend(told)

    def posted(self) -> list[dict[str, Any]]:
        """What was posted so far, as it was read."""
        return [json.loads(one) for one in self.server.bodies]

    def headers(self, place: int = -1) -> dict[str, str]:
        """The headers of a request."""
        lines = self.server.requests[place].decode().partition("\r\n\r\n")[0].splitlines()[1:]
        return {name.lower(): value for name, _, value in (one.partition(": ") for one in lines)}


@contextmanager
def services() -> Iterator[Services]:
    """All four, listening."""
    made = Services()
    ends = {ChannelKind.TELEGRAM: "/sendMessage", ChannelKind.DISCORD: "?wait=true"}
    paths = {path + ends.get(kind, ""): made.behaviour(kind) for kind, path in PATHS.items()}
    with FaultServer({"/": says(page(b"", status="404 Not Found")), **paths}) as server:
        made.server = server
        yield made


def add(
    database: Database,
    made: Services,
    kind: ChannelKind = ChannelKind.SLACK,
    *,
    name: str = "",
    at_once: bool = False,
) -> Channel:
    """A channel of the list that leads there."""
    settings = ChannelSettings(
        hook=f"http://{made.server.at}{PATHS[kind]}",
        name=name or kind.value,
        chat="@papers" if kind is ChannelKind.TELEGRAM else "",
        key=KEY if kind is ChannelKind.WEBHOOK else "",
    )
    with post_room(database, made) as room:
        return admin(room, made.server.at).add(kind, "trending", settings, at_once=at_once)


def admin(room: ChannelContext, *opened: str) -> ChannelAdmin:
    """What changes channels at the present of `room`."""
    return ChannelAdmin(
        database=room.database, sender=room.sender, opened=opened, now=room.clock.now()
    )


@contextmanager
def post_room(database: Database, made: Services, *, me: Worker = HERE) -> Iterator[ChannelContext]:
    """What posts to them at NOW."""
    clock = FixedClock(NOW)
    with guarded(made.server.at) as client:
        yield ChannelContext(
            database=database,
            sender=ChannelSender(client=client, clock=clock),
            sender_identity=SENDER_IDENTITY,
            keys=IDENTITY.keys,
            clock=clock,
            processes=Neighbours(me=me),
            lease=timedelta(seconds=900),
            jitter=Random(1),  # noqa: S311 - the same waits in every run
        )


def totals(database: Database, **by: float) -> LedgerTotals:
    """The ledger's totals after a while."""
    with database.reading() as work:
        return work[Ledger].totals(now=NOW + timedelta(**by))


def last(database: Database, channel: SubscriberId) -> MailRecord:
    """What became of the newest post of a channel."""
    with database.reading() as work:
        return work[StatusStore].mails(channel, limit=1)[0]


def nothing() -> None:
    """Leave everything as it is."""


@dataclass(frozen=True, kw_only=True)
class Meddling(ChannelSender):
    """A sender to which something happens around the mark, or that cannot write for one kind."""

    before_mark: Callable[[], None] = nothing
    after_mark: Callable[[], None] = nothing
    poison: ChannelKind | None = None

    def messages(self, hook: Hook, digest: Digest) -> Sequence[Message]:
        if hook.kind is self.poison:
            raise ValueError("poison")
        return super().messages(hook, digest)

    def post(
        self, hook: Hook, message: Message, *, before_body: Callable[[], bool]
    ) -> PostOutcome | None:
        def meddling() -> bool:
            self.before_mark()
            may = before_body()
            self.after_mark()
            return may

        return super().post(hook, message, before_body=meddling)


def meddling(
    room: ChannelContext,
    *,
    before_mark: Callable[[], None] = nothing,
    after_mark: Callable[[], None] = nothing,
    poison: ChannelKind | None = None,
) -> ChannelContext:
    """The same, with a sender that meddles."""
    sender = Meddling(
        client=room.sender.client,
        clock=room.sender.clock,
        before_mark=before_mark,
        after_mark=after_mark,
        poison=poison,
    )
    return replace(room, sender=sender)


def later(room: ChannelContext, **by: float) -> ChannelContext:
    """The same after a while."""
    return replace(room, clock=FixedClock(NOW + timedelta(**by)))
