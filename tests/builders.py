"""Values with good defaults. A test names only what it is about."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from paperround.bounces.model import ReportKind, ReturnedEvent
from paperround.core.i18n.localize import english_reason
from paperround.core.interfaces import Worker
from paperround.db.transactions import Database, Transaction
from paperround.delivery.ledger_model import Claimed, NewDelivery, Shard, Transition
from paperround.delivery.model import Evidence, Lease
from paperround.delivery.store.erasure import Erasure
from paperround.delivery.store.ledger import Ledger
from paperround.editions.lists import MailingList, Window
from paperround.editions.model import (
    DeliveryId,
    DeliveryState,
    DigestKind,
    Edition,
    EditionPaper,
    NewEdition,
)
from paperround.editions.schedule import DIGEST_LIFE
from paperround.editions.store.editions import EditionStore
from paperround.editions.store.lists import ListStore
from paperround.feeds.store.feeds import FeedStore
from paperround.papers.identifiers import title_key
from paperround.papers.model import Listing, Observation, Paper, PaperId, PaperWrite, Show
from paperround.papers.store.papers import PaperStore
from paperround.subscribers.model import (
    Address,
    Consent,
    ImportedSubscriber,
    Preferences,
    SubscriberId,
    SubscriberState,
    Subscription,
    SubscriptionId,
)
from paperround.subscribers.readers import ExportPlace
from paperround.subscribers.store.subscribers import SubscriberStore

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
DAY = NOW.date()
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
TOKEN = "t1"


# --- papers ------------------------------------------------------------------------------------


def paper(number: int = 1, **changes: object) -> Paper:
    """The paper `number`; a new one, with a negative id, unless `id` is given."""
    title = f"A study of {number} things"
    fresh = Paper(
        id=PaperId(-number),
        identifiers={
            "arxiv": f"2603.{number:05}",
            "title_key": title_key(title, ("Ada Ring",), DAY.year),
        },
        title=title,
        abstract=f"We count {number} things and say what follows.",
        authors=("Ada Ring", "Bo Stone"),
        categories=("cs.LG",),
        links={"abstract": f"https://papers.example/abs/{number}"},
        counts_from=NOW - HOUR,
        listed_on=DAY,
    )
    return replace(fresh, **changes)  # type: ignore[arg-type]


def write(value: Paper, *, text_changed: bool = False) -> PaperWrite:
    """The write that stores `value`: an insert when its id is provisional."""
    return PaperWrite(
        paper=value,
        is_new=value.id < 0,
        text_changed=text_changed,
    )


def listing(paper_id: PaperId, fingerprint: str = "f1", listed_on: date | None = DAY) -> Listing:
    """A feed's claim on a paper."""
    return Listing(paper_id=paper_id, fingerprint=fingerprint, listed_on=listed_on)


def observation(value: int, *, at: datetime = NOW, signal: str = "upvotes") -> Observation:
    """A count as seen at `at`."""
    return Observation(signal=signal, captured_at=at, value=value)


def window(days: int = 7, as_of: datetime = NOW) -> Window:
    """What an edition of `as_of` may know."""
    return Window(as_of - timedelta(days=days), as_of)


# --- editions ----------------------------------------------------------------------------------


def edition_paper(position: int, paper_id: PaperId) -> EditionPaper:
    """A paper as an edition froze it."""
    return EditionPaper(
        position=position,
        paper_id=paper_id,
        title=f"A study of {position} things",
        authors=("Ada Ring", "Bo Stone"),
        gist="We count things.",
        links={"abstract": f"https://papers.example/abs/{position}"},
        identifiers={"arxiv": f"2603.{position:05}"},
        score=1.5 / position,
        parts={"votes": 1.0 / position, "text": 0.5 / position},
        reason="Upvoted by many today",
        votes=10 - position,
        comments=None,
        show=Show.FULL,
    )


def new_edition(
    mailing_list: MailingList, papers: tuple[PaperId, ...] = (), *, cut: str = "0", day: date = DAY
) -> NewEdition:
    """An edition of `papers` in that order."""
    return NewEdition(
        list_id=mailing_list.id,
        day=day,
        cut=cut,
        as_of=NOW,
        frozen_at=NOW,
        cut_at=NOW,
        ranker="votes 1",
        papers=tuple(edition_paper(place, one) for place, one in enumerate(papers, start=1)),
        empty_reason=None if papers else "no-papers-at-all",
    )


# --- subscribers -------------------------------------------------------------------------------


def address(name: str = "alice", domain: str = "mail.example") -> Address:
    """An address as it is parsed."""
    written = f"{name}@{domain}"
    return Address(written=written, mailed=written)


def imported(
    name: str = "alice",
    state: SubscriberState = SubscriberState.ACTIVE,
    *,
    preferences: Preferences | None = None,
) -> ImportedSubscriber:
    """One good row of a subscriber file."""
    return ImportedSubscriber(
        address=address(name),
        state=state,
        consent=Consent(at=NOW - timedelta(days=30), source="web form"),
        preferences=preferences or Preferences(),
        nonce=f"nonce-{name}",
    )


# --- what comes back ---------------------------------------------------------------------------


def returned_event(**changes: object) -> ReturnedEvent:
    """A bounce that says the address is gone, about a mail nobody knows."""
    event = ReturnedEvent(
        way="pipe",
        event_id="event 1",
        kind=ReportKind.BOUNCE,
        evidence=Evidence.GONE,
        happened_at=NOW,
        code="5.1.1",
        said="550 5.1.1 no such user",
    )
    return replace(event, **changes)  # type: ignore[arg-type]


# --- deliveries --------------------------------------------------------------------------------


def new_delivery(
    subscription: Subscription,
    papers: tuple[PaperId, ...] = (),
    *,
    state: DeliveryState = DeliveryState.QUEUED,
    kind: DigestKind = DigestKind.DIGEST,
    reason: str = "",
    due_at: datetime = NOW,
    day: date = DAY,
) -> NewDelivery:
    """The ledger row of a digest of `papers`, which stand at positions 1, 2, ..."""
    who = f"{subscription.list_id}-{subscription.subscriber_id}-{kind}-{day}"
    return NewDelivery(
        subscriber_id=subscription.subscriber_id,
        subscription_id=subscription.id,
        kind=kind,
        local_date=day,
        state=state,
        reason=reason,
        due_at=due_at,
        expires_at=due_at + DIGEST_LIFE,
        message_id=f"<{who}@papers.example>",
        dated=due_at,
        key_id="k001",
        nonce=f"nonce-{who}",
        papers=tuple((one, place) for place, one in enumerate(papers, start=1)),
    )


def shard(number: int = 0, through: int = 1_000_000) -> Shard:
    """A page of subscriptions."""
    return Shard(number=number, after=SubscriptionId(0), through=SubscriptionId(through))


def lease(token: str = TOKEN, *, until: datetime = NOW + 15 * MINUTE, pid: int = 100) -> Lease:
    """A claim by the process `pid` of one host."""
    return Lease(worker=Worker(host="north", pid=pid, started="s1"), until=until, token=token)


def move(row: Claimed | DeliveryId, state: DeliveryState, *, token: str = TOKEN) -> Transition:
    """What became of a claimed row; a deferred one is due again in five minutes."""
    retry = NOW + 5 * MINUTE if state is DeliveryState.DEFERRED else None
    id_ = row.id if isinstance(row, Claimed) else row
    reason = f"it is {state}"
    return Transition(
        id=id_, token=token, state=state, reason=reason, code=250, reply="ok", next_at=retry
    )


# --- a database with something in it -----------------------------------------------------------


def seed_list(database: Database) -> MailingList:
    """The default list."""
    with database.writing() as work:
        return work[ListStore].ensure_default(zone="UTC", now=NOW)


def seed_papers(database: Database, count: int) -> tuple[PaperId, ...]:
    """The papers 1 to `count`, listed by the feed `hf`."""
    with database.writing() as work:
        feed = work[FeedStore].get_or_create("hf", "hf", now=NOW)
        real = work[PaperStore].save([write(paper(n)) for n in range(1, count + 1)], now=NOW)
        ids = tuple(real[PaperId(-n)] for n in range(1, count + 1))
        work[PaperStore].list_papers(feed.id, [listing(one) for one in ids], now=NOW)
    return ids


def seed_subscribers(
    database: Database, mailing_list: MailingList, names: tuple[str, ...]
) -> list[Subscription]:
    """Active subscriptions of these people, in that order."""
    with database.writing() as work:
        for name in names:
            work[SubscriberStore].put(imported(name), mailing_list.id, now=NOW)
        return [_subscription(work, name, mailing_list) for name in names]


def _subscription(work: Transaction, name: str, mailing_list: MailingList) -> Subscription:
    person = work[SubscriberStore].find(address(name))
    assert person is not None
    found = work[SubscriberStore].subscription(person.id, mailing_list.id)
    assert found is not None
    return found


def seed_edition(
    database: Database, mailing_list: MailingList, papers: tuple[PaperId, ...], *, cut: str = "0"
) -> Edition:
    """A frozen edition of `papers`."""
    with database.writing() as work:
        return work[EditionStore].freeze(new_edition(mailing_list, papers, cut=cut))


def plan(database: Database, edition: Edition, rows: list[NewDelivery]) -> int:
    """Plan `rows` as one shard; returns how many went in."""
    with database.writing() as work:
        return work[Ledger].plan(edition.id, edition.list_id, rows, shard(), now=NOW)


def everything_kept(work: Transaction, person: SubscriberId) -> dict[str, list[Any]]:
    """Every row that is kept about a person, by table, read in pages of one."""
    kept: dict[str, list[Any]] = {}
    place: ExportPlace | None = ExportPlace()
    while place is not None:
        page = work[Erasure].kept_about(person, place, limit=1)
        kept.setdefault(page.table, []).extend(page.rows)
        place = page.next
    return kept


def english(frozen: str) -> str:
    """A frozen reason in English."""
    return english_reason(frozen)


def in_english(reasons: Mapping[int, str]) -> dict[int, str]:
    """Frozen reasons by position, as English."""
    return {place: english(why) for place, why in reasons.items()}
