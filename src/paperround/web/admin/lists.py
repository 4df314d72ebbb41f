"""Admin pages of lists: all of them, the status of one, and the form of its settings."""

from typing import Annotated

from fastapi import Form, Query, Response

from paperround.bootstrap import AppContext
from paperround.core.errors import InvalidInput
from paperround.core.languages import marked
from paperround.db.transactions import run_with_retries
from paperround.delivery.store.status import StatusStore
from paperround.digests.cancel import pause, resume
from paperround.digests.editing import set_hold
from paperround.editions.lists import ListId, SignupPolicy
from paperround.editions.manage_lists import (
    archive_list,
    create_list,
    edit_list,
    feed_names,
    feeds_by_name,
    restore_list,
)
from paperround.editions.private_lists import access_token
from paperround.editions.schedule import next_cut
from paperround.editions.store.lists import ListStore
from paperround.feeds.store.feeds import FeedStore
from paperround.ops.status import status
from paperround.web.admin.forms import FormFields, require_sure, unknown_action
from paperround.web.admin.list_form import FREQUENCIES, ListForm
from paperround.web.admin.session import Visit, back_to, operator_router
from paperround.web.paging import Paging
from paperround.web.preferences_form import form_version, time_zones
from paperround.web.signup import digest_page

router = operator_router()

PATH = "/admin/lists"

CHANGED = marked(
    "The list was changed in another window. Save again to replace it with these values."
)


@router.get("/lists")
def list_lists(visit: Visit, paging: Paging) -> Response:
    """Show every list, including archived ones, oldest first."""
    after = ListId(paging.last_id("lists") or 0)
    with visit.database.reading() as work:
        found = work[ListStore].page(after, limit=paging.rows)
        readers, names = work[StatusStore].active_by_list(), feed_names(work)
    return visit.page(
        "lists.html",
        lists=found[: paging.limit],
        next_cuts={one.id: next_cut(one, visit.now).instant for one in found},
        readers=readers,
        feeds={one.id: feeds_by_name(one, names) for one in found},
        next_cursor=paging.next_cursor("lists", [one.id for one in found]),
    )


# --- the form ------------------------------------------------------------------------------------


@router.get("/lists/new")
def show_new(visit: Visit) -> Response:
    """Show the form of a new list."""
    return _form_page(visit, ListForm.new(zone=visit.app.settings.timezone))


@router.post("/lists/new")
def save_new(visit: Visit, form: Annotated[ListForm, Form()]) -> Response:
    """Create a list."""
    name = form.name.strip()

    def save() -> None:
        with visit.database.together():
            create_list(visit.database, name, form.changes(), by=visit.by, now=visit.now)
            set_hold(visit.database, name, form.hold(), by=visit.by, now=visit.now)

    try:
        run_with_retries(save)
    except InvalidInput as error:
        return _form_page(visit, form, error=error)
    return back_to(f"{PATH}/{name}")


@router.get("/lists/{name}/edit")
def show_edit(visit: Visit, name: str) -> Response:
    """Show the form of a list."""
    return _form_page(visit, _stored(visit.app, name), name=name)


@router.post("/lists/{name}/edit")
def save_edit(visit: Visit, name: str, form: Annotated[ListForm, Form()]) -> Response:
    """Change a list, unless it changed since the form was opened."""

    def save() -> None:
        with visit.database.together() as work:
            work[ListStore].get_for_update(name)  # another editor waits
            if form.shown and form.shown != form_version(_stored(visit.app, name)):
                raise InvalidInput(CHANGED, code="shown")
            edit_list(visit.database, name, form.changes(), by=visit.by, now=visit.now)
            set_hold(visit.database, name, form.hold(), by=visit.by, now=visit.now)

    try:
        run_with_retries(save)
    except InvalidInput as error:
        return _form_page(visit, form, name=name, error=error)
    return back_to(f"{PATH}/{name}?saved=yes")


def _stored(app: AppContext, name: str) -> ListForm:
    with app.database.reading() as work:
        return ListForm.of(work[ListStore].get(name), feed_names(work))


def _form_page(
    visit: Visit, form: ListForm, *, name: str | None = None, error: InvalidInput | None = None
) -> Response:
    """Return the form of the list `name`, None for a new one."""
    shown = form_version(_stored(visit.app, name)) if name else ""
    with visit.database.reading() as work:
        feeds = work[FeedStore].all()
    return visit.page(
        "list_form.html",
        name=name,
        form=form,
        shown=shown,
        error=error,
        feeds=feeds,
        frequencies=FREQUENCIES,
        policies=[one.value for one in SignupPolicy],
        zones=time_zones(),
        default_hour=visit.app.settings.default_hour,
    )


# --- one list ------------------------------------------------------------------------------------


@router.get("/lists/{name}")
def show_list(visit: Visit, name: str, saved: Annotated[str, Query()] = "") -> Response:
    """Show the status of a list, its next steps, and its settings."""
    return _list_page(visit, name, saved=bool(saved))


@router.post("/lists/{name}")
def act(visit: Visit, name: str, form: FormFields) -> Response:
    """Pause, resume, archive or restore a list."""
    action = form.get("action")
    try:
        if action == "pause":
            pause(visit.database, name, now=visit.now, by=visit.by)
        elif action == "resume":
            resume(visit.database, name, now=visit.now, by=visit.by)
        elif action == "restore":
            restore_list(visit.database, name, by=visit.by, now=visit.now)
        elif action == "archive":
            require_sure(form)
            archive_list(visit.database, name, by=visit.by, now=visit.now)
        else:
            raise unknown_action()
    except InvalidInput as error:
        return _list_page(visit, name, error=error)
    return back_to(f"{PATH}/{name}")


def _list_page(
    visit: Visit, name: str, *, saved: bool = False, error: InvalidInput | None = None
) -> Response:
    [found] = status(visit.database, name, now=visit.now).lists
    with visit.database.reading() as work:
        names = feed_names(work)
    return visit.page(
        "list.html",
        list=found,
        one=found.mailing_list,
        feeds=feeds_by_name(found.mailing_list, names),
        has_feeds=bool(names),
        frequencies=FREQUENCIES,
        default_hour=visit.app.settings.default_hour,
        access=access_token(visit.app.settings.keys, name) if found.mailing_list.private else "",
        saved=saved,
        error=error,
    )


@router.get("/lists/{name}/preview")
def preview(visit: Visit, name: str) -> Response:
    """Show the email that a new reader of a list would get now. Stores and sends nothing."""
    return digest_page(visit.app, visit.app.previewer.preview(name, now=visit.now, with_held=True))
