"""Pages where readers rate papers, and see what their ratings taught.

A link in an email leads to one question or to the papers of its digest. GET changes nothing,
because mail scanners follow links: each page has a button, and then one to undo it.
"""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Form, Response
from pydantic import BaseModel

from paperround.bootstrap import AppContext
from paperround.editions.model import DeliveryId
from paperround.papers.model import PaperId
from paperround.self_service.feedback import (
    Removed,
    give_feedback,
    lesson_at,
    lessons_of,
    papers_after,
    papers_of_digest,
    remove_feedback,
    restore_feedback,
    take_back_feedback,
)
from paperround.self_service.saved import annotate
from paperround.subscribers.readers import VERDICTS, GivenBy
from paperround.subscribers.store.saved import SAVE
from paperround.web.context import IN_READER_LANGUAGE, App, Now
from paperround.web.paging import parse_paper_id, path_choices
from paperround.web.self_service import RECENT_LINK
from paperround.web.templates import private_page

router = APIRouter(include_in_schema=False, dependencies=[IN_READER_LANGUAGE])

path_choices("verdict", VERDICTS)


class Feedback(BaseModel):
    """A reader's rating of a paper, or the one to `undo`."""

    paper: str = ""
    verdict: str = ""
    undo: str = ""


class UndoForm(BaseModel):
    """How a rating that was just removed had been given: when, and by the links of which
    delivery."""

    at: str = ""
    delivery: str = ""

    @property
    def given(self) -> GivenBy | None:
        """None if it is not known."""
        try:
            at = datetime.fromisoformat(self.at).astimezone(UTC)
        except (ValueError, OverflowError):
            return None
        number = parse_paper_id(self.delivery)
        return GivenBy(at=at, delivery=None if number is None else DeliveryId(number))


class RemovalForm(Feedback, UndoForm):
    """A rating to remove, or whose removal to `undo`; then with what the reader had written."""

    note: str = ""
    collections: str = ""


@router.get("/feedback/{token}")
def show_feedback(app: App, token: str) -> Response:
    """Show the papers of a digest with rating buttons."""
    return _digest_page(app, token)


@router.post("/feedback/{token}")
def save_feedback(app: App, now: Now, token: str, form: Annotated[Feedback, Form()]) -> Response:
    """Save or undo the rating of one paper of the digest."""
    paper = parse_paper_id(form.paper)
    if paper is not None and form.undo:
        take_back_feedback(app.signup_context, token, paper, form.undo)
        return _digest_page(app, token, _UNDONE.get(form.undo, "undone"))
    noted = paper is not None and give_feedback(
        app.signup_context, token, paper, form.verdict, now=now
    )
    given = (paper, form.verdict) if noted else None
    return _digest_page(app, token, "noted" if noted else "", given)


_UNDONE = {SAVE: "unsaved"}
"""What a page says of a rating that was undone: a saved paper may stay."""


def _digest_page(
    app: AppContext, token: str, done: str = "", given: tuple[PaperId | None, str] | None = None
) -> Response:
    """Show the papers of a digest, and of its reader's ratings only the one just `given`."""
    sheet = papers_of_digest(app.signup_context, token)
    if sheet is None:
        return private_page(app, "no_feedback.html")
    return private_page(app, "feedback.html", sheet=sheet, done=done, given=given, token=token)


@router.get("/feedback/{token}/next")
def show_next_titles(app: App, token: str) -> Response:
    """Show the titles of the papers that follow those of a digest."""
    sheet = papers_of_digest(app.signup_context, token)
    if sheet is None:
        return private_page(app, "no_feedback.html")
    papers = papers_after(app.signup_context, sheet)
    return private_page(app, "next_titles.html", sheet=sheet, papers=papers, token=token)


@router.get("/feedback/{token}/{verdict:verdict}/{place}")
def show_question(app: App, token: str, verdict: str, place: str) -> Response:
    """Show what a rating of one paper of a digest would change, and the button that does it."""
    return _question_page(app, token, verdict, place)


@router.post("/feedback/{token}/{verdict:verdict}/{place}")
def answer_question(
    app: App, now: Now, token: str, verdict: str, place: str, form: Annotated[Feedback, Form()]
) -> Response:
    """Save or undo this rating, and show what it changed."""
    context = app.signup_context
    sheet = papers_of_digest(context, token)
    paper = None if sheet is None else sheet.paper_at(place)
    if paper is None:
        return _digest_page(app, token)
    if form.undo:
        take_back_feedback(context, token, paper, verdict)
        return _question_page(app, token, verdict, place, _UNDONE.get(verdict, "undone"))
    noted = give_feedback(context, token, paper, verdict, now=now)
    return _question_page(app, token, verdict, place, is_said=noted)


def _question_page(
    app: AppContext, token: str, verdict: str, place: str, done: str = "", *, is_said: bool = False
) -> Response:
    sheet = papers_of_digest(app.signup_context, token)
    lesson = None if sheet is None else lesson_at(app.signup_context, sheet, place, verdict)
    if sheet is None or lesson is None:
        return _digest_page(app, token)
    return private_page(
        app, "question.html", lesson=lesson, is_said=is_said, done=done, token=token
    )


# --- what it taught ----------------------------------------------------------------------------


@router.get("/preferences/{token}/feedback", dependencies=[RECENT_LINK])
def show_lessons(app: App, now: Now, token: str) -> Response:
    """Show what the reader's feedback taught, each line with a button to remove it."""
    return _lessons_page(app, token, now)


@router.post("/preferences/{token}/feedback", dependencies=[RECENT_LINK])
def remove_lesson(app: App, now: Now, token: str, form: Annotated[RemovalForm, Form()]) -> Response:
    """Remove a rating, or undo that."""
    removed = None
    paper = parse_paper_id(form.paper)
    if paper is not None and form.undo:
        context, given = app.signup_context, form.given
        if form.undo == SAVE:
            annotate(context, token, paper, form.note, form.collections, now=now, given=given)
        else:
            restore_feedback(context, token, paper, form.undo, now=now, given=given)
    elif paper is not None:
        removed = remove_feedback(app.signup_context, token, paper, form.verdict, now=now)
    return _lessons_page(app, token, now, removed)


def _lessons_page(
    app: AppContext, token: str, now: datetime, removed: Removed | None = None
) -> Response:
    lessons = lessons_of(app.signup_context, token, now=now)
    return private_page(app, "lessons.html", lessons=lessons, removed=removed, token=token)
