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
    choose,
    none_due,
)
from paperround.domain.editions import Edition, EditionPaper
from paperround.domain.finder import Finder, findable, finder_of
from paperround.domain.ledger import NewDelivery, OwnParts
from paperround.domain.lists import MailingList
from paperround.domain.papers import PaperId
from paperround.domain.subscribers import SubscriberId, Subscription
from paperround.domain.tastes import Opinion
from paperround.domain.tokens import KeyRing
from paperround.domain.wishes import Sight, Wishes, sight_of
from paperround.jobs.behind import Behind
from paperround.jobs.opinions import Opinions, Views
from paperround.jobs.ports import UnitOfWork
from paperround.jobs.wishes import wishes_of_all

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


@dataclass(frozen=True, slots=True, kw_only=True)
class RowMaker:
    """Makes the rows of one edition; `finder` looks for what people asked for, `wishes`, in it and
    in what stands behind.

    `views` are what its papers are worth to those who said what they like, and what else they may
    get. `places` are all papers there are, by position. `withdrawn` are those that nobody is sent
    any more, `news` what each person has to be told of papers they were sent. News alone make no
    mail: they wait for the next digest.
    """

    identity: Identity
    edition: Edition
    mailing_list: MailingList
    places: Mapping[int, EditionPaper]
    finder: Finder | None = None
    wishes: Mapping[SubscriberId, Wishes] = field(default_factory=dict)
    views: Views = field(default_factory=Views)
    withdrawn: frozenset[PaperId] = frozenset()
    news: Mapping[SubscriberId, tuple[Withdrawal, ...]] = field(default_factory=dict)

    def choose(
        self, subscription: Subscription, already_sent: Collection[PaperId], local_date: date
    ) -> Choice | SkipReason:
        """What the subscription gets on `local_date`. Nobody looks at a paper for whoever wants no
        mail then."""
        nothing = none_due(self.edition, subscription, local_date)
        if nothing is not None:
            return nothing
        opinion = self.views.opinions.get(subscription.subscriber_id)
        wishes = self.wishes.get(subscription.subscriber_id)
        sight = sight_of(wishes, self.finder) if wishes and self.finder else None
        return choose(
            edition=self._open_to(subscription, opinion, sight, already_sent),
            mailing_list=self.mailing_list,
            subscription=subscription,
            already_sent=already_sent,
            local_day=local_date,
            sight=sight,
            withdrawn=self.withdrawn,
            opinion=opinion,
            wishes=wishes,
        )

    def _open_to(
        self,
        subscription: Subscription,
        opinion: Opinion | None,
        sight: Sight | None,
        already_sent: Collection[PaperId],
    ) -> Edition:
        """The edition, and for who said anything the best for them of what stands behind."""
        if self.views.behind is None or (opinion is None and sight is None):
            return self.edition
        size = subscription.preferences.size or self.mailing_list.size
        pinned: Collection[PaperId] = () if sight is None else sight.followed | sight.wanted
        muted: Collection[PaperId] = () if sight is None else sight.muted
        offered = self.views.behind.offered(opinion, pinned, already_sent, size, muted)
        return replace(self.edition, papers=self.edition.papers + offered)

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
        papers = [self.places[position] for position in choice.positions]
        return self._new(
            subscription,
            local_date,
            state=DeliveryState.QUEUED,
            reason="",
            due_at=due_at,
            now=now,
            papers=tuple((paper.paper_id, paper.position) for paper in papers),
            reasons=choice.reasons,
            parts=choice.parts,
            behind=self._behind(choice.positions),
            withdrawn=self.news.get(subscription.subscriber_id, ())[:MOST_WITHDRAWALS],
        )

    def _behind(self, positions: Sequence[int]) -> tuple[EditionPaper, ...]:
        if self.views.behind is None:
            return ()
        shown = {paper.position for paper in self.edition.papers}
        return tuple(self.views.behind.frozen(place) for place in positions if place not in shown)

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
        parts: OwnParts | None = None,
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
) -> RowMaker:
    """The maker of these people's rows, with all it has to know of them and of the papers.

    Without `opinions` everybody gets the papers in the edition's order, but for what they wish.
    """
    people = [one.subscriber_id for one in subscriptions]
    wishes = wishes_of_all(work, subscriptions)
    views = Views() if opinions is None else opinions.of(work, edition, subscriptions, wishes)
    papers = (*edition.papers, *(views.behind or ()))
    return RowMaker(
        identity=identity,
        edition=edition,
        mailing_list=mailing_list,
        finder=_finder(work, edition, views.behind) if wishes else None,
        wishes=wishes,
        places={paper.position: paper for paper in papers},
        views=views,
        withdrawn=work.papers.withdrawn_among({paper.paper_id for paper in papers}),
        news=work.subscribers.withdrawals_to_tell(people, since=now - WITHDRAWAL_IS_NEWS),
    )


def _finder(work: UnitOfWork, edition: Edition, behind: Behind | None) -> Finder:
    """Looks for words in the papers of an edition, and in those behind, as they are now known."""
    known = work.papers.load({paper.paper_id for paper in edition.papers})
    each_once = {paper.paper_id: paper for paper in reversed(edition.papers)}
    found = {id_: findable(one, known.get(id_)) for id_, one in each_once.items()}
    further = {} if behind is None else behind.findable
    return finder_of(tuple({**further, **found}.values()))
