"""Request and response models about people, shared by the admin API and `paperround subscribers`.

Only these show an address, to a key with the scope `subscribers:read`.
"""

from collections.abc import Sequence
from datetime import date
from typing import Annotated, Any, Self

from pydantic import BaseModel, Field

from paperround.core.errors import InvalidInput
from paperround.editions.lists import DEFAULT_LIST
from paperround.self_service.help_desk import PersonRecord
from paperround.subscribers.addresses import parse_address
from paperround.subscribers.interests import (
    LONGEST_STATEMENT,
    MOST_INTERESTS,
    Interest,
    InterestKind,
)
from paperround.subscribers.model import Address, SubscriberState
from paperround.web.models import (
    Instant,
    PrintableText,
    Resource,
    StrictBody,
    example_config,
    patch_config,
)
from paperround.web.paging import Day

Email = Annotated[str, Field(max_length=320, description="The address.")]
ListField = Annotated[str, Field(min_length=1, max_length=60, description="The list.")]


def address_in(text: str) -> Address:
    """Return the address in the field `email`. Raises InvalidInput."""
    try:
        return parse_address(text)
    except InvalidInput as error:
        raise InvalidInput(error.text, code="email") from None


# --- requests ------------------------------------------------------------------------------------


class AddressPart(StrictBody):
    """The search: an address, or at least three characters of it; empty for the newest."""

    model_config = example_config({"email": "ada@"})

    email: Email


class WholeAddress(StrictBody):
    """One address."""

    model_config = example_config({"email": "ada@example.org"})

    email: Email


class InterestBody(StrictBody):
    """An interest or a mute, which applies to all of a person's lists."""

    kind: Annotated[InterestKind, Field(strict=False)]
    value: Annotated[str, Field(max_length=LONGEST_STATEMENT)]


class _ChoiceFields(StrictBody):
    """The choices of a reader. Null means the list's default."""

    timezone: Annotated[str | None, Field(max_length=100)] = None
    hour: Annotated[int | None, Field(ge=0, le=23)] = None
    frequency: Annotated[
        str, Field(max_length=20, description="daily, weekdays, weekly:mon (to sun) or monthly.")
    ] = "daily"
    language: Annotated[str | None, Field(max_length=35)] = None
    topics: Annotated[list[Annotated[str, Field(max_length=200)]], Field(max_length=50)] = Field(
        default_factory=list
    )
    interests: Annotated[list[InterestBody], Field(max_length=MOST_INTERESTS)] = Field(
        default_factory=list
    )

    def choices(self) -> dict[str, Any]:
        """Return the choices that are given, as `help_desk.edit_choices` takes them."""
        given = self.model_dump(include={*CHOICES} & self.model_fields_set)
        if "interests" in given:
            given["interests"] = [Interest(one.kind, one.value) for one in self.interests]
        return given


CHOICES = ("timezone", "hour", "frequency", "size", "language", "topics", "interests")


class NewPerson(_ChoiceFields):
    """A person who agreed to get email, and how. `confirm`: an email asks them first."""

    model_config = example_config(
        {
            "email": "ada@example.org",
            "list": "trending",
            "consent_source": "signed the list at the journal club",
            "hour": 8,
        }
    )

    email: Email
    list_name: Annotated[ListField, Field(alias="list")] = DEFAULT_LIST
    consent_source: Annotated[
        str, Field(min_length=1, max_length=200, description="How they agreed, in your own words.")
    ]
    consent_at: Annotated[
        str | None, Field(max_length=40, description="When they agreed (RFC 3339); now by default.")
    ] = None
    confirm: Annotated[
        bool, Field(description="Email them first, and send digests once they confirm.")
    ] = False


class ChoiceChanges(_ChoiceFields):
    """The changes to a person's choices; omitted fields stay as they are. `topics` and `interests`
    are replaced as a whole. `list` is needed if they read several."""

    model_config = patch_config({"frequency": "weekly:mon", "hour": 7})

    list_name: Annotated[ListField | None, Field(alias="list")] = None
    size: Annotated[int | None, Field(ge=1, description="Papers in a digest.")] = None


class PauseBody(StrictBody):
    """The end of a pause: no digest is sent before that day. Null ends the pause. Without `list`,
    for all lists."""

    model_config = example_config({"until": "2026-09-01"})

    until: Day | None
    list_name: Annotated[ListField | None, Field(alias="list")] = None


# --- responses -----------------------------------------------------------------------------------


class PersonHit(Resource):
    """A person who was found, and their state on each of their lists."""

    id: int
    email: str = Field(validation_alias="address")
    state: SubscriberState
    lists: dict[str, SubscriberState]


class FoundPeople(BaseModel):
    """The people whose address contains the text; `more` says whether there are others."""

    items: list[PersonHit]
    more: bool


class SuppressionReason(BaseModel):
    """Why an address must not be emailed, and since when."""

    reason: PrintableText
    since: Instant


class InterestAnswer(Resource):
    """An interest or a mute."""

    kind: InterestKind
    value: PrintableText


class PersonSubscription(BaseModel):
    """A person's subscription to one list. Null means the list's default."""

    list: str
    state: SubscriberState
    frequency: str
    hour: int | None
    timezone: str | None
    size: int | None
    language: str | None
    topics: Sequence[PrintableText]
    paused_until: date | None


class PersonAnswer(BaseModel):
    """A person: their choices, and in `says` whether they get email, and if not, why."""

    id: int
    email: str
    state: SubscriberState
    says: list[str]
    consent_at: Instant | None
    consent_source: PrintableText | None
    subscriptions: list[PersonSubscription]
    interests: list[InterestAnswer]
    suppressed: list[SuppressionReason]

    @classmethod
    def of(cls, record: PersonRecord, says: list[str]) -> Self:
        """Return the response for a record, with the sentences of `standing_of`."""
        person, consent = record.person, record.person.consent
        return cls(
            id=person.id,
            email=person.address,
            state=person.state,
            says=says,
            consent_at=consent.at if consent else None,
            consent_source=consent.source if consent else None,
            subscriptions=[
                PersonSubscription(
                    list=mailing_list.name,
                    state=one.state,
                    frequency=one.preferences.frequency_text,
                    hour=one.preferences.hour,
                    timezone=one.preferences.timezone,
                    size=one.preferences.size,
                    language=one.preferences.language,
                    topics=[*one.preferences.topics],
                    paused_until=one.preferences.paused_until,
                )
                for mailing_list, one in record.subscriptions
            ],
            interests=[InterestAnswer.of(one) for one in record.interests],
            suppressed=reasons_of(record.suppressions),
        )


def reasons_of(suppressions: Any) -> list[SuppressionReason]:
    """Return reasons with their instants as resources, the oldest first."""
    found = sorted(suppressions.items(), key=lambda one: (one[1], one[0]))
    return [SuppressionReason(reason=why, since=since) for why, since in found]


class AddedAnswer(BaseModel):
    """Somebody who was added: `new`, `changed`, `unchanged`, or `mailed` to confirm first."""

    subscriber: int
    outcome: str


class ChangedAnswer(BaseModel):
    """A person, and whether this request changed anything."""

    subscriber: int
    changed: bool


class LeftAnswer(BaseModel):
    """A person, and the lists they were on until now."""

    subscriber: int
    lists: list[str]


class ResentAnswer(BaseModel):
    """A person to whom the confirmation, or a digest, of this list is resent."""

    subscriber: int
    list: str


class MovingAnswer(BaseModel):
    """A person whose new address gets an email; it changes once the link is used."""

    subscriber: int
    detail: str = "Queued: the address changes once the link in the email is used."


class TimelineAnswer(Resource):
    """Something that happened to a person, as a sentence; `mail` names the message that it is
    about."""

    at: Instant
    kind: str
    text: PrintableText
    mail: str | None


class TimelinePage(BaseModel):
    """What happened to a person, newest first. `next_cursor` leads to older events; null at the
    end."""

    items: list[TimelineAnswer]
    next_cursor: str | None
