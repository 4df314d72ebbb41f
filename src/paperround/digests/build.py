"""Build digests: what each of some readers gets of an edition, as the ledger rows they make.

    readers ─► interests, tastes, memory ─► view ─► pick ─► choice ─► row
                                                      └► or the reason why there is no mail

Planning, publishing, resending and previews all build here; they differ in the readers they name.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import TypeVar

from paperround.core.languages import spoken
from paperround.db.transactions import Transaction, tried
from paperround.delivery.ledger_model import NewDelivery
from paperround.delivery.model import Identity
from paperround.delivery.store.history import SentPapers
from paperround.digests.model import DigestChoice, choice_of, is_weekly, none_due, of_the_week
from paperround.editions.lists import MailingList
from paperround.editions.model import (
    DeliveryState,
    DigestKind,
    Edition,
    EditionPaper,
    SkipReason,
    Withdrawal,
)
from paperround.editions.schedule import DIGEST_LIFE
from paperround.papers.gist import choose_gist
from paperround.papers.model import PaperId
from paperround.papers.store.papers import PaperStore
from paperround.personal.keyword_index import KeywordIndex, findable, finder_of
from paperround.personal.matches import Matches, ReaderPreferences, sight_of
from paperround.personal.ranking import EditionTail, PersonalRanking, Views, tail_of
from paperround.personal.reader_preferences import wishes_of_all
from paperround.personal.views import (
    NO_TASTE,
    PaperIndex,
    PersonalView,
    in_order,
    seen_by,
)
from paperround.subscribers.interests import Interest
from paperround.subscribers.model import SubscriberId, Subscription

MOST_WITHDRAWALS = 5
"""How many withdrawals one digest tells of; what is left waits for the next."""

WITHDRAWAL_IS_NEWS = timedelta(days=90)
"""For how long a withdrawal is told to people who were sent the paper."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DigestReader:
    """Somebody a digest is built for: of which date of theirs, and when it is due. `choice` is
    what they were chosen earlier; None: it is to be chosen now."""

    subscription: Subscription
    day: date
    due_at: datetime
    choice: DigestChoice | SkipReason | None = None

    @property
    def person(self) -> SubscriberId:
        """The subscriber."""
        return self.subscription.subscriber_id


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildContext:
    """What building needs besides an edition and its readers.

    Without `opinions` everybody gets the papers in the edition's order, but for what they asked
    for. `interests` replace those that are stored, for somebody who only tries them.
    """

    identity: Identity
    now: datetime
    opinions: PersonalRanking | None = None
    kind: DigestKind = DigestKind.DIGEST
    interests: Mapping[SubscriberId, tuple[Interest, ...]] | None = None


def build(
    work: Transaction,
    context: BuildContext,
    edition: Edition,
    mailing_list: MailingList,
    readers: Sequence[DigestReader],
) -> list[NewDelivery]:
    """The ledger row of each reader, in their order: one that waits to be sent, or one born
    skipped that says why there is no mail. Readers of a week get the best of all its days."""
    rows: dict[int, NewDelivery] = {}
    for is_week in (False, True):
        group = [n for n, one in enumerate(readers) if is_weekly(one.subscription) is is_week]
        if group:
            some = [readers[number] for number in group]
            builder = _builder(work, context, edition, mailing_list, some, is_week=is_week)
            rows.update(zip(group, builder.rows(some), strict=True))
    return [rows[number] for number in range(len(readers))]


def _builder(
    work: Transaction,
    context: BuildContext,
    edition: Edition,
    mailing_list: MailingList,
    readers: Sequence[DigestReader],
    *,
    is_week: bool,
) -> "DigestBuilder":
    opinions = context.opinions
    subscriptions = [one.subscription for one in readers]
    people = [one.person for one in readers]
    wishes = wishes_of_all(work, subscriptions, context.interests)
    behind = None
    if is_week:
        behind = tail_of(work, edition, choose_gist if opinions is None else opinions.gist)
        edition = of_the_week(edition, behind)
    views = Views() if opinions is None else opinions.of(work, edition, subscriptions, wishes)
    index = PaperIndex(edition.papers, tuple(views.behind or ()))
    papers = [paper.paper_id for paper in index.papers]
    return DigestBuilder(
        context=context,
        edition=edition,
        mailing_list=mailing_list,
        index=index,
        is_week=is_week,
        finder=_finder(work, index, edition, views.behind) if wishes else None,
        wishes=wishes,
        views=views,
        behind=views.behind or behind,
        memory=work[SentPapers].already_sent(people, papers),
        withdrawn=work[PaperStore].withdrawn_among(set(papers)),
        news=work[SentPapers].withdrawals_to_tell(people, since=context.now - WITHDRAWAL_IS_NEWS),
    )


def _finder(
    work: Transaction, index: PaperIndex, edition: Edition, behind: EditionTail | None
) -> KeywordIndex:
    """Searches the papers of an index as they are known now."""
    known = work[PaperStore].load({paper.paper_id for paper in edition.papers})
    further = {} if behind is None else behind.findable
    shown, tail = index.papers[: index.shown], index.papers[index.shown :]
    return finder_of(
        (
            *(findable(paper, known.get(paper.paper_id)) for paper in shown),
            *(further[paper.paper_id] for paper in tail),
        )
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Content:
    """What the mail of a choice carries, the same object for all its readers; or the `reason` why
    there is no mail."""

    reason: str = ""
    papers: tuple[tuple[PaperId, int], ...] = ()
    reasons: Mapping[int, str] = field(default_factory=dict)
    parts: Mapping[str, Sequence[float]] = field(default_factory=dict)
    behind: tuple[EditionPaper, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DigestBuilder:
    """Builds the rows of some readers of one edition, from all that was read of them.

    `views` are who likes what, who chooses for them, and what else they may get; `behind` are the
    papers that the edition does not show, where somebody may get one of them. `withdrawn` are
    the papers that nobody is sent any more, `news` what each person has to be told of papers they
    were sent. News alone make no mail: they wait for the next digest.
    """

    context: BuildContext
    edition: Edition
    mailing_list: MailingList
    index: PaperIndex
    is_week: bool = False
    finder: KeywordIndex | None = None
    wishes: Mapping[SubscriberId, ReaderPreferences] = field(default_factory=dict)
    views: Views = field(default_factory=Views)
    behind: EditionTail | None = None
    memory: Mapping[SubscriberId, frozenset[PaperId]] = field(default_factory=dict)
    withdrawn: frozenset[PaperId] = frozenset()
    news: Mapping[SubscriberId, tuple[Withdrawal, ...]] = field(default_factory=dict)

    def rows(self, readers: Sequence[DigestReader]) -> list[NewDelivery]:
        """The row of each reader."""
        papers = {one.position: one for one in (*self.edition.all_papers, *self.index.papers)}
        contents: dict[int, _Content] = {}
        rows = []
        choices = self.choices(readers)
        for one, choice in zip(readers, choices, strict=True):
            if id(choice) not in contents:
                contents[id(choice)] = self._content(choice, papers)
            rows.append(self._row(one, contents[id(choice)]))
        return rows

    # --- choosing ------------------------------------------------------------------------------

    def choices(self, readers: Sequence[DigestReader]) -> list[DigestChoice | SkipReason]:
        """What each gets. Readers who ask alike get the very same choice."""
        chosen: dict[int, DigestChoice | SkipReason] = {}
        sights: dict[int, Matches | None] = {}
        # What decides a choice: a view, and the id of a sight. Readers with the same share one.
        alike: dict[tuple[PersonalView, int], list[int]] = {}
        for number, one in enumerate(readers):
            known = one.choice or none_due(self.edition, one.subscription, one.day)
            if known is not None:
                chosen[number] = known
                continue
            wishes = self.wishes.get(one.person)
            sight = sight_of(wishes, self.finder) if wishes and self.finder else None
            sights[id(sight)] = sight
            alike.setdefault((self._view(one, sight), id(sight)), []).append(number)
        # The chooser picks for all who have a taste at once.
        with_taste = [view for view, _ in alike if view.taste]
        chooser = self.views.chooser
        picked = iter(chooser(with_taste) if chooser and with_taste else ())
        for (view, seen), numbers in alike.items():
            pick = next(picked) if view.taste else in_order(view, self.index)
            found = choice_of(pick, self.edition, self.index, sights[seen], is_week=self.is_week)
            chosen.update(dict.fromkeys(numbers, found))
        return [chosen[number] for number in range(len(readers))]

    def _view(self, reader: DigestReader, sight: Matches | None) -> PersonalView:
        wish, wishes = reader.subscription.preferences, self.wishes.get(reader.person)
        known = () if wishes is None else wishes.known
        return PersonalView(
            taste=self.views.tastes.get(reader.person, NO_TASTE),
            size=wish.size or self.mailing_list.size,
            floor=wish.floor,
            sent=self.index.places(self.memory.get(reader.person, ())),
            withheld=self.index.places(self.withdrawn.union(known) if known else self.withdrawn),
            **seen_by(sight),
        )

    # --- rows ----------------------------------------------------------------------------------

    def _content(
        self, choice: DigestChoice | SkipReason, papers: Mapping[int, EditionPaper]
    ) -> _Content:
        if isinstance(choice, SkipReason):
            return _Content(reason=choice)
        behind = self.behind
        return _Content(
            papers=tuple((papers[place].paper_id, place) for place in choice.positions),
            reasons=choice.reasons,
            parts=choice.parts,
            behind=tuple(behind.frozen(one) for one in choice.positions if one in behind)
            if behind
            else (),
        )

    def _row(self, reader: DigestReader, content: _Content) -> NewDelivery:
        is_mail = not content.reason
        context, keys = self.context, self.context.identity.keys
        # What makes the delivery unique gives its names: planning it again gives the same ones.
        who = f"{self.mailing_list.name}|{reader.person}|{context.kind}|{reader.day.isoformat()}"
        return NewDelivery(
            subscriber_id=reader.person,
            subscription_id=reader.subscription.id,
            kind=context.kind,
            local_date=reader.day,
            state=DeliveryState.QUEUED if is_mail else DeliveryState.SKIPPED,
            reason=content.reason,
            due_at=reader.due_at,
            expires_at=reader.due_at + DIGEST_LIFE,
            message_id=f"<{keys.digest('message-id', who)[:32]}@{context.identity.domain}>",
            dated=context.now,
            key_id=keys.current.id,
            nonce=keys.digest("delivery-nonce", who)[:22],
            papers=content.papers,
            reasons=content.reasons,
            parts=content.parts,
            behind=content.behind,
            withdrawn=self.news.get(reader.person, ())[:MOST_WITHDRAWALS] if is_mail else (),
            language=spoken(reader.subscription.preferences.language),
        )


def without_mail(row: NewDelivery, state: DeliveryState, reason: str) -> NewDelivery:
    """The row of a digest that is not sent after all, with the reason."""
    return replace(
        row, state=state, reason=reason, papers=(), reasons={}, parts={}, behind=(), withdrawn=()
    )


# A page of readers in parts: what they get is built for all at once, and written part by part.
#
#     page ─► rows for all ─► part ─► written in one transaction ─┐
#                              ▲                                  │
#                              └────────── next part ◄────────────┘
#
# Building has a price for each page, so pages are large. Writing holds the writer's lock of SQLite,
# and somebody who signs up waits meanwhile, so parts are small.

PART = 400
"""Readers whose rows are written together, at most: some 35 ms of one core."""

One = TypeVar("One")
Row = TypeVar("Row")
Result = TypeVar("Result")


def in_parts(
    page: Sequence[One],
    *,
    choose: Callable[[Sequence[One]], Sequence[Row | None]],
    write: Callable[[Sequence[One], list[Row]], Result],
) -> Iterator[tuple[Sequence[One], Result]]:
    """Write the rows of a page; gives each part of its readers with what `write` returned for it.

    `choose` gives each reader's row, None if none now; `write` is one transaction. When a part
    loses a race, its rows alone are built again: what earlier parts wrote stays. Raises Conflict
    when a part lost too often.
    """
    rows = tried(lambda: choose(page))
    for first in range(0, len(page), PART):
        part = page[first : first + PART]
        yield part, _written(part, rows[first : first + PART], choose, write)


def _written(
    part: Sequence[One],
    rows: Sequence[Row | None],
    choose: Callable[[Sequence[One]], Sequence[Row | None]],
    write: Callable[[Sequence[One], list[Row]], Result],
) -> Result:
    built = [rows]

    def attempt() -> Result:
        found = built.pop() if built else choose(part)
        return write(part, [row for row in found if row is not None])

    return tried(attempt)
