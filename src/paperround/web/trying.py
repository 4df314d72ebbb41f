"""Signing up with topics and for several lists, and looking at the digest before asking for it."""

from typing import Annotated

from fastapi import APIRouter, Form, Response

from paperround.domain.errors import InvalidInput, NotFound
from paperround.domain.lists import DEFAULT_LIST
from paperround.domain.subscribers import Preferences
from paperround.jobs.preview import awaited_digest, newcomers_digest
from paperround.web import stamps
from paperround.web.choices import timed
from paperround.web.costly import DIGEST, costly
from paperround.web.home import PATIENT, TO_ITS_READER, Home, Present
from paperround.web.languages import speak_to
from paperround.web.self_service import why_none
from paperround.web.signup import SignupForm, asked_lists, sign_up_page, wanted_interests
from paperround.web.templating import private

router = APIRouter(include_in_schema=False)


@router.get("/subscribe", dependencies=[PATIENT])
@router.get("/subscribe/preview", dependencies=[PATIENT])
@router.get("/subscribe/choices", dependencies=[PATIENT])
def show_form(home: Home, now: Present, list: str = DEFAULT_LIST) -> Response:  # noqa: A002
    """The whole form: lists, topics, hours. Whoever comes back to what it led to begins anew."""
    return sign_up_page(home, SignupForm(list=list), None, now)


@router.post("/subscribe/preview", dependencies=[costly(DIGEST)])
def look_ahead(home: Home, now: Present, form: Annotated[SignupForm, Form()]) -> Response:
    """What somebody with these choices would get now. Nothing is kept, and nobody is mailed."""
    speak_to(form.language)
    try:
        found = newcomers_digest(
            home.previewer,
            asked_lists(form)[0],
            timed(form, Preferences()),
            wanted_interests(form),
            now=now,
        )
    except NotFound as error:
        return sign_up_page(home, form, InvalidInput(error.text, code="list"), now)
    except InvalidInput as error:
        return sign_up_page(home, form, error, now)
    stamp, why = stamps.stamp(home.desk.keys, now=now), why_none(found.skipped)
    return private(home, "trying.html", next=found, why=why, form=form, stamp=stamp)


@router.post("/subscribe/choices", dependencies=[PATIENT])
def change(home: Home, now: Present, form: Annotated[SignupForm, Form()]) -> Response:
    """The whole form once more, as it was filled in."""
    speak_to(form.language)
    return sign_up_page(home, form, None, now)


@router.get("/confirm/{token}/preview", dependencies=[costly(DIGEST), TO_ITS_READER])
def look_before_confirming(home: Home, now: Present, token: str) -> Response:
    """What the link's holder would get once they confirm."""
    found = awaited_digest(home.previewer, token, now=now)
    why = why_none(found.skipped)
    return private(home, "awaited.html", next=found, why=why, token=token)
