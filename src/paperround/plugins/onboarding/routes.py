"""Pages where a reader rates papers or imports a library, to learn what they like."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, File, Form, Response, UploadFile
from pydantic import BaseModel, ConfigDict

from paperround.bootstrap import AppContext
from paperround.core.errors import InvalidInput, UnreadableFile, invalid
from paperround.feeds.formats.registry import decompress
from paperround.papers.model import PaperId
from paperround.plugins.onboarding.library import keep_seeds, preview_library
from paperround.plugins.onboarding.library_formats import Library, read_library
from paperround.plugins.onboarding.ratings import (
    BAD,
    ENOUGH_BAD,
    ENOUGH_GOOD,
    GOOD,
    MOST_PAGES,
    MOST_RATINGS,
    papers_to_rate,
    store_ratings,
    suggest,
)
from paperround.plugins.onboarding.zotero import place_of, read_zotero
from paperround.subscribers.interests import MOST_INTERESTS, OWN, parse_interest
from paperround.web.context import DIGEST_COST, IN_READER_LANGUAGE, RATE_LIMITED, App, Now, costly
from paperround.web.paging import page_number, parse_paper_id
from paperround.web.security import LIBRARY_BODY
from paperround.web.self_service import RECENT_LINK
from paperround.web.templates import private_page

router = APIRouter(include_in_schema=False, dependencies=[IN_READER_LANGUAGE])


class RatingForm(BaseModel):
    """A field `p<id>` for each rated paper, `good` or `bad`; `interest` holds those to save."""

    model_config = ConfigDict(extra="allow")

    action: str = "suggest"
    page: str = "1"
    interest: tuple[str, ...] = ()

    def rated(self, verdict: str) -> list[PaperId]:
        """Return the papers with this verdict, in the order of the form."""
        extra: Mapping[str, object] = self.model_extra or {}
        named = (
            parse_paper_id(name[1:])
            for name, value in extra.items()
            if name.startswith("p") and value == verdict
        )
        return [one for one in named if one is not None][:MOST_RATINGS]


@router.get("/preferences/{token}/papers", dependencies=[RECENT_LINK])
def show_papers_to_rate(app: App, now: Now, token: str, page: str = "1") -> Response:
    """Show a page of papers to rate."""
    return _rating_page(app, token, page, RatingForm(), now)


@router.post("/preferences/{token}/papers", dependencies=[RECENT_LINK])
def rate_papers(app: App, now: Now, token: str, form: Annotated[RatingForm, Form()]) -> Response:
    """Show more papers, suggest interests from the ratings, or save them."""
    match form.action:
        case "keep":
            return _save_ratings(app, token, form, now)
        case "more":
            return _rating_page(app, token, form.page, form, now)
        case _:
            return _suggest_interests(app, token, form, now)


def _rating_page(
    app: AppContext,
    token: str,
    page: str,
    form: RatingForm,
    now: datetime,
    error: InvalidInput | None = None,
) -> Response:
    number = page_number(page, MOST_PAGES)
    rating_page = papers_to_rate(app.signup_context, token, page=number, now=now)
    on_page = {one.paper_id for one in rating_page.papers}
    verdicts = dict.fromkeys(form.rated(GOOD), GOOD) | dict.fromkeys(form.rated(BAD), BAD)
    return private_page(
        app,
        "judging.html",
        status=200 if error is None else 422,
        token=token,
        rating_page=rating_page,
        verdicts=verdicts,
        elsewhere={one: word for one, word in verdicts.items() if one not in on_page},
        enough_good=ENOUGH_GOOD,
        enough_bad=ENOUGH_BAD,
        error=error,
    )


def _suggest_interests(app: AppContext, token: str, form: RatingForm, now: datetime) -> Response:
    good, bad = form.rated(GOOD), form.rated(BAD)
    if not good:
        none = invalid("papers", "rate at least one paper as good")
        return _rating_page(app, token, form.page, form, now, none)
    found = suggest(app.signup_context, token, good, bad, now=now)
    return private_page(app, "judged.html", token=token, found=found)


def _save_ratings(app: AppContext, token: str, form: RatingForm, now: datetime) -> Response:
    try:
        interests = [parse_interest(one) for one in form.interest]
        kept = store_ratings(
            app.signup_context, token, form.rated(GOOD), form.rated(BAD), interests, now=now
        )
    except InvalidInput as error:
        return _rating_page(app, token, form.page, form, now, error)
    return private_page(app, "judged_kept.html", token=token, kept=kept)


# --- import a library: from text, a file or Zotero ----------------------------------------------

MOST_UNPACKED = 16 * 1024 * 1024
ZOTERO_SECONDS = 10


@router.get("/preferences/{token}/library", dependencies=[RATE_LIMITED, RECENT_LINK])
def show_library_form(app: App, token: str) -> Response:
    """Show the form to import a library from text, a file or Zotero."""
    return _library_page(app, token)


@router.post("/preferences/{token}/library", dependencies=[costly(DIGEST_COST), RECENT_LINK])
def import_library(
    app: App,
    now: Now,
    token: str,
    action: Annotated[str, Form()] = "understand",
    text: Annotated[str, Form()] = "",
    zotero: Annotated[str, Form()] = "",
    seed: Annotated[list[str] | None, Form()] = None,
    own: Annotated[str, Form()] = "",
    file: Annotated[UploadFile | None, File()] = None,
) -> Response:
    """Preview the import, or save the chosen papers."""
    if action == "keep":
        return _save_seeds(app, token, [f"{OWN if own else ''}{one}" for one in seed or []], now)
    content = b"" if file is None else file.file.read()
    return _preview_import(app, token, content, text, zotero, now)


def _preview_import(
    app: AppContext, token: str, content: bytes, text: str, zotero: str, now: datetime
) -> Response:
    try:
        found = preview_library(
            app.signup_context, token, _read_library(app, content, text, zotero), now=now
        )
    except InvalidInput as error:
        if isinstance(error, UnreadableFile):
            field = "file" if content else "text" if text.strip() else "zotero"
            error = InvalidInput(error.text, code=field)
        return _library_page(app, token, error=error, text=text, zotero=zotero)
    return private_page(app, "library_understood.html", found=found, token=token)


def _read_library(app: AppContext, content: bytes, text: str, zotero: str) -> Library:
    """Read the library: the file if there is one, else the text, else Zotero."""
    if content:
        return read_library(decompress(content, MOST_UNPACKED))
    if text.strip():
        return read_library(text.encode("utf-8", "surrogatepass"))
    if not zotero.strip():
        raise invalid("text", "paste some lines, choose a file, or enter a Zotero library")
    place = place_of(zotero)
    if app.demo:
        raise invalid("zotero", "the demo does not use the network: upload a file, or paste")
    return read_zotero(place, app.client_for(*app.settings.open_places, seconds=ZOTERO_SECONDS))


def _save_seeds(app: AppContext, token: str, seeds: list[str], now: datetime) -> Response:
    try:
        kept = keep_seeds(app.signup_context, token, seeds, now=now)
    except InvalidInput as error:
        return _library_page(app, token, error=error, text="\n".join(seeds))
    return private_page(app, "library_kept.html", kept=kept, token=token)


def _library_page(
    app: AppContext,
    token: str,
    *,
    error: InvalidInput | None = None,
    text: str = "",
    zotero: str = "",
) -> Response:
    return private_page(
        app,
        "library.html",
        status=200 if error is None else 422,
        token=token,
        error=error,
        text=text,
        zotero=zotero,
        most_bytes=LIBRARY_BODY,
        most_kept=MOST_INTERESTS,
    )
