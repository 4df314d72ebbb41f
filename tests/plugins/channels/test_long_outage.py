"""The database is away for longer than a sender of posts waits for it, and the sender lives on."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace

import pytest

from paperround.core.errors import DatabaseFailed
from paperround.db.transactions import SqlDatabase
from paperround.delivery.ledger_model import LedgerTotals
from paperround.editions.model import DeliveryState
from paperround.plugins.channels.delivery import ChannelContext, deliver_channels
from paperround.plugins.channels.model import ChannelKind
from tests.delivery.distant import Distant
from tests.delivery.publishing import send
from tests.http.faults import page
from tests.plugins.channels.services import Services, add, last, meddling, post_room, totals
from tests.sample_database import fill, record

REFUSES = page(b"invalid_payload", status="400 Bad Request")
GONE = page(b"no_service", status="404 Not Found")


@contextmanager
def distant_room(database: SqlDatabase, made: Services) -> Iterator[tuple[ChannelContext, Distant]]:
    """One hand of a process that lives on, whose next run is another call."""
    distant = Distant(database)
    with post_room(database, made) as room:
        yield replace(room, database=distant, concurrency=1), distant


def goes_away(room: ChannelContext, distant: Distant) -> ChannelContext:
    """The same, which loses its database once it has marked a post."""

    def go() -> None:
        distant.away = True

    return meddling(room, after_mark=go)


@pytest.mark.postgres
@pytest.mark.accept("R2", part="a long outage, posts")
@pytest.mark.parametrize(
    ("answers", "becomes"),
    [
        ([], LedgerTotals(sent=1)),
        ([REFUSES], LedgerTotals(failed=1)),
        ([page(b"slow down", status="429 Too Many Requests")], LedgerTotals(deferred=1)),
    ],
)
def test_what_a_service_said_meanwhile_is_written_by_the_next_run(
    papers: SqlDatabase, made: Services, answers: list[bytes], becomes: LedgerTotals
) -> None:
    made.answers_with(ChannelKind.SLACK, *answers)
    add(papers, made)
    send(papers)
    with distant_room(papers, made) as (room, distant):
        with pytest.raises(DatabaseFailed):
            deliver_channels(goes_away(room, distant))
        with pytest.raises(DatabaseFailed):
            deliver_channels(room)
        distant.away = False
        assert deliver_channels(room).messages == 0
    assert totals(papers) == becomes
    assert len(made.server.bodies) == 1


def test_a_post_of_several_messages_goes_on_with_the_next_one(
    database: SqlDatabase, made: Services
) -> None:
    fill(database, [record(number) for number in range(1, 13)])
    add(database, made, ChannelKind.DISCORD)
    send(database)
    with distant_room(database, made) as (room, distant):
        with pytest.raises(DatabaseFailed):
            deliver_channels(goes_away(room, distant))
        assert len(made.server.bodies) == 1
        distant.away = False
        assert deliver_channels(room).messages == 1
    first, second = made.posted()
    assert first != second
    assert totals(database) == LedgerTotals(sent=1)


@pytest.mark.postgres
@pytest.mark.accept("R2", part="a lost commit, posts")
@pytest.mark.parametrize("number", range(1, 5))
def test_whichever_commit_is_in_doubt_the_next_run_goes_on_at_once(
    papers: SqlDatabase, made: Services, number: int
) -> None:
    """No lease is waited for, whatever was claimed or marked by it."""
    channel = add(papers, made)
    send(papers)
    with distant_room(papers, made) as (room, distant):
        distant.loses_at = number
        with suppress(DatabaseFailed):
            deliver_channels(room)
        deliver_channels(room)
    assert last(papers, channel.id).state is DeliveryState.SENT
    assert len([body for body in made.server.bodies if body]) == 1
