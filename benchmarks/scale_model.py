"""What it takes to send everybody's digest in time, for any number of subscribers.

    python -m benchmarks.scale_model 10000 100000 1000000 10000000

A model of a few lines, all of it multiplication: what one digest costs was measured (`COSTS`, by
`python -m benchmarks.fleet` on the machine named there), what is wanted is an assumption (`Wish`).
Its low end is held against measured runs (`tests/benchmarks/test_scale_model.py`). It knows nothing
of what only shows at a size nobody has measured: lock queues, a busy disk, a slow network.
"""

import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass

SUBSCRIBERS = (10_000, 100_000, 1_000_000, 10_000_000)
DAY = 86_400
GIB = 2**30


@dataclass(frozen=True, slots=True, kw_only=True)
class Costs:
    """What one digest costs, and one edition, as measured.

    `plan` and `send` are CPU seconds of our processes, `plan_on_server` and `send_on_server` those
    of PostgreSQL; `freeze` the seconds until the first digest of an edition is planned. Bytes:
    `wal` of PostgreSQL's log, `row` of its tables and indexes that stay, `reader` of a subscriber's
    own rows, `mail` of the mail.
    """

    plan: float
    plan_on_server: float
    send: float
    send_on_server: float
    freeze: float
    wal: float
    row: float
    reader: float
    mail: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What is wanted, and what is given: assumptions, all of them.

    `at_once` of all readers are due at the same full hour and have their mail within `seconds`:
    half an hour, after which Paperround calls a digest late. A relay takes `relay_rate` mails a
    second of one sender and answers after `round_trip` seconds. Cores are to be busy for `busy` of
    the time at most, rows stay for `kept_days`.
    """

    at_once: float = 0.5
    seconds: float = 1800
    relay_rate: float = 100
    round_trip: float = 0.05
    connections_a_worker: int = 10
    busy: float = 0.6
    kept_days: int = 365


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """What follows, for the busiest half hour and for what stays on the disk.

    `planning` is the part of `Wish.seconds` that planning takes, which one process does at a time,
    in turns with the server: above 1 the wish cannot be had.
    """

    subscribers: int
    rate: float
    relays: int
    connections: int
    workers: int
    worker_cores: float
    database_cores: float
    wal: float
    line: float
    ledger: float
    planning: float

    @property
    def is_possible(self) -> bool:
        """Whether one planning process keeps up."""
        return self.planning <= 1


COSTS = Costs(
    plan=180e-6,
    plan_on_server=277e-6,
    send=1_140e-6,
    send_on_server=810e-6,
    freeze=5.2,
    wal=15_200,
    row=3_900,
    reader=800,
    mail=36_000,
)
"""Measured on two cores that others used meanwhile: planning by B16, freezing by a day of 500
readers, the rest by a day of 100,000 (docs/scale.md)."""


def need(subscribers: int, wish: Wish | None = None, costs: Costs = COSTS) -> Need:
    """What `subscribers` readers take."""
    wish = wish or Wish()
    due = subscribers * wish.at_once
    rate = due / wish.seconds
    one_worker = min(wish.connections_a_worker / wish.round_trip, wish.busy / costs.send)
    return Need(
        subscribers=subscribers,
        rate=rate,
        relays=math.ceil(rate / wish.relay_rate),
        connections=math.ceil(rate * wish.round_trip),
        workers=max(1, math.ceil(rate / one_worker)),
        worker_cores=rate * (costs.plan + costs.send) / wish.busy,
        database_cores=rate * (costs.plan_on_server + costs.send_on_server) / wish.busy,
        wal=rate * costs.wal,
        line=rate * costs.mail * 8,
        ledger=subscribers * (costs.row * wish.kept_days + costs.reader),
        planning=(costs.freeze + due * (costs.plan + costs.plan_on_server)) / wish.seconds,
    )


def seconds_on(readers: int, cores: float, costs: Costs = COSTS) -> float:
    """How long a day of `readers` takes at least where everything shares so many cores.

    The relay is near, and costs nothing."""
    each = costs.plan + costs.plan_on_server + costs.send + costs.send_on_server
    return costs.freeze + readers * each / cores


def as_table(needs: Sequence[Need]) -> str:
    """The needs as a table in Markdown."""
    head = (
        "subscribers", "mails/s", "relays", "connections", "workers", "cores for them",
        "PostgreSQL's cores", "WAL MB/s", "line Mbit/s", "ledger GiB", "planning",
    )  # fmt: skip
    rows = [head, tuple("---:" for _ in head), *map(_cells, needs)]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _cells(one: Need) -> tuple[str, ...]:
    return (
        f"{one.subscribers:,}",
        f"{one.rate:,.0f}" if one.rate >= 10 else f"{one.rate:.1f}",
        f"{one.relays:,}",
        f"{one.connections:,}",
        f"{one.workers:,}",
        f"{one.worker_cores:.1f}",
        f"{one.database_cores:.1f}",
        f"{one.wal / 1e6:.1f}",
        f"{one.line / 1e6:,.0f}",
        f"{one.ledger / GIB:,.0f}" if one.ledger >= GIB else f"{one.ledger / GIB:.1f}",
        f"{100 * one.planning:.0f} %" + ("" if one.is_possible else ", too slow"),
    )


if __name__ == "__main__":
    print(as_table([need(int(one)) for one in sys.argv[1:] or SUBSCRIBERS]))
