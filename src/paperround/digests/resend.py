"""Find undelivered digests and plan replacements, on request.

    failed | expired | skipped (cancelled) ─► a new row, kind `replacement`, with the same papers
    unknown | skipped (restored) ─► only with `include_unknown`: the reader may have it already
    sent ─► only for one reader who asks: `resend_digest`

The ledger allows one replacement per reader and date. Readers who unsubscribed, paused or were
suppressed since get none.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import partial
from itertools import chain

from paperround.access.model import COMMAND_LINE
from paperround.access.store import AuditStore
from paperround.core.errors import invalid
from paperround.core.languages import marked
from paperround.core.times import local_date
from paperround.db.transactions import Database, Transaction, run_with_retries
from paperround.delivery.ledger_model import DeliveryContent, NewDelivery, Undelivered
from paperround.delivery.model import Identity
from paperround.delivery.status import DeliveryEntry, DeliveryQuery
from paperround.delivery.store.ledger import Ledger
from paperround.delivery.store.status import StatusStore
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
from paperround.subscribers.audit import audit_person
from paperround.subscribers.model import SubscriberId, SubscriberState, Subscription
from paperround.subscribers.store.subscribers import SubscriberStore

PAGE = 2000
"""Rows read and planned together."""

_Sendable = tuple[DeliveryContent, Subscription]


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
            after = DeliveryId(page[-1].content.row)

    def count(self, page: Sequence[Undelivered]) -> list[_Sendable]:
        """Count a page; return those that can be replaced."""
        self.found.by_reason.update((one.state, one.reason) for one in page)
        chosen = list[_Sendable]()
        for one in page:
            if one.replaced:
                self.found.replaced += 1
            elif one.is_unknown and not self.include_unknown:
                self.found.unknown += 1
            elif (
                reason := _barred_reason(one.subscription, self.mailing_list, self.now)
            ) is not None:
                self.found.barred[reason] += 1
            elif one.subscription is not None:
                chosen.append((one.content, one.subscription))
        self.found.sendable += len(chosen)
        return chosen

    def plan(self, people: Sequence[_Sendable], context: BuildContext, by: str) -> None:
        """Plan, count and audit the replacements."""
        with self.database.reading() as work:
            rows = _replacements(work, context, self.mailing_list, people)
        mails = [(edition, row) for edition, row in rows if not row.reason]
        with self.database.writing() as work:
            planned = work[Ledger].plan_again(self.mailing_list.id, mails, now=self.now)
            if planned:
                target = f"{self.mailing_list.name}/{self.day}"
                details = {"planned": planned}
                work[AuditStore].add(by, "send-missed", target, details, now=self.now)
        self.found.planned += planned
        self.found.barred.update(row.reason for _, row in rows if row.reason)


def _barred_reason(
    subscription: Subscription | None, mailing_list: MailingList, now: datetime
) -> SkipReason | None:
    """Return why a reader may not be sent a digest today, None if they may."""
    if subscription is not None and subscription.state is SubscriberState.SUPPRESSED:
        return SkipReason.SUPPRESSED
    if subscription is None or subscription.state is not SubscriberState.ACTIVE:
        return SkipReason.UNSUBSCRIBED
    until = subscription.preferences.paused_until
    today = local_date(now, mailing_list.zone)
    return SkipReason.PAUSED if until is not None and today < until else None


def _replacements(
    work: Transaction, context: BuildContext, mailing_list: MailingList, people: Sequence[_Sendable]
) -> list[tuple[EditionId, NewDelivery]]:
    """Return a new row for each digest, with its edition; one without a paper left has a reason."""
    by_edition: dict[EditionId, list[_Sendable]] = {}
    for one, subscription in people:
        by_edition.setdefault(one.edition_id, []).append((one, subscription))
    rows: list[tuple[EditionId, NewDelivery]] = []
    for id_, contents in by_edition.items():
        edition = work[EditionStore].get(id_)
        readers = [
            DigestReader(
                subscription=subscription,
                day=one.local_date,
                due_at=context.now,
                # a row planned too late has no papers: choose from the edition now
                choice=_same_papers(edition, one) if one.positions else None,
            )
            for one, subscription in contents
        ]
        rows += [(id_, row) for row in build(work, context, edition, mailing_list, readers)]
    return rows


def _same_papers(edition: Edition, content: DeliveryContent) -> DigestChoice | SkipReason:
    """Return the choice of the same papers, without those withdrawn since."""
    remaining = {paper.position for paper in edition.all_papers if not paper.withdrawn}
    kept = tuple(place for place in content.positions if place in remaining)
    if not kept:
        return SkipReason.NO_NEW_PAPERS
    return DigestChoice(
        positions=kept,
        reasons={place: reason for place, reason in content.reasons.items() if place in remaining},
        parts={
            name: tuple(content.parts.get(place, {}).get(name, 0) for place in kept)
            for name in dict.fromkeys(chain.from_iterable(content.parts.values()))
        },
        next_papers=content.next_papers,
    )


# --- one reader ----------------------------------------------------------------------------------

_WAITING = frozenset(
    {DeliveryState.QUEUED, DeliveryState.CLAIMED, DeliveryState.IN_DATA, DeliveryState.DEFERRED}
)
_BARRED: Mapping[SkipReason, str] = {
    SkipReason.SUPPRESSED: marked("the address is suppressed: lift the suppression first"),
    SkipReason.UNSUBSCRIBED: marked("they are no longer subscribed to this list"),
    SkipReason.PAUSED: marked("their digests are paused: end the pause first"),
}


def resend_digest(
    database: Database,
    number: SubscriberId,
    day: date,
    *,
    identity: Identity,
    now: datetime,
    by: str,
    list_name: str | None = None,
) -> str:
    """Plan the digest of `day` again for one reader, with the same papers, whatever happened to the
    first; return the list's name.

    `day` is the reader's own date. Raises NotFound for a list, and InvalidInput (code `date`,
    `list` or `subscriber`): a reader gets no third digest for one date.
    """
    context = BuildContext(identity=identity, now=now, kind=DigestKind.REPLACEMENT)

    def plan() -> str:
        with database.reading() as work:
            entry = _digest_of(work, number, day, list_name)
            mailing_list = work[ListStore].get_live(entry.list_name)
            row = _again(work, context, mailing_list, entry)
        with database.writing() as work:
            rows = [(entry.edition_id, row)]
            if not work[Ledger].plan_again(mailing_list.id, rows, now=now):
                raise invalid("date", "this digest was already resent: it can be resent only once")
            details = {"list": mailing_list.name, "date": str(day)}
            audit_person(work, number, "resend digest", by=by, now=now, **details)
        return mailing_list.name

    return run_with_retries(plan)


def _digest_of(
    work: Transaction, number: SubscriberId, day: date, list_name: str | None
) -> DeliveryEntry:
    """Return the one digest of a date with papers. Raises InvalidInput (code `date` or `list`) if
    there is none, if there are several, or while it waits to be sent."""
    wanted = DeliveryQuery(
        list_id=work[ListStore].get(list_name).id if list_name else None,
        local_date=day,
        subscriber_id=number,
    )
    found = [
        one
        for one in work[StatusStore].deliveries(wanted, before=None, limit=PAGE)
        if one.is_person and one.kind == DigestKind.DIGEST and one.positions
    ]
    if not found:
        raise invalid(
            "date", "they got no digest on %(date)s: choose a date from their timeline", date=day
        )
    if len(found) > 1:
        names = ", ".join(one.list_name for one in found)
        raise invalid("list", "they are on several lists: choose one of %(name)s", name=names)
    if found[0].state in _WAITING:
        raise invalid("date", "this digest is still waiting to be sent")
    return found[0]


def _again(
    work: Transaction, context: BuildContext, mailing_list: MailingList, entry: DeliveryEntry
) -> NewDelivery:
    """Return the row of a replacement for a reader who may be sent one."""
    subscription = work[SubscriberStore].subscription(entry.subscriber_id, mailing_list.id)
    reason = _barred_reason(subscription, mailing_list, context.now)
    content = work[Ledger].get(entry.id)
    if reason is not None or subscription is None or content is None:
        raise invalid("subscriber", _BARRED[reason or SkipReason.UNSUBSCRIBED])
    [(_, row)] = _replacements(work, context, mailing_list, [(content, subscription)])
    if row.reason:
        raise invalid("date", "all papers of this digest have been withdrawn since")
    return row
