"""One ledger row: what a subscription gets of an edition, and the names its mail will carry."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta

from paperround.domain.deliveries import DIGEST_LIFE, DeliveryState
from paperround.domain.digests import (
    Choice,
    DigestKind,
    SkipReason,
    Withdrawal,
    choice_of,
    choose,
    is_weekly,
    none_due,
)
from paperround.domain.editions import Edition, EditionPaper
from paperround.domain.finder import Finder, findable, finder_of
from paperround.domain.gist import choose_gist
from paperround.domain.interests import Interest
from paperround.domain.languages import spoken
from paperround.domain.ledger import NewDelivery
from paperround.domain.lists import MailingList
from paperround.domain.outlooks import Outlook, Shelf, outlook
from paperround.domain.papers import PaperId
from paperround.domain.subscribers import SubscriberId, Subscription
from paperround.domain.tastes import Taste
from paperround.domain.tokens import KeyRing
from paperround.domain.weeks import of_the_week
from paperround.domain.wishes import Sight, Wishes, sight_of
from paperround.jobs.behind import Behind, behind_of
from paperround.jobs.opinions import Opinions, Views
from paperround.jobs.wishes import wishes_of_all
from paperround.store.unit_of_work import UnitOfWork

MISSED = "missed"
"""Why a row is born expired: nobody planned it while its digest would still have been news."""


MOST_WITHDRAWALS = 5
"""How many withdrawals one digest tells of; what is left waits for the next."""

WITHDRAWAL_IS_NEWS = timedelta(days=90)
"""For how long a withdrawal is told to people who were sent the paper."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """What signs a delivery: the keys of the installation and the domain of its Message-IDs."""

    keys: KeyRing
    domain: str


@dataclass(frozen=True, slots=True)
class DeliveryNames:
    """The Message-ID of a delivery, the same on every try, and the nonce its links are bound to."""

    message_id: str
    nonce: str


def delivery_names(
    identity: Identity,
    list_name: str,
    subscriber: SubscriberId,
    local_date: date,
    kind: DigestKind = DigestKind.DIGEST,
) -> DeliveryNames:
    """Names derived from what makes a delivery unique: planning it again names it alike."""
    who = f"{list_name}|{subscriber}|{kind}|{local_date.isoformat()}"
    local = identity.keys.digest("message-id", who)[:32]
    nonce = identity.keys.digest("delivery-nonce", who)[:22]
    return DeliveryNames(f"<{local}@{identity.domain}>", nonce)


Asked = tuple[Subscription, Collection[PaperId], date]
"""Who gets something, what they were sent before, and of which local date it is."""

_Alike = tuple[object, ...]
"""What decides a choice: it is the same for everybody who has the same."""


@dataclass(frozen=True, slots=True)
class _Load:
    """The papers of a choice as its rows carry them."""

    choice: Choice
    papers: tuple[tuple[PaperId, int], ...]
    behind: tuple[EditionPaper, ...]


MOST_SHARED = 1024
"""Choices that are kept for the readers of further pages, some kB each."""
MOST_MET = 8192
"""Choices of which it is remembered that somebody had them, some bytes each."""


class Shared:
    """Choices that several readers had in common, for the pages behind them.

    They count as long as what they were chosen from stays; kept as long as a list is planned.
    """

    def __init__(self) -> None:
        self._from: tuple[object, ...] = ()
        self._choices: dict[_Alike, Choice | SkipReason] = {}
        self._met = set[int]()

    def among(self, *what: object) -> "dict[_Alike, Choice | SkipReason]":
        """Those that were chosen from this; none when it is not what it was."""
        if what != self._from:
            self._from, self._choices, self._met = what, {}, set()
        return self._choices

    def keep(self, decides: _Alike, choice: Choice | SkipReason, *, readers: int) -> None:
        """Keep what `readers` of a page got, if they are several or somebody had it before: most
        tastes are one reader's alone."""
        met = hash(decides)
        if len(self._choices) < MOST_SHARED and (readers > 1 or met in self._met):
            self._choices[decides] = choice
        elif len(self._met) < MOST_MET:
            self._met.add(met)


@dataclass(frozen=True, slots=True, kw_only=True)
class RowMaker:
    """Makes the rows of one edition; `finder` looks for what people asked for, `wishes`, in the
    papers on the `shelf`: its own and those behind.

    `views` are who likes what, who chooses for them, and what else they may get; `behind` are the
    papers that the edition does not show, where somebody may get one of them. `withdrawn` are
    the papers that nobody is sent any more, `news` what each person has to be told of papers they
    were sent. News alone make no mail: they wait for the next digest.
    """

    identity: Identity
    edition: Edition
    mailing_list: MailingList
    shelf: Shelf
    finder: Finder | None = None
    wishes: Mapping[SubscriberId, Wishes] = field(default_factory=dict)
    views: Views = field(default_factory=Views)
    behind: Behind | None = None
    shared: Shared = field(default_factory=Shared)
    withdrawn: frozenset[PaperId] = frozenset()
    news: Mapping[SubscriberId, tuple[Withdrawal, ...]] = field(default_factory=dict)
    places: Mapping[int, EditionPaper] = field(init=False)
    loads: dict[int, _Load] = field(init=False, default_factory=dict)
    """By the id of a choice, which its load holds on to."""

    def __post_init__(self) -> None:
        papers = (*self.edition.papers, *(self.behind or ()))
        object.__setattr__(self, "places", {paper.position: paper for paper in papers})

    @property
    def papers(self) -> list[PaperId]:
        """All that somebody may get."""
        return [paper.paper_id for paper in self.shelf.papers]

    def choices(self, people: Sequence[Asked]) -> list[Choice | SkipReason]:
        """What each of these gets. Nobody looks at a paper for whoever wants no mail then; whoever
        asks alike gets the very same choice; for those of taste the chooser picks, all at a
        time."""
        chosen: dict[int, Choice | SkipReason] = {}
        alike: dict[_Alike, list[int]] = {}
        for number, one in enumerate(people):
            subscription, _, day = one
            nothing = none_due(self.edition, subscription, day)
            if nothing is not None:
                chosen[number] = nothing
            else:
                alike.setdefault(self._what_decides(one), []).append(number)
        new = self._known(people, alike, chosen)
        found = self._found([people[numbers[0]] for numbers in new.values()])
        for (what, numbers), choice in zip(new.items(), found, strict=True):
            chosen.update(dict.fromkeys(numbers, choice))
            decides = self._by_value(what, people[numbers[0]])
            self.shared.keep(decides, choice, readers=len(numbers))
        return [chosen[number] for number in range(len(people))]

    def _known(
        self,
        people: Sequence[Asked],
        alike: Mapping[_Alike, list[int]],
        chosen: dict[int, Choice | SkipReason],
    ) -> Mapping[_Alike, list[int]]:
        """Those of `alike` of whom nobody was on an earlier page; the others are `chosen` for."""
        known, new = self._shared(), dict[_Alike, list[int]]()
        for what, numbers in alike.items():
            value = self._by_value(what, people[numbers[0]]) if known else ()
            if value in known:
                chosen.update(dict.fromkeys(numbers, known[value]))
            else:
                new[what] = numbers
        return new

    def _shared(self) -> dict[_Alike, Choice | SkipReason]:
        """All that choices depend on beside their reader."""
        behind, finder = self.views.behind, self.finder
        return self.shared.among(self.edition, self.withdrawn, behind, finder)

    def _by_value(self, what: _Alike, asked: Asked) -> _Alike:
        """What decides a choice, for whoever says the same later."""
        person = asked[0].subscriber_id
        return (*what[:-2], self.wishes.get(person), self.views.tastes.get(person))

    def _what_decides(self, asked: Asked) -> "_Alike":
        """All that the choice of a reader who wants a mail depends on. Readers who wish the same
        share their wishes and their taste, which are held here, so that none is looked into."""
        subscription, already_sent, _ = asked
        wish, person = subscription.preferences, subscription.subscriber_id
        return (
            wish.size,
            wish.floor,
            is_weekly(subscription),
            wish.topics,
            self.shelf.places(already_sent) if already_sent else 0,
            id(self.wishes.get(person)),
            id(self.views.tastes.get(person)),
        )

    def _found(self, people: Sequence[Asked]) -> list[Choice | SkipReason]:
        """The choices of people who want a mail."""
        chosen: dict[int, Choice | SkipReason] = {}
        waiting: dict[int, tuple[Sight | None, Outlook]] = {}
        for number, one in enumerate(people):
            sight = self._sight(one[0])
            taste = self.views.tastes.get(one[0].subscriber_id)
            if taste is None:
                chosen[number] = self._plain_choice(one, sight)
            else:
                waiting[number] = sight, self._outlook(one, taste, sight)
        chosen |= self._picked(people, waiting)
        return [chosen[number] for number in range(len(people))]

    def choose(
        self, subscription: Subscription, already_sent: Collection[PaperId], local_date: date
    ) -> Choice | SkipReason:
        """What the subscription gets on `local_date`."""
        (choice,) = self.choices([(subscription, already_sent, local_date)])
        return choice

    def _sight(self, subscription: Subscription) -> Sight | None:
        wishes = self.wishes.get(subscription.subscriber_id)
        return sight_of(wishes, self.finder) if wishes and self.finder else None

    def _plain_choice(self, asked: Asked, sight: Sight | None) -> Choice | SkipReason:
        """From the edition, and from what they asked for of the papers behind it."""
        subscription, already_sent, day = asked
        edition = self.edition
        if self.views.behind is not None and sight is not None:
            pinned = sight.finder.ids(sight.followed | sight.wanted)
            edition = replace(edition, papers=edition.papers + self.views.behind.asked(pinned))
        return choose(
            edition=edition,
            mailing_list=self.mailing_list,
            subscription=subscription,
            already_sent=already_sent,
            local_day=day,
            sight=sight,
            withdrawn=self.withdrawn,
            wishes=self.wishes.get(subscription.subscriber_id),
        )

    def _outlook(self, asked: Asked, taste: Taste, sight: Sight | None) -> Outlook:
        subscription, already_sent, _ = asked
        wish, wishes = subscription.preferences, self.wishes.get(subscription.subscriber_id)
        known = () if wishes is None else wishes.known
        return outlook(
            taste,
            sight,
            size=wish.size or self.mailing_list.size,
            floor=wish.floor,
            sent=self.shelf.places(already_sent),
            withheld=self.shelf.places(self.withdrawn.union(known) if known else self.withdrawn),
        )

    def _picked(
        self, people: Sequence[Asked], waiting: Mapping[int, tuple[Sight | None, Outlook]]
    ) -> dict[int, Choice | SkipReason]:
        if not waiting or self.views.chooser is None:
            return {}
        picks = self.views.chooser.picks([view for _, view in waiting.values()])
        return {
            number: choice_of(pick, self.edition, people[number][0], self.shelf, sight)
            for (number, (sight, _)), pick in zip(waiting.items(), picks, strict=True)
        }

    def row(
        self,
        subscription: Subscription,
        choice: Choice | SkipReason,
        local_date: date,
        *,
        due_at: datetime,
        now: datetime,
    ) -> NewDelivery:
        """A row that waits to be sent, or one that says why there is no mail."""
        if isinstance(choice, SkipReason):
            return self.empty_row(
                subscription, local_date, DeliveryState.SKIPPED, choice, due_at=due_at, now=now
            )
        load = self._load(choice)
        return self._new(
            subscription,
            local_date,
            state=DeliveryState.QUEUED,
            reason="",
            due_at=due_at,
            now=now,
            papers=load.papers,
            reasons=choice.reasons,
            parts=choice.parts,
            behind=load.behind,
            withdrawn=self.news.get(subscription.subscriber_id, ())[:MOST_WITHDRAWALS],
        )

    def _load(self, choice: Choice) -> _Load:
        """What a mail of the choice carries, the same for everybody who has it."""
        load = self.loads.get(id(choice))
        if load is None:
            papers = [self.places[position] for position in choice.positions]
            load = _Load(
                choice,
                tuple((paper.paper_id, paper.position) for paper in papers),
                self._behind(choice.positions),
            )
            self.loads[id(choice)] = load
        return load

    def _behind(self, positions: Sequence[int]) -> tuple[EditionPaper, ...]:
        behind = self.behind
        if behind is None:
            return ()
        return tuple([behind.frozen(place) for place in positions if place in behind])

    def empty_row(
        self,
        subscription: Subscription,
        local_date: date,
        state: DeliveryState,
        reason: str,
        *,
        due_at: datetime,
        now: datetime,
    ) -> NewDelivery:
        """A row without a mail: skipped or expired, with the reason."""
        return self._new(
            subscription, local_date, state=state, reason=reason, due_at=due_at, now=now
        )

    def _new(
        self,
        subscription: Subscription,
        local_date: date,
        *,
        state: DeliveryState,
        reason: str,
        due_at: datetime,
        now: datetime,
        papers: tuple[tuple[PaperId, int], ...] = (),
        reasons: Mapping[int, str] | None = None,
        parts: Mapping[str, Sequence[float]] | None = None,
        behind: tuple[EditionPaper, ...] = (),
        withdrawn: tuple[Withdrawal, ...] = (),
    ) -> NewDelivery:
        person = subscription.subscriber_id
        names = delivery_names(self.identity, self.mailing_list.name, person, local_date)
        return NewDelivery(
            subscriber_id=person,
            subscription_id=subscription.id,
            kind=DigestKind.DIGEST,
            local_date=local_date,
            state=state,
            reason=reason,
            due_at=due_at,
            expires_at=due_at + DIGEST_LIFE,
            message_id=names.message_id,
            dated=now,
            key_id=self.identity.keys.current.id,
            nonce=names.nonce,
            papers=papers,
            reasons=reasons or {},
            parts=parts or {},
            behind=behind,
            withdrawn=withdrawn,
            language=spoken(subscription.preferences.language),
        )


def row_maker(
    work: UnitOfWork,
    identity: Identity,
    edition: Edition,
    mailing_list: MailingList,
    subscriptions: Sequence[Subscription],
    *,
    now: datetime,
    opinions: Opinions | None = None,
    interests: Mapping[SubscriberId, tuple[Interest, ...]] | None = None,
    shared: Shared | None = None,
    is_week: bool = False,
) -> RowMaker:
    """The maker of these people's rows, with all it has to know of them and of the papers; for
    readers of a week, the best of all that was ranked.

    Without `opinions` everybody gets the papers in the edition's order, but for what they wish.
    `interests` stand in the place of those that are kept, where somebody only tries them.
    `shared` is what readers of earlier pages had in common.
    """
    people = [one.subscriber_id for one in subscriptions]
    wishes = wishes_of_all(work, subscriptions, interests)
    behind = None
    if is_week:
        behind = behind_of(work, edition, choose_gist if opinions is None else opinions.gist)
        edition = of_the_week(edition, behind)
    views = Views() if opinions is None else opinions.of(work, edition, subscriptions, wishes)
    shelf = Shelf(edition.papers, tuple(views.behind or ()))
    return RowMaker(
        identity=identity,
        edition=edition,
        mailing_list=mailing_list,
        shelf=shelf,
        finder=_finder(work, edition, views.behind) if wishes else None,
        wishes=wishes,
        views=views,
        behind=views.behind or behind,
        shared=shared or Shared(),
        withdrawn=work.papers.withdrawn_among({paper.paper_id for paper in shelf.papers}),
        news=work.subscribers.withdrawals_to_tell(people, since=now - WITHDRAWAL_IS_NEWS),
    )


def _finder(work: UnitOfWork, edition: Edition, behind: Behind | None) -> Finder:
    """Looks for words in the papers of an edition, and in those behind, as they are now known; in
    the order of a shelf."""
    known = work.papers.load({paper.paper_id for paper in edition.papers})
    found = {
        paper.paper_id: findable(paper, known.get(paper.paper_id))
        for paper in Shelf(edition.papers).papers
    }
    further = {} if behind is None else behind.findable
    return finder_of((*found.values(), *(one for id_, one in further.items() if id_ not in found)))
