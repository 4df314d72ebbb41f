"""How often somebody may ask for a mail: who asks too often hears it, whom they ask for does not.

    client address, its network   too often: the visitor is told to wait
    mail domain, all of them      too often: the mail waits in a slow lane
    mail address                  too often: no mail, and the same answer as ever

What is asked for an address and what is mailed to it are counted apart: whoever asks for somebody
else uses up none of their mails unless one is written. Counts are kept under keyed hashes: nobody
reads an address from them. A sign-up and the wish for a link lock all that they may hit at once, in
one order (`look_ahead`), so that they never wait for each other.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import lru_cache
from ipaddress import IPv6Address, ip_address
from operator import itemgetter

from paperround.domain.errors import RateLimited
from paperround.domain.limits import Rate, Standing
from paperround.domain.readers import Visitor
from paperround.domain.subscribers import Address, SubscriberId
from paperround.domain.tokens import KeyRing
from paperround.jobs.desk import Desk
from paperround.jobs.ports import UnitOfWork

SLOW_LANE = timedelta(minutes=30)
"""How long a mail waits when there are more sign-ups than usual and no work was done for it."""

POLICY = "sign-ups"
"""What the limits of clients are called to programs."""

TOTAL = "signup/total"
SLOW = "signup/slow"
ASKED, MAILED, SILENT = "asked", "address", "silent"
COUNTED = (ASKED, MAILED, SILENT)
"""What is counted for a mailbox: that somebody asked, that it is mailed, that it is not."""

UNKNOWN_CLIENT = "unknown"
"""Those whose client address cannot be told share one count."""

DAY = timedelta(hours=24)
ONCE_A_DAY = (Rate(1, DAY),)
LINKS = (Rate(3, DAY),)
"""Links to their choices that whoever holds an old one may have mailed to a reader."""

_ASKING = 128
"""Those whose keyed hashes are kept: they are asked for several times in one request."""

GMAIL = "gmail.com"
_OF_GMAIL = frozenset({GMAIL, "googlemail.com"})


@dataclass(frozen=True, slots=True)
class Foreseen:
    """What somebody will be measured by, keys and their rates. It is locked and looked up for all
    of many at once: what stands first in each, then the others in the order of their keys."""

    hits: tuple[tuple[str, tuple[Rate, ...]], ...]
    now: datetime


def look_ahead(work: UnitOfWork, each: Sequence[Foreseen]) -> None:
    """Lock and look up what all of them will be measured by."""
    first = dict(one.hits[0] for one in each if one.hits)
    others = sorted(dict(hit for one in each for hit in one.hits[1:]).items(), key=itemgetter(0))
    for second in {one.now.replace(microsecond=0) for one in each}:  # one, or two of them
        work.rates.foresee([*first.items(), *others], now=second)


def foreseen(desk: Desk, visitor: Visitor, address: Address, *, now: datetime) -> Foreseen:
    """All that a sign-up is measured by. The count of all is locked first, so that those who take
    several sign-ups in one transaction take turns, and never wait for each other."""
    client, network = _client_keys(desk.keys, visitor.ip)
    limits, halve = desk.limits, _as_they_are if visitor.stamped else _halved
    others = {
        client: halve(limits.ip),
        network: halve(limits.net),
        _domain_key(desk.keys, address): limits.domain,
        **{_key(desk.keys, what, address.folded): limits.address for what in COUNTED},
    }
    limited = sorted((key, rates) for key, rates in others.items() if rates)
    return Foreseen(((TOTAL, limits.total), *limited), now)


def foreseen_mail(desk: Desk, address: Address, *, now: datetime) -> Foreseen:
    """All that a mail to an address is measured by, whether it is written or not."""
    keys = sorted(_key(desk.keys, what, address.folded) for what in (MAILED, SILENT))
    return Foreseen(tuple((key, desk.limits.address) for key in keys if desk.limits.address), now)


def require_patience(work: UnitOfWork, desk: Desk, visitor: Visitor, *, now: datetime) -> None:
    """Count a request of `visitor`; raises RateLimited, and counts nothing, when it is one too
    many.

    Who comes without a stamp of one of our forms may ask half as often.
    """
    client, network = _client_keys(desk.keys, visitor.ip)
    halve = _as_they_are if visitor.stamped else _halved
    limits = ((client, halve(desk.limits.ip)), (network, halve(desk.limits.net)))
    wait = work.rates.hit_all([(key, rates) for key, rates in limits if rates], now=now)
    if wait is not None:
        raise RateLimited(
            f"too many requests from your network: try again in {_minutes(wait)}", retry_after=wait
        )


def standing_of(
    work: UnitOfWork, desk: Desk, visitor: Visitor, *, now: datetime
) -> Standing | None:
    """What is left to a visitor, of the limit they are nearest to; None without limits."""
    client, network = _client_keys(desk.keys, visitor.ip)
    counted = ((client, desk.limits.ip), (network, desk.limits.net))
    halve = _as_they_are if visitor.stamped else _halved
    each = [
        work.rates.standing(key, rate, now=now) for key, rates in counted for rate in halve(rates)
    ]
    nearest = min(each, key=lambda one: one.remaining, default=None)
    return None if nearest is None else replace(nearest, policy=POLICY)


def due_instant(
    work: UnitOfWork, desk: Desk, address: Address, *, worked: bool, now: datetime
) -> datetime | None:
    """Count a sign-up for the domain of `address` and say when its mail would leave; None when
    none can.

    Above the domain's rate a mail waits in the slow lane; above that of all sign-ups it does unless
    work was done for it. The lane takes as many as the rate of all allows, and no more.
    """
    domain = _domain_key(desk.keys, address)
    in_time = _hit(work, domain, desk.limits.domain, now) is None
    usual = _hit(work, TOTAL, desk.limits.total, now) is None
    if in_time and (usual or worked):
        return now
    slow = _hit(work, SLOW, desk.limits.total, now)
    return now + SLOW_LANE if slow is None else None


def may_ask(work: UnitOfWork, desk: Desk, address: Address, *, now: datetime) -> bool:
    """Count a request for a mail to `address`, whatever becomes of it; False when it is one too
    many."""
    return _hit(work, _key(desk.keys, ASKED, address.folded), desk.limits.address, now) is None


def may_mail(
    work: UnitOfWork, desk: Desk, address: Address, *, at: datetime, silent: bool = False
) -> bool:
    """Count a mail that leaves for `address` at an instant; False, and nothing counted, when it had
    enough. With `silent` none will be written: it costs the same and counts for nothing."""
    key = _key(desk.keys, SILENT if silent else MAILED, address.folded)
    return _hit(work, key, desk.limits.address, at) is None


def may_remind(work: UnitOfWork, keys: KeyRing, address: str, *, now: datetime) -> bool:
    """Count a reminder to `address`; False when it was mailed within a day."""
    return _hit(work, _key(keys, MAILED, address), ONCE_A_DAY, now) is None


def may_link(work: UnitOfWork, keys: KeyRing, person: SubscriberId, *, now: datetime) -> bool:
    """Count a link that a link of `person` asks for; False when they had enough for today. Nobody
    who signs them up anew can use this up."""
    return _hit(work, f"choices/{keys.digest('rate', f'person {person}')}", LINKS, now) is None


def is_crowded(work: UnitOfWork, desk: Desk, *, now: datetime) -> bool:
    """Whether there are more sign-ups than usual."""
    return any(
        work.rates.count(TOTAL, rate.period, now=now) >= rate.count for rate in desk.limits.total
    )


def _hit(work: UnitOfWork, key: str, rates: Sequence[Rate], now: datetime) -> float | None:
    """As the store's; what has no limit need not be counted."""
    return work.rates.hit(key, rates, now=now) if rates else None


@lru_cache(maxsize=_ASKING)
def _client_keys(keys: KeyRing, written: str | None) -> tuple[str, str]:
    client, network = client_and_network(written)
    return (
        f"signup/ip/{keys.digest('rate', client)}",
        f"signup/net/{keys.digest('rate', network)}",
    )


def client_and_network(written: str | None) -> tuple[str, str]:
    """A client address and its network: IPv4 /24, IPv6 /56."""
    try:
        ip = ip_address(written or "")
    except ValueError:
        return UNKNOWN_CLIENT, UNKNOWN_CLIENT
    if isinstance(ip, IPv6Address) and ip.ipv4_mapped is not None:
        ip = ip.ipv4_mapped
    prefix = 56 if isinstance(ip, IPv6Address) else 24
    rest = ip.max_prefixlen - prefix
    return str(ip), f"{type(ip)(int(ip) >> rest << rest)}/{prefix}"


def _as_they_are(rates: tuple[Rate, ...]) -> tuple[Rate, ...]:
    return rates


@lru_cache
def _halved(rates: tuple[Rate, ...]) -> tuple[Rate, ...]:
    return tuple(replace(rate, count=max(1, rate.count // 2)) for rate in rates)


def _domain_key(keys: KeyRing, address: Address) -> str:
    return _key_of_domain(keys, address.domain)


@lru_cache(maxsize=_ASKING)
def _key_of_domain(keys: KeyRing, domain: str) -> str:
    return f"signup/domain/{keys.digest('rate', domain)}"


def _key(keys: KeyRing, what: str, address: str) -> str:
    """What is counted for the mailbox that `address` reaches."""
    return f"signup/{what}/{_mailbox_digest(keys, address)}"


@lru_cache(maxsize=_ASKING)
def _mailbox_digest(keys: KeyRing, address: str) -> str:
    return keys.digest("rate", mailbox(address))


def untagged(address: str) -> str:
    """`name+tag@domain` as `name@domain`, which reaches the same mailbox."""
    local, _, domain = address.casefold().rpartition("@")
    return f"{local.partition('+')[0] or local}@{domain}"


def mailbox(address: str) -> str:
    """One name for the mailbox that `address` reaches: Gmail sees no dots and has two domains.

    For telling mailboxes apart only; mail goes to an address as its owner writes it.
    """
    local, _, domain = untagged(address).rpartition("@")
    return f"{local.replace('.', '')}@{GMAIL}" if domain in _OF_GMAIL else f"{local}@{domain}"


def _minutes(seconds: float) -> str:
    minutes = max(1, round(seconds / 60))
    return "a minute" if minutes == 1 else f"{minutes} minutes"
