"""Asking for a list, by many in one transaction.

    asked ─► counted ─► looked up ─► new: signed up, and a mail to confirm it
                           ├─► waits, or reads it: the mail again, or a link to their choices
                           └─► gets nothing: as much is written for nobody, and taken back

Who is refused is so before anything of theirs is counted or written, so nobody else is touched by
it. What is looked up and written is so for all of them at once, and for whoever it is: there are as
many statements, and each of them has a row in as many. So the time that an answer takes says
nothing of an address, nor of those who asked at the same time.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import chain, count

from paperround.domain.deliveries import DeliveryId, DeliveryState
from paperround.domain.errors import Conflict, DatabaseFailed, PaperroundError
from paperround.domain.interests import Interest, checked_interests
from paperround.domain.limits import Standing
from paperround.domain.lists import ListId, MailingList
from paperround.domain.notices import CONFIRM_VALID, NOTICE_LIFE, NewNotice, Notice, NoticeKind
from paperround.domain.readers import Known, NewSignup, Visitor
from paperround.domain.subscribers import (
    Address,
    Preferences,
    SubscriberId,
    SubscriberState,
    Subscription,
    SubscriptionId,
)
from paperround.jobs.choices import checked, packed, packed_interests, packed_lists
from paperround.jobs.desk import Desk
from paperround.jobs.links import choices_link
from paperround.jobs.notices import new_notice, spoken_in
from paperround.jobs.patience import (
    DAY,
    Foreseen,
    due_instant,
    look_ahead,
    mailbox,
    may_ask,
    may_mail,
    require_patience,
    standing_of,
    untagged,
)
from paperround.jobs.ports import UnitOfWork
from paperround.jobs.subscribers import digests_of, require_suppression_keys

NOBODY = SubscriberId(0)
"""No row has this id: looking it up takes as long as looking somebody up."""
_NO_WISH = SubscriptionId(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class SignupRequest:
    """Somebody asks to get a list. `source` is where: `form`, `api` or `snippet`.

    `interests` come true for whoever confirms; somebody who subscribes already finds them on the
    page of their choices. `also` are the names of further lists that the same yes is for. `worked`:
    a proof of work came with it, so it need not wait when many sign up.
    """

    address: Address
    list_name: str
    preferences: Preferences
    visitor: Visitor
    source: str
    worked: bool = False
    interests: tuple[Interest, ...] = ()
    also: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Asking:
    """A request, and what it is measured by."""

    request: SignupRequest
    limited: Foreseen


Answer = Standing | PaperroundError | None
"""What is left to a visitor, None without limits; or why they are refused."""


def ask_all(desk: Desk, work: UnitOfWork, each: Sequence[Asking]) -> list[Answer]:
    """Ask for all of them; what each is answered."""
    look_ahead(work, [one.limited for one in each])
    answers: list[Answer] = []
    waiting: list[_Wanted] = []
    for one in each:
        try:
            left, wanted = _admitted(desk, work, one)
        except (Conflict, DatabaseFailed):  # which is no answer to anybody
            raise
        except PaperroundError as error:
            answers.append(error)
            continue
        answers.append(left)
        waiting += [wanted] if wanted is not None else []
    while waiting:
        waiting = _in_a_round(desk, work, waiting)
    return answers


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A request that was let through, whose mail would leave at `due_at`."""

    address: Address
    mailing_list: MailingList
    wish: Preferences
    source: str
    interests: tuple[Interest, ...]
    also: tuple[ListId, ...]
    due_at: datetime
    now: datetime

    def payload(self, subscription: Subscription) -> dict[str, str | int]:
        """What a mail to confirm it has with it."""
        return {
            "list": self.mailing_list.id,
            "subscription": subscription.id,
            "choices": packed(self.wish),
            "source": self.source,
            **spoken_in(self.wish.language),
            **packed_interests(self.interests),
            **packed_lists(self.also),
        }


def _admitted(
    desk: Desk, work: UnitOfWork, asking: Asking
) -> tuple[Standing | None, _Wanted | None]:
    """What is left to the visitor, and what they want where a mail may follow from it. Raises
    RateLimited, NotFound or InvalidInput, and nothing was counted."""
    request, now = asking.request, asking.limited.now
    mailing_list = work.lists.get(request.list_name)
    wish = checked(request.preferences, zone=mailing_list.zone, now=now)
    interests = checked_interests(request.interests)
    also = tuple(work.lists.get(name).id for name in dict.fromkeys(request.also))
    require_patience(work, desk, request.visitor, now=now)
    left = standing_of(work, desk, request.visitor, now=now)
    due_at = due_instant(work, desk, request.address, worked=request.worked, now=now)
    if due_at is None or not may_ask(work, desk, request.address, now=now):
        return left, None
    return left, _Wanted(
        request.address, mailing_list, wish, request.source, interests, also, due_at, now
    )


# --- a round, in which nobody is twice -----------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Found:
    """Somebody who wants something, and what follows from what is known of them: a mail to somebody
    new, one for what they asked before (`theirs`), or nothing."""

    wanted: _Wanted
    mails: bool
    theirs: Subscription | None

    @property
    def is_new(self) -> bool:
        return self.mails and self.theirs is None


_Written = tuple[_Wanted, Subscription]


def _in_a_round(desk: Desk, work: UnitOfWork, waiting: Sequence[_Wanted]) -> list[_Wanted]:
    """Do it for the first of each address; returns the others, who find what that left."""
    first = dict[str, _Wanted]()
    later = list[_Wanted]()
    for one in waiting:
        if first.setdefault(one.address.folded, one) is not one:
            later.append(one)
    now = max(one.now for one in waiting)
    _Round(desk, work, now, alone=len(first) == 1).run([*first.values()])
    return later


@dataclass(frozen=True, slots=True)
class _Round:
    """Both halves are done for many, even where one of them is empty: else the time would tell that
    nobody is in it. Who is `alone` has one of them, which takes as long as the other."""

    desk: Desk
    work: UnitOfWork
    now: datetime
    alone: bool

    def run(self, these: Sequence[_Wanted]) -> None:
        found = self._looked_up(these)
        new = [one.wanted for one in found if one.is_new]
        others = [one for one in found if not one.is_new]
        is_new = self.alone and bool(new)
        with self.work.part(keep=is_new):
            theirs = self._welcome(new) if is_new else self._welcome_nobody(others)
        if not is_new:
            known = [(one.wanted, one.theirs) for one in others if one.theirs is not None]
            theirs = self._welcome(new, known)
        nothing = [_NO_WISH] * (len(these) - len(theirs))
        self.work.subscribers.ask_again([*(wish.id for _, wish in theirs), *nothing], now=self.now)

    def _welcome(
        self, new: Sequence[_Wanted], known: Sequence[_Written] = ()
    ) -> Sequence[_Written]:
        """Sign up those who are new, and write to all of them."""
        theirs = [*self._sign_up(new), *known]
        self._write_to(theirs)
        return theirs

    def _welcome_nobody(self, others: Sequence[_Found]) -> Sequence[_Written]:
        """The same in the place of others; of those who are written to themselves it is left out
        here."""
        nobodies = self._sign_up([self._for_nobody(one.wanted) for one in others])
        both = zip(nobodies, others, strict=True)
        self._write_to([nobody for nobody, one in both if one.theirs is None])
        return []

    def _looked_up(self, these: Sequence[_Wanted]) -> list[_Found]:
        self.desk.key_check.require(self.work, now=self.now)
        addresses = [one.address for one in these]
        known = self.work.subscribers.known(
            [
                (address, _suppression_digests(self.desk, address), one.mailing_list.id)
                for address, one in zip(addresses, these, strict=True)
            ]
        )
        return [self._found(one, theirs) for one, theirs in zip(these, known, strict=True)]

    def _found(self, wanted: _Wanted, known: Known) -> _Found:
        silent = _gets_nothing(known, wanted.now)
        address = wanted.address
        allowed = may_mail(self.work, self.desk, address, at=wanted.due_at, silent=silent)
        mails = allowed and not silent
        return _Found(wanted, mails, known.wish if mails else None)

    def _for_nobody(self, wanted: _Wanted) -> _Wanted:
        """The same for an address that is nobody's, to be taken back: how long the answer takes
        must not tell what is known of the real one."""
        folded = wanted.address.folded
        nobody = f"{self.desk.keys.digest('nobody', folded)[:32]}@nobody.invalid"
        address = Address(written=nobody, mailed=nobody, folded=nobody, domain="nobody.invalid")
        return replace(wanted, address=address)

    def _sign_up(self, these: Sequence[_Wanted]) -> list[_Written]:
        if self.alone and not these:
            return []
        signups = [(self._signup(one), one.mailing_list.id) for one in these]
        both = self.work.subscribers.sign_up_all(signups, now=self.now)
        return [(one, wish) for one, (_, wish) in zip(these, both, strict=True)]

    def _signup(self, wanted: _Wanted) -> NewSignup:
        address = wanted.address
        who = f"{address.folded}|{wanted.now.isoformat()}"
        nonce = self.desk.keys.digest("subscriber-nonce", who)[:22]
        return NewSignup(address=address, preferences=wanted.wish, nonce=nonce)

    def _write_to(self, these: Sequence[_Written]) -> None:
        """A mail with a link for each: to their choices for somebody who forgot that they have
        subscribed, else to confirm. That is the same mail again while its link works and the wish
        is the same."""
        if self.alone and not these:
            return
        keys = [_confirm_key(wish, number) for _, wish in these for number in (1, 2)]
        known = self.work.notices.find_all(keys)
        new, again = list[NewNotice](), list[tuple[DeliveryId, datetime, datetime]]()
        for wanted, subscription in these:
            earlier = [*confirmations(self.work, subscription, known)]
            if earlier and _is_the_same(earlier[-1], wanted, subscription):
                again.append((earlier[-1].id, wanted.due_at, wanted.due_at + NOTICE_LIFE))
            else:
                new.append(self._notice(wanted, subscription, len(earlier) + 1))
        if new or not self.alone:
            self.work.notices.put_all(new, now=self.now)
        if again or not self.alone:
            self.work.notices.again_all(again)

    def _notice(self, wanted: _Wanted, subscription: Subscription, number: int) -> NewNotice:
        identity, due_at = self.desk.identity, wanted.due_at
        if subscription.state is SubscriberState.ACTIVE:
            link = choices_link(identity, subscription, now=wanted.now, interests=wanted.interests)
            return replace(link, due_at=due_at, expires_at=due_at + NOTICE_LIFE)
        return new_notice(
            identity,
            NoticeKind.CONFIRM,
            _confirm_key(subscription, number),
            subscription.subscriber_id,
            None,
            wanted.payload(subscription),
            now=wanted.now,
            due_at=due_at,
        )


def _gets_nothing(known: Known, now: datetime) -> bool:
    """Whether no mail follows from what is known of the address: it must never be mailed, or
    it is an active reader's who was mailed a link to their choices today."""
    if known.suppressed or known.person is SubscriberState.SUPPRESSED:
        return True
    is_active = known.wish is not None and known.wish.state is SubscriberState.ACTIVE
    return is_active and known.linked_at is not None and now < known.linked_at + DAY


def _is_the_same(notice: Notice, wanted: _Wanted, subscription: Subscription) -> bool:
    """Whether the link of a notice still works for somebody who is to confirm, and it asks the
    same, wherever that was asked."""
    if subscription.state is SubscriberState.ACTIVE:
        return False
    waits = notice.used_at is None and notice.state is not DeliveryState.SKIPPED
    asks = {**notice.payload, "source": wanted.source} == wanted.payload(subscription)
    return waits and asks and wanted.now < notice.dated + CONFIRM_VALID


# --- what others need to know of it --------------------------------------------------------------


def is_suppressed(work: UnitOfWork, desk: Desk, address: Address) -> bool:
    """Whether `address` must never be mailed, nor the mailbox that it is a tag of.

    Raises Misconfigured when that cannot be told.
    """
    require_suppression_keys(work, desk.keys)
    return bool(work.subscribers.suppressed(_suppression_digests(desk, address)))


def _suppression_digests(desk: Desk, address: Address) -> frozenset[str]:
    """What is kept of `address` where it is suppressed, or the mailbox that it is a tag of."""
    spelt = {address.folded, untagged(address.folded), mailbox(address.folded)}
    return frozenset(chain.from_iterable(digests_of(desk.keys, one) for one in spelt))


def _confirm_key(subscription: Subscription, number: int) -> str:
    return f"confirm/{subscription.id}/{number}"


def confirmations(
    work: UnitOfWork, subscription: Subscription, known: Mapping[str, Notice] | None = None
) -> Iterator[Notice]:
    """Every confirmation that was asked of a subscription, oldest first. `known` are the first two,
    where they have been looked up."""
    for number in count(1, 2):
        keys = (_confirm_key(subscription, number), _confirm_key(subscription, number + 1))
        found = work.notices.find_all(keys) if known is None or number > 1 else known
        for key in keys:
            if key not in found:
                return
            yield found[key]
