"""Somebody goes between the choosing of their mail and the writing of its row."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

import pytest

from paperround.db.schema import tables as db
from paperround.db.transactions import SqlDatabase, Transaction
from paperround.delivery.store.erasure import Erasure
from paperround.delivery.store.ledger import Ledger
from paperround.digests.cancel import cancel
from paperround.digests.resend import send_missed
from paperround.editions.model import DigestKind
from paperround.editions.store.lists import ListStore
from paperround.subscribers.interests import Interest, InterestKind
from paperround.subscribers.model import SubscriberId, SubscriberState
from paperround.subscribers.store.subscribers import SubscriberStore
from tests.delivery.publishing import send
from tests.sample_database import IDENTITY, NOW, fill, record, subscribe

Do = Callable[[Transaction, SubscriberId], object]


@dataclass
class Meanwhile:
    """A database in which, just before one of the transactions that write, somebody goes in a
    transaction of their own; `before` counts those that come first."""

    database: SqlDatabase
    person: SubscriberId
    go: Do
    before: int

    def reading(self) -> AbstractContextManager[Transaction]:
        return self.database.reading()

    def writing(self) -> AbstractContextManager[Transaction]:
        if self.before == 0:
            with self.database.writing() as work:
                self.go(work, self.person)
        self.before -= 1
        return self.database.writing()


def erase(work: Transaction, person: SubscriberId) -> None:
    work[Erasure].erase(person, now=NOW)


def leave(work: Transaction, person: SubscriberId) -> None:
    (subscription,) = work[SubscriberStore].subscriptions_of(person)
    work[SubscriberStore].leave(subscription.id, now=NOW)


def suppress(work: Transaction, person: SubscriberId) -> None:
    work[SubscriberStore].set_state(person, SubscriberState.SUPPRESSED, now=NOW)


GOING = [erase, leave, suppress]


def followers(database: SqlDatabase) -> dict[str, SubscriberId]:
    """People who follow an author, so that their rows say so, by their names."""
    fill(database, [record(n, authors=("Ada Lovelace",)) for n in range(1, 4)])
    subscribe(database, "ada", "bob")
    with database.writing() as work:
        people = [*work[SubscriberStore].export(work[ListStore].get("trending").id)]
        for person, _ in people:
            follows = [Interest(InterestKind.AUTHOR, "Ada Lovelace")]
            work[SubscriberStore].set_interests(person.id, follows, now=NOW)
    return {person.address.partition("@")[0]: person.id for person, _ in people}


def rows_of(database: SqlDatabase, person: SubscriberId) -> dict[str, int]:
    """How many rows of each table belong to a person, but the two that stay nameless."""
    nameless = (db.subscribers, db.subscriptions)
    with database.reading() as work:
        found = {
            table.name: len(
                work.connection.execute(table.select().where(table.c.subscriber_id == person)).all()
            )
            for table in db.metadata.sorted_tables
            if "subscriber_id" in table.c and table not in nameless
        }
    return {name: rows for name, rows in found.items() if rows}


@pytest.mark.postgres
@pytest.mark.accept("P2", part="erased while the digest is planned")
def test_nothing_is_written_of_somebody_who_is_erased_after_the_choice(
    database: SqlDatabase,
) -> None:
    people = followers(database)
    report = send(Meanwhile(database, people["ada"], erase, before=1))  # the edition is frozen
    assert (report.added, report.planned.rows) == (1, 1)
    assert rows_of(database, people["ada"]) == {}
    assert rows_of(database, people["bob"])["deliveries"] == 1


@pytest.mark.parametrize("go", GOING)
def test_whoever_goes_after_the_choice_gets_no_row(database: SqlDatabase, go: Do) -> None:
    people = followers(database)
    assert send(Meanwhile(database, people["bob"], go, before=1)).added == 1
    assert "deliveries" not in rows_of(database, people["bob"])


@pytest.mark.parametrize("go", GOING)
def test_whoever_goes_after_the_choice_gets_no_replacement(database: SqlDatabase, go: Do) -> None:
    people = followers(database)
    report = send(database)
    cancel(database, "trending", day=report.edition.day, cut=None, now=NOW)
    overtaken = Meanwhile(database, people["ada"], go, before=0)
    planned = send_missed(overtaken, "trending", identity=IDENTITY, day=report.edition.day, now=NOW)
    assert planned.planned == 1
    with database.reading() as work:
        kinds = {
            name: work[Ledger].find(
                report.edition.list_id, person, DigestKind.REPLACEMENT, report.edition.day
            )
            for name, person in people.items()
        }
    assert (kinds["ada"], kinds["bob"] is not None) == (None, True)
