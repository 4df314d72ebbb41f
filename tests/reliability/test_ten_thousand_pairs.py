"""Two at once, ten thousand times: they check, then insert or take, and never both do."""

from collections.abc import Callable, Sequence
from threading import Barrier, Thread
from typing import TypeVar

import pytest
from sqlalchemy import Engine, func, select

from paperround.db.schema import tables as db
from paperround.db.transactions import Database
from paperround.delivery.store.ledger import Ledger
from paperround.editions.model import DeliveryId
from paperround.signup.confirm import confirm
from tests.builders import (
    NOW,
    lease,
    new_delivery,
    seed_edition,
    seed_list,
    seed_papers,
    seed_subscribers,
    shard,
)
from tests.databases import database
from tests.self_service.readers import link, post, request, signup_context, subscribe, visitor

__all__ = ["database"]

Result = TypeVar("Result")

FEW, MANY = 60, 10_000
SHARD = 1000


@pytest.fixture
def pairs(long_form: bool) -> int:
    """How many pairs race."""
    return MANY if long_form else FEW


def both(count: int, do: Callable[[int, int], Result]) -> list[list[Result]]:
    """Run `do(side, number)` on two sides at once for each number, which start it together."""
    together = Barrier(2, timeout=60)
    found: list[list[Result]] = [[], []]

    def side(which: int) -> None:
        try:
            for number in range(count):
                together.wait()
                found[which].append(do(which, number))
        except BaseException:
            together.abort()
            raise

    threads = [Thread(target=side, args=(which,)) for which in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [len(one) for one in found] == [count, count], "one side came to no end"
    return found


def count_of(engine: Engine, what: object) -> int:
    with engine.connect() as connection:
        return int(connection.execute(select(what)).scalar_one())  # type: ignore[call-overload]


@pytest.mark.accept("D2", part="sign-up, 10,000 pairs")
def test_two_who_sign_up_one_address_at_once_are_one_person_with_one_mail(
    database: Database, engine: Engine, pairs: int
) -> None:
    seed_list(database)
    here = signup_context(database)

    def sign_up(side: int, number: int) -> None:
        subscribe(here, request(f"reader{number}", by=visitor(2 * number + side)), now=NOW)

    both(pairs, sign_up)
    people, mails = db.subscribers.c, db.notices.c
    assert count_of(engine, func.count(people.id)) == pairs
    assert count_of(engine, func.count(func.distinct(people.address))) == pairs
    assert count_of(engine, func.count(db.subscriptions.c.id)) == pairs
    assert count_of(engine, func.count(mails.id)) == pairs


@pytest.mark.accept("D2", part="confirmation, pairs")
def test_two_who_use_one_link_at_once_are_one_confirmation(
    database: Database, engine: Engine, long_form: bool
) -> None:
    seed_list(database)
    here = signup_context(database)
    count = 1000 if long_form else 20
    for number in range(count):
        subscribe(here, request(f"reader{number}", by=visitor(number)), now=NOW)
    tokens = [link(mail) for mail in post(database)]
    found = both(count, lambda _, number: confirm(here, tokens[number], now=NOW) is not None)
    assert [one + other for one, other in zip(*found, strict=True)] == [1] * count


@pytest.mark.accept("D2", part="claim, 10,000 pairs")
def test_two_who_claim_at_once_never_hold_the_same_mail(database: Database, pairs: int) -> None:
    """Each row is raced for by both, since both always want the first of the line."""
    planned(database, pairs)

    def claim(side: int, number: int) -> Sequence[DeliveryId]:
        with database.writing() as work:
            rows = work[Ledger].claim(lease(f"{side}/{number}"), limit=1, now=NOW)
        return [row.id for row in rows]

    held = [id_ for side in both(pairs, claim) for ids in side for id_ in ids]
    assert (len(held), len(set(held))) == (pairs, pairs)


def planned(database: Database, count: int) -> None:
    """So many readers with a digest each, planned in shards as ever."""
    trending, papers = seed_list(database), seed_papers(database, 1)
    edition = seed_edition(database, trending, papers)
    people = seed_subscribers(database, trending, tuple(f"p{number}" for number in range(count)))
    for number, first in enumerate(range(0, count, SHARD)):
        rows = [new_delivery(one, papers) for one in people[first : first + SHARD]]
        with database.writing() as work:
            work[Ledger].plan(edition.id, trending.id, rows, shard(number), now=NOW)
