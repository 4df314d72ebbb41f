"""Says a digest as each kind of channel wants it, and posts it.

hook ─► connected ─► may it go? ─► body ─► answer ─► sent, deferred, failed
                       │ no              └─ silence ─► unknown
                       └─► nothing was sent
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from types import MappingProxyType
from typing import TYPE_CHECKING

from paperround.core.errors import FetchFailed, FetchWithheld, Misconfigured, Unanswered
from paperround.core.interfaces import Clock
from paperround.core.plugins import plugins
from paperround.delivery.model import Reply, ReplyClass
from paperround.editions.model import DeliveryState
from paperround.http.model import FetchRequest, Page
from paperround.plugins.channels.model import ChannelKind, Hook
from paperround.plugins.channels.posts import (
    Digest,
    Message,
    PostOutcome,
    TestMessage,
    excerpt_of_response,
)

if TYPE_CHECKING:  # they take a while to import, and most commands post nothing
    from paperround.bootstrap import AppContext
    from paperround.http.client import GuardedClient

TOTAL_SECONDS = 20.0
"""How long a post may take in all: Standard Webhooks wants 15 to 30 seconds."""

LOOK_UP_SECONDS = 2.0
"""How long the name of a new hook may take: a request, or a person at a terminal, waits for it."""

_PLAIN = MappingProxyType({"content-type": "application/json; charset=utf-8", "accept": "*/*"})


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelService:
    """What is particular to a kind of channel, as its plugin says it: the messages of a digest, a
    greeting, what a response means, where a message goes, and the headers that sign one."""

    messages: Callable[[Hook, Digest], Sequence[Message]]
    greeting: Callable[[Hook, TestMessage], Message]
    judge: Callable[[Page], ReplyClass]
    address: Callable[[Hook], str] = lambda hook: hook.url
    signed: Callable[[Hook, Message, datetime], Mapping[str, str]] = lambda *_: {}


def service_of(kind: ChannelKind) -> ChannelService:
    """The service of a kind of channel; raises Misconfigured when its plugin is missing."""
    services = plugins("channels")
    if kind.value not in services:
        raise Misconfigured(f"nothing posts to {kind.value}: its plugin is not installed")
    found: ChannelService = services[kind.value]
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpChannelSender:
    """Posts with `client`. May be shared by threads."""

    client: "GuardedClient"
    clock: Clock

    def require_open(self, hook: Hook) -> None:
        """Raise FetchRefused for a hook that leads where nothing may be posted, and FetchFailed
        where nobody knows yet where it leads."""
        self.client.require_open(hook.url, seconds=LOOK_UP_SECONDS)

    def messages(self, hook: Hook, digest: Digest) -> Sequence[Message]:
        """The messages that say the digest, in order; one at least."""
        return service_of(hook.kind).messages(hook, digest)

    def greeting(self, hook: Hook, greeting: TestMessage) -> Message:
        """The message that says a few words."""
        return service_of(hook.kind).greeting(hook, greeting)

    def post(
        self, hook: Hook, message: Message, *, before_body: Callable[[], bool]
    ) -> PostOutcome | None:
        """Post one message. `before_body` is called once the other end is there and before it
        gets a byte of the message: when it says no, nothing is sent and there is no outcome."""
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
        # The answer without the hook's secrets, which some servers repeat; before it is shortened,
        # for half a secret would not be found.
        said = page.body.decode("utf-8", "replace")
        page = replace(page, body=hook.scrubbed(said).encode())
        verdict = service.judge(page)
        return PostOutcome(verdict=verdict, reply=Reply(page.status, "", excerpt_of_response(page)))


def _silence(state: DeliveryState, reason: str) -> PostOutcome:
    return PostOutcome(verdict=ReplyClass(state=state, reason=reason))


def sender_of(app: "AppContext") -> HttpChannelSender:
    """Return what posts to the channels of an installation."""
    client = app.client_for(*app.settings.open_places, seconds=TOTAL_SECONDS)
    return HttpChannelSender(client=client, clock=app.clock)
