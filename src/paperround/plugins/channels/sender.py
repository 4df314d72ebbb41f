"""Format a digest for each kind of channel, and post it.

hook ─► connected ─► may it go? ─► body ─► answer ─► sent, deferred, failed
                       │ no              └─ silence ─► unknown
                       └─► nothing was sent
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from types import MappingProxyType
from typing import TYPE_CHECKING

from paperround.core.errors import FetchFailed, FetchWithheld, Unanswered
from paperround.core.interfaces import Clock
from paperround.core.plugins import plugins
from paperround.delivery.model import Reply, ReplyClass
from paperround.digests.model import DigestView
from paperround.editions.model import DeliveryState
from paperround.http.model import FetchRequest, Page
from paperround.plugins.channels.model import ChannelKind, Hook

if TYPE_CHECKING:  # they take a while to import, and most commands post nothing
    from paperround.bootstrap import AppContext
    from paperround.http.client import GuardedClient

TOTAL_SECONDS = 20.0
"""How long a post may take in all: Standard Webhooks wants 15 to 30 seconds."""

LOOK_UP_SECONDS = 2.0
"""How long the name of a new hook may take: a request, or a person at a terminal, waits for it."""

_PLAIN = MappingProxyType({"content-type": "application/json; charset=utf-8", "accept": "*/*"})

LONGEST_SAID = 500
"""Characters kept of a service's reply."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Digest:
    """A digest to post, with the id that all its attempts share, and its date."""

    view: DigestView
    message_id: str
    dated: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class TestMessage:
    """A test message for a channel; it is not counted."""

    list_title: str
    words: str
    message_id: str
    dated: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One request: a body, extra headers, and the number of `papers` it shows."""

    body: bytes = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    papers: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class PostOutcome:
    """The outcome of one message and the start of the reply, if any.

    `verdict.blame.subscriber` means that the hook no longer exists and accepts nothing.
    """

    verdict: ReplyClass
    reply: Reply | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelService:
    """A kind of channel: the messages of a digest, a test message, what a response means, the
    address of a message, and the headers that sign it."""

    messages: Callable[[Hook, Digest], Sequence[Message]]
    greeting: Callable[[Hook, TestMessage], Message]
    judge: Callable[[Page], ReplyClass]
    address: Callable[[Hook], str] = lambda hook: hook.url
    signed: Callable[[Hook, Message, datetime], Mapping[str, str]] = lambda *_: {}


def service_of(kind: ChannelKind) -> ChannelService:
    """Return the service of a kind of channel."""
    found: ChannelService = plugins("channels")[kind.value]
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelSender:
    """Formats digests for each kind of channel and posts them. Threads may share it."""

    client: "GuardedClient"
    clock: Clock

    def require_open(self, hook: Hook) -> None:
        """Raise FetchRefused for a forbidden address, FetchFailed when it cannot be resolved."""
        self.client.require_open(hook.url, seconds=LOOK_UP_SECONDS)

    def messages(self, hook: Hook, digest: Digest) -> Sequence[Message]:
        """Return the messages of the digest in order, at least one."""
        return service_of(hook.kind).messages(hook, digest)

    def post(
        self, hook: Hook, message: Message, *, before_body: Callable[[], bool]
    ) -> PostOutcome | None:
        """Post one message and return its outcome.

        `before_body` is called once connected, before any byte of the message is sent. If it
        returns False, nothing is sent and None is returned.
        """
        service = service_of(hook.kind)
        try:
            signed = service.signed(hook, message, self.clock.now())
            headers = {**_PLAIN, **message.headers, **signed}
            page = self.client.post(
                FetchRequest(url=service.address(hook), headers=headers, content=message.body),
                before_body=before_body,
            )
        except FetchWithheld:
            return None
        except Unanswered as error:
            return _silence(DeliveryState.UNKNOWN, f"unanswered: {error}")
        except FetchFailed as error:
            state = DeliveryState.FAILED if error.permanent else DeliveryState.DEFERRED
            return _silence(state, f"unreached: {error}")
        # Some servers repeat the hook. Remove secrets before cutting: half of one is not found.
        said = page.body.decode("utf-8", "replace")
        page = replace(page, body=hook.scrubbed(said).encode())
        verdict = service.judge(page)
        return PostOutcome(verdict=verdict, reply=Reply(page.status, "", excerpt_of_response(page)))


def excerpt_of_response(page: Page) -> str:
    """Return the start of a response, as it is stored and shown."""
    text = page.body[: 4 * LONGEST_SAID].decode("utf-8", "replace")
    printable = "".join(sign if sign.isprintable() else " " for sign in text)
    return " ".join(printable.split())[:LONGEST_SAID]


def _silence(state: DeliveryState, reason: str) -> PostOutcome:
    return PostOutcome(verdict=ReplyClass(state=state, reason=reason))


def sender_of(app: "AppContext") -> ChannelSender:
    """Return the sender of an installation."""
    client = app.client_for(*app.settings.open_places, seconds=TOTAL_SECONDS)
    return ChannelSender(client=client, clock=app.clock)
