"""Signing up, and confirming it.

    asked ─► one mail with a link ─► the link is used ─► active, the newest edition at once
      └── known already: at most a link to their choices, never an answer that tells

Whatever is known of an address, whoever asks is told the same, after the same look-ups. What was
asked waits in the notice and counts once its link is used; nothing of it stands in the mail.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import chain, count

from paperround.domain.deliveries import DeliveryState
from paperround.domain.interests import Interest, checked_interests
from paperround.domain.limits import Standing
from paperround.domain.lists import ListId, MailingList
from paperround.domain.notices import (
    CONFIRM_VALID,
    NOTICE_LIFE,
    UNDO_VALID,
    Notice,
    NoticeKind,
)
from paperround.domain.readers import Known, NewSignup, Visitor
from paperround.domain.subscribers import (
    Address,
    Consent,
    Preferences,
    SubscriberId,
    SubscriberState,
    Subscription,
)
from paperround.domain.tokens import Purpose
from paperround.jobs.choices import (
    checked,
    packed,
    packed_interests,
    packed_lists,
    unpacked,
    unpacked_interests,
    unpacked_lists,
)
from paperround.jobs.desk import Desk
from paperround.jobs.group_commit import Foreseen
from paperround.jobs.links import CONFIRMING, Reader, choices_link, noted, reader_of_notice
from paperround.jobs.notices import new_notice, spoken_in
from paperround.jobs.patience import (
    DAY,
    due_instant,
    foreseen,
    is_crowded,
    mailbox,
    may_ask,
    may_mail,
    require_patience,
    standing_of,
    untagged,
)
from paperround.jobs.plan import Hours, Welcome, plan_newcomer
from paperround.jobs.ports import UnitOfWork
from paperround.jobs.reader_lists import join_lists
from paperround.jobs.subscribers import require_suppression_keys, suppression_digests
from paperround.jobs.transactions import write
from paperround.jobs.wishes import add_interests

CONSENT = "confirmed by mail"

NOBODY = SubscriberId(0)
"""No row has this id: looking it up takes as long as looking somebody up."""


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirmed:
    """What the page says after a confirmation. The token opens the person's choices for a day.

    `hour` and `zone` are those that hold, whoever chose them.
    """

    list_title: str
    preferences: Preferences
    hour: int
    zone: str
    welcome: Welcome
    preferences_token: str
    interests: tuple[Interest, ...] = ()
    also: tuple[str, ...] = ()
    """The titles of further lists."""

    @property
    def digest_follows(self) -> bool:
        """Whether a digest is on its way."""
        return self.welcome is not Welcome.LATER


# --- asking ------------------------------------------------------------------------------------


def subscribe(desk: Desk, request: SignupRequest, *, now: datetime) -> None:
    """Ask for a list. Everything about the address is silent.

    Raises RateLimited for a client that asks too often, NotFound for an unknown list, InvalidInput
    for choices that cannot be.
    """
    limited = foreseen(desk, request.visitor, request.address, now=now)
    desk.group.write(_asking(desk, request, limited), limited)


async def subscribe_soon(desk: Desk, request: SignupRequest, *, now: datetime) -> Standing | None:
    """The same without holding up the event loop. Returns how often its visitor may still ask, as
    `standing` does."""
    limited = foreseen(desk, request.visitor, request.address, now=now)
    return await desk.group.written(_asking(desk, request, limited), limited)


def _asking(
    desk: Desk, request: SignupRequest, limited: Foreseen
) -> Callable[[UnitOfWork], Standing | None]:
    """What asking for a list does in a transaction, which others may share."""
    now = limited.now

    def ask(work: UnitOfWork) -> Standing | None:
        mailing_list = work.lists.get(request.list_name)
        wish = checked(request.preferences, zone=mailing_list.zone, now=now)
        interests = checked_interests(request.interests)
        also = tuple(work.lists.get(name).id for name in dict.fromkeys(request.also))
        work.rates.foresee(limited.hits, now=now)
        require_patience(work, desk, request.visitor, now=now)
        left = standing_of(work, desk, request.visitor, now=now)
        asking = _Asking(
            work, desk, mailing_list, request.address, request.source, now, interests, also
        )
        asking.ask(wish, worked=request.worked)
        return left

    return ask


def standing(desk: Desk, visitor: Visitor, *, now: datetime) -> Standing | None:
    """How often a visitor may still ask, whomever for; None without limits."""
    with desk.database.reading() as work:
        return standing_of(work, desk, visitor, now=now)


def must_work(desk: Desk, *, now: datetime) -> bool:
    """Whether so many sign up that a browser should do some work first; without it they wait."""
    with desk.database.reading() as work:
        return is_crowded(work, desk, now=now)


@dataclass(frozen=True, slots=True)
class _Asking:
    """One request for one list, in one transaction."""

    work: UnitOfWork
    desk: Desk
    mailing_list: MailingList
    address: Address
    source: str
    now: datetime
    interests: tuple[Interest, ...]
    also: tuple[ListId, ...]

    def ask(self, wish: Preferences, *, worked: bool) -> None:
        work, desk, address, now = self.work, self.desk, self.address, self.now
        due_at = due_instant(work, desk, address, worked=worked, now=now)
        if due_at is None or not may_ask(work, desk, address, now=now):
            return
        known = self._known()
        silent = self._gets_nothing(known)
        mails = may_mail(work, desk, address, at=due_at, silent=silent) and not silent
        nobody = self._for_nobody()
        theirs = known.wish if mails else None
        is_new = mails and theirs is None
        with work.part(keep=is_new):
            asking = self if is_new else nobody
            fresh = asking.sign_up(wish)
            if theirs is None:
                asking.write_to(fresh, wish, due_at)
        if theirs is not None:
            self.write_to(theirs, wish, due_at)
        work.subscribers.ask_again((theirs or fresh).id, now=now)

    def _known(self) -> Known:
        self.desk.key_check.require(self.work, now=self.now)
        digests = _suppression_digests(self.desk, self.address)
        return self.work.subscribers.known(self.address, digests, self.mailing_list.id)

    def _gets_nothing(self, known: Known) -> bool:
        """Whether no mail follows from what is known of the address: it must never be mailed, or
        it is an active reader's who was mailed a link to their choices today."""
        if known.suppressed or known.person is SubscriberState.SUPPRESSED:
            return True
        is_active = known.wish is not None and known.wish.state is SubscriberState.ACTIVE
        return is_active and known.linked_at is not None and self.now < known.linked_at + DAY

    def _for_nobody(self) -> "_Asking":
        """The same for an address that is nobody's, to be taken back: how long the answer takes
        must not tell what is known of the real one."""
        nobody = f"{self.desk.keys.digest('nobody', self.address.folded)[:32]}@nobody.invalid"
        address = Address(written=nobody, mailed=nobody, folded=nobody, domain="nobody.invalid")
        return replace(self, address=address)

    def sign_up(self, wish: Preferences) -> Subscription:
        _, subscription = self.work.subscribers.sign_up(
            NewSignup(address=self.address, preferences=wish, nonce=self._nonce()),
            self.mailing_list.id,
            now=self.now,
        )
        return subscription

    def _nonce(self) -> str:
        who = f"{self.address.folded}|{self.now.isoformat()}"
        return self.desk.keys.digest("subscriber-nonce", who)[:22]

    def _payload(self, subscription: Subscription, wish: Preferences) -> dict[str, str | int]:
        """What a mail to confirm it has with it."""
        return {
            "list": self.mailing_list.id,
            "subscription": subscription.id,
            "choices": packed(wish),
            "source": self.source,
            **spoken_in(wish.language),
            **packed_interests(self.interests),
            **packed_lists(self.also),
        }

    def write_to(self, subscription: Subscription, wish: Preferences, due_at: datetime) -> None:
        """A mail with a link: to their choices for somebody who forgot that they have subscribed,
        else to confirm. That is the same mail again while its link works and the wish is the same.
        """
        expires_at, payload = due_at + NOTICE_LIFE, self._payload(subscription, wish)
        earlier = list(confirmations(self.work, subscription))
        is_active = subscription.state is SubscriberState.ACTIVE
        if not is_active and earlier and self._still_good(earlier[-1], payload):
            self.work.notices.again(earlier[-1].id, due_at=due_at, expires_at=expires_at)
            return
        key, whose = _confirm_key(subscription, len(earlier) + 1), subscription.subscriber_id
        notice = new_notice(
            self.desk.identity, NoticeKind.CONFIRM, key, whose, None, payload, now=self.now
        )
        if is_active:
            notice = choices_link(
                self.desk.identity, subscription, now=self.now, interests=self.interests
            )
        self.work.notices.put(replace(notice, due_at=due_at, expires_at=expires_at), now=self.now)

    def _still_good(self, notice: Notice, payload: Mapping[str, str | int]) -> bool:
        """Whether the link of a notice works, and it asks the same, wherever that was asked."""
        waits = notice.used_at is None and notice.state is not DeliveryState.SKIPPED
        asks = {**notice.payload, "source": payload["source"]} == payload
        return waits and asks and self.now < notice.dated + CONFIRM_VALID


def is_suppressed(work: UnitOfWork, desk: Desk, address: Address) -> bool:
    """Whether `address` must never be mailed, nor the mailbox that it is a tag of.

    Raises Misconfigured when that cannot be told.
    """
    require_suppression_keys(work, desk.keys)
    return bool(work.subscribers.suppressed(_suppression_digests(desk, address)))


def _suppression_digests(desk: Desk, address: Address) -> frozenset[str]:
    """What is kept of `address` where it is suppressed, or the mailbox that it is a tag of."""
    spelt = {address.folded, untagged(address.folded), mailbox(address.folded)}
    each = (suppression_digests(desk.keys, replace(address, folded=one)) for one in spelt)
    return frozenset(chain.from_iterable(each))


def _confirm_key(subscription: Subscription, number: int) -> str:
    return f"confirm/{subscription.id}/{number}"


def reminder_key(subscription: Subscription) -> str:
    """The key of the one reminder of a subscription that nobody confirmed."""
    return f"reminder/{subscription.id}"


def confirmations(work: UnitOfWork, subscription: Subscription) -> Iterator[Notice]:
    """Every confirmation that was asked of a subscription, oldest first."""
    for number in count(1, 2):
        keys = (_confirm_key(subscription, number), _confirm_key(subscription, number + 1))
        for notice in work.notices.find_both(*keys):
            if notice is None:
                return
            yield notice


# --- confirming --------------------------------------------------------------------------------


def confirm(desk: Desk, token: str, *, now: datetime) -> Confirmed | None:
    """Use the link of a confirmation, a reminder or an undo: the person is active from now on.

    None when it is forged, too old or used, or when the address must not be mailed: whoever holds
    it learns nothing more.
    """

    def use(work: UnitOfWork) -> Confirmed | None:
        notice = noted(work, desk.keys, token, Purpose.CONFIRM)
        if notice is None or not _is_in_time(notice, now):
            return None
        reader = reader_of_notice(work, notice)
        if reader is None or is_suppressed(work, desk, reader.address):
            return None
        if not work.notices.use(notice.id, now=now):
            return None
        return _activated(work, desk, notice, reader, now)

    confirmed = write(desk.database, use)
    if confirmed is not None:
        desk.wake()
    if confirmed is not None and confirmed.welcome is Welcome.DUE:
        desk.plan()
    return confirmed


def _is_in_time(notice: Notice, now: datetime) -> bool:
    valid = UNDO_VALID if notice.kind is NoticeKind.UNDO else CONFIRM_VALID
    return notice.kind in CONFIRMING and now <= notice.dated + valid


def _activated(
    work: UnitOfWork, desk: Desk, notice: Notice, reader: Reader, now: datetime
) -> Confirmed | None:
    choices = notice.payload.get("choices")
    active = work.subscribers.activate(
        reader.subscription.id,
        preferences=None if choices is None else unpacked(str(choices)),
        consent=Consent(at=now, source=_how(notice)),
        now=now,
    )
    if not active:
        return None
    _spend_others(work, reader.subscription, now)
    work.returns.forgive(reader.person.id)  # the mail with this link came to them
    asked = unpacked_interests(notice.payload)
    interests = add_interests(work, reader.person.id, asked, now=now)
    now_active = reader_of_notice(work, notice)
    if now_active is None:
        return None
    welcome = _welcome(work, desk, notice, now_active, now)
    also = join_lists(
        work, desk, now_active, unpacked_lists(notice.payload), how=_how(notice), now=now
    )
    return replace(welcome, interests=interests, also=also)


def _how(notice: Notice) -> str:
    """How somebody agreed: `form, confirmed by mail`."""
    return f"{notice.payload.get('source', notice.kind.value)}, {CONSENT}"


def _spend_others(work: UnitOfWork, subscription: Subscription, now: datetime) -> None:
    """A wish is confirmed once: other links that wait for the same yes are used up by it."""
    reminder = work.notices.find(reminder_key(subscription))
    for notice in (*confirmations(work, subscription), *([reminder] if reminder else [])):
        if notice.used_at is None:
            work.notices.use(notice.id, now=now)


def _welcome(
    work: UnitOfWork, desk: Desk, notice: Notice, reader: Reader, now: datetime
) -> Confirmed:
    mailing_list, wish = reader.mailing_list, reader.subscription.preferences
    hours = Hours(hour=desk.default_hour)
    welcome = plan_newcomer(
        work,
        identity=desk.identity,
        hours=hours,
        mailing_list=mailing_list,
        subscription=reader.subscription,
        now=now,
    )
    return Confirmed(
        list_title=mailing_list.title,
        preferences=wish,
        hour=hours.hour_of(wish),
        zone=hours.zone_of(wish, mailing_list),
        welcome=welcome,
        preferences_token=desk.keys.token(Purpose.PREFERENCES, notice.id, notice.nonce),
    )


# --- a link to one's choices -------------------------------------------------------------------


def request_link(desk: Desk, address: Address, visitor: Visitor, *, now: datetime) -> None:
    """Mail the reader at `address`, if there is one, a link to their choices; says nothing.

    Raises RateLimited for a client that asks too often.
    """

    def ask(work: UnitOfWork) -> None:
        require_patience(work, desk, visitor, now=now)
        theirs = _linked(work, desk, address)
        allowed = may_mail(work, desk, address, at=now, silent=theirs is None)
        if allowed and theirs is not None:
            work.notices.put(choices_link(desk.identity, theirs, now=now), now=now)
        else:  # as many statements as it takes to write one
            work.notices.latest(NOBODY, NoticeKind.PREFERENCES)

    write(desk.database, ask)
    desk.wake()


def _linked(work: UnitOfWork, desk: Desk, address: Address) -> Subscription | None:
    """What a link is for. Somebody who left may still take out or erase what is kept of them."""
    suppressed = is_suppressed(work, desk, address)
    person = work.subscribers.find(address)
    theirs = work.subscribers.subscriptions_of(NOBODY if person is None else person.id)
    mailed = (SubscriberState.ACTIVE, SubscriberState.UNSUBSCRIBED)
    if suppressed or person is None or person.state not in mailed:
        return None
    return min(theirs, key=lambda one: one.state is not SubscriberState.ACTIVE, default=None)
