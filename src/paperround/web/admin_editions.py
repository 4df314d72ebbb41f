"""The admin API for editions: review one before it is sent, change it, and release it."""

import datetime
from typing import Annotated, Any, Self

from fastapi import Depends, Path, Query
from pydantic import BaseModel, Field

from paperround.access.model import Scope
from paperround.core.i18n.localize import english_reason
from paperround.digests import editing
from paperround.digests.editing import LONGEST_HOLD, LONGEST_NOTE, EditionRef
from paperround.editions.model import Edition, EditionId, EditionPaper
from paperround.editions.store.editions import EditionStore
from paperround.editions.store.held import HeldEditions
from paperround.editions.store.lists import ListStore
from paperround.web.auth import Actor, keyed_router
from paperround.web.context import App, Now
from paperround.web.models import CursorPage, Instant, PrintableText, StrictBody, example_config
from paperround.web.paging import Day, Paging

router = keyed_router(
    "/api/v1/admin",
    "admin: editions",
    reading=Scope.EDITIONS_READ,
    writing=Scope.EDITIONS_WRITE,
)

ListName = Annotated[str, Path(min_length=1, max_length=60, description="The list.")]
Cut = Annotated[str, Path(min_length=1, max_length=20, description="0 to 3, or manual.")]
PaperName = Annotated[
    str, Field(min_length=1, max_length=300, description="A paper's number, arXiv id or link.")
]
HELD = "held"


def _edition_ref(name: ListName, date: Day, cut: Cut) -> EditionRef:
    return EditionRef(list_name=name, day=date, cut=cut)


Ref = Annotated[EditionRef, Depends(_edition_ref)]
"""The edition that a path names."""


# --- requests ----------------------------------------------------------------------------------


class HoldBody(StrictBody):
    """How long later editions of a list are held."""

    model_config = example_config({"minutes": 60})

    minutes: Annotated[int, Field(ge=0, le=LONGEST_HOLD, description="0 holds nothing.")]


class PaperBody(StrictBody):
    """A paper to drop or to pin; `undo` reverses that."""

    model_config = example_config({"paper": "2601.00001", "undo": False})

    paper: PaperName
    undo: bool = False


class NoteBody(StrictBody):
    """A line for readers, at a paper or, without one, below the edition's heading. An empty text
    removes it."""

    model_config = example_config({"text": "The two papers on pruning disagree. Read both."})

    text: Annotated[str, Field(max_length=LONGEST_NOTE)]
    paper: PaperName | None = None


# --- responses ---------------------------------------------------------------------------------


class HoldAnswer(BaseModel):
    """How long editions of a list are held, and how long they were before."""

    list: str
    minutes: int
    before: int


class PaperOfEdition(BaseModel):
    """A paper of an edition. `position` is its rank, or a number from 900,000 on without one."""

    id: int
    position: int
    title: PrintableText
    votes: int | None
    reason: PrintableText
    note: PrintableText
    chosen: bool

    @classmethod
    def of(cls, paper: EditionPaper) -> Self:
        """Return the response for `paper`."""
        return cls(
            id=paper.paper_id,
            position=paper.position,
            title=paper.title,
            votes=paper.votes,
            reason=english_reason(paper.reason),
            note=paper.note,
            chosen=paper.is_chosen,
        )


class EditionEntry(BaseModel):
    """An edition. Its `state` is `held`, `frozen`, `planned` or `cancelled`; `held_until` is null
    once it is released."""

    id: int
    list: str
    date: datetime.date
    cut: str
    state: str
    as_of: Instant
    frozen_at: Instant
    held_until: Instant | None
    released_at: Instant | None
    note: PrintableText
    paper_count: int
    dropped_count: int

    @classmethod
    def of_edition(cls, edition: Edition, now: datetime.datetime, **more: Any) -> Self:
        """Return the response for `edition` at `now`, with `more` fields."""
        return cls(
            id=edition.id,
            list=edition.list_name,
            date=edition.day,
            cut=edition.cut,
            state=HELD if edition.is_held(now) else edition.state.value,
            as_of=edition.as_of,
            frozen_at=edition.frozen_at,
            held_until=edition.held_until,
            released_at=edition.released_at,
            note=edition.edits.note,
            paper_count=len(edition.papers),
            dropped_count=len(edition.edits.dropped),
            **more,
        )


class EditionWithPapers(EditionEntry):
    """An edition with its papers in order, and those that an editor dropped."""

    papers: list[PaperOfEdition]
    dropped: list[PaperOfEdition]

    @classmethod
    def of_edition(cls, edition: Edition, now: datetime.datetime, **more: Any) -> Self:
        """Return the response for `edition` at `now`."""
        return super().of_edition(
            edition,
            now,
            papers=[PaperOfEdition.of(one) for one in edition.papers],
            dropped=[PaperOfEdition.of(one) for one in edition.dropped],
            **more,
        )


# --- editions ----------------------------------------------------------------------------------


@router.get("/editions", summary="List editions")
def list_editions(
    app: App,
    now: Now,
    paging: Paging,
    list_name: Annotated[str | None, Query(alias="list", max_length=60)] = None,
) -> CursorPage[EditionEntry]:
    """Editions of all lists or of one, newest first, including held and cancelled ones."""
    with app.database.reading() as work:
        list_id = None if list_name is None else work[ListStore].get(list_name).id
        place = paging.last_id("editions")
        before = None if place is None else EditionId(place)
        ids = work[HeldEditions].ids(list_id, before=before, limit=paging.rows)
        found = [work[EditionStore].get(one) for one in ids]
    return paging.page("editions", found, lambda one: EditionEntry.of_edition(one, now))


@router.get("/editions/{name}/{date}/{cut}", summary="Show an edition")
def show_edition(app: App, now: Now, ref: Ref) -> EditionWithPapers:
    """One edition with all its papers, as readers see it once it is released."""
    with app.database.reading() as work:
        found = editing.find_edition(work, ref, now=now)
    return EditionWithPapers.of_edition(found, now)


@router.post("/editions/{name}/{date}/{cut}/approve", summary="Approve an edition")
def approve_edition(app: App, now: Now, actor: Actor, ref: Ref) -> EditionWithPapers:
    """Release a held edition now, with its changes."""
    edition = editing.approve(app.database, ref, by=actor, now=now)
    return EditionWithPapers.of_edition(edition, now)


@router.post("/editions/{name}/{date}/{cut}/drop", summary="Drop a paper")
def drop_paper(app: App, now: Now, actor: Actor, ref: Ref, body: PaperBody) -> EditionWithPapers:
    """Remove a paper from a held edition. Its page says that one was left out."""
    edition = editing.drop(app.database, ref, body.paper, by=actor, now=now, undo=body.undo)
    return EditionWithPapers.of_edition(edition, now)


@router.post("/editions/{name}/{date}/{cut}/pin", summary="Pin a paper")
def pin_paper(app: App, now: Now, actor: Actor, ref: Ref, body: PaperBody) -> EditionWithPapers:
    """Put any paper first in a held edition, except for readers who already got it or muted it."""
    edition = editing.choose(
        app.database, ref, body.paper, by=actor, now=now, undo=body.undo, gist=app.gist
    )
    return EditionWithPapers.of_edition(edition, now)


@router.post("/editions/{name}/{date}/{cut}/note", summary="Add a note")
def note_edition(app: App, now: Now, actor: Actor, ref: Ref, body: NoteBody) -> EditionWithPapers:
    """Add a note for readers to a held edition."""
    edition = editing.add_note(app.database, ref, body.text, by=actor, now=now, paper=body.paper)
    return EditionWithPapers.of_edition(edition, now)


@router.post("/lists/{name}/hold", summary="Hold editions of a list")
def hold_list(app: App, now: Now, actor: Actor, name: ListName, body: HoldBody) -> HoldAnswer:
    """Hold later editions of a list for this long, unless they are approved earlier."""
    before = editing.set_hold(app.database, name, body.minutes, by=actor, now=now)
    return HoldAnswer(list=name, minutes=body.minutes, before=before)
