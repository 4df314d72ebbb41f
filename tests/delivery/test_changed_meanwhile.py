"""Readers who move, pause, leave or are erased between the claim of their digest and its dot."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from paperround.db.transactions import SqlDatabase, Transaction
from paperround.delivery.store.erasure import Erasure
from paperround.digests.sending import deliver
from paperround.editions.store.lists import ListStore
from paperround.subscribers.model import Address, Subscriber, SubscriberState
from paperround.subscribers.store.subscribers import SubscriberStore
from tests.delivery.delivering import post
from tests.delivery.publishing import send
from tests.fakes import PatientMailer
from tests.sample_database import NOW, fill, record, subscribe

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
            old = Address(written="ada@example.org", mailed="ada@example.org")
            ada = work[SubscriberStore].find(old)
            if ada is not None:
                change(work, ada)

    mailer = PatientMailer(meanwhile)
    for _ in range(2):  # a row that was refused its dot is claimed again a moment later
        deliver(replace(post(database), mailer=mailer))
    assert {one.recipient for one in mailer.accepted} == {"grace@example.org", *recipients}
