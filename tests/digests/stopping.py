"""Senders that are stopped by others."""

from collections.abc import Callable
from dataclasses import dataclass, field

from paperround.core.tokens import KeyRing
from paperround.delivery.model import Envelope, Identity
from paperround.editions.model import DeliveryId

ELSEWHERE = Identity(keys=KeyRing((b"another secret, long gone by now!",)), domain="papers.example")


@dataclass
class After:
    """Something happens once, when so many mails are out."""

    mails: int
    do: Callable[[Envelope], object]
    seen: list[DeliveryId] = field(default_factory=list)

    def __call__(self, envelope: Envelope) -> None:
        self.seen.append(envelope.id)
        if len(self.seen) == self.mails + 1:
            self.do(envelope)
