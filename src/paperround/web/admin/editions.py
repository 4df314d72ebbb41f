"""Admin pages of editions: all of them, and one, which an editor may change while it is held."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Annotated

from fastapi import Query, Response

from paperround.access.model import AuditEntry, AuditQuery
from paperround.access.store import AuditStore
from paperround.bootstrap import AppContext
from paperround.core.errors import InvalidInput, NotFound
from paperround.db.transactions import Transaction
from paperround.delivery.status import EditionTally
from paperround.delivery.store.day import DayStore, DueTally
from paperround.delivery.store.ledger import Ledger
from paperround.delivery.store.status import StatusStore
from paperround.digests import editing
from paperround.digests.cancel import GONE, STOPPABLE, audit_target, cancel, count_states, undo
from paperround.digests.editing import EditionRef, find_edition
from paperround.editions.archive import quiet_reason_text
from paperround.editions.lists import MailingList
from paperround.editions.model import Edition, EditionId
from paperround.editions.schedule import newest_cut, next_cut
from paperround.editions.store.held import HeldEditions
from paperround.editions.store.lists import ListStore
from paperround.ops.stats import edition_feedback
from paperround.ops.stats_model import FeedbackFigures
from paperround.papers.model import Paper, PaperId
from paperround.papers.search import LONGEST_TEXT
from paperround.papers.search_service import search
from paperround.papers.store.papers import PaperStore
from paperround.web.admin.forms import FormFields, ListFilter, require_sure, unknown_action
from paperround.web.admin.session import Visit, back_to, operator_router
from paperround.web.admin_editions import Ref
from paperround.web.paging import Paging

router = operator_router()

PATH = "/admin/editions"
FOUND = 8
"""The most papers shown for a search."""
MOST_ENTRIES = 100
"""The most audit entries shown for an edition."""


@router.get("/editions")
def list_editions(visit: Visit, paging: Paging, list_name: ListFilter = "") -> Response:
    """Show the editions that are held, then all others, the newest first."""
    with visit.database.reading() as work:
        lists = {one.id: one for one in work[ListStore].all()}
        list_id = work[ListStore].get(list_name).id if list_name else None
        place = paging.last_id("editions")
        before = None if place is None else EditionId(place)
        ids = work[HeldEditions].ids(list_id, before=before, limit=paging.rows)
        held = () if paging.cursor else work[HeldEditions].held(list_id, now=visit.now)
        shown = {*ids[: paging.limit], *held}
        found = work[StatusStore].editions_among(shown)
    return visit.page(
        "editions.html",
        held=[one for one in found if one.is_held(visit.now)][::-1],
        editions=[one for one in found if not one.is_held(visit.now)],
        lists=lists,
        asked={"list": list_name},
        next_cursor=paging.next_cursor("editions", ids),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class EditionView:
    """What the page of an edition shows.

    `left_out` are the titles of the papers that an editor dropped, `changes` says who changed what.
    `stopped` digests were stopped when it was cancelled. `due` are the readers who are due before
    the next edition; None if there is a newer one.
    """

    mailing_list: MailingList
    edition: Edition
    tally: EditionTally
    left_out: Mapping[PaperId, str]
    changes: list[AuditEntry]
    feedback: FeedbackFigures
    stopped: int
    due: DueTally | None

    @property
    def stoppable(self) -> int:
        """The number of digests that can still be stopped."""
        return count_states(self.tally.by_state, STOPPABLE)

    @property
    def gone(self) -> int:
        """The number of digests that were sent, or may have been."""
        return count_states(self.tally.by_state, GONE)

    @property
    def titles(self) -> Mapping[PaperId, str]:
        """The titles of the papers that audit entries may name."""
        return {**self.left_out, **{one.paper_id: one.title for one in self.edition.papers}}


def _view(visit: Visit, ref: EditionRef) -> EditionView:
    """Return what the page shows. Raises NotFound."""
    now = visit.now
    with visit.database.reading() as work:
        edition = find_edition(work, ref, now=now)
        named = audit_target(edition.list_name, edition.day, edition.cut)
        [tally] = work[StatusStore].editions_among([edition.id])
        changes = work[AuditStore].page(AuditQuery(target=named), before=None, limit=MOST_ENTRIES)
        mailing_list, due = work[ListStore].get(edition.list_name), None
        if newest_cut(mailing_list, now).instant <= edition.cut_at:
            until = next_cut(mailing_list, now).instant
            due = work[DayStore].due(
                edition.list_id, zone=mailing_list.zone, after=None, until=until
            )
        return EditionView(
            mailing_list=mailing_list,
            edition=edition,
            tally=tally,
            left_out=_left_out(work, edition),
            changes=changes,
            feedback=edition_feedback(work, edition),
            stopped=work[Ledger].count_stopped(edition.id),
            due=due,
        )


def _left_out(work: Transaction, edition: Edition) -> dict[PaperId, str]:
    """Return the titles of the papers that were dropped, also of those below the edition's end."""
    left_out = {one.paper_id: one.title for one in edition.dropped}
    known = {*left_out, *(one.frozen_id for one in edition.dropped)}
    others = [one for one in edition.edits.dropped if one not in known]
    if others:
        left_out |= {id_: one.title for id_, one in work[PaperStore].load(others).items()}
    return left_out


@router.get("/editions/{name}/{date}/{cut}")
def show_edition(
    visit: Visit, ref: Ref, paper: Annotated[str, Query(max_length=LONGEST_TEXT)] = ""
) -> Response:
    """Show an edition. While it is held, also the papers that `paper` names or finds."""
    return _edition_page(visit, ref, asked=paper)


def _edition_page(
    visit: Visit,
    ref: EditionRef,
    *,
    asked: str = "",
    typed: Mapping[str, str] | None = None,
    error: InvalidInput | None = None,
) -> Response:
    view = _view(visit, ref)
    return visit.page(
        "edition.html",
        view=view,
        edition=view.edition,
        is_held=view.edition.is_held(visit.now),
        quiet=quiet_reason_text(view.edition),
        found=_find_papers(visit.app, asked) if asked else (),
        asked=asked,
        typed=typed or {},
        error=error,
    )


def _find_papers(app: AppContext, text: str) -> list[Paper]:
    """Return the paper that a text names, else those that it finds."""
    try:
        with app.database.reading() as work:
            return [editing.find_named_paper(work, text)]
    except NotFound:
        hits = search(app.database, app.relevance, text, limit=FOUND).hits
        return [one.paper for one in hits]


@router.post("/editions/{name}/{date}/{cut}")
def change_edition(visit: Visit, ref: Ref, form: FormFields) -> Response:
    """Drop or pin a paper, add a note, approve or cancel the edition, or undo one of these."""
    paper = next((form[one] for one in ("drop", "restore", "pin", "unpin") if one in form), "")
    paper = paper or form.get("paper", "")
    try:
        _change(visit, ref, form)
    except (InvalidInput, NotFound) as error:
        code = error.code if isinstance(error, InvalidInput) else "paper"
        shown = InvalidInput(error.text, code=f"note-{paper}" if code == "text" and paper else code)
        return _edition_page(visit, ref, typed=form, error=shown)
    anchor = f"#paper-{paper}" if paper else ""
    return back_to(f"{PATH}/{ref.list_name}/{ref.day}/{ref.cut}{anchor}")


def _change(visit: Visit, ref: EditionRef, form: Mapping[str, str]) -> None:
    """Do what the button of a form says. Raises InvalidInput and NotFound."""
    app, now, by = visit.app, visit.now, visit.by
    of_papers: Mapping[str, Callable[..., Edition]] = {
        "drop": editing.drop,
        "restore": partial(editing.drop, undo=True),
        "pin": partial(editing.choose, gist=app.gist),
        "unpin": partial(editing.choose, gist=app.gist, undo=True),
    }
    for name, change in of_papers.items():
        if name in form:
            change(app.database, ref, form[name], by=by, now=now)
            return
    database, name, day, cut = app.database, ref.list_name, ref.day, ref.cut
    match form.get("action"):
        case "approve":
            editing.approve(database, ref, by=by, now=now)
        case "note":
            paper, text = form.get("paper"), form.get("text", "")
            editing.add_note(database, ref, text, by=by, now=now, paper=paper)
        case "cancel":
            require_sure(form)
            reason = form.get("reason", "")
            cancel(database, name, day=day, cut=cut, now=now, by=by, reason=reason)
        case "undo cancel":
            require_sure(form)
            undo(database, name, day=day, cut=cut, now=now, by=by)
            app.wake()
        case _:
            raise unknown_action()
