"""Keys of the admin API: one showing, hashes only, and patience that ends."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import pytest

from paperround.access.keys import (
    EXPIRES_SOON,
    FAILURES,
    IN_USE,
    LIFE,
    CreatedKey,
    authenticate,
    create_key,
    expiring_keys,
    list_keys,
    read_expiry,
    revoke_key,
)
from paperround.access.model import ApiKey, AuditEntry, Scope, key_text
from paperround.access.store import AuditStore
from paperround.core.errors import InvalidInput, NotFound, RateLimited
from paperround.db.transactions import SqlDatabase
from paperround.doctor.database_check import check_api_keys
from paperround.ops.alerts import current_alerts
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
        ("laptop", BOTH, NOW, "expires"),
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


# --- what a key may give away ------------------------------------------------------------------


@pytest.mark.accept("F45", part="no more than its own", mutant="a-key-makes-a-mightier-one")
@pytest.mark.parametrize("wanted", [[Scope.LISTS_READ], [Scope.FEEDS_READ, Scope.KEYS_WRITE]])
def test_a_key_creates_no_key_that_may_do_more_than_itself(
    database: SqlDatabase, wanted: list[Scope]
) -> None:
    own = create(database, [Scope.FEEDS_WRITE, Scope.KEYS_READ]).key
    with pytest.raises(InvalidInput, match="can only grant its own scopes") as caught:
        create(database, wanted, maker=own)
    assert caught.value.code == "scopes"
    assert list_keys(database) == [own]


def test_what_may_write_may_give_away_reading(database: SqlDatabase) -> None:
    own = create(database, [Scope.FEEDS_WRITE, Scope.KEYS_WRITE]).key
    assert create(database, [Scope.FEEDS_READ], maker=own).key.scopes == {Scope.FEEDS_READ}


@pytest.mark.accept("S22", part="expiry", mutant="a-key-makes-one-that-lives-longer")
@pytest.mark.parametrize("wanted", [None, NOW + timedelta(days=9999)])
def test_a_key_creates_no_key_that_ends_later(
    database: SqlDatabase, wanted: datetime | None
) -> None:
    day = NOW + timedelta(days=1)
    own = create(database, expires_at=day).key
    assert create(database, maker=own, expires_at=wanted).key.expires_at == day
    assert create(database, maker=own, expires_at=NOW + MINUTE).key.expires_at == NOW + MINUTE


@pytest.mark.postgres
@pytest.mark.accept("S22", part="revoked")
def test_what_a_key_made_ends_with_it(database: SqlDatabase) -> None:
    first, other = create(database), create(database)
    child = create(database, maker=first.key)
    grandchild = create(database, maker=child.key)
    ended = revoke_key(database, first.key.prefix, now=NOW)
    assert ended == [one.key.prefix for one in (first, child, grandchild)]
    assert [show(database, one.text) for one in (first, child, grandchild)] == [None] * 3
    late = create(database, maker=child.key)  # made while its maker was being revoked
    assert show(database, late.text) is None
    assert show(database, other.text) is not None


# --- when a key ends ---------------------------------------------------------------------------


@pytest.mark.accept("F45", part="expiry", mutant="a-key-works-for-ever")
@pytest.mark.parametrize(
    ("text", "ends"),
    [
        (LIFE, NOW + timedelta(days=365)),
        ("90d", NOW + timedelta(days=90)),
        ("never", None),
        ("2027-01-31", datetime(2027, 1, 31, tzinfo=UTC)),
    ],
)
def test_the_end_of_a_key_is_a_date_a_number_of_days_or_never(
    text: str, ends: datetime | None
) -> None:
    assert read_expiry(text, now=NOW) == ends


@pytest.mark.parametrize("text", ["", "soon", "0d", "-3d", "90", "90 d", "999999d", "2027-02-30"])
def test_what_is_no_end_of_a_key_is_refused_with_the_way_out(text: str) -> None:
    with pytest.raises(InvalidInput, match="days like 90d, or never") as caught:
        read_expiry(text, now=NOW)
    assert caught.value.code == "expires"


def warned(database: SqlDatabase, after: timedelta) -> list[str]:
    """The names of the keys that are reported: by one alert and one finding of the doctor each."""
    with database.reading() as work:
        names = [key.name for key in expiring_keys(work, now=NOW + after)]
        told = current_alerts(work, {}, now=NOW + after)
        alerts = [alert for alert in told if alert.key.startswith("key/")]
        findings = check_api_keys(work, now=NOW + after)
    assert [name in one.says for name, one in zip(names, findings, strict=True)] == [True] * len(
        names
    )
    assert len({alert.key for alert in alerts}) == len(names)
    assert all(name in alert.lines[0] for name, alert in zip(names, alerts, strict=True))
    return names


@pytest.mark.accept("F45", part="warned", mutant="nobody-is-told-that-a-key-expires")
def test_a_key_in_use_that_expires_within_two_weeks_is_reported_by_name(
    database: SqlDatabase,
) -> None:
    made = create(database, expires_at=NOW + IN_USE)
    show(database, made.text)
    first = IN_USE - timedelta(days=14)
    assert warned(database, first - MINUTE) == []
    assert warned(database, first) == ["laptop"]
    assert warned(database, IN_USE) == []


def test_a_key_that_nobody_uses_or_that_never_ends_is_not_reported(database: SqlDatabase) -> None:
    create(database, expires_at=NOW + EXPIRES_SOON)
    revoked = create(database, expires_at=NOW + EXPIRES_SOON)
    for made in (create(database), revoked):
        show(database, made.text)
    revoke_key(database, revoked.key.prefix, now=NOW)
    assert warned(database, MINUTE) == []


# --- who did it --------------------------------------------------------------------------------


def audited(database: SqlDatabase) -> list[AuditEntry]:
    with database.reading() as work:
        return work[AuditStore].page(before=None, limit=9)


@pytest.mark.accept("F45", part="audit of keys")
def test_a_key_that_is_created_and_one_that_is_revoked_are_in_the_audit(
    database: SqlDatabase,
) -> None:
    made = create(database, by="shell alice")
    revoke_key(database, made.key.prefix, now=NOW, by="key abcd1234")
    revoke_key(database, made.key.prefix, now=NOW, by="key abcd1234")
    ended, began = audited(database)
    name = f"key {made.key.prefix}"
    assert (began.actor, began.action, began.target) == ("shell alice", "create key", name)
    assert began.details == {"scopes": "feeds:read, feeds:write", "expires": "never"}
    assert (ended.actor, ended.action, ended.target) == ("key abcd1234", "revoke key", name)
    assert made.text not in repr(began)
