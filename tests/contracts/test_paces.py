"""Paces that hold over all processes on one database, on every engine."""

from datetime import timedelta
from functools import partial

import pytest

from paperround.db.transactions import Database
from paperround.delivery.ledger_model import Claimed
from paperround.delivery.model import Outcome, Phase, Reply
from paperround.delivery.rate_state import Pacing, parse_domain_pace, parse_pace
from paperround.delivery.store.ledger import Ledger
from paperround.delivery.store.rates import PaceStore
from paperround.editions.model import DeliveryId
from tests.builders import (
    NOW,
    lease,
    new_delivery,
    plan,
    seed_edition,
    seed_list,
    seed_papers,
    seed_subscribers,
)
from tests.races import at_once

PEOPLE = 40
DOMAIN = "mail.example"
SECOND = timedelta(seconds=1)
REFUSED = Outcome(id=DeliveryId(1), phase=Phase.MAIL, reply=Reply(550, "5.7.1", "no"))
TAKEN = Outcome(id=DeliveryId(1), phase=Phase.DOT, reply=Reply(250, "2.0.0", "ok"))
BY_DOMAIN = Pacing(domains=parse_domain_pace("20/s"))
CAPPED = Pacing(connections=2)


@pytest.fixture
def crowd(database: Database) -> Database:
    mailing_list, papers = seed_list(database), seed_papers(database, 3)
    edition = seed_edition(database, mailing_list, papers)
    people = seed_subscribers(database, mailing_list, tuple(f"p{n}" for n in range(PEOPLE)))
    plan(database, edition, [new_delivery(one, papers) for one in people])
    return database


def claim(
    database: Database, pacing: Pacing, number: int = 0, after: timedelta = SECOND
) -> list[Claimed]:
    now = NOW + after
    with database.writing() as work:
        gate = work[PaceStore].open(pacing, first=False, now=now)
        rows = work[Ledger].claim(lease(f"claim {number}"), limit=50, now=now, gate=gate)
        gate.close()
        return rows


@pytest.mark.accept("R9", part="many processes")
def test_many_claims_at_once_take_no_more_tokens_than_there_are(crowd: Database) -> None:
    ten = Pacing(relay=parse_pace("10/s"))
    ids = []
    for tenth in range(10):
        found = at_once(8, partial(claim, crowd, ten, after=SECOND + tenth * SECOND / 10))
        ids += [row.id for rows in found if not isinstance(rows, str) for row in rows]
    assert len(ids) == len(set(ids))
    assert 9 <= len(ids) <= 10


@pytest.mark.accept("R9", part="many processes")
def test_connections_to_a_domain_are_counted_over_all_processes(crowd: Database) -> None:
    found = at_once(8, lambda number: claim(crowd, CAPPED, number))
    assert sum(len(rows) for rows in found if not isinstance(rows, str)) == 2
    assert claim(crowd, CAPPED, 9, timedelta(minutes=2)) == []
    with crowd.writing() as work:
        for number in range(8):
            work[Ledger].release(f"claim {number}")
    assert len(claim(crowd, CAPPED, after=timedelta(minutes=4))) == 2


def test_a_quota_counts_what_left_before_a_restart(crowd: Database) -> None:
    hourly = Pacing(relay=parse_pace("10/h"))
    assert len(claim(crowd, hourly)) == 9
    assert claim(crowd, hourly, 1, timedelta(minutes=30)) == []
    assert len(claim(crowd, hourly, 2, timedelta(minutes=62))) == 9


def test_a_quota_of_a_domain_is_its_own(crowd: Database) -> None:
    daily = Pacing(domains=parse_domain_pace(f"{DOMAIN}=6/24h"))
    assert len(claim(crowd, daily)) == 5
    assert claim(crowd, daily, 1, timedelta(hours=2)) == []


def test_the_tokens_of_a_domain_are_forgotten_in_time(crowd: Database) -> None:
    assert len(claim(crowd, BY_DOMAIN)) == 1
    with crowd.writing() as work:
        assert work[PaceStore].forget(before=NOW) == 0
        assert work[PaceStore].forget(before=NOW + timedelta(days=2)) == 1


@pytest.mark.accept("R14", part="every process")
def test_a_relay_that_rests_gives_nothing_and_then_one(crowd: Database) -> None:
    with crowd.writing() as work:
        work[PaceStore].record_outcomes([REFUSED] * 10, now=NOW)
    assert claim(crowd, Pacing()) == []
    after = timedelta(minutes=6)
    assert len(claim(crowd, Pacing(), 1, after)) == 1
    assert claim(crowd, Pacing(), 2, after) == []
    with crowd.writing() as work:
        work[PaceStore].record_outcomes([TAKEN], now=NOW + after)
    assert len(claim(crowd, Pacing(), 3, after)) == PEOPLE - 1


def test_where_nothing_is_paced_a_claim_writes_nothing_down(crowd: Database) -> None:
    assert len(claim(crowd, Pacing())) == PEOPLE
    with crowd.writing() as work:
        assert work[PaceStore].forget(before=NOW + timedelta(days=9)) == 0
        assert work[PaceStore].relay().free_at is None
