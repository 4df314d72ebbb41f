"""Rate limits of requests that send an email, and of the emails to a mailbox.

    on receipt     client address, its network    exceeded: 429, with the seconds to wait
                   provider of the mailbox        exceeded: 503, unless with proof of work
                   all requests                   exceeded: half an hour's delay, then 503
    processing     mailbox                        exceeded: no email, counted for the operator

Counting on receipt reveals nothing about who is known: all addresses are counted alike. A client
with a solved proof of work (`has_proof`) or a mailed link has a share of the provider's limit of
its own, and beyond it a few per network: a flood, even one that solves challenges, blocks no client
that solves one from outside the flood's networks.

Counters are stored under keyed hashes, so they reveal no address. Each request locks all counters
it may hit at once and in one order, which rules out deadlocks.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from paperround.access.rate_limiter import client_and_networks
from paperround.core.errors import RateLimited, SharedLimitReached
from paperround.core.languages import counted_text, marked, marked_forms
from paperround.core.rates import Rate, RateLimitStatus
from paperround.core.tokens import KeyRing
from paperround.db.limits import RateStore
from paperround.db.transactions import Database, Transaction, write
from paperround.signup.context import SignupContext
from paperround.subscribers.addresses import mail_provider, mailbox
from paperround.subscribers.model import Address, SubscriberId
from paperround.subscribers.readers import Drop, Limit, RequestTally, Visitor
from paperround.subscribers.store.requests import RequestStore

SLOW_LANE = timedelta(minutes=30)
"""The delay of a request without proof of work while there are too many."""

POLICY = "sign-ups"
"""The name of the client limits in response headers."""

TOTAL = "signup/total"
SLOW = "signup/slow"
REFUSED, DROPPED = "signup/refused/", "signup/dropped/"

WORKED_SHARE = 5
"""The share of clients with proof of work, as a multiple of a provider's limit, in addition to
it."""

NEAR = (Rate(3, timedelta(hours=1)),)
"""Requests each network has beyond that share: a flood with proof of work uses up the share, and
then blocks only the networks it comes from."""

SITE_SHARE = 4
"""A /48 has the limit of this many networks: some providers give one to each customer, others to
two hundred of them."""


DAY = timedelta(hours=24)
ONCE_A_DAY = (Rate(1, DAY),)
LINKS = (Rate(3, DAY),)
"""How many links to the preferences an old link may request for its reader."""

Hit = tuple[str, tuple[Rate, ...]]

# --- on receipt ----------------------------------------------------------------------------------


def admit_request(
    work: Transaction,
    context: SignupContext,
    address: Address,
    visitor: Visitor,
    *,
    has_proof: bool,
    now: datetime,
) -> datetime:
    """Count a request of `visitor` for `address`; return the instant from which it is processed.

    Raises RateLimited if the client's own limits are exceeded, SharedLimitReached for the shared
    ones; then nothing is counted.
    """
    clients = _client_counters(context, visitor)
    domain, *shares = _provider_counters(context, address, visitor)
    all_, slow = (TOTAL, context.limits.total), (SLOW, context.limits.total)
    hits = sorted([*(hit for hit, _ in clients), domain, *shares, slow])
    work[RateStore].lock([key for key, rates in (all_, *hits) if rates])
    _count_client(work, clients, now)
    wait = _hit(work, *domain, now)
    if wait is not None and not (has_proof and any(_hit(work, *it, now) is None for it in shares)):
        words = _retry_message(*_CROWDED, wait)
        raise SharedLimitReached(words, retry_after=wait, limit=Limit.DOMAIN)
    if _hit(work, *all_, now) is None or has_proof:
        return now
    wait = _hit(work, *slow, now)
    if wait is not None:
        words = _retry_message(*_CROWDED, wait)
        raise SharedLimitReached(words, retry_after=wait, limit=Limit.TOTAL)
    return now + SLOW_LANE


def count_client(
    work: Transaction, context: SignupContext, visitor: Visitor, *, now: datetime
) -> None:
    """Count a request of `visitor` that queues nothing. Raises RateLimited."""
    clients = _client_counters(context, visitor)
    work[RateStore].lock(sorted(key for (key, _), _ in clients))
    _count_client(work, clients, now)


def _count_client(work: Transaction, clients: Sequence[tuple[Hit, Limit]], now: datetime) -> None:
    for (key, rates), limit in clients:
        wait = work[RateStore].hit(key, rates, now=now)
        if wait is not None:
            raise RateLimited(_retry_message(*_TOO_MANY, wait), retry_after=wait, limit=limit)


def _client_counters(context: SignupContext, visitor: Visitor) -> list[tuple[Hit, Limit]]:
    """Return a visitor's counters and limits. Requests without the stamp of our forms have half the
    limit."""
    client, network, *site = client_and_networks(visitor.ip)
    net = context.limits.net
    site_rates = tuple(replace(rate, count=rate.count * SITE_SHARE) for rate in net)
    limits = [
        ("ip", client, context.limits.ip, Limit.IP),
        ("net", network, net, Limit.NET),
        *(("net", one, site_rates, Limit.NET) for one in site),
    ]
    hits = list[tuple[Hit, Limit]]()
    for name, who, rates, limit in limits:
        if not visitor.stamped:
            rates = tuple(replace(rate, count=max(1, rate.count // 2)) for rate in rates)
        if rates:
            hits.append(((f"signup/{name}/{context.keys.digest('rate', who)}", rates), limit))
    return hits


def _provider_counters(
    context: SignupContext, address: Address, visitor: Visitor
) -> tuple[Hit, Hit, Hit]:
    """Return the counters of a provider: its limit, the share for proof of work, and the rest that
    each network has once that share is used up."""
    provider, rates = mail_provider(address.domain), context.limits.domain
    share = tuple(replace(rate, count=rate.count * WORKED_SHARE) for rate in rates)
    *_, network = client_and_networks(visitor.ip)
    digest, near = (context.keys.digest("rate", one) for one in (provider, f"{provider} {network}"))
    return (
        (f"signup/domain/{digest}", rates),
        (f"signup/worked/{digest}", share),
        (f"signup/near/{near}", NEAR if rates else ()),
    )


_TOO_MANY = (
    marked("too many requests from your network: try again in a minute"),
    marked_forms(
        "too many requests from your network: try again in %(num)s minute",
        "too many requests from your network: try again in %(num)s minutes",
    ),
)
_CROWDED = (
    marked("too many people are signing up right now: try again in a minute"),
    marked_forms(
        "too many people are signing up right now: try again in %(num)s minute",
        "too many people are signing up right now: try again in %(num)s minutes",
    ),
)


def rate_limit_status(
    context: SignupContext, visitor: Visitor, *, now: datetime
) -> RateLimitStatus | None:
    """Return what the visitor has left of the limit they are closest to; None without limits."""
    with context.database.reading() as work:
        each = [
            work[RateStore].rate_limit_status(key, rate, now=now)
            for (key, rates), _ in _client_counters(context, visitor)
            for rate in rates
        ]
    nearest = min(each, key=lambda one: one.remaining, default=None)
    return None if nearest is None else replace(nearest, policy=POLICY)


def needs_proof_of_work(context: SignupContext, *, now: datetime) -> bool:
    """Return whether sign-ups exceed the limit, so that browsers should solve a challenge to avoid
    the delay."""
    with context.database.reading() as work:
        return any(
            work[RateStore].count(TOTAL, rate.period, now=now) >= rate.count
            for rate in context.limits.total
        )


# --- processing ----------------------------------------------------------------------------------


def lock_mailbox(work: Transaction, context: SignupContext, address: Address) -> None:
    """Lock the counter of a mailbox; call it before locking a person."""
    if context.limits.address:
        work[RateStore].lock([_mailbox_key(context.keys, address.folded)])


def count_email(
    work: Transaction, context: SignupContext, address: Address, *, now: datetime
) -> bool:
    """Count an email to `address`. If its mailbox reached the limit, return False, count nothing,
    and record the request as dropped, for the operator."""
    key = _mailbox_key(context.keys, address.folded)
    if _hit(work, key, context.limits.address, now) is None:
        return True
    note_dropped(work, Drop.MAILBOX, now=now)
    return False


def mailbox_full() -> RateLimited:
    """Return the error for an operator whose email `count_email` did not allow."""
    words = "that mailbox has reached the limit for sign-ups: try again in an hour"
    return RateLimited(words, retry_after=timedelta(hours=1).total_seconds())


def count_reminder(work: Transaction, keys: KeyRing, address: str, *, now: datetime) -> bool:
    """Count a reminder to `address`; return False if it was sent an email within a day."""
    return _hit(work, _mailbox_key(keys, address), ONCE_A_DAY, now) is None


def count_link(work: Transaction, keys: KeyRing, person: SubscriberId, *, now: datetime) -> bool:
    """Count a link that a link of `person` requested; return False if they had enough today.
    Signing them up again does not use up this limit."""
    return _hit(work, f"choices/{keys.digest('rate', f'person {person}')}", LINKS, now) is None


# --- counts for the operator ---------------------------------------------------------------------


def count_refused(database: Database, error: RateLimited, *, now: datetime) -> None:
    """Count a request that a limit refused."""
    if error.limit:
        write(database, lambda work: work[RateStore].hit(REFUSED + error.limit, (), now=now))


def note_dropped(work: Transaction, why: Drop, *, now: datetime) -> None:
    """Count a queued request that was dropped."""
    work[RateStore].hit(DROPPED + why, (), now=now)


def count_requests(work: Transaction, period: timedelta, *, now: datetime) -> RequestTally:
    """Return the queued requests, and those refused and dropped in the last `period`."""
    waiting, oldest_due = work[RequestStore].waiting()
    return RequestTally(
        waiting=waiting,
        oldest_due=oldest_due,
        refused={one: work[RateStore].count(REFUSED + one, period, now=now) for one in Limit},
        dropped={one: work[RateStore].count(DROPPED + one, period, now=now) for one in Drop},
    )


# --- keys ----------------------------------------------------------------------------------------


def _hit(work: Transaction, key: str, rates: Sequence[Rate], now: datetime) -> float | None:
    """Count a hit, as `RateStore.hit` does, unless there is no limit."""
    return work[RateStore].hit(key, rates, now=now) if rates else None


def _mailbox_key(keys: KeyRing, address: str) -> str:
    """Return the key of the counter of the mailbox that `address` reaches."""
    return f"signup/address/{keys.digest('rate', mailbox(address))}"


def _retry_message(soon: str, forms: tuple[str, str], seconds: float) -> str:
    minutes = max(1, round(seconds / 60))
    return soon if minutes == 1 else counted_text(forms, minutes)
