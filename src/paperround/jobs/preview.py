"""Preview: the mail somebody would get, without planning or sending anything."""

from dataclasses import dataclass
from datetime import date, datetime

from paperround.domain.digests import DigestKind, DigestMail, Letterhead, SkipReason, choose
from paperround.domain.editions import Edition
from paperround.domain.errors import NotFound
from paperround.domain.ledger import Slip
from paperround.domain.lists import MANUAL_CUT, ListId, MailingList
from paperround.domain.papers import PaperId
from paperround.domain.subscribers import (
    Address,
    Subscriber,
    SubscriberId,
    SubscriberState,
    Subscription,
    SubscriptionId,
)
from paperround.jobs.compose import digest_mail, sheet_of
from paperround.jobs.ports import Database, Ranker, UnitOfWork
from paperround.jobs.publish import Identity, delivery_names, draft, standing_edition, unfrozen
from paperround.jobs.rank import rank_list

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
class _Reader:
    address: str
    subscription: Subscription
    already_sent: frozenset[PaperId]
    slip: Slip | None


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
) -> Preview:
    """The digest of `reader` (None: somebody new) from the frozen edition, else from one drafted.

    Raises NotFound for an unknown list or subscriber.
    """
    mailing_list, standing = standing_edition(
        database=database, list_name=list_name, day=day, cut=MANUAL_CUT, now=now
    )
    if standing is None:
        ranked = rank_list(database=database, ranker=ranker, list_name=list_name, day=day, now=now)
        edition = unfrozen(draft(ranked, MANUAL_CUT, now), mailing_list.name)
    else:
        edition = standing
    with database.reading() as work:
        person = _reader(work, mailing_list, edition, reader)
    slip = person.slip or _slip(identity, edition, mailing_list, person, now)
    if isinstance(slip, SkipReason):
        return Preview(edition=edition, mail=None, skipped=slip)
    mail = digest_mail(sheet_of(edition, mailing_list.title, letterhead), slip, identity.keys)
    return Preview(edition=edition, mail=mail, planned=person.slip is not None)


def _reader(
    work: UnitOfWork, mailing_list: MailingList, edition: Edition, address: Address | None
) -> _Reader:
    if address is None:
        return _somebody(mailing_list.id)
    subscriber = work.subscribers.find(address)
    if subscriber is None:
        raise _not_on_list(address, mailing_list)
    subscription = work.subscribers.subscription(subscriber.id, mailing_list.id)
    if subscription is None:
        raise _not_on_list(address, mailing_list)
    return _Reader(
        address=subscriber.address,
        subscription=subscription,
        already_sent=work.subscribers.already_sent([subscriber.id]).get(subscriber.id, frozenset()),
        slip=_planned_slip(work, edition, subscriber),
    )


def _not_on_list(address: Address, mailing_list: MailingList) -> NotFound:
    return NotFound(f"{address.written} is not on the list {mailing_list.name}")


def _planned_slip(work: UnitOfWork, edition: Edition, subscriber: Subscriber) -> Slip | None:
    row = work.ledger.find(edition.list_id, subscriber.id, DigestKind.DIGEST, edition.day)
    return row if row is not None and row.edition_id == edition.id and row.positions else None


def _somebody(list_id: ListId) -> _Reader:
    subscription = Subscription(
        id=SubscriptionId(0),
        subscriber_id=SubscriberId(0),
        list_id=list_id,
        state=SubscriberState.ACTIVE,
    )
    return _Reader(address=SOMEBODY, subscription=subscription, already_sent=frozenset(), slip=None)


def _slip(
    identity: Identity, edition: Edition, mailing_list: MailingList, person: _Reader, now: datetime
) -> Slip | SkipReason:
    """The slip planning would write, but for its row number."""
    choice = choose(
        edition=edition,
        mailing_list=mailing_list,
        subscription=person.subscription,
        already_sent=person.already_sent,
        local_day=edition.day,
    )
    if isinstance(choice, SkipReason):
        return choice
    names = delivery_names(identity, edition, person.subscription.subscriber_id)
    return Slip(
        row=0,
        edition_id=edition.id,
        address=person.address,
        positions=choice.positions,
        local_date=edition.day,
        message_id=names.message_id,
        dated=now,
        key_id=identity.keys.current.id,
        nonce=names.nonce,
    )
