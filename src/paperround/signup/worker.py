"""Process queued requests. Addresses are looked up here, where no response waits for the result.

    a row ─► suppressed, or sent a link today ─► nothing
      │  └─► its mailbox is over the limit ─► dropped, and counted for the operator
      └────► new or unconfirmed ─► a confirmation email, the same one while its link works
        └──► a reader ─► a link to their preferences
        or an operator ─► a link to the admin pages, if that is what was requested

Rows are processed in the order they came, each in one transaction with its results. So a process
may die anywhere, several may run at once, and a failing row is postponed without delaying others.
"""

import logging
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from traceback import extract_tb

from paperround.access.operators import count_login_link, new_link
from paperround.access.store import OperatorStore
from paperround.core.errors import Conflict, DatabaseFailed, Misconfigured
from paperround.core.languages import ENGLISH
from paperround.db.transactions import Transaction, write
from paperround.delivery.store.system_mail import NoticeLedger
from paperround.delivery.system_mail import login_mail, new_notice, payload_of
from paperround.delivery.system_mail_model import CONFIRM_VALID, NOTICE_LIFE, SystemMailKind
from paperround.editions.lists import ListId
from paperround.editions.model import DeliveryState
from paperround.signup.confirm import confirm_key, confirmations
from paperround.signup.context import SignupContext
from paperround.signup.limits import DAY, count_email, lock_mailbox, note_dropped
from paperround.signup.magic_links import TokenHolder, preferences_link, reader_of
from paperround.signup.requests import FOR, OPERATOR
from paperround.signup.tally import ASKED, count_signup
from paperround.subscribers.choices import unpack_interests, unpack_preferences
from paperround.subscribers.imports import is_suppressed
from paperround.subscribers.model import (
    Address,
    Preferences,
    Subscriber,
    SubscriberState,
    Subscription,
)
from paperround.subscribers.readers import Drop, RequestId, RequestKind, WaitingRequest
from paperround.subscribers.store.requests import RequestStore
from paperround.subscribers.store.subscribers import SubscriberStore

log = logging.getLogger(__name__)

OLD, NEW = "old", "new"
"""The two addresses of a change, in the keys of their emails."""

PAGE = 100
TRIES = 5
"""Failed attempts after which a request is dropped."""

RETRY_DELAY = timedelta(minutes=5)
"""The delay before a failed request is tried again."""


def process_requests(context: SignupContext, *, now: datetime) -> int:
    """Process every due request; return how many were done.

    Raises DatabaseFailed, and Misconfigured if suppressed addresses cannot be recognized: then all
    requests wait.
    """
    done = 0
    while True:
        with context.database.reading() as work:
            page = work[RequestStore].due(now=now, limit=PAGE)
        if not page:
            return done
        done += sum(_process(context, one, now) for one in page)


def _process(context: SignupContext, request: RequestId, now: datetime) -> bool:
    def process(work: Transaction) -> bool:
        taken = work[RequestStore].take(request)
        if taken is None:  # by another process
            return False
        _HANDLERS[taken.kind](work, context, taken, now=now)
        return True

    try:
        return write(context.database, process)
    except (DatabaseFailed, Misconfigured):
        raise
    except Exception as error:  # one bad request must not stop the others
        frame = extract_tb(error.__traceback__)[-1]
        kind = type(error).__name__  # its text may contain an address
        log.error("request %d failed: %s in %s:%s", request, kind, frame.filename, frame.lineno)

        def put_off(work: Transaction) -> None:
            if work[RequestStore].put_off(request, until=now + RETRY_DELAY) >= TRIES:
                work[RequestStore].take(request)
                note_dropped(work, Drop.FAILED, now=now)

        write(context.database, put_off)
        return False


# --- signing up ----------------------------------------------------------------------------------


class SignupOutcome(StrEnum):
    """The outcome of a sign-up: an email was queued, or why none was."""

    MAILED = "mailed"
    SUPPRESSED = "suppressed"
    LINKED_TODAY = "linked-today"
    LIMITED = "limited"


def sign_up(
    work: Transaction, context: SignupContext, request: WaitingRequest, *, now: datetime
) -> SignupOutcome:
    """Put an address on a list as unconfirmed, and queue the email that asks for confirmation; to
    an active reader, a link to their preferences."""
    address, list_id = request.address, ListId(int(request.payload["list"]))
    lock_mailbox(work, context, address)
    person = _lock_person(work, address)
    subscription = (
        None if person is None else work[SubscriberStore].subscription(person.id, list_id)
    )
    is_refused = person is not None and person.state is SubscriberState.SUPPRESSED
    if is_refused or is_suppressed(work, context.keys, address):
        return SignupOutcome.SUPPRESSED
    if subscription is not None and subscription.state is SubscriberState.ACTIVE:
        last = work[NoticeLedger].latest(subscription.subscriber_id, SystemMailKind.PREFERENCES)
        if last is not None and now < last.dated + DAY:  # they were sent a link today
            return SignupOutcome.LINKED_TODAY
    if not count_email(work, context, address, now=now):
        return SignupOutcome.LIMITED
    who = f"{address.folded}|{request.created_at.isoformat()}"
    _, subscription = work[SubscriberStore].sign_up(
        address,
        list_id,
        preferences=unpack_preferences(request.payload) or Preferences(),
        nonce=context.keys.digest("subscriber-nonce", who)[:22],
        now=now,
    )
    _mail_subscriber(work, context, request, subscription, now)
    return SignupOutcome.MAILED


def _lock_person(work: Transaction, address: Address) -> Subscriber | None:
    """Lock and return the person with an address; None if there is none."""
    person = work[SubscriberStore].find(address)
    if person is not None and not work[SubscriberStore].lock(person.id):
        raise Conflict("this person has just been erased")  # and their request too
    return work[SubscriberStore].find(address)


def _mail_subscriber(
    work: Transaction,
    context: SignupContext,
    request: WaitingRequest,
    subscription: Subscription,
    now: datetime,
) -> None:
    """Send an active reader a link to their preferences; anyone else a confirmation email, the same
    one while its link works and the request is the same."""
    if subscription.state is SubscriberState.ACTIVE:
        asked = unpack_interests(request.payload)
        work[NoticeLedger].put(
            preferences_link(context.identity, subscription, now=now, interests=asked), now=now
        )
        return
    payload = {**request.payload, "subscription": subscription.id}
    earlier = confirmations(work, subscription)
    if earlier:
        last = earlier[-1]
        is_pending = last.used_at is None and last.state is not DeliveryState.SKIPPED
        # The source of a repeated request may differ.
        is_same = {**last.payload, "source": payload["source"]} == payload
        if is_pending and is_same and now < last.dated + CONFIRM_VALID:
            work[NoticeLedger].again(last.id, due_at=now, expires_at=now + NOTICE_LIFE)
            count_signup(work, ASKED, subscription.list_id, now=now)
            return
    key, person = confirm_key(subscription, len(earlier) + 1), subscription.subscriber_id
    confirm = new_notice(
        context.identity, SystemMailKind.CONFIRM, key, person, None, payload, now=now
    )
    work[NoticeLedger].put(confirm, now=now)
    count_signup(work, ASKED, subscription.list_id, now=now)


# --- a link to the preferences -------------------------------------------------------------------


def _mail_link(
    work: Transaction, context: SignupContext, request: WaitingRequest, *, now: datetime
) -> None:
    address = request.address
    if request.payload.get(FOR) == OPERATOR:
        _mail_operator(work, context, request, now=now)
        return
    lock_mailbox(work, context, address)
    person = _lock_person(work, address)
    # A reader who unsubscribed may still export or erase their data.
    readers = (SubscriberState.ACTIVE, SubscriberState.UNSUBSCRIBED)
    if person is None or person.state not in readers or is_suppressed(work, context.keys, address):
        return
    subscriptions = work[SubscriberStore].subscriptions_of(person.id)
    subscription = min(
        subscriptions, key=lambda one: one.state is not SubscriberState.ACTIVE, default=None
    )
    if subscription is not None and count_email(work, context, address, now=now):
        work[NoticeLedger].put(preferences_link(context.identity, subscription, now=now), now=now)


def _mail_operator(
    work: Transaction, context: SignupContext, request: WaitingRequest, *, now: datetime
) -> None:
    """Email a log-in link. Operators need not be readers, nor are they limited as such."""
    operator = work[OperatorStore].find(request.address.folded)
    if operator is None or not count_login_link(work, operator.id, now=now):
        return
    link = new_link(work, context.keys, operator.id, now=now)
    language = str(request.payload.get("language", ENGLISH))
    mail = login_mail(context.identity, link, operator.email, language, now=now)
    work[NoticeLedger].put(mail, now=now)


# --- a change of address -------------------------------------------------------------------------


def _mail_both_addresses(
    work: Transaction, context: SignupContext, request: WaitingRequest, *, now: datetime
) -> None:
    """Email the old address of a change, and the new one if it is free: no reader has or had it,
    and it is not suppressed. Do nothing if the reader was erased or suppressed meanwhile."""
    address, person = request.address, request.subscriber_id
    lock_mailbox(work, context, address)
    if person is None or not work[SubscriberStore].lock(person):  # they were erased since
        return
    reader = reader_of(work, person, subscription_id=int(request.payload["subscription"]))
    if reader is None or reader.person.state is SubscriberState.SUPPRESSED:
        return
    change = f"change/{person}/{request.created_at.isoformat()}"
    payload = payload_of(reader.subscription)
    old = new_notice(
        context.identity, SystemMailKind.CHANGE, f"{change}/{OLD}", person, None, payload, now=now
    )
    work[NoticeLedger].put(old, now=now)
    if is_free(work, context, address) and count_email(work, context, address, now=now):
        mail_new_address(work, context, reader, address, change, now=now)


def is_free(work: Transaction, context: SignupContext, address: Address) -> bool:
    """Return whether a reader may move to `address`: nobody has or had it, and it is not
    suppressed. An unconfirmed sign-up does not count."""
    holder = work[SubscriberStore].find(address)
    is_pending = holder is None or (holder.state is SubscriberState.PENDING and not holder.consent)
    return is_pending and not is_suppressed(work, context.keys, address)


def mail_new_address(
    work: Transaction,
    context: SignupContext,
    reader: TokenHolder,
    address: Address,
    change: str,
    *,
    now: datetime,
    more: Mapping[str, str | int] | None = None,
) -> None:
    """Email the new address of the change with the key `change`; `more` goes into the payload."""
    payload = {**payload_of(reader.subscription), **(more or {})}
    payload |= {"written": address.written, "folded": address.folded}
    person, to, key = reader.person.id, address.mailed, f"{change}/{NEW}"
    kind = SystemMailKind.CHANGE
    new = new_notice(context.identity, kind, key, person, to, payload, now=now)
    work[NoticeLedger].put(new, now=now)


_HANDLERS: Mapping[RequestKind, Callable[..., object]] = {
    RequestKind.SIGNUP: sign_up,
    RequestKind.LINK: _mail_link,
    RequestKind.MOVE: _mail_both_addresses,
}
