"""Freeze editions, at their cut or on request, and plan an edition's ledger rows on request.

    newest cut of the list ─► frozen already? ─► feeds still pending? ─► rank ─► freeze

Only the newest cut is frozen; cuts missed during a downtime are not made up. A cut waits up to
LONGEST_WAIT for feeds that are due or expect a batch; an edition without papers waits until each
feed was read once.

    rank ─► freeze (one short transaction) ─► page of subscriptions ─► choose (no transaction)
                                                  ▲                        │
                     next page, after its last ───┘     write rows and progress, shard by shard

If publishing is killed, a second run finds the edition and writes only the missing rows.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import date, datetime, timedelta
from itertools import islice
from types import MappingProxyType

from paperround.access.model import COMMAND_LINE
from paperround.access.store import AuditStore
from paperround.core.errors import Conflict, EditionCancelled, NotFound
from paperround.core.times import is_zone, local_date
from paperround.db.transactions import Database, Transaction, write
from paperround.delivery.ledger_model import NewDelivery, Planned, Shard
from paperround.delivery.model import Identity
from paperround.delivery.store.ledger import Ledger
from paperround.delivery.store.past import PastStore
from paperround.digests.build import BuildContext, DigestReader, build, write_in_batches
from paperround.digests.cancel import audit_target
from paperround.digests.plan import LONGEST_WAIT
from paperround.editions.lists import CANDIDATES, MANUAL_CUT, MailingList
from paperround.editions.model import (
    DigestKind,
    Edition,
    EditionId,
    EditionState,
    NewEdition,
    SharedSaves,
    SkipReason,
    TailPaper,
)
from paperround.editions.schedule import Cut, newest_cut
from paperround.editions.source_pages import feeds_of, source_status
from paperround.editions.store.editions import EditionStore
from paperround.editions.store.lists import ListStore
from paperround.feeds.due import polled_feeds
from paperround.feeds.model import LiveFeed
from paperround.feeds.outlook import awaited, never_read, quiet_reason
from paperround.papers.gist import GistChooser, choose_gist
from paperround.papers.model import PaperId
from paperround.personal.ranking import PersonalRanking, edition_paper, with_gist
from paperround.ranking.models import Ranker
from paperround.ranking.rank import ListRanking, rank_list, reasons_of_risers
from paperround.subscribers.model import SubscriberId, Subscription, SubscriptionId
from paperround.subscribers.store.subscribers import SubscriberStore


def frozen_edition(
    *, database: Database, list_name: str, day: date | None, cut: str, now: datetime
) -> tuple[MailingList, Edition | None]:
    """Return the list and its edition of (day, cut), if frozen. Raises NotFound for the list."""
    with database.reading() as work:
        mailing_list = work[ListStore].get(list_name)
        day = day or local_date(now, mailing_list.zone)
        return mailing_list, work[EditionStore].find(mailing_list.id, day, cut)


def freeze(database: Database, edition: NewEdition) -> Edition:
    """Store the edition and return it, or the one that another process froze first."""
    try:
        with database.writing() as work:
            return work[EditionStore].freeze(edition)
    except Conflict:
        with database.reading() as work:
            won = work[EditionStore].find(edition.list_id, edition.day, edition.cut)
        if won is None:
            raise
        return won


def draft_edition(
    database: Database,
    ranker: Ranker,
    list_name: str,
    *,
    day: date | None,
    now: datetime,
    cut: str = MANUAL_CUT,
    cut_at: datetime | None = None,
    quiet_reason: str | None = None,
    gist: GistChooser = choose_gist,
    with_shared: bool = True,
) -> NewEdition:
    """Rank a list and draft its edition, with the status of sources and the papers that rose."""
    ranked = rank_list(
        database=database,
        ranker=ranker,
        list_name=list_name,
        day=day,
        now=now,
        with_shared=with_shared,
    )
    as_of = ranked.window.as_of
    with database.reading() as work:
        sources = source_status(work, ranked.mailing_list, cut_at=cut_at or as_of, as_of=as_of)
    return draft(
        ranked,
        cut,
        now,
        cut_at=cut_at,
        quiet_reason=quiet_reason,
        sources=sources,
        gist=gist,
        risers=reasons_of_risers(database, ranked, cut),
    )


def draft(
    ranked: ListRanking,
    cut: str,
    now: datetime,
    *,
    cut_at: datetime | None = None,
    quiet_reason: str | None = None,
    sources: tuple[str, ...] = (),
    gist: GistChooser = choose_gist,
    risers: Mapping[PaperId, str] = MappingProxyType({}),
) -> NewEdition:
    """Return the edition of a ranking: the first papers with their texts, the others as its tail,
    and how many readers who share saved them.

    `risers` are the reasons of papers that rose, in place of the ranking's.
    """
    size = ranked.mailing_list.edition_size
    items = list(islice(ranked.ranking.items, max(size, CANDIDATES)))
    places = [
        TailPaper(
            position=n,
            paper_id=item.paper.id,
            score=item.score,
            parts=item.parts,
            reason=risers.get(item.paper.id, item.reason) if n <= size else item.reason,
            votes=item.votes,
            comments=item.comments,
        )
        for n, item in enumerate(items, start=1)
    ]
    empty_reason = None
    if not items:
        is_first = not ranked.papers_known
        empty_reason = SkipReason.NO_PAPERS_AT_ALL if is_first else SkipReason.NO_NEW_PAPERS
    return NewEdition(
        list_id=ranked.mailing_list.id,
        day=ranked.day,
        cut=cut,
        as_of=ranked.window.as_of,
        frozen_at=now,
        cut_at=cut_at or ranked.window.as_of,
        quiet_reason=quiet_reason,
        sources=sources,
        ranker=ranked.ranking.ranker,
        papers=tuple(
            with_gist(edition_paper(place, item.paper, item.stars), item.paper, gist)
            for place, item in zip(places[:size], items, strict=False)
        ),
        empty_reason=empty_reason,
        tail=tuple(places[size:]),
        shared=_shared(ranked, places),
    )


def _shared(ranked: ListRanking, places: Sequence[TailPaper]) -> SharedSaves:
    saves = {paper: opinion.saved for paper, opinion in ranked.opinions.items() if opinion.saved}
    readers = {one.position: saves[one.paper_id] for one in places if one.paper_id in saves}
    return SharedSaves(readers=readers, club=ranked.club)


def unsaved_edition(edition: NewEdition, list_name: str) -> Edition:
    """Return the edition without storing it, for previews; its id is 0."""
    known = {one.name: getattr(edition, one.name) for one in fields(edition)}
    return Edition(**known, id=EditionId(0), list_name=list_name, state=EditionState.FROZEN)


def freeze_cuts(
    *,
    database: Database,
    ranker: Ranker,
    now: datetime,
    only: str | None = None,
    gist: GistChooser = choose_gist,
) -> list[Edition]:
    """Freeze the editions that are due, of every list or of `only` one; return the new ones."""
    with database.reading() as work:
        lists = [one for one in work[ListStore].live() if only in (None, one.name)]
        feeds = polled_feeds(work)
    frozen = (_freeze_cut(database, ranker, one, feeds_of(one, feeds), now, gist) for one in lists)
    return [edition for edition in frozen if edition is not None]


def _freeze_cut(
    database: Database,
    ranker: Ranker,
    mailing_list: MailingList,
    feeds: Sequence[LiveFeed],
    now: datetime,
    gist: GistChooser,
) -> Edition | None:
    cut = newest_cut(mailing_list, now)
    existing, name = _find_edition(database, mailing_list, cut)
    if existing.papers if existing else _has_newer(database, mailing_list, cut, now):
        return None
    waits = now < cut.instant + LONGEST_WAIT
    if waits and awaited(feeds, cut.instant, now=now):
        return None
    drafted = draft_edition(
        database,
        ranker,
        mailing_list.name,
        day=cut.day,
        now=now,
        cut=name,
        cut_at=cut.instant,
        quiet_reason=quiet_reason(feeds, now=now),
        gist=gist,
    )
    has_papers = drafted.empty_reason != SkipReason.NO_PAPERS_AT_ALL
    if never_read(feeds, papers_known=bool(drafted.papers), now=now):
        return None
    if existing is not None and not (drafted.papers and _discard_unplanned(database, existing)):
        return None
    if waits and not has_papers:
        return None  # no feed was read yet: wait for the first papers
    if drafted.papers and mailing_list.hold_minutes:
        held_until = now + timedelta(minutes=mailing_list.hold_minutes)
        drafted = replace(drafted, held_until=held_until)
    return freeze(database, drafted)


def _find_edition(
    database: Database, mailing_list: MailingList, cut: Cut
) -> tuple[Edition | None, str]:
    """Return the edition of this cut, if frozen, and the cut's name.

    After a change of zone or cuts an older edition may hold the usual name; the cut then gets
    another one.
    """
    other_name = f"{cut.name}-{cut.instant:%H%M}"
    with database.reading() as work:
        usual = work[EditionStore].find(mailing_list.id, cut.day, cut.name)
        if usual is None or usual.cut_at >= cut.instant:
            return usual, cut.name
        return work[EditionStore].find(mailing_list.id, cut.day, other_name), other_name


def _has_newer(database: Database, mailing_list: MailingList, cut: Cut, now: datetime) -> bool:
    """Return whether a newer edition exists: after a change of zone or cuts, the newest cut may be
    one that passed while the list had other cuts."""
    with database.reading() as work:
        return work[EditionStore].has_cut(mailing_list.id, after=cut.instant, by=now)


def _discard_unplanned(database: Database, empty: Edition) -> bool:
    """Delete an empty edition unless rows were planned from it; return whether it was deleted."""

    def discard(work: Transaction) -> bool:
        is_planned = work[Ledger].planned(empty.id).rows
        return not is_planned and work[EditionStore].discard_empty(empty.id)

    return write(database, discard)


PAGE = 2000
"""Subscriptions built together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishReport:
    """The edition, its ledger rows, and those of them that this run added (`new`; a dry run also
    says which are skipped). `skipped_hold_minutes` is how long editions of the list are held, if
    this one was made by hand and so was not; else 0."""

    edition: Edition
    planned: Planned
    new: Planned
    skipped_hold_minutes: int = 0

    @property
    def added(self) -> int:
        """The number of rows that this run added."""
        return self.new.rows


def require_edition(
    database: Database, list_name: str, day: date, cut: str, *, now: datetime
) -> None:
    """Raise NotFound for an edition that is not frozen yet, unless it is a manual one: `publish`
    makes only those; the others are made at their cut."""
    _, found = frozen_edition(database=database, list_name=list_name, day=day, cut=cut, now=now)
    if found is None and cut != MANUAL_CUT:
        raise NotFound(f"the list {list_name} has no edition of {day} with the cut {cut}")


def publish(
    *,
    database: Database,
    ranker: Ranker,
    identity: Identity,
    list_name: str,
    day: date | None,
    cut: str,
    now: datetime,
    dry_run: bool = False,
    gist: GistChooser = choose_gist,
    personal_ranking: PersonalRanking | None = None,
    by: str = COMMAND_LINE,
) -> PublishReport:
    """Freeze the edition of (list, day, cut), unless it exists, and plan its rows.

    `day` defaults to today: in the list's zone for the edition, in each reader's for their row, so
    that no reader's date gets two digests. With `dry_run` nothing is written, and the report
    shows what would be planned. Raises EditionCancelled for an edition that was cancelled, also
    during planning, InvalidInput for an archived list, and Conflict for an edition that is held and
    for a date whose digests are so old that their rows are deleted.
    """
    with database.reading() as work:
        work[ListStore].get_live(list_name)
    mailing_list, edition = frozen_edition(
        database=database, list_name=list_name, day=day, cut=cut, now=now
    )
    if day is not None:
        _require_rows(database, mailing_list, day)
    if edition is not None and edition.state is EditionState.CANCELLED:
        raise _cancelled(edition)
    if edition is not None and edition.is_held(now):
        raise Conflict(
            f"the edition of {edition.day} (cut {edition.cut}) is held: `paperround digest "
            "approve` releases it"
        )
    if edition is None or not edition.papers:
        drafted = draft_edition(database, ranker, list_name, day=day, now=now, cut=cut, gist=gist)
        if dry_run:
            edition = unsaved_edition(drafted, list_name)
        elif edition is None or (drafted.papers and _discard_empty(database, edition.id)):
            edition = freeze(database, drafted)
    context = BuildContext(identity=identity, now=now, personal_ranking=personal_ranking)
    planning = _Planning(database, context, edition, mailing_list, by, one_date=day is not None)
    added = planning.count_rows() if dry_run else planning.plan_all()
    with database.reading() as work:
        planned = work[Ledger].planned(edition.id)
    if dry_run:
        skipped = Counter(planned.skipped) + Counter(added.skipped)
        planned = Planned(rows=planned.rows + added.rows, skipped=dict(skipped))
    return PublishReport(
        edition=edition,
        planned=planned,
        new=added,
        skipped_hold_minutes=mailing_list.hold_minutes if cut == MANUAL_CUT else 0,
    )


def _require_rows(database: Database, mailing_list: MailingList, day: date) -> None:
    """Raise Conflict if the ledger rows of a date are deleted: who got a digest is then unknown."""
    with database.reading() as work:
        if work[PastStore].is_any_deleted(mailing_list.id, day):
            raise Conflict(
                f"it is no longer known who got a digest of {day}: deliveries are kept for "
                "PAPERROUND_KEEP_DELIVERIES days"
            )


def _cancelled(edition: Edition) -> EditionCancelled:
    return EditionCancelled(
        f"the edition of {edition.day} (cut {edition.cut}) was cancelled, so it is not sent: "
        "`paperround digest missed` shows who did not get it, and can send it"
    )


def _discard_empty(database: Database, edition: EditionId) -> bool:
    """Delete an edition without papers, to publish it again; return whether it was deleted."""
    return write(database, lambda work: work[EditionStore].discard_empty(edition))


@dataclass(frozen=True, slots=True)
class _Planning:
    """Plans the rows of one edition."""

    database: Database
    context: BuildContext
    edition: Edition
    mailing_list: MailingList
    by: str
    one_date: bool

    def plan_all(self) -> Planned:
        """Write the rows of every active subscription, shard by shard; return how many are new."""
        added = list[int]()
        for after, page in self._pages():
            added += self._plan_page(page, len(added), after)
        edition = self.edition
        if added or edition.state is EditionState.FROZEN:
            target = audit_target(edition.list_name, edition.day, edition.cut)
            details = {"planned": sum(added)}
            with self.database.writing() as work:
                work[EditionStore].set_state(edition.id, EditionState.PLANNED)
                work[AuditStore].add(self.by, "send edition", target, details, now=self.context.now)
        return Planned(rows=sum(added))

    def count_rows(self) -> Planned:
        """Return what `plan_all` would add, without writing."""
        rows = (row for _, page in self._pages() for row in self._build_rows(page))
        reasons = Counter(row.reason for row in rows if row is not None)
        skipped = {reason: count for reason, count in reasons.items() if reason}
        return Planned(rows=reasons.total(), skipped=skipped)

    def _pages(self) -> Iterator[tuple[SubscriptionId, list[Subscription]]]:
        after = SubscriptionId(0)
        while True:
            with self.database.reading() as work:
                page = work[SubscriberStore].subscriptions_after(
                    self.mailing_list.id, after, limit=PAGE
                )
            if not page:
                return
            yield after, page
            after = page[-1].id

    def _plan_page(
        self, page: Sequence[Subscription], number: int, after: SubscriptionId
    ) -> Iterator[int]:
        """Plan a page; yield how many rows each shard added. Raises EditionCancelled.

        Rows are built outside the transaction that writes a shard, and again when another list
        took one of its papers. The first shard has this `number` and starts after `after`.
        """

        def write(batch: Sequence[Subscription], rows: Sequence[NewDelivery]) -> int | None:
            shard, edition = Shard(number=number, after=after, through=batch[-1].id), self.edition
            try:
                with self.database.writing() as work:
                    return work[Ledger].plan(
                        edition.id, edition.list_id, rows, shard, now=self.context.now
                    )
            except EditionCancelled:  # a retry would not help
                return None

        for batch, added in write_in_batches(page, choose=self._build_rows, write=write):
            if added is None:
                raise _cancelled(self.edition)
            number, after = number + 1, batch[-1].id
            yield added

    def _build_rows(self, page: Sequence[Subscription]) -> list[NewDelivery | None]:
        """Return the row of each subscription, None for those that have one."""
        days: dict[SubscriberId, date] = {}
        for one in page:  # the given date, else today in the reader's zone
            zone, day = one.preferences.timezone, self.edition.day
            if not self.one_date and is_zone(zone):
                day = local_date(self.context.now, zone)
            days[one.subscriber_id] = day
        with self.database.reading() as work:
            planned = self._planned_subscribers(work, days)
            readers = [
                DigestReader(subscription=one, day=days[one.subscriber_id], due_at=self.context.now)
                for one in page
                if one.subscriber_id not in planned
            ]
            built = build(work, self.context, self.edition, self.mailing_list, readers)
        rows = {row.subscription_id: row for row in built}
        return [rows.get(one.id) for one in page]

    def _planned_subscribers(
        self, work: Transaction, days: Mapping[SubscriberId, date]
    ) -> set[SubscriberId]:
        """Return the subscribers with a row of their date, or of this edition a date earlier or
        later, so that a second run at another hour plans nobody twice."""
        list_id, kind = self.edition.list_id, DigestKind.DIGEST
        near = (self.edition.day + timedelta(days=n) for n in (-1, 0, 1))
        planned: set[SubscriberId] = set()
        for day in sorted({*days.values()} if self.one_date else {*days.values(), *near}):
            for person in work[Ledger].planned_subscribers(list_id, days.keys(), kind, day):
                row = work[Ledger].find(list_id, person, kind, day) if day != days[person] else None
                if day == days[person] or (row and row.edition_id == self.edition.id):
                    planned.add(person)
        return planned
