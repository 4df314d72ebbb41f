"""What befalls a fleet: kills, crashes of its database, cut lines, and processes that fall asleep.

The next stroke comes when some mails more have arrived, or after a while; which it is, and whom it
hits, is drawn from a seeded chance.
"""

import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from threading import Event

from tests.faults import SmtpSink
from tests.reliability.fleet import CONNECTIONS, Fleet, Member
from tests.reliability.proxy import Proxy

MOMENT = 0.05
LONGEST_LULL = 15.0
"""Seconds until the next stroke when no mail arrives."""

SLEEP = 11.0
"""Seconds that a sleeper sleeps: longer than the shortest lease there is."""

PATIENCE = 300.0
"""Seconds in which a fleet in calm weather must have done all its work."""


@dataclass
class Weather:
    """Strikes a fleet as often as asked for. `crash` ends its database's server, and brings it
    back; `to_database` and `to_relay` are the lines that all its processes use.

    With `crash_every` the server also crashes again so many seconds after it came back, but not
    before a mail got through: on a slow machine nobody would come to anything else.
    """

    fleet: Fleet
    sink: SmtpSink
    crash: Callable[[], None]
    to_database: Proxy
    to_relay: Proxy
    crash_every: float | None = None
    struck: Counter[str] = field(default_factory=Counter)
    most_in_doubt: int = 0
    _sleepers: dict[float, Member] = field(default_factory=dict)
    _next_crash: float = 0.0
    _mails_at_crash: int = 0

    def rage(self, strokes: Mapping[str, int], *, mails_between: int = 4) -> None:
        """Strike so often in each way, in an order that chance decides."""
        order = [name for name, count in strokes.items() for _ in range(count)]
        self.fleet.chance.shuffle(order)
        self._next_crash = time.monotonic() + (self.crash_every or 0.0)
        for name in order:
            self._await_mails(self.fleet.chance.randint(1, 2 * mails_between))
            self._strike(name)
        while self._sleepers:
            self._go_on()

    def calm_down(self, is_over: Callable[[], bool]) -> None:
        """Let the fleet do its work in peace until it `is_over`."""
        until = time.monotonic() + PATIENCE
        while not is_over():
            assert time.monotonic() < until, "the fleet does not come to an end"
            self._go_on(crashes=False)
        self.fleet.retire()

    def _await_mails(self, count: int) -> None:
        until, wanted = time.monotonic() + LONGEST_LULL, len(self.sink.messages) + count
        while time.monotonic() < until and len(self.sink.messages) < wanted:
            self._go_on()

    def _go_on(self, *, crashes: bool = True) -> None:
        Event().wait(MOMENT)
        now = time.monotonic()
        for moment in [moment for moment in self._sleepers if moment <= now]:
            self.fleet.wake(self._sleepers.pop(moment))
        if crashes and self._crash_is_due(now):
            self._strike("crash")
        self.fleet.tend()

    def _crash_is_due(self, now: float) -> bool:
        if self.crash_every is None or now < self._next_crash:
            return False
        return len(self.sink.messages) > self._mails_at_crash

    def _strike(self, name: str) -> None:
        """Each process whose connections to relay or database end may leave a mail in doubt on
        each of those to the relay."""
        self.struck[name] += 1
        if name == "kill":
            self.fleet.kill()
            self.most_in_doubt += CONNECTIONS
        elif name == "sleep":
            self._sleepers[time.monotonic() + SLEEP] = self.fleet.pause()
        elif name == "cut the relay":
            self.most_in_doubt += self.to_relay.cut()
        else:
            if name == "crash":
                self._mails_at_crash = len(self.sink.messages)
                self.crash()
                self._next_crash = time.monotonic() + (self.crash_every or 0.0)
            else:
                self.to_database.cut()
            self.most_in_doubt += CONNECTIONS * len(self.fleet.members)
