"""Plan the digests that are due, as ledger rows.

    active, no due time yet ─► first due time
    due ─► the newest edition cut by then ─► choose ─► row and next due time, in one transaction
                 └── not frozen yet: wait up to LONGEST_WAIT

Each subscription stores when its next digest is due. One transaction writes the row of that date
and the next due time, so parallel processes, a crash or a second run never plan a date twice.
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
from paperround.digests.build import (
    BuildContext,
    DigestReader,
    build,
    without_content,
    write_in_batches,
)
from paperround.digests.model import reader_skip_reason, skip_reason_for
from paperround.editions.lists import MailingList
from paperround.editions.model import DeliveryState, Edition, EditionId, SkipReason
from paperround.editions.schedule import first_due, missed, newest_cut, next_due
from paperround.editions.store.editions import EditionStore
from paperround.editions.store.held import HeldEditions
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
"""Subscriptions built together."""

CLOCKS = 1000
"""First due times set in one transaction, which holds the write lock for 20 ms of one core."""

FURTHEST_DUE = timedelta(days=8)
"""Later than any due instant: these are at most a few days ahead."""

LONGEST_WAIT = timedelta(minutes=90)
"""How long a digest waits after its hour for an edition whose papers are late."""

LATE = timedelta(minutes=30)
"""How long after its due time a waiting digest counts as late, for alerts."""

MISSED = "missed"
"""The reason of a row that is expired from the start, because it was planned too late."""

_NOT_WANTED = frozenset({SkipReason.PAUSED, SkipReason.BOUNCING, SkipReason.NOT_THEIR_DAY})
"""With these reasons no digest was due, so none was missed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hours:
    """The installation's default hour of digests, for readers and lists that set none."""

    hour: int

    def hour_of(self, preferences: Preferences, mailing_list: MailingList) -> int:
        """Return the hour at which a reader's digest is due: theirs, else the list's."""
        hours = (preferences.hour, mailing_list.default_hour)
        return next((one for one in hours if one is not None), self.hour)

    def zone_of(self, preferences: Preferences, mailing_list: MailingList) -> str:
        """Return the reader's time zone, else the list's.

        The list's zone also replaces one that this machine does not know (its tzdata may be
        older), so that one row does not block everybody else's digest.
        """
        return preferences.timezone if is_zone(preferences.timezone) else mailing_list.zone


@dataclass(slots=True, kw_only=True)
class PlanReport:
    """The result of planning a list.

    `missed` counts digests planned too late, by local date; `waiting` counts readers who are due
    without an edition, and `late` those among them who have waited longer than LATE, not counting
    waits for a held edition.
    """

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
    personal_ranking: PersonalRanking | None = None,
    alive: Callable[[], None] = lambda: None,
) -> dict[str, PlanReport]:
    """Plan the due digests of every list that is not archived; return the reports by list name.

    Editions whose hold has ended go out first. `alive` is called after each page, as a
    heartbeat. Old deliveries expire first, so that their papers can be sent again. An error in one
    list does not stop the others; the first is raised at the end.
    """
    expire_old(database, now=now)
    with database.reading() as work:
        lists = work[ListStore].all()
        is_hold_over = work[HeldEditions].is_any_due(now=now)
    if is_hold_over:
        write(database, lambda work: work[HeldEditions].release_due(now=now))
    _set_first_due(database, {one.id: one for one in lists}, hours, now)
    context = BuildContext(identity=identity, now=now, personal_ranking=personal_ranking)
    reports: dict[str, PlanReport] = {}
    failure: Exception | None = None
    for mailing_list in lists:
        if mailing_list.archived_at is not None:
            continue
        try:
            planner = _ListPlanner(database, context, hours, mailing_list)
            reports[mailing_list.name] = planner.plan(alive)
        except Exception as error:  # plan the other lists first
            failure = failure or error
    if failure is not None:
        raise failure
    return reports


def expire_old(database: Database, *, now: datetime) -> None:
    """Give up digests that could not leave in time, which releases their papers."""
    write(
        database,
        lambda work: work[Ledger].expire(now=now, untried=work[PaceStore].why_untried(now=now)),
    )


def _set_first_due(
    database: Database, lists: Mapping[int, MailingList], hours: Hours, now: datetime
) -> None:
    """Set the first due time of new and changed subscriptions."""

    def set_batch(work: Transaction) -> int:
        unscheduled = work[SubscriberStore].unscheduled(limit=CLOCKS)
        taken = work[SubscriberStore].last_dates([one.id for one in unscheduled])
        work[SubscriberStore].start_clocks(
            {
                one.id: first_due_of(one, lists[one.list_id], hours, taken.get(one.id), now)
                for one in unscheduled
            }
        )
        return len(unscheduled)

    while write(database, set_batch) == CLOCKS:
        pass


def first_due_of(
    subscription: Subscription,
    mailing_list: MailingList,
    hours: Hours,
    taken: date | None,
    now: datetime,
) -> datetime:
    """Return the first due time of a new or changed subscription."""
    preferences = subscription.preferences
    zone = hours.zone_of(preferences, mailing_list)
    return first_due(now, hour=hours.hour_of(preferences, mailing_list), zone=zone, taken=taken)


def next_digest_at(
    work: Transaction,
    subscription: Subscription,
    mailing_list: MailingList,
    hours: Hours,
    *,
    now: datetime,
) -> datetime | None:
    """Return when the subscriber's next digest is due, on one of their days, after any pause, and
    not on a date that has one; None if that is unset. It is not after `now` while a digest waits to
    be planned."""
    due = due_subscription(work, subscription, by=now + FURTHEST_DUE)
    if due is None:
        return None
    due_at, zone = due.due_at, hours.zone_of(subscription.preferences, mailing_list)
    wanted = _as_daily(subscription) if due.at_once else subscription
    hour = hours.hour_of(subscription.preferences, mailing_list)
    taken = work[SubscriberStore].last_dates([subscription.id]).get(subscription.id, date.min)
    while (day := local_date(due_at, zone)) <= taken or reader_skip_reason(wanted, day) is not None:
        due_at = next_due(due_at, hour=hour, zone=zone)
    return due_at


def due_subscription(
    work: Transaction, subscription: Subscription, *, by: datetime
) -> DueSubscription | None:
    """Return an active subscription that is due by then, None if it is not."""
    just_before = SubscriptionId(subscription.id - 1)
    found = work[SubscriberStore].due(subscription.list_id, now=by, limit=1, after=just_before)
    return next((one for one in found if one.subscription.id == subscription.id), None)


@dataclass(slots=True)
class _ListPlanner:
    """Plans the due subscriptions of one list, page by page."""

    database: Database
    context: BuildContext
    hours: Hours
    mailing_list: MailingList
    editions: dict[datetime | None, Edition | None] = field(default_factory=dict)
    held: set[datetime] = field(default_factory=set)
    report: PlanReport = field(default_factory=PlanReport)

    def plan(self, alive: Callable[[], None]) -> PlanReport:
        """Plan all due digests, except those that wait for an edition."""
        for page in self._pages():
            still_due: Sequence[DueSubscription] = page
            while still_due:
                still_due = self._plan_page(still_due)
            alive()
        return self.report

    def _pages(self) -> Iterator[list[DueSubscription]]:
        """Yield the due subscriptions in pages."""
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
        """Plan a page; return the subscriptions whose next digest is due as well."""
        still_due = []
        report, now = self.report, self.context.now
        for batch, rows in write_in_batches(page, choose=self._build_rows, write=self._write):
            next_due_at = {one.row.subscription_id: one.next_due_at for one in rows}
            for one in batch:
                due_at = next_due_at.get(one.subscription.id)
                if due_at is None:
                    report.waiting += 1
                    is_held = one.due_at in self.held
                    report.late += now >= one.due_at + LATE and not is_held
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
        """Write the rows. Raises Conflict when another list took one of the papers meanwhile, or
        EditionCancelled, which also clears the cached editions."""
        if not rows:
            return rows
        try:
            with self.database.writing() as work:
                work[Ledger].plan_due(rows, now=self.context.now)
        except EditionCancelled:
            self.editions.clear()
            raise
        return rows

    def _build_rows(self, page: Sequence[DueSubscription]) -> list[DueDelivery | None]:
        """Return the row of each subscription, None while its edition is not frozen."""
        editions: dict[EditionId, Edition] = {}
        by_edition: dict[EditionId, list[DueSubscription]] = {}
        for one in page:
            edition = self._edition_for(None if one.at_once else one.due_at)
            if edition is not None:
                editions[edition.id] = edition
                by_edition.setdefault(edition.id, []).append(one)
        rows: dict[SubscriptionId, DueDelivery] = {}
        for id_, due in by_edition.items():
            rows |= self._rows_of_edition(editions[id_], due)
        return [rows.get(one.subscription.id) for one in page]

    def _edition_for(self, due_at: datetime | None) -> Edition | None:
        """Return the edition of a digest due then (None: now), None while it waits. Cached."""
        if due_at not in self.editions:
            self.editions[due_at] = self._find_edition(due_at)
        return self.editions[due_at]

    def _find_edition(self, due_at: datetime | None) -> Edition | None:
        """Find the edition of the newest cut before `due_at` or, after LONGEST_WAIT, the newest one
        that is out. Waits for a held one.

        A digest that is not sent (missed, or due before a restore) may use any edition.
        """
        now = self.context.now
        if due_at is None:
            found = self._newest(now, sendable=True)
            return None if found is None or _is_without_papers(found) else found
        if self._is_before_restore(due_at):
            return self._newest(now, sendable=False)
        edition = self._newest(due_at, sendable=True, with_held=True)
        if edition is not None and not self._is_fresh(edition, due_at):
            edition = None
        if edition is not None and edition.is_held(now):
            self.held.add(due_at)  # they wait for this edition however long it is held
            return None
        if missed(due_at if edition is None else self._sent_from(due_at, edition), now):
            return self._newest(now, sendable=False)
        if edition is not None:
            return edition
        return None if now < due_at + LONGEST_WAIT else self._newest(now, sendable=True)

    def _is_fresh(self, edition: Edition, due_at: datetime) -> bool:
        """Return whether it is the edition of the newest cut before `due_at`."""
        return newest_cut(self.mailing_list, due_at).instant <= edition.cut_at <= due_at

    def _sent_from(self, due_at: datetime, edition: Edition) -> datetime:
        """Return when a digest of the edition counts as due: not before its hold ended."""
        went_at = edition.went_at
        if went_at is None or went_at <= due_at or not self._is_fresh(edition, due_at):
            return due_at
        return due_at if self._is_before_restore(due_at) else went_at

    def _newest(self, by: datetime, *, sendable: bool, with_held: bool = False) -> Edition | None:
        """Return the newest edition; if `sendable`, not one from before a restore."""
        with self.database.reading() as work:
            edition = work[EditionStore].newest(self.mailing_list.id, by=by, with_held=with_held)
        if sendable and edition is not None and self._is_before_restore(edition.cut_at):
            return None
        return edition

    def _is_before_restore(self, moment: datetime) -> bool:
        not_before = self.mailing_list.not_before
        return not_before is not None and moment < not_before

    def _rows_of_edition(
        self, edition: Edition, people: Sequence[DueSubscription]
    ) -> dict[SubscriptionId, DueDelivery]:
        readers, due = [], []
        for one in people:
            subscription, due_at = one.subscription, one.due_at
            if one.at_once:  # a new subscriber who waited for the first papers
                subscription, due_at = _as_daily(subscription), max(due_at, edition.frozen_at)
            due.append(due_at)
            day = local_date(due_at, self._zone_of(one))
            sent_from = self._sent_from(due_at, edition)
            readers.append(DigestReader(subscription=subscription, day=day, due_at=sent_from))
        with self.database.reading() as work:
            rows = build(work, self.context, edition, self.mailing_list, readers)
        return {
            one.subscription.id: DueDelivery(
                edition_id=edition.id,
                row=self._without_late_content(row),
                due_at=one.due_at,
                next_due_at=next_due(
                    due_at,
                    hour=self.hours.hour_of(one.subscription.preferences, self.mailing_list),
                    zone=self._zone_of(one),
                ),
            )
            for one, row, due_at in zip(people, rows, due, strict=True)
        }

    def _zone_of(self, one: DueSubscription) -> str:
        return self.hours.zone_of(one.subscription.preferences, self.mailing_list)

    def _without_late_content(self, row: NewDelivery) -> NewDelivery:
        """Return the row, without its content if it is from before a restore or too late."""
        if self._is_before_restore(row.due_at):
            return without_content(row, DeliveryState.SKIPPED, SkipReason.RESTORED)
        if missed(row.due_at, self.context.now) and row.reason not in _NOT_WANTED:
            return without_content(row, DeliveryState.EXPIRED, MISSED)
        return row


class Welcome(Enum):
    """When a new subscriber gets the first digest: now, with the first papers, or at their hour."""

    DUE = "due"
    FIRST_PAPERS = "first-papers"
    LATER = "later"


def plan_first_digest(
    work: Transaction,
    *,
    hours: Hours,
    mailing_list: MailingList,
    subscription: Subscription,
    now: datetime,
) -> Welcome:
    """Schedule the first digest of a new subscription and return when it comes.

    It is due at once and gets the newest edition as today's digest, on any weekday. Without a
    digest to send, it is due at the reader's next hour.
    """
    today = local_date(now, hours.zone_of(subscription.preferences, mailing_list))
    taken = work[SubscriberStore].last_dates([subscription.id]).get(subscription.id)
    newest = work[EditionStore].newest(mailing_list.id, by=now)
    is_first = newest is None or _is_without_papers(newest)
    is_due = is_first
    if newest is not None and not is_first:
        not_before = mailing_list.not_before
        is_held = not_before is not None and newest.cut_at < not_before
        is_due = not is_held and skip_reason_for(newest, _as_daily(subscription), today) is None
    if is_due and (taken is None or taken < today):
        work[SubscriberStore].schedule({subscription.id: now})
        return Welcome.FIRST_PAPERS if is_first else Welcome.DUE
    later = first_due_of(subscription, mailing_list, hours, taken, now)
    work[SubscriberStore].schedule({subscription.id: later})
    return Welcome.LATER


def _is_without_papers(edition: Edition) -> bool:
    """Return whether the edition was frozen before any paper was read."""
    return edition.empty_reason == SkipReason.NO_PAPERS_AT_ALL


def _as_daily(subscription: Subscription) -> Subscription:
    """Return the subscription as a daily one: a first digest is sent on any weekday."""
    daily = replace(subscription.preferences, frequency=Frequency.DAILY)
    return replace(subscription, preferences=daily)
