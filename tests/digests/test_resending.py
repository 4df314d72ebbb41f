"""Sending one reader a digest again, because they ask."""

from datetime import timedelta

import pytest
from sqlalchemy import update

from paperround.access.store import AuditStore
from paperround.core.errors import InvalidInput
from paperround.db.schema import tables as db
from paperround.db.transactions import SqlDatabase
from paperround.delivery.store.ledger import Ledger
from paperround.digests.resend import resend_digest
from paperround.digests.sending import deliver
from paperround.editions.model import DigestKind
from paperround.editions.store.lists import ListStore
from paperround.subscribers.model import SubscriberId
from paperround.subscribers.store.subscribers import SubscriberStore
from tests.delivery.notices import Batches, plan, post
from tests.sample_database import IDENTITY, NOW

DAY = NOW.date()
BY = "operator 1"


def reader(database: SqlDatabase) -> SubscriberId:
    with database.reading() as work:
        [(person, _)] = work[SubscriberStore].export(work[ListStore].get("trending").id)
    return person.id


def again(database: SqlDatabase, number: SubscriberId, **changes: object) -> str:
    given: dict[str, object] = {"day": DAY, **changes}
    return resend_digest(database, number, identity=IDENTITY, now=NOW, by=BY, **given)  # type: ignore[arg-type]


@pytest.mark.accept("F56", part="a digest again", mutant="a-digest-goes-again-unnoted")
def test_a_digest_that_was_sent_goes_again_with_the_same_papers_once(
    database: SqlDatabase,
) -> None:
    plan(database, 1)
    mailer = Batches()
    number = reader(database)
    with pytest.raises(InvalidInput, match="still waiting"):
        again(database, number)
    deliver(post(database, mailer))
    assert again(database, number) == "trending"
    deliver(post(database, mailer))
    assert len(mailer.sent) == 2
    with database.reading() as work:
        trending = work[ListStore].get("trending").id
        first, second = (
            work[Ledger].find(trending, number, kind, DAY)
            for kind in (DigestKind.DIGEST, DigestKind.REPLACEMENT)
        )
        [entry] = work[AuditStore].page(before=None, limit=1)
    assert first is not None
    assert second is not None
    assert first.positions == second.positions
    assert (entry.actor, entry.action, entry.target) == (
        BY,
        "resend digest",
        f"subscriber {number}",
    )
    with pytest.raises(InvalidInput, match="only once"):
        again(database, number)


@pytest.mark.accept("F56", part="a digest again")
def test_a_date_without_a_digest_and_a_reader_who_left_are_refused(database: SqlDatabase) -> None:
    plan(database, 1)
    deliver(post(database, Batches()))
    number = reader(database)
    with pytest.raises(InvalidInput, match="no digest on 2") as refused:
        again(database, number, day=DAY - timedelta(days=1))
    assert refused.value.code == "date"
    with database.writing() as work:
        subscription = work[SubscriberStore].subscription(
            number, work[ListStore].get("trending").id
        )
        assert subscription is not None
        work[SubscriberStore].leave(subscription.id, now=NOW)
    with pytest.raises(InvalidInput, match="no longer subscribed"):
        again(database, number)


def test_a_channel_is_not_posted_to_twice(database: SqlDatabase) -> None:
    plan(database, 1)
    deliver(post(database, Batches()))
    number = reader(database)
    with database.writing() as work:
        work.connection.execute(update(db.subscribers).values(kind="slack"))
    with pytest.raises(InvalidInput, match="no digest on"):
        again(database, number)
