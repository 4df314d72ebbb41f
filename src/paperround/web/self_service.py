"""Pages behind a reader's personal link, which is its only authentication. GET changes nothing."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request, Response
from pydantic import Field

from paperround.bootstrap import AppContext
from paperround.core.errors import InvalidInput, invalid
from paperround.core.languages import marked
from paperround.self_service import change_address, preferences
from paperround.self_service.erasure import erase_person, export_person, was_erased
from paperround.self_service.feedback import lessons_of
from paperround.self_service.history import reader_history
from paperround.self_service.preview import next_digest
from paperround.subscribers.readers import Choices, Visitor
from paperround.web.context import (
    DIGEST_COST,
    IN_READER_LANGUAGE,
    App,
    Client,
    Now,
    costly,
    get_app,
)
from paperround.web.language import override_language, set_language
from paperround.web.preferences_form import (
    ChoicesForm,
    find_errors,
    form_version,
    offered_frequencies,
    parse_interests,
    parse_preferences,
    tick_suggestions,
    ticked_first,
    time_zones,
    to_form,
)
from paperround.web.signup import (
    LinkForm,
    OldLink,
    count_refusals,
    digest_page,
    link_page,
    parse_new_address,
)
from paperround.web.templates import is_framed, no_email_page, private_page, stream_file

router = APIRouter(include_in_schema=False, dependencies=[IN_READER_LANGUAGE])

EXPIRED = marked("This link has expired. Copy your text, then press “Save” to get a new link.")

MASKED_PLACEHOLDER = "•••@•••"
"""Shown instead of the masked address, so that a forged link looks like a valid one."""


NEWEST = 5
"""Ratings shown on the preferences page; all of them are on a page of their own."""


def offer_link(request: Request, _: Exception) -> Response:
    """Return the page for an expired link, with a button to send a new one. For an invalid link,
    such as one cut short, the page asks for the address; for a link of an erased reader, it says
    so."""
    app, token = get_app(request), request.path_params["token"]
    if was_erased(app.signup_context, token):
        return private_page(app, "erased.html")
    if is_framed(request):
        return no_email_page(app, [("", EXPIRED)])
    link = OldLink(
        token=token,
        masked=preferences.masked_address(app.signup_context, token),
        is_lost=request.method == "POST",
    )
    return link_page(app, LinkForm(), app.clock.now(), link=link)


def _require_recent_link(app: App, now: Now, token: str) -> None:
    """Raise LinkExpired unless the link is recent enough to use."""
    preferences.open_choices(app.signup_context, token, now=now)


RECENT_LINK = Depends(_require_recent_link)
"""Dependency of a route that needs a recently mailed link."""


class FormAction(ChoicesForm):
    """The form of the preferences page: the button, and the preferences to save. `list` is the list
    they are for, `email` the new address, `shown` the version of the preferences that the
    page was made with."""

    action: str = "link"
    list_name: str = Field(default="", alias="list")
    join: str = ""
    email: str = ""
    shown: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Visit:
    """A reader with a valid link, and their preferences."""

    app: AppContext
    token: str
    now: datetime
    choices: Choices
    client: str | None = None

    def page(
        self,
        form: ChoicesForm,
        errors: Mapping[str, InvalidInput] | None = None,
        *,
        done: str = "",
    ) -> Response:
        """Return the preferences page. `done` is the action just completed. The page contains the
        version of the preferences that the reader has seen, and suggests topics not in the form."""
        errors = errors or {}
        seen = form.shown if isinstance(form, FormAction) and "shown" not in errors else ""
        topics = self.app.topics.now(now=self.now)
        if "topic" not in errors:  # its lines are counted in the message
            form = tick_suggestions(form, topics)
        return private_page(
            self.app,
            "preferences.html",
            status=422 if errors else 200,
            token=self.token,
            choices=self.choices,
            now=self.now,
            form=form,
            shown=seen or form_version(_saved_form(self.choices)),
            frequencies=offered_frequencies(
                self.choices.frequencies, self.choices.preferences.frequency_text
            ),
            zones=time_zones(),
            suggested=ticked_first(topics, form.add_topic),
            errors=errors,
            done=done,
            lessons=lessons_of(self.app.signup_context, self.token, now=self.now, most=NEWEST),
        )


def _visit(
    app: AppContext, token: str, list_name: str | None, now: datetime, client: str | None = None
) -> _Visit:
    """Return the reader of a recently sent link, and use their language. Raises LinkExpired."""
    choices = preferences.open_choices(
        app.signup_context, token, now=now, list_name=list_name or None
    )
    set_language(choices.preferences.language)
    return _Visit(app=app, token=token, now=now, choices=choices, client=client)


# --- unsubscribing -----------------------------------------------------------------------------


@router.get("/unsubscribe/{token}")
def show_unsubscribe(app: App, now: Now, token: str) -> Response:
    """Show the unsubscribe button and the masked address, or that it was used already."""
    departure = preferences.departure_of(app.signup_context, token, now=now)
    if departure is not None:
        return private_page(app, "left_already.html", departure=departure)
    masked = preferences.masked_address(app.signup_context, token) or MASKED_PLACEHOLDER
    return private_page(app, "unsubscribe.html", masked=masked, token=token)


@router.post("/unsubscribe/{token}")
def unsubscribe(app: App, now: Now, token: str) -> Response:
    """Unsubscribe at once (RFC 8058). Every token and every body get the same 200 response."""
    preferences.leave(app.signup_context, token, now=now)
    return private_page(app, "left.html")


# --- preferences -------------------------------------------------------------------------------


@router.get("/preferences/{token}")
def show_choices(app: App, now: Now, token: str, list: str = "") -> Response:  # noqa: A002
    """Show the preferences for a recently sent link, else offer to send one."""
    visit = _visit(app, token, list, now)
    return visit.page(_saved_form(visit.choices))


def _saved_form(choices: Choices) -> ChoicesForm:
    """Return the form with the saved preferences and the interests entered at sign-up."""
    return to_form(choices.preferences, (*choices.interests, *choices.asked))


@router.post("/preferences/{token}")
def run_action(
    app: App, now: Now, client: Client, token: str, data: Annotated[FormAction, Form()]
) -> Response:
    """Run the action of the button pressed; for an expired link, offer to send a new one."""
    if data.action == "link":
        preferences.mail_choices_link(app.signup_context, token, now=now)
        return private_page(app, "link_mailed.html")
    visit = _visit(app, token, data.list_name, now, client)
    action = _ACTIONS.get(data.action)
    if action is None:
        unknown = invalid("action", "unknown action: use the buttons of this page")
        return visit.page(_saved_form(visit.choices), {"action": unknown})
    return action(visit, data)


def _leave(visit: _Visit, _: FormAction) -> Response:
    preferences.leave_from_choices(
        visit.app.signup_context, visit.token, now=visit.now, list_name=visit.choices.list_name
    )
    departure = preferences.Departure(masked=visit.choices.masked, has_undo=True)
    return private_page(visit.app, "left_already.html", departure=departure)


def _join(visit: _Visit, data: FormAction) -> Response:
    preferences.join_list(visit.app.signup_context, visit.token, data.join, now=visit.now)
    return _reload(visit, "joined", list_name=data.join)


def _reload(visit: _Visit, done: str, list_name: str | None = None) -> Response:
    """Return the page with the current preferences."""
    fresh = _visit(visit.app, visit.token, list_name or visit.choices.list_name, visit.now)
    return fresh.page(_saved_form(fresh.choices), done=done)


def _request_move(visit: _Visit, data: FormAction) -> Response:
    try:
        address = parse_new_address(visit.app, data.email)
        visitor = Visitor(ip=visit.client, stamped=True)
        with count_refusals(visit.app, visit.now):
            change_address.request_address_change(
                visit.app.signup_context, visit.token, address, visitor, now=visit.now
            )
    except InvalidInput as error:
        form = _saved_form(visit.choices)
        return visit.page(form, {"email": InvalidInput(error.text, code="email")})
    return private_page(visit.app, "move_asked.html", token=visit.token)


def _renew_feed(visit: _Visit, _: FormAction) -> Response:
    preferences.renew_feed(visit.app.signup_context, visit.token, now=visit.now)
    return _reload(visit, "renewed")


def _save(visit: _Visit, data: FormAction) -> Response:
    choices = visit.choices
    try:
        wanted = parse_preferences(data, choices.preferences, now=visit.now)
        interests = parse_interests(data, choices.interests, choices.preferences.topics)
        # Do not overwrite preferences saved in another window that this page did not show. After a
        # double click they already have the wanted values.
        known = (data.shown, form_version(to_form(wanted, interests)))
        if data.shown and form_version(_saved_form(choices)) not in known:
            raise invalid(
                "shown",
                "your choices were changed in another window: save again to replace them with "
                "these",
            )
        preferences.save_choices(
            visit.app.signup_context,
            visit.token,
            wanted,
            now=visit.now,
            interests=interests,
            list_name=choices.list_name,
        )
    except InvalidInput as error:
        return visit.page(data, find_errors(data, error, zone=choices.zone, now=visit.now))
    override_language(data.language)
    return _reload(visit, "saved")


def _export(visit: _Visit, _: FormAction) -> Response:
    found = export_person(visit.app.signup_context, visit.token, now=visit.now)
    return stream_file(found, media_type="application/json", name="paperround-data.json")


def _confirm_erasure(visit: _Visit, _: FormAction) -> Response:
    return private_page(visit.app, "erase.html", masked=visit.choices.masked, token=visit.token)


def _erase(visit: _Visit, _: FormAction) -> Response:
    erase_person(visit.app.signup_context, visit.token, now=visit.now)
    return private_page(visit.app, "erased.html")


_ACTIONS: Mapping[str, Callable[[_Visit, FormAction], Response]] = {
    "save": _save,
    "change": _Visit.page,  # shows the form again
    "leave": _leave,
    "join": _join,
    "move": _request_move,
    "new-feed": _renew_feed,
    "export": _export,
    "erase": _confirm_erasure,
    "erase-now": _erase,
}
"""The actions of the buttons. Each raises LinkExpired if the link has expired meanwhile."""


# --- preview and history -----------------------------------------------------------------------


@router.get("/preferences/{token}/preview", dependencies=[costly(DIGEST_COST), RECENT_LINK])
def preview(app: App, now: Now, token: str, list: str = "") -> Response:  # noqa: A002
    """Show the email of the next digest, as this reader would get it now."""
    found = next_digest(app.previewer, token, now=now, list_name=list or None)
    return digest_page(app, found)


@router.post("/preferences/{token}/preview", dependencies=[costly(DIGEST_COST)])
def preview_choices(
    app: App, now: Now, request: Request, token: str, data: Annotated[FormAction, Form()]
) -> Response:
    """Show the email of the next digest with unsaved preferences, without saving them."""
    visit = _visit(app, token, data.list_name, now)
    choices = visit.choices
    set_language(data.language or choices.preferences.language)
    try:
        found = next_digest(
            app.previewer,
            token,
            now=now,
            list_name=choices.list_name,
            preferences=parse_preferences(data, choices.preferences, now=now),
            interests=parse_interests(data, choices.interests, choices.preferences.topics),
        )
    except InvalidInput as error:
        errors = find_errors(data, error, zone=choices.zone, now=now)
        if is_framed(request):
            problems = [(name, one) for name, one in errors.items()]
            return no_email_page(app, problems, status=422)
        return visit.page(data, errors)
    return digest_page(app, found)


@router.get("/preferences/{token}/history", dependencies=[RECENT_LINK])
def history(app: App, now: Now, token: str) -> Response:
    """Show the emails sent to this reader, and the state of each."""
    past = reader_history(app.signup_context, token, now=now)
    return private_page(app, "history.html", past=past, now=now, token=token)


# --- change of address -------------------------------------------------------------------------


@router.get("/address/{token}")
def show_address_change(app: App) -> Response:
    """Show the button. GET changes nothing, and every link shows the same page."""
    return private_page(app, "move.html")


@router.post("/address/{token}")
def confirm_address_change(app: App, now: Now, token: str) -> Response:
    """Confirm a change of address, from the old or the new one."""
    agreed = change_address.agree(app.signup_context, token, now=now)
    return private_page(app, "moved.html", agreed=agreed)
