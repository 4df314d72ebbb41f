"""What people do with a link of theirs. GET only shows; who holds a link is its only proof."""

import json
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Form, Response
from pydantic import BaseModel

from paperround.domain.errors import InvalidInput
from paperround.domain.papers import PaperId
from paperround.domain.readers import Choices
from paperround.jobs import feedback, self_service
from paperround.jobs.erasure import erase_person, export_person
from paperround.web.answers import mail, private
from paperround.web.choices import (
    FREQUENCIES,
    ChoicesForm,
    interests_wished,
    typed,
    wished,
    zones,
)
from paperround.web.home import Home, Present
from paperround.wiring import Runtime

router = APIRouter(include_in_schema=False)

FORGED_MASK = "•••@•••"
"""Stands where the masked address does: a link that is not ours looks like one that is."""

MOST_DIGITS = 18
"""No paper has a longer number, and a very long one is work to read."""


class Deed(ChoicesForm):
    """What is to be done on a preferences page, with the choices when they are to be saved."""

    action: str = "link"


class Feedback(BaseModel):
    """What a reader says of a paper."""

    paper: str = ""
    verdict: str = ""


# --- leaving -----------------------------------------------------------------------------------


@router.get("/unsubscribe/{token}")
def ask_to_leave(home: Home, token: str) -> Response:
    """A button, and whose link this is."""
    masked = self_service.masked_address(home.desk, token) or FORGED_MASK
    return private(home, "unsubscribe.html", masked=masked, token=token)


@router.post("/unsubscribe/{token}")
def unsubscribe(home: Home, now: Present, token: str) -> Response:
    """Leave at once (RFC 8058). Whatever the token and whatever the body: 200, and one answer."""
    self_service.leave(home.desk, token, now=now)
    return private(home, "left.html")


# --- choices -----------------------------------------------------------------------------------


@router.get("/preferences/{token}")
def show_choices(home: Home, now: Present, token: str) -> Response:
    """The choices, for a freshly mailed link; for any other an offer to mail one."""
    choices = self_service.open_choices(home.desk, token, now=now)
    if choices is None:
        return _offer(home, token)
    return _choices(home, token, choices, _typed(choices))


def _typed(choices: Choices) -> ChoicesForm:
    """The form as it stands, with what waits to be kept."""
    return typed(choices.preferences, (*choices.interests, *choices.asked))


@router.post("/preferences/{token}")
def act(home: Home, now: Present, token: str, deed: Annotated[Deed, Form()]) -> Response:
    """Do what the page's buttons say; without the right to it, offer to mail a link."""
    if deed.action == "link":
        self_service.mail_choices_link(home.desk, token, now=now)
        return private(home, "link_mailed.html")
    choices = self_service.open_choices(home.desk, token, now=now)
    answer = _done(home, token, deed, choices, now) if choices is not None else None
    return answer or _offer(home, token)


def _done(
    home: Runtime, token: str, deed: Deed, choices: Choices, now: datetime
) -> Response | None:
    """The answer to a deed, None when the right to it ended meanwhile."""
    match deed.action:
        case "leave":
            return _left(home, token, now)
        case "export":
            return _exported(home, token, now)
        case "erase":
            return private(home, "erase.html", masked=choices.masked, token=token)
        case "erase-now":
            done = erase_person(home.desk, token, now=now)
            return private(home, "erased.html") if done else None
        case "save" | "new-feed":
            return _changed(home, token, deed, choices, now)
        case _:
            unknown = InvalidInput("this page has no such button", code="action")
            return _choices(home, token, choices, _typed(choices), error=unknown)


def _left(home: Runtime, token: str, now: datetime) -> Response | None:
    done = self_service.leave_from_choices(home.desk, token, now=now)
    return private(home, "left.html") if done else None


def _changed(
    home: Runtime, token: str, deed: Deed, choices: Choices, now: datetime
) -> Response | None:
    if deed.action == "save":
        return _saved(home, token, deed, choices, now)
    renewed = self_service.renew_feed(home.desk, token, now=now)
    if renewed is None:
        return None
    return _choices(home, token, renewed, _typed(renewed), is_renewed=True)


def _saved(
    home: Runtime, token: str, deed: Deed, choices: Choices, now: datetime
) -> Response | None:
    try:
        wish = wished(deed, choices.preferences)
        interests = interests_wished(deed, choices.interests)
        saved = self_service.save_choices(home.desk, token, wish, now=now, interests=interests)
    except InvalidInput as error:
        return _choices(home, token, choices, deed, error=error)
    return _choices(home, token, saved, _typed(saved), is_saved=True) if saved else None


def _exported(home: Runtime, token: str, now: datetime) -> Response | None:
    found = export_person(home.desk, token, now=now)
    if found is None:
        return None
    return Response(
        json.dumps(found, ensure_ascii=False, indent=2, default=str),
        headers={"content-disposition": 'attachment; filename="paperround-data.json"'},
        media_type="application/json",
    )


def _choices(
    home: Runtime,
    token: str,
    choices: Choices,
    form: ChoicesForm,
    *,
    error: InvalidInput | None = None,
    is_saved: bool = False,
    is_renewed: bool = False,
) -> Response:
    return private(
        home,
        "preferences.html",
        status=200 if error is None else 422,
        token=token,
        choices=choices,
        form=form,
        frequencies=FREQUENCIES,
        zones=zones(),
        error=error,
        is_saved=is_saved,
        is_renewed=is_renewed,
    )


def _offer(home: Runtime, token: str) -> Response:
    masked = self_service.masked_address(home.desk, token) or FORGED_MASK
    return private(home, "preferences_link.html", masked=masked)


@router.get("/preferences/{token}/preview")
def preview(home: Home, now: Present, token: str) -> Response:
    """The next digest as this reader would get it now."""
    rendered = self_service.preview_next(
        home.desk,
        home.ranker,
        home.letterhead,
        home.renderer,
        token,
        now=now,
        opinions=home.opinions,
    )
    return mail(rendered.html) if rendered else private(home, "no_preview.html")


# --- feedback ----------------------------------------------------------------------------------


@router.get("/feedback/{token}")
def show_feedback(home: Home, token: str) -> Response:
    """The papers of a digest, with buttons."""
    return _sheet(home, token)


@router.post("/feedback/{token}")
def give_feedback(
    home: Home, now: Present, token: str, said: Annotated[Feedback, Form()]
) -> Response:
    """Keep what the reader says of one of those papers."""
    paper = _paper(said.paper)
    kept = paper is not None and feedback.give_feedback(
        home.desk, token, paper, said.verdict, now=now
    )
    return _sheet(home, token, said=said if kept else None)


def _paper(text: str) -> PaperId | None:
    is_number = text.isascii() and text.isdecimal() and len(text) <= MOST_DIGITS
    return PaperId(int(text)) if is_number else None


def _sheet(home: Runtime, token: str, said: Feedback | None = None) -> Response:
    sheet = feedback.feedback_sheet(home.desk, token)
    if sheet is None:
        return private(home, "no_feedback.html")
    return private(home, "feedback.html", sheet=sheet, said=said)
