"""Find undelivered digests and plan replacements, on request.

    failed | expired | skipped (cancelled) ─► a new row, kind `replacement`, with the same papers
    unknown ─► only with `include_unknown`: the reader may have it already

The ledger allows one replacement per reader and date. Readers who unsubscribed, paused or were
suppressed since get none.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import partial
from itertools import chain

from paperround.access.model import COMMAND_LINE, AuditedAction
from paperround.access.store import AuditStore
from paperround.core.times import local_date
from paperround.db.transactions import Database, run_with_retries
from paperround.delivery.ledger_model import DeliveryContent, NewDelivery, Undelivered
from paperround.delivery.model import Identity
from paperround.delivery.store.ledger import Ledger
from paperround.digests.build import BuildContext, DigestReader, build
from paperround.digests.model import DigestChoice
from paperround.editions.lists import MailingList
from paperround.editions.model import (
    DeliveryId,
    DeliveryState,
    DigestKind,
    Edition,
    EditionId,
    SkipReason,
)
from paperround.editions.store.editions import EditionStore
from paperround.editions.store.lists import ListStore
from paperround.personal.ranking import PersonalRanking
from paperround.subscribers.model import SubscriberState, Subscription

PAGE = 2000
"""Rows read and planned together."""

_Sendable = tuple[Undelivered, Subscription]


@dataclass(slots=True, kw_only=True)
class Missed:
    """The undelivered digests of a date, counted. `by_reason` counts all, by state and reason.

    `replaced` were replaced before, `unknown` may have been delivered and are skipped, `barred`
    counts by reason those that get no replacement. `sendable` are the rest, and `planned` the
    replacements planned by this call.
    """

    list_name: str
    day: date
    by_reason: Counter[tuple[DeliveryState, str]] = field(default_factory=Counter)
    replaced: int = 0
    unknown: int = 0
    barred: Counter[str] = field(default_factory=Counter)
    sendable: int = 0
    planned: int = 0


def missed(
    database: Database,
    list_name: str,
    *,
    day: date | None,
    now: datetime,
    include_unknown: bool = False,
) -> Missed:
    """Count the undelivered digests of `day`, the readers' own date (default: the list's today)."""
    search = _start_search(database, list_name, day, now, include_unknown)
    for page in search.pages():
        search.count(page)
    return search.found


def send_missed(
    database: Database,
    list_name: str,
    *,
    identity: Identity,
    day: date | None,
    now: datetime,
    include_unknown: bool = False,
    personal_ranking: PersonalRanking | None = None,
    by: str = COMMAND_LINE,
) -> Missed:
    """Plan the replacements that `missed` counts as sendable, and return all counts.

    They expire 20 hours from now. If it is killed, it can be run again.
    """
    search = _start_search(database, list_name, day, now, include_unknown)
    kind = DigestKind.REPLACEMENT
    context = BuildContext(identity=identity, now=now, personal_ranking=personal_ranking, kind=kind)
    for page in search.pages():
        sendable = search.count(page)
        if sendable:
            run_with_retries(partial(search.plan, sendable, context, by))
    return search.found


def _start_search(
    database: Database, list_name: str, day: date | None, now: datetime, include_unknown: bool
) -> "_UndeliveredSearch":
    with database.reading() as work:
        mailing_list = work[ListStore].get_live(list_name)
    day = day or local_date(now, mailing_list.zone)
    found = Missed(list_name=list_name, day=day)
    return _UndeliveredSearch(database, mailing_list, day, now, include_unknown, found)


@dataclass(frozen=True, slots=True)
class _UndeliveredSearch:
    """Reads and plans one date of one list, page by page."""

    database: Database
    mailing_list: MailingList
    day: date
    now: datetime
    include_unknown: bool
    found: Missed

    def pages(self) -> Iterator[list[Undelivered]]:
        """Yield the undelivered digests in pages."""
        after = DeliveryId(0)
        id_ = self.mailing_list.id
        while True:
            with self.database.reading() as work:
                page = work[Ledger].undelivered(id_, self.day, after=after, limit=PAGE)
            if not page:
                return
            yield page
            after = DeliveryId(page[-1].slip.row)

    def count(self, page: Sequence[Undelivered]) -> list[_Sendable]:
        """Count a page; return those that can be replaced."""
        self.found.by_reason.update((one.state, one.reason) for one in page)
        chosen = list[_Sendable]()
        for one in page:
            if one.replaced:
                self.found.replaced += 1
            elif one.state is DeliveryState.UNKNOWN and not self.include_unknown:
                self.found.unknown += 1
            elif (reason := self._barred_reason(one.subscription)) is not None:
                self.found.barred[reason] += 1
            elif one.subscription is not None:
                chosen.append((one, one.subscription))
        self.found.sendable += len(chosen)
        return chosen

    def _barred_reason(self, subscription: Subscription | None) -> SkipReason | None:
        """Return why a reader may not be sent a digest today, None if they may."""
        if subscription is not None and subscription.state is SubscriberState.SUPPRESSED:
            return SkipReason.SUPPRESSED
        if subscription is None or subscription.state is not SubscriberState.ACTIVE:
            return SkipReason.UNSUBSCRIBED
        until = subscription.preferences.paused_until
        today = local_date(self.now, self.mailing_list.zone)
        return SkipReason.PAUSED if until is not None and today < until else None

    def plan(self, people: Sequence[_Sendable], context: BuildContext, by: str) -> None:
        """Plan, count and audit the replacements."""
        by_edition: dict[EditionId, list[_Sendable]] = {}
        for one, subscription in people:
            by_edition.setdefault(one.slip.edition_id, []).append((one, subscription))
        rows: list[tuple[EditionId, NewDelivery]] = []
        with self.database.reading() as work:
            for id_, undelivered in by_edition.items():
                edition = work[EditionStore].get(id_)
                readers = [
                    DigestReader(
                        subscription=subscription,
                        day=one.slip.local_date,
                        due_at=self.now,
                        # a row planned too late has no papers: choose from the edition now
                        choice=_same_papers(edition, one.slip) if one.slip.positions else None,
                    )
                    for one, subscription in undelivered
                ]
                built = build(work, context, edition, self.mailing_list, readers)
                rows += [(id_, row) for row in built]
        mails = [(edition, row) for edition, row in rows if not row.reason]
        with self.database.writing() as work:
            planned = work[Ledger].plan_again(self.mailing_list.id, mails, now=self.now)
            if planned:
                target = f"{self.mailing_list.name}/{self.day}"
                details = {"planned": planned}
                action = AuditedAction(
                    actor=by, action="send-missed", target=target, details=details
                )
                work[AuditStore].note(action, now=self.now)
        self.found.planned += planned
        self.found.barred.update(row.reason for _, row in rows if row.reason)


def _same_papers(edition: Edition, slip: DeliveryContent) -> DigestChoice | SkipReason:
    """Return the choice of the same papers, without those withdrawn since."""
    remaining = {paper.position for paper in edition.all_papers if not paper.withdrawn}
    kept = tuple(place for place in slip.positions if place in remaining)
    if not kept:
        return SkipReason.NO_NEW_PAPERS
    return DigestChoice(
        positions=kept,
        reasons={place: reason for place, reason in slip.reasons.items() if place in remaining},
        parts={
            name: tuple(slip.parts.get(place, {}).get(name, 0) for place in kept)
            for name in dict.fromkeys(chain.from_iterable(slip.parts.values()))
        },
    )
