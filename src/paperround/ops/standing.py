"""Explain in sentences whether a person gets email, and if not, why and how to fix that."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime

from paperround.bounces.model import ReportKind
from paperround.bounces.store import ReturnStore
from paperround.core.languages import marked
from paperround.core.times import format_instant, local_date
from paperround.db.transactions import Database, Transaction
from paperround.delivery.status import DeliveryEntry, DeliveryQuery
from paperround.delivery.store.status import StatusStore
from paperround.digests.plan import Hours, next_digest_at
from paperround.editions.lists import MailingList
from paperround.editions.model import DeliveryState
from paperround.self_service.change_address import MOVES, RESUMES, waiting_change
from paperround.self_service.help_desk import PersonRecord
from paperround.subscribers.model import (
    COMPLAINT,
    GONE,
    WEEKDAYS,
    Frequency,
    SubscriberId,
    SubscriberState,
    Subscription,
)

_SUPPRESSED: Mapping[str, str] = {
    GONE: marked(
        "No email: a message bounced on %(date)s, because the address no longer exists. Move them "
        "to another address. If that was a mistake, lift the suppression and resume their digests."
    ),
    COMPLAINT: marked(
        "No email: they reported a message as spam on %(date)s. Only they can resubscribe, by "
        "signing up once you lift the suppression."
    ),
}
_OTHERWISE = marked(
    "No email: the address has been suppressed since %(date)s, for the reason “%(reason)s”. They "
    "can sign up again once you lift the suppression."
)
_RESUMING = marked("A link was sent to their new address: digests resume there once they use it.")
_MOVING = marked(
    "A link was sent to their new address: until they use it, their address is this one."
)
_ON_NO_LIST = marked("No email: they are on no list.")
_INACTIVE: Mapping[SubscriberState, str] = {
    SubscriberState.PENDING: marked(
        "no email, because they have not confirmed. Resend the confirmation."
    ),
    SubscriberState.UNSUBSCRIBED: marked(
        "no email, because they unsubscribed. Only they can resubscribe, by signing up."
    ),
    SubscriberState.SUPPRESSED: marked("no email, because the address is suppressed."),
}
_LIST_PAUSED = marked("no digest, because the list has been paused since %(at)s.")
_LIST_ARCHIVED = marked("no digest, because the list is archived.")
_PAUSED = marked("no digest before %(date)s, because of a pause.")
_RESTING = marked("no digest before %(date)s, because too many messages bounced.")
_DIGESTS: Mapping[Frequency, str] = {
    Frequency.DAILY: marked("gets digests daily at %(time)s."),
    Frequency.WEEKDAYS: marked("gets digests from Monday to Friday at %(time)s."),
    Frequency.WEEKLY: marked("gets digests every %(weekday)s at %(time)s."),
    Frequency.MONTHLY: marked("gets digests on the first day of each month at %(time)s."),
}
_DAILY_NEXT = marked("gets digests daily at %(time)s; the next is due on %(date)s.")
_WAITS = marked("the digest of %(date)s is waiting to be sent.")
_LAST: Mapping[DeliveryState, str] = {
    DeliveryState.SENT: marked(
        "the mail server accepted the digest of %(date)s. If they do not see it, ask them to look "
        "in their spam folder."
    ),
    DeliveryState.FAILED: marked(
        "the mail server refused the digest of %(date)s. The timeline says why."
    ),
    DeliveryState.UNKNOWN: marked(
        "the mail server did not reply to the digest of %(date)s. It may have arrived."
    ),
    DeliveryState.EXPIRED: marked("the digest of %(date)s could not be sent in time."),
    DeliveryState.SKIPPED: marked(
        "there was no digest for them on %(date)s. The timeline says why."
    ),
}
"""The outcome of the last digest; in any other state it still waits."""
_IN_OUTBOX = marked(
    "the digest of %(date)s was not sent but kept in the outbox, because no relay was set."
)
_CAME_BACK = marked(
    "the mail server accepted the digest of %(date)s, but it bounced later. The timeline says why."
)
_RECENT = 20
"""How many events are searched for a bounce of the last digest."""
_OF_LIST = marked("%(name)s: %(problem)s")


def standing_of(
    database: Database, record: PersonRecord, hours: Hours, *, now: datetime
) -> list[str]:
    """Return one sentence for each reason why all email stops, else those of each list.

    They name remedies as both the commands and the pages call them, and can be translated.
    """
    stopped = [
        marked(_SUPPRESSED.get(why, _OTHERWISE), date=since.date(), reason=why)
        for why, since in sorted(record.suppressions.items())
    ]
    if stopped and record.person.state is SubscriberState.SUPPRESSED:
        return stopped
    with database.reading() as work:
        change = waiting_change(work, record.person, now=now)
        if change == RESUMES:
            return [*stopped, _RESUMING]
        lists = [
            marked(_OF_LIST, name=mailing_list.name, problem=sentence)
            for mailing_list, subscription in record.subscriptions
            for sentence in _of_list(work, mailing_list, subscription, hours, now)
        ]
    moving = [_MOVING] if change == MOVES else []
    return [*stopped, *moving, *(lists or [_ON_NO_LIST])]


def _of_list(
    work: Transaction,
    mailing_list: MailingList,
    subscription: Subscription,
    hours: Hours,
    now: datetime,
) -> Iterator[str]:
    if subscription.state is not SubscriberState.ACTIVE:
        yield _INACTIVE[subscription.state]
        return
    preferences = subscription.preferences
    zone = hours.zone_of(preferences, mailing_list)
    today = local_date(now, zone)
    paused, resting = preferences.paused_until, subscription.resting_until
    stops = []
    if mailing_list.paused_at is not None:
        stops.append(marked(_LIST_PAUSED, at=format_instant(mailing_list.paused_at)))
    if mailing_list.archived_at is not None:
        stops.append(_LIST_ARCHIVED)
    if paused is not None and paused > today:
        stops.append(marked(_PAUSED, date=paused))
    if resting is not None and resting > today:
        stops.append(marked(_RESTING, date=resting))
    yield from stops or _digests(work, mailing_list, subscription, hours, now)


def _digests(
    work: Transaction,
    mailing_list: MailingList,
    subscription: Subscription,
    hours: Hours,
    now: datetime,
) -> Iterator[str]:
    """Yield how often digests come, and the outcome of the newest one, if any."""
    preferences = subscription.preferences
    zone = hours.zone_of(preferences, mailing_list)
    due_at = next_digest_at(work, subscription, mailing_list, hours, now=now)
    time = f"{hours.hour_of(preferences, mailing_list):02}:00 {zone}"
    if due_at and preferences.frequency is Frequency.DAILY:
        yield marked(_DAILY_NEXT, time=time, date=local_date(due_at, zone))
    elif preferences.frequency is Frequency.WEEKLY:
        weekday = WEEKDAYS.index(preferences.weekday or WEEKDAYS[0])
        yield marked(_DIGESTS[Frequency.WEEKLY], time=time, weekday=weekday)
    else:
        yield marked(_DIGESTS[preferences.frequency], time=time)
    wanted = DeliveryQuery(list_id=subscription.list_id, subscriber_id=subscription.subscriber_id)
    newest = _newest(work, wanted)
    sent = _newest(work, replace(wanted, state=DeliveryState.SENT))
    if sent is not None and sent.name in _bounced(work, subscription.subscriber_id):
        yield marked(_CAME_BACK, date=sent.local_date)
        newest = None if newest is not None and newest.id == sent.id else newest
    if newest is not None:
        says = _IN_OUTBOX if newest.is_in_outbox else _LAST.get(newest.state, _WAITS)
        yield marked(says, date=newest.local_date)


def _newest(work: Transaction, wanted: DeliveryQuery) -> DeliveryEntry | None:
    return next(iter(work[StatusStore].deliveries(wanted, before=None, limit=1)), None)


def _bounced(work: Transaction, person: SubscriberId) -> set[str | None]:
    """Return the names of a person's messages that bounced recently."""
    events = work[ReturnStore].events(person, limit=_RECENT)
    return {one.mail for one in events if one.kind is ReportKind.BOUNCE}
