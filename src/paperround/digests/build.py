"""Build the ledger rows of digests.

    readers ─► interests, profiles, papers sent before ─► view ─► pick ─► choice ─► row
                                                                    └► or a skip reason

Planning, publishing, resending and previews all call `build`, each with its own readers.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any, TypeVar

from paperround.core.languages import spoken_or_english
from paperround.db.transactions import Transaction, run_with_retries
from paperround.delivery.ledger_model import NewDelivery
from paperround.delivery.model import Identity, delivery_key, delivery_message_id, delivery_nonce
from paperround.delivery.store.history import SentPapers
from paperround.digests.edition_cache import EditionCache
from paperround.digests.model import (
    DigestChoice,
    choice_of,
    covered_days,
    is_club_day,
    is_digest_day,
    period_of,
    skip_reason_for,
    weekly_edition,
)
from paperround.digests.month import month_edition
from paperround.digests.new_papers import NewPaperCounter, NewSpan, new_span
from paperround.digests.risen import MOST_RISEN, RisenPapers, left_out_of
from paperround.editions.lists import MailingList
from paperround.editions.model import (
    DeliveryState,
    DigestKind,
    Edition,
    EditionPaper,
    NewPapers,
    RisenPaper,
    SkipReason,
    TrendingPeriod,
    Withdrawal,
    is_month_position,
)
from paperround.editions.periods import Days
from paperround.editions.schedule import DIGEST_LIFE
from paperround.editions.sections import is_on_topic
from paperround.papers.gist import choose_gist
from paperround.papers.model import PaperId
from paperround.papers.store.papers import PaperStore
from paperround.personal.citing import NO_CITING
from paperround.personal.colleagues import NO_COLLEAGUES, Colleagues, load_colleagues
from paperround.personal.keyword_index import KeywordIndex, findable, keyword_index_of
from paperround.personal.matches import NO_MATCHES, ReaderPreferences, match_preferences
from paperround.personal.ranking import EditionTail, PersonalRanking, PersonalViews, tail_of
from paperround.personal.reader_preferences import load_preferences
from paperround.personal.views import (
    NO_TASTE,
    PaperIndex,
    PersonalView,
    pick_each,
    with_chosen,
)
from paperround.subscribers.interests import Interest, InterestKind
from paperround.subscribers.model import SubscriberId, Subscription

MOST_WITHDRAWALS = 5
"""Withdrawals listed in one digest; the next digest lists the rest."""

WITHDRAWAL_IS_NEWS = timedelta(days=90)
"""How long a withdrawal is reported to readers who received the paper."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DigestReader:
    """A reader, the local date of their digest and when it is due.

    `choice` is an earlier choice to reuse; None to choose now.
    """

    subscription: Subscription
    day: date
    due_at: datetime
    choice: DigestChoice | SkipReason | None = None

    @property
    def person(self) -> SubscriberId:
        """The subscriber."""
        return self.subscription.subscriber_id

    def new_span(self, period: TrendingPeriod) -> NewSpan:
        """Return since when papers are new in this digest."""
        return new_span(self.subscription, period, self.day)


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildContext:
    """The settings of a build.

    Without `personal_ranking` papers keep the edition's order, apart from the readers' preferences.
    `interests` replace the stored ones, for previews. `cache` is shared by the pages of a run.
    """

    identity: Identity
    now: datetime
    personal_ranking: PersonalRanking | None = None
    kind: DigestKind = DigestKind.DIGEST
    interests: Mapping[SubscriberId, tuple[Interest, ...]] | None = None
    cache: EditionCache = field(default_factory=EditionCache)


def build(
    work: Transaction,
    context: BuildContext,
    edition: Edition,
    mailing_list: MailingList,
    readers: Sequence[DigestReader],
) -> list[NewDelivery]:
    """Return the ledger row of each reader, in the same order: queued, or skipped with a reason.

    Weekly readers get the best papers of the whole week, monthly readers those of the month. If the
    week before had no edition with papers, weekly readers get the edition of the day.
    """
    rows: dict[int, NewDelivery] = {}
    groups: dict[Covered, list[int]] = {}
    for number, one in enumerate(readers):
        groups.setdefault(_covered(work, context, edition, one), []).append(number)
    for covered, numbers in groups.items():
        group = [readers[number] for number in numbers]
        builder = _load_builder(work, context, edition, mailing_list, group, covered)
        rows.update(zip(numbers, builder.rows(group), strict=True))
    return [rows[number] for number in range(len(readers))]


Covered = tuple[TrendingPeriod, Days | None]
"""What a digest covers, and the days of a month; readers with equal ones share a builder."""


def _covered(
    work: Transaction, context: BuildContext, edition: Edition, reader: DigestReader
) -> Covered:
    """Return what the reader's digest covers. Reads nothing for a day without a digest."""
    if not is_digest_day(reader.subscription, reader.day):
        return TrendingPeriod.DAY, None
    period = period_of(reader.subscription)
    days = covered_days(period, reader.day)
    if period is TrendingPeriod.WEEK and not context.cache.has_papers(work, edition.list_id, days):
        period = TrendingPeriod.DAY
    return period, days if period is TrendingPeriod.MONTH else None


def _load_builder(
    work: Transaction,
    context: BuildContext,
    edition: Edition,
    mailing_list: MailingList,
    readers: Sequence[DigestReader],
    covered: Covered,
) -> "DigestBuilder":
    """Return a builder for these readers, with the papers that their digests mention."""
    period, days = covered
    frozen = edition.all_papers
    personal_ranking = context.personal_ranking
    subscriptions = [one.subscription for one in readers]
    people = [one.person for one in readers]
    wishes = load_preferences(work, subscriptions, context.interests)
    behind = None
    chosen = tuple(one for one in edition.papers if one.is_chosen)
    if days is not None:
        edition = month_edition(work, edition, *days)
        edition = replace(edition, papers=(*chosen, *edition.papers))
    elif period is TrendingPeriod.WEEK:
        behind = tail_of(
            work, edition, choose_gist if personal_ranking is None else personal_ranking.gist
        )
        edition = weekly_edition(edition, behind)
    views = (
        PersonalViews()
        if personal_ranking is None
        else personal_ranking.of(work, edition, subscriptions, wishes)
    )
    index = PaperIndex(edition.papers, tuple(views.behind or ()))
    papers = [paper.paper_id for paper in index.papers]
    risen = context.cache.risen(work, edition, mailing_list, period)
    also = () if risen is None else [one.paper_id for one in risen.papers]
    memory = work[SentPapers].already_sent(people, [*papers, *also])
    due = [one for one in readers if is_digest_day(one.subscription, one.day)]
    spans = {one.new_span(period) for one in due}
    left_out = {}
    if risen is not None:
        dates = {one.person: one.day for one in due}
        left_out = left_out_of(work, risen, mailing_list.id, period, dates, memory, wishes)
    return DigestBuilder(
        context=context,
        edition=edition,
        mailing_list=mailing_list,
        index=index,
        period=period,
        frozen=frozen,
        finder=_keyword_index(work, index, edition, views.behind) if wishes else None,
        wishes=wishes,
        views=views,
        behind=views.behind or behind,
        memory=memory,
        chosen=tuple(one.paper_id for one in chosen),
        withdrawn=work[PaperStore].withdrawn_among(set(papers)).union(dropped_papers(edition)),
        withdrawals=work[SentPapers].withdrawals_to_tell(
            people, since=context.now - WITHDRAWAL_IS_NEWS
        ),
        colleagues=load_colleagues(work, edition, index, subscriptions),
        risen=risen,
        counters={one: context.cache.counter(work, edition, mailing_list, one) for one in spans},
        left_out=left_out,
    )


def dropped_papers(edition: Edition) -> set[PaperId]:
    """Return the ids, also today's, of the papers that an editor dropped."""
    return {*edition.edits.dropped, *(one.paper_id for one in edition.dropped)}


def _keyword_index(
    work: Transaction, index: PaperIndex, edition: Edition, behind: EditionTail | None
) -> KeywordIndex:
    """Return a keyword index of these papers as the database knows them now."""
    known = work[PaperStore].load({paper.paper_id for paper in edition.papers})
    papers = [findable(one, known.get(one.paper_id)) for one in index.papers[: index.shown]]
    if behind is not None:
        papers += [behind.findable[one.paper_id] for one in index.papers[index.shown :]]
    return keyword_index_of(tuple(papers))


@dataclass(frozen=True, slots=True, kw_only=True)
class DigestBuilder:
    """Build the rows of some readers of one edition; reads nothing from the database.

    `frozen` are the papers stored with the edition, which an earlier choice may name. `views` hold
    the readers' profiles, the chooser and candidate papers. `behind` are the papers below the
    edition's cut, where a reader may get one. `memory` are the papers sent before,
    `chosen` those an editor chose for everybody, `withdrawn` those no digest may carry,
    `withdrawals` those to report to each reader, `colleagues` what readers who share see of each
    other's saved papers. `counters` count the papers that were new in each span. `risen` are the
    papers of the list that rose, `left_out` those that a reader was not sent. Withdrawals and risen
    papers alone send no email: they wait for the next digest.
    """

    context: BuildContext
    edition: Edition
    mailing_list: MailingList
    index: PaperIndex
    period: TrendingPeriod = TrendingPeriod.DAY
    frozen: Sequence[EditionPaper] = ()
    finder: KeywordIndex | None = None
    wishes: Mapping[SubscriberId, ReaderPreferences] = field(default_factory=dict)
    views: PersonalViews = field(default_factory=PersonalViews)
    behind: EditionTail | None = None
    memory: Mapping[SubscriberId, frozenset[PaperId]] = field(default_factory=dict)
    chosen: tuple[PaperId, ...] = ()
    withdrawn: frozenset[PaperId] = frozenset()
    withdrawals: Mapping[SubscriberId, tuple[Withdrawal, ...]] = field(default_factory=dict)
    colleagues: Colleagues = NO_COLLEAGUES
    risen: RisenPapers | None = None
    counters: Mapping[NewSpan, NewPaperCounter | None] = field(default_factory=dict)
    left_out: Mapping[SubscriberId, tuple[RisenPaper, ...]] = field(default_factory=dict)

    def rows(self, readers: Sequence[DigestReader]) -> list[NewDelivery]:
        """Return the row of each reader."""
        papers = {one.position: one for one in (*self.frozen, *self.index.papers)}
        choices = self.choices(readers)
        # readers with equal views share a choice, and so its content
        shared = {id(choice): choice for choice in choices}
        contents = {key: self._content(choice, papers) for key, choice in shared.items()}
        return [
            self._row(reader, contents[id(choice)])
            for reader, choice in zip(readers, choices, strict=True)
        ]

    def choices(self, readers: Sequence[DigestReader]) -> list[DigestChoice | SkipReason]:
        """Return the choice of each reader; readers with equal views share one object."""
        chosen: dict[int, DigestChoice | SkipReason] = {}
        groups: dict[PersonalView, list[int]] = {}
        for number, reader in enumerate(readers):
            known = reader.choice or skip_reason_for(self.edition, reader.subscription, reader.day)
            if known is not None:
                chosen[number] = known
                continue
            groups.setdefault(self._view(reader), []).append(number)
        views, chooser = list(groups), self.views.chooser
        picks = list(map(with_chosen, pick_each(views, self.index, chooser), views))
        for pick, (view, numbers) in zip(picks, groups.items(), strict=True):
            choice = choice_of(
                pick,
                self.edition,
                self.index,
                view.matches,
                citing=view.citing,
                told=view.told,
                period=self.period,
            )
            if pick.following and isinstance(choice, DigestChoice):
                following = tuple(self.index.papers[place].paper_id for place in pick.following)
                choice = replace(choice, next_papers=following)
            chosen.update(dict.fromkeys(numbers, choice))
        return [chosen[number] for number in range(len(readers))]

    def _view(self, reader: DigestReader) -> PersonalView:
        preferences = reader.subscription.preferences
        wishes = self.wishes.get(reader.person)
        taste = self.views.tastes.get(reader.person, NO_TASTE)
        known = taste.known if wishes is None else taste.known + wishes.known
        matches = match_preferences(wishes, self.finder) if wishes and self.finder else NO_MATCHES
        sent = self.index.places(self.memory.get(reader.person, ()))
        chosen = 0
        if self.chosen:
            barred = sent | matches.muted | self.index.places(self.withdrawn)
            chosen = self.index.places(self.chosen) & ~barred
        return PersonalView(
            taste=taste,
            size=preferences.size or self.mailing_list.size,
            floor=preferences.floor,
            sent=sent,
            chosen=chosen,
            withheld=self.index.places(self.withdrawn.union(known) if known else self.withdrawn)
            | chosen,
            matches=matches,
            citing=self.views.citing.get(reader.person, NO_CITING),
            told=self.colleagues.told(reader.person, self.index),
        )

    def _content(
        self, choice: DigestChoice | SkipReason, papers: Mapping[int, EditionPaper]
    ) -> dict[str, Any]:
        """Return the fields of a row that depend on the choice alone."""
        if isinstance(choice, SkipReason):
            return {"state": DeliveryState.SKIPPED, "reason": choice}
        return {
            "state": DeliveryState.QUEUED,
            "reason": "",
            "papers": tuple((papers[place].paper_id, place) for place in choice.positions),
            "reasons": choice.reasons,
            "parts": choice.parts,
            "behind": tuple(self._behind(choice, papers)),
            "next_papers": choice.next_papers,
        }

    def _behind(
        self, choice: DigestChoice, papers: Mapping[int, EditionPaper]
    ) -> Iterator[EditionPaper]:
        """Yield the papers of a choice that the edition does not show."""
        for position in choice.positions:
            if is_month_position(position):
                yield papers[position]
            elif self.behind and position in self.behind:
                yield self.behind.frozen(position)

    def _row(self, reader: DigestReader, content: Mapping[str, Any]) -> NewDelivery:
        context, keys = self.context, self.context.identity.keys
        key = delivery_key(self.mailing_list.name, reader.person, context.kind, reader.day)
        is_skipped = bool(content["reason"])
        withdrawals = () if is_skipped else self.withdrawals.get(reader.person, ())
        has_club = not is_skipped and is_club_day(reader.subscription, reader.day)
        papers = tuple(paper for paper, _ in content.get("papers", ()))
        return NewDelivery(
            subscriber_id=reader.person,
            subscription_id=reader.subscription.id,
            kind=context.kind,
            local_date=reader.day,
            due_at=reader.due_at,
            expires_at=reader.due_at + DIGEST_LIFE,
            message_id=delivery_message_id(keys, key, context.identity.domain),
            dated=context.now,
            key_id=keys.current.id,
            nonce=delivery_nonce(keys, key),
            withdrawn=withdrawals[:MOST_WITHDRAWALS],
            club=self.colleagues.club_for(reader.person) if has_club else None,
            new_papers=self._new_papers(reader, papers, content["reasons"]) if papers else None,
            risen=self._risen(reader, papers) if papers else (),
            language=spoken_or_english(
                self.mailing_list.language_for(reader.subscription.preferences.language)
            ),
            **content,
        )

    def _new_papers(
        self, reader: DigestReader, papers: tuple[PaperId, ...], reasons: Mapping[int, str]
    ) -> NewPapers | None:
        """Return how many papers were new in the reader's fields and how many of those are here."""
        counter = self.counters.get(reader.new_span(self.period))
        wishes = self.wishes.get(reader.person)
        fields = tuple(wishes.of_kind(InterestKind.CATEGORY)) if wishes else ()
        topics = wishes.all_topics if wishes else ()
        counts = None if counter is None else counter.count(fields, papers)
        if counts is None or not topics or any(map(is_on_topic, reasons.values())):
            return counts
        return replace(counts, nothing_on=topics[0] if len(topics) == 1 else "")

    def _risen(self, reader: DigestReader, papers: tuple[PaperId, ...]) -> tuple[RisenPaper, ...]:
        """Return the papers that rose after the reader's digests left them out, without those in
        this one."""
        left_out = self.left_out.get(reader.person, ())
        return tuple([one for one in left_out if one.paper_id not in papers][:MOST_RISEN])


def without_content(row: NewDelivery, state: DeliveryState, reason: str) -> NewDelivery:
    """Return the row without its content, with the reason why the digest is not sent."""
    return replace(
        row,
        state=state,
        reason=reason,
        papers=(),
        reasons={},
        parts={},
        behind=(),
        withdrawn=(),
        club=None,
        new_papers=None,
        risen=(),
        next_papers=(),
    )


# Pages and batches: rows are built for a whole page and written in batches.
#
#     page ─► rows ─► batch ─► written in one transaction ─┐
#                       ▲                                  │
#                       └───────── next batch ◄────────────┘
#
# A build has a fixed cost, so pages are large. A write holds SQLite's write lock and delays
# sign-ups, so batches are small.

PART = 400
"""The most rows written in one transaction: about 35 ms of one core."""

One = TypeVar("One")
Row = TypeVar("Row")
Result = TypeVar("Result")


def write_in_batches(
    page: Sequence[One],
    *,
    choose: Callable[[Sequence[One]], Sequence[Row | None]],
    write: Callable[[Sequence[One], list[Row]], Result],
) -> Iterator[tuple[Sequence[One], Result]]:
    """Write the rows of a page; yield each batch of readers with the result of its `write`.

    `choose` returns each reader's row, None for no row now; `write` is one transaction. After a
    conflict only the rows of that batch are built again; earlier batches stay written. Raises
    Conflict after too many attempts.
    """
    rows = run_with_retries(lambda: choose(page))
    for first in range(0, len(page), PART):
        batch = page[first : first + PART]
        yield batch, _write_batch(batch, rows[first : first + PART], choose, write)


def _write_batch(
    batch: Sequence[One],
    rows: Sequence[Row | None],
    choose: Callable[[Sequence[One]], Sequence[Row | None]],
    write: Callable[[Sequence[One], list[Row]], Result],
) -> Result:
    prepared = [rows]

    def attempt() -> Result:
        found = prepared.pop() if prepared else choose(batch)
        return write(batch, [row for row in found if row is not None])

    return run_with_retries(attempt)
