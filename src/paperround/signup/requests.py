"""Accept requests for an email: validate, rate-limit and queue them, without looking up the
address.

    request ─► invalid, over a limit: refused ─► one row, alike for every address ─► queued
                                                     └── `signup.worker` looks up the address

A request reads and writes the same rows whatever is known of its address, so neither the response
nor its timing reveals anything.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from types import MappingProxyType

from paperround.core.errors import InvalidInput, SignupClosed, invalid
from paperround.core.languages import marked
from paperround.db.slots import SlotStore
from paperround.db.transactions import Transaction, write
from paperround.delivery.system_mail import language_payload
from paperround.editions.lists import MailingList
from paperround.editions.store.lists import ListStore
from paperround.signup.context import SignupContext
from paperround.signup.limits import admit_request, count_client
from paperround.subscribers.choices import checked, pack_interests, pack_lists, pack_preferences
from paperround.subscribers.imports import require_suppression_keys
from paperround.subscribers.interests import Interest, validate_interests
from paperround.subscribers.model import Address, Frequency, Preferences
from paperround.subscribers.readers import RequestKind, Visitor
from paperround.subscribers.store.requests import RequestStore

POW = "pow"
"""The kind of slot that a solved challenge takes."""


FOR, OPERATOR = "for", "operator"
"""The payload entry of a request for a link to the admin pages. The previous release treats it as a
request for a link to a reader's preferences."""


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


def require_open(mailing_list: MailingList) -> None:
    """Raise SignupClosed if nobody may sign up for the list."""
    name = mailing_list.title
    if mailing_list.archived_at is not None:
        raise SignupClosed(marked("%(name)s has ended and no longer accepts sign-ups.", name=name))
    if not mailing_list.takes_signups:
        raise SignupClosed(
            marked("%(name)s is closed for sign-ups: ask its operator to add you.", name=name)
        )


def open_list(work: Transaction, name: str, address: Address | None = None) -> MailingList:
    """Return the list `name`, which may be private, if people (at `address`) may sign up for it.

    Raises NotFound, SignupClosed if nobody may sign up, and InvalidInput if the list is not for the
    address: none depends on what is known of the address. A private list that refuses is reported
    as unknown, so that a refusal does not tell that it exists.
    """
    found = work[ListStore].get_public(name, opened=True)
    try:
        require_open(found)
        if address is not None:
            require_domain(found, address)
    except (SignupClosed, InvalidInput):
        if found.private:
            raise work[ListStore].unknown(name) from None
        raise
    return found


def require_domain(mailing_list: MailingList, address: Address) -> None:
    """Raise InvalidInput (code `email`) if the address is at none of the list's domains."""
    if not mailing_list.is_for(address.domain):
        raise invalid(
            "email",
            "%(name)s accepts only addresses at %(all)s",
            name=mailing_list.title,
            all=", ".join(mailing_list.domains),
        )


def _fitted(preferences: Preferences, mailing_list: MailingList) -> Preferences:
    """Return the preferences with a language of the list, and with its first frequency if it does
    not offer daily, the default. Raises InvalidInput (code `frequency`) for another frequency that
    it does not offer."""
    language = mailing_list.language_for(preferences.language)
    if mailing_list.offers(preferences.frequency):
        return replace(preferences, language=language)
    if preferences.frequency is not Frequency.DAILY:
        raise invalid(
            "frequency",
            "%(name)s does not offer this frequency: choose another one",
            name=mailing_list.title,
        )
    first = Frequency(mailing_list.frequencies[0])
    return replace(preferences, frequency=first, language=language)


def subscribe(context: SignupContext, request: SignupRequest, *, now: datetime) -> None:
    """Queue a sign-up.

    Raises RateLimited and SharedLimitReached for exceeded limits, NotFound for an unknown list,
    SignupClosed for one that takes no sign-ups, InvalidInput for invalid preferences and for an
    address outside the list's domains.
    """

    def ask(work: Transaction) -> None:
        mailing_list = open_list(work, request.list_name, request.address)
        also = [open_list(work, one, request.address) for one in dict.fromkeys(request.also)]
        fitted = _fitted(request.preferences, mailing_list)
        preferences = checked(fitted, zone=mailing_list.zone, now=now)
        interests = validate_interests(request.interests)
        payload: dict[str, str | int] = {  # becomes the payload of the confirmation email
            "list": mailing_list.id,
            "source": request.source,
            **pack_preferences(preferences),
            **language_payload(preferences.language),
            **pack_interests(interests),
            **pack_lists([one.id for one in also]),
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
    payload: Mapping[str, str | int] = MappingProxyType({}),
) -> None:
    """Queue a request for a link to the preferences of the reader at `address`, if there is one.

    Raises RateLimited and SharedLimitReached.
    """

    def ask(work: Transaction) -> None:
        _queue(work, context, RequestKind.LINK, address, visitor, payload, proof=proof, now=now)

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
    payload = {FOR: OPERATOR, **language_payload(language)}
    request_link(context, address, visitor, payload=payload, now=now)


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
    payload: Mapping[str, str | int],
    *,
    proof: str | None,
    now: datetime,
) -> None:
    require_suppression_keys(work, context.keys)  # else the worker would wait for a missing key
    has_proof = proof is not None and work[SlotStore].take(POW, proof, now=now)
    due_at = admit_request(work, context, address, visitor, has_proof=has_proof, now=now)
    work[RequestStore].put(kind, address, payload, due_at=due_at, now=now)
