"""What tests of the pace share: a relay that notes when each mail came, and readers of domains."""

import time
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Event, Lock, Thread
from typing import Self

from paperround.db.transactions import SqlDatabase
from paperround.editions.store.lists import ListStore
from paperround.subscribers.model import (
    Address,
    Consent,
    ImportedSubscriber,
    Preferences,
    SubscriberState,
)
from paperround.subscribers.store.subscribers import SubscriberStore
from tests.faults import Accepted, SmtpSink
from tests.sample_database import NOW


class WatchfulSink(SmtpSink):
    """Takes everything, notes when, and how many mails to a domain it had in hand at once. Mail to
    a domain in `slow` takes that many seconds."""

    def __init__(self, slow: Mapping[str, float] | None = None) -> None:
        super().__init__()
        self.slow = slow or {}
        self.times: dict[str, list[float]] = defaultdict(list)
        self.most_at_once = Counter[str]()
        self._in_hand = Counter[str]()
        self._watch = Lock()

    def take(self, message: Accepted) -> None:
        domain = message.recipients[0].rpartition("@")[2]
        with self._watch:
            self.times[domain].append(time.monotonic())
            self._in_hand[domain] += 1
            self.most_at_once[domain] = max(self.most_at_once[domain], self._in_hand[domain])
        self.stopping.wait(self.slow.get(domain, 0))
        with self._watch:
            self._in_hand[domain] -= 1
        super().take(message)

    @property
    def all_times(self) -> list[float]:
        return sorted(moment for times in self.times.values() for moment in times)


class LostTime:
    """Measures, while its `with` block lasts, how long a thread that wanted to run had to wait: a
    bound on seconds allows for as much."""

    STEP = 0.01

    def __init__(self) -> None:
        self.seconds = 0.0
        self._over = Event()
        self._thread = Thread(target=self._measure, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _measure(self) -> None:
        before = time.monotonic()
        while not self._over.wait(self.STEP):
            now = time.monotonic()
            self.seconds += now - before - self.STEP
            before = now


@dataclass
class Hands:
    """A clock that only moves when somebody waits, or when a test says so."""

    moment: datetime = NOW
    naps: list[float] = field(default_factory=list)

    def now(self) -> datetime:
        return self.moment

    def wait(self, seconds: float) -> bool:
        """Wait, as far as this clock goes; never asked to stop."""
        self.naps.append(seconds)
        self.moment += timedelta(seconds=seconds)
        return False


def most_within(times: Sequence[float], seconds: float) -> int:
    """The most of `times` that lie in any stretch of so many seconds, its end not included."""
    ordered = sorted(times)
    return max(sum(start <= one < start + seconds for one in ordered) for start in ordered)


def subscribe_at(database: SqlDatabase, domain: str, count: int, first: int = 0) -> None:
    """`count` readers of one domain."""
    with database.writing() as work:
        trending = work[ListStore].get("trending")
        for number in range(first, first + count):
            written = f"reader{number}@{domain}"
            work[SubscriberStore].put(
                ImportedSubscriber(
                    address=Address(written=written, mailed=written),
                    state=SubscriberState.ACTIVE,
                    consent=Consent(at=NOW, source="tests"),
                    preferences=Preferences(),
                    nonce="nonce",
                ),
                trending.id,
                now=NOW,
            )
