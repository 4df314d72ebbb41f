"""Working on what was asked: who it is for is looked up here, where nobody waits for the answer.

    a row ─► must never be mailed, or has a link of today ─► nothing
      │  └─► its mailbox had its mails ─► dropped, and the operator hears of it
      └────► somebody new, or who waits ─► a mail to confirm it, the same one while its link works
        └──► a reader ─► a link to their choices

Rows are taken in the order they came, each in a transaction of its own with what follows from it.
So a process may die anywhere, several may work at once, and a row that fails is put off while the
others go on.
"""

import logging
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import partial
from traceback import extract_tb

from paperround.core.errors import Conflict, DatabaseFailed, Misconfigured
from paperround.db.transactions import Transaction, write
from paperround.delivery.store.system_mail import NoticeLedger
from paperround.delivery.system_mail import new_notice, said_of
from paperround.delivery.system_mail_model import CONFIRM_VALID, NOTICE_LIFE, SystemMailKind
from paperround.editions.lists import ListId
from paperround.editions.model import DeliveryState
from paperround.signup.confirm import confirm_key, confirmations
from paperround.signup.context import SignupContext
from paperround.signup.limits import (
    DAY,
    lock_mailbox,
    may_mail,
    note_dropped,
)
from paperround.signup.magic_links import (
    choices_link,
    reader_of,
)
from paperround.subscribers.choices import unpacked, unpacked_interests
from paperround.subscribers.imports import is_suppressed
from paperround.subscribers.model import Address, Subscriber, SubscriberState, Subscription
from paperround.subscribers.readers import NewSignup
from paperround.subscribers.requests import Drop, RequestId, RequestKind, WaitingRequest
from paperround.subscribers.store.requests import RequestStore
from paperround.subscribers.store.subscribers import SubscriberStore


def ask_both_ends(
    work: Transaction, desk: SignupContext, request: WaitingRequest, *, now: datetime
) -> None:
    """Write to the old end of a change, and to the new one if somebody may move there: nobody reads
    there, read there or must not be mailed. Nothing for who was erased or suppressed since."""
    address, person = request.address, request.subscriber_id
    lock_mailbox(work, desk, address)
    if person is None or not work[SubscriberStore].lock(person):  # they were erased since
        return
    reader = reader_of(work, person, subscription_id=int(request.payload["subscription"]))
    if reader is None or reader.person.state is SubscriberState.SUPPRESSED:
        return
    there = work[SubscriberStore].find(address)
    waits = there is None or (there.state is SubscriberState.PENDING and not there.consent)
    is_free = waits and not is_suppressed(work, desk.keys, address)
    identity, kind, payload = desk.identity, SystemMailKind.CHANGE, said_of(reader.subscription)
    change = f"change/{person}/{request.created_at.isoformat()}"
    old = new_notice(identity, kind, f"{change}/{OLD}", person, None, payload, now=now)
    work[NoticeLedger].put(old, now=now)
    if is_free and may_mail(work, desk, address, now=now):
        moved = {**payload, "written": address.written, "folded": address.folded}
        to = address.mailed
        new = new_notice(identity, kind, f"{change}/{NEW}", person, to, moved, now=now)
        work[NoticeLedger].put(new, now=now)


log = logging.getLogger(__name__)

PAGE = 100
TRIES = 5
"""How often working on a request may fail."""

LATER = timedelta(minutes=5)
"""When a request that failed is tried again."""


def work_on_requests(desk: SignupContext, *, now: datetime) -> int:
    """Work on every request that is due; returns how many were done.

    Raises DatabaseFailed, and Misconfigured where nobody can tell who must never be mailed: then
    all of them wait.
    """
    done = 0
    while True:
        with desk.database.reading() as work:
            page = work[RequestStore].due(now=now, limit=PAGE)
        if not page:
            return done
        done += sum(_work_on(desk, one, now) for one in page)


def _work_on(desk: SignupContext, request: RequestId, now: datetime) -> bool:
    try:
        return write(desk.database, partial(_done, desk, request, now))
    except (DatabaseFailed, Misconfigured):
        raise
    except Exception as error:  # one bad request must not stop the others
        place = extract_tb(error.__traceback__)[-1]
        kind = type(error).__name__  # its words may hold an address
        log.error("request %d failed: %s in %s:%s", request, kind, place.filename, place.lineno)

        def put_off(work: Transaction) -> None:
            if work[RequestStore].put_off(request, until=now + LATER) >= TRIES:
                work[RequestStore].take(request)
                note_dropped(work, Drop.FAILED, now=now)

        write(desk.database, put_off)
        return False


def _done(desk: SignupContext, id_: RequestId, now: datetime, work: Transaction) -> bool:
    request = work[RequestStore].take(id_)
    if request is None:  # another process has taken it
        return False
    _DO[request.kind](work, desk, request, now=now)
    return True


# --- signing up ----------------------------------------------------------------------------------


def _sign_up(
    work: Transaction, desk: SignupContext, request: WaitingRequest, *, now: datetime
) -> None:
    address, list_id = request.address, ListId(int(request.payload["list"]))
    lock_mailbox(work, desk, address)
    person = _held(work, address)
    wish = None if person is None else work[SubscriberStore].subscription(person.id, list_id)
    is_refused = person is not None and person.state is SubscriberState.SUPPRESSED
    if is_refused or is_suppressed(work, desk.keys, address):
        return
    if wish is not None and wish.state is SubscriberState.ACTIVE:
        last = work[NoticeLedger].latest(wish.subscriber_id, SystemMailKind.PREFERENCES)
        if last is not None and now < last.dated + DAY:  # they were mailed a link today
            return
    if not may_mail(work, desk, address, now=now):
        return
    who = f"{address.folded}|{request.created_at.isoformat()}"
    asked = NewSignup(
        address=address,
        preferences=unpacked(str(request.payload["choices"])),
        nonce=desk.keys.digest("subscriber-nonce", who)[:22],
    )
    _, subscription = work[SubscriberStore].sign_up(asked, list_id, now=now)
    _write_to(work, desk, request, subscription, now)


def _held(work: Transaction, address: Address) -> Subscriber | None:
    """The person at an address, as they stay until this transaction ends."""
    person = work[SubscriberStore].find(address)
    if person is not None and not work[SubscriberStore].lock(person.id):
        raise Conflict("somebody was erased just now")  # and the request with them
    return work[SubscriberStore].find(address)


def _write_to(
    work: Transaction,
    desk: SignupContext,
    request: WaitingRequest,
    wish: Subscription,
    now: datetime,
) -> None:
    """A link to their choices for somebody who forgot that they have subscribed; else a mail to
    confirm it, the same one while its link works and the same is asked."""
    if wish.state is SubscriberState.ACTIVE:
        asked = unpacked_interests(request.payload)
        work[NoticeLedger].put(choices_link(desk.identity, wish, now=now, interests=asked), now=now)
        return
    payload = {**request.payload, "subscription": wish.id}
    earlier = confirmations(work, wish)
    if earlier:
        last = earlier[-1]
        waits = last.used_at is None and last.state is not DeliveryState.SKIPPED
        # the same may be asked from elsewhere
        asks = {**last.payload, "source": payload["source"]} == payload
        if waits and asks and now < last.dated + CONFIRM_VALID:
            work[NoticeLedger].again(last.id, due_at=now, expires_at=now + NOTICE_LIFE)
            return
    key, person = confirm_key(wish, len(earlier) + 1), wish.subscriber_id
    confirm = new_notice(desk.identity, SystemMailKind.CONFIRM, key, person, None, payload, now=now)
    work[NoticeLedger].put(confirm, now=now)


# --- a link to one's choices ---------------------------------------------------------------------


def _mail_link(
    work: Transaction, desk: SignupContext, request: WaitingRequest, *, now: datetime
) -> None:
    address = request.address
    lock_mailbox(work, desk, address)
    person = _held(work, address)
    # somebody who left may still take out or erase what is kept of them
    readers = (SubscriberState.ACTIVE, SubscriberState.UNSUBSCRIBED)
    if person is None or person.state not in readers or is_suppressed(work, desk.keys, address):
        return
    theirs = work[SubscriberStore].subscriptions_of(person.id)
    wish = min(theirs, key=lambda one: one.state is not SubscriberState.ACTIVE, default=None)
    if wish is not None and may_mail(work, desk, address, now=now):
        work[NoticeLedger].put(choices_link(desk.identity, wish, now=now), now=now)


_DO: Mapping[RequestKind, Callable[..., None]] = {
    RequestKind.SIGNUP: _sign_up,
    RequestKind.LINK: _mail_link,
    RequestKind.MOVE: ask_both_ends,
}


OLD, NEW = "old", "new"
