"""The benchmark of many workers, on few mails: it sends them, counts them, and misses none."""

from pathlib import Path

import pytest

from benchmarks.peer import far_sink
from benchmarks.workers import BARS, Place, Sent, rows_of, run
from tests.databases import PostgresServer, postgres
from tests.story.serving import free_port

__all__ = ["postgres"]

MAILS = 40


@pytest.mark.accept("B14", part="measured")
@pytest.mark.accept("B14", part="nothing twice")
def test_two_workers_send_what_is_planned_and_nothing_twice(
    postgres: PostgresServer, tmp_path: Path
) -> None:
    journal, relay = tmp_path / "journal", free_port()
    with far_sink(0.001, journal, port=relay):
        place = Place(server=postgres, folder=tmp_path, relay=relay, journal=journal)
        [found] = run(place, mails=MAILS, rounds=1, crews=(2,))
    assert found[2].wrong == 0
    assert found[2].rate > 0
    assert len(set(place.taken())) == len(place.taken()) == 2 * MAILS


def test_ratios_are_taken_within_a_round_and_what_came_twice_is_missed() -> None:
    rows = rows_of([_round(100), _round(50), _round(50, wrong=1)], planned=3)
    assert [row.value for row in rows] == [2, 3]
    assert [row.bar.bound for row in rows] == [*BARS.values(), 0]
    assert [row.is_met for row in rows] == [True, False]


def _round(rate: float, wrong: int = 0) -> dict[int, Sent]:
    return {crew: Sent(rate=crew * rate, cpu=1, cpu_of_server=1, wrong=wrong) for crew in (1, 2, 4)}
