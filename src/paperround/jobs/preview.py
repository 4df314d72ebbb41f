"""Preview: the mail somebody would get, without planning or sending anything."""

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from paperround.domain.digests import DigestKind, DigestMail, Letterhead, SkipReason, is_weekly
from paperround.domain.editions import Edition
from paperround.domain.errors import NotFound
from paperround.domain.gist import choose_gist
from paperround.domain.interests import Interest
from paperround.domain.ledger import Slip, parts_by_position
from paperround.domain.lists import MANUAL_CUT, ListId, MailingList
from paperround.domain.papers import PaperId
from paperround.domain.subscribers import (
    Address,
    Frequency,
    Preferences,
    Subscriber,
    SubscriberId,
    SubscriberState,
    Subscription,
    SubscriptionId,
)
from paperround.domain.times import local_date
from paperround.jobs.compose import digest_mail, sheet_of
from paperround.jobs.opinions import Opinions
from paperround.jobs.ports import GistChooser, Ranker
from paperround.jobs.publish import draft, sources_told, standing_edition, unfrozen
from paperround.jobs.rank import rank_list
from paperround.jobs.risers import risers_told
from paperround.jobs.rows import Identity, RowMaker, row_maker
from paperround.store.unit_of_work import Database, UnitOfWork

SOMEBODY = "reader@example.org"
"""The address of a preview that is for nobody in particular."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """The mail, or why there would be none. `planned`: these are the bytes of a ledger row."""

    edition: Edition
    mail: DigestMail | None
    skipped: SkipReason | None = None
    planned: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """Choices that somebody only tries: nothing of them is kept. `interests` None: those that are
    kept. A pause and a day of the week do not matter: the digest after them is shown."""

    preferences: Preferences
    interests: tuple[Interest, ...] | None = None

    @property
    def daily(self) -> Preferences:
        """The choices for a digest that comes now."""
        return replace(self.preferences, frequency=Frequency.DAILY, weekday=None, paused_until=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reader:
    address: str
    subscription: Subscription
    already_sent: frozenset[PaperId]
    planned: "_Made | None"
    maker: RowMaker


@dataclass(frozen=True, slots=True, kw_only=True)
class _Made:
    """What a mail is made of. The edition holds every paper of it."""

    slip: Slip
    edition: Edition


def preview(
    *,
    database: Database,
    ranker: Ranker,
    identity: Identity,
    letterhead: Letterhead,
    list_name: str,
    day: date | None,
    reader: Address | None,
    now: datetime,
    gist: GistChooser = choose_gist,
    opinions: Opinions | None = None,
    afresh: bool = False,
    tried: Tried | None = None,
) -> Preview:
    """The digest of `reader` (None: somebody new) from the frozen edition, else from one drafted.

    A mail of that edition that is made or out is shown as it is; `afresh` shows what would come
    after it, by the choices that hold now, or those that are `tried`, where the edition has more.

    Raises NotFound for an unknown list or subscriber.
    """
    mailing_list, standing = standing_edition(
        database=database, list_name=list_name, day=day, cut=MANUAL_CUT, now=now
    )
    if standing is None:
        standing = _newest_of_day(database, mailing_list, day, now)
    if standing is None:
        ranked = rank_list(database=database, ranker=ranker, list_name=list_name, day=day, now=now)
        told = sources_told(database, ranked)
        risers = risers_told(database, ranked, MANUAL_CUT)
        drafted = draft(ranked, MANUAL_CUT, now, sources=told, gist=gist, risers=risers)
        edition = unfrozen(drafted, mailing_list.name)
    else:
        edition = standing
    with database.reading() as work:
        person = _reader(work, identity, mailing_list, edition, reader, now, opinions, tried)
    made = _made(person, now) if afresh or not person.planned else person.planned
    if made is SkipReason.NO_NEW_PAPERS:
        made = person.planned or made
    if isinstance(made, SkipReason):
        return Preview(edition=edition, mail=None, skipped=made)
    sheet = sheet_of(made.edition, mailing_list.title, letterhead, size=mailing_list.size)
    mail = digest_mail(sheet, made.slip, identity.keys)
    return Preview(edition=edition, mail=mail, planned=made is person.planned)


def _newest_of_day(
    database: Database, mailing_list: MailingList, day: date | None, now: datetime
) -> Edition | None:
    """What people whose hour comes now would get, when it is of the day that is asked for."""
    day = day or local_date(now, mailing_list.zone)
    with database.reading() as work:
        newest = work.editions.newest(mailing_list.id, by=now)
    return newest if newest is not None and newest.day == day else None


def _reader(
    work: UnitOfWork,
    identity: Identity,
    mailing_list: MailingList,
    edition: Edition,
    address: Address | None,
    now: datetime,
    opinions: Opinions | None,
    tried: Tried | None,
) -> _Reader:
    subscriber, subscription = _subscribed(work, mailing_list, address)
    interests = None
    if tried is not None:
        subscription = replace(
            subscription, preferences=tried.daily, state=SubscriberState.ACTIVE, resting_until=None
        )
        if tried.interests is not None:
            interests = {subscription.subscriber_id: tried.interests} if tried.interests else {}
    sent = {} if subscriber is None else work.subscribers.already_sent([subscriber.id])
    return _Reader(
        address=SOMEBODY if subscriber is None else subscriber.address,
        subscription=subscription,
        already_sent=sent.get(subscription.subscriber_id, frozenset()),
        planned=None if subscriber is None else _planned(work, edition, subscriber),
        maker=row_maker(
            work,
            identity,
            edition,
            mailing_list,
            [subscription],
            now=now,
            opinions=None if subscriber is None and tried is None else opinions,
            interests=interests,
            is_week=is_weekly(subscription),
        ),
    )


def _subscribed(
    work: UnitOfWork, mailing_list: MailingList, address: Address | None
) -> tuple[Subscriber | None, Subscription]:
    """The person at `address` and their subscription; for None that of somebody new."""
    if address is None:
        return None, _somebody(mailing_list.id)
    subscriber = work.subscribers.find(address)
    if subscriber is None:
        raise _not_on_list(address, mailing_list)
    subscription = work.subscribers.subscription(subscriber.id, mailing_list.id)
    if subscription is None:
        raise _not_on_list(address, mailing_list)
    return subscriber, subscription


def _not_on_list(address: Address, mailing_list: MailingList) -> NotFound:
    return NotFound(f"{address.written} is not on the list {mailing_list.name}")


def _planned(work: UnitOfWork, edition: Edition, subscriber: Subscriber) -> _Made | None:
    """The mail of this edition that waits for the person or is out, whatever the date is there."""
    for offset in (0, -1, 1):
        day = edition.day + timedelta(days=offset)
        row = work.ledger.find(edition.list_id, subscriber.id, DigestKind.DIGEST, day)
        if row is not None and row.edition_id == edition.id and row.positions:
            return _Made(slip=row, edition=work.editions.get(edition.id))
    return None


def _somebody(list_id: ListId) -> Subscription:
    return Subscription(
        id=SubscriptionId(0),
        subscriber_id=SubscriberId(0),
        list_id=list_id,
        state=SubscriberState.ACTIVE,
    )


def _made(person: _Reader, now: datetime) -> _Made | SkipReason:
    """What planning would write, but for its row number."""
    maker, edition = person.maker, person.maker.edition
    choice = maker.choose(person.subscription, person.already_sent, edition.day)
    if isinstance(choice, SkipReason):
        return choice
    row = maker.row(person.subscription, choice, edition.day, due_at=now, now=now)
    slip = Slip(
        row=0,
        edition_id=edition.id,
        address=person.address,
        positions=choice.positions,
        local_date=row.local_date,
        message_id=row.message_id,
        dated=row.dated,
        key_id=row.key_id,
        nonce=row.nonce,
        reasons=row.reasons,
        parts=parts_by_position(choice.positions, row.parts),
        withdrawn=row.withdrawn,
        language=row.language,
    )
    return _Made(slip=slip, edition=replace(edition, behind=row.behind))
