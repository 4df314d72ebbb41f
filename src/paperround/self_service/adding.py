"""Add a person to a list for an operator, and resend the confirmation of a sign-up.

Sign-up limits apply to both: an operator can send a mailbox no more emails than its owner could.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from paperround.core.errors import InvalidInput, NotFound
from paperround.db.transactions import Transaction, write
from paperround.delivery.system_mail import language_payload
from paperround.editions.store.lists import ListStore
from paperround.self_service.help_desk import chosen, person_number, readers_of, require_person
from paperround.signup.confirm import confirmations
from paperround.signup.context import SignupContext
from paperround.signup.limits import mailbox_full
from paperround.signup.magic_links import address_of
from paperround.signup.worker import SignupOutcome, sign_up
from paperround.subscribers.audit import audit_person
from paperround.subscribers.choices import checked, pack_interests, pack_preferences
from paperround.subscribers.import_files import LONGEST_SOURCE
from paperround.subscribers.imports import SUPPRESSED, add_subscriber
from paperround.subscribers.model import (
    Address,
    Preferences,
    SubscriberId,
    SubscriberState,
    Subscription,
)
from paperround.subscribers.readers import RequestKind, WaitingRequest
from paperround.subscribers.store.subscribers import SubscriberStore


def add_person(
    context: SignupContext,
    address: Address,
    list_name: str,
    *,
    ground: str,
    now: datetime,
    by: str,
    consent_at: datetime | None = None,
    confirm: bool = False,
    choices: Mapping[str, Any] | None = None,
) -> tuple[SubscriberId, str]:
    """Add a person who agreed to it to a list; return their number and `new`, `changed`,
    `unchanged` or, with `confirm`, `mailed`: they get digests once they use the link of an email.

    The stored consent contains `ground`, in the operator's words, and `by`, who added them.
    `choices` are as in `edit_choices`. Raises InvalidInput, and RateLimited if the mailbox reached
    its limit.
    """
    said = " ".join(ground.split())
    if not said:
        raise InvalidInput("say how they agreed to get email", code="consent_source")
    suffix = f", added by {by}"
    source = said[: LONGEST_SOURCE - len(suffix)] + suffix
    preferences, interests = chosen(Preferences(), choices or {})

    def ask_to_confirm(work: Transaction) -> SubscriberId:
        mailing_list = work[ListStore].get(list_name)
        valid = checked(preferences, zone=mailing_list.zone, now=now)
        payload: dict[str, str | int] = {
            "list": mailing_list.id,
            "source": source,
            **pack_preferences(valid),
            **language_payload(valid.language),
            **pack_interests(interests or ()),
        }
        _sign_up(work, context, address, payload, now=now)
        person = work[SubscriberStore].find(address)
        if person is None:
            raise NotFound("they have just been erased")
        details = {"list": list_name, "outcome": "confirmation mailed"}
        audit_person(work, person.id, "add person", by=by, now=now, **details)
        return person.id

    if confirm:
        number = write(context.database, ask_to_confirm)
        context.wake()
        return number, SignupOutcome.MAILED.value
    given = {name: one for name, one in (choices or {}).items() if one is not None}
    if interests is not None:
        given["interests"] = [str(one) for one in interests]
    with context.database.reading() as work:
        checked(preferences, zone=work[ListStore].get(list_name).zone, now=now)
    outcome = add_subscriber(
        {
            **given,
            "email": address.written,
            "consent_at": (consent_at or now).isoformat(),
            "consent_source": source,
        },
        database=context.database,
        keys=context.keys,
        list_name=list_name,
        now=now,
        by=by,
    )
    return person_number(context.database, address.written), outcome


def _sign_up(
    work: Transaction,
    context: SignupContext,
    address: Address,
    payload: Mapping[str, str | int],
    *,
    now: datetime,
) -> None:
    """Sign a person up as the form does. Raises InvalidInput or RateLimited if no email is sent."""
    request = WaitingRequest(
        kind=RequestKind.SIGNUP,
        address=address,
        payload=payload,
        subscriber_id=None,
        created_at=now,
    )
    outcome = sign_up(work, context, request, now=now)
    if outcome is SignupOutcome.SUPPRESSED:
        raise InvalidInput(SUPPRESSED, code="email")
    if outcome is SignupOutcome.LINKED_TODAY:
        raise InvalidInput(
            "they are on this list, and a link to their choices was sent today", code="email"
        )
    if outcome is SignupOutcome.LIMITED:
        raise mailbox_full()


def resend_confirmation(
    context: SignupContext,
    number: SubscriberId,
    *,
    now: datetime,
    by: str,
    list_name: str | None = None,
) -> str:
    """Email the confirmation of an unconfirmed sign-up again, with a fresh link if the last one has
    expired; return the list's name.

    Sign-up limits apply. Raises InvalidInput if there is nothing to confirm, and RateLimited.
    """

    def resend(work: Transaction) -> str:
        person = require_person(work, number)
        reader = next(
            (
                one
                for one in readers_of(work, person, list_name)
                if one.subscription.state is SubscriberState.PENDING
            ),
            None,
        )
        if person.state is SubscriberState.SUPPRESSED:
            raise InvalidInput(SUPPRESSED, code="subscriber")
        if reader is None:
            raise InvalidInput(
                "there is nothing to confirm: they have confirmed already, or they unsubscribed "
                "and have to sign up again",
                code="subscriber",
            )
        earlier = confirmations(work, reader.subscription)
        payload = _payload_of(reader.subscription) if not earlier else dict(earlier[-1].payload)
        payload.pop("subscription", None)
        _sign_up(work, context, address_of(person), payload, now=now)
        name = reader.mailing_list.name
        audit_person(work, number, "resend confirmation", by=by, now=now, list=name)
        return name

    name = write(context.database, resend)
    context.wake()
    return name


def _payload_of(subscription: Subscription) -> dict[str, str | int]:
    """Return the payload of a first confirmation, for a person who was imported from a file."""
    preferences = subscription.preferences
    return {
        "list": subscription.list_id,
        "source": "operator",
        **pack_preferences(preferences),
        **language_payload(preferences.language),
    }
