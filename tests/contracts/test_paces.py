"""Paces that hold over all processes on one database, on every engine."""

from datetime import timedelta

import pytest

from paperround.domain.flows import Answer
from paperround.domain.ledger import Claimed
from paperround.domain.pacing import Pacing, parse_domain_pace, parse_pace
from paperround.store.unit_of_work import Database
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
REFUSED = Answer(domain=DOMAIN, refuses_us=True, reason="policy-refusal: 550 5.7.1")
PUT_OFF = Answer(domain=DOMAIN, put_off=True, told_to_rest=True, reason="told-to-rest: 421")
BY_DOMAIN = Pacing(domains=parse_domain_pace("20/s"), connections=2)


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
        gate = work.pacing.open(pacing, first=False, now=now)
        rows = work.ledger.claim(lease(f"claim {number}"), limit=50, now=now, gate=gate)
        gate.close()
        return rows


@pytest.mark.accept("R9", part="many processes")
def test_many_claims_at_once_take_no_more_slots_than_there_are(crowd: Database) -> None:
    ten = Pacing(relay=parse_pace("10/s"))
    found = at_once(8, lambda number: claim(crowd, ten, number))
    ids = [row.id for rows in found if not isinstance(rows, str) for row in rows]
    assert len(ids) == len(set(ids))
    assert 10 <= len(ids) <= 11


@pytest.mark.accept("R9", part="many processes")
def test_connections_to_a_domain_are_counted_over_all_processes(crowd: Database) -> None:
    found = at_once(8, lambda number: claim(crowd, BY_DOMAIN, number))
    assert sum(len(rows) for rows in found if not isinstance(rows, str)) == 2
    assert claim(crowd, BY_DOMAIN, 9, timedelta(minutes=2)) == []
    with crowd.writing() as work:
        for number in range(8):
            work.ledger.release(f"claim {number}", now=NOW)
    assert len(claim(crowd, BY_DOMAIN, after=timedelta(minutes=4))) == 2


def test_a_quota_counts_what_left_before_a_restart(crowd: Database) -> None:
    hourly = Pacing(relay=parse_pace("10/h"))
    assert len(claim(crowd, hourly)) == 9
    assert claim(crowd, hourly, 1, timedelta(minutes=30)) == []
    assert len(claim(crowd, hourly, 2, timedelta(minutes=62))) == 9


def test_a_quota_of_a_domain_is_its_own(crowd: Database) -> None:
    daily = Pacing(domains=parse_domain_pace(f"{DOMAIN}=6/24h"))
    assert len(claim(crowd, daily)) == 5
    assert claim(crowd, daily, 1, timedelta(hours=2)) == []


def test_what_rests_rests_for_everybody_and_is_forgotten_in_time(crowd: Database) -> None:
    with crowd.writing() as work:
        work.pacing.heard([PUT_OFF], BY_DOMAIN, now=NOW)
    assert claim(crowd, BY_DOMAIN) == []
    with crowd.writing() as work:
        assert list(work.pacing.resting(now=NOW + SECOND)) == [DOMAIN]
        assert work.pacing.forget(before=NOW - SECOND) == 0
        assert work.pacing.forget(before=NOW + timedelta(days=2)) == 1
    assert len(claim(crowd, BY_DOMAIN, after=timedelta(minutes=2))) == 2


@pytest.mark.accept("R14", part="every process")
def test_a_relay_that_rests_gives_nothing_and_then_one(crowd: Database) -> None:
    with crowd.writing() as work:
        work.pacing.heard([REFUSED] * 10, Pacing(), now=NOW)
    assert claim(crowd, Pacing()) == []
    after = timedelta(minutes=6)
    assert len(claim(crowd, Pacing(), 1, after)) == 1
    assert claim(crowd, Pacing(), 2, after) == []
    with crowd.writing() as work:
        work.pacing.heard([Answer(domain=DOMAIN, accepted=True)], Pacing(), now=NOW + after)
    assert len(claim(crowd, Pacing(), 3, after)) == PEOPLE - 1


def test_where_nothing_is_paced_a_claim_writes_nothing_down(crowd: Database) -> None:
    assert len(claim(crowd, Pacing())) == PEOPLE
    with crowd.writing() as work:
        assert work.pacing.forget(before=NOW + timedelta(days=9)) == 0
        assert work.pacing.relay().free_at is None
