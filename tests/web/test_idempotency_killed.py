"""A server dies in the middle of a request, and whoever sent it sends it again: one effect."""

import os
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from paperround.bootstrap import AppContext
from paperround.core.clock import FixedClock, StartedClock
from paperround.db.schema.tables import feeds, signup_requests
from paperround.web.app import create_app
from tests.builders import NOW
from tests.databases import database_url, postgres, postgres_url
from tests.story.forked import started
from tests.web.admin import program
from tests.web.conftest import sql
from tests.web.dying import KEYED, REQUESTS, feed_settings

__all__ = ["database_url", "postgres", "postgres_url"]

ROOT = Path(__file__).parents[2]
EFFECTS: dict[str, Any] = {"feed": feeds, "subscription": signup_requests}
ANSWERS = {"feed": 201, "subscription": 202}


def killed(url: str, folder: Path, moment: str, what: str) -> str:
    """Let a server die in the middle of its request; returns the key it was asked with."""
    died = started(
        "tests.web.dying",
        *(url, str(folder), moment, what),
        clock=StartedClock(NOW),
        folder=ROOT,
        environment={"HOME": str(folder), "PATH": os.environ["PATH"]},
    )
    said, error = died.communicate(timeout=300)
    assert died.returncode == -9, error
    return said


def effects(runtime: AppContext, what: str) -> int:
    with sql(runtime).connect() as connection:
        found: int = connection.execute(
            select(func.count()).select_from(EFFECTS[what])
        ).scalar_one()
    return found


@pytest.mark.postgres
@pytest.mark.accept("A6", part="killed")
@pytest.mark.parametrize("what", ["feed", "subscription"])
@pytest.mark.parametrize(("moment", "left"), [("done", 0), ("kept", 0), ("committed", 1)])
def test_a_request_that_killed_its_server_acts_once_when_it_comes_again(
    database_url: str, tmp_path: Path, moment: str, left: int, what: str
) -> None:
    key = killed(database_url, tmp_path, moment, what)
    runtime = AppContext(feed_settings(database_url, tmp_path), FixedClock(NOW))
    again = program(create_app(runtime), key)
    assert effects(runtime, what) == left
    path, body = REQUESTS[what]
    answers = [again.post(path, json=body, headers=KEYED) for _ in range(2)]
    assert [one.status_code for one in answers] == [ANSWERS[what]] * 2
    assert answers[0].content == answers[1].content
    assert effects(runtime, what) == 1
    runtime.queue.stop(drain_seconds=1)
    sql(runtime).dispose()
