"""Channels: what is kept of them, their part of the ledger, and the way out."""

from collections.abc import Callable, Sequence
from typing import Protocol

from paperround.domain.channels import Hook
from paperround.domain.posts import Digest, Greeting, Message, PostOutcome


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
