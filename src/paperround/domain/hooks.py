"""What a mail provider told us by its webhook. Pure."""

from dataclasses import dataclass

from paperround.domain.returns import ReturnedEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What one request told: events about our mail, and how many others, which say nothing about
    an address (deliveries, clicks, kinds that came into being later)."""

    events: tuple[ReturnedEvent, ...] = ()
    ignored: int = 0
