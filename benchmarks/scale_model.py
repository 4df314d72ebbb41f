"""Estimate what it takes to send every digest in time, for any number of subscribers.

    python -m benchmarks.scale_model 10000 100000 1000000 10000000

The model only multiplies: the costs of one digest were measured (`COSTS`, by `python -m
benchmarks.fleet` on the machine named there), the requirements are assumptions (`Wish`). For small
numbers it is compared with measured runs (`tests/benchmarks/test_scale_model.py`). It ignores
effects that appear only at sizes nobody has measured: lock queues, a busy disk, a slow network.
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
    """The measured costs of one digest and of one edition.

    `plan` and `send` are CPU seconds of our processes, `plan_on_server` and `send_on_server` those
    of PostgreSQL; `freeze` the seconds until the first digest of an edition is planned. In bytes:
    `wal` in PostgreSQL's log, `row` in its tables and indexes for good, `reader` in a subscriber's
    own rows, `mail` of the message.
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
    """The requirements and the environment, all assumptions.

    The share `at_once` of all readers are due at the same full hour and get their digest within
    `seconds`: half an hour, after which Paperround calls a digest late. A relay accepts
    `relay_rate` messages a second from one sender and replies after `round_trip` seconds. Cores may
    be busy for at most the share `busy` of the time; rows are kept for `kept_days`.
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
    """The resulting needs: for the busiest half hour, and on the disk.

    `planning` is the share of `Wish.seconds` that planning takes. One process plans at a time, in
    turns with the server, so a value above 1 means that the requirements cannot be met.
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
"""Measured on two cores that others used as well: planning by B16, freezing by a day of 500
readers, the rest by a day of 100,000 (docs/scale.md)."""


def need(subscribers: int, wish: Wish | None = None, costs: Costs = COSTS) -> Need:
    """The needs of `subscribers` readers."""
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
    """The least seconds of a day of `readers` if everything shares this many cores.

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
