"""Keys of the admin API: one showing, hashes only, and patience that ends."""

from collections.abc import Iterable
from datetime import timedelta

import pytest

from paperround.access.keys import (
    FAILURES,
    CreatedKey,
    authenticate,
    create_key,
    list_keys,
    revoke_key,
)
from paperround.access.model import ApiKey, Scope, key_text
from paperround.core.errors import InvalidInput, NotFound, RateLimited
from paperround.db.transactions import SqlDatabase
from tests.sample_database import IDENTITY, NOW

HERE = "203.0.113.7"
MINUTE = timedelta(minutes=1)
BOTH = (Scope.FEEDS_READ, Scope.FEEDS_WRITE)
WRONG = key_text("abcd1234", "x" * 43)


def create(database: SqlDatabase, scopes: Iterable[Scope] = BOTH, **changes: object) -> CreatedKey:
    values: dict[str, object] = {"expires_at": None, "now": NOW}
    return create_key(database, "laptop", scopes, **(values | changes))  # type: ignore[arg-type]


def show(
    database: SqlDatabase, text: str | None, *, client: str | None = HERE, after: timedelta = MINUTE
) -> ApiKey | None:
    return authenticate(database, IDENTITY.keys, text, client=client, now=NOW + after)


def fail_often(database: SqlDatabase, client: str | None = HERE) -> None:
    for _ in range(FAILURES.count):
        assert show(database, WRONG, client=client) is None


@pytest.mark.accept("F45", part="keys")
def test_a_key_is_known_again_with_its_scopes(database: SqlDatabase) -> None:
    made = create(database)
    found = show(database, made.text)
    assert found is not None
    assert found.scopes == frozenset(BOTH)


@pytest.mark.accept("A2", part="hashed")
def test_what_is_kept_of_a_key_does_not_hold_it(database: SqlDatabase) -> None:
    made = create(database)
    secret = made.text.removeprefix(f"pr_{made.key.prefix}_")
    assert len(secret) == 43
    assert secret not in repr(list_keys(database))
    assert secret not in repr(made)


@pytest.mark.accept("F45", part="keys")
def test_an_expired_and_a_revoked_key_are_no_keys(database: SqlDatabase) -> None:
    short = create(database, expires_at=NOW + MINUTE)
    ended = create(database)
    assert revoke_key(database, ended.key.prefix, now=NOW)
    assert not revoke_key(database, ended.key.prefix, now=NOW)
    assert show(database, short.text, after=timedelta(0)) is not None
    assert show(database, short.text, after=MINUTE) is None
    assert show(database, ended.text) is None


def test_revoking_a_key_that_never_was_is_an_error(database: SqlDatabase) -> None:
    with pytest.raises(NotFound, match="nosuchky"):
        revoke_key(database, "nosuchky", now=NOW)


@pytest.mark.parametrize(
    ("name", "scopes", "ends", "code"),
    [
        ("", BOTH, None, "name"),
        ("a\nb", BOTH, None, "name"),
        ("x" * 101, BOTH, None, "name"),
        ("laptop", (), None, "scopes"),
        ("laptop", BOTH, NOW, "expires_at"),
    ],
)
def test_a_key_that_could_not_be_used_or_listed_is_not_made(
    database: SqlDatabase, name: str, scopes: tuple[Scope, ...], ends: object, code: str
) -> None:
    with pytest.raises(InvalidInput) as caught:
        create_key(database, name, scopes, expires_at=ends, now=NOW)  # type: ignore[arg-type]
    assert caught.value.code == code
    assert list_keys(database) == []


@pytest.mark.accept("A4", part="wrong keys")
def test_the_eleventh_wrong_key_within_five_minutes_is_told_to_wait(database: SqlDatabase) -> None:
    fail_often(database)
    with pytest.raises(RateLimited) as caught:
        show(database, WRONG)
    assert 0 < caught.value.retry_after <= 301


@pytest.mark.accept("A4", mutant="a-valid-key-locked-out")
def test_a_valid_key_works_from_the_address_that_showed_too_many_wrong_ones(
    database: SqlDatabase,
) -> None:
    valid = create(database).text
    fail_often(database)
    with pytest.raises(RateLimited):
        show(database, WRONG)
    assert show(database, valid) is not None
    assert show(database, valid, client="203.0.113.8") is not None


@pytest.mark.accept("A4", mutant="expired-keys-not-limited")
def test_a_program_that_goes_on_with_an_expired_or_revoked_key_is_told_to_wait(
    database: SqlDatabase,
) -> None:
    expired = create(database, expires_at=NOW + MINUTE)
    revoked = create(database)
    revoke_key(database, revoked.key.prefix, now=NOW)
    fail_often(database)
    for stale in (expired, revoked):
        with pytest.raises(RateLimited):
            show(database, stale.text)


def test_one_customer_cannot_try_from_all_their_ipv6_addresses(database: SqlDatabase) -> None:
    fail_often(database, "2001:db8:0:0100::1")
    with pytest.raises(RateLimited):
        show(database, WRONG, client="2001:db8:0:01ff:ffff::2")
    assert show(database, WRONG, client="2001:db8:0:0200::1") is None


def test_clients_whose_address_is_unknown_share_one_count(database: SqlDatabase) -> None:
    fail_often(database, None)
    with pytest.raises(RateLimited):
        show(database, WRONG, client="somewhere")


def test_showing_nothing_is_no_try(database: SqlDatabase) -> None:
    for _ in range(FAILURES.count + 1):
        assert show(database, None) is None
    assert show(database, create(database).text) is not None


def test_the_use_of_a_key_is_noted_at_most_once_a_minute(database: SqlDatabase) -> None:
    text = create(database).text
    for seconds in (1, 30, 60, 61, 100):
        show(database, text, after=timedelta(seconds=seconds))
    [kept] = list_keys(database)
    assert kept.last_used_at == NOW + timedelta(seconds=61)
