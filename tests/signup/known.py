"""People in every state that an address may have."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Engine, event

from paperround.db.transactions import Database
from paperround.editions.store.lists import ListStore
from paperround.subscribers.imports import suppress
from paperround.subscribers.model import SubscriberState
from paperround.subscribers.store.subscribers import SubscriberStore
from tests.builders import NOW, address, imported
from tests.sample_database import IDENTITY
from tests.self_service.readers import (
    DAYS,
    HOURS,
    joined,
    post,
    request,
    request_link,
    signup_context,
    subscribe,
    visitor,
)

STATES = ("new", "pending", "active", "linked", "left", "gone", "never")


@contextmanager
def statements(engine: Engine) -> Iterator[list[str]]:
    """What the database is asked meanwhile."""
    asked: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        asked.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield asked
    finally:
        event.remove(engine, "before_cursor_execute", note)


def seed_states(database: Database) -> None:
    before = signup_context(database)
    for name in ("active", "linked"):
        joined(before, name, now=NOW - 2 * DAYS)
    subscribe(before, request("pending"), now=NOW - HOURS)
    request_link(before, address("linked"), visitor(), now=NOW - HOURS)
    post(database)
    with database.writing() as work:
        left = imported("left", SubscriberState.UNSUBSCRIBED)
        work[SubscriberStore].put(left, work[ListStore].get("trending").id, now=NOW)
        work[SubscriberStore].put(imported("gone"), work[ListStore].get("trending").id, now=NOW)
        for name in ("gone", "never"):
            suppress(work, IDENTITY.keys, address(name), reason="complaint", now=NOW)
