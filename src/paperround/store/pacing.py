"""How mail goes over the relay and to each domain, shared by every process on the database.

The relay's row is locked first and until the transaction ends, and every claim that paces asks for
it: so two of them never share out the same slots, nor wait for each other's rows. How many mails
are under way to a domain is read off the ledger itself, whoever has them in hand.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, delete, func, or_, select

from paperround.domain.channels import ChannelKind
from paperround.domain.deliveries import DeliveryId
from paperround.domain.flows import (
    Answer,
    Flow,
    domain_after,
    relay_after,
    relay_rests,
)
from paperround.domain.limits import Rate
from paperround.domain.pacing import Pace, Pacing, Road, Share, Waiting, room_of, share
from paperround.domain.times import require_utc
from paperround.store import schema as db
from paperround.store.claim_statements import held
from paperround.store.dialect import among, insert_new, upsert

RELAY = "relay"
WARM_UP = "warm-up"
ALL = "all"
_DOMAIN = "domain/"

_MINUTE = timedelta(minutes=1)
_QUARTER = timedelta(minutes=15)
_HOUR = timedelta(hours=1)

_STATE = tuple(name for name in Flow.__dataclass_fields__)
_UNKNOWN = Flow()

_UNUSED = {"grown": 0, "accepted": 0}
"""Columns that only earlier releases read."""


class PaceStore:
    """How mail goes over the relay and to each domain."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._known_relay: Flow | None = None

    def open(self, pacing: Pacing, *, first: bool, now: datetime) -> "Gate":
        """What a claim of this transaction asks who may leave. `first`: for mails that go before
        digests."""
        is_shared = pacing != Pacing()
        relay = self._locked_relay(now) if is_shared else self.relay()
        return Gate(self._connection, pacing, relay, first=first, now=now, sifts=is_shared)

    def heard(self, answers: Sequence[Answer], pacing: Pacing, *, now: datetime) -> None:
        """Record what servers said, of domains only where they are told apart: rests begin, last
        longer or end, and connections grow."""
        known = relay = self._locked_relay(now)
        for answer in answers:
            relay = relay_after(relay, answer, now=now)
        self._known_relay = relay
        changed = {RELAY: relay} if relay != known else {}
        if pacing.tells_domains_apart:
            changed |= self._domains_after(answers, now)
        _keep(self._connection, changed, now)

    def rest_relay(self, reason: str, *, now: datetime) -> None:
        """Let nothing leave for a while; the next try is a probe."""
        self._known_relay = relay_rests(self._locked_relay(now), reason, now=now)
        _keep(self._connection, {RELAY: self._known_relay}, now)

    def relay(self) -> Flow:
        """How mail goes over the relay."""
        return _flows(self._connection, [RELAY]).get(RELAY, _UNKNOWN)

    def resting(self, *, now: datetime) -> Mapping[str, Flow]:
        """The domains that rest now, and why."""
        found = self._connection.execute(
            select(db.paces).where(
                db.paces.c.rests_until > now, db.paces.c.name.startswith(_DOMAIN)
            )
        )
        return {row.name.removeprefix(_DOMAIN): _flow(row) for row in found}

    def warming_up(self, *, since: datetime) -> bool:
        """Whether the day's allowance of a new domain held digests back since then."""
        c = db.paces.c
        held = select(c.name).where(c.name == WARM_UP, c.changed_at >= since)
        return self._connection.execute(held).first() is not None

    def used(self, *, since: datetime) -> int:
        """How many mails of any kind left since then, as far as they are counted for warming up."""
        return _used(self._connection, ALL, _QUARTER, since)

    def forget(self, *, before: datetime) -> int:
        """Drop domains nobody wrote to since then; returns how many."""
        c = db.paces.c
        return self._connection.execute(
            delete(db.paces).where(
                c.name.startswith(_DOMAIN),
                c.changed_at < before,
                or_(c.rests_until.is_(None), c.rests_until < before),
            )
        ).rowcount

    def _domains_after(self, answers: Sequence[Answer], now: datetime) -> dict[str, Flow]:
        names = {_DOMAIN + one.domain for one in answers}
        known = _flows(self._connection, names)
        flows = dict(known)
        for one in answers:
            name = _DOMAIN + one.domain
            flows[name] = domain_after(flows.get(name, _UNKNOWN), one, now=now)
        return {name: flow for name, flow in flows.items() if flow != known.get(name)}

    def _locked_relay(self, now: datetime) -> Flow:
        """The relay's row, made when there is none. (SQLite's writer holds the only lock.)"""
        if self._known_relay is None:
            asking = select(db.paces).where(db.paces.c.name == RELAY).with_for_update()
            row = self._connection.execute(asking).one_or_none()
            if row is None:
                making = insert_new(self._connection, db.paces)
                self._connection.execute(making, _row(RELAY, _UNKNOWN, now))
                row = self._connection.execute(asking).one()
            self._known_relay = _flow(row)
        return self._known_relay


@dataclass(slots=True)
class _Told:
    """What a gate has said so far."""

    leaves: dict[DeliveryId, datetime] = field(default_factory=dict)
    slots: list[datetime] = field(default_factory=list)


class Gate:
    """Which rows of one claim may leave. It holds until the transaction ends; `close` writes
    down what was taken."""

    def __init__(
        self,
        connection: Connection,
        pacing: Pacing,
        relay: Flow,
        *,
        first: bool,
        now: datetime,
        sifts: bool,
    ) -> None:
        self._connection = connection
        self._pacing = pacing
        self._was = self._relay = relay
        self._first = first
        self._now = now
        self._roads: dict[str, Road] = {}
        self._known: dict[str, Road] = {}
        self._told = _Told()
        self._full = False
        self._room = self._relay_room()
        self.sifts = sifts

    @property
    def leaves(self) -> Mapping[DeliveryId, datetime]:
        """When each row that may leave has its slot."""
        return self._told.leaves

    @property
    def slots(self) -> Sequence[datetime]:
        """When the rows that wait for a slot or a connection are looked at again."""
        return self._told.slots

    @property
    def is_full(self) -> bool:
        """Whether the relay takes no more now."""
        return self._full

    @property
    def free_at(self) -> datetime | None:
        """When the relay takes the next mail, as far as that is known."""
        return self._relay.free_at

    @property
    def rests_until(self) -> datetime | None:
        """Until when the relay rests, None when it does not."""
        return self._relay.rests_until if self._relay.rests(self._now) else None

    @property
    def reason(self) -> str:
        """Why the relay rests, or was told to."""
        return self._relay.reason

    @property
    def limit(self) -> int | None:
        """How many rows may be taken at most; None without a limit, 0 while the relay rests."""
        if self.rests_until is not None:
            return 0
        return self._room

    def sift(self, rows: Sequence[Waiting]) -> Share:
        """Which of `rows` may leave, and until when the others are put off."""
        self._meet({one.domain for one in rows} - self._roads.keys())
        found = share(
            rows,
            pacing=self._pacing,
            relay=self._relay,
            room=self._room,
            roads=self._roads,
            first=self._first,
            now=self._now,
        )
        self._relay, self._roads = found.relay, dict(found.roads)
        self._room = None if self._room is None else self._room - len(found.leaves)
        self._full = found.full
        self._told.leaves |= found.leaves
        self._told.slots += [at for id_, at in found.later.items() if id_ not in found.rested]
        return found

    def close(self) -> None:
        """Write down what was shared out."""
        if not self.sifts:
            return
        flows = {
            _DOMAIN + name: road.flow
            for name, road in self._roads.items()
            if road.flow != self._known[name].flow
        }
        if self._relay != self._was:
            flows[RELAY] = self._relay
        _keep(self._connection, flows, self._now)
        self._count()

    def _relay_room(self) -> int | None:
        """What quotas and the warm-up leave; one mail while the relay is tried again."""
        rooms = [_room(self._connection, RELAY, self._pacing.relay, self._first, self._now)]
        if self._relay.is_probing:
            rooms.append(0 if any(self._under_way(None).values()) else 1)
        if not self._first and (room := self._warm_up_room()) is not None:
            rooms.append(room)
        return min((one for one in rooms if one is not None), default=None)

    def _warm_up_room(self) -> int | None:
        today = self._pacing.warm_up.today(self._now) if self._pacing.warm_up else None
        if today is None:
            return None
        left = max(0, today.allowance - _used(self._connection, ALL, _QUARTER, today.since))
        if left == 0:
            _keep(self._connection, {WARM_UP: _UNKNOWN}, self._now)
        return left

    def _meet(self, domains: Collection[str]) -> None:
        if not domains:
            return
        flows = _flows(self._connection, [_DOMAIN + one for one in domains])
        under_way = self._under_way(domains)
        by_domain = self._pacing.domains
        for one in domains:
            pace = by_domain.of(one) if by_domain else Pace()
            self._roads[one] = self._known[one] = Road(
                flow=flows.get(_DOMAIN + one, _UNKNOWN),
                under_way=under_way.get(one, 0),
                room=_room(self._connection, _DOMAIN + one, pace, self._first, self._now),
            )

    def _under_way(self, domains: Collection[str] | None) -> Mapping[str, int]:
        """Mails that some process has in hand, by domain. Posts to channels pass no relay."""
        counts = Counter[str]()
        for book in (db.deliveries, db.notices):
            domain = func.coalesce(book.c.domain, "")
            which: ColumnElement[bool] = domain.not_in([kind.value for kind in ChannelKind])
            if domains is not None:
                which = among(self._connection, domain, domains)
            found = self._connection.execute(
                select(domain, func.count()).where(held(book), which).group_by(domain)
            )
            counts.update(dict(found.all()))
        return counts

    def _count(self) -> None:
        """Count what leaves against the quotas that it comes under."""
        total = len(self._told.leaves)
        if not total:
            return
        used = [(RELAY, self._pacing.relay, total)]
        for name, road in self._roads.items():
            pace = self._pacing.domains.of(name) if self._pacing.domains else Pace()
            used.append((_DOMAIN + name, pace, road.under_way - self._known[name].under_way))
        for name, pace, count in used:
            for width in {_width(one) for one in pace.quotas} if count else ():
                _add(self._connection, name, width, count, self._now)
        if self._pacing.warm_up is not None:
            _add(self._connection, ALL, _QUARTER, total, self._now)


def _flows(connection: Connection, names: Collection[str]) -> dict[str, Flow]:
    if not names:
        return {}
    found = connection.execute(
        select(db.paces).where(among(connection, db.paces.c.name, names))
    ).all()
    return {row.name: _flow(row) for row in found}


def _flow(row: Row[Any]) -> Flow:
    values = {name: getattr(row, name) for name in _STATE if name != "rest"}
    return Flow(**values, rest=timedelta(seconds=row.rest_seconds))


def _row(name: str, flow: Flow, now: datetime) -> dict[str, Any]:
    values = {column: getattr(flow, column) for column in _STATE if column != "rest"}
    return {
        **values,
        "name": name,
        "rest_seconds": round(flow.rest.total_seconds()),
        "changed_at": now,
        **_UNUSED,
    }


def _keep(connection: Connection, flows: Mapping[str, Flow], now: datetime) -> None:
    if not flows:
        return
    changed = tuple(column.name for column in db.paces.columns if column.name != "name")
    rows = [
        _row(name, replace(flow, reason=_storable(flow.reason)), now)
        for name, flow in sorted(flows.items())
    ]
    connection.execute(upsert(connection, db.paces, ("name",), changed), rows)


def _storable(words: str) -> str:
    return words.replace("\0", "").encode("utf-8", "replace").decode("utf-8")


# --- quotas ------------------------------------------------------------------------------------
# Counted in windows of a minute or a quarter of an hour, in the table of other rates. A window
# counts for as long as any part of it lies within the period.


def _room(connection: Connection, name: str, pace: Pace, first: bool, now: datetime) -> int | None:
    return room_of(_quotas_used(connection, name, pace, now), first=first)


def _quotas_used(
    connection: Connection, name: str, pace: Pace, now: datetime
) -> Iterable[tuple[Rate, int]]:
    for rate in pace.quotas:
        width = _width(rate)
        yield rate, _used(connection, name, width, now - rate.period - width)


def _width(rate: Rate) -> timedelta:
    return _MINUTE if rate.period <= _HOUR else _QUARTER


def _key(name: str, width: timedelta) -> str:
    return f"pace/{name}/{round(width.total_seconds())}"


def _used(connection: Connection, name: str, width: timedelta, after: datetime) -> int:
    c = db.rate_windows.c
    used: int = connection.execute(
        select(func.coalesce(func.sum(c.count), 0)).where(
            c.key == _key(name, width), c.window_start >= after
        )
    ).scalar_one()
    return used


def _add(connection: Connection, name: str, width: timedelta, count: int, now: datetime) -> None:
    seconds = round(width.total_seconds())
    moment = require_utc(now).replace(microsecond=0)
    start = moment - timedelta(seconds=int(moment.timestamp()) % seconds)
    key = {"key": _key(name, width), "window_start": start}
    connection.execute(insert_new(connection, db.rate_windows), {**key, "count": 0})
    c = db.rate_windows.c
    connection.execute(
        db.rate_windows.update()
        .where(c.key == key["key"], c.window_start == start)
        .values(count=c.count + count)
    )
