"""Asking for a mail: what is asked is checked, counted and written down, and nobody is looked up.

    asked ─► a slip, a limit: refused ─► one row, alike for everybody ─► queued
                                              └── `signup_worker` looks up whose address it is

Whatever is known of an address, a request reads and writes the same. So neither the answer nor the
time it takes says anything of it.
"""

from dataclasses import dataclass
from datetime import datetime

from paperround.core.rates import RateLimitStatus
from paperround.db.slots import SlotStore
from paperround.db.transactions import Transaction, write
from paperround.delivery.system_mail import spoken_in
from paperround.editions.store.lists import ListStore
from paperround.signup.context import SignupContext
from paperround.signup.limits import count_client, due_instant, standing_of
from paperround.subscribers.choices import checked, packed, packed_interests, packed_lists
from paperround.subscribers.interests import Interest, checked_interests
from paperround.subscribers.model import Address, Preferences
from paperround.subscribers.readers import Visitor
from paperround.subscribers.requests import NewRequest, RequestKind
from paperround.subscribers.store.requests import RequestStore

POW = "pow"
"""The kind of slot that a solved challenge takes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignupRequest:
    """Somebody asks to get a list. `source` is where: `form`, `api` or `snippet`.

    `interests` come true for whoever confirms; somebody who subscribes already finds them on the
    page of their choices. `also` are the names of further lists that the same yes is for. `proof`
    is the challenge that was solved for it, None without one; it counts for one request.
    """

    address: Address
    list_name: str
    preferences: Preferences
    visitor: Visitor
    source: str
    proof: str | None = None
    interests: tuple[Interest, ...] = ()
    also: tuple[str, ...] = ()


def subscribe(
    desk: SignupContext, request: SignupRequest, *, now: datetime
) -> RateLimitStatus | None:
    """Ask for a list. Returns how often its visitor may still ask, None without limits.

    Raises RateLimited for a client that asks too often, Crowded where too many do, NotFound for an
    unknown list, InvalidInput for choices that cannot be.
    """

    def ask(work: Transaction) -> RateLimitStatus | None:
        mailing_list = work[ListStore].get(request.list_name)
        wish = checked(request.preferences, zone=mailing_list.zone, now=now)
        interests = checked_interests(request.interests)
        payload: dict[str, str | int] = {  # what is asked for, as the mail to confirm it keeps it
            "list": mailing_list.id,
            "choices": packed(wish),
            "source": request.source,
            **spoken_in(wish.language),
            **packed_interests(interests),
            **packed_lists([work[ListStore].get(name).id for name in dict.fromkeys(request.also)]),
        }
        address, visitor, proof = request.address, request.visitor, request.proof
        _queue(work, desk, RequestKind.SIGNUP, address, visitor, payload, proof=proof, now=now)
        return standing_of(work, desk, request.visitor, now=now)

    left = write(desk.database, ask)
    desk.wake()
    return left


def request_link(
    desk: SignupContext,
    address: Address,
    visitor: Visitor,
    *,
    now: datetime,
    proof: str | None = None,
) -> None:
    """Ask for a link to the choices of the reader at `address`, if there is one.

    Raises RateLimited and Crowded.
    """

    def ask(work: Transaction) -> None:
        _queue(work, desk, RequestKind.LINK, address, visitor, {}, proof=proof, now=now)

    write(desk.database, ask)
    desk.wake()


def count_trapped(desk: SignupContext, visitor: Visitor, *, now: datetime) -> None:
    """Count the visit of a program that filled in a form, and ask for nothing: it is answered and
    limited as a person is. Raises RateLimited."""
    write(desk.database, lambda work: count_client(work, desk, visitor, now=now))


def _queue(
    work: Transaction,
    desk: SignupContext,
    kind: RequestKind,
    address: Address,
    visitor: Visitor,
    payload: dict[str, str | int],
    *,
    proof: str | None,
    now: datetime,
) -> None:
    desk.key_check.require(work, now=now)  # else nobody could tell whom never to mail
    worked = proof is not None and work[SlotStore].take(POW, proof, now=now)
    due_at = due_instant(work, desk, address, visitor, worked=worked, now=now)
    request = NewRequest(kind=kind, address=address, due_at=due_at, payload=payload)
    work[RequestStore].put(request, now=now)
