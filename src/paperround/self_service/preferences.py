"""What people do with the links they were mailed: leave, see their choices, change them."""

import secrets
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import TypeVar

from paperround.core.tokens import Purpose
from paperround.db.transactions import Transaction
from paperround.delivery.model import Identity
from paperround.delivery.store.system_mail import NoticeLedger
from paperround.delivery.system_mail import new_notice, said_of
from paperround.delivery.system_mail_model import Notice, SystemMailKind
from paperround.digests.plan import Hours, first_due_of
from paperround.editions.model import DeliveryState
from paperround.personal.reader_preferences import interests_of, papers_given
from paperround.signup.context import SignupContext
from paperround.signup.limits import may_link
from paperround.signup.magic_links import (
    TokenHolder,
    choices_link,
    choosing_reader,
    digest_owner,
    noted,
    reader_of,
    reader_of_link,
    reader_of_notice,
    write_by_link,
)
from paperround.subscribers.choices import checked, settled, unpacked, unpacked_interests
from paperround.subscribers.interests import Interest, checked_interests
from paperround.subscribers.model import (
    Preferences,
    SubscriberState,
    Subscription,
    SubscriptionId,
)
from paperround.subscribers.readers import Choices
from paperround.subscribers.store.subscribers import SubscriberStore

T = TypeVar("T")

UNDO_EVERY = timedelta(hours=24)
"""How often somebody is mailed a link that takes back their leaving, while the last one is good."""

LOST = (DeliveryState.FAILED, DeliveryState.EXPIRED, DeliveryState.SKIPPED)
"""How a mail ends that its reader never got."""

LONGEST_CLOCK = timedelta(days=8)
"""A due instant lies at most days ahead; this is surely beyond it."""


def language_kept(desk: SignupContext, token: str) -> str | None:
    """The language that the reader keeps whose link `token` is, whatever it is good for; None where
    that is open, and for a link of nobody. Of somebody who is to confirm it is what this mail was
    asked for in: others may have asked before."""
    with desk.database.reading() as work:
        asked = noted(work, desk.keys, token, Purpose.CONFIRM)
        if asked is not None and "choices" in asked.payload:
            return unpacked(str(asked.payload["choices"])).language
        reader = reader_of_link(work, desk.keys, token)
    return None if reader is None else reader.subscription.preferences.language


# --- leaving -----------------------------------------------------------------------------------


def masked_address(desk: SignupContext, token: str) -> str | None:
    """Whose link `token` is, so that a reader knows it and nobody else does: `a•••@example.org`.

    None for a forged one, and for somebody who was erased.
    """
    with desk.database.reading() as work:
        reader = _leaving_reader(work, desk, token)
    return None if reader is None else masked(reader.person.address)


def _leaving_reader(work: Transaction, desk: SignupContext, token: str) -> TokenHolder | None:
    """Who may leave with `token`: a link that once was good for more is always good for that."""
    owner = digest_owner(work, desk.keys, token)
    if owner is not None:
        return reader_of(work, owner.subscriber_id, list_id=owner.list_id)
    notice = noted(work, desk.keys, token, Purpose.PREFERENCES)
    return None if notice is None else reader_of_notice(work, notice)


def masked(address: str) -> str:
    """An address so that its owner knows it and nobody else does: `a•••@example.org`."""
    local, _, domain = address.rpartition("@")
    return f"{local[:1]}•••@{domain}"


def leave(desk: SignupContext, token: str, *, now: datetime) -> None:
    """End the subscription at once and mail a link that takes it back. Any token is fine: one that
    is forged, or used before, changes nothing."""

    def stop(work: Transaction) -> bool:
        reader = _leaving_reader(work, desk, token)
        return reader is not None and stop_reading(work, desk.identity, reader, now=now)

    if write_by_link(desk, token, stop):
        desk.wake()


def leave_from_choices(
    desk: SignupContext, token: str, *, now: datetime, list_name: str | None = None
) -> bool:
    """End the subscription from the page of one's choices; False for a link that is not good."""

    def stop(work: Transaction, reader: TokenHolder) -> bool:
        stop_reading(work, desk.identity, reader, now=now)
        return True

    left = _as_chooser(desk, token, stop, now, list_name)
    if left:
        desk.wake()
    return bool(left)


def stop_reading(
    work: Transaction, identity: Identity, reader: TokenHolder, *, now: datetime
) -> bool:
    """End a subscription, and mail a link that takes it back unless one was mailed just before;
    False when it was over already."""
    subscription = reader.subscription
    if not work[SubscriberStore].leave(subscription.id, now=now):
        return False
    last = work[NoticeLedger].latest(subscription.subscriber_id, SystemMailKind.UNDO)
    if (
        last is not None
        and last.payload.get("subscription") == subscription.id
        and last.used_at is None
        and last.state not in LOST
        and now < last.dated + UNDO_EVERY
    ):
        return True
    key, payload = f"undo/{subscription.id}/{now.isoformat()}", said_of(subscription)
    undo = new_notice(identity, SystemMailKind.UNDO, key, reader.person.id, None, payload, now=now)
    work[NoticeLedger].put(undo, now=now)
    return True


def mail_choices_link(desk: SignupContext, token: str, *, now: datetime) -> None:
    """Mail a fresh link to the reader's choices, whoever holds this one. Silent, and three times a
    day at most."""

    def put(work: Transaction) -> None:
        reader = _leaving_reader(work, desk, token)
        if reader is None or not may_link(work, desk.keys, reader.person.id, now=now):
            return
        work[NoticeLedger].put(choices_link(desk.identity, reader.subscription, now=now), now=now)

    write_by_link(desk, token, put)
    desk.wake()


# --- choices -----------------------------------------------------------------------------------


def open_choices(
    desk: SignupContext, token: str, *, now: datetime, list_name: str | None = None
) -> Choices | None:
    """The choices of whoever holds a freshly mailed link, for the list that is named or the one the
    link was mailed for; None for any other link."""
    with desk.database.reading() as work:
        reader = choosing_reader(work, desk.keys, token, now=now, list_name=list_name)
        if reader is None:
            return None
        notice = noted(work, desk.keys, token, Purpose.PREFERENCES)
        asked = () if notice is None else _asked(notice)
        return _choices(work, desk, reader, now, asked)


def _asked(notice: Notice) -> tuple[Interest, ...]:
    """What was asked for when the link was, and is not settled yet."""
    waits = notice.kind is SystemMailKind.PREFERENCES and notice.used_at is None
    return unpacked_interests(notice.payload) if waits else ()


def _choices(
    work: Transaction,
    desk: SignupContext,
    reader: TokenHolder,
    now: datetime,
    asked: tuple[Interest, ...] = (),
) -> Choices:
    wish, mailing_list = reader.subscription.preferences, reader.mailing_list
    hours = Hours(hour=desk.default_hour)
    interests = interests_of(work, reader.person.id)
    return Choices(
        masked=masked(reader.person.address),
        list_name=mailing_list.name,
        list_title=mailing_list.title,
        preferences=wish,
        hour=hours.hour_of(wish),
        zone=hours.zone_of(wish, mailing_list),
        next_due=_next_due(work, reader.subscription, by=now + LONGEST_CLOCK),
        active=reader.subscription.state is SubscriberState.ACTIVE,
        interests=interests,
        asked=tuple(one for one in asked if one not in interests),
        given=papers_given(work, interests),
        feed=desk.keys.token(Purpose.FEED, reader.person.id, reader.person.nonce),
    )


def _next_due(work: Transaction, subscription: Subscription, *, by: datetime) -> datetime | None:
    """When the subscription is due; None when that is not set, or not `by` then."""
    just_before = SubscriptionId(subscription.id - 1)
    found = work[SubscriberStore].due(subscription.list_id, now=by, limit=1, after=just_before)
    return next((one.due_at for one in found if one.subscription.id == subscription.id), None)


def save_choices(
    desk: SignupContext,
    token: str,
    preferences: Preferences,
    *,
    now: datetime,
    interests: Sequence[Interest] | None = None,
    list_name: str | None = None,
) -> Choices | None:
    """Replace the choices of whoever holds a freshly mailed link, and what they are interested in
    unless that is None; None for any other link.

    Raises InvalidInput whose code is the name of the field, or the kind of interest, that is wrong.
    """
    kept = None
    if interests is not None:
        kept = checked_interests(interests)
        with desk.database.reading() as work:  # looked up while nobody waits to write
            if choosing_reader(work, desk.keys, token, now=now) is not None:
                kept = settled(work, kept)

    def save(work: Transaction, reader: TokenHolder) -> Choices | None:
        wish = checked(preferences, zone=reader.mailing_list.zone, now=now)
        work[SubscriberStore].choose(reader.subscription.id, wish, now=now)
        if kept is not None:
            work[SubscriberStore].set_interests(reader.person.id, kept, now=now)
            notice = noted(work, desk.keys, token, Purpose.PREFERENCES)
            if notice is not None and _asked(notice):  # what the link asked for is settled by that
                work[NoticeLedger].use(notice.id, now=now)
        fresh = choosing_reader(work, desk.keys, token, now=now, list_name=list_name)
        if fresh is None:
            return None
        _set_clock(work, desk, reader.subscription, fresh, now)
        return _choices(work, desk, fresh, now)

    return _as_chooser(desk, token, save, now, list_name)


def renew_feed(desk: SignupContext, token: str, *, now: datetime) -> Choices | None:
    """Give the feed of whoever holds a freshly mailed link a new address; the one before ends at
    once. None for any other link."""

    def renew(work: Transaction, reader: TokenHolder) -> Choices | None:
        work[SubscriberStore].renew_nonce(reader.person.id, secrets.token_urlsafe(16), now=now)
        fresh = choosing_reader(work, desk.keys, token, now=now)
        return None if fresh is None else _choices(work, desk, fresh, now)

    return _as_chooser(desk, token, renew, now)


def _set_clock(
    work: Transaction, desk: SignupContext, before: Subscription, reader: TokenHolder, now: datetime
) -> None:
    """Another hour or zone moves the next digest; one that is due already stays owed."""
    subscription, mailing_list = reader.subscription, reader.mailing_list
    hours = Hours(hour=desk.default_hour)
    clocks = {
        (hours.hour_of(one.preferences), hours.zone_of(one.preferences, mailing_list))
        for one in (before, subscription)
    }
    if subscription.state is not SubscriberState.ACTIVE or len(clocks) == 1:
        return
    if _next_due(work, subscription, by=now) is not None:
        return
    taken = work[SubscriberStore].last_dates([subscription.id]).get(subscription.id)
    due_at = first_due_of(subscription, mailing_list, hours, taken, now)
    work[SubscriberStore].schedule({subscription.id: due_at})


def _as_chooser(
    desk: SignupContext,
    token: str,
    do: Callable[[Transaction, TokenHolder], T],
    now: datetime,
    list_name: str | None = None,
) -> T | None:
    """What `do` returns for whoever holds a freshly mailed link, in one transaction."""

    def run(work: Transaction) -> T | None:
        reader = choosing_reader(work, desk.keys, token, now=now, list_name=list_name)
        return None if reader is None else do(work, reader)

    return write_by_link(desk, token, run)
