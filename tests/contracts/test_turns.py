"""Those who want to write to one file take turns: nobody is kept out by one who always writes."""

from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest
from sqlalchemy import Engine

from paperround.db.slots import SlotStore
from paperround.db.transactions import SqlDatabase, WriterQueue
from tests.builders import NOW

SECONDS = 60
"""Nobody waits for longer, not even on a busy machine."""


def test_first_come_is_first_served() -> None:
    turns, order = WriterQueue(), list[int]()
    waits = [Event() for _ in range(5)]

    def take(number: int) -> None:
        waits[number].set()
        with turns.turn(SECONDS):
            order.append(number)

    with ThreadPoolExecutor(len(waits)) as pool:
        with turns.turn(SECONDS):
            for number, began in enumerate(waits):
                pool.submit(take, number)
                assert began.wait(SECONDS)
                while len(turns._waiting) <= number:
                    pass
        pool.shutdown()
    assert order == [0, 1, 2, 3, 4]


def test_whoever_waited_for_long_enough_goes_on_without_a_turn() -> None:
    turns = WriterQueue()
    with turns.turn(SECONDS), turns.turn(0.001):
        pass
    with turns.turn(SECONDS):  # and leaves none behind
        assert turns._taken
    assert not turns._taken


def is_taken(turns: WriterQueue) -> bool:
    return turns._taken


@pytest.mark.accept("B10", part="nobody is kept out")
def test_whoever_writes_to_a_file_has_the_turn_meanwhile(engine: Engine) -> None:
    database = SqlDatabase(engine)
    turns = database._turns
    assert (turns is None) is (engine.dialect.name == "postgresql")
    if turns is None:  # its server lets many write at once
        return
    with database.writing() as work:
        assert is_taken(turns)
        work[SlotStore].beat("x", now=NOW)
    assert not is_taken(turns)
    with pytest.raises(ZeroDivisionError), database.writing():
        raise ZeroDivisionError
    assert not is_taken(turns)
