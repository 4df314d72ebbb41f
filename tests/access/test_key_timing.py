"""What the time of an answer tells of a key: nothing."""

from itertools import count
from statistics import median
from time import perf_counter

import pytest

from paperround.access.keys import authenticate, create_key
from paperround.access.model import Scope
from paperround.db.transactions import SqlDatabase
from tests.sample_database import IDENTITY, NOW

ROUNDS = 400
ALIKE = 0.15
CLIENTS = (f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}" for number in count(1))


def took(database: SqlDatabase, key: str) -> float:
    """Seconds that it takes to refuse a key from an address that was never heard of."""
    begin = perf_counter()
    assert authenticate(database, IDENTITY.keys, key, client=next(CLIENTS), now=NOW) is None
    return perf_counter() - begin


@pytest.mark.long
@pytest.mark.accept("A3", part="timing")
def test_a_key_that_is_nearly_right_is_refused_as_slowly_as_any(database: SqlDatabase) -> None:
    text = create_key(database, "laptop", [Scope.FEEDS_READ], expires_at=None, now=NOW).text
    head, secret = text[:12], text[12:]

    def other(letter: str) -> str:
        return "A" if letter != "A" else "B"

    wrong = {
        "first": head + other(secret[0]) + secret[1:],
        "last": head + secret[:-1] + other(secret[-1]),
    }
    times: dict[str, list[float]] = {name: [] for name in wrong}
    for number in range(ROUNDS):
        for name in sorted(wrong, reverse=bool(number % 2)):
            times[name].append(took(database, wrong[name]))
    medians = {name: median(found) for name, found in times.items()}
    assert max(medians.values()) <= min(medians.values()) * (1 + ALIKE), medians
