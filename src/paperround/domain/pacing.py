"""How fast mail may leave: rates over a relay and to a domain, slots, and who may leave now. Pure.

A rate of a minute or less is a pace: mails are spaced evenly, by the virtual scheduling form of the
generic cell rate algorithm without tolerance (ITU-T I.371, annex A): what leaves takes the slot at
max(now, free), and the next one is free a spacing later. A longer rate is a quota: it may be used
up at once, and no stretch of that length ever holds more.

A mail whose domain cannot take it now is put off, and those behind it go first. Digests take slots
a second ahead at most, other mails a few seconds: so they always find one.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from types import MappingProxyType

from paperround.domain.deliveries import DeliveryId
from paperround.domain.errors import InvalidInput
from paperround.domain.flows import Flow, take_slot
from paperround.domain.limits import OFF, Rate, parse_rates
from paperround.domain.warm_up import WarmUp

LONGEST_PACE = timedelta(minutes=1)
LONGEST_QUOTA = timedelta(days=7)

MARGIN = 1.05
"""Mails are spaced this much wider than a rate asks for: one that dawdles on its way, because its
connection has to be opened first, must not meet the next one there."""

AHEAD = timedelta(seconds=1)
AHEAD_FIRST = timedelta(seconds=4)
"""How far ahead digests, and mails that go first, may take slots."""

HORIZON = timedelta(minutes=1)
"""A mail that is put off is looked at again within this: settings may have changed meanwhile."""

LOOK_AGAIN = timedelta(milliseconds=250)
STEP = timedelta(milliseconds=50)
"""When a mail whose domain has no connection free is looked at again, and how far apart several."""

KEPT_BACK = 20
"""One part in so many of a quota is kept for mails that go first."""

SPARE_CONNECTIONS = 2
"""What mails that go first may open to a domain beyond those that digests may."""

_NAME = re.compile(r"(\*|[a-z0-9_-]+)(\.[a-z0-9_-]+)+")


@dataclass(frozen=True, slots=True)
class Pace:
    """What some rates ask for together; no rates, no limit."""

    rates: tuple[Rate, ...] = ()

    @property
    def spacing(self) -> timedelta:
        """How far apart two mails must be."""
        paces = [one for one in self.rates if one.period <= LONGEST_PACE]
        return max((one.period * MARGIN / one.count for one in paces), default=timedelta(0))

    @property
    def quotas(self) -> tuple[Rate, ...]:
        """The rates that are counted."""
        return tuple(one for one in self.rates if one.period > LONGEST_PACE)


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainPace:
    """Rates by destination domain. `named` holds those of one domain (`gmail.com`) or of all below
    one (`*.example.org`); the name that says most counts."""

    usual: Pace = Pace()
    named: Mapping[str, Pace] = field(default_factory=dict)

    def of(self, domain: str) -> Pace:
        """What counts for `domain`."""
        if domain in self.named:
            return self.named[domain]
        parts = domain.split(".")
        above = (f"*.{'.'.join(parts[at:])}" for at in range(1, len(parts)))
        return next((self.named[one] for one in above if one in self.named), self.usual)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pacing:
    """How mail leaves an installation. `domains` None: domains are not told apart; `connections` is
    how many mails may be under way to one domain, None: as many as there are."""

    relay: Pace = Pace()
    domains: DomainPace | None = None
    connections: int | None = None
    warm_up: WarmUp | None = None

    @property
    def tells_domains_apart(self) -> bool:
        """Whether mail to one domain may wait while that to another leaves."""
        return self.domains is not None or self.connections is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A mail that is due, and where it goes."""

    id: DeliveryId
    domain: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Road:
    """A domain as a claim finds it: how mail to it goes, how many are under way, what its quotas
    still hold (None: there are none)."""

    flow: Flow
    under_way: int = 0
    room: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """Who may leave, and when; who is put off, and until when; how things stand after that.

    `full`: the relay takes no more now. `rested` are those of `later` that wait for no
    slot: their domain rests, or its quota is used up.
    """

    leaves: Mapping[DeliveryId, datetime]
    later: Mapping[DeliveryId, datetime]
    rested: frozenset[DeliveryId]
    relay: Flow
    roads: Mapping[str, Road]
    full: bool


def parse_pace(text: str) -> Pace:
    """Read `14/s, 50000/24h`, or `off`. Raises InvalidInput that shows how to write one."""
    rates = parse_rates(text)
    if any(one.period > LONGEST_QUOTA for one in rates):
        raise InvalidInput(f"{text!r} counts over more than a week: write at most 7d")
    return Pace(rates)


def parse_domain_pace(text: str) -> DomainPace:
    """Read `20/s, gmail.com=5/s, *.example.org=off`: rates for every domain, and for some.

    Several rates of one domain name it several times. Raises InvalidInput for anything else.
    """
    parts = [part.strip().lower() for part in text.split(",")]
    found: dict[str, list[str]] = {}
    for part in parts:
        name, equals, rate = part.rpartition("=")
        if equals and not _NAME.fullmatch(name.strip()):
            raise InvalidInput(f"{name!r} is no domain: write gmail.com=5/s or *.example.org=off")
        found.setdefault(name.strip(), []).append(rate.strip())
    paces = {name: _together(rates) for name, rates in found.items()}
    return DomainPace(
        usual=paces.pop("", Pace()),
        named=MappingProxyType(paces),
    )


def parse_connections(text: str) -> int | None:
    """Read `5` or `off`; of a span, as in `2-5`, the larger number counts. Raises InvalidInput that
    shows how to write it."""
    if text.strip().lower() == OFF:
        return None
    match = re.fullmatch(r"\s*([1-9]\d{0,2})\s*(?:-\s*([1-9]\d{0,2})\s*)?", text)
    if match is None or int(match[2] or match[1]) < int(match[1]):
        raise InvalidInput(f"{text!r} is no number of connections: write it like 5 or off")
    return int(match[2] or match[1])


def share(
    waiting: Sequence[Waiting],
    *,
    pacing: Pacing,
    relay: Flow,
    room: int | None,
    roads: Mapping[str, Road],
    first: bool,
    now: datetime,
) -> Share:
    """Say of each of `waiting`, in their order, whether it may leave.

    `room` is what the relay's quotas still hold, None where it has none. `first`: these mails go
    before others, and do not wait for a domain that rests.
    """
    ahead = AHEAD_FIRST if first else AHEAD
    open_roads = dict(roads)
    leaves: dict[DeliveryId, datetime] = {}
    later: dict[DeliveryId, datetime] = {}
    rested: set[DeliveryId] = set()
    full = False
    for one in waiting:
        full = (room is not None and len(leaves) >= room) or _is_taken(relay, now + ahead)
        if full:
            break
        road = open_roads[one.domain]
        wait = _wait(road, pacing, first=first, now=now)
        if wait is not None:
            later[one.id], open_roads[one.domain] = _put_off(road, pacing, one.domain, wait, now)
            if road.flow.rests(now) or _is_used_up(road):
                rested.add(one.id)
            continue
        leaves[one.id], relay, open_roads[one.domain] = _leave(relay, road, pacing, one, now)
    return Share(
        leaves=leaves,
        later=later,
        rested=frozenset(rested),
        relay=relay,
        roads=open_roads,
        full=full,
    )


def room_of(counts: Iterable[tuple[Rate, int]], *, first: bool) -> int | None:
    """What quotas still hold of which so many are used; None where there are none."""
    left = [
        rate.count - (0 if first else -(-rate.count // KEPT_BACK)) - used for rate, used in counts
    ]
    return max(0, min(left)) if left else None


def _together(rates: list[str]) -> Pace:
    if OFF in rates:
        if len(rates) > 1:
            raise InvalidInput("a domain is off or has rates, not both")
        return Pace()
    return parse_pace(", ".join(rates))


def _is_taken(flow: Flow, until: datetime) -> bool:
    return flow.free_at is not None and flow.free_at > until


def _is_used_up(road: Road) -> bool:
    return road.room is not None and road.room <= 0


def _wait(road: Road, pacing: Pacing, *, first: bool, now: datetime) -> datetime | None:
    """When a mail to this domain should be looked at again; None when it may leave."""
    flow = road.flow
    if flow.rests(now) and not first:
        return flow.rests_until
    if _is_used_up(road):
        return now + HORIZON
    if pacing.domains is not None and _is_taken(flow, now + (AHEAD_FIRST if first else AHEAD)):
        return flow.free_at
    if pacing.connections is not None or flow.is_probing:
        spare = SPARE_CONNECTIONS if first else 0
        most = (1 if flow.is_probing else pacing.connections or 1) + spare
        return now + LOOK_AGAIN if road.under_way >= most else None
    return None


def _put_off(
    road: Road, pacing: Pacing, domain: str, wait: datetime, now: datetime
) -> tuple[datetime, Road]:
    """Behind those that were put off before it, so that each is looked at about when its turn
    comes; and the road with that noted."""
    flow = road.flow
    spacing = pacing.domains.of(domain).spacing if pacing.domains else STEP
    moment = wait if flow.lined_up_to is None else max(wait, flow.lined_up_to + (spacing or STEP))
    moment = min(moment, now + HORIZON)
    return moment, replace(road, flow=replace(flow, lined_up_to=moment))


def _leave(
    relay: Flow, road: Road, pacing: Pacing, one: Waiting, now: datetime
) -> tuple[datetime, Flow, Road]:
    """The later of the slots over the relay and to the domain, and how both stand after it."""
    pace = pacing.domains.of(one.domain) if pacing.domains else Pace()
    slots = [flow.free_at for flow in (relay, road.flow) if flow.free_at is not None]
    moment = max(now, *slots) if slots else now
    return (
        moment,
        take_slot(relay, pacing.relay.spacing, moment),
        replace(
            road,
            flow=take_slot(road.flow, pace.spacing, moment),
            under_way=road.under_way + 1,
            room=None if road.room is None else road.room - 1,
        ),
    )
