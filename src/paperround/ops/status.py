"""Report the status of an installation, of each list, and the history of one person.

list ─► newest edition, next cut, subscribers due, backlog and its age, late digests,
         people without a digest and why, feeds
pace ─► how many messages wait, how fast they leave, which were late: all from the ledger
person ─► every message sent to them, its papers, and the server's reply
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from paperround.bounces.model import ReturnRecord, ReturnTally
from paperround.bounces.store import ReturnStore
from paperround.core.errors import NotFound
from paperround.core.times import end_of_day, local_date
from paperround.db.slots import SlotStore
from paperround.db.transactions import Database, Transaction
from paperround.delivery.holds import PUT_BACK, SIGNING, is_held
from paperround.delivery.ledger_model import Backlog, LedgerTotals
from paperround.delivery.rate_limits import unreached
from paperround.delivery.rate_state import (
    HORIZON,
    UNLIMITED,
    Pace,
    Pacing,
    RateState,
    pace_in_words,
)
from paperround.delivery.status import (
    MOST_MAILS,
    EditionTally,
    LateMails,
    MailRecord,
    Progress,
    ReasonTally,
    redact_addresses,
)
from paperround.delivery.store.ledger import Ledger
from paperround.delivery.store.rates import PaceStore
from paperround.delivery.store.status import StatusStore
from paperround.delivery.store.system_mail import NoticeLedger
from paperround.editions.lists import ListId, MailingList
from paperround.editions.schedule import newest_cut, next_cut
from paperround.editions.source_pages import feeds_of
from paperround.editions.store.editions import EditionStore
from paperround.editions.store.lists import ListStore
from paperround.feeds.due import polled_feeds
from paperround.feeds.model import LiveFeed
from paperround.ops.plugin_jobs import plugin_jobs
from paperround.ops.tick import SCHEDULER, is_ticking
from paperround.signup.limits import DAY, count_requests
from paperround.subscribers.model import Address, Subscriber, SubscriberId, Subscription
from paperround.subscribers.readers import RequestTally
from paperround.subscribers.store.subscribers import SubscriberStore

LATELY = timedelta(minutes=5)
"""The period over which the pace is measured, or since the first message in it."""

LATE = timedelta(minutes=10)
"""A digest that left this long after its hour is late."""

_SHORTEST = timedelta(seconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class PaceStatus:
    """How fast messages leave. `rate` is the limit of the relay.

    `today` is how many messages left and how many may leave on this day of a new domain's warm-up;
    None for no limit. `unreached` is why the relay cannot be reached, None if it can; `next_try` is
    when an email is next tried again, None if none waits for that. With
    `lacks_keys` mail is held because there is no key to sign it, with `was_put_back` because an
    older copy of the database may be in use.
    """

    rate: Pace = field(default_factory=Pace)
    relay: RateState = field(default_factory=RateState)
    unreached: str | None = None
    next_try: datetime | None = None
    today: tuple[int, int] | None = None
    is_held: bool = False
    lacks_keys: bool = False
    was_put_back: bool = False

    @property
    def allowed(self) -> str:
        """The limit of the relay in words; empty for no limit."""
        return pace_in_words(self.rate)


def pace_status(work: Transaction, pacing: Pacing, *, now: datetime) -> PaceStatus:
    """Return how fast messages leave, and what holds them."""
    today = pacing.warm_up.today(now) if pacing.warm_up else None
    return PaceStatus(
        rate=pacing.relay,
        relay=work[PaceStore].relay(),
        unreached=unreached(work, now=now),
        next_try=work[PaceStore].next_try(),
        today=(work[PaceStore].used(since=today.since, now=now), today.allowance)
        if today
        else None,
        is_held=is_held(work),
        lacks_keys=is_held(work, SIGNING),
        was_put_back=is_held(work, PUT_BACK),
    )


def _late_digests(
    work: Transaction, list_id: ListId, pace: PaceStatus, *, since: datetime, now: datetime
) -> LateMails | None:
    """Summarise digests due since `since` that left late without being deferred; None for none."""
    found = work[StatusStore].late(list_id, since=since, by=LATE, now=now)
    if not found:
        return None
    first = min(first for _, _, first, _ in found)
    last = max(last for _, _, _, last in found)
    count = sum(count for _, count, _, _ in found)
    # The relay is the reason if the digests left about as fast as it allows.
    fastest = (count - 1) * pace.rate.spacing
    is_reason = fastest >= _SHORTEST and abs(last - first - fastest) <= fastest / 4
    return LateMails(
        count=count,
        least=min(first - due for due, _, first, _ in found),
        most=max(last - due for due, _, _, last in found),
        because=f"the relay allows {pace.allowed}" if is_reason else "",
    )


SOON = timedelta(hours=24)
WEEK = timedelta(days=7)
MOST_EDITIONS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class ListStatus:
    """The status of one list. `reasons` are those of messages due since its local midnight.

    `editions` begins with the newest; the others are those with messages still to be sent.
    `of_plugins` is what plugins add, by name.
    """

    mailing_list: MailingList
    subscribers: int
    editions: Sequence[EditionTally]
    next_cut_at: datetime
    due_soon: int
    backlog: Backlog
    last_sent_at: datetime | None
    reasons: Sequence[ReasonTally]
    feeds: Sequence[LiveFeed]
    progress: Progress
    late: LateMails | None
    of_plugins: Mapping[str, Any] = field(default_factory=dict)

    def edition_lateness(self, now: datetime) -> timedelta:
        """Return how long after its cut the newest edition was made; while it is missing, how long
        ago the cut was. A cut before the list was created counts from then, and nothing is missing
        before the list has its first edition."""
        newest = next(iter(self.editions), None)
        if newest is None:
            return timedelta()
        cut_at = newest_cut(self.mailing_list, now).instant
        is_there = newest.cut_at >= cut_at
        made_at = newest.frozen_at if is_there else now
        since = newest.cut_at if is_there else cut_at
        created_at = self.mailing_list.created_at or since
        return max(timedelta(), made_at - max(since, created_at))


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """The status of an installation.

    `returns` counts the bounces and complaints of the last week, `requests` the sign-ups and
    similar requests that wait, and those that limits refused within a day. `is_ticking`: the last
    tick was recent.
    """

    last_tick_at: datetime | None
    is_ticking: bool
    notices: LedgerTotals
    lists: Sequence[ListStatus]
    pace: PaceStatus
    returns: ReturnTally
    requests: RequestTally


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """A person's subscriptions by list, and the messages sent to them, newest first.

    `titles` has the titles of the papers of each of `mails`, in its order; `returned` has the
    bounces and complaints, newest first.
    """

    subscriber: Subscriber
    subscriptions: Mapping[str, Subscription]
    mails: Sequence[MailRecord]
    titles: Sequence[Sequence[str]]
    returned: Sequence[ReturnRecord]


def status(
    database: Database, list_name: str | None, *, now: datetime, pacing: Pacing = UNLIMITED
) -> Status:
    """Return the status of `list_name`, or of every list that is not archived. Raises NotFound for
    an unknown list."""
    with database.reading() as work:
        pace = pace_status(work, pacing, now=now)
        feeds = polled_feeds(work)
        lists = work[ListStore].live() if list_name is None else [work[ListStore].get(list_name)]
        last_tick_at = work[SlotStore].last_beat(SCHEDULER)
        return Status(
            last_tick_at=last_tick_at,
            is_ticking=is_ticking(last_tick_at, now=now),
            notices=work[NoticeLedger].totals(now=now),
            lists=[_list_status(work, one, feeds_of(one, feeds), pace, now) for one in lists],
            pace=pace,
            returns=work[ReturnStore].tally(since=now - WEEK, today=now.date()),
            requests=count_requests(work, DAY, now=now),
        )


def _list_status(
    work: Transaction,
    mailing_list: MailingList,
    feeds: Sequence[LiveFeed],
    pace: PaceStatus,
    now: datetime,
) -> ListStatus:
    id_, zone = mailing_list.id, mailing_list.zone
    midnight = end_of_day(local_date(now, zone) - timedelta(days=1), zone)
    reasons = work[StatusStore].reasons(id_, since=midnight)
    left, first = work[StatusStore].left_since(id_, since=now - LATELY, now=now)
    over = LATELY if first is None else max(now - first, _SHORTEST)
    waiting = work[StatusStore].waiting_now(id_, until=now + HORIZON)
    return ListStatus(
        mailing_list=mailing_list,
        subscribers=work[StatusStore].active(id_),
        editions=work[StatusStore].editions(id_, now=now, limit=MOST_EDITIONS),
        next_cut_at=next_cut(mailing_list, now).instant,
        due_soon=work[StatusStore].due_by(id_, now + SOON),
        backlog=work[Ledger].backlog(id_, now=now),
        last_sent_at=work[Ledger].last_sent(id_),
        reasons=[replace(one, reply=redact_addresses(one.reply)) for one in reasons],
        feeds=feeds,
        progress=Progress(waiting=waiting, left=left, over=over),
        late=_late_digests(work, id_, pace, since=midnight, now=now),
        of_plugins={
            name: value
            for one in plugin_jobs()
            for name, value in one.list_status(work, mailing_list.name).items()
        },
    )


def history(database: Database, address: Address) -> History:
    """Return what was sent to a person, and the results. Raises NotFound for an unknown address."""
    with database.reading() as work:
        subscriber = work[SubscriberStore].find(address)
        if subscriber is None:
            raise NotFound(f"there is no subscriber {address.written}, or they were erased")
    return history_of(database, subscriber.id)


def history_of(database: Database, person: SubscriberId) -> History:
    """Return the history of a person, or of a channel, by its number. Raises NotFound."""
    with database.reading() as work:
        subscriber = work[SubscriberStore].get(person)
        if subscriber is None:
            raise NotFound(f"there is no subscriber {person}")
        mails = work[StatusStore].mails(subscriber.id, limit=MOST_MAILS)
        shown = {mail.edition_id for mail in mails if mail.edition_id and mail.positions}
        titles = {
            one: {paper.position: paper.title for paper in work[EditionStore].get(one).all_papers}
            for one in shown
        }
        names = {one.id: one.name for one in work[ListStore].all()}
        subscriptions = work[SubscriberStore].subscriptions_of(subscriber.id)
        returned = work[ReturnStore].events(subscriber.id, limit=MOST_MAILS)
    return History(
        subscriber=subscriber,
        subscriptions={names[one.list_id]: one for one in subscriptions},
        mails=mails,
        titles=[
            [titles[mail.edition_id][position] for position in mail.positions]
            if mail.edition_id
            else []
            for mail in mails
        ],
        returned=returned,
    )
