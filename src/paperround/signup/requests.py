"""Accept requests for an email: validate, rate-limit and queue them, without looking up the
address.

    request ─► invalid, over a limit: refused ─► one row, alike for every address ─► queued
                                                     └── `signup.worker` looks up the address

A request reads and writes the same rows whatever is known of its address, so neither the response
nor its timing reveals anything.
"""

from dataclasses import dataclass
from datetime import datetime

from paperround.db.slots import SlotStore
from paperround.db.transactions import Transaction, write
from paperround.delivery.system_mail import language_payload
from paperround.editions.store.lists import ListStore
from paperround.signup.context import SignupContext
from paperround.signup.limits import admit_request, count_client
from paperround.subscribers.choices import checked, pack_interests, pack_lists, pack_preferences
from paperround.subscribers.imports import require_suppression_keys
from paperround.subscribers.interests import Interest, validate_interests
from paperround.subscribers.model import Address, Preferences
from paperround.subscribers.readers import RequestKind, Visitor
from paperround.subscribers.store.requests import RequestStore

POW = "pow"
"""The kind of slot that a solved challenge takes."""


FOR, OPERATOR = "for", "operator"
"""The payload entry of a request for a link to the admin pages. To the previous release it is one
for a link to a reader's preferences."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignupRequest:
    """A request to subscribe to a list. `source` is where it came from: `form`, `api` or `snippet`.

    `interests` take effect on confirmation; an active reader is offered them on the preferences
    page. `also` names further lists that the same confirmation subscribes to. `proof` is the solved
    challenge, None without one; it counts for one request.
    """

    address: Address
    list_name: str
    preferences: Preferences
    visitor: Visitor
    source: str
    proof: str | None = None
    interests: tuple[Interest, ...] = ()
    also: tuple[str, ...] = ()


def subscribe(context: SignupContext, request: SignupRequest, *, now: datetime) -> None:
    """Queue a sign-up.

    Raises RateLimited and SharedLimitReached for exceeded limits, NotFound for an unknown list,
    InvalidInput for invalid preferences.
    """

    def ask(work: Transaction) -> None:
        mailing_list = work[ListStore].get(request.list_name)
        preferences = checked(request.preferences, zone=mailing_list.zone, now=now)
        interests = validate_interests(request.interests)
        payload: dict[str, str | int] = {  # becomes the payload of the confirmation email
            "list": mailing_list.id,
            "source": request.source,
            **pack_preferences(preferences),
            **language_payload(preferences.language),
            **pack_interests(interests),
            **pack_lists([work[ListStore].get(name).id for name in dict.fromkeys(request.also)]),
        }
        address, visitor, proof = request.address, request.visitor, request.proof
        _queue(work, context, RequestKind.SIGNUP, address, visitor, payload, proof=proof, now=now)

    write(context.database, ask)
    context.wake()


def request_link(
    context: SignupContext,
    address: Address,
    visitor: Visitor,
    *,
    now: datetime,
    proof: str | None = None,
) -> None:
    """Queue a request for a link to the preferences of the reader at `address`, if there is one.

    Raises RateLimited and SharedLimitReached.
    """

    def ask(work: Transaction) -> None:
        _queue(work, context, RequestKind.LINK, address, visitor, {}, proof=proof, now=now)

    write(context.database, ask)
    context.wake()


def request_operator_link(
    context: SignupContext,
    address: Address,
    visitor: Visitor,
    language: str | None,
    *,
    now: datetime,
) -> None:
    """Queue a request for a link to the admin pages, for the operator at `address` if there is one.

    Raises RateLimited and SharedLimitReached.
    """
    payload: dict[str, str | int] = {FOR: OPERATOR, **language_payload(language)}

    def ask(work: Transaction) -> None:
        _queue(work, context, RequestKind.LINK, address, visitor, payload, proof=None, now=now)

    write(context.database, ask)
    context.wake()


def count_trapped(context: SignupContext, visitor: Visitor, *, now: datetime) -> None:
    """Count a form submitted by a bot, and queue nothing: it gets the response and the limits of a
    person. Raises RateLimited."""
    write(context.database, lambda work: count_client(work, context, visitor, now=now))


def _queue(
    work: Transaction,
    context: SignupContext,
    kind: RequestKind,
    address: Address,
    visitor: Visitor,
    payload: dict[str, str | int],
    *,
    proof: str | None,
    now: datetime,
) -> None:
    require_suppression_keys(work, context.keys)  # else the worker would wait for the lost one
    has_proof = proof is not None and work[SlotStore].take(POW, proof, now=now)
    due_at = admit_request(work, context, address, visitor, has_proof=has_proof, now=now)
    work[RequestStore].put(kind, address, payload, due_at=due_at, now=now)
