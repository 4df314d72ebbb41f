"""Ratios that survive a noisy machine, and the table they are shown in."""

from collections.abc import Callable

import pytest

from benchmarks.rounds import cost_exponent, cost_ratio, interleaved, speed_ratio
from benchmarks.table import Bar, Measured, as_table

ROW = Measured(id="B1", measure="deliver / sink", value=1.25, bar=Bar("at least", 1.0))


class Machine:
    """A machine whose time is counted by hand."""

    def __init__(self) -> None:
        self.time = 0.0
        self.order: list[str] = []

    def worker(self, name: str, seconds: float) -> Callable[[], None]:
        def work() -> None:
            self.order.append(name)
            self.time += seconds

        return work


def test_contenders_take_turns_and_the_first_round_is_not_counted() -> None:
    machine = Machine()
    work = {"ours": machine.worker("a", 1.0), "peer": machine.worker("b", 2.0)}
    taken = interleaved(work, rounds=2, timer=lambda: machine.time)
    assert "".join(machine.order) == "baabba"
    assert taken == {"ours": [1.0, 1.0], "peer": [2.0, 2.0]}


@pytest.mark.parametrize(
    ("seconds", "exponent"),
    [
        ({10: 1.0, 100: 10.0, 1000: 100.0}, 1.0),
        ({10: 1.0, 100: 100.0}, 2.0),
        ({1000: 100.0, 100: 1.0, 10: 0.9}, 2.0),
    ],
)
def test_of_a_cost_curve_the_steepest_step_counts(
    seconds: dict[int, float], exponent: float
) -> None:
    assert cost_exponent(seconds) == pytest.approx(exponent)


def test_a_slow_round_does_not_move_the_ratio() -> None:
    rounds = {"ours": [1.0, 10.0, 1.0], "peer": [2.0, 20.0, 2.0]}
    assert speed_ratio(rounds, "ours", "peer") == pytest.approx(2.0)
    assert cost_ratio(rounds, "ours", "peer") == pytest.approx(0.5)


def test_the_table_shows_value_and_bar_and_says_what_was_missed() -> None:
    missed = Measured(id="B5", measure="compose", value=12.0, bar=Bar("at most", 10), unit="µs")
    _, first, second = as_table([ROW, missed]).splitlines()
    assert [cell.strip() for cell in first.split("|")] == [
        "B1", "deliver / sink", "1.25", "at least 1",
    ]  # fmt: skip
    assert second.endswith("12 µs | at most 10  missed")
