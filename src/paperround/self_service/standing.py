"""Say in plain sentences whether a person gets email, and if not, why and what helps."""

from collections.abc import Iterator
from datetime import datetime

from paperround.core.times import format_instant, local_date
from paperround.db.transactions import Database
from paperround.digests.plan import Hours
from paperround.editions.lists import MailingList
from paperround.self_service.change_address import waits_to_resume
from paperround.self_service.help_desk import PersonRecord
from paperround.self_service.preferences import FURTHEST_DUE, next_due
from paperround.subscribers.model import (
    COMPLAINT,
    GONE,
    Frequency,
    SubscriberState,
    Subscription,
)

_SUPPRESSED = {
    GONE: "a message came back on {day}: the address is gone. Move them to another address, or if "
    "that was a mistake, `suppressions lift EMAIL --resume`",
    COMPLAINT: "they reported a message as spam on {day}. Only they can come back, by signing up "
    "once you lift the suppression",
}
_MOVING = "A link was sent to their new address: digests go on there once they use it."
_OTHERWISE = "the address is suppressed since {day}, for the reason “{reason}”"


def standing_of(
    database: Database, record: PersonRecord, hours: Hours, *, now: datetime
) -> list[str]:
    """Return one sentence for each reason why all email stops, else one for each list."""
    stopped = [
        f"No email: {_SUPPRESSED.get(why, _OTHERWISE).format(day=since.date(), reason=why)}."
        for why, since in sorted(record.suppressions.items())
    ]
    if stopped and record.person.state is SubscriberState.SUPPRESSED:
        return stopped
    with database.reading() as work:
        if waits_to_resume(work, record.person.id, now=now):
            return [*stopped, _MOVING]
    lists = [
        f"{mailing_list.name}: {sentence}"
        for mailing_list, subscription in record.subscriptions
        for sentence in _of_list(database, mailing_list, subscription, hours, now)
    ]
    return [*stopped, *(lists or ["No email: they are on no list."])]


def _of_list(
    database: Database,
    mailing_list: MailingList,
    subscription: Subscription,
    hours: Hours,
    now: datetime,
) -> Iterator[str]:
    match subscription.state:
        case SubscriberState.PENDING:
            yield "no email, because they have not confirmed. Resend the confirmation."
        case SubscriberState.UNSUBSCRIBED:
            yield "no email, because they left. They come back by signing up themselves."
        case SubscriberState.SUPPRESSED:
            yield "no email, because the address is suppressed."
        case SubscriberState.ACTIVE:
            yield from _of_active(database, mailing_list, subscription, hours, now)


def _of_active(
    database: Database,
    mailing_list: MailingList,
    subscription: Subscription,
    hours: Hours,
    now: datetime,
) -> Iterator[str]:
    preferences = subscription.preferences
    zone = hours.zone_of(preferences, mailing_list)
    today = local_date(now, zone)
    paused, resting = preferences.paused_until, subscription.resting_until
    if mailing_list.paused_at is not None:
        since = format_instant(mailing_list.paused_at)
        yield f"no digest, because the list is paused since {since}."
    if paused is not None and paused > today:
        yield f"no digest before {paused}, because of a pause."
    if resting is not None and resting > today:
        yield f"no digest before {resting}, because too many messages came back."
    with database.reading() as work:
        due_at = next_due(work, subscription, by=now + FURTHEST_DUE)
    at = f"{hours.hour_of(preferences, mailing_list):02}:00 {zone}"
    # Of other frequencies, a due instant may be a day without a digest.
    is_known = preferences.frequency is Frequency.DAILY
    soon = f"; the next is due {format_instant(due_at)}" if due_at and is_known else ""
    yield f"gets digests {preferences.frequency_text} at {at}{soon}."
