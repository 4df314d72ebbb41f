"""What comes back: the events that are kept, what they add up to, and where mails wait."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Protocol

from paperround.domain.returns import Letter, ReturnedEvent


class ReturnReader(Protocol):
    """Reads mails that come back."""

    def read(self, raw: bytes, *, way: str, to: str, now: datetime) -> ReturnedEvent:
        """What a mail says, whatever it is. `to` is where it was delivered to, where that is
        known. Never raises for what stands in it."""
        ...


class ReturnBox(Protocol):
    """A mailbox that mails come back to, opened."""

    def letters(self, *, limit: int) -> Iterator[Letter]:
        """The oldest mails; raises FetchFailed when the mailbox cannot be read."""
        ...

    def done(self, letters: Sequence[Letter]) -> None:
        """Take these out of the way."""
        ...
