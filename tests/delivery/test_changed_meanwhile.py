"""Readers who move, pause, leave or are erased between the claim of their digest and its dot."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import replace

import pytest

from paperround.db.transactions import SqlDatabase, Transaction
from paperround.delivery.queues import new_lease
from paperround.delivery.store.erasure import Erasure
from paperround.delivery.store.ledger import Ledger
from paperround.digests.sending import deliver
from paperround.editions.store.lists import ListStore
from paperround.subscribers.model import Address, Subscriber, SubscriberState
from paperround.subscribers.store.subscribers import SubscriberStore
from tests.delivery.delivering import post
from tests.delivery.publishing import send
from tests.fakes import PatientMailer
from tests.sample_database import NOW, fill, record, subscribe

OLD = Address(written="ada@example.org", mailed="ada@example.org")
NEW = Address(written="ada@new.example", mailed="ada@new.example")


def move(work: Transaction, ada: Subscriber) -> None:
    assert work[SubscriberStore].change_address(ada.id, NEW, now=NOW)


def pause(work: Transaction, ada: Subscriber) -> None:
    list_id = work[ListStore].get("trending").id
    one = work[SubscriberStore].subscription(ada.id, list_id)
    assert one is not None
    until = replace(one.preferences, paused_until=NOW.date().replace(day=31))
    work[SubscriberStore].choose(one.id, until, now=NOW)


def leave(work: Transaction, ada: Subscriber) -> None:
    work[SubscriberStore].set_state(ada.id, SubscriberState.UNSUBSCRIBED, now=NOW)


def erase(work: Transaction, ada: Subscriber) -> None:
    work[Erasure].erase(ada.id, now=NOW)


@pytest.mark.postgres
@pytest.mark.accept("R17", part="between claim and mark")
@pytest.mark.parametrize(
    ("change", "recipients"),
    [(move, {"ada@new.example"}), (pause, set()), (leave, set()), (erase, set())],
)
def test_nothing_leaves_for_a_reader_as_they_were_before(
    database: SqlDatabase,
    change: Callable[[Transaction, Subscriber], None],
    recipients: set[str],
) -> None:
    fill(database, [record(1)])
    subscribe(database, "ada", "grace")
    send(database)

    def meanwhile() -> None:
        with database.writing() as work:
            ada = work[SubscriberStore].find(OLD)
            if ada is not None:
                change(work, ada)

    mailer = PatientMailer(meanwhile)
    for _ in range(2):  # a row that was refused its dot is claimed again a moment later
        deliver(replace(post(database), mailer=mailer))
    assert {one.recipient for one in mailer.accepted} == {"grace@example.org", *recipients}


@pytest.mark.postgres
@pytest.mark.accept("R17", part="between claim and mark")
def test_a_move_that_commits_during_a_claim_waits_for_it(database: SqlDatabase) -> None:
    fill(database, [record(1)])
    subscribe(database, "ada")
    send(database)
    with database.reading() as work:
        ada = work[SubscriberStore].find(OLD)
    assert ada is not None
    lease = new_lease(post(database), NOW)

    def move_ada() -> None:
        with database.writing() as work:
            move(work, ada)

    with ThreadPoolExecutor(1) as thread:
        with database.writing() as work:
            [row] = work[Ledger].claim(lease, limit=1, now=NOW)
            moving = thread.submit(move_ada)
            wait([moving], timeout=0.5)
        moving.result()
    with database.writing() as work:
        assert not work[Ledger].mark_in_data([row.id], lease.token, until=NOW, now=NOW)
