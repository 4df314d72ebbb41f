"""Pacing: who may leave now, over all processes on one database."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from paperround.domain.deliveries import DeliveryId
from paperround.domain.flows import Answer, Flow
from paperround.domain.pacing import Pacing, Share, Waiting


class Gate(Protocol):
    """What one claim asks who may leave. It holds until the transaction ends; `close` writes down
    what was taken."""

    @property
    def sifts(self) -> bool:
        """Whether it tells rows apart; otherwise it only says how many."""
        ...

    @property
    def limit(self) -> int | None:
        """How many may leave at most, None where nothing says; 0 while the relay rests."""
        ...

    @property
    def is_full(self) -> bool:
        """Whether the relay takes no more now."""
        ...

    @property
    def leaves(self) -> Mapping[DeliveryId, datetime]:
        """When each row that was let through has its slot: now, or within moments."""
        ...

    @property
    def slots(self) -> Sequence[datetime]:
        """When rows that wait for a slot or a connection are looked at again."""
        ...

    @property
    def free_at(self) -> datetime | None:
        """When the relay takes the next mail, as far as that is known."""
        ...

    @property
    def rests_until(self) -> datetime | None:
        """Until when the relay rests, None when it does not."""
        ...

    @property
    def reason(self) -> str:
        """Why it rests."""
        ...

    def sift(self, rows: Sequence[Waiting]) -> Share: ...

    def close(self) -> None: ...


class PaceStore(Protocol):
    """How mail goes over the relay and to each domain."""

    def open(self, pacing: Pacing, *, first: bool, now: datetime) -> Gate:
        """What a claim of this transaction asks. `first`: for mails that go before digests."""
        ...

    def heard(self, answers: Sequence[Answer], pacing: Pacing, *, now: datetime) -> None:
        """Note what servers said: rests begin, last longer and end by it, connections grow."""
        ...

    def rest_relay(self, reason: str, *, now: datetime) -> None:
        """Let nothing leave for a while; the next try is a probe."""
        ...

    def relay(self) -> Flow:
        """How mail goes over the relay."""
        ...

    def resting(self, *, now: datetime) -> Mapping[str, Flow]:
        """The domains that rest now, and why."""
        ...

    def warming_up(self, *, since: datetime) -> bool:
        """Whether a day's allowance held digests back since then."""
        ...

    def used(self, *, since: datetime) -> int:
        """How many mails of any kind left since then, as far as they are counted for warming up."""
        ...

    def forget(self, *, before: datetime) -> int:
        """Drop domains nobody wrote to since then; returns how many."""
        ...
