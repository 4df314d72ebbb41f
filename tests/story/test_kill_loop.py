"""The sender is killed over and over; the day completes once."""

from collections.abc import Sequence
from pathlib import Path
from random import Random

import pytest

from tests.story.killing import (
    KillingSink,
    KillLoop,
    at_a_step_of,
    journalled,
    kept,
    listing,
    planned_home,
    settle_accounts,
    while_it_writes,
)

IN_GROUPS, ONE_BY_ONE = ("PIPELINING",), ()


def survive_a_relay(
    folder: Path, *, kills: int, readers: int, chance: Random, offers: Sequence[str] = IN_GROUPS
) -> None:
    journal = folder / "journal"
    with KillingSink(offers=offers, journal=journal) as sink:
        settings = {"SMTP_URL": sink.url, "SMTP_CONNECTIONS": "5"}
        loop = KillLoop(planned_home(folder, settings, readers), at_a_step_of(sink, chance))
        loop.run(kills=kills)
        assert sink.deaths.total() == kills
        taken = journalled(journal)
        assert taken.total() == len(sink.messages)
        settle_accounts(loop, taken, planned=readers)


@pytest.mark.accept("R3", part="short, SQLite")
@pytest.mark.accept("R2", part="kills")
@pytest.mark.parametrize(
    ("offers", "kills"),
    [
        pytest.param(IN_GROUPS, 20, id="pipelined"),
        pytest.param(ONE_BY_ONE, 10, id="lock-step", marks=pytest.mark.quick),
    ],
)
def test_some_kills_lose_nothing_silently_and_double_nothing(
    tmp_path: Path, offers: Sequence[str], kills: int
) -> None:
    chance = Random(20260130)  # noqa: S311 - the same deaths every time
    survive_a_relay(tmp_path, kills=kills, readers=250, chance=chance, offers=offers)


@pytest.mark.long
@pytest.mark.accept("R3")
def test_two_hundred_kills_lose_nothing_silently_and_double_nothing(tmp_path: Path) -> None:
    chance = Random(7)  # noqa: S311 - the same deaths every time
    survive_a_relay(tmp_path, kills=200, readers=4000, chance=chance)


@pytest.mark.accept("R3", part="short, outbox")
def test_kills_while_files_are_written_lose_nothing_silently_and_leave_nothing_behind(
    tmp_path: Path,
) -> None:
    home = planned_home(tmp_path, {"SMTP_CONNECTIONS": "2"}, readers=400)
    folder = tmp_path / "paperround-data" / "outbox"
    chance = Random(20260131)  # noqa: S311 - the same waits every time
    loop = KillLoop(home, while_it_writes(folder, chance))
    loop.run(kills=8)
    settle_accounts(loop, kept(home), planned=400)
    assert not [name for name in listing(folder) if name.startswith(".")]
