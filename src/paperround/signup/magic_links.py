"""Find the reader a mailed link belongs to, and what the link permits.

link in                          permits
a digest                         to unsubscribe and rate its papers; nothing else
an email with preferences        everything about that reader, for 24 hours
a confirmation, once it is used  the same, by the link its page shows
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from paperround.core.errors import PaperroundError
from paperround.core.tokens import KeyRing, Purpose, TokenParts, read_token
from paperround.db.transactions import Transaction, write
from paperround.delivery.model import Identity
from paperround.delivery.owners import find_owner
from paperround.delivery.store.system_mail import NoticeLedger
from paperround.delivery.system_mail import new_notice, payload_of
from paperround.delivery.system_mail_model import (
    PREFERENCES_VALID,
    NewNotice,
    Notice,
    SystemMailKind,
)
from paperround.editions.lists import MailingList
from paperround.editions.model import DeliveryId
from paperround.editions.store.lists import ListStore
from paperround.signup.context import SignupContext
from paperround.subscribers.choices import pack_interests
from paperround.subscribers.interests import Interest
from paperround.subscribers.model import (
    Address,
    Subscriber,
    SubscriberId,
    SubscriberState,
    Subscription,
)
from paperround.subscribers.readers import DeliveryOwner
from paperround.subscribers.store.subscribers import SubscriberStore

T = TypeVar("T")

CONFIRMING = (SystemMailKind.CONFIRM, SystemMailKind.REMINDER, SystemMailKind.UNDO)


class LinkExpired(PaperroundError):
    """The link was not mailed recently, or is not one of ours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenHolder:
    """A reader who was not erased, one of their subscriptions, and its list."""

    person: Subscriber
    subscription: Subscription
    mailing_list: MailingList

    @property
    def address(self) -> Address:
        """The reader's address."""
        return address_of(self.person)


def address_of(person: Subscriber) -> Address:
    """Return the address of a person."""
    return Address(written=person.address, mailed=person.address)


def write_as_reader(context: SignupContext, token: str, do: Callable[[Transaction], T]) -> T:
    """Run `do` in a transaction that locks the reader of the link, and return its result. Meanwhile
    no other request can use their links or erase them.

    Locks are taken in this order: counters (`signup.limits`), the person, their subscriptions, the
    rest.
    """

    def run(work: Transaction) -> T:
        lock_reader(work, context.keys, token)
        return do(work)

    return write(context.database, run)


def run_as_reader(
    context: SignupContext,
    token: str,
    do: Callable[[Transaction, TokenHolder], T],
    *,
    now: datetime,
    list_name: str | None = None,
) -> T:
    """Run `do` for the holder of a recently mailed link, as `write_as_reader` does, and return its
    result. Raises LinkExpired."""

    def run(work: Transaction) -> T:
        reader = authorized_reader(work, context.keys, token, now=now, list_name=list_name)
        return do(work, reader)

    return write_as_reader(context, token, run)


def lock_reader(work: Transaction, keys: KeyRing, token: str) -> None:
    """Lock the reader a link belongs to, for callers that must lock something else first."""
    owner = digest_owner(work, keys, token)
    source = owner or _system_mail_of_link(work, keys, token)
    if source is not None and source.subscriber_id is not None:
        work[SubscriberStore].lock(source.subscriber_id)


def digest_owner(work: Transaction, keys: KeyRing, token: str) -> DeliveryOwner | None:
    """Return the reader of the digest a link came with, whatever its age; None if it is forged."""
    parts = _parts_for(token, Purpose.UNSUBSCRIBE)
    owner = parts and find_owner(work, keys, DeliveryId(parts.row))
    return owner if owner and keys.verify(token, owner.nonce) else None


def read_system_mail(
    work: Transaction, keys: KeyRing, token: str, purpose: Purpose
) -> Notice | None:
    """Return the system email that a link for `purpose` belongs to; None if it is forged."""
    parts = _parts_for(token, purpose)
    notice = parts and work[NoticeLedger].get(DeliveryId(parts.row))
    return notice if notice and keys.verify(token, notice.nonce) else None


def _parts_for(token: str, purpose: Purpose) -> TokenParts | None:
    parts = read_token(token)
    return parts if parts is not None and parts.purpose is purpose else None


def reader_of_system_mail(work: Transaction, notice: Notice) -> TokenHolder | None:
    """Return the reader a system email is about; None if they were erased."""
    if notice.subscriber_id is None or "subscription" not in notice.payload:
        return None
    subscription = int(notice.payload["subscription"])
    return reader_of(work, notice.subscriber_id, subscription_id=subscription)


def reader_of_link(work: Transaction, keys: KeyRing, token: str) -> TokenHolder | None:
    """Return the reader any link belongs to, whatever its purpose and age; None if it is forged or
    they were erased."""
    owner = digest_owner(work, keys, token)
    if owner is not None:
        return reader_of(work, owner.subscriber_id, list_id=owner.list_id)
    notice = _system_mail_of_link(work, keys, token)
    return None if notice is None else reader_of_system_mail(work, notice)


def _system_mail_of_link(work: Transaction, keys: KeyRing, token: str) -> Notice | None:
    for_choices = read_system_mail(work, keys, token, Purpose.PREFERENCES)
    return for_choices or read_system_mail(work, keys, token, Purpose.CONFIRM)


def reader_of(
    work: Transaction,
    subscriber: SubscriberId,
    *,
    list_id: int | None = None,
    subscription_id: int | None = None,
) -> TokenHolder | None:
    """Return a reader with one subscription, chosen by list or by id; None if they were erased."""
    person = work[SubscriberStore].get(subscriber)
    if person is None or not person.address:
        return None
    lists = {one.id: one for one in work[ListStore].all()}
    return next(
        (
            TokenHolder(person=person, subscription=one, mailing_list=lists[one.list_id])
            for one in work[SubscriberStore].subscriptions_of(subscriber)
            if subscription_id == one.id or list_id == one.list_id
        ),
        None,
    )


def authorized_reader(
    work: Transaction, keys: KeyRing, token: str, *, now: datetime, list_name: str | None = None
) -> TokenHolder:
    """Return the reader whose preferences `token` opens, with their subscription of `list_name`,
    else the one the link was sent for. Raises LinkExpired if it is forged or expired."""
    notice = read_system_mail(work, keys, token, Purpose.PREFERENCES)
    if notice is None:
        raise LinkExpired
    since = notice.used_at if notice.kind in CONFIRMING else None
    if notice.kind is SystemMailKind.PREFERENCES:
        since = notice.dated
    if since is None or now > since + PREFERENCES_VALID:
        raise LinkExpired
    reader = reader_of_system_mail(work, notice)
    if reader is None or reader.person.state is SubscriberState.SUPPRESSED:
        raise LinkExpired
    if list_name is None:
        return reader
    named = next((one for one in work[ListStore].all() if one.name == list_name), None)
    other = None if named is None else reader_of(work, reader.person.id, list_id=named.id)
    return other or reader  # `other` is None if they never subscribed to that list


def preferences_link(
    identity: Identity,
    subscription: Subscription,
    *,
    now: datetime,
    interests: Sequence[Interest] = (),
) -> NewNotice:
    """Return an email with a new link to the preferences. Their page offers `interests` until the
    reader accepts them or not; the email does not mention them."""
    kind, key = SystemMailKind.PREFERENCES, f"preferences/{subscription.id}/{now.isoformat()}"
    payload = {**payload_of(subscription), **pack_interests(interests)}
    return new_notice(identity, kind, key, subscription.subscriber_id, None, payload, now=now)
