"""Operators: links that work once, sessions that end, and nothing usable at rest."""

from datetime import timedelta

import pytest
from sqlalchemy import Engine

from paperround.access.model import OperatorSession
from paperround.access.operators import (
    IDLE,
    LINK_VALID,
    LONGEST,
    add_operator,
    create_link,
    find_session,
    forget_ended,
    form_token_of,
    is_form_token,
    list_operators,
    log_in,
    log_out,
    remove_operator,
)
from paperround.access.store import AuditStore
from paperround.core.errors import AlreadyTaken, NotFound
from paperround.core.tokens import Purpose, read_token
from paperround.db.transactions import Database, SqlDatabase
from tests.races import at_once
from tests.sample_database import IDENTITY, NOW

KEYS, BY = IDENTITY.keys, "shell tests"
EMAIL = "op@lab.example"
MINUTE = timedelta(minutes=1)


def add(database: Database, email: str = EMAIL) -> int:
    return add_operator(database, email, email, now=NOW, by=BY).id


def link(database: Database, email: str = EMAIL) -> str:
    return create_link(database, KEYS, email, now=NOW, by=BY)


def enter(database: Database, token: str, after: timedelta = MINUTE) -> str | None:
    return log_in(database, KEYS, token, now=NOW + after)


def session(database: Database, after: timedelta = MINUTE) -> str:
    secret = enter(database, link(database), after)
    assert secret is not None
    return secret


def found(database: Database, secret: str, after: timedelta) -> OperatorSession | None:
    return find_session(database, secret, now=NOW + after)


@pytest.mark.accept("F45", part="log-in")
def test_a_link_logs_in_once(database: SqlDatabase) -> None:
    number = add(database)
    token = link(database)
    secret = enter(database, token)
    assert secret is not None
    current = found(database, secret, MINUTE)
    assert current is not None
    assert current.operator_id == number
    assert enter(database, token) is None


@pytest.mark.accept("F45", part="log-in")
def test_of_many_that_use_a_link_at_once_one_gets_in(database: SqlDatabase) -> None:
    add(database)
    token = link(database)
    assert sum(one is not None for one in at_once(8, lambda _: enter(database, token))) == 1


@pytest.mark.accept("F45", part="old link", mutant="an-old-link-logs-in")
def test_a_link_works_for_a_quarter_of_an_hour(database: SqlDatabase) -> None:
    add(database)
    token = link(database)
    assert enter(database, token, LINK_VALID) is None
    assert enter(database, token, -MINUTE) is None
    assert enter(database, token, LINK_VALID - MINUTE) is not None


@pytest.mark.accept("F45", part="forged link")
def test_a_forged_link_logs_nobody_in(database: SqlDatabase) -> None:
    add(database)
    token = link(database)
    parts = read_token(token)
    assert parts is not None
    others = [KEYS.token(Purpose.LOGIN, parts.row, "another nonce")]
    others += [KEYS.token(one, parts.row, "x") for one in Purpose]
    others += [token[:-1] + ("A" if token[-1] != "A" else "B"), token[:-4], "", "x" * 40]
    assert [enter(database, one) for one in others] == [None] * len(others)
    assert enter(database, token) is not None


@pytest.mark.accept("F45", part="session ends")
def test_a_session_ends_when_it_is_idle_or_a_week_old(database: SqlDatabase) -> None:
    add(database)
    secret = session(database, timedelta())
    assert found(database, secret, IDLE) is None
    for step in range(1, 15):
        assert found(database, secret, step * (IDLE - MINUTE)) is not None
    assert found(database, secret, LONGEST) is None


@pytest.mark.accept("F45", part="session ends")
def test_logging_out_ends_one_session_or_all_of_an_operator(database: SqlDatabase) -> None:
    add(database)
    add(database, "other@lab.example")
    first, second, third = (session(database) for _ in range(3))
    other = enter(database, link(database, "other@lab.example"))
    assert other is not None
    for secret, everywhere in ((first, False), (second, True)):
        current = found(database, secret, MINUTE)
        assert current is not None
        log_out(database, current, everywhere=everywhere, now=NOW)
        assert found(database, secret, MINUTE) is None
        assert (found(database, third, MINUTE) is None) is everywhere
    assert found(database, other, MINUTE) is not None


@pytest.mark.accept("F45", part="removed operator", mutant="a-removed-operator-stays-logged-in")
def test_a_removed_operator_is_logged_out_and_has_no_link(database: SqlDatabase) -> None:
    add(database)
    secret, token = session(database), link(database)
    remove_operator(database, EMAIL, now=NOW, by=BY)
    assert found(database, secret, MINUTE) is None
    assert enter(database, token) is None
    assert list_operators(database) == []
    with pytest.raises(NotFound):
        link(database)


def test_an_address_is_added_once(database: SqlDatabase) -> None:
    add(database)
    with pytest.raises(AlreadyTaken):
        add(database)


@pytest.mark.accept("F45", part="hashes")
def test_what_is_stored_logs_nobody_in(engine: Engine) -> None:
    database = SqlDatabase(engine)
    add(database)
    token, secret = link(database), session(database)
    with engine.connect() as connection:
        tables = ("operators", "operator_links", "operator_sessions", "audit")
        dump = "".join(
            repr(connection.exec_driver_sql(f"SELECT * FROM {one}").all()) for one in tables
        )
    assert secret not in dump
    assert token not in dump
    assert form_token_of(secret) not in dump


def test_a_form_has_the_token_of_its_own_session(database: SqlDatabase) -> None:
    add(database)
    one, other = session(database), session(database)
    assert is_form_token(one, form_token_of(one))
    assert not is_form_token(one, form_token_of(other))
    assert not is_form_token(one, "")
    assert not is_form_token(one, "é\ud800")


@pytest.mark.accept("F45", part="audited")
def test_what_operators_do_is_audited_by_number(database: SqlDatabase) -> None:
    number = add(database)
    secret = session(database)
    current = found(database, secret, MINUTE)
    assert current is not None
    log_out(database, current, everywhere=False, now=NOW)
    remove_operator(database, EMAIL, now=NOW, by=BY)
    with database.reading() as work:
        entries = work[AuditStore].page(before=None, limit=10)
    who = f"operator {number}"
    assert [(one.actor, one.action, one.target) for one in reversed(entries)] == [
        (BY, "add operator", who),
        (BY, "print log-in link", who),
        (who, "log in", who),
        (who, "log out", who),
        (BY, "remove operator", who),
    ]
    assert "@" not in repr(entries)


def test_what_has_ended_is_forgotten(engine: Engine) -> None:
    database = SqlDatabase(engine)
    add(database)
    session(database)
    link(database)
    with database.writing() as work:
        forget_ended(work, now=NOW + LINK_VALID)
    with engine.connect() as connection:
        count = connection.exec_driver_sql("SELECT count(*) FROM operator_sessions").scalar()
    assert count == 1
    with database.writing() as work:
        forget_ended(work, now=NOW + IDLE + 2 * MINUTE)
    with engine.connect() as connection:
        left = [
            connection.exec_driver_sql(f"SELECT count(*) FROM {one}").scalar()
            for one in ("operator_links", "operator_sessions", "operators")
        ]
    assert left == [0, 0, 1]
