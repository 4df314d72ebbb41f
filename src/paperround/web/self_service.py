"""Pages behind a reader's personal link, which is its only authentication. GET changes nothing."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Form, Response
from pydantic import Field

from paperround.bootstrap import AppContext
from paperround.core.errors import InvalidInput, invalid
from paperround.delivery.status_text import WHY_NO_MAIL
from paperround.self_service import change_address, preferences
from paperround.self_service.erasure import erase_person, export_person, was_erased
from paperround.self_service.history import reader_history
from paperround.self_service.lists import join_list, lists_of
from paperround.self_service.preview import next_digest
from paperround.subscribers.readers import Choices, Visitor
from paperround.web.context import DIGEST, TO_ITS_READER, Client, Home, Present, costly
from paperround.web.language import speak_from_now_on, speak_to
from paperround.web.preferences_form import (
    FREQUENCIES,
    ChoicesForm,
    interests_wished,
    mark,
    problems,
    typed,
    wished,
    written,
    zones,
)
from paperround.web.signup import new_address_of, refusals_counted, why_none
from paperround.web.templates import mail, private, streamed

router = APIRouter(include_in_schema=False, dependencies=[TO_ITS_READER])

FORGED_MASK = "•••@•••"
"""Shown instead of the masked address, so that a forged link looks like a valid one."""


class FormAction(ChoicesForm):
    """The form of the preferences page: the button, and the preferences to save. `list` is the list
    they are for, `email` the new address, `shown` the mark of the preferences that the page was
    made with."""

    action: str = "link"
    list_name: str = Field(default="", alias="list")
    join: str = ""
    email: str = ""
    shown: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Visit:
    """A reader with a valid link, and their preferences."""

    home: AppContext
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
        mark of the preferences that the reader has seen, and suggests topics not in the form."""
        errors = errors or {}
        seen = form.shown if isinstance(form, FormAction) and "shown" not in errors else ""
        said = {line.strip().casefold() for line in (form.topic + "\n" + form.topics).splitlines()}
        topics = self.home.topics.now(now=self.now)
        return private(
            self.home,
            "preferences.html",
            status=422 if errors else 200,
            token=self.token,
            choices=self.choices,
            now=self.now,
            lists=lists_of(self.home.desk, self.token, now=self.now),
            form=form,
            shown=seen or mark(_typed(self.choices)),
            frequencies=FREQUENCIES,
            zones=zones(),
            suggested=[one for one in topics if one.casefold() not in said],
            errors=errors,
            done=done,
        )


def _visit(
    home: AppContext, token: str, list_name: str | None, now: datetime, client: str | None = None
) -> _Visit | None:
    """Return the reader of a recently sent link and use their language; None for other links."""
    choices = preferences.open_choices(home.desk, token, now=now, list_name=list_name or None)
    if choices is None:
        return None
    speak_to(choices.preferences.language)
    return _Visit(home=home, token=token, now=now, choices=choices, client=client)


# --- unsubscribing -----------------------------------------------------------------------------


@router.get("/unsubscribe/{token}")
def ask_to_leave(home: Home, token: str) -> Response:
    """Show the unsubscribe button and the masked address."""
    masked = preferences.masked_address(home.desk, token) or FORGED_MASK
    return private(home, "unsubscribe.html", masked=masked, token=token)


@router.post("/unsubscribe/{token}")
def unsubscribe(home: Home, now: Present, token: str) -> Response:
    """Unsubscribe at once (RFC 8058). Every token and every body get the same 200 response."""
    preferences.leave(home.desk, token, now=now)
    return private(home, "left.html")


# --- preferences -------------------------------------------------------------------------------


@router.get("/preferences/{token}")
def show_choices(home: Home, now: Present, token: str, list: str = "") -> Response:  # noqa: A002
    """Show the preferences for a recently sent link, else offer to send one."""
    visit = _visit(home, token, list, now)
    return offer(home, token) if visit is None else visit.page(_typed(visit.choices))


def _typed(choices: Choices) -> ChoicesForm:
    """Return the form with the saved preferences and the interests still to be confirmed."""
    return typed(choices.preferences, (*choices.interests, *choices.asked))


@router.post("/preferences/{token}")
def act(
    home: Home, now: Present, client: Client, token: str, deed: Annotated[FormAction, Form()]
) -> Response:
    """Run the action of the button pressed; for an expired link, offer to send a new one."""
    if deed.action == "link":
        preferences.mail_choices_link(home.desk, token, now=now)
        return private(home, "link_mailed.html")
    visit = _visit(home, token, deed.list_name, now, client)
    if visit is None:
        return offer(home, token, _unsaved(deed))
    do = _DEEDS.get(deed.action)
    if do is None:
        unknown = invalid("action", "this page has no such button")
        return visit.page(_typed(visit.choices), {"action": unknown})
    return do(visit, deed) or offer(home, token, _unsaved(deed))


def _left(visit: _Visit, _: FormAction) -> Response | None:
    done = preferences.leave_from_choices(
        visit.home.desk, visit.token, now=visit.now, list_name=visit.choices.list_name
    )
    return private(visit.home, "left.html") if done else None


def _joined(visit: _Visit, deed: FormAction) -> Response | None:
    joined = join_list(visit.home.desk, visit.token, deed.join, now=visit.now)
    return _again(visit, "joined", list_name=deed.join) if joined else None


def _again(visit: _Visit, done: str, list_name: str | None = None) -> Response | None:
    """Return the page with the current preferences."""
    fresh = _visit(visit.home, visit.token, list_name or visit.choices.list_name, visit.now)
    return None if fresh is None else fresh.page(_typed(fresh.choices), done=done)


def _asked_to_move(visit: _Visit, deed: FormAction) -> Response | None:
    try:
        address = new_address_of(visit.home, deed.email)
        visitor = Visitor(ip=visit.client, stamped=True)
        with refusals_counted(visit.home, visit.now):
            asked = change_address.ask_to_move(
                visit.home.desk, visit.token, address, visitor, now=visit.now
            )
    except InvalidInput as error:
        form = _typed(visit.choices)
        return visit.page(form, {"email": InvalidInput(error.text, code="email")})
    return private(visit.home, "move_asked.html", token=visit.token) if asked else None


def _with_new_feed(visit: _Visit, _: FormAction) -> Response | None:
    renewed = preferences.renew_feed(visit.home.desk, visit.token, now=visit.now)
    return None if renewed is None else _again(visit, "renewed")


def _saved(visit: _Visit, deed: FormAction) -> Response | None:
    choices = visit.choices
    try:
        wish = wished(deed, choices.preferences)
        interests = interests_wished(deed, choices.interests)
        # Do not overwrite preferences saved in another window that this page did not show. After a
        # double click they already have the wanted values.
        wanted, stands = mark(typed(wish, interests)), mark(_typed(choices))
        if deed.shown and stands not in (deed.shown, wanted):
            raise invalid(
                "shown",
                "your choices were saved in another window meanwhile: save again to put these in "
                "their place",
            )
        saved = preferences.save_choices(
            visit.home.desk,
            visit.token,
            wish,
            now=visit.now,
            interests=interests,
            list_name=choices.list_name,
        )
    except InvalidInput as error:
        return visit.page(deed, problems(deed, error, zone=choices.zone, now=visit.now))
    if saved is None:
        return None
    speak_from_now_on(deed.language)
    return _again(visit, "saved")


def _exported(visit: _Visit, _: FormAction) -> Response | None:
    found = export_person(visit.home.desk, visit.token, now=visit.now)
    if found is None:
        return None
    return streamed(found, media_type="application/json", name="paperround-data.json")


def _ask_to_erase(visit: _Visit, _: FormAction) -> Response:
    return private(visit.home, "erase.html", masked=visit.choices.masked, token=visit.token)


def _erased(visit: _Visit, _: FormAction) -> Response | None:
    done = erase_person(visit.home.desk, visit.token, now=visit.now)
    return private(visit.home, "erased.html") if done else None


_DEEDS: Mapping[str, Callable[[_Visit, FormAction], Response | None]] = {
    "save": _saved,
    "change": _Visit.page,  # shows the form again
    "leave": _left,
    "join": _joined,
    "move": _asked_to_move,
    "new-feed": _with_new_feed,
    "export": _exported,
    "erase": _ask_to_erase,
    "erase-now": _erased,
}
"""The actions of the buttons; each returns None if the link has expired meanwhile."""


def welcomed(home: AppContext, token: str, now: datetime) -> bool:
    """Whether a link was sent recently enough to use."""
    return preferences.open_choices(home.desk, token, now=now) is not None


def _unsaved(deed: FormAction) -> str | None:
    """Return the input that an expired link loses; None if the action would not have saved it."""
    return written(deed) if deed.action in ("save", "preview", "change") else None


def offer(home: AppContext, token: str, unsaved: str | None = None) -> Response:
    """Return the page for an expired link, with a button to send a new one.

    An erased reader sees that they were erased. `unsaved` is the input to show if the link expired
    while the reader was typing: None without input, empty if it cannot be shown.
    """
    if was_erased(home.desk, token):
        return private(home, "erased.html")
    masked = preferences.masked_address(home.desk, token) or FORGED_MASK
    lost = unsaved is not None
    return private(
        home, "preferences_link.html", masked=masked, token=token, lost=lost, written=unsaved or ""
    )


# --- preview and history -----------------------------------------------------------------------


@router.get("/preferences/{token}/preview", dependencies=[costly(DIGEST)])
def preview(home: Home, now: Present, token: str, list: str = "") -> Response:  # noqa: A002
    """Show the email of the next digest, as this reader would get it now."""
    found = next_digest(home.previewer, token, now=now, list_name=list or None)
    if found is None or not welcomed(home, token, now):
        return offer(home, token)
    if found.rendered is None:
        why = WHY_NO_MAIL.get(found.skipped or "")
        return private(home, "no_preview.html", why=why, token=token)
    return mail(found.rendered.html)


@router.post("/preferences/{token}/preview", dependencies=[costly(DIGEST)])
def try_choices(
    home: Home, now: Present, token: str, deed: Annotated[FormAction, Form()]
) -> Response:
    """Show the next digest with unsaved preferences, without saving them."""
    visit = _visit(home, token, deed.list_name, now)
    if visit is None:
        return offer(home, token, _unsaved(deed))
    choices = visit.choices
    speak_to(deed.language or choices.preferences.language)
    try:
        found = next_digest(
            home.previewer,
            token,
            now=now,
            list_name=choices.list_name,
            preferences=wished(deed, choices.preferences),
            interests=interests_wished(deed, choices.interests),
        )
    except InvalidInput as error:
        return visit.page(deed, problems(deed, error, zone=choices.zone, now=now))
    if found is None:
        return offer(home, token, _unsaved(deed))
    return private(
        home,
        "preview.html",
        next=found,
        why=why_none(found.skipped),
        token=token,
        choices=choices,
        form=deed,
    )


@router.get("/preferences/{token}/history")
def history(home: Home, now: Present, token: str) -> Response:
    """Show the emails sent to this reader, with their status."""
    past = reader_history(home.desk, token, now=now)
    if past is None or not welcomed(home, token, now):
        return offer(home, token)
    return private(home, "history.html", past=past, token=token)


# --- change of address -------------------------------------------------------------------------


@router.get("/address/{token}")
def ask_to_agree(home: Home) -> Response:
    """Show the button. GET changes nothing, and every link shows the same page."""
    return private(home, "move.html")


@router.post("/address/{token}")
def agree(home: Home, now: Present, token: str) -> Response:
    """Confirm a change of address, from the old or the new one."""
    agreed = change_address.agree(home.desk, token, now=now)
    return private(home, "moved.html", agreed=agreed)
