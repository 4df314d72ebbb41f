"""Change a reader's address, once both addresses have agreed.

    preferences ─► queued ─► an email to the old address ─┐
                         └─► an email to the new address ─┴─► both links used ─► address changed

The old address must agree although the link to the preferences was sent there: the holder of a
forwarded link must not be able to take over the digests. Neither email names the other address. If
the new address is not free, it gets no email, yet the old one does and the response is the same: so
the change never completes, and reveals nothing.

If a reader has lost the old address, an operator may vouch for them: then only the new address gets
an email, and its link alone completes the change.
"""

from datetime import datetime
from enum import StrEnum

from paperround.core.errors import InvalidInput, invalid
from paperround.core.tokens import Purpose
from paperround.db.transactions import Transaction, write
from paperround.delivery.store.system_mail import NoticeLedger
from paperround.delivery.system_mail_model import CONFIRM_VALID, Notice, SystemMailKind
from paperround.editions.store.lists import ListStore
from paperround.signup.context import SignupContext
from paperround.signup.limits import admit_request, count_email, count_link, mailbox_full
from paperround.signup.magic_links import (
    TokenHolder,
    address_of,
    authorized_reader,
    lock_reader,
    read_system_mail,
    reader_of_system_mail,
    write_as_reader,
)
from paperround.signup.requests import require_domain
from paperround.signup.worker import NEW, OLD, is_free, mail_new_address
from paperround.subscribers.imports import is_suppressed, suppression_digests
from paperround.subscribers.model import (
    GONE,
    Address,
    Subscriber,
    SubscriberState,
)
from paperround.subscribers.readers import RequestKind, Visitor
from paperround.subscribers.store.requests import RequestStore
from paperround.subscribers.store.subscribers import SubscriberStore

VOUCHED, MOVES, RESUMES = "vouched", "moves", "resumes"
"""The payload entry of a change that an operator vouches for, and its values: change the address,
or also resume digests that a bounce had stopped."""


TAKEN = "somebody else has that address, or it is suppressed"


class Agreed(StrEnum):
    """The result of using a link: one address agreed, both have and the address is changed, or the
    link is invalid."""

    ONE_END = "one-end"
    MOVED = "moved"
    NOT = "not"


def request_address_change(
    context: SignupContext, token: str, address: Address, visitor: Visitor, *, now: datetime
) -> None:
    """Queue a change of address for the holder of a recently mailed link.

    Raises LinkExpired; InvalidInput (code `email`) for the current address, for one outside the
    domains of a list they get, and after three requests in a day; RateLimited and
    SharedLimitReached as a sign-up does. A mailed link counts as proof of work.
    """

    def ask(work: Transaction) -> None:
        authorized_reader(work, context.keys, token, now=now)  # before anything is counted
        due_at = admit_request(work, context, address, visitor, has_proof=True, now=now)
        lock_reader(work, context.keys, token)
        reader = authorized_reader(work, context.keys, token, now=now)
        if address.folded == reader.address.folded:
            raise invalid("email", "this is already your address: enter a different one")
        own = work[SubscriberStore].subscriptions_of(reader.person.id)
        active = {one.list_id for one in own if one.state is SubscriberState.ACTIVE}
        for one in work[ListStore].all():
            if one.id in active:
                require_domain(one, address)
        if not count_link(work, context.keys, reader.person.id, now=now):
            raise invalid("email", "you have asked for this three times today: try again tomorrow")
        person, payload = reader.person.id, {"subscription": reader.subscription.id}
        work[RequestStore].put(
            RequestKind.MOVE, address, payload, due_at=due_at, now=now, subscriber=person
        )

    write(context.database, ask)
    context.wake()


def agree(context: SignupContext, token: str, *, now: datetime) -> Agreed:
    """Use the link sent to one address. Once both links are used, the address is changed."""

    def use(work: Transaction) -> Agreed:
        notice = read_system_mail(work, context.keys, token, Purpose.CONFIRM)
        if notice is None or not _is_valid(work, notice, now):
            return Agreed.NOT
        old, new = (work[NoticeLedger].find(f"{_change_key(notice)}/{end}") for end in (OLD, NEW))
        is_vouched = new is not None and VOUCHED in new.payload
        # An address that was sent no email never agrees.
        ends = (new,) if is_vouched else (old, new)
        waiting = [end for end in ends if end is None or end.used_at is None]
        if not waiting:  # used again
            return Agreed.MOVED
        if new is None or any(end is None or end.id != notice.id for end in waiting):
            work[NoticeLedger].use(notice.id, now=now)
            return Agreed.ONE_END
        reader, address = reader_of_system_mail(work, new), _new_address(new)
        if reader is None or address is None or is_suppressed(work, context.keys, address):
            return Agreed.NOT
        if not work[SubscriberStore].change_address(reader.person.id, address, now=now):
            return Agreed.NOT
        work[SubscriberStore].reset_bounces(reader.person.id)  # bounces were of the old address
        if new.payload.get(VOUCHED) == RESUMES:
            _resume(work, reader.person, now=now)
        work[NoticeLedger].use(notice.id, now=now)
        return Agreed.MOVED

    return write_as_reader(context, token, use)


# --- changes that an operator requests -----------------------------------------------------------


def mail_vouched_change(
    work: Transaction,
    context: SignupContext,
    reader: TokenHolder,
    address: Address,
    *,
    now: datetime,
) -> None:
    """Email a link to the new address of `reader`, who is locked; using it changes the address.

    A reader whom a bounce stopped gets no digest until then. Raises what `require_move` does, and
    RateLimited if the mailbox reached its limit.
    """
    was_stopped = require_move(work, context, reader.person, address)
    if not count_email(work, context, address, now=now):
        raise mailbox_full()
    if was_stopped:
        # A suppressed person gets no email at all; the old address stays suppressed by its hash.
        state = SubscriberState.UNSUBSCRIBED
        work[SubscriberStore].set_state(reader.person.id, state, now=now)
    change = f"change/{reader.person.id}/{now.isoformat()}"
    more = {VOUCHED: RESUMES if was_stopped else MOVES}
    mail_new_address(work, context, reader, address, change, now=now, more=more)


def change_unconfirmed(
    work: Transaction,
    context: SignupContext,
    person: Subscriber,
    address: Address,
    *,
    now: datetime,
) -> None:
    """Change the address of a locked person at once. Raises what `require_move` does."""
    was_stopped = require_move(work, context, person, address)
    if not work[SubscriberStore].change_address(person.id, address, now=now):
        raise InvalidInput(TAKEN, code="email")
    work[SubscriberStore].reset_bounces(person.id)
    if was_stopped:
        work[SubscriberStore].reinstate(person.id, now=now)


def require_move(
    work: Transaction, context: SignupContext, person: Subscriber, address: Address
) -> bool:
    """Return whether a bounce stopped the person. Raises InvalidInput (code `email`) unless they
    may move to `address`."""
    if person.consent is None:
        raise InvalidInput(
            "they have not confirmed: add the right address instead, and erase this one",
            code="email",
        )
    if address.folded == address_of(person).folded:
        raise InvalidInput("that is their current address", code="email")
    if not is_free(work, context, address):
        raise InvalidInput(TAKEN, code="email")
    if person.state is not SubscriberState.SUPPRESSED:
        return False
    digests = suppression_digests(context.keys, address_of(person))
    if set(work[SubscriberStore].suppression_reasons(digests)) - {GONE}:
        raise InvalidInput(
            "they are suppressed, and not because of a bounce: they have to sign up again once "
            "the suppression is lifted",
            code="email",
        )
    return True


def waiting_change(work: Transaction, person: Subscriber, *, now: datetime) -> str | None:
    """Return what the link that an operator had sent to a new address will do, MOVES or RESUMES;
    None if there is none, it was used or has expired, or the address was changed already."""
    latest = work[NoticeLedger].latest(person.id, SystemMailKind.CHANGE)
    if latest is None or latest.used_at is not None or now > latest.dated + CONFIRM_VALID:
        return None
    if latest.address == person.address:
        return None
    found = latest.payload.get(VOUCHED)
    return found if isinstance(found, str) else None


def _resume(work: Transaction, person: Subscriber, *, now: datetime) -> None:
    """Resume the digests of a person who moved, unless they were stopped again meanwhile."""
    if person.state is SubscriberState.UNSUBSCRIBED:
        work[SubscriberStore].reinstate(person.id, now=now)


# --- links ---------------------------------------------------------------------------------------


def _is_valid(work: Transaction, notice: Notice, now: datetime) -> bool:
    """Return whether an email belongs to the latest change, has not expired, and its reader was not
    erased."""
    if notice.kind is not SystemMailKind.CHANGE or notice.subscriber_id is None:
        return False
    if reader_of_system_mail(work, notice) is None:
        return False
    latest = work[NoticeLedger].latest(notice.subscriber_id, SystemMailKind.CHANGE)
    is_last = latest is not None and _change_key(latest) == _change_key(notice)
    return is_last and now <= notice.dated + CONFIRM_VALID


def _change_key(notice: Notice) -> str:
    return notice.key.rpartition("/")[0]


def _new_address(new: Notice) -> Address | None:
    """Return the new address; None once it was deleted."""
    if not new.address or "written" not in new.payload:
        return None
    return Address(written=str(new.payload["written"]), mailed=new.address)
