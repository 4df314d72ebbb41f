"""Slots and signs of life, on every database."""

from collections import Counter

import pytest

from paperround.db.slots import SlotStore
from paperround.db.transactions import Database
from tests.builders import HOUR, MINUTE, NOW
from tests.races import THREADS, at_once

RACES = 125


def test_a_slot_is_taken_once_for_ever(database: Database) -> None:
    with database.writing() as work:
        assert work[SlotStore].take("tick", "2026-03-02T08:00Z", now=NOW)
        assert not work[SlotStore].take("tick", "2026-03-02T08:00Z", now=NOW + MINUTE)
    with database.writing() as work:
        assert not work[SlotStore].take("tick", "2026-03-02T08:00Z", now=NOW + HOUR)
        assert work[SlotStore].taken_at("tick", "2026-03-02T08:00Z") == NOW


def test_slots_of_other_kinds_and_names_are_free(database: Database) -> None:
    with database.writing() as work:
        assert work[SlotStore].take("tick", "a", now=NOW)
        assert work[SlotStore].take("tick", "b", now=NOW)
        assert work[SlotStore].take("alert", "a", now=NOW)
        assert work[SlotStore].taken_at("alert", "b") is None


@pytest.mark.accept("D2", part="short")
def test_a_slot_wanted_by_many_at_once_has_one_winner(database: Database) -> None:
    def take_all(_: int) -> list[int]:
        return [number for number in range(RACES) if _take(database, number)]

    won = at_once(THREADS, take_all)
    winners = Counter(slot for some in won if not isinstance(some, str) for slot in some)
    assert winners == dict.fromkeys(range(RACES), 1)


def _take(database: Database, number: int) -> bool:
    with database.writing() as work:
        return work[SlotStore].take("race", str(number), now=NOW)


def test_the_latest_sign_of_life_counts(database: Database) -> None:
    with database.writing() as work:
        assert work[SlotStore].last_beat("scheduler") is None
        work[SlotStore].beat("scheduler", now=NOW)
        work[SlotStore].beat("scheduler", now=NOW + MINUTE)
    with database.reading() as work:
        assert work[SlotStore].last_beat("scheduler") == NOW + MINUTE
        assert work[SlotStore].taken_at("beat", "scheduler") == NOW + MINUTE
        assert work[SlotStore].last_beat("sender") is None


def test_old_slots_of_one_kind_are_forgotten(database: Database) -> None:
    with database.writing() as work:
        for minute in range(4):
            work[SlotStore].take("tick", str(minute), now=NOW + minute * MINUTE)
        work[SlotStore].take("alert", "kept", now=NOW)
        assert work[SlotStore].forget("tick", before=NOW + 2 * MINUTE) == 2
        assert work[SlotStore].take("tick", "1", now=NOW)
        assert not work[SlotStore].take("tick", "2", now=NOW)
        assert not work[SlotStore].take("alert", "kept", now=NOW)


@pytest.mark.accept("D12", part="not held", mutant="the-clock-alone-moves-the-mark")
def test_what_advances_never_stays_and_never_goes_back(database: Database) -> None:
    moments = []
    for now in (NOW, NOW, NOW - HOUR, NOW + MINUTE):
        with database.writing() as work:
            moments.append(work[SlotStore].advance("a", now=now))
            assert work[SlotStore].last_beat("a") == moments[-1]
    assert moments == sorted(set(moments))
    assert (moments[0], moments[-1]) == (NOW, NOW + MINUTE)
