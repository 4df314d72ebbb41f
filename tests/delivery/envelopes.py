"""Small envelopes, and a mark that remembers."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field

from paperround.delivery.model import Envelope
from paperround.editions.model import DeliveryId

SENDER = "digest@papers.example.org"


def envelope(number: int, *, body: bytes = b"Papers.\r\n", recipient: str = "") -> Envelope:
    """A mail to reader `number`, told apart by its Message-ID."""
    message_id = f"<{number}@papers.example.org>"
    return Envelope(
        id=DeliveryId(number),
        sender=SENDER,
        recipient=recipient or f"reader{number}@example.org",
        message_id=message_id,
        content=f"Message-ID: {message_id}\r\nSubject: Papers\r\n\r\n".encode() + body,
    )


def envelopes(count: int) -> Iterator[Envelope]:
    """Mails 1 to `count`."""
    return map(envelope, range(1, count + 1))


@dataclass
class Marks:
    """Permits every dot but those of `refused`, and keeps the calls in order."""

    refused: frozenset[int] = frozenset()
    calls: list[list[DeliveryId]] = field(default_factory=list)

    def __call__(self, ids: Sequence[DeliveryId]) -> Collection[DeliveryId]:
        self.calls.append(list(ids))
        return [one for one in ids if one not in self.refused]

    @property
    def ids(self) -> list[DeliveryId]:
        """Every id that was marked or refused, in order."""
        return [one for call in self.calls for one in call]
