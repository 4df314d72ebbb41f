"""Define the messages posted to channels, and their outcomes.

A post is a ledger row with the states of an email. A digest too long for one message takes
several; each is marked before its body is sent, and the row counts the accepted ones. A process
that dies leaves one message in doubt and repeats none.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from paperround.delivery.model import Reply, ReplyClass
from paperround.digests.model import DigestView
from paperround.http.model import Page
from paperround.plugins.channels.model import Hook

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


class ChannelSender(Protocol):
    """Format digests for each kind of channel and post them."""

    def require_open(self, hook: Hook) -> None:
        """Raise FetchRefused for a forbidden address, FetchFailed when it cannot be resolved."""

    def messages(self, hook: Hook, digest: Digest) -> Sequence[Message]:
        """Return the messages of the digest in order, at least one."""

    def greeting(self, hook: Hook, greeting: TestMessage) -> Message:
        """Return the test message."""

    def post(
        self, hook: Hook, message: Message, *, before_body: Callable[[], bool]
    ) -> PostOutcome | None:
        """Post one message and return its outcome.

        `before_body` is called once connected, before any byte of the message is sent. If it
        returns False, nothing is sent and None is returned.
        """


def excerpt_of_response(page: Page) -> str:
    """The first words of a response, as they are kept and shown."""
    text = page.body[: 4 * LONGEST_SAID].decode("utf-8", "replace")
    printable = "".join(sign if sign.isprintable() else " " for sign in text)
    return " ".join(printable.split())[:LONGEST_SAID]
