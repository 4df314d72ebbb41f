"""Admin pages of people: find one, or add one.

search (POST: an address is in no URL) ─► a person, by number ─► what they get, and why not
                                             ├► their choices of a list (`choices.py`)
                                             └► pause, unsubscribe, resend, move, export, erase
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated

from fastapi import Query, Response

from paperround.core.errors import InvalidInput, NotFound, RateLimited
from paperround.core.languages import marked
from paperround.core.times import parse_instant
from paperround.editions.lists import DEFAULT_LIST
from paperround.editions.store.lists import ListStore
from paperround.self_service import adding, help_desk
from paperround.self_service.help_desk import FoundPerson
from paperround.web.admin.forms import FormFields
from paperround.web.admin.session import Visit, back_to, operator_router
from paperround.web.people_models import address_in

router = operator_router()

PATH = "/admin/people"
ERASED = "erased"
"""The value of `done` on the search page after a person was erased."""


@router.get("/people")
def show_search(visit: Visit, done: Annotated[str, Query(max_length=20)] = "") -> Response:
    """Show the search form, without results."""
    return _search_page(
        visit, "", done=marked("The subscriber’s data was erased.") if done == ERASED else ""
    )


@router.post("/people")
def find(visit: Visit, form: FormFields) -> Response:
    """Show the people whose address contains a text, or the newest."""
    text = form.get("email", "")
    try:
        found, more = help_desk.find_people(visit.database, text, now=visit.now, by=visit.by)
    except InvalidInput as error:
        return _search_page(visit, text, error=error)
    return _search_page(visit, text, found=found, more=more)


def _search_page(
    visit: Visit,
    text: str,
    *,
    found: list[FoundPerson] | None = None,
    more: bool = False,
    error: InvalidInput | None = None,
    done: str = "",
) -> Response:
    return visit.page("people.html", text=text, found=found, more=more, error=error, done=done)


@router.get("/people/new")
def show_new(visit: Visit) -> Response:
    """Show the form to add a person."""
    return _new_page(visit, {"list": DEFAULT_LIST})


@router.post("/people/new")
def add(visit: Visit, form: FormFields) -> Response:
    """Add a person to a list who agreed to it."""
    try:
        number, _ = adding.add_person(
            visit.app.signup_context,
            address_in(form.get("email", "")),
            form.get("list", ""),
            ground=form.get("consent_source", ""),
            consent_at=_consent_at(form),
            confirm="confirm" in form,
            now=visit.now,
            by=visit.by,
        )
    except (InvalidInput, RateLimited, NotFound) as error:
        return _new_page(visit, form, error=as_invalid(error))
    return back_to(f"{PATH}/{number}?done={'mailed' if 'confirm' in form else 'saved'}")


def _new_page(
    visit: Visit, form: Mapping[str, str], *, error: InvalidInput | None = None
) -> Response:
    with visit.database.reading() as work:
        lists = [one.name for one in work[ListStore].all() if one.archived_at is None]
    return visit.page("person_new.html", form=form, lists=lists, error=error)


def _consent_at(form: Mapping[str, str]) -> datetime | None:
    try:
        return parse_instant(form["consent_at"]) if form.get("consent_at") else None
    except InvalidInput as error:
        raise InvalidInput(error.text, code="consent_at") from None


def as_invalid(error: Exception) -> InvalidInput:
    """Return an error for the page, which shows errors without a field above the form."""
    return error if isinstance(error, InvalidInput) else InvalidInput(str(error), code="other")
