"""Says a digest as each kind of channel wants it, and posts it.

hook ─► connected ─► may it go? ─► body ─► answer ─► sent, deferred, failed
                       │ no              └─ silence ─► unknown
                       └─► nothing was sent
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from paperround.core.errors import FetchFailed, FetchWithheld, Unanswered
from paperround.core.interfaces import Clock
from paperround.delivery.channel_model import ChannelKind, Hook
from paperround.delivery.model import Reply, ReplyClass
from paperround.digests.channel_posts import Digest, Greeting, Message, PostOutcome
from paperround.editions.model import DeliveryState
from paperround.http.model import FetchRequest, Page
from paperround.plugins.channels import discord, slack, telegram, webhook
from paperround.plugins.channels.responses import words_of

if TYPE_CHECKING:  # it takes a while to import, and most commands post nothing
    from paperround.http.client import GuardedClient

LOOK_UP_SECONDS = 2.0
"""How long the name of a new hook may take: a request, or a person at a terminal, waits for it."""

_PLAIN = MappingProxyType({"content-type": "application/json; charset=utf-8", "accept": "*/*"})


class _ChannelService(NamedTuple):
    """What is particular to a kind of channel: how things are said, and what an answer means."""

    messages: Callable[[Hook, Digest], Sequence[Message]]
    greeting: Callable[[Hook, Greeting], Message]
    judge: Callable[[Page], ReplyClass]


_SERVICES: Mapping[ChannelKind, _ChannelService] = MappingProxyType(
    {
        ChannelKind.SLACK: _ChannelService(slack.messages, slack.greeting, slack.judge),
        ChannelKind.DISCORD: _ChannelService(discord.messages, discord.greeting, discord.judge),
        ChannelKind.TELEGRAM: _ChannelService(telegram.messages, telegram.greeting, telegram.judge),
        ChannelKind.WEBHOOK: _ChannelService(webhook.messages, webhook.greeting, webhook.judge),
    }
)


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
        return _SERVICES[hook.kind].messages(hook, digest)

    def greeting(self, hook: Hook, greeting: Greeting) -> Message:
        """The message that says a few words."""
        return _SERVICES[hook.kind].greeting(hook, greeting)

    def post(
        self, hook: Hook, message: Message, *, before_body: Callable[[], bool]
    ) -> PostOutcome | None:
        """Post one message. `before_body` is called once the other end is there and before it
        gets a byte of the message: when it says no, nothing is sent and there is no outcome."""
        try:
            headers = {**_PLAIN, **message.headers}
            if hook.kind is ChannelKind.WEBHOOK:
                headers |= webhook.signed(hook, message, now=self.clock.now())
            page = self.client.post(
                FetchRequest(url=_address(hook), headers=headers, content=message.body),
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
        verdict = _SERVICES[hook.kind].judge(page)
        return PostOutcome(verdict=verdict, reply=Reply(page.status, "", words_of(page)))


def _silence(state: DeliveryState, reason: str) -> PostOutcome:
    return PostOutcome(verdict=ReplyClass(state=state, reason=reason))


def _address(hook: Hook) -> str:
    """Where a message of this hook goes. Discord is asked to say what became of it."""
    if hook.kind is ChannelKind.TELEGRAM:
        return f"{hook.url.rstrip('/')}/sendMessage"
    if hook.kind is ChannelKind.DISCORD:
        parts = urlsplit(hook.url)
        query = urlencode({**dict(parse_qsl(parts.query)), "wait": "true"})
        return urlunsplit(parts._replace(query=query))
    return hook.url
