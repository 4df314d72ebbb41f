"""Store the rate state of the relay and the domains, shared by all processes.

Every limited claim first locks the relay's row until its transaction ends, so two claims never take
the same token or deadlock. The number of messages in flight to a domain comes from the ledger, over
all processes.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, case, delete, func, or_, select, update

from paperround.db.dialect import column_in, insert_new, upsert
from paperround.db.limits import RateStore
from paperround.db.schema import tables as db
from paperround.db.transactions import Store, Transaction
from paperround.delivery.model import LIFE_OVER, Outcome
from paperround.delivery.rate_state import (
    SPARE_CONNECTIONS,
    Bucket,
    Pace,
    Pacing,
    RateState,
    reserved,
)
from paperround.delivery.replies import WITHOUT_SESSION
from paperround.delivery.store.claim_statements import held, storable, waiting
from paperround.editions.model import DeliveryId, DeliveryState
from paperround.editions.schedule import DIGEST_LIFE

RELAY = "relay"
WARM_UP = "warm-up"
ALL = "all"
DOMAIN = "domain/"

_STATE = tuple(name for name in RateState.__dataclass_fields__ if name != "rest")
_FRESH = RateState()

_CHANNEL_DOMAINS = select(db.subscribers.c.domain).join(
    db.channels, db.channels.c.subscriber_id == db.subscribers.c.id
)
_UNUSED = {"grown": 0, "accepted": 0}
"""Columns used only by earlier releases."""


class PaceStore(Store):
    """The rate state of the relay and the domains."""

    def __init__(self, work: Transaction) -> None:
        super().__init__(work)
        self._rates = work[RateStore]

    def open(self, pacing: Pacing, *, first: bool, now: datetime) -> "Gate":
        """Return the gate for a claim in this transaction. `first` is true for system email."""
        relay = self._locked_relay(now) if pacing.is_limited else self.relay()
        return Gate(self._connection, self._rates, pacing, relay, first=first, now=now)

    def record_outcomes(self, outcomes: Sequence[Outcome], *, now: datetime) -> None:
        """Apply outcomes to the relay's state, which may start, extend or end a pause."""
        state = self._locked_relay(now)
        for outcome in outcomes:
            state = state.after_outcome(outcome, now=now)
        _store_states(self._connection, {RELAY: state}, now)

    def note_session(self, reason: str, *, now: datetime) -> None:
        """Store why the relay opened no session while no email was sent, "" if it did. A pause
        stays, as only an accepted email ends it."""
        state = self._locked_relay(now)
        if not state.is_probing:
            _store_states(self._connection, {RELAY: replace(state, reason=reason)}, now)

    def hold(self, until: Mapping[str, datetime], *, now: datetime) -> None:
        """Give no tokens before these instants, by row name."""
        self._locked_relay(now)
        known = _states(self._connection, until)
        held = {name: known.get(name, _FRESH).hold_until(moment) for name, moment in until.items()}
        _store_states(self._connection, held, now)

    def relay(self) -> RateState:
        """Return the state of the relay."""
        return _states(self._connection, [RELAY]).get(RELAY, _FRESH)

    def retry_now(self, *, now: datetime) -> None:
        """Make the emails due that wait because the relay opened no session."""
        for table in (db.deliveries, db.notices):
            c = table.c
            session = [c.reason.startswith(f"{word}: ") for word in WITHOUT_SESSION]
            later = update(table).where(waiting(table), c.next_at > now, c.attempts > 0)
            self._connection.execute(later.where(or_(*session)).values(next_at=now))

    def next_try(self) -> datetime | None:
        """Return when the first email is tried that was tried before; None if none waits."""
        found = [
            self._connection.execute(
                select(func.min(table.c.next_at)).where(waiting(table), table.c.attempts > 0)
            ).scalar_one()
            for table in (db.deliveries, db.notices)
        ]
        return min(filter(None, found), default=None)

    def unanswered(self, *, until: datetime, now: datetime) -> tuple[int, datetime | None]:
        """Return how many emails of live processes had their last step before `until` and wait for
        an answer, and since when; none if any got as far as its dot after `until`."""
        count, firsts, is_silent = 0, list[datetime](), True
        for table in (db.deliveries, db.notices):
            c = table.c
            is_dot = c.state == DeliveryState.IN_DATA.value
            found = select(
                func.count(case((c.in_data_at <= until, 1))),
                func.min(c.in_data_at),
                func.max(case((is_dot, c.in_data_at))),
            ).where(held(table), c.lease_until > now)
            number, first, dot = self._connection.execute(found).one()
            count += number
            firsts += [first] if number else []
            is_silent = is_silent and (dot is None or dot <= until)
        return (count, min(firsts)) if count and is_silent else (0, None)

    def why_untried(self, *, now: datetime) -> str:
        """Return the reason for messages that expire by `now` without a try: WARM_UP when the
        daily limit of a new domain held digests back, else LIFE_OVER."""
        c = db.paces.c
        since = now - DIGEST_LIFE
        warmed_up = select(c.name).where(c.name == WARM_UP, c.changed_at >= since)
        return LIFE_OVER if self._connection.execute(warmed_up).first() is None else WARM_UP

    def used(self, *, since: datetime, now: datetime) -> int:
        """Return how many messages were sent since then, of all kinds; counted during warm-up."""
        return self._rates.count(_key(ALL), now - since, now=now)

    def forget(self, *, before: datetime) -> int:
        """Delete the states of domains not used since then. Returns the number deleted."""
        c = db.paces.c
        old = delete(db.paces).where(c.name.startswith(DOMAIN), c.changed_at < before)
        return self._connection.execute(old).rowcount

    def _locked_relay(self, now: datetime) -> RateState:
        """Lock and return the relay's state, created if missing. (SQLite has one writer's lock.)"""
        inserting = insert_new(self._connection, db.paces)
        self._connection.execute(inserting, _row(RELAY, _FRESH, now))
        locking = select(db.paces).where(db.paces.c.name == RELAY).with_for_update()
        return _state(self._connection.execute(locking).one())


class Gate:
    """Decide which rows of one claim may leave. Valid until the transaction ends; `close` stores
    the tokens taken.

    `slots` are the times at which to check rows waiting for a token or a connection again;
    `is_full` is true if the relay takes no more now.
    """

    def __init__(
        self,
        connection: Connection,
        rates: RateStore,
        pacing: Pacing,
        relay: RateState,
        *,
        first: bool,
        now: datetime,
    ) -> None:
        self._connection = connection
        self._rates = rates
        self._pacing = pacing
        self._first = first
        self._now = now
        self._relay = self._bucket(RELAY, relay, pacing.relay)
        self._domains: dict[str, Bucket] = {}
        self._known = {RELAY: relay}
        self.rests_until = relay.rests_until if relay.is_paused(now) else None
        self.reason, self.is_troubled = relay.reason, relay.is_troubled
        self.probes_after = relay.reason if relay.is_probing else ""
        self.slots: list[datetime] = []
        self.is_full = False
        self._is_limited = pacing.is_limited or relay.is_probing
        if relay.is_probing:
            self._relay.most = 1
            self._relay.in_flight = sum(self._count_in_flight(None).values())

    def admit(
        self, rows: Sequence[tuple[DeliveryId, str]]
    ) -> tuple[Collection[DeliveryId], Mapping[DeliveryId, datetime]]:
        """Return which of these (id, domain) may leave, and until when others are deferred. The
        first that the relay has no token for is left unchanged, and so are all after it."""
        leaving, later = set[DeliveryId](), dict[DeliveryId, datetime]()
        if not self._is_limited:
            return {id_ for id_, _ in rows}, later
        self._load_domains({domain for _, domain in rows} - self._domains.keys())
        for id_, name in rows:
            domain = self._domains[name]
            if (wait := self._relay.wait(self._now)) is not None:
                self.is_full = True
                self._add_slot(self._relay, wait)
                break
            if (wait := domain.wait(self._now)) is not None:
                later[id_] = self._add_slot(domain, domain.defer(wait, self._now))
                continue
            leaving.add(id_)
            self._count_sent(name)
        return leaving, later

    def close(self) -> None:
        """Store the changed states."""
        buckets = {RELAY: self._relay, **{DOMAIN + one: it for one, it in self._domains.items()}}
        states = {name: one.state for name, one in buckets.items()}
        changed = {name: state for name, state in states.items() if state != self._known[name]}
        _store_states(self._connection, changed, self._now)

    def _add_slot(self, bucket: Bucket, wait: datetime) -> datetime:
        """Add a slot, unless a quota is used up: that is not waited for."""
        if bucket.room != 0:
            self.slots.append(wait)
        return wait

    def _count_sent(self, domain: str) -> None:
        self._relay.count_sent(self._now)
        self._domains[domain].count_sent(self._now)
        counted = {
            RELAY: bool(self._pacing.relay.quotas),
            DOMAIN + domain: bool(self._pacing.domains.of(domain).quotas),
            ALL: self._pacing.warm_up is not None,
        }
        for name in filter(counted.get, counted):
            self._rates.hit(_key(name), (), now=self._now)

    # --- loading buckets -----------------------------------------------------------------------

    def _load_domains(self, domains: Collection[str]) -> None:
        names = [DOMAIN + one for one in domains] if self._pacing.tells_domains_apart else []
        states = _states(self._connection, names)
        in_flight = self._count_in_flight(domains) if names else {}
        for one in domains:
            name = DOMAIN + one
            self._known[name] = states.get(name, _FRESH)
            bucket = self._bucket(name, self._known[name], self._pacing.domains.of(one))
            bucket.in_flight = in_flight.get(one, 0)
            if self._pacing.connections is not None:
                bucket.most = self._pacing.connections + SPARE_CONNECTIONS * self._first
            self._domains[one] = bucket

    def _bucket(self, name: str, state: RateState, pace: Pace) -> Bucket:
        rooms = [
            rate.count
            - (0 if self._first else reserved(rate))
            - self._rates.count(_key(name), rate.period, now=self._now)
            for rate in pace.quotas
        ]
        if name == RELAY and not self._first:
            rooms += self._warm_up_room()
        return Bucket(state=state, spacing=pace.spacing, room=max(0, min(rooms)) if rooms else None)

    def _warm_up_room(self) -> list[int]:
        today = self._pacing.warm_up.today(self._now) if self._pacing.warm_up else None
        if today is None:
            return []
        used = self._rates.count(_key(ALL), self._now - today.since, now=self._now)
        if used >= today.allowance:
            _store_states(self._connection, {WARM_UP: _FRESH}, self._now)
        return [today.allowance - used]

    def _count_in_flight(self, domains: Collection[str] | None) -> Mapping[str, int]:
        """Count the messages in flight by domain, without channel posts, which use no relay."""
        counts = Counter[str]()
        for table in (db.deliveries, db.notices):
            domain = func.coalesce(table.c.domain, "")
            which: ColumnElement[bool] = domain.not_in(_CHANNEL_DOMAINS)
            if domains is not None:
                which = column_in(self._connection, domain, domains)
            found = self._connection.execute(
                select(domain, func.count()).where(held(table), which).group_by(domain)
            )
            counts.update(dict(found.all()))
        return counts


def _key(name: str) -> str:
    return f"pace/{name}/900"


def _states(connection: Connection, names: Collection[str]) -> dict[str, RateState]:
    if not names:
        return {}
    rows = connection.execute(select(db.paces).where(column_in(connection, db.paces.c.name, names)))
    return {row.name: _state(row) for row in rows}


def _state(row: Row[Any]) -> RateState:
    values = {name: getattr(row, name) for name in _STATE}
    return RateState(**values, rest=timedelta(seconds=row.rest_seconds))


def _row(name: str, state: RateState, now: datetime) -> dict[str, Any]:
    return {
        **_UNUSED,
        **{column: getattr(state, column) for column in _STATE},
        "name": name,
        "rest_seconds": round(state.rest.total_seconds()),
        "reason": storable(state.reason),
        "changed_at": now,
    }


def _store_states(connection: Connection, states: Mapping[str, RateState], now: datetime) -> None:
    if states:
        rows = [_row(name, state, now) for name, state in sorted(states.items())]
        changed = tuple(name for name in rows[0] if name != "name")
        connection.execute(upsert(connection, db.paces, ("name",), changed), rows)
