"""One ledger row: what a subscription gets of an edition, and the names its mail will carry."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from paperround.domain.deliveries import DIGEST_LIFE, DeliveryState
from paperround.domain.digests import (
    Choice,
    DigestKind,
    SkipReason,
    Withdrawal,
    choose,
    papers_at,
)
from paperround.domain.editions import Edition
from paperround.domain.finder import Finder, findable, finder_of
from paperround.domain.ledger import NewDelivery
from paperround.domain.lists import MailingList
from paperround.domain.papers import PaperId
from paperround.domain.subscribers import SubscriberId, Subscription
from paperround.domain.tastes import Opinion
from paperround.domain.tokens import KeyRing
from paperround.domain.wishes import Wishes
from paperround.jobs.opinions import Opinions
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
    identity: Identity, list_name: str, subscriber: SubscriberId, local_date: date
) -> DeliveryNames:
    """Names derived from what makes a delivery unique: planning it again names it alike."""
    who = f"{list_name}|{subscriber}|{DigestKind.DIGEST}|{local_date.isoformat()}"
    local = identity.keys.digest("message-id", who)[:32]
    nonce = identity.keys.digest("delivery-nonce", who)[:22]
    return DeliveryNames(f"<{local}@{identity.domain}>", nonce)


@dataclass(frozen=True, slots=True, kw_only=True)
class RowMaker:
    """Makes the rows of one edition; `finder` looks for what people asked for, `wishes`, in it.

    `opinions` are what its papers are worth to those who said what they like. `withdrawn` are
    papers of the edition that nobody is sent any more, `news` what each person has to be told of
    papers they were sent. News alone make no mail: they wait for the next digest.
    """

    identity: Identity
    edition: Edition
    mailing_list: MailingList
    finder: Finder | None = None
    wishes: Mapping[SubscriberId, Wishes] = field(default_factory=dict)
    opinions: Mapping[SubscriberId, Opinion] = field(default_factory=dict)
    withdrawn: frozenset[PaperId] = frozenset()
    news: Mapping[SubscriberId, tuple[Withdrawal, ...]] = field(default_factory=dict)

    def choose(
        self, subscription: Subscription, already_sent: Collection[PaperId], local_date: date
    ) -> Choice | SkipReason:
        """What the subscription gets on `local_date`."""
        return choose(
            edition=self.edition,
            mailing_list=self.mailing_list,
            subscription=subscription,
            already_sent=already_sent,
            local_day=local_date,
            finder=self.finder,
            withdrawn=self.withdrawn,
            opinion=self.opinions.get(subscription.subscriber_id),
            wishes=self.wishes.get(subscription.subscriber_id),
        )

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
        papers = papers_at(self.edition, choice.positions)
        return self._new(
            subscription,
            local_date,
            state=DeliveryState.QUEUED,
            reason="",
            due_at=due_at,
            now=now,
            papers=tuple((paper.paper_id, paper.position) for paper in papers),
            reasons=choice.reasons,
            withdrawn=self.news.get(subscription.subscriber_id, ())[:MOST_WITHDRAWALS],
        )

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
    return RowMaker(
        identity=identity,
        edition=edition,
        mailing_list=mailing_list,
        finder=_finder(work, edition) if wishes else None,
        wishes=wishes,
        opinions={} if opinions is None else opinions.of(work, edition, subscriptions, wishes),
        withdrawn=work.papers.withdrawn_among({paper.paper_id for paper in edition.papers}),
        news=work.subscribers.withdrawals_to_tell(people, since=now - WITHDRAWAL_IS_NEWS),
    )


def _finder(work: UnitOfWork, edition: Edition) -> Finder:
    """Looks for words in the papers of an edition as they are now known."""
    known = work.papers.load({paper.paper_id for paper in edition.papers})
    each_once = {paper.paper_id: paper for paper in reversed(edition.papers)}
    return finder_of(tuple(findable(one, known.get(id_)) for id_, one in each_once.items()))
