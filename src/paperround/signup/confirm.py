"""Confirm a sign-up.

    queued ─► one email with a link ─► the link is used ─► active, the newest edition at once

The preferences of a sign-up are kept in the payload of its email, never in its text, and take
effect once the link is used. `signup.requests` queues sign-ups, `signup.worker` sends the emails.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from paperround.core.tokens import Purpose
from paperround.db.transactions import Transaction
from paperround.delivery.store.system_mail import NoticeLedger
from paperround.delivery.system_mail_model import CONFIRM_VALID, UNDO_VALID, Notice, SystemMailKind
from paperround.digests.plan import Hours, Welcome, plan_first_digest
from paperround.editions.lists import MailingList
from paperround.editions.store.lists import ListStore
from paperround.personal.reader_preferences import add_interests
from paperround.signup.context import SignupContext
from paperround.signup.magic_links import (
    CONFIRMING,
    TokenHolder,
    read_system_mail,
    reader_of_system_mail,
    write_as_reader,
)
from paperround.signup.tally import CONFIRMED, count_signup
from paperround.subscribers.choices import unpack_interests, unpack_lists, unpack_preferences
from paperround.subscribers.imports import is_suppressed
from paperround.subscribers.interests import Interest
from paperround.subscribers.model import (
    Consent,
    Frequency,
    Preferences,
    SubscriberState,
    Subscription,
)
from paperround.subscribers.store.subscribers import SubscriberStore

CONSENT = "confirmed by mail"


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirmed:
    """The contents of the page after a confirmation. The token opens the preferences for a day.

    `hour` and `zone` are the effective ones, defaults included.
    """

    list_title: str
    preferences: Preferences
    hour: int
    zone: str
    welcome: Welcome
    preferences_token: str
    interests: tuple[Interest, ...] = ()
    also: tuple[str, ...] = ()
    """Titles of further lists."""


# --- emails that ask for confirmation ------------------------------------------------------------


def confirm_key(subscription: Subscription, number: int) -> str:
    """Return the key of a subscription's confirmation email; the first has number 1."""
    return f"confirm/{subscription.id}/{number}"


def confirmations(work: Transaction, subscription: Subscription) -> list[Notice]:
    """Return every confirmation email of a subscription, oldest first."""
    found = list[Notice]()
    while notice := work[NoticeLedger].find(confirm_key(subscription, len(found) + 1)):
        found.append(notice)
    return found


def reminder_key(subscription: Subscription) -> str:
    """Return the key of the one reminder of an unconfirmed subscription."""
    return f"reminder/{subscription.id}"


# --- confirming --------------------------------------------------------------------------------


def confirm(context: SignupContext, token: str, *, now: datetime) -> Confirmed | None:
    """Use the link of a confirmation, a reminder or an undo email, and activate the reader.

    Returns None, without a reason, if the link is forged, expired or used, the address suppressed,
    or the list archived.
    """

    def use(work: Transaction) -> Confirmed | None:
        notice = read_system_mail(work, context.keys, token, Purpose.CONFIRM)
        if notice is None or notice.kind not in CONFIRMING:
            return None
        valid = UNDO_VALID if notice.kind is SystemMailKind.UNDO else CONFIRM_VALID
        if now > notice.dated + valid:
            return None
        reader = reader_of_system_mail(work, notice)
        if reader is None or reader.mailing_list.archived_at is not None:
            return None
        is_refused = is_suppressed(work, context.keys, reader.address)
        if is_refused or not work[NoticeLedger].use(notice.id, now=now):
            return None
        done = _activate(work, context, notice, reader, now)
        if done is not None and notice.kind is not SystemMailKind.UNDO:
            count_signup(work, CONFIRMED, reader.subscription.list_id, now=now)
        return done

    confirmed = write_as_reader(context, token, use)
    if confirmed is not None:
        context.wake()
    if confirmed is not None and confirmed.welcome is Welcome.DUE:
        context.plan()
    return confirmed


def _activate(
    work: Transaction, context: SignupContext, notice: Notice, reader: TokenHolder, now: datetime
) -> Confirmed | None:
    how = f"{notice.payload.get('source', notice.kind.value)}, {CONSENT}"
    active = work[SubscriberStore].activate(
        reader.subscription.id,
        preferences=unpack_preferences(notice.payload),
        consent=Consent(at=now, source=how),
        now=now,
    )
    if not active:
        return None
    # One confirmation is enough: it uses up the other links of the same sign-up.
    reminder = work[NoticeLedger].find(reminder_key(reader.subscription))
    others = confirmations(work, reader.subscription)
    for one in [*others, *([reminder] if reminder else [])]:
        if one.used_at is None:
            work[NoticeLedger].use(one.id, now=now)
    work[SubscriberStore].reset_bounces(reader.person.id)  # the email with this link arrived
    asked = unpack_interests(notice.payload)
    interests = add_interests(work, reader.person.id, asked, now=now)
    now_active = reader_of_system_mail(work, notice)
    if now_active is None:
        return None
    mailing_list, preferences = now_active.mailing_list, now_active.subscription.preferences
    hours = Hours(hour=context.default_hour)
    welcome = plan_first_digest(
        work, hours=hours, mailing_list=mailing_list, subscription=now_active.subscription, now=now
    )
    lists = {one.id: one for one in work[ListStore].live()}
    also = [lists[one] for one in unpack_lists(notice.payload) if one in lists]
    for further in also:
        subscribe_reader(work, context, now_active, further, how, now)
    return Confirmed(
        list_title=mailing_list.title,
        preferences=preferences,
        hour=hours.hour_of(preferences, mailing_list),
        zone=hours.zone_of(preferences, mailing_list),
        welcome=welcome,
        preferences_token=context.keys.token(Purpose.PREFERENCES, notice.id, notice.nonce),
        interests=interests,
        also=tuple(one.title for one in also),
    )


def subscribe_reader(
    work: Transaction,
    context: SignupContext,
    reader: TokenHolder,
    mailing_list: MailingList,
    how: str,
    now: datetime,
) -> Welcome | None:
    """Subscribe a confirmed reader to another list, with the schedule of the one they have.

    Returns when their first digest is sent; None if they may not be subscribed.
    """
    person = reader.person
    before = subscriptions_by_list(work, reader).get(mailing_list.id)
    if before is not None and before.state is SubscriberState.ACTIVE:
        return Welcome.LATER
    _, subscription = work[SubscriberStore].sign_up(
        reader.address, mailing_list.id, preferences=Preferences(), nonce=person.nonce, now=now
    )
    is_first = before is None or before.state is SubscriberState.PENDING
    preferences = reader.subscription.preferences
    # The schedule is that of the list they have; the contents are up to the new list.
    schedule = replace(
        preferences, size=None, floor=None, paused_until=None, shares_since=None, topics=()
    )
    if not mailing_list.offers(schedule.frequency):
        schedule = replace(schedule, frequency=Frequency(mailing_list.frequencies[0]), weekday=None)
    is_active = work[SubscriberStore].activate(
        subscription.id,
        preferences=schedule if is_first else None,
        consent=Consent(at=now, source=how),
        now=now,
    )
    fresh = work[SubscriberStore].subscription(person.id, mailing_list.id)
    if not is_active or fresh is None:
        return None
    return plan_first_digest(
        work,
        hours=Hours(hour=context.default_hour),
        mailing_list=mailing_list,
        subscription=fresh,
        now=now,
    )


def subscriptions_by_list(work: Transaction, reader: TokenHolder) -> Mapping[int, Subscription]:
    """Return the reader's subscriptions by the id of their list."""
    return {one.list_id: one for one in work[SubscriberStore].subscriptions_of(reader.person.id)}
