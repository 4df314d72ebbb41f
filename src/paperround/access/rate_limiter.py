"""How often one visitor may ask for what costs, counted in memory, by each process for itself.

A page that is only looked at writes nothing down: a search must not wait for the one writer that
SQLite has, nor leave a row of anybody. What is counted here ends with the process, so a service of
several processes lets through a rate from each of them.
"""

from collections import OrderedDict, deque
from collections.abc import Sequence
from datetime import datetime, timedelta
from ipaddress import IPv6Address, ip_address
from math import ceil
from threading import Lock

from paperround.core.errors import RateLimited
from paperround.core.languages import marked
from paperround.core.rates import Rate, RateLimitStatus, VisitLimits

MOST_KEYS = 10_000
"""Addresses and networks that are remembered; of more, those that came last."""


TOO_MANY = marked("that was a lot of requests from your network: wait a little")


class InMemoryRateLimiter:
    """The visits of one process. Safe to share between threads."""

    def __init__(
        self, limits: VisitLimits, *, refusal: str = TOO_MANY, most_keys: int = MOST_KEYS
    ) -> None:
        self._limits = limits
        self._refusal = refusal
        self._most_keys = most_keys
        self._lock = Lock()
        self._seen: OrderedDict[str, deque[datetime]] = OrderedDict()

    def require_patience(self, client: str | None, *, now: datetime, cost: int = 1) -> None:
        """Count a visit of a client address and its network as `cost` visits; raises RateLimited,
        and counts nothing, when that is too much."""
        address, network = client_and_network(client)
        counted = ((f"ip {address}", self._limits.ip), (f"net {network}", self._limits.net))
        with self._lock:
            wait = max(self._wait(key, rates, now, cost) for key, rates in counted)
            if wait > timedelta():
                raise RateLimited(self._refusal, retry_after=wait.total_seconds())
            for key, rates in counted:
                if rates:
                    longest = max(rate.count for rate in rates)
                    seen = self._seen.setdefault(key, deque(maxlen=longest))
                    seen.extend([now] * min(cost, longest))
                    self._seen.move_to_end(key)
            while len(self._seen) > self._most_keys:
                self._seen.popitem(last=False)

    def standing(self, client: str | None, *, now: datetime) -> RateLimitStatus | None:
        """What is left to a client address, of the limit it is nearest to; None without limits."""
        address, network = client_and_network(client)
        counted = ((f"ip {address}", self._limits.ip), (f"net {network}", self._limits.net))
        with self._lock:
            each = [self._left(key, rate, now) for key, rates in counted for rate in rates]
        return min(each, key=lambda one: one.remaining, default=None)

    def _left(self, key: str, rate: Rate, now: datetime) -> RateLimitStatus:
        recent = [at for at in self._seen.get(key, ()) if at > now - rate.period]
        back = (recent[0] + rate.period - now).total_seconds() if recent else 0
        return RateLimitStatus(
            limit=rate.count,
            window=int(rate.period.total_seconds()),
            remaining=max(0, rate.count - len(recent)),
            reset=ceil(back),
        )

    def _wait(self, key: str, rates: Sequence[Rate], now: datetime, cost: int) -> timedelta:
        """How long until every rate lets `cost` more through, or the first that costs more than
        it ever has: until enough of the visits it allows have left its period."""
        seen = self._seen.get(key, ())
        kept = [(max(rate.count - cost, 0) + 1, rate.period) for rate in rates]
        full = (seen[-most] + period - now for most, period in kept if len(seen) >= most)
        return max(full, default=timedelta())


def client_and_network(written: str | None) -> tuple[str, str]:
    """A client address and its narrowest network: IPv4 /24, IPv6 /56."""
    client, network, *_ = client_and_networks(written)
    return client, network


def client_and_networks(written: str | None) -> tuple[str, ...]:
    """A client address and its networks, the narrowest first: IPv4 /24; IPv6 /56 and /48."""
    try:
        ip = ip_address(written or "")
    except ValueError:
        return UNKNOWN_CLIENT, UNKNOWN_CLIENT
    if isinstance(ip, IPv6Address) and ip.ipv4_mapped is not None:
        ip = ip.ipv4_mapped
    prefixes = (56, 48) if isinstance(ip, IPv6Address) else (24,)
    rests = ((prefix, ip.max_prefixlen - prefix) for prefix in prefixes)
    return str(ip), *(f"{type(ip)(int(ip) >> rest << rest)}/{prefix}" for prefix, rest in rests)


UNKNOWN_CLIENT = "unknown"
"""Those whose client address cannot be told share one count."""
