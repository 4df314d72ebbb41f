"""Actions of readers with mailed links: unsubscribe, see and change their preferences, join
lists."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from paperround.core.errors import invalid
from paperround.core.tokens import Purpose
from paperround.db.transactions import Transaction
from paperround.delivery.model import Identity
from paperround.delivery.store.system_mail import NoticeLedger
from paperround.delivery.system_mail import new_notice, payload_of
from paperround.delivery.system_mail_model import UNDO_VALID, Notice, SystemMailKind
from paperround.digests.plan import (
    Hours,
    Welcome,
    due_subscription,
    first_due_of,
    next_digest_at,
)
from paperround.editions.lists import MailingList
from paperround.editions.model import DeliveryState
from paperround.editions.store.lists import ListStore
from paperround.personal.reader_preferences import interests_of, papers_given
from paperround.signup.confirm import subscribe_reader, subscriptions_by_list
from paperround.signup.context import SignupContext
from paperround.signup.limits import count_link
from paperround.signup.magic_links import (
    LinkExpired,
    TokenHolder,
    authorized_reader,
    digest_owner,
    preferences_link,
    read_system_mail,
    reader_of,
    reader_of_link,
    reader_of_system_mail,
    run_as_reader,
    write_as_reader,
)
from paperround.signup.requests import open_list
from paperround.subscribers.audit import READER, audit_person, changes_of
from paperround.subscribers.choices import checked, settled, unpack_interests, unpack_preferences
from paperround.subscribers.interests import Interest, validate_interests
from paperround.subscribers.model import Preferences, SubscriberState, Subscription
from paperround.subscribers.readers import Choices, ReaderList
from paperround.subscribers.store.subscribers import SubscriberStore

CONSENT = "asked for on the page of their choices, by a mailed link"

UNDO_EVERY = timedelta(hours=24)
"""How often a link that undoes an unsubscription is sent, while the last one still works."""

UNDELIVERED = (DeliveryState.FAILED, DeliveryState.EXPIRED, DeliveryState.SKIPPED)
"""Final states of messages that their reader never received."""


def language_kept(context: SignupContext, token: str) -> str | None:
    """Return the language preference of the reader a link belongs to, whatever its purpose; None
    without one, and for an invalid link. For a confirmation, it is the language of that sign-up:
    others may have signed up the same address before."""
    with context.database.reading() as work:
        asked = read_system_mail(work, context.keys, token, Purpose.CONFIRM)
        if asked is not None and (preferences := unpack_preferences(asked.payload)):
            return preferences.language
        reader = reader_of_link(work, context.keys, token)
    return None if reader is None else reader.subscription.preferences.language


# --- unsubscribing -----------------------------------------------------------------------------


def masked_address(context: SignupContext, token: str) -> str | None:
    """Return the masked address of the reader a link belongs to: `a•••@example.org`.

    None if it is forged or they were erased.
    """
    with context.database.reading() as work:
        reader = _leaving_reader(work, context, token)
    return None if reader is None else masked(reader.person.address)


@dataclass(frozen=True, slots=True, kw_only=True)
class Departure:
    """The reader of an unsubscribe link who is unsubscribed already. `has_undo`: the link that they
    were sent to undo it still works."""

    masked: str
    has_undo: bool


def departure_of(context: SignupContext, token: str, *, now: datetime) -> Departure | None:
    """Return the departure of the reader a link belongs to; None if it is forged, or they are not
    unsubscribed."""
    with context.database.reading() as work:
        reader = _leaving_reader(work, context, token)
        if reader is None or reader.subscription.state is not SubscriberState.UNSUBSCRIBED:
            return None
        is_suppressed = reader.person.state is SubscriberState.SUPPRESSED
        undo = _unused_undo(work, reader.subscription)
        has_undo = undo is not None and not is_suppressed and now <= undo.dated + UNDO_VALID
    return Departure(masked=masked(reader.person.address), has_undo=has_undo)


def _leaving_reader(work: Transaction, context: SignupContext, token: str) -> TokenHolder | None:
    """Return the reader whom `token` may unsubscribe. For this, a link that was ever valid never
    expires."""
    owner = digest_owner(work, context.keys, token)
    if owner is not None:
        return reader_of(work, owner.subscriber_id, list_id=owner.list_id)
    notice = read_system_mail(work, context.keys, token, Purpose.PREFERENCES)
    return None if notice is None else reader_of_system_mail(work, notice)


def masked(address: str) -> str:
    """Return an address that only its owner recognizes: `a•••@example.org`."""
    local, _, domain = address.rpartition("@")
    return f"{local[:1]}•••@{domain}"


def leave(context: SignupContext, token: str, *, now: datetime) -> None:
    """Unsubscribe at once, and send a link that undoes it. A forged or used token changes
    nothing."""

    def stop(work: Transaction) -> bool:
        reader = _leaving_reader(work, context, token)
        return reader is not None and unsubscribe(work, context.identity, reader, now=now)

    if write_as_reader(context, token, stop):
        context.wake()


def leave_from_choices(
    context: SignupContext, token: str, *, now: datetime, list_name: str | None = None
) -> None:
    """Unsubscribe from the preferences page. Raises LinkExpired."""

    def stop(work: Transaction, reader: TokenHolder) -> None:
        unsubscribe(work, context.identity, reader, now=now)

    run_as_reader(context, token, stop, now=now, list_name=list_name)
    context.wake()


def unsubscribe(
    work: Transaction, identity: Identity, reader: TokenHolder, *, now: datetime, by: str = READER
) -> bool:
    """Unsubscribe, and send a link that undoes it unless one was sent recently; return False if
    already unsubscribed."""
    subscription = reader.subscription
    if not work[SubscriberStore].leave(subscription.id, now=now):
        return False
    name = reader.mailing_list.name
    audit_person(work, reader.person.id, "unsubscribe", by=by, now=now, list=name)
    last = _unused_undo(work, subscription)
    if last is not None and now < last.dated + UNDO_EVERY:
        return True
    key, payload = f"undo/{subscription.id}/{now.isoformat()}", payload_of(subscription)
    undo = new_notice(identity, SystemMailKind.UNDO, key, reader.person.id, None, payload, now=now)
    work[NoticeLedger].put(undo, now=now)
    return True


def _unused_undo(work: Transaction, subscription: Subscription) -> Notice | None:
    """Return the latest email with a link that undoes the unsubscription, unless it was used, was
    never delivered or is about another list."""
    last = work[NoticeLedger].latest(subscription.subscriber_id, SystemMailKind.UNDO)
    if last is None or last.payload.get("subscription") != subscription.id:
        return None
    return None if last.used_at is not None or last.state in UNDELIVERED else last


def mail_choices_link(context: SignupContext, token: str, *, now: datetime) -> None:
    """Send the reader of any link a new link to their preferences, at most three times a day. The
    caller does not learn whether one was sent."""

    def put(work: Transaction) -> None:
        reader = _leaving_reader(work, context, token)
        if reader is None or not count_link(work, context.keys, reader.person.id, now=now):
            return
        link = preferences_link(context.identity, reader.subscription, now=now)
        work[NoticeLedger].put(link, now=now)

    write_as_reader(context, token, put)
    context.wake()


# --- preferences -------------------------------------------------------------------------------


def open_choices(
    context: SignupContext, token: str, *, now: datetime, list_name: str | None = None
) -> Choices:
    """Return the preferences of the holder of a recently mailed link, for the named list or the one
    the link was sent for. Raises LinkExpired."""
    with context.database.reading() as work:
        reader = authorized_reader(work, context.keys, token, now=now, list_name=list_name)
        notice = read_system_mail(work, context.keys, token, Purpose.PREFERENCES)
        asked = () if notice is None else _offered_interests(notice)
        preferences, mailing_list = reader.subscription.preferences, reader.mailing_list
        hours = Hours(hour=context.default_hour)
        interests = interests_of(work, reader.person.id)
        return Choices(
            masked=masked(reader.person.address),
            list_name=mailing_list.name,
            list_title=mailing_list.title,
            preferences=preferences,
            hour=hours.hour_of(preferences, mailing_list),
            zone=hours.zone_of(preferences, mailing_list),
            next_due=next_digest_at(work, reader.subscription, mailing_list, hours, now=now),
            active=reader.subscription.state is SubscriberState.ACTIVE,
            lists=_reader_lists(work, reader),
            frequencies=mailing_list.frequencies,
            languages=mailing_list.languages,
            interests=interests,
            asked=tuple(one for one in asked if one not in interests),
            given=papers_given(work, interests),
            feed=context.keys.token(Purpose.FEED, reader.person.id, reader.person.nonce),
        )


def _offered_interests(notice: Notice) -> tuple[Interest, ...]:
    """Return interests sent along with the request for a link, until the reader has decided on
    them."""
    is_undecided = notice.kind is SystemMailKind.PREFERENCES and notice.used_at is None
    return unpack_interests(notice.payload) if is_undecided else ()


def save_choices(
    context: SignupContext,
    token: str,
    preferences: Preferences,
    *,
    now: datetime,
    interests: Sequence[Interest] | None = None,
    list_name: str | None = None,
) -> None:
    """Replace the preferences of the holder of a recently mailed link, and their interests unless
    None.

    Raises LinkExpired, and InvalidInput; its code is the invalid field or the kind of the interest.
    """
    kept = None
    if interests is not None:
        kept = validate_interests(interests)
        with context.database.reading() as work:  # searches would keep a write transaction open
            authorized_reader(work, context.keys, token, now=now)
            kept = settled(work, kept)

    def save(work: Transaction, reader: TokenHolder) -> None:
        replace_choices(work, context, reader, preferences, kept, now=now, by=READER)
        notice = read_system_mail(work, context.keys, token, Purpose.PREFERENCES)
        # Saving also decides on the interests that came with the link.
        if kept is not None and notice is not None and _offered_interests(notice):
            work[NoticeLedger].use(notice.id, now=now)

    run_as_reader(context, token, save, now=now, list_name=list_name)


def replace_choices(
    work: Transaction,
    context: SignupContext,
    reader: TokenHolder,
    preferences: Preferences,
    interests: Sequence[Interest] | None,
    *,
    now: datetime,
    by: str,
) -> bool:
    """Replace the preferences of a locked reader, and their interests unless None; return whether
    that changed anything, which is audited. Raises InvalidInput; its code is the invalid field."""
    before, person = reader.subscription.preferences, reader.person.id
    valid = checked(preferences, zone=reader.mailing_list.zone, now=now)
    kept_frequency = valid.frequency is before.frequency
    if not kept_frequency and not reader.mailing_list.offers(valid.frequency):
        raise invalid(
            "frequency",
            "%(name)s does not offer this frequency: choose another one",
            name=reader.mailing_list.title,
        )
    changed = changes_of(before, valid)
    if changed:
        work[SubscriberStore].choose(reader.subscription.id, valid, now=now)
        _reschedule(work, context, reader, valid, now)
    if interests is not None and work[SubscriberStore].set_interests(person, interests, now=now):
        changed["interests"] = len(interests)
    if changed:
        details = {"list": reader.mailing_list.name, **changed}
        audit_person(work, person, "edit choices", by=by, now=now, **details)
    return bool(changed)


def renew_feed(context: SignupContext, token: str, *, now: datetime) -> None:
    """Replace the feed address of the holder of a recently mailed link; the old one stops working
    at once. Raises LinkExpired."""

    def renew(work: Transaction, reader: TokenHolder) -> None:
        work[SubscriberStore].renew_nonce(reader.person.id, secrets.token_urlsafe(16), now=now)

    run_as_reader(context, token, renew, now=now)


def _reschedule(
    work: Transaction,
    context: SignupContext,
    reader: TokenHolder,
    preferences: Preferences,
    now: datetime,
) -> None:
    """Move the next digest to a changed hour or zone, unless one is due already."""
    before, mailing_list = reader.subscription, reader.mailing_list
    hours = Hours(hour=context.default_hour)
    clocks = {
        (hours.hour_of(one, mailing_list), hours.zone_of(one, mailing_list))
        for one in (before.preferences, preferences)
    }
    if before.state is not SubscriberState.ACTIVE or len(clocks) == 1:
        return
    if due_subscription(work, before, by=now) is not None:
        return
    taken = work[SubscriberStore].last_dates([before.id]).get(before.id)
    subscription = replace(before, preferences=preferences)
    due_at = first_due_of(subscription, mailing_list, hours, taken, now)
    work[SubscriberStore].schedule({before.id: due_at})


# --- lists -------------------------------------------------------------------------------------


def _reader_lists(work: Transaction, reader: TokenHolder) -> tuple[ReaderList, ...]:
    subscriptions = subscriptions_by_list(work, reader)
    lists = list[ReaderList]()
    for one in _lists_by_title(work):
        state = subscriptions[one.id].state if one.id in subscriptions else None
        active = state is SubscriberState.ACTIVE
        known = state not in (None, SubscriberState.PENDING)
        joinable = one.takes_signups and one.is_for(reader.address.domain)
        if not known and (one.private or not joinable):
            continue
        lists.append(
            ReaderList(
                name=one.name, title=one.title, active=active, known=known, joinable=joinable
            )
        )
    return tuple(lists)


def _lists_by_title(work: Transaction) -> list[MailingList]:
    return sorted(work[ListStore].all(), key=lambda one: (one.title.casefold(), one.name))


def public_lists(work: Transaction) -> list[MailingList]:
    """Return the lists whose editions anybody may read, by title."""
    return [one for one in _lists_by_title(work) if not one.private]


def open_lists(work: Transaction) -> list[MailingList]:
    """Return the lists that the site offers, by title: those that take sign-ups and are not
    private."""
    return [one for one in _lists_by_title(work) if one.takes_signups and not one.private]


def join_list(context: SignupContext, token: str, list_name: str, *, now: datetime) -> None:
    """Subscribe the holder of a recently mailed link to the list, with the schedule of their
    current one. It needs no confirmation: this link reached their inbox.

    Raises LinkExpired, and what `signup.requests.open_list` raises.
    """

    def join(work: Transaction, reader: TokenHolder) -> Welcome:
        mailing_list = open_list(work, list_name, reader.address)
        welcome = subscribe_reader(work, context, reader, mailing_list, CONSENT, now)
        if welcome is None:
            raise LinkExpired
        audit_person(work, reader.person.id, "join list", by=READER, now=now, list=list_name)
        return welcome

    welcome = run_as_reader(context, token, join, now=now)
    context.wake()
    if welcome is Welcome.DUE:
        context.plan()
