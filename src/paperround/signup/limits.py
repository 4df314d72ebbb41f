"""How often somebody may ask for a mail, and how often one is written to a mailbox.

    as it comes    client address, its network    too often: 429, with the seconds to wait
                   provider of the mailbox        too often: 503, unless work was done for it
                   all requests                   too often: half an hour later, then 503
    worked on      mailbox                        too often: no mail, and the operator hears of it

What is counted as a request comes says nothing of who is known: it is counted alike for everybody.
Somebody who did the work that a form asks for (`worked`), or holds a mailed link, has a share of
the provider's limit of their own, and behind it some in each network: a flood, with or without
work, shuts nobody out who did some and is not in the flood's own networks.

Counts are kept under keyed hashes: nobody reads an address from them. Each request locks all that
it may hit at once, and in one order, so that two of them never wait for each other.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from paperround.access.rate_limiter import client_and_networks
from paperround.core.errors import Crowded, RateLimited
from paperround.core.languages import counted_text, marked, marked_forms
from paperround.core.rates import Rate, RateLimitStatus
from paperround.core.tokens import KeyRing
from paperround.db.limits import RateStore
from paperround.db.transactions import Database, Transaction, write
from paperround.signup.context import SignupContext
from paperround.subscribers.mailboxes import mail_provider, mailbox
from paperround.subscribers.model import Address, SubscriberId
from paperround.subscribers.readers import Visitor
from paperround.subscribers.requests import Drop, Limit, RequestTally
from paperround.subscribers.store.requests import RequestStore

SLOW_LANE = timedelta(minutes=30)
"""How long a request waits when there are more than usual and no work was done for it."""

POLICY = "sign-ups"
"""What the limits of clients are called to programs."""

TOTAL = "signup/total"
SLOW = "signup/slow"
REFUSED, DROPPED = "signup/refused/", "signup/dropped/"

WORKED_SHARE = 5
"""How many times the limit of a provider those have who did the work, beside it."""

NEAR = (Rate(3, timedelta(hours=1)),)
"""How many of them each network has beside that share: a flood that does the work fills the share,
and shuts out only the networks that it comes from."""

SITE_SHARE = 4
"""A /48 may ask as often as so many networks: some providers give one to each customer, others to
two hundred of them."""


DAY = timedelta(hours=24)
ONCE_A_DAY = (Rate(1, DAY),)
LINKS = (Rate(3, DAY),)
"""Links to their choices that whoever holds an old one may have mailed to a reader."""

Hit = tuple[str, tuple[Rate, ...]]

# --- as a request comes --------------------------------------------------------------------------


def due_instant(
    work: Transaction,
    desk: SignupContext,
    address: Address,
    visitor: Visitor,
    *,
    worked: bool,
    now: datetime,
) -> datetime:
    """Count a request of `visitor` for `address`, and say from when on it is worked on.

    Raises RateLimited for a client or a network that asks too often, and Crowded where others do;
    then nothing is counted.
    """
    clients = _client_hits(desk, visitor)
    domain, *shares = _domain_hits(desk, address, visitor)
    all_, slow = (TOTAL, desk.limits.total), (SLOW, desk.limits.total)
    hits = sorted([*(hit for hit, _ in clients), domain, *shares, slow])
    work[RateStore].lock([key for key, rates in (all_, *hits) if rates])
    _count_client(work, clients, now)
    wait = _hit(work, *domain, now)
    if wait is not None and not (worked and any(_hit(work, *one, now) is None for one in shares)):
        raise Crowded(_crowded(wait), retry_after=wait, limit=Limit.DOMAIN)
    if _hit(work, *all_, now) is None or worked:
        return now
    wait = _hit(work, *slow, now)
    if wait is not None:
        raise Crowded(_crowded(wait), retry_after=wait, limit=Limit.TOTAL)
    return now + SLOW_LANE


def count_client(
    work: Transaction, desk: SignupContext, visitor: Visitor, *, now: datetime
) -> None:
    """Count a request of `visitor` that asks for nothing. Raises RateLimited."""
    clients = _client_hits(desk, visitor)
    work[RateStore].lock(sorted(key for (key, _), _ in clients))
    _count_client(work, clients, now)


def _count_client(work: Transaction, clients: Sequence[tuple[Hit, Limit]], now: datetime) -> None:
    for (key, rates), limit in clients:
        wait = work[RateStore].hit(key, rates, now=now)
        if wait is not None:
            raise RateLimited(_later(*_TOO_MANY, wait), retry_after=wait, limit=limit)


def _client_hits(desk: SignupContext, visitor: Visitor) -> list[tuple[Hit, Limit]]:
    """What a visitor is measured by. Who comes without a stamp of one of our forms may ask half as
    often."""
    client, network, *site = client_and_networks(visitor.ip)
    net = desk.limits.net
    whole = tuple(replace(rate, count=rate.count * SITE_SHARE) for rate in net)
    limits = [
        ("ip", client, desk.limits.ip, Limit.IP),
        ("net", network, net, Limit.NET),
        *(("net", one, whole, Limit.NET) for one in site),
    ]
    hits = list[tuple[Hit, Limit]]()
    for name, who, rates, limit in limits:
        if not visitor.stamped:
            rates = tuple(replace(rate, count=max(1, rate.count // 2)) for rate in rates)
        if rates:
            hits.append(((f"signup/{name}/{desk.keys.digest('rate', who)}", rates), limit))
    return hits


def _domain_hits(desk: SignupContext, address: Address, visitor: Visitor) -> tuple[Hit, Hit, Hit]:
    """The limit of a provider; the share of those who did work; and what of them is let in from
    each network where that share is used up."""
    provider, rates = mail_provider(address.domain), desk.limits.domain
    share = tuple(replace(rate, count=rate.count * WORKED_SHARE) for rate in rates)
    *_, network = client_and_networks(visitor.ip)
    digest, near = (desk.keys.digest("rate", one) for one in (provider, f"{provider} {network}"))
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
    marked("very many people sign up just now: try again in a minute"),
    marked_forms(
        "very many people sign up just now: try again in %(num)s minute",
        "very many people sign up just now: try again in %(num)s minutes",
    ),
)


def _crowded(wait: float) -> str:
    return _later(*_CROWDED, wait)


def standing(desk: SignupContext, visitor: Visitor, *, now: datetime) -> RateLimitStatus | None:
    """What is left to a visitor, of the limit they are nearest to; None without limits."""
    with desk.database.reading() as work:
        return standing_of(work, desk, visitor, now=now)


def standing_of(
    work: Transaction, desk: SignupContext, visitor: Visitor, *, now: datetime
) -> RateLimitStatus | None:
    """The same, as the transaction of a request sees it."""
    each = [
        work[RateStore].standing(key, rate, now=now)
        for (key, rates), _ in _client_hits(desk, visitor)
        for rate in rates
    ]
    nearest = min(each, key=lambda one: one.remaining, default=None)
    return None if nearest is None else replace(nearest, policy=POLICY)


def must_work(desk: SignupContext, *, now: datetime) -> bool:
    """Whether so many sign up that a browser should do some work first; without it they wait."""
    with desk.database.reading() as work:
        return any(
            work[RateStore].count(TOTAL, rate.period, now=now) >= rate.count
            for rate in desk.limits.total
        )


# --- as it is worked on --------------------------------------------------------------------------


def lock_mailbox(work: Transaction, desk: SignupContext, address: Address) -> None:
    """Lock the count of a mailbox, before any person is locked."""
    if desk.limits.address:
        work[RateStore].lock([_mailbox_key(desk.keys, address.folded)])


def may_mail(work: Transaction, desk: SignupContext, address: Address, *, now: datetime) -> bool:
    """Count a mail to `address`; False, and nothing counted, when its mailbox had enough. That is
    told to the operator: the request for it is dropped."""
    key = _mailbox_key(desk.keys, address.folded)
    if _hit(work, key, desk.limits.address, now) is None:
        return True
    note_dropped(work, Drop.MAILBOX, now=now)
    return False


def may_remind(work: Transaction, keys: KeyRing, address: str, *, now: datetime) -> bool:
    """Count a reminder to `address`; False when it was mailed within a day."""
    return _hit(work, _mailbox_key(keys, address), ONCE_A_DAY, now) is None


def may_link(work: Transaction, keys: KeyRing, person: SubscriberId, *, now: datetime) -> bool:
    """Count a link that a link of `person` asks for; False when they had enough for today. Nobody
    who signs them up anew can use this up."""
    return _hit(work, f"choices/{keys.digest('rate', f'person {person}')}", LINKS, now) is None


# --- what the operator hears ---------------------------------------------------------------------


def note_refused(database: Database, error: RateLimited, *, now: datetime) -> None:
    """Count a request that a limit refused, for the operator."""
    if error.limit:
        write(database, lambda work: work[RateStore].hit(REFUSED + error.limit, (), now=now))


def note_dropped(work: Transaction, why: Drop, *, now: datetime) -> None:
    """Count a request that came to nothing as it was worked on."""
    work[RateStore].hit(DROPPED + why, (), now=now)


def tally(work: Transaction, period: timedelta, *, now: datetime) -> RequestTally:
    """What waits, and what became of others in the last `period`."""
    waiting, oldest_due = work[RequestStore].waiting()
    return RequestTally(
        waiting=waiting,
        oldest_due=oldest_due,
        refused={one: work[RateStore].count(REFUSED + one, period, now=now) for one in Limit},
        dropped={one: work[RateStore].count(DROPPED + one, period, now=now) for one in Drop},
    )


# --- keys ----------------------------------------------------------------------------------------


def _hit(work: Transaction, key: str, rates: Sequence[Rate], now: datetime) -> float | None:
    """As the store's; what has no limit need not be counted."""
    return work[RateStore].hit(key, rates, now=now) if rates else None


def _mailbox_key(keys: KeyRing, address: str) -> str:
    """What is counted for the mailbox that `address` reaches."""
    return f"signup/address/{keys.digest('rate', mailbox(address))}"


def _later(soon: str, forms: tuple[str, str], seconds: float) -> str:
    minutes = max(1, round(seconds / 60))
    return soon if minutes == 1 else counted_text(forms, minutes)
