"""The admin page of a person's choices for one of their lists."""

from collections.abc import Mapping
from typing import Annotated

from fastapi import Form, Response
from pydantic import Field

from paperround.core.errors import InvalidInput, NotFound, invalid
from paperround.core.languages import marked
from paperround.digests.plan import Hours
from paperround.editions.lists import MailingList
from paperround.self_service import help_desk
from paperround.self_service.help_desk import PersonRecord
from paperround.subscribers.model import Preferences, SubscriberId, Subscription
from paperround.web.admin.forms import ListFilter
from paperround.web.admin.people import PATH
from paperround.web.admin.session import Visit, back_to, operator_router
from paperround.web.paging import RowNumber
from paperround.web.preferences_form import (
    ChoicesForm,
    find_errors,
    form_version,
    offered_frequencies,
    parse_interests,
    parse_preferences,
    to_form,
)

router = operator_router()


class PersonChoices(ChoicesForm):
    """The choices of a person for a list. `shown` is the version that the page was made with."""

    list_name: str = Field(default="", alias="list")
    shown: str = ""


@router.get("/people/{number}/choices")
def show_choices(visit: Visit, number: RowNumber, list_name: ListFilter = "") -> Response:
    """Show the choices of a person for one of their lists."""
    record = help_desk.person_record(visit.database, SubscriberId(number), visit.app.settings.keys)
    mailing_list, subscription = _on_list(record, list_name)
    form = to_form(subscription.preferences, record.interests)
    help_desk.note_reading(visit.database, record.person.id, by=visit.by, now=visit.now)
    return _choices_page(visit, record, mailing_list, form, shown=form_version(form))


@router.post("/people/{number}/choices")
def save_choices(
    visit: Visit, number: RowNumber, form: Annotated[PersonChoices, Form()]
) -> Response:
    """Save the choices, with the checks of the reader's own page."""
    record = help_desk.person_record(visit.database, SubscriberId(number), visit.app.settings.keys)
    mailing_list, subscription = _on_list(record, form.list_name)
    known = subscription.preferences
    current = form_version(to_form(known, record.interests))
    try:
        wanted = parse_preferences(form, known, now=visit.now)
        interests = parse_interests(form, record.interests, known.topics)
        if form.shown != current:
            raise invalid(
                "shown",
                "the choices were changed by someone else: save again to replace them with these",
            )
        help_desk.edit_choices(
            visit.app.signup_context,
            record.person.id,
            {
                "hour": wanted.hour,
                "timezone": wanted.timezone,
                "frequency": wanted.frequency_text,
                "size": wanted.size,
                "language": form.language or None,
                "topics": wanted.topics,
                "interests": interests,
            },
            list_name=mailing_list.name,
            now=visit.now,
            by=visit.by,
        )
    except InvalidInput as error:
        errors = find_errors(form, error, zone=mailing_list.zone, now=visit.now)
        return _choices_page(visit, record, mailing_list, form, shown=current, errors=errors)
    return back_to(f"{PATH}/{number}?done=saved")


def _on_list(record: PersonRecord, name: str) -> tuple[MailingList, Subscription]:
    """Return a list that the person is on, and their subscription. Raises NotFound."""
    for mailing_list, subscription in record.subscriptions:
        if mailing_list.name == name:
            return mailing_list, subscription
    raise NotFound(marked("They were never on this list."))


def _choices_page(
    visit: Visit,
    record: PersonRecord,
    mailing_list: MailingList,
    form: ChoicesForm,
    *,
    shown: str,
    errors: Mapping[str, InvalidInput] | None = None,
) -> Response:
    return visit.page(
        "person_choices.html",
        status=422 if errors else 200,
        record=record,
        mailing_list=mailing_list,
        form=form,
        shown=shown,
        hour=Hours(hour=visit.app.settings.default_hour).hour_of(Preferences(), mailing_list),
        frequencies=offered_frequencies(mailing_list.frequencies, form.frequency),
        errors=errors or {},
    )
