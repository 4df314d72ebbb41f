"""Posts: what a channel is sent of an edition, and what became of it.

A post is a row of the ledger like every mail, with the same states. What cannot be said in one
message of a service is said in several; each is marked before its body goes out, and the row tells
how many were taken. So a process that dies leaves one message in doubt, and repeats none.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from paperround.delivery.channel_model import Hook
from paperround.delivery.model import Reply, ReplyClass
from paperround.digests.model import DigestView
from paperround.http.model import Page

LONGEST_SAID = 500
"""Characters that are kept of what a service answered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Digest:
    """What a channel is told: the digest, the name that all tries of it share, and its date."""

    view: DigestView
    message_id: str
    dated: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Greeting:
    """A few words that show that a channel works, and count for nothing."""

    list_title: str
    words: str
    message_id: str
    dated: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One request: bytes, and headers beside those that every request has. It shows so many of the
    digest's `papers`, those after what the messages before it show."""

    body: bytes = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    papers: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class PostOutcome:
    """What became of one message, and the answer, if one came: its status and first words. A hook
    that is no more is `verdict.blame.subscriber`: nothing will ever be taken there."""

    verdict: ReplyClass
    reply: Reply | None = None


class ChannelSender(Protocol):
    """Says a digest as each kind of channel wants it, and posts it."""

    def require_open(self, hook: Hook) -> None:
        """Raise FetchRefused for a hook that leads where nothing may be posted, and FetchFailed
        where nobody knows yet where it leads."""

    def messages(self, hook: Hook, digest: Digest) -> Sequence[Message]:
        """The messages that say the digest, in order; one at least."""

    def greeting(self, hook: Hook, greeting: Greeting) -> Message:
        """The message that says a few words."""

    def post(
        self, hook: Hook, message: Message, *, before_body: Callable[[], bool]
    ) -> PostOutcome | None:
        """Post one message. `before_body` is called once the other end is there and before it
        gets a byte of the message: when it says no, nothing is sent and there is no outcome."""


def words_of(page: Page) -> str:
    """The first words of an answer, as they can be kept and shown."""
    text = page.body[: 4 * LONGEST_SAID].decode("utf-8", "replace")
    printable = "".join(sign if sign.isprintable() else " " for sign in text)
    return " ".join(printable.split())[:LONGEST_SAID]
