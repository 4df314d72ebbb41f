"""Store API keys as hashes, operators, the audit log, and responses of idempotent requests.

An action is audited in its own transaction. Responses are stored for a day, encrypted: one may
contain a secret that is shown once.
"""

from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any

from sqlalchemy import Row, func, or_, select, true, update

from paperround.access.model import (
    ApiKey,
    AuditedAction,
    AuditEntry,
    AuditQuery,
    IdempotentRequest,
    KeyId,
    LoginLink,
    NewKey,
    Operator,
    OperatorSession,
    Scope,
    StoredResponse,
)
from paperround.core.errors import Conflict, Misconfigured
from paperround.db.dialect import delete_rows, insert_new, insert_row, update_rows
from paperround.db.mapping import columns_of, value_of
from paperround.db.schema import tables as db
from paperround.db.transactions import Database, Store, Transaction, write


class KeyStore(Store):
    """Keys of the admin API."""

    def add(self, key: NewKey, *, now: datetime) -> ApiKey:
        """Store a key; raise Conflict if its prefix is taken."""
        adding = insert_new(self._connection, db.api_keys).returning(*db.api_keys.c)
        new = columns_of(key) | {"scopes": sorted(key.scopes), "created_at": now}
        row = self._connection.execute(adding, new).one_or_none()
        if row is None:
            raise Conflict(f"a key with the prefix {key.prefix} exists already: create another one")
        return _key(row)

    def find(self, prefix: str) -> ApiKey | None:
        """Return the key with this prefix, live or not, or None."""
        row = self._connection.execute(
            select(db.api_keys).where(db.api_keys.c.prefix == prefix)
        ).one_or_none()
        return None if row is None else _key(row)

    def all(self) -> list[ApiKey]:
        """Return every key, newest first."""
        newest = select(db.api_keys).order_by(
            db.api_keys.c.created_at.desc(), db.api_keys.c.id.desc()
        )
        return [_key(row) for row in self._connection.execute(newest)]

    def page(self, *, before: int | None, limit: int) -> list[ApiKey]:
        """Return keys with an id below `before`, newest first."""
        earlier = true() if before is None else db.api_keys.c.id < before
        found = self._connection.execute(
            select(db.api_keys).where(earlier).order_by(db.api_keys.c.id.desc()).limit(limit)
        )
        return [_key(row) for row in found]

    def revoke(self, key: KeyId, *, now: datetime) -> list[str]:
        """Revoke a key and all keys that it made; return the prefixes of those not revoked before,
        its own first."""
        c, made, ended = db.api_keys.c, [key], list[str]()
        while made:
            revoking = update(db.api_keys).where(c.id.in_(made), c.revoked_at.is_(None))
            found = revoking.values(revoked_at=now).returning(c.prefix)
            ended += self._connection.execute(found).scalars()
            made = list(self._connection.execute(select(c.id).where(c.parent.in_(made))).scalars())
        return ended

    def is_live(self, key: ApiKey | None, now: datetime) -> bool:
        """Return whether a key, the key that made it, and all before that are live."""
        while key is not None and key.is_live(now) and key.parent is not None:
            maker = select(db.api_keys).where(db.api_keys.c.id == key.parent)
            row = self._connection.execute(maker).one_or_none()
            key = None if row is None else _key(row)
        return key is not None and key.is_live(now)

    def touch(self, key: KeyId, *, now: datetime) -> None:
        """Store when the key was used; the latest use counts, in whatever order they are stored."""
        c = db.api_keys.c
        its = (c.id == key, or_(c.last_used_at.is_(None), c.last_used_at < now))
        update_rows(self._connection, db.api_keys, *its, last_used_at=now)


def _key(row: Row[Any]) -> ApiKey:
    return value_of(ApiKey, row, scopes=frozenset(map(Scope, row.scopes)))


ANY = AuditQuery()


class AuditStore(Store):
    """The audit log. Entries never change; `ops/store.py` deletes old ones."""

    def note(self, action: AuditedAction, *, now: datetime) -> None:
        """Store an action, in the transaction that performs it."""
        row = columns_of(action) | {"at": now, "details": dict(action.details)}
        self._connection.execute(insert_row(db.audit), row)

    def add(
        self,
        by: str,
        action: str,
        target: str,
        details: Mapping[str, str | int] | None = None,
        *,
        now: datetime,
    ) -> None:
        """Store an action of `by`, in the transaction that performs it."""
        done = AuditedAction(actor=by, action=action, target=target, details=details or {})
        self.note(done, now=now)

    def latest(self, action: str, target: str) -> AuditEntry | None:
        """Return the newest entry of that action on that target, or None."""
        found = self._connection.execute(
            select(db.audit)
            .where(db.audit.c.action == action, db.audit.c.target == target)
            .order_by(db.audit.c.id.desc())
            .limit(1)
        ).one_or_none()
        return None if found is None else value_of(AuditEntry, found)

    def page(self, wanted: AuditQuery = ANY, *, before: int | None, limit: int) -> list[AuditEntry]:
        """Return the wanted entries with an id below `before`, newest first."""
        row, name = db.audit.c, wanted.target
        conditions = [
            true() if before is None else row.id < before,
            true() if wanted.action is None else row.action == wanted.action,
            true() if wanted.actor is None else row.actor == wanted.actor,
        ]
        if name is not None:
            below = func.substr(row.target, 1, len(name) + 1) == f"{name}/"
            conditions.append(or_(row.target == name, below))
        found = self._connection.execute(
            select(db.audit).where(*conditions).order_by(row.id.desc()).limit(limit)
        )
        return [value_of(AuditEntry, row) for row in found]


def note_maintenance(
    database: Database, action: str, details: Mapping[str, str | int], *, now: datetime, by: str
) -> None:
    """Audit an action on the whole database, such as a backup, which is not one transaction."""
    write(database, lambda work: work[AuditStore].add(by, action, "database", details, now=now))


class AnswerStore(Store):
    """Responses stored for a day, so that a repeated request acts once."""

    def __init__(self, work: Transaction) -> None:
        super().__init__(work)
        self._seal = work.seal

    def claim(self, request: IdempotentRequest, *, after: datetime, now: datetime) -> bool:
        """Claim a key; return False if another request has it. Waits for a transaction that is
        claiming it. A claim from `after` or before has expired."""
        key = db.answers.c.key == request.key
        delete_rows(self._connection, db.answers, key, db.answers.c.taken_at <= after)
        claiming = insert_new(self._connection, db.answers).returning(db.answers.c.key)
        row = {"key": request.key, "print": request.prints[0], "taken_at": now, "headers": {}}
        return self._connection.execute(claiming, row).one_or_none() is not None

    def save(self, request: IdempotentRequest, response: StoredResponse) -> None:
        """Store the response to a claimed request."""
        update_rows(
            self._connection,
            db.answers,
            db.answers.c.key == request.key,
            status=response.status,
            headers=dict(response.headers),
            body=self._seal.seal(response.body),
        )

    def find(self, request: IdempotentRequest) -> tuple[str, StoredResponse | None] | None:
        """Return the hash of the first request with this key, which may be a different one, and its
        response; None if there is none. The response is None while the request is processed, and
        for good if its process died."""
        row = self._connection.execute(
            select(db.answers).where(db.answers.c.key == request.key)
        ).one_or_none()
        if row is None:
            return None
        # Without the secret that encrypted the response, the hash of its request cannot be
        # recomputed either: the current request counts as a different one.
        response = None
        if row.status is not None:
            with suppress(Misconfigured):
                response = value_of(StoredResponse, row, body=self._seal.open(row.body))
        return row.print, response

    def release(self, request: IdempotentRequest) -> None:
        """Release a claim: nothing was done."""
        delete_rows(self._connection, db.answers, db.answers.c.key == request.key)

    def forget(self, *, before: datetime) -> int:
        """Delete claims from before `before`; return how many."""
        return delete_rows(self._connection, db.answers, db.answers.c.taken_at < before)


class OperatorStore(Store):
    """Operators, the links they log in with, and their sessions as hashes."""

    def add(self, email: str, folded: str, *, now: datetime) -> Operator | None:
        """Store an operator; return None if the address is already an operator's."""
        adding = insert_new(self._connection, db.operators).returning(*db.operators.c)
        new = {"email": email, "folded": folded, "created_at": now}
        row = self._connection.execute(adding, new).one_or_none()
        return None if row is None else value_of(Operator, row)

    def all(self) -> list[Operator]:
        """Return every operator, in the order they were added."""
        found = self._connection.execute(select(db.operators).order_by(db.operators.c.id))
        return [value_of(Operator, row) for row in found]

    def find(self, folded: str) -> Operator | None:
        """Return the operator with this address, or None."""
        query = select(db.operators).where(db.operators.c.folded == folded)
        row = self._connection.execute(query).one_or_none()
        return None if row is None else value_of(Operator, row)

    def remove(self, operator: int) -> None:
        """Delete an operator, with their links and sessions."""
        delete_rows(self._connection, db.operators, db.operators.c.id == operator)

    def add_link(self, operator: int, *, key_id: str, nonce: str, now: datetime) -> LoginLink:
        """Store a link for an operator."""
        adding = insert_row(db.operator_links).returning(*db.operator_links.c)
        new = {"operator_id": operator, "key_id": key_id, "nonce": nonce, "created_at": now}
        return value_of(LoginLink, self._connection.execute(adding, new).one())

    def link(self, link: int) -> LoginLink | None:
        """Return the link with this id, used or not, or None."""
        query = select(db.operator_links).where(db.operator_links.c.id == link)
        row = self._connection.execute(query).one_or_none()
        return None if row is None else value_of(LoginLink, row)

    def use_link(self, link: int, *, now: datetime) -> int | None:
        """Mark a link as used and return its operator; None if it was used or is gone."""
        c = db.operator_links.c
        using = update(db.operator_links).where(c.id == link, c.used_at.is_(None))
        used = self._connection.execute(using.values(used_at=now).returning(c.operator_id))
        operator: int | None = used.scalar_one_or_none()
        return operator

    def add_session(self, operator: int, digest: str, *, now: datetime) -> None:
        """Store a session under the hash of its secret."""
        new = {"operator_id": operator, "digest": digest, "created_at": now, "seen_at": now}
        self._connection.execute(insert_row(db.operator_sessions), new)

    def session(self, digest: str) -> OperatorSession | None:
        """Return the session with this hash, ended or not, or None."""
        query = select(db.operator_sessions).where(db.operator_sessions.c.digest == digest)
        row = self._connection.execute(query).one_or_none()
        return None if row is None else value_of(OperatorSession, row)

    def touch(self, session: int, *, now: datetime) -> None:
        """Store when a session was used; the latest use counts."""
        c = db.operator_sessions.c
        its = (c.id == session, c.seen_at < now)
        update_rows(self._connection, db.operator_sessions, *its, seen_at=now)

    def end_session(self, session: int) -> None:
        """Delete a session."""
        its = db.operator_sessions.c.id == session
        delete_rows(self._connection, db.operator_sessions, its)

    def end_sessions_of(self, operator: int) -> None:
        """Delete every session of an operator."""
        its = db.operator_sessions.c.operator_id == operator
        delete_rows(self._connection, db.operator_sessions, its)

    def forget(self, *, links: datetime, seen: datetime, sessions: datetime) -> None:
        """Delete links created before `links`, and sessions last used before `seen` or created
        before `sessions`."""
        c, link = db.operator_sessions.c, db.operator_links.c
        delete_rows(self._connection, db.operator_links, link.created_at < links)
        ended = or_(c.seen_at < seen, c.created_at < sessions)
        delete_rows(self._connection, db.operator_sessions, ended)
