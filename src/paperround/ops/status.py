"""Status: what an operator wants to know in the morning, for each list and for one person.

list ─► newest edition, next cut, who is due, what waits and for how long, who got theirs late,
         who got nothing and why, its feeds
pace ─► how many wait, how fast they leave, which came late: all from the record
person ─► every mail written to them, what it held, and what the server said
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from paperround.bounces.model import ReturnRecord, ReturnTally
from paperround.bounces.store import ReturnStore
from paperround.core.errors import NotFound
from paperround.core.times import end_of_day, local_date
from paperround.db.slots import SlotStore
from paperround.db.transactions import Database, Transaction
from paperround.delivery.channel_model import Channel
from paperround.delivery.holds import is_held, lacks_keys
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
from paperround.delivery.restore_guard import is_put_back
from paperround.delivery.status import (
    EditionTally,
    LateMails,
    MailRecord,
    Progress,
    ReasonTally,
)
from paperround.delivery.status_text import MOST_MAILS, without_addresses
from paperround.delivery.store.channels import ChannelStore
from paperround.delivery.store.ledger import Ledger
from paperround.delivery.store.rates import PaceStore
from paperround.delivery.store.status import StatusStore
from paperround.delivery.store.system_mail import NoticeLedger
from paperround.editions.lists import ListId, MailingList
from paperround.editions.schedule import next_cut
from paperround.editions.source_pages import feeds_of
from paperround.editions.store.editions import EditionStore
from paperround.editions.store.lists import ListStore
from paperround.feeds.due import polled_feeds
from paperround.feeds.model import LiveFeed
from paperround.ops.tick import SCHEDULER
from paperround.signup.limits import DAY, tally
from paperround.subscribers.model import Address, Subscriber, SubscriberId, Subscription
from paperround.subscribers.requests import RequestTally
from paperround.subscribers.store.subscribers import SubscriberStore

LATELY = timedelta(minutes=5)
"""What the pace is measured over, or since the first mail within it."""

LATE = timedelta(minutes=10)
"""A digest that left this long after its hour came late."""

_LEAST = timedelta(seconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class PaceStatus:
    """How fast messages leave. `rate` is what the relay takes.

    `today` are the mails that left and those that may, on a new domain's day; None for no limit.
    `unreached` is why the relay cannot be reached, None when it can. `lacks_keys`: mail is held
    for want of a key to sign it with. `was_put_back`: mail is held because an older copy of the
    database may be in use.
    """

    rate: Pace = field(default_factory=Pace)
    relay: RateState = field(default_factory=RateState)
    unreached: str | None = None
    today: tuple[int, int] | None = None
    is_held: bool = False
    lacks_keys: bool = False
    was_put_back: bool = False

    @property
    def allowed(self) -> str:
        """What the relay takes, in words; empty for no limit."""
        return pace_in_words(self.rate)


def pace_status(work: Transaction, pacing: Pacing, *, now: datetime) -> PaceStatus:
    """How fast messages leave."""
    today = pacing.warm_up.today(now) if pacing.warm_up else None
    return PaceStatus(
        rate=pacing.relay,
        relay=work[PaceStore].relay(),
        unreached=unreached(work, now=now),
        today=(work[PaceStore].used(since=today.since, now=now), today.allowance)
        if today
        else None,
        is_held=is_held(work),
        lacks_keys=lacks_keys(work),
        was_put_back=is_put_back(work),
    )


def late_of(
    work: Transaction, list_id: ListId, pace: PaceStatus, *, since: datetime, now: datetime
) -> LateMails | None:
    """The digests due since then that came late though nobody put them off; None for none."""
    found = work[StatusStore].late(list_id, since=since, by=LATE, now=now)
    if not found:
        return None
    first = min(first for _, _, first, _ in found)
    last = max(last for _, _, _, last in found)
    count = sum(count for _, count, _, _ in found)
    # the relay is the reason where the record says so: these left about as fast as it allows
    fastest = (count - 1) * pace.rate.spacing
    is_reason = fastest >= _LEAST and abs(last - first - fastest) <= fastest / 4
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
    """How one list stands. `reasons` are those of mails due since its local midnight.

    `editions` begins with the newest one; the others are those whose mails still live.
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
    channels: Sequence[Channel] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """How an installation stands. `last_tick_at`: when something last looked at what is due;
    `returns` what came back in the last week, `requests` the sign-ups and the like that wait, and
    what limits refused within a day."""

    last_tick_at: datetime | None
    notices: LedgerTotals
    lists: Sequence[ListStatus]
    pace: PaceStatus
    returns: ReturnTally
    requests: RequestTally


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """A person's subscriptions by list, and their mails, newest first.

    `titles` are those of the papers each digest of `mails` holds, in its order; `returned` is what
    came back, newest first.
    """

    subscriber: Subscriber
    subscriptions: Mapping[str, Subscription]
    mails: Sequence[MailRecord]
    titles: Sequence[Sequence[str]]
    returned: Sequence[ReturnRecord]


def status(
    database: Database, list_name: str | None, *, now: datetime, pacing: Pacing = UNLIMITED
) -> Status:
    """How `list_name` stands, or every list. Raises NotFound for a list there is not."""
    with database.reading() as work:
        pace = pace_status(work, pacing, now=now)
        feeds = polled_feeds(work)
        lists = work[ListStore].all() if list_name is None else [work[ListStore].get(list_name)]
        return Status(
            last_tick_at=work[SlotStore].last_beat(SCHEDULER),
            notices=work[NoticeLedger].totals(now=now),
            lists=[_of_list(work, one, feeds_of(one, feeds), pace, now) for one in lists],
            pace=pace,
            returns=work[ReturnStore].tally(since=now - WEEK, today=now.date()),
            requests=tally(work, DAY, now=now),
        )


def _of_list(
    work: Transaction,
    mailing_list: MailingList,
    feeds: Sequence[LiveFeed],
    pace: PaceStatus,
    now: datetime,
) -> ListStatus:
    id_, zone = mailing_list.id, mailing_list.zone
    midnight = end_of_day(local_date(now, zone) - timedelta(days=1), zone)
    reasons = work[StatusStore].reasons(id_, since=midnight)
    # how many digests may leave and wait, and how fast others left lately
    left, first = work[StatusStore].left_since(id_, since=now - LATELY, now=now)
    over = LATELY if first is None else max(now - first, _LEAST)
    waiting = work[StatusStore].waiting_now(id_, until=now + HORIZON)
    return ListStatus(
        mailing_list=mailing_list,
        subscribers=work[StatusStore].active(id_),
        editions=work[StatusStore].editions(id_, now=now, limit=MOST_EDITIONS),
        next_cut_at=next_cut(mailing_list, now).instant,
        due_soon=work[StatusStore].due_by(id_, now + SOON),
        backlog=work[Ledger].backlog(id_, now=now),
        last_sent_at=work[Ledger].last_sent(id_),
        reasons=[replace(one, reply=without_addresses(one.reply)) for one in reasons],
        feeds=feeds,
        progress=Progress(waiting=waiting, left=left, over=over),
        late=late_of(work, id_, pace, since=midnight, now=now),
        channels=[one for one in work[ChannelStore].all() if one.list_name == mailing_list.name],
    )


def history(database: Database, address: Address) -> History:
    """What was sent to a person and what came of it. Raises NotFound for a stranger."""
    with database.reading() as work:
        subscriber = work[SubscriberStore].find(address)
        if subscriber is None:
            raise NotFound(f"nobody is known as {address.written}, or they were erased")
    return history_of(database, subscriber.id)


def history_of(database: Database, person: SubscriberId) -> History:
    """The same by the number of a person, or of a channel. Raises NotFound."""
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
