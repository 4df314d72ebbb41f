"""Editions and the formula for programs: every position with its reason and its parts."""

import datetime
from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import BaseModel

from paperround.domain.editions import EditionPaper
from paperround.domain.times import parse_date
from paperround.jobs.learn import RankingPage, ranking_page
from paperround.jobs.site import EditionPage, edition_page
from paperround.languages.localize import english_reason, localize_source
from paperround.languages.tongue import tongue
from paperround.web import examples
from paperround.web.examples import shown_as
from paperround.web.home import LASTING_A_MINUTE, PATIENT, Home, Present
from paperround.web.models import Instant

api = APIRouter(prefix="/api/v1", tags=["papers"], dependencies=[PATIENT, LASTING_A_MINUTE])


class PlacedPaper(BaseModel):
    """A paper as it stood when the edition was frozen. `parts` add up to `score`; `withdrawn` is
    whether it is withdrawn by now."""

    position: int
    id: int
    title: str
    authors: list[str]
    gist: str
    reason: str
    score: float
    parts: dict[str, float]
    votes: int | None
    comments: int | None
    identifiers: dict[str, str]
    links: dict[str, str]
    withdrawn: bool

    @classmethod
    def of(cls, paper: EditionPaper) -> "PlacedPaper":
        """The answer that says one position."""
        return cls(
            position=paper.position,
            id=paper.paper_id,
            title=paper.title,
            authors=list(paper.authors),
            gist=paper.gist,
            reason=english_reason(paper.reason),
            score=paper.score,
            parts=dict(paper.parts),
            votes=paper.votes,
            comments=paper.comments,
            identifiers={k: it for k, it in paper.identifiers.items() if k != "title_key"},
            links=dict(paper.links),
            withdrawn=paper.withdrawn,
        )


class EditionAnswer(BaseModel):
    """A frozen edition. `ranker` names the version of the formula and what had been learned, and
    `quiet` says why it holds few papers or none; empty when nothing is amiss."""

    model_config = shown_as(examples.EDITION)

    list: str
    date: datetime.date
    cut: str
    as_of: Instant
    frozen_at: Instant
    ranker: str
    quiet: str
    sources: Sequence[str]
    papers: Sequence[PlacedPaper]

    @classmethod
    def of(cls, page: EditionPage) -> "EditionAnswer":
        """The answer that says an edition."""
        edition = page.edition
        return cls(
            list=edition.list_name,
            date=edition.day,
            cut=edition.cut,
            as_of=edition.as_of,
            frozen_at=edition.frozen_at,
            ranker=edition.ranker,
            quiet=page.quiet,
            sources=[localize_source(tongue(), one) for one in edition.sources],
            papers=[PlacedPaper.of(paper) for paper in edition.papers],
        )


class PartAnswer(BaseModel):
    """A part of the score: its names, how much it is, and when it applies."""

    names: list[str]
    amount: str
    when: str


class ConstantAnswer(BaseModel):
    """A number of the formula that is in force."""

    name: str
    value: float
    meaning: str


class FormulaAnswer(BaseModel):
    """The formula that is in force, and what was learned; `outcomes` is null when nothing was."""

    model_config = shown_as(examples.FORMULA)

    ranker: str
    parts: list[PartAnswer]
    symbols: dict[str, str]
    constants: list[ConstantAnswer]
    outcomes: int | None

    @classmethod
    def of(cls, page: RankingPage) -> "FormulaAnswer":
        """The answer that says the formula."""
        formula = page.formula
        return cls(
            ranker=page.ranker,
            parts=[
                PartAnswer(names=[*one.names], amount=one.amount, when=one.when)
                for one in formula.parts
            ],
            symbols=dict(formula.symbols),
            constants=[
                ConstantAnswer(name=one.name, value=one.value, meaning=one.meaning)
                for one in formula.constants
            ],
            outcomes=None if page.learned is None else page.learned.kept.outcomes,
        )


ListName = Annotated[str, Path(examples=["trending"])]
Day = Annotated[str, Path(description="A date in the list's zone.", examples=["2026-01-30"])]
Cut = Annotated[str, Path(max_length=40, description="One of the day's cuts.", examples=["3"])]


@api.get("/editions/{list_name}/{day}", summary="The last edition of a day")
def read_edition(home: Home, list_name: ListName, day: Day) -> EditionAnswer:
    """The day's last cut that holds papers, else its last one."""
    return EditionAnswer.of(edition_page(home.database, list_name, parse_date(day), None))


@api.get("/editions/{list_name}/{day}/{cut}", summary="An edition")
def read_edition_of_cut(home: Home, list_name: ListName, day: Day, cut: Cut) -> EditionAnswer:
    """The edition that was frozen at that cut."""
    return EditionAnswer.of(edition_page(home.database, list_name, parse_date(day), cut))


@api.get("/ranking", summary="The formula of the score")
def read_ranking(home: Home, now: Present) -> FormulaAnswer:
    """What a ranking that is made now goes by."""
    return FormulaAnswer.of(ranking_page(home.ranker, home.formula, now=now))
