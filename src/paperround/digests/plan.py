"""Plan: a ledger row for everybody whose hour has come.

    active, no clock yet ─► first due instant
    due ─► the newest edition cut by then ─► choose ─► row, and the clock moved on, in one step
                 └── still awaited: they wait a while

Each subscription carries the instant its next digest is due. Whoever moves that clock writes the
row of the date it stood at, so two processes, a crash or a second run never plan a date twice.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from enum import Enum

from paperround.core.errors import EditionCancelled
from paperround.core.times import is_zone, local_date
from paperround.db.transactions import Database, Transaction, write
from paperround.delivery.ledger_model import DueDelivery, NewDelivery
from paperround.delivery.model import Identity
from paperround.delivery.store.ledger import Ledger
from paperround.delivery.store.rates import PaceStore
from paperround.digests.build import BuildContext, DigestReader, build, in_parts, without_mail
from paperround.digests.model import none_due
from paperround.editions.lists import MailingList
from paperround.editions.model import DeliveryState, Edition, EditionId, SkipReason
from paperround.editions.schedule import first_due, missed, newest_cut, next_due
from paperround.editions.store.editions import EditionStore
from paperround.editions.store.lists import ListStore
from paperround.personal.ranking import PersonalRanking
from paperround.subscribers.model import (
    DueSubscription,
    Frequency,
    Preferences,
    Subscription,
    SubscriptionId,
)
from paperround.subscribers.store.subscribers import SubscriberStore

PAGE = 2000
"""People who are chosen for together."""

CLOCKS = 1000
"""Clocks that are started in one transaction: 20 ms of one core, in which nobody else writes."""

LONGEST_WAIT = timedelta(minutes=90)
"""How long a digest waits after its hour for an edition that is late because its papers are."""

LATE = timedelta(minutes=30)
"""How long after its due instant a digest that did not leave is worth an alert."""

MISSED = "missed"
"""Why a row is born expired: nobody planned it while its digest would still have been news."""

_NOT_WANTED = frozenset({SkipReason.PAUSED, SkipReason.BOUNCING, SkipReason.NOT_THEIR_DAY})
"""Nobody misses a digest they did not want, or that was not to be sent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hours:
    """When people who name no hour or zone of their own get their digest."""

    hour: int

    def hour_of(self, wish: Preferences) -> int:
        """The hour a person's digest is due at."""
        return self.hour if wish.hour is None else wish.hour

    def zone_of(self, wish: Preferences, mailing_list: MailingList) -> str:
        """The zone that hour is meant in: the person's, else the list's.

        A zone this machine does not know (its tzdata may be older) is read as the list's: one
        person's row must not keep everybody else from their mail.
        """
        return wish.timezone if is_zone(wish.timezone) else mailing_list.zone


@dataclass(slots=True, kw_only=True)
class PlanReport:
    """What a round of planning did. `missed` counts digests that came too late, by local date,
    `waiting` people who are due and have no edition yet, `late` those of them who waited long."""

    planned: int = 0
    skipped: Counter[str] = field(default_factory=Counter)
    missed: Counter[date] = field(default_factory=Counter)
    waiting: int = 0
    late: int = 0


def plan_due(
    *,
    database: Database,
    identity: Identity,
    hours: Hours,
    now: datetime,
    opinions: PersonalRanking | None = None,
    alive: Callable[[], None] = lambda: None,
) -> dict[str, PlanReport]:
    """Plan every list's due digests; returns what was done, by list. `alive` is called after each
    page of people: there may be many.

    Mails whose life is over expire first, so that their papers can be sent after all. A list that
    cannot be planned does not keep the others from it; its error is raised at the end.
    """
    write(
        database,
        lambda work: work[Ledger].expire(now=now, untried=work[PaceStore].why_untried(now=now)),
    )
    with database.reading() as work:
        lists = work[ListStore].all()
    _start_clocks(database, {one.id: one for one in lists}, hours, now)
    context = BuildContext(identity=identity, now=now, opinions=opinions)
    reports: dict[str, PlanReport] = {}
    failure: Exception | None = None
    for mailing_list in lists:
        try:
            one_list = _ListRound(database, context, hours, mailing_list)
            reports[mailing_list.name] = one_list.plan(alive)
        except Exception as error:  # the readers of the other lists wait too
            failure = failure or error
    if failure is not None:
        raise failure
    return reports


def _start_clocks(
    database: Database, lists: Mapping[int, MailingList], hours: Hours, now: datetime
) -> None:
    """Set the first due instant of everybody who has none: new or changed subscriptions."""

    def start(work: Transaction) -> int:
        waiting = work[SubscriberStore].unscheduled(limit=CLOCKS)
        taken = work[SubscriberStore].last_dates([one.id for one in waiting])
        work[SubscriberStore].start_clocks(
            {
                one.id: first_due_of(one, lists[one.list_id], hours, taken.get(one.id), now)
                for one in waiting
            }
        )
        return len(waiting)

    while write(database, start) == CLOCKS:
        pass


def first_due_of(
    subscription: Subscription,
    mailing_list: MailingList,
    hours: Hours,
    taken: date | None,
    now: datetime,
) -> datetime:
    """When a subscription whose clock starts now is due first."""
    wish = subscription.preferences
    return first_due(
        now, hour=hours.hour_of(wish), zone=hours.zone_of(wish, mailing_list), taken=taken
    )


@dataclass(slots=True)
class _ListRound:
    """One list's due people, page by page."""

    database: Database
    context: BuildContext
    hours: Hours
    mailing_list: MailingList
    editions: dict[datetime | None, Edition | None] = field(default_factory=dict)
    report: PlanReport = field(default_factory=PlanReport)

    def plan(self, alive: Callable[[], None]) -> PlanReport:
        """Plan until nobody is due but those who wait."""
        for page in self._pages():
            behind: Sequence[DueSubscription] = page
            while behind:
                behind = self._plan_page(behind)
            alive()
        return self.report

    def _pages(self) -> Iterator[list[DueSubscription]]:
        """Everybody due. Somebody days behind comes again until the clock is ahead of `now`."""
        after = SubscriptionId(0)
        while True:
            with self.database.reading() as work:
                page = work[SubscriberStore].due(
                    self.mailing_list.id, now=self.context.now, limit=PAGE, after=after
                )
            if not page:
                return
            yield page
            after = page[-1].subscription.id

    def _plan_page(self, page: Sequence[DueSubscription]) -> list[DueSubscription]:
        """Returns those whose next digest is due as well: they missed more than one."""
        still_due = []
        report, now = self.report, self.context.now
        for part, rows in in_parts(page, choose=self._built, write=self._write):
            moved = {one.row.subscription_id: one.next_due_at for one in rows}
            for one in part:
                due_at = moved.get(one.subscription.id)
                if due_at is None:
                    report.waiting += 1
                    report.late += now >= one.due_at + LATE
                elif due_at <= now:
                    still_due.append(replace(one, due_at=due_at, at_once=False))
            for row in (one.row for one in rows):
                if row.state is DeliveryState.QUEUED:
                    report.planned += 1
                elif row.state is DeliveryState.EXPIRED:
                    report.missed[row.local_date] += 1
                else:
                    report.skipped[row.reason] += 1
        return still_due

    def _write(
        self, _: Sequence[DueSubscription], rows: Sequence[DueDelivery]
    ) -> Sequence[DueDelivery]:
        """Raises Conflict when another list took one of the papers meanwhile, or an edition was
        cancelled: what stands now is looked for then."""
        if not rows:
            return rows
        try:
            with self.database.writing() as work:
                work[Ledger].plan_due(rows, now=self.context.now)
        except EditionCancelled:
            self.editions.clear()
            raise
        return rows

    # --- building, outside any writing transaction ---------------------------------------------

    def _built(self, page: Sequence[DueSubscription]) -> list[DueDelivery | None]:
        """The row of each of the page, None for those whose edition is not there yet."""
        editions: dict[EditionId, Edition] = {}
        people: dict[EditionId, list[DueSubscription]] = {}
        for one in page:
            edition = self._edition_for(None if one.at_once else one.due_at)
            if edition is not None:
                editions[edition.id] = edition
                people.setdefault(edition.id, []).append(one)
        rows: dict[SubscriptionId, DueDelivery] = {}
        for id_, some in people.items():
            rows |= self._of(editions[id_], some)
        return [rows.get(one.subscription.id) for one in page]

    def _edition_for(self, due_at: datetime | None) -> Edition | None:
        """The edition a digest due then is cut from, None while it has to wait for one; without an
        instant the newest there is."""
        if due_at not in self.editions:
            self.editions[due_at] = self._found_for(due_at)
        return self.editions[due_at]

    def _found_for(self, due_at: datetime | None) -> Edition | None:
        """The newest cut before their hour. When that is not there in time, the newest there is.

        What will not be mailed (it is missed, or of before a restore) goes with any edition.
        """
        if due_at is None:
            found = self._usable(self.context.now)
            return None if found is None or _is_without_papers(found) else found
        if self._is_of_before_the_restore(due_at) or missed(due_at, self.context.now):
            return self._newest(self.context.now)
        promised, cut = self._usable(due_at), newest_cut(self.mailing_list, due_at)
        if promised is not None and promised.cut_at >= cut.instant:
            return promised
        return None if self.context.now < due_at + LONGEST_WAIT else self._usable(self.context.now)

    def _usable(self, by: datetime) -> Edition | None:
        """The newest edition; none whose mails the installation that was lost may have sent."""
        edition = self._newest(by)
        if edition is not None and self._is_of_before_the_restore(edition.cut_at):
            return None
        return edition

    def _newest(self, by: datetime) -> Edition | None:
        with self.database.reading() as work:
            return work[EditionStore].newest(self.mailing_list.id, by=by)

    def _is_of_before_the_restore(self, moment: datetime) -> bool:
        held = self.mailing_list.not_before
        return held is not None and moment < held

    def _of(
        self, edition: Edition, people: Sequence[DueSubscription]
    ) -> dict[SubscriptionId, DueDelivery]:
        readers = []
        for one in people:
            person, due_at = one.subscription, one.due_at
            if one.at_once:  # a newcomer who waited for the first papers gets them with these
                person, due_at = _any_day(person), max(due_at, edition.frozen_at)
            day = local_date(due_at, self._zone_of(one))
            readers.append(DigestReader(subscription=person, day=day, due_at=due_at))
        with self.database.reading() as work:
            rows = build(work, self.context, edition, self.mailing_list, readers)
        return {
            one.subscription.id: DueDelivery(
                edition_id=edition.id,
                row=self._if_in_time(row),
                due_at=one.due_at,
                next_due_at=next_due(
                    row.due_at,
                    hour=self.hours.hour_of(one.subscription.preferences),
                    zone=self._zone_of(one),
                ),
            )
            for one, row in zip(people, rows, strict=True)
        }

    def _zone_of(self, one: DueSubscription) -> str:
        return self.hours.zone_of(one.subscription.preferences, self.mailing_list)

    def _if_in_time(self, row: NewDelivery) -> NewDelivery:
        """The row; without its mail when the installation that was lost may have sent that, or
        nobody planned it while it would still have been news."""
        if self._is_of_before_the_restore(row.due_at):
            return without_mail(row, DeliveryState.SKIPPED, SkipReason.RESTORED)
        if missed(row.due_at, self.context.now) and row.reason not in _NOT_WANTED:
            return without_mail(row, DeliveryState.EXPIRED, MISSED)
        return row


class Welcome(Enum):
    """What somebody who just confirmed can expect: a digest within moments, one with the first
    papers that are read, or nothing before their hour."""

    DUE = "due"
    FIRST_PAPERS = "first-papers"
    LATER = "later"


def plan_newcomer(
    work: Transaction,
    *,
    hours: Hours,
    mailing_list: MailingList,
    subscription: Subscription,
    now: datetime,
) -> Welcome:
    """Make somebody who just confirmed due at once: the next round of planning gives them the
    newest edition as the digest of this date, whatever day of the week they chose. Where there is
    none for them, their clock starts as everybody's."""
    today = local_date(now, hours.zone_of(subscription.preferences, mailing_list))
    taken = work[SubscriberStore].last_dates([subscription.id]).get(subscription.id)
    newest = work[EditionStore].newest(mailing_list.id, by=now)
    awaited = newest is None or _is_without_papers(newest)
    is_due = awaited
    if newest is not None and not awaited:
        held = mailing_list.not_before
        is_held = held is not None and newest.cut_at < held
        is_due = not is_held and none_due(newest, _any_day(subscription), today) is None
    if is_due and (taken is None or taken < today):
        work[SubscriberStore].schedule({subscription.id: now})
        return Welcome.FIRST_PAPERS if awaited else Welcome.DUE
    later = first_due_of(subscription, mailing_list, hours, taken, now)
    work[SubscriberStore].schedule({subscription.id: later})
    return Welcome.LATER


def _is_without_papers(edition: Edition) -> bool:
    """Whether the edition was made before any paper was read."""
    return edition.empty_reason == SkipReason.NO_PAPERS_AT_ALL


def _any_day(subscription: Subscription) -> Subscription:
    """The same for somebody whose first digest does not wait for their day of the week."""
    daily = replace(subscription.preferences, frequency=Frequency.DAILY)
    return replace(subscription, preferences=daily)
