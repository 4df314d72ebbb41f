"""Requests that wait until somebody looks up whose address they name."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from paperround.domain.requests import NewRequest, RequestId, WaitingRequest
from paperround.domain.subscribers import Address


class RequestStore(Protocol):
    """Sign-ups, wishes for a link and changes of address, each a row that is taken once."""

    def put(self, request: NewRequest, *, now: datetime) -> None:
        """Keep a request until somebody takes it, and ask for who does."""
        ...

    def due(self, *, now: datetime, limit: int) -> Sequence[RequestId]:
        """Requests that may be worked on, in the order they came."""
        ...

    def has_due(self, *, now: datetime) -> bool:
        """Whether a request may be worked on."""
        ...

    def take(self, request: RequestId) -> WaitingRequest | None:
        """Take a request out; None when somebody else has. It is back when the transaction is
        undone."""
        ...

    def put_off(self, request: RequestId, *, until: datetime) -> int:
        """Note that working on a request failed; it is tried again `until` then. Returns how often
        it failed, 0 where it is gone."""
        ...

    def waiting(self) -> tuple[int, datetime | None]:
        """How many requests wait, and when the first of them is due."""
        ...

    def forget(self, address: Address) -> int:
        """Take out what waits for an address; returns how many requests that were."""
        ...

    def forget_old(self, *, before: datetime) -> int:
        """Take out requests that came before; returns how many."""
        ...
