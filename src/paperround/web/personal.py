"""Pages where a reader rates papers or imports a library, to learn what they like."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, File, Form, Response, UploadFile
from pydantic import BaseModel, ConfigDict

from paperround.bootstrap import AppContext
from paperround.core.errors import InvalidInput, UnreadableFile, invalid
from paperround.core.i18n.locale import locale_for
from paperround.feeds.formats.library import read_library
from paperround.feeds.formats.registry import decompress
from paperround.feeds.sources.zotero import place_of, read_zotero
from paperround.papers.libraries import Library
from paperround.papers.model import PaperId
from paperround.self_service import history
from paperround.self_service.library import (
    keep_judgements,
    keep_seeds,
    papers_to_judge,
    suggest,
    titles_of,
    understand,
)
from paperround.self_service.onboarding_model import BAD, ENOUGH_BAD, ENOUGH_GOOD, GOOD, MOST_JUDGED
from paperround.subscribers.interests import MOST_INTERESTS, parse_interest
from paperround.web.context import DIGEST, PATIENT, TO_ITS_READER, Home, Present, costly
from paperround.web.language import page_language
from paperround.web.security import LIBRARY_BODY
from paperround.web.self_service import offer, welcomed
from paperround.web.templates import private

router = APIRouter(include_in_schema=False, dependencies=[TO_ITS_READER])


class Judgements(BaseModel):
    """A field `p<id>` for each rated paper, `good` or `bad`; `interest` holds those to save."""

    model_config = ConfigDict(extra="allow")

    action: str = "suggest"
    page: str = "1"
    interest: tuple[str, ...] = ()

    def said(self, verdict: str) -> list[PaperId]:
        """Return the papers with this verdict, in the order of the form."""
        extra: Mapping[str, object] = self.model_extra or {}
        named = (
            paper_id(name[1:])
            for name, value in extra.items()
            if name.startswith("p") and value == verdict
        )
        return [one for one in named if one is not None][:MOST_JUDGED]


@router.get("/preferences/{token}/papers")
def show_papers(home: Home, now: Present, token: str, page: str = "1") -> Response:
    """Show a page of papers to rate."""
    if not welcomed(home, token, now):
        return offer(home, token)
    return _page(home, token, page, Judgements(), now)


@router.post("/preferences/{token}/papers")
def judge(home: Home, now: Present, token: str, said: Annotated[Judgements, Form()]) -> Response:
    """Show more papers, suggest interests from the ratings, or save them."""
    if not welcomed(home, token, now):
        return _offer(home, token, said)
    match said.action:
        case "keep":
            return _kept(home, token, said, now)
        case "more":
            return _page(home, token, said.page, said, now)
        case _:
            return _suggested(home, token, said, now)


def _offer(home: AppContext, token: str, said: Judgements) -> Response:
    """Offer a new link for an expired one, and show the unsaved ratings and interests."""
    good, bad = said.said(GOOD), said.said(BAD)
    ours, titles = locale_for(page_language()), titles_of(home.database, {*good, *bad})
    judged = [
        ours.gettext("%(label)s: %(value)s", label=label, value=titles[one])
        for label, papers in ((ours.gettext("Good"), good), (ours.gettext("Bad"), bad))
        for one in papers
        if one in titles
    ]
    return offer(home, token, "\n".join((*judged, *said.interest)) or None)


def _page(
    home: AppContext,
    token: str,
    page: str,
    said: Judgements,
    now: datetime,
    error: InvalidInput | None = None,
) -> Response:
    number = int(page) if page.isascii() and page.isdecimal() and len(page) < 3 else 1
    judging = papers_to_judge(home.desk, token, page=number, now=now)
    if judging is None:
        return _offer(home, token, said)
    here = {one.paper_id for one in judging.papers}
    verdicts = dict.fromkeys(said.said(GOOD), GOOD) | dict.fromkeys(said.said(BAD), BAD)
    return private(
        home,
        "judging.html",
        status=200 if error is None else 422,
        token=token,
        judging=judging,
        verdicts=verdicts,
        elsewhere={one: word for one, word in verdicts.items() if one not in here},
        enough_good=ENOUGH_GOOD,
        enough_bad=ENOUGH_BAD,
        error=error,
    )


def _suggested(home: AppContext, token: str, said: Judgements, now: datetime) -> Response:
    good, bad = said.said(GOOD), said.said(BAD)
    if not good:
        none = invalid("papers", "say of one paper at least that it is good")
        return _page(home, token, said.page, said, now, none)
    found = suggest(home.desk, token, good, bad, now=now)
    if found is None:
        return _offer(home, token, said)
    return private(home, "judged.html", token=token, found=found)


def _kept(home: AppContext, token: str, said: Judgements, now: datetime) -> Response:
    try:
        interests = [parse_interest(one) for one in said.interest]
        kept = keep_judgements(
            home.desk, token, said.said(GOOD), said.said(BAD), interests, now=now
        )
    except InvalidInput as error:
        return _page(home, token, said.page, said, now, error)
    if kept is None:
        return _offer(home, token, said)
    return private(home, "judged_kept.html", token=token, kept=kept)


class Feedback(BaseModel):
    """A reader's rating of a paper."""

    paper: str = ""
    verdict: str = ""


@router.get("/feedback/{token}")
def show_feedback(home: Home, token: str) -> Response:
    """Show the papers of a digest with rating buttons."""
    return _sheet(home, token)


@router.post("/feedback/{token}")
def give_feedback(
    home: Home, now: Present, token: str, said: Annotated[Feedback, Form()]
) -> Response:
    """Save the rating of one paper of the digest."""
    paper = paper_id(said.paper)
    kept = paper is not None and history.give_feedback(
        home.desk, token, paper, said.verdict, now=now
    )
    return _sheet(home, token, said=said if kept else None)


def paper_id(text: str) -> PaperId | None:
    """Parse a paper's id in a form; None if invalid. More than 18 digits are never valid, and very
    long numbers are slow to parse."""
    is_number = text.isascii() and text.isdecimal() and len(text) <= 18
    return PaperId(int(text)) if is_number else None


def _sheet(home: AppContext, token: str, said: Feedback | None = None) -> Response:
    sheet = history.feedback_sheet(home.desk, token)
    if sheet is None:
        return private(home, "no_feedback.html")
    return private(home, "feedback.html", sheet=sheet, said=said)


# --- import a library: from text, a file or Zotero ----------------------------------------------

MOST_UNPACKED = 16 * 1024 * 1024
ZOTERO_SECONDS = 10


@router.get("/preferences/{token}/library", dependencies=[PATIENT])
def ask_for_library(home: Home, now: Present, token: str) -> Response:
    """Show the form to import a library from text, a file or Zotero."""
    if not welcomed(home, token, now):
        return offer(home, token)
    return _form(home, token)


@router.post("/preferences/{token}/library", dependencies=[costly(DIGEST)])
def take_library(
    home: Home,
    now: Present,
    token: str,
    action: Annotated[str, Form()] = "understand",
    text: Annotated[str, Form()] = "",
    zotero: Annotated[str, Form()] = "",
    seed: Annotated[list[str] | None, Form()] = None,
    file: Annotated[UploadFile | None, File()] = None,
) -> Response:
    """Preview the import, or save the chosen papers."""
    seeds = seed or []
    content = b"" if file is None else file.file.read()
    # The input to show if it cannot be saved, None without input. A file is not repeated, because
    # the reader has it.
    lines = [one for one in (text.strip(), zotero.strip(), *seeds) if one]
    unsaved = "\n".join(lines) if lines or content else None
    if not welcomed(home, token, now):
        return offer(home, token, unsaved)
    if action == "keep":
        answer = _kept_seeds(home, token, seeds, now)
    else:
        answer = _understood(home, token, content, text, zotero, now)
    return answer or offer(home, token, unsaved)


def _understood(
    home: AppContext, token: str, content: bytes, text: str, zotero: str, now: datetime
) -> Response | None:
    """Preview the import; None if the link has expired meanwhile."""
    try:
        found = understand(home.desk, token, _given(home, content, text, zotero), now=now)
    except InvalidInput as error:
        if isinstance(error, UnreadableFile):
            field = "file" if content else "text" if text.strip() else "zotero"
            error = InvalidInput(error.text, code=field)
        return _form(home, token, error=error, text=text, zotero=zotero)
    if found is None:
        return None
    return private(
        home, "library_understood.html", found=found, token=token, error=None, chosen=None
    )


def _given(home: AppContext, content: bytes, text: str, zotero: str) -> Library:
    """Read the library: the file if there is one, else the text, else Zotero."""
    if content:
        return read_library(decompress(content, MOST_UNPACKED))
    if text.strip():
        return read_library(text.encode("utf-8", "surrogatepass"))
    if not zotero.strip():
        raise invalid("text", "paste some lines, choose a file, or name a library")
    place = place_of(zotero)
    if home.demo:
        raise invalid("zotero", "the demo asks nobody on the network: give a file, or paste")
    client = home.client_for(*home.settings.open_places, seconds=ZOTERO_SECONDS)
    return read_zotero(client, place)


def _kept_seeds(home: AppContext, token: str, seeds: list[str], now: datetime) -> Response | None:
    """Save the chosen papers; None if the link has expired meanwhile."""
    try:
        kept = keep_seeds(home.desk, token, seeds, now=now)
    except InvalidInput as error:
        return _form(home, token, error=error, text="\n".join(seeds))
    if kept is None:
        return None
    return private(home, "library_kept.html", kept=kept, token=token)


def _form(
    home: AppContext,
    token: str,
    *,
    error: InvalidInput | None = None,
    text: str = "",
    zotero: str = "",
) -> Response:
    return private(
        home,
        "library.html",
        status=200 if error is None else 422,
        token=token,
        error=error,
        text=text,
        zotero=zotero,
        most_bytes=LIBRARY_BODY,
        most_kept=MOST_INTERESTS,
    )
