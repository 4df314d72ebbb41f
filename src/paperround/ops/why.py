"""Explain in sentences why nothing, or not everything, was sent, from recorded facts.

    what holds all mail ─► the list ─► its editions ─► its feeds ─► digests of the day ─► due later

A sentence is a code with parameters; nothing is guessed. For a date before today, only its editions
and its ledger rows count.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import partial
from zoneinfo import ZoneInfo

from paperround.bounces.model import ReportKind
from paperround.bounces.store import ReturnStore
from paperround.core.errors import NotFound
from paperround.core.reasons import counted
from paperround.core.times import end_of_day, local_date
from paperround.db.slots import SlotStore
from paperround.db.transactions import Database, Transaction
from paperround.delivery.model import LIFE_OVER
from paperround.delivery.rate_limits import is_login_refused, without_code
from paperround.delivery.rate_state import UNLIMITED, Pacing
from paperround.delivery.status import DeliveryQuery, redact_addresses
from paperround.delivery.store.day import DayStore, OutcomeTally
from paperround.delivery.store.rates import WARM_UP
from paperround.delivery.store.status import StatusStore
from paperround.digests.model import is_digest_day
from paperround.digests.plan import Hours, next_digest_at
from paperround.editions.lists import MailingList
from paperround.editions.model import DeliveryState, Edition, EditionState, SkipReason
from paperround.editions.schedule import next_cut
from paperround.editions.source_pages import feeds_of
from paperround.editions.store.editions import EditionStore
from paperround.editions.store.held import HeldEditions
from paperround.editions.store.lists import ListStore
from paperround.feeds.due import polled_feeds
from paperround.feeds.model import FeedHealth
from paperround.ops.status import pace_status
from paperround.ops.tick import SCHEDULER, is_ticking
from paperround.subscribers.model import SubscriberId, SubscriberState, Subscription
from paperround.subscribers.store.subscribers import SubscriberStore

_QUIET = (FeedHealth.FRESH, FeedHealth.PAUSED)
"""Feeds in these states explain nothing: they brought papers, or are paused."""

SENTENCES: Mapping[str, str] = {
    "scheduler.never": "The schedule has never run: start `paperround serve`, or run `paperround "
    "tick` every minute.",
    "scheduler.silent": "The schedule has not run since {since}: is `paperround serve` or the "
    "timer running?",
    "mail.clock": "Digests are held: the clock jumped forward. If it is right, run `paperround "
    "digest resume`.",
    "mail.unsigned": "Email is held: there is no DKIM key to sign it.",
    "mail.put-back": "Email is held: an older copy of the database may be in use.",
    "relay.unreached": "The relay cannot be reached: {reason}.",
    "relay.login": "The relay refuses the user or password of PAPERROUND_SMTP_URL: {reason}.",
    "relay.rests": "The relay refuses our email, so sending is paused until {until}: {reason}.",
    "list.archived": "The list {list} has been archived since {since}: `paperround lists restore "
    "{list}` restores it.",
    "list.paused": "The list {list} has been paused since {since}: `paperround digest resume` "
    "resumes it.",
    "list.no-readers": "Nobody subscribes to the list {list}.",
    "edition.none": "No edition of {date} has been made; the next is due at {at}.",
    "edition.none-that-day": "No edition of {date} was made.",
    "edition.held": (
        "The edition of {date} (cut {cut}) is held until {until}, unless it is approved earlier."
    ),
    "edition.cancelled": "The edition of {date} (cut {cut}) was cancelled.",
    "edition.empty": "The edition of {date} (cut {cut}) has no papers: {reason}.",
    "feed.none": "The list {list} has no feed that is polled.",
    "feed.new": "The feed {feed} has not been read yet.",
    "feed.empty": "The feed {feed} answers but has nothing new; its last papers came {since}.",
    "feed.stale": "The feed {feed} is late: it answers, but its last papers came {since}.",
    "feed.holiday": "The feed {feed} announces nothing today.",
    "feed.failed": "The feed {feed} cannot be read: {reason}.",
    "digests.sent": "{mails} sent, the first at {first}.",
    "digests.kept": "{mails} not sent but kept in the outbox, because no relay was set.",
    "digests.waiting": "{mails} to be sent; the next attempt is at {at}.",
    "digests.deferred": "The mail server deferred {mails} ({reason}); the next attempt is at {at}.",
    "digests.skipped": "{people} no email: {reason}.",
    "digests.failed": "{mails} failed: {reason}.",
    "digests.unknown": "{mails} got no answer from the mail server: they may have arrived.",
    "digests.expired": "{mails} expired: {reason}.",
    "readers.waiting": "{readers} due since {since}, but there is no edition to send yet.",
    "readers.due-later": "{readers} due later today, the next at {at}.",
    "readers.tomorrow": "Nobody else is due today; the next are due at {at}.",
    "person.not-on-list": "They are not on the list {list}.",
    "person.pending": "They have not confirmed their subscription to {list}.",
    "person.unsubscribed": "They unsubscribed from {list}.",
    "person.suppressed": "Their address is suppressed.",
    "person.paused": "They paused their digests of {list} until {until}.",
    "person.rests": "Too many emails to them bounced, so their digests of {list} are paused until "
    "{until}.",
    "person.not-their-day": "They get digests of {list} ({frequency}), and {date} is not one of "
    "their days.",
    "person.bounced": "The digest bounced at {at}: {reason}.",
    "person.complained": "They reported the digest as spam at {at}.",
    "person.due": "Their next digest of {list} is due at {at}.",
    "person.due-since": "Their digest of {list} has been due since {since}, but there is no "
    "edition to send yet.",
}

SKIPPED: Mapping[str, str] = {
    SkipReason.NO_NEW_PAPERS: "there were no new papers for them",
    SkipReason.NO_PAPERS_AT_ALL: "no papers had been read yet",
    SkipReason.MUTED: "they muted everything that was new",
    SkipReason.BELOW_FLOOR: "no new paper reached their minimum score",
    SkipReason.PAUSED: "they had paused their digests",
    SkipReason.BOUNCING: "too many emails to them bounced",
    SkipReason.NOT_THEIR_DAY: "it is not one of their days",
    SkipReason.HOLIDAY: "the sources announced nothing: a weekend or a holiday",
    SkipReason.FEED_STALE: "the sources had announced nothing new yet",
    SkipReason.FEED_FAILED: "a source could not be read",
    SkipReason.RESTORED: "it may have been sent before the database was restored",
    SkipReason.NO_EDITIONS: "the list had no edition in the month before",
    SkipReason.UNSUBSCRIBED: "they unsubscribed before it was sent",
    SkipReason.SUPPRESSED: "their address is suppressed",
    SkipReason.CANCELLED: "the edition was cancelled",
    LIFE_OVER: "not sent within 20 hours",
    WARM_UP: "a new sending domain may not send more yet",
}
"""The reasons of the ledger and of editions, in the words of a sentence."""

Value = str | int


def reason_text(reason: str) -> str:
    """Return a reason of the ledger in the words of a sentence, without addresses."""
    return SKIPPED.get(reason) or redact_addresses(reason) or "no reason is recorded"


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedReason:
    """One reason: a code that never changes its meaning, and its parameters. Instants are times
    in the zone of the list, which they name."""

    code: str
    params: Mapping[str, Value] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """The sentence in English."""
        return SENTENCES[self.code].format(**self.params)


def why(
    database: Database,
    list_name: str,
    *,
    hours: Hours,
    now: datetime,
    day: date | None = None,
    person: SubscriberId | None = None,
    pacing: Pacing = UNLIMITED,
) -> list[RecordedReason]:
    """Return the reasons for what a list, or one of its readers, was sent on `day` (default: today
    in the zone of the list), the most general first. Raises NotFound."""
    with database.reading() as work:
        mailing_list = work[ListStore].get(list_name)
        today = local_date(now, mailing_list.zone)
        answer = _Answer(work, mailing_list, hours, day or today, today, now)
        subscription = None
        if person is not None:
            if work[SubscriberStore].get(person) is None:
                raise NotFound(f"there is no subscriber {person}")
            subscription = work[SubscriberStore].subscription(person, mailing_list.id)
            if subscription is None:
                return [answer.say("person.not-on-list", list=list_name)]
        return [*answer.sentences(subscription, person, pacing)]


@dataclass(frozen=True, slots=True)
class _Answer:
    """Reads the records of one date of a list."""

    work: Transaction
    mailing_list: MailingList
    hours: Hours
    day: date
    today: date
    now: datetime

    def say(self, code: str, **params: Value | date | datetime | None) -> RecordedReason:
        """Return a sentence; its instants become times in the list's zone."""
        written = {name: self._written(value) for name, value in params.items()}
        return RecordedReason(code=code, params=written)

    def _written(self, value: Value | date | datetime | None) -> Value:
        if value is None:
            return "never"
        if isinstance(value, datetime):
            local = value.astimezone(ZoneInfo(self.mailing_list.zone))
            time = f"{local:%H:%M} {self.mailing_list.zone}"
            return time if local.date() == self.day else f"{time} on {local:%Y-%m-%d}"
        return value.isoformat() if isinstance(value, date) else value

    @property
    def is_today(self) -> bool:
        """Whether the current state applies to the date."""
        return self.day == self.today

    def sentences(
        self, subscription: Subscription | None, person: SubscriberId | None, pacing: Pacing
    ) -> Iterator[RecordedReason]:
        """Yield the sentences in order."""
        archived_at = self.mailing_list.archived_at if self.is_today else None
        if archived_at is not None:  # nothing else matters, and nothing is due
            yield self.say("list.archived", list=self.mailing_list.name, since=archived_at)
        else:
            yield from self._causes(subscription, person, pacing)
        for one in self.work[DayStore].outcomes(self.mailing_list.id, self.day, person):
            yield self._outcome(one)
        if person is not None:
            yield from self._returned(person)
        if self.is_today and archived_at is None:
            if subscription is None:
                yield from self._due()
            else:
                yield from self._person_due(subscription)

    def _causes(
        self, subscription: Subscription | None, person: SubscriberId | None, pacing: Pacing
    ) -> Iterator[RecordedReason]:
        if self.is_today:
            yield from self._all_mail(pacing)
            yield from self._list(person)
        if subscription is not None:
            yield from self._person(subscription)
        yield from self._editions()
        if self.is_today:
            yield from self._feeds()

    def _all_mail(self, pacing: Pacing) -> Iterator[RecordedReason]:
        beat = self.work[SlotStore].last_beat(SCHEDULER)
        if beat is None:
            yield self.say("scheduler.never")
        elif not is_ticking(beat, now=self.now):
            yield self.say("scheduler.silent", since=beat)
        pace = pace_status(self.work, pacing, now=self.now)
        held = {
            "mail.clock": pace.is_held,
            "mail.unsigned": pace.lacks_keys,
            "mail.put-back": pace.was_put_back,
        }
        yield from (self.say(code) for code, is_so in held.items() if is_so)
        if pace.relay.is_paused(self.now):
            reason = redact_addresses(pace.relay.reason) or ""
            yield self.say("relay.rests", until=pace.relay.rests_until, reason=reason)
        elif pace.unreached is not None and not pace.relay.is_probing:
            code = "relay.login" if is_login_refused(pace.unreached) else "relay.unreached"
            yield self.say(code, reason=redact_addresses(without_code(pace.unreached)) or "")

    def _list(self, person: SubscriberId | None) -> Iterator[RecordedReason]:
        one = self.mailing_list
        if one.paused_at is not None:
            yield self.say("list.paused", list=one.name, since=one.paused_at)
        if person is None and not self.work[StatusStore].active(one.id):
            yield self.say("list.no-readers", list=one.name)

    def _person(self, subscription: Subscription) -> Iterator[RecordedReason]:
        name = self.mailing_list.name
        if subscription.state is not SubscriberState.ACTIVE:
            yield self.say(f"person.{subscription.state.value}", list=name)
            return
        chosen = subscription.preferences
        if chosen.paused_until is not None and self.day < chosen.paused_until:
            yield self.say("person.paused", list=name, until=chosen.paused_until)
        if subscription.resting_until is not None and self.day < subscription.resting_until:
            yield self.say("person.rests", list=name, until=subscription.resting_until)
        if not is_digest_day(subscription, self.day):
            frequency = chosen.frequency_text
            yield self.say("person.not-their-day", list=name, frequency=frequency, date=self.day)

    def _editions(self) -> Iterator[RecordedReason]:
        ids = self.work[HeldEditions].of_day(self.mailing_list.id, self.day)
        of_day = [self.work[EditionStore].get(one) for one in ids]
        if not of_day:
            code = "edition.none" if self.is_today else "edition.none-that-day"
            at = next_cut(self.mailing_list, self.now).instant
            yield self.say(code, date=self.day, **({"at": at} if self.is_today else {}))
        for one in of_day:
            yield from self._edition(one)

    def _edition(self, edition: Edition) -> Iterator[RecordedReason]:
        name: dict[str, Value | date] = {"date": edition.day, "cut": edition.cut}
        if edition.state is EditionState.CANCELLED:
            yield self.say("edition.cancelled", **name)
        elif edition.is_held(self.now):
            yield self.say("edition.held", **name, until=edition.held_until)
        elif edition.empty_reason:
            why_empty = edition.quiet_reason or edition.empty_reason
            yield self.say("edition.empty", **name, reason=_EMPTY.get(why_empty, why_empty))

    def _feeds(self) -> Iterator[RecordedReason]:
        feeds = feeds_of(self.mailing_list, polled_feeds(self.work))
        if not feeds:
            yield self.say("feed.none", list=self.mailing_list.name)
        for one in feeds:
            if one.health in _QUIET:
                continue
            params: dict[str, Value | datetime | None] = {"feed": one.name}
            if one.health in (FeedHealth.EMPTY, FeedHealth.STALE):
                params["since"] = one.last_news_at
            if one.health is FeedHealth.FAILED:
                params["reason"] = redact_addresses(one.reason) or ""
            yield self.say(f"feed.{one.health.value}", **params)

    def _outcome(self, one: OutcomeTally) -> RecordedReason:
        mails, count = counted(one.count, "digest"), one.count
        reason = reason_text(one.reason)
        if words := " ".join((redact_addresses(one.reply) or "").split()).rstrip("."):
            reason += f", “{words}”"
        match one.state:
            case DeliveryState.SENT:
                if one.is_in_outbox:
                    code, mails = "digests.kept", f"{mails} {'was' if count == 1 else 'were'}"
                else:
                    code = "digests.sent"
                return self.say(code, count=count, mails=mails, first=one.first_sent_at)
            case DeliveryState.QUEUED | DeliveryState.CLAIMED | DeliveryState.IN_DATA:
                wait = f"{mails} {'waits' if count == 1 else 'wait'}"
                return self.say("digests.waiting", count=count, mails=wait, at=one.next_at)
            case DeliveryState.DEFERRED:
                return self.say(
                    "digests.deferred", count=count, mails=mails, reason=reason, at=one.next_at
                )
            case DeliveryState.SKIPPED:
                people = f"{counted(count, 'person', 'people')} {'gets' if count == 1 else 'get'}"
                return self.say("digests.skipped", count=count, people=people, reason=reason)
            case DeliveryState.UNKNOWN:
                return self.say("digests.unknown", count=count, mails=mails)
            case _:
                code = f"digests.{one.state.value}"
                return self.say(code, count=count, mails=mails, reason=reason)

    def _returned(self, person: SubscriberId) -> Iterator[RecordedReason]:
        """Yield the bounces of a person's digests of the date that were sent, and their complaints
        about them."""
        wanted = DeliveryQuery(
            list_id=self.mailing_list.id,
            local_date=self.day,
            state=DeliveryState.SENT,
            subscriber_id=person,
        )
        found = self.work[StatusStore].deliveries(wanted, before=None, limit=_RETURNED)
        mails = {one.name for one in found}
        for one in reversed(self.work[ReturnStore].events(person, limit=_RETURNED)):
            if one.mail in mails and one.kind is ReportKind.COMPLAINT:
                yield self.say("person.complained", at=one.happened_at)
            elif one.mail in mails and one.kind is ReportKind.BOUNCE:
                reason = redact_addresses(one.said.rstrip(".")) or one.code or "no reason was given"
                yield self.say("person.bounced", at=one.happened_at, reason=reason)

    def _person_due(self, subscription: Subscription) -> Iterator[RecordedReason]:
        at = next_digest_at(self.work, subscription, self.mailing_list, self.hours, now=self.now)
        if at is not None and at <= self.now:
            yield self.say("person.due-since", list=self.mailing_list.name, since=at)
        elif at is not None:
            yield self.say("person.due", list=self.mailing_list.name, at=at)

    def _due(self) -> Iterator[RecordedReason]:
        list_id, zone, store = self.mailing_list.id, self.mailing_list.zone, self.work[DayStore]
        due, end = partial(store.due, list_id, zone=zone), end_of_day(self.today, zone)
        waiting = due(after=None, until=self.now)
        later = due(after=self.now, until=end)
        beyond = due(after=end, until=end + _AHEAD)
        if waiting.count:
            readers = _readers(waiting.count)
            yield self.say(
                "readers.waiting", count=waiting.count, readers=readers, since=waiting.first_at
            )
        if later.count:
            yield self.say(
                "readers.due-later",
                count=later.count,
                readers=_readers(later.count),
                at=later.first_at,
            )
        elif beyond.first_at is not None:
            yield self.say("readers.tomorrow", at=beyond.first_at)


_AHEAD = timedelta(days=3)
_RETURNED = 20
"""How many of a person's digests and events are searched for bounces."""
_EMPTY: Mapping[str, str] = {
    SkipReason.NO_NEW_PAPERS: "no new papers were listed since the one before",
    SkipReason.NO_PAPERS_AT_ALL: "no papers have been read yet",
    SkipReason.HOLIDAY: SKIPPED[SkipReason.HOLIDAY],
    SkipReason.FEED_STALE: SKIPPED[SkipReason.FEED_STALE],
    SkipReason.FEED_FAILED: SKIPPED[SkipReason.FEED_FAILED],
}


def _readers(count: int) -> str:
    return f"{counted(count, 'reader')} {'is' if count == 1 else 'are'}"
