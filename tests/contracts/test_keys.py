"""Keys of the admin API, on every database."""

from collections import Counter
from dataclasses import fields

import pytest
from sqlalchemy import Engine

from paperround.access.model import ApiKey, NewKey, Scope, digest_of, key_text, matches
from paperround.access.store import KeyStore
from paperround.core.errors import Conflict
from paperround.db.transactions import Database, SqlDatabase
from tests.builders import HOUR, MINUTE, NOW
from tests.races import LOST, THREADS, at_once

SECRET = "s" * 43
BOTH = frozenset({Scope.FEEDS_WRITE, Scope.OUTBOX_READ})


def new_key(prefix: str = "abcd1234", *, scopes: frozenset[Scope] = BOTH) -> NewKey:
    return NewKey(
        name="laptop",
        prefix=prefix,
        digest=digest_of(key_text(prefix, SECRET)),
        scopes=scopes,
        expires_at=NOW + HOUR,
    )


def add(database: Database, prefix: str = "abcd1234") -> ApiKey:
    with database.writing() as work:
        return work[KeyStore].add(new_key(prefix), now=NOW)


def find(database: Database, prefix: str = "abcd1234") -> ApiKey:
    with database.reading() as work:
        found = work[KeyStore].find(prefix)
    assert found is not None
    return found


def test_a_key_is_found_by_its_prefix_as_it_was_kept(database: Database) -> None:
    kept = add(database)
    assert find(database) == kept
    assert (kept.name, kept.scopes, kept.expires_at) == ("laptop", BOTH, NOW + HOUR)
    assert (kept.created_at, kept.revoked_at, kept.last_used_at) == (NOW, None, None)
    assert kept.is_live(NOW)


@pytest.mark.accept("A2", part="rows")
def test_what_is_kept_cannot_be_used_as_a_key(engine: Engine) -> None:
    kept = add(SqlDatabase(engine))
    with engine.connect() as connection:
        dump = repr(connection.exec_driver_sql("SELECT * FROM api_keys").all())
    assert kept.digest in dump
    assert SECRET not in dump
    assert matches(key_text("abcd1234", SECRET), kept)
    assert not any(matches(str(getattr(kept, one.name)), kept) for one in fields(kept))


@pytest.mark.accept("D2", part="short")
def test_a_prefix_taken_by_many_at_once_goes_to_one(database: Database) -> None:
    kept = at_once(THREADS, lambda _: add(database).prefix)
    assert Counter(kept) == {"abcd1234": 1, LOST: THREADS - 1}


def test_a_taken_prefix_is_a_conflict_that_undoes_nothing_else(database: Database) -> None:
    with database.writing() as work:
        work[KeyStore].add(new_key(), now=NOW)
        with pytest.raises(Conflict, match="abcd1234"):
            work[KeyStore].add(new_key(), now=NOW)
    with database.reading() as work:
        assert len(work[KeyStore].all()) == 1


def test_keys_are_listed_newest_first(database: Database) -> None:
    with database.writing() as work:
        for minute, prefix in ((0, "oldest00"), (2, "newest00"), (1, "middle00")):
            work[KeyStore].add(new_key(prefix), now=NOW + minute * MINUTE)
        assert [key.prefix for key in work[KeyStore].all()] == ["newest00", "middle00", "oldest00"]


@pytest.mark.accept("F45", part="revoked")
def test_a_revoked_key_stays_revoked_since_the_first_time(database: Database) -> None:
    kept = add(database)
    with database.writing() as work:
        assert work[KeyStore].revoke(kept.id, now=NOW + MINUTE)
        assert not work[KeyStore].revoke(kept.id, now=NOW + HOUR)
    found = find(database)
    assert found.revoked_at == NOW + MINUTE
    assert not found.is_live(NOW + MINUTE)


def test_the_latest_use_of_a_key_is_noted(database: Database) -> None:
    kept, other = add(database), add(database, "other000")
    with database.writing() as work:
        work[KeyStore].touch(kept.id, now=NOW + HOUR)
        work[KeyStore].touch(kept.id, now=NOW + MINUTE)
    assert find(database).last_used_at == NOW + HOUR
    assert find(database, other.prefix).last_used_at is None
