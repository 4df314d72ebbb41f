"""What is asked waits in a row that says nothing of whom it is for, and is worked on once."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import Engine, select

from paperround.core.errors import Misconfigured
from paperround.core.tokens import KeyRing
from paperround.db.schema import tables as db
from paperround.db.transactions import Database, Transaction
from paperround.delivery.restore_guard import hold_all_email
from paperround.delivery.system_mail_model import SystemMailKind
from paperround.ops.cleanup import clean_up
from paperround.self_service import change_address
from paperround.self_service.erasure import erase_address, erase_person, export_person
from paperround.signup import requests
from paperround.signup.context import SignupContext
from paperround.signup.limits import DAY, count_requests
from paperround.signup.worker import TRIES, process_requests
from paperround.subscribers.imports import is_suppressed
from paperround.subscribers.model import Address
from paperround.subscribers.readers import Drop, Visitor
from paperround.subscribers.store.requests import RequestStore
from paperround.subscribers.store.subscribers import SubscriberStore
from tests.builders import MINUTE, NOW, address
from tests.races import at_once
from tests.sample_database import IDENTITY
from tests.self_service.readers import (
    DAYS,
    LIMITS,
    joined,
    link,
    post,
    request,
    request_link,
    signup_context,
    visitor,
)
from tests.signup.known import STATES, seed_states, statements

Ask = Callable[[SignupContext, Address, Visitor], object]


def sign_up(here: SignupContext, to: Address, by: Visitor) -> None:
    asked = replace(request(by=by), address=to)
    requests.subscribe(here, asked, now=NOW)


def ask_for_link(here: SignupContext, to: Address, by: Visitor) -> None:
    requests.request_link(here, to, by, now=NOW)


def waiting(database: Database) -> int:
    with database.reading() as work:
        number, _ = work[RequestStore].waiting()
    return number


def rows(engine: Engine) -> list[Mapping[str, object]]:
    """What stands in the rows that wait, but for what names them."""
    own = ("id", "address", "written", "folded")
    with engine.connect() as connection:
        found = connection.execute(select(db.signup_requests)).mappings().all()
    return [{name: one[name] for name in one if name not in own} for one in found]


# --- what a request tells ------------------------------------------------------------------------


@pytest.mark.postgres
@pytest.mark.accept("S4", part="statements")
@pytest.mark.parametrize("ask", [sign_up, ask_for_link])
def test_a_request_asks_the_database_the_same_whatever_is_known_of_its_address(
    database: Database, engine: Engine, ask: Ask
) -> None:
    seed_states(database)
    here, said = signup_context(database, LIMITS), dict[str, list[str]]()
    ask(here, address("before"), visitor(99))
    for number, name in enumerate(STATES):
        with statements(engine) as asked:
            ask(here, address(name), visitor(number))
        said[name] = asked
    assert all(one == said["new"] for one in said.values())
    first, *others = rows(engine)
    assert all(one == first for one in others)


@pytest.mark.accept("S4", part="statements of a move")
def test_a_change_of_address_asks_the_database_the_same_whatever_is_known_of_the_new_one(
    database: Database, engine: Engine
) -> None:
    seed_states(database)
    joined(signup_context(database), "mover", now=NOW - 2 * DAYS)
    said = dict[str, list[str]]()
    for number, name in enumerate(STATES):
        now = NOW + number * DAYS
        request_link(signup_context(database), address("mover"), visitor(), now=now)
        mails = post(database, now=now)
        [token] = [link(one) for one in mails if one.kind is SystemMailKind.PREFERENCES]
        here = signup_context(database, LIMITS)
        with statements(engine) as asked:
            change_address.request_address_change(
                here, token, address(name), visitor(number), now=now
            )
        said[name] = asked
    assert all(one == said["new"] for one in said.values())


@pytest.mark.postgres
@pytest.mark.accept("S4", part="who is mailed")
def test_who_gets_a_mail_is_found_out_later(database: Database) -> None:
    seed_states(database)
    here = signup_context(database, LIMITS)
    for number, name in enumerate(STATES):
        sign_up(here, address(name), visitor(number))
    assert post(database) == []
    assert process_requests(here, now=NOW + MINUTE) == len(STATES)
    told = {mail.address.partition("@")[0] for mail in post(database, now=NOW + MINUTE)}
    assert told == {"new", "pending", "active", "left"}


@pytest.mark.accept("S4", part="who is mailed")
def test_readers_alone_get_a_link(database: Database) -> None:
    seed_states(database)
    here = signup_context(database, LIMITS)
    for number, name in enumerate(STATES):
        ask_for_link(here, address(name), visitor(number))
    process_requests(here, now=NOW)
    assert {mail.address.partition("@")[0] for mail in post(database)} == {"active", "linked"}


# --- working on it -------------------------------------------------------------------------------


@pytest.mark.postgres
@pytest.mark.accept("S18", part="worked on once")
def test_what_four_workers_find_at_once_is_done_once_and_in_the_order_it_came(
    database: Database,
) -> None:
    here = signup_context(database)
    for number in range(40):
        sign_up(here, address(f"reader{number}"), visitor(number))
    done = at_once(4, lambda _: process_requests(here, now=NOW))
    mails = post(database)
    assert (sum(map(int, done)), len(mails), waiting(database)) == (40, 40, 0)


@pytest.mark.postgres
@pytest.mark.accept("S18", part="worked on once")
def test_a_process_that_dies_while_it_works_on_a_request_leaves_all_of_it(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = signup_context(database)
    sign_up(here, address(), visitor())

    def die(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("paperround.signup.worker.new_notice", die)
        with pytest.raises(KeyboardInterrupt):
            process_requests(here, now=NOW)
    assert waiting(database) == 1
    with database.reading() as work:
        assert work[SubscriberStore].find(address()) is None
    process_requests(here, now=NOW)
    assert [mail.address for mail in post(database)] == ["alice@mail.example"]


@pytest.mark.postgres
@pytest.mark.accept("S18", part="one that fails")
def test_a_request_that_fails_keeps_none_of_the_others_and_is_dropped_in_the_end(
    database: Database, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    here = signup_context(database)

    def fails(work: Transaction, keys: KeyRing, to: Address) -> bool:
        if to.folded.startswith("poison"):
            raise ValueError(f"something is wrong with {to.folded}")
        return is_suppressed(work, keys, to)

    monkeypatch.setattr("paperround.signup.worker.is_suppressed", fails)
    for number, name in enumerate(("first", "poison", "last")):
        sign_up(here, address(name), visitor(number))
    with caplog.at_level(logging.ERROR):
        assert process_requests(here, now=NOW) == 2
    assert [one.address for one in post(database)] == ["first@mail.example", "last@mail.example"]
    assert "poison" not in caplog.text
    assert "ValueError in " in caplog.text
    for number in range(1, TRIES):
        assert waiting(database) == 1
        process_requests(here, now=NOW + number * timedelta(minutes=5))
    with database.reading() as work:
        assert count_requests(work, DAY, now=NOW + 30 * MINUTE).dropped[Drop.FAILED] == 1
    assert waiting(database) == 0


def test_where_nobody_can_tell_who_must_never_be_mailed_all_wait(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = signup_context(database)
    sign_up(here, address(), visitor())

    def fails(*_: object) -> bool:
        raise Misconfigured("a key is gone")

    with monkeypatch.context() as patched:
        patched.setattr("paperround.signup.worker.is_suppressed", fails)
        with pytest.raises(Misconfigured):
            process_requests(here, now=NOW)
    assert process_requests(here, now=NOW) == 1


# --- what is kept of it --------------------------------------------------------------------------


@pytest.mark.postgres
@pytest.mark.accept("P2", part="requests that wait")
@pytest.mark.parametrize("is_known", [True, False])
def test_what_waits_for_an_address_goes_with_it(database: Database, is_known: bool) -> None:
    here = signup_context(database)
    if is_known:
        joined(here)
    for ask in (sign_up, ask_for_link):
        ask(here, address(), visitor())
        ask(here, address("bob"), visitor(2))
    assert erase_address(here, address(), now=NOW, suppress=False) is is_known
    assert waiting(database) == 2
    process_requests(here, now=NOW)
    assert {mail.address for mail in post(database)} == {"bob@mail.example"}


@pytest.mark.postgres
@pytest.mark.accept("P2", part="requests that wait")
def test_who_erases_themselves_takes_along_what_waits_for_them(database: Database) -> None:
    here = signup_context(database)
    token = joined(here).preferences_token
    joined(here, "bob", now=NOW - DAYS)
    for name in ("alice", "bob"):
        ask_for_link(here, address(name), visitor())
    change_address.request_address_change(here, token, address("carol"), visitor(), now=NOW)
    erase_person(here, token, now=NOW)
    assert waiting(database) == 1


@pytest.mark.accept("P3", part="requests that wait")
def test_what_waits_is_in_the_export(database: Database) -> None:
    here = signup_context(database)
    token = joined(here).preferences_token
    ask_for_link(here, address(), visitor())
    ask_for_link(here, address("bob"), visitor())
    pieces = export_person(here, token, now=NOW)
    assert pieces is not None
    text = "".join(pieces)
    assert '"kind": "link"' in text
    assert "bob" not in text


@pytest.mark.accept("P5", part="requests that wait")
@pytest.mark.accept("S6", part="forgotten")
def test_a_request_that_nobody_worked_on_in_a_week_is_forgotten(database: Database) -> None:
    sign_up(signup_context(database), address(), visitor())
    for days, left in ((6, 1), (8, 0)):
        clean_up(database=database, identity=IDENTITY, now=NOW + days * DAYS)
        assert waiting(database) == left


def test_a_database_that_was_put_back_mails_nobody_who_asked_before(database: Database) -> None:
    sign_up(signup_context(database), address(), visitor())
    hold_all_email(database, now=NOW + DAYS)
    assert waiting(database) == 0
