"""The page of a reader's saved papers, behind a recently mailed link, and its files."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Form, Response

from paperround.bootstrap import AppContext
from paperround.core.errors import InvalidInput
from paperround.self_service.feedback import Removed, remove_feedback
from paperround.self_service.saved import (
    LONGEST_NAME,
    LONGEST_NOTE,
    MOST_PAGES,
    SAVED_FILES,
    add_paper,
    annotate,
    rename_collection,
    saved_file,
    saved_page,
)
from paperround.subscribers.store.saved import SAVE
from paperround.web.context import IN_READER_LANGUAGE, SEARCH_COST, App, Now, costly
from paperround.web.feedback import UndoForm
from paperround.web.paging import page_number, parse_paper_id, path_choices
from paperround.web.self_service import RECENT_LINK
from paperround.web.templates import private_page

router = APIRouter(include_in_schema=False, dependencies=[IN_READER_LANGUAGE])

path_choices("saved_ending", SAVED_FILES)


class SavedForm(UndoForm):
    """The button pressed on the page, and its fields. `collection` and `page` are what it shows."""

    action: str = ""
    paper: str = ""
    note: str = ""
    collections: str = ""
    named: str = ""
    name: str = ""
    collection: str = ""
    page: str = "1"


@router.get("/preferences/{token}/saved.{ending:saved_ending}", dependencies=[RECENT_LINK])
def export_saved(app: App, now: Now, token: str, ending: str, collection: str = "") -> Response:
    """Return the saved papers as a file, all of them or those of a collection."""
    public_url = app.sender_identity.public_url
    found = saved_file(
        app.signup_context, token, public_url, ending, now=now, collection=collection
    )
    kind, _ = SAVED_FILES[ending]
    return Response(
        found,
        headers={"content-disposition": f'attachment; filename="saved-papers.{ending}"'},
        media_type=f"{kind}; charset=utf-8",
    )


@router.get("/preferences/{token}/saved", dependencies=[RECENT_LINK])
def show_saved(app: App, now: Now, token: str, collection: str = "", page: str = "1") -> Response:
    """Show the saved papers, the last one first."""
    return _saved_page(app, token, SavedForm(collection=collection, page=page), now)


@router.post("/preferences/{token}/saved", dependencies=[costly(SEARCH_COST), RECENT_LINK])
def change_saved(app: App, now: Now, token: str, form: Annotated[SavedForm, Form()]) -> Response:
    """Save a note, remove a paper or undo that, add one, or rename a collection."""
    context, paper = app.signup_context, parse_paper_id(form.paper)
    removed = None
    try:
        if form.action == "remove" and paper is not None:
            shown = form.collections.split(",")
            removed = remove_feedback(
                context, token, paper, SAVE, now=now, note=form.note, collections=shown
            )
        elif form.action == "add":
            public_url = app.sender_identity.public_url
            add_paper(context, token, form.named, public_url, now=now, collection=form.collection)
        elif form.action == "rename":
            name = rename_collection(context, token, form.collection, form.name, now=now)
            form = form.model_copy(update={"collection": name})
        elif paper is not None:
            annotate(context, token, paper, form.note, form.collections, now=now, given=form.given)
    except InvalidInput as error:
        return _saved_page(app, token, form, now, error=error)
    done = "" if form.action == "remove" else form.action
    return _saved_page(app, token, form, now, done=done, removed=removed)


def _saved_page(
    app: AppContext,
    token: str,
    form: SavedForm,
    now: datetime,
    *,
    done: str = "",
    removed: Removed | None = None,
    error: InvalidInput | None = None,
) -> Response:
    """Return the page; with an `error`, what was typed stays in its form."""
    number = page_number(form.page, MOST_PAGES)
    found = saved_page(
        app.signup_context, token, now=now, collection=form.collection, number=number
    )
    return private_page(
        app,
        "saved.html",
        status=200 if error is None else 422,
        page=found,
        token=token,
        form=form,
        typed=parse_paper_id(form.paper) if error else None,
        done=done,
        removed=removed,
        error=error,
        longest_note=LONGEST_NOTE,
        longest_name=LONGEST_NAME,
    )
