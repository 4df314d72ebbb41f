"""Many ask for a list in one transaction: each gets what they would have got alone, for as many
statements as one of them costs twice, whoever they are."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import Engine

from paperround.domain.errors import InvalidInput, NotFound, RateLimited
from paperround.domain.limits import Standing, parse_rates
from paperround.domain.subscribers import Preferences
from paperround.jobs.asking import SignupRequest
from paperround.jobs.ports import Database
from paperround.jobs.signup import subscribe
from tests.builders import MINUTE, NOW, address
from tests.jobs.asking import asked
from tests.jobs.patience import STATES, seed_states, statements
from tests.jobs.readers import LIMITS, desk, post, request, visitor

YESTERDAY = NOW - timedelta(hours=25)


def mailed(database: Database) -> list[str]:
    return sorted(mail.address.partition("@")[0] for mail in post(database))


def crowd(*names: str) -> list[SignupRequest]:
    """Each from a network of their own."""
    return [request(name, by=visitor(number)) for number, name in enumerate(names)]


@pytest.mark.accept("S4", part="statements of many")
@pytest.mark.parametrize("names", [("fresh", "other"), STATES, STATES[1:], ("gone", "never")])
def test_many_cost_the_database_as_much_whoever_they_are(
    database: Database, engine: Engine, names: tuple[str, ...]
) -> None:
    seed_states(database)
    here = desk(database, LIMITS)
    asked(here, *crowd("one", "two"))
    with statements(engine) as usual:
        asked(here, *crowd("three", "four"))
    with statements(engine) as these:
        asked(here, *crowd(*names))
    assert len(these) == len(usual)


@pytest.mark.accept("S4", part="statements of many")
def test_mails_that_go_again_cost_as_much_though_each_was_asked_for_at_its_own_instant(
    database: Database, engine: Engine
) -> None:
    limits = replace(LIMITS, address=parse_rates("9/h"))
    here, before = desk(database, limits), ("ada", "bo", "cy", "di")
    known, fresh = crowd(*before), crowd(*before, "one", "two", "three", "four")[4:]
    asked(here, *known)
    post(database)
    with statements(engine) as new:
        asked(here, *fresh, apart=timedelta(milliseconds=1))
    once_more = [replace(one, visitor=visitor(20 + place)) for place, one in enumerate(known)]
    with statements(engine) as again:
        asked(here, *once_more, apart=timedelta(milliseconds=1))
    assert len(again) == len(new)
    mails = post(database, now=NOW + MINUTE)
    assert {one.address for one in mails} == {one.address.mailed for one in known + fresh}


def test_each_of_many_gets_what_they_would_get_alone(database: Database) -> None:
    seed_states(database)
    here = desk(database, LIMITS)
    assert all(one is not None for one in asked(here, *crowd(*STATES)))
    assert mailed(database) == ["active", "left", "new", "pending"]


def test_who_is_refused_costs_the_others_and_themselves_nothing(database: Database) -> None:
    """A network that is full uses up nothing of a client in it."""
    limits = replace(LIMITS, ip=parse_rates("4/h"), net=parse_rates("2/h"))
    here = desk(database, limits)
    near = [replace(visitor(1), ip=f"10.0.1.{number}") for number in (1, 1, 2)]
    answers = asked(
        here,
        *(request(f"near{number}", by=one) for number, one in enumerate(near)),
        request("odd", by=visitor(2), list_name="no such list"),
        request("wrong", by=visitor(3), wish=Preferences(timezone="Mars/Olympus")),
        request("far", by=visitor(4)),
    )
    kinds = [type(one) for one in answers]
    assert kinds[2:5] == [RateLimited, NotFound, InvalidInput]
    assert mailed(database) == ["far", "near0", "near1"]
    free = desk(database, replace(limits, net=()))
    [left] = asked(free, request("last", by=near[2]))
    assert isinstance(left, Standing)
    assert left.remaining == 3


def test_who_asks_twice_in_one_transaction_is_one_person_with_two_wishes(
    database: Database,
) -> None:
    """As alone: another wish is another question, and none counts before somebody says yes."""
    here = desk(database)
    wishes = [request("twice", by=visitor(number), wish=Preferences(hour=number))
              for number in (1, 2, 2)]  # fmt: skip
    asked(here, *wishes, request("once", by=visitor(3)))
    assert mailed(database) == ["once", "twice", "twice"]
    with database.reading() as work:
        person = work.subscribers.find(address("twice"))
        assert person is not None
        assert len(work.subscribers.subscriptions_of(person.id)) == 1


def test_a_mail_that_was_sent_goes_again_among_many(database: Database) -> None:
    here = desk(database, LIMITS)
    subscribe(here, request("again", by=visitor(7)), now=YESTERDAY)
    [first] = post(database, now=YESTERDAY)
    asked(here, *crowd("again", "new"))
    mails = {mail.address.partition("@")[0]: mail.message_id for mail in post(database)}
    assert mails["again"] == first.message_id
    assert set(mails) == {"again", "new"}
