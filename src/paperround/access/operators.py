"""Operators, and how they log in to the admin pages.

    address ─► a link, mailed or printed ─► a button ─► a session ─► log out, or idle for 12 hours
                  15 minutes, used once                    └──────── 7 days at most

A link's token is signed, so the database alone logs nobody in. A session is 256 random bits in a
cookie; only their hash is stored. Removing an operator ends both.
"""

import hashlib
import hmac
import secrets
from datetime import datetime, timedelta

from paperround.access.model import (
    LoginLink,
    Operator,
    OperatorSession,
    by_operator,
)
from paperround.access.store import AuditStore, OperatorStore
from paperround.core.errors import AlreadyTaken, NotFound
from paperround.core.rates import Rate
from paperround.core.tokens import KeyRing, Purpose, read_token
from paperround.db.limits import RateStore
from paperround.db.transactions import Database, Transaction, write

LINK_VALID = timedelta(minutes=15)
"""How long a log-in link works."""

LINKS = (Rate(3, timedelta(minutes=10)),)
"""Links that one operator may be mailed. Anybody may ask for them, so the time is shorter than
LINK_VALID: who is mailed none has one that works."""

IDLE = timedelta(hours=12)
LONGEST = timedelta(days=7)
"""A session ends when it was not used for `IDLE`, and in any case after `LONGEST`."""

SEEN_EVERY = timedelta(minutes=1)
"""The use of a session is stored no more often than this."""


# --- operators -----------------------------------------------------------------------------------


def add_operator(
    database: Database, email: str, folded: str, *, now: datetime, by: str
) -> Operator:
    """Add the operator with this address, given as mailed and as compared. Raises AlreadyTaken."""

    def add(work: Transaction) -> Operator:
        operator = work[OperatorStore].add(email, folded, now=now)
        if operator is None:
            raise AlreadyTaken(f"{email} is an operator already", code="email")
        _note(work, by, "add operator", operator.id, now)
        return operator

    return write(database, add)


def list_operators(database: Database) -> list[Operator]:
    """Return every operator, in the order they were added."""
    with database.reading() as work:
        return work[OperatorStore].all()


def find_operator(database: Database, folded: str) -> Operator:
    """Return the operator with this address. Raises NotFound."""
    with database.reading() as work:
        return _require(work, folded)


def remove_operator(database: Database, folded: str, *, now: datetime, by: str) -> Operator:
    """Remove an operator: their links stop working and their sessions end. Raises NotFound."""

    def remove(work: Transaction) -> Operator:
        operator = _require(work, folded)
        work[OperatorStore].remove(operator.id)
        _note(work, by, "remove operator", operator.id, now)
        return operator

    return write(database, remove)


def _require(work: Transaction, folded: str) -> Operator:
    operator = work[OperatorStore].find(folded)
    if operator is None:
        raise NotFound(f"{folded} is not an operator: `paperround operators list` shows them")
    return operator


def _note(work: Transaction, by: str, action: str, operator: int, now: datetime) -> None:
    work[AuditStore].add(by, action, by_operator(operator), now=now)


# --- links ---------------------------------------------------------------------------------------


def new_link(work: Transaction, keys: KeyRing, operator: int, *, now: datetime) -> LoginLink:
    """Store a link for an operator; its token is `link_token`."""
    return work[OperatorStore].add_link(
        operator, key_id=keys.current.id, nonce=secrets.token_urlsafe(16), now=now
    )


def create_link(database: Database, keys: KeyRing, folded: str, *, now: datetime, by: str) -> str:
    """Return the token of a new link for the operator with this address, for an installation that
    sends no mail. Raises NotFound."""

    def create(work: Transaction) -> LoginLink:
        operator = _require(work, folded)
        _note(work, by, "print log-in link", operator.id, now)
        return new_link(work, keys, operator.id, now=now)

    return link_token(keys, write(database, create))


def link_token(keys: KeyRing, link: LoginLink) -> str:
    """Return the token in the URL of a link."""
    return keys.token(Purpose.LOGIN, link.id, link.nonce, link.key_id)


def count_login_link(work: Transaction, operator: int, *, now: datetime) -> bool:
    """Count a link to be mailed to an operator; return False if they had enough for now."""
    return work[RateStore].hit(f"operators/links/{operator}", LINKS, now=now) is None


# --- sessions ------------------------------------------------------------------------------------


def log_in(database: Database, keys: KeyRing, token: str, *, now: datetime) -> str | None:
    """Use a link: return the secret of a new session; None for a link that is forged, expired or
    used, or whose operator was removed. A link that does not work causes no write."""
    parts = read_token(token)
    if parts is None or parts.purpose is not Purpose.LOGIN:
        return None
    with database.reading() as work:
        link = work[OperatorStore].link(parts.row)
    if link is None or not keys.verify(token, link.nonce) or not _works(link, now):
        return None
    number, secret = link.id, secrets.token_urlsafe(32)

    def begin(work: Transaction) -> str | None:
        used = work[OperatorStore].use_link(number, now=now)
        if used is None:  # another request was faster, or the operator was removed
            return None
        work[OperatorStore].add_session(used, digest_of_session(secret), now=now)
        _note(work, by_operator(used), "log in", used, now)
        return secret

    return write(database, begin)


def _works(link: LoginLink, now: datetime) -> bool:
    return link.used_at is None and link.created_at <= now < link.created_at + LINK_VALID


def find_session(
    database: Database, secret: str, *, now: datetime, touch: bool = True
) -> OperatorSession | None:
    """Return the session whose secret a browser sent; None if there is none, or it has ended.

    `touch` counts the call as a use of the session.
    """
    with database.reading() as work:
        session = work[OperatorStore].session(digest_of_session(secret))
    if session is None or now >= min(session.seen_at + IDLE, session.created_at + LONGEST):
        return None
    if touch and now - session.seen_at >= SEEN_EVERY:
        number = session.id
        write(database, lambda work: work[OperatorStore].touch(number, now=now))
    return session


def log_out(
    database: Database, session: OperatorSession, *, everywhere: bool, now: datetime
) -> None:
    """End a session, or with `everywhere` all sessions of its operator."""
    operator = session.operator_id

    def end(work: Transaction) -> None:
        if everywhere:
            work[OperatorStore].end_sessions_of(operator)
        else:
            work[OperatorStore].end_session(session.id)
        action = "log out everywhere" if everywhere else "log out"
        _note(work, by_operator(operator), action, operator, now)

    write(database, end)


def forget_ended(work: Transaction, *, now: datetime) -> None:
    """Delete links that no longer work, and sessions that have ended."""
    work[OperatorStore].forget(links=now - LINK_VALID, seen=now - IDLE, sessions=now - LONGEST)


def digest_of_session(secret: str) -> str:
    """Return the hash of a session's secret, whose 256 random bits nobody can guess."""
    return hashlib.sha256(f"session\0{secret}".encode()).hexdigest()


def form_token_of(secret: str) -> str:
    """Return the token that every form of a session contains, which another site cannot know."""
    return hashlib.sha256(f"form\0{secret}".encode()).hexdigest()


def is_form_token(secret: str, sent: str) -> bool:
    """Return whether a form contains the token of the session, in constant time."""
    return hmac.compare_digest(form_token_of(secret).encode(), sent.encode("utf-8", "replace"))
