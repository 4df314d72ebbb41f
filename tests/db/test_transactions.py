"""Transactions that lose races, and are done again."""

from collections.abc import Callable

import pytest

from paperround.core.errors import Conflict
from paperround.db.transactions import LONGEST_WAIT, TRIES, run_with_retries


def loses(times: int) -> Callable[[], str]:
    """Loses so many races before it wins."""
    left = list(range(times))

    def do() -> str:
        if left:
            left.pop()
            raise Conflict
        return "won"

    return do


@pytest.mark.accept("D2", part="waits")
def test_who_lost_a_race_waits_longer_each_time_and_not_as_long_as_the_others() -> None:
    waits: list[float] = []
    assert run_with_retries(loses(TRIES - 1), pause=waits.append) == "won"
    others: list[float] = []
    run_with_retries(loses(TRIES - 1), pause=others.append)
    assert len(waits) == TRIES - 1
    assert waits[0] < 0.02
    assert waits[0] < waits[3] < waits[6] <= LONGEST_WAIT
    assert max(waits) >= LONGEST_WAIT / 2
    assert waits != others


def test_who_loses_every_race_gives_up() -> None:
    with pytest.raises(Conflict):
        run_with_retries(loses(TRIES), pause=lambda _: None)
