"""An upgrade from any earlier revision, killed at any step, is done again and comes out whole."""

from contextlib import suppress

import pytest
from sqlalchemy import Engine, event

from paperround.core.errors import SchemaOutOfDate
from paperround.db import migrate, revisions
from tests.migrations.revisions import REVISIONS

STRIDE = 59
"""The short form kills at one of so many steps, on the way from one of so many revisions."""
FEW = 5


class Killed(Exception):
    """The process is gone."""


def killed_at(engine: Engine, step: int) -> bool:
    """Upgrade, and die after so many statements; whether there were as many."""
    left = step

    def count(connection: object, *_: object) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            raise Killed

    event.listen(engine, "after_cursor_execute", count)
    try:
        with suppress(Killed):
            migrate.upgrade_and_check(engine)
    finally:
        event.remove(engine, "after_cursor_execute", count)
        engine.dispose()
    return left <= 0


@pytest.mark.early
@pytest.mark.postgres
@pytest.mark.accept("D14", part="killed", mutant="what-an-upgrade-made-is-not-kept")
@pytest.mark.parametrize(
    "before",
    [
        pytest.param(one, marks=[pytest.mark.long] if number % FEW else [])
        for number, one in enumerate(("base", *REVISIONS))
    ],
)
@pytest.mark.timeout(60)  # an upgrade that keeps nothing is killed for ever
def test_an_upgrade_that_is_killed_anywhere_comes_out_whole(
    empty_engine: Engine, long_form: bool, before: str
) -> None:
    if before in REVISIONS:
        migrate.upgrade(empty_engine, before)
    step = 1 if long_form else len(before)
    while killed_at(empty_engine, step):
        step += 1 if long_form else STRIDE
    assert migrate.check_drift(empty_engine) == []
    assert revisions.is_current(empty_engine)


@pytest.mark.accept("D14", part="says so", mutant="an-upgrade-does-not-look-at-what-it-left")
def test_a_database_that_says_it_is_current_and_is_not_is_refused(empty_engine: Engine) -> None:
    migrate.upgrade(empty_engine)
    with empty_engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE notices DROP COLUMN reply")
    with pytest.raises(SchemaOutOfDate, match=r"column notices\.reply is missing"):
        migrate.upgrade_and_check(empty_engine)
    with empty_engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE notices ADD COLUMN reply TEXT")
    migrate.upgrade_and_check(empty_engine)
