"""Replacements: digests sent after all to those who did not get theirs, because somebody asks.

    failed | expired | skipped (cancelled) ─► a new row, kind `replacement`, with the same papers
    unknown ─► only when that is asked for as well: its reader may have it already

A person gets one replacement of a date at most: the ledger holds no second row for it. Whoever
left, paused or is suppressed by now gets none.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from itertools import chain

from paperround.domain.audit import COMMAND_LINE, Deed
from paperround.domain.deliveries import DeliveryId, DeliveryState
from paperround.domain.digests import Choice, DigestKind, SkipReason
from paperround.domain.editions import Edition, EditionId
from paperround.domain.ledger import NewDelivery, Undelivered
from paperround.domain.lists import MailingList
from paperround.domain.papers import PaperId
from paperround.domain.subscribers import SubscriberId, SubscriberState, Subscription
from paperround.domain.times import local_date
from paperround.jobs.opinions import Opinions, Views
from paperround.jobs.rows import Identity, RowMaker, delivery_names, row_maker
from paperround.jobs.transactions import tried
from paperround.store.unit_of_work import Database, UnitOfWork

PAGE = 2000
"""Rows that are looked at, and planned, together."""

_Row = tuple[EditionId, NewDelivery]


@dataclass(frozen=True, slots=True, kw_only=True)
class Missed:
    """Who did not get the digest of a date. `by_reason` counts everybody, by state and reason.

    Of these, `replaced` had their replacement before, `unknown` may have got the digest and were
    left alone, `barred` counts by reason those who get none. `sendable` are the others, and
    `planned` those whose replacement was planned now.
    """

    list_name: str
    day: date
    by_reason: Mapping[tuple[DeliveryState, str], int]
    replaced: int = 0
    unknown: int = 0
    barred: Mapping[str, int] = field(default_factory=dict)
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
    """Who did not get the digest of `day` (their own date; default: the list's today), and why."""
    with database.reading() as work:
        mailing_list = work.lists.get(list_name)
    round_ = _Round(database, mailing_list, _day_of(mailing_list, day, now), now, include_unknown)
    for page in round_.pages():
        round_.sort(page)
    return round_.report()


def send_missed(
    database: Database,
    list_name: str,
    *,
    identity: Identity,
    day: date | None,
    now: datetime,
    include_unknown: bool = False,
    opinions: Opinions | None = None,
    by: str = COMMAND_LINE,
) -> Missed:
    """Plan a replacement for everybody whom `missed` calls sendable. They live for 20 hours from
    now; killed anywhere, it can be done again."""
    with database.reading() as work:
        mailing_list = work.lists.get(list_name)
    round_ = _Round(database, mailing_list, _day_of(mailing_list, day, now), now, include_unknown)
    for page in round_.pages():
        round_.plan(round_.sort(page), identity, opinions, by)
    return round_.report()


def _day_of(mailing_list: MailingList, day: date | None, now: datetime) -> date:
    return day or local_date(now, mailing_list.zone)


class _Round:
    """One date of one list, page by page."""

    def __init__(
        self,
        database: Database,
        mailing_list: MailingList,
        day: date,
        now: datetime,
        include_unknown: bool,
    ) -> None:
        self._database = database
        self._list = mailing_list
        self._day = day
        self._now = now
        self._include_unknown = include_unknown
        self._by_reason = Counter[tuple[DeliveryState, str]]()
        self._barred = Counter[str]()
        self._replaced = self._unknown = self._sendable = self._planned = 0

    def report(self) -> Missed:
        """What was found, and planned, so far."""
        return Missed(
            list_name=self._list.name,
            day=self._day,
            by_reason=dict(self._by_reason),
            replaced=self._replaced,
            unknown=self._unknown,
            barred=dict(self._barred),
            sendable=self._sendable,
            planned=self._planned,
        )

    def pages(self) -> Iterator[list[Undelivered]]:
        """Everybody who did not get it."""
        after = DeliveryId(0)
        while page := self._page(after):
            yield page
            after = DeliveryId(page[-1].slip.row)

    def _page(self, after: DeliveryId) -> list[Undelivered]:
        with self._database.reading() as work:
            return work.ledger.undelivered(self._list.id, self._day, after=after, limit=PAGE)

    def sort(self, page: Sequence[Undelivered]) -> list[Undelivered]:
        """Count a page; returns those who can be sent a replacement."""
        self._by_reason.update((one.state, one.reason) for one in page)
        chosen = [one for one in page if self._may_have_one(one)]
        self._sendable += len(chosen)
        return chosen

    def _may_have_one(self, one: Undelivered) -> bool:
        if one.replaced:
            self._replaced += 1
            return False
        if one.state is DeliveryState.UNKNOWN and not self._include_unknown:
            self._unknown += 1
            return False
        reason = self._bar(one.subscription)
        if reason is not None:
            self._barred[reason] += 1
        return reason is None

    def _bar(self, subscription: Subscription | None) -> SkipReason | None:
        """Why somebody is not mailed today, whatever they missed."""
        if subscription is not None and subscription.state is SubscriberState.SUPPRESSED:
            return SkipReason.SUPPRESSED
        if subscription is None or subscription.state is not SubscriberState.ACTIVE:
            return SkipReason.UNSUBSCRIBED
        until = subscription.preferences.paused_until
        today = local_date(self._now, self._list.zone)
        return SkipReason.PAUSED if until is not None and today < until else None

    # --- planning ------------------------------------------------------------------------------

    def plan(
        self,
        people: Sequence[Undelivered],
        identity: Identity,
        opinions: Opinions | None,
        by: str,
    ) -> None:
        """Plan their replacements, with a line in the audit."""
        if people:
            self._planned += tried(lambda: self._plan(people, identity, opinions, by))

    def _plan(
        self,
        people: Sequence[Undelivered],
        identity: Identity,
        opinions: Opinions | None,
        by: str,
    ) -> int:
        made = self._made(people, identity, opinions)
        rows = [one for one in made if not isinstance(one, SkipReason)]
        with self._database.writing() as work:
            planned = work.ledger.plan_again(self._list.id, rows, now=self._now)
            if planned:
                work.audit.note(self._deed(planned, by), now=self._now)
        self._barred.update(one.value for one in made if isinstance(one, SkipReason))
        return planned

    def _deed(self, planned: int, by: str) -> Deed:
        target = f"{self._list.name}/{self._day}"
        return Deed(actor=by, action="send-missed", target=target, details={"planned": planned})

    def _made(
        self, people: Sequence[Undelivered], identity: Identity, opinions: Opinions | None
    ) -> list[_Row | SkipReason]:
        """A row for each of them, or why there is none."""
        by_edition: dict[EditionId, list[Undelivered]] = {}
        for one in people:
            by_edition.setdefault(one.slip.edition_id, []).append(one)
        with self._database.reading() as work:
            return [
                row
                for edition, some in by_edition.items()
                for row in _rows(
                    self._maker(work, edition, some, identity, opinions),
                    work,
                    some,
                    self._now,
                )
            ]

    def _maker(
        self,
        work: UnitOfWork,
        edition: EditionId,
        people: Sequence[Undelivered],
        identity: Identity,
        opinions: Opinions | None,
    ) -> RowMaker:
        return row_maker(
            work,
            identity,
            work.editions.get(edition),
            self._list,
            [one.subscription for one in people if one.subscription is not None],
            now=self._now,
            opinions=opinions,
        )


def _rows(
    maker: RowMaker, work: UnitOfWork, people: Sequence[Undelivered], now: datetime
) -> Iterator[_Row | SkipReason]:
    memory = work.subscribers.already_sent(
        [one.subscription.subscriber_id for one in people if one.subscription]
    )
    for one in people:
        if one.subscription is not None:
            row = _row(maker, one, one.subscription, memory, now)
            yield row if isinstance(row, SkipReason) else (maker.edition.id, row)


def _row(
    maker: RowMaker,
    one: Undelivered,
    subscription: Subscription,
    memory: Mapping[SubscriberId, frozenset[PaperId]],
    now: datetime,
) -> NewDelivery | SkipReason:
    """The same papers once more, but for those withdrawn since. Who was planned no papers, because
    nobody planned them in time, gets what the edition has for them now."""
    day = one.slip.local_date
    if one.slip.positions:
        maker, choice = _repeating(maker), _same(maker.edition, one)
    else:
        known = memory.get(subscription.subscriber_id, frozenset())
        choice = maker.choose(subscription, known, day)
    if isinstance(choice, SkipReason):
        return choice
    return _as_replacement(maker, maker.row(subscription, choice, day, due_at=now, now=now))


def _same(edition: Edition, one: Undelivered) -> Choice | SkipReason:
    standing = {paper.position for paper in edition.all_papers if not paper.withdrawn}
    kept = tuple(place for place in one.slip.positions if place in standing)
    if not kept:
        return SkipReason.NO_NEW_PAPERS
    return Choice(
        positions=kept,
        reasons={place: why for place, why in one.slip.reasons.items() if place in standing},
        parts={
            name: tuple(one.slip.parts.get(place, {}).get(name, 0) for place in kept)
            for name in dict.fromkeys(chain.from_iterable(one.slip.parts.values()))
        },
    )


def _repeating(maker: RowMaker) -> RowMaker:
    """A maker of rows whose papers were chosen before: all of them are frozen."""
    edition = replace(maker.edition, papers=maker.edition.all_papers)
    return replace(maker, edition=edition, views=Views())


def _as_replacement(maker: RowMaker, row: NewDelivery) -> NewDelivery:
    """The row under names of its own: its Message-ID must not be that of the digest."""
    kind, name = DigestKind.REPLACEMENT, maker.mailing_list.name
    names = delivery_names(maker.identity, name, row.subscriber_id, row.local_date, kind)
    return replace(row, kind=kind, message_id=names.message_id, nonce=names.nonce)
