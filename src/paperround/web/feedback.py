"""What a reader says of the papers of a digest, behind the link that came with it."""

from typing import Annotated

from fastapi import APIRouter, Form, Response
from pydantic import BaseModel

from paperround.domain.papers import PaperId
from paperround.jobs import feedback
from paperround.web.answers import private
from paperround.web.home import TO_ITS_READER, Home, Present
from paperround.wiring import Runtime

router = APIRouter(include_in_schema=False, dependencies=[TO_ITS_READER])

MOST_DIGITS = 18
"""No paper has a longer number, and a very long one is work to read."""


class Feedback(BaseModel):
    """What a reader says of a paper."""

    paper: str = ""
    verdict: str = ""


@router.get("/feedback/{token}")
def show_feedback(home: Home, token: str) -> Response:
    """The papers of a digest, with buttons."""
    return _sheet(home, token)


@router.post("/feedback/{token}")
def give_feedback(
    home: Home, now: Present, token: str, said: Annotated[Feedback, Form()]
) -> Response:
    """Keep what the reader says of one of those papers."""
    paper = paper_id(said.paper)
    kept = paper is not None and feedback.give_feedback(
        home.desk, token, paper, said.verdict, now=now
    )
    return _sheet(home, token, said=said if kept else None)


def paper_id(text: str) -> PaperId | None:
    """The number of a paper as a form holds it; None for what can be none."""
    is_number = text.isascii() and text.isdecimal() and len(text) <= MOST_DIGITS
    return PaperId(int(text)) if is_number else None


def _sheet(home: Runtime, token: str, said: Feedback | None = None) -> Response:
    sheet = feedback.feedback_sheet(home.desk, token)
    if sheet is None:
        return private(home, "no_feedback.html")
    return private(home, "feedback.html", sheet=sheet, said=said)
