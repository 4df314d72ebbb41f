"""The admin API for lists, with the functions of `paperround lists`."""

from typing import Annotated, Any

from fastapi import Path, Response

from paperround.access.model import Scope
from paperround.bootstrap import AppContext
from paperround.editions.lists import ListId, MailingList
from paperround.editions.manage_lists import (
    archive_list,
    create_list,
    edit_list,
    feed_names,
    restore_list,
)
from paperround.editions.store.lists import ListStore
from paperround.web.auth import Actor, keyed_router
from paperround.web.context import App, Now
from paperround.web.list_models import ListBody, ListChanges, ListDetails, NewListBody
from paperround.web.models import CursorPage
from paperround.web.paging import Paging

PREFIX = "/api/v1/admin/lists"

router = keyed_router(PREFIX, "admin: lists", reading=Scope.LISTS_READ, writing=Scope.LISTS_WRITE)

Name = Annotated[str, Path(max_length=60, description="A list.", examples=["trending"])]


@router.get("", summary="List lists")
def list_all_lists(app: App, paging: Paging) -> CursorPage[ListDetails]:
    """Every list, including archived and private ones, oldest first."""
    after = ListId(paging.last_id("lists") or 0)
    with app.database.reading() as work:
        found, names = work[ListStore].page(after, limit=paging.rows), feed_names(work)
    return paging.page("lists", found, lambda one: ListDetails.shown(one, names))


@router.post(
    "",
    summary="Create a list",
    status_code=201,
    responses={
        201: {"headers": {"Location": {"schema": {"type": "string"}, "description": "Its address"}}}
    },
)
def create_new_list(
    app: App, now: Now, actor: Actor, body: NewListBody, response: Response
) -> ListDetails:
    """Create a list. The default time zone is that of the installation."""
    changes = {"zone": app.settings.timezone, **_changes(body)}
    made = create_list(app.database, changes.pop("name"), changes, by=actor, now=now)
    response.headers["Location"] = f"{PREFIX}/{made.name}"
    return _shown(app, made)


@router.get("/{name}", summary="Read a list")
def read_list(app: App, name: Name) -> ListDetails:
    """One list with its settings."""
    with app.database.reading() as work:
        return ListDetails.shown(work[ListStore].get(name), feed_names(work))


@router.patch("/{name}", summary="Change a list")
def change_list(app: App, now: Now, actor: Actor, name: Name, body: ListChanges) -> ListDetails:
    """Change the fields that are given; the others stay. Frozen editions do not change."""
    return _shown(app, edit_list(app.database, name, _changes(body), by=actor, now=now))


@router.post("/{name}/archive", summary="Archive a list")
def archive(app: App, now: Now, actor: Actor, name: Name) -> ListDetails:
    """Archive a list: no sign-ups, no editions, no digests. Its archive stays online."""
    return _shown(app, archive_list(app.database, name, by=actor, now=now))


@router.post("/{name}/restore", summary="Restore a list")
def restore(app: App, now: Now, actor: Actor, name: Name) -> ListDetails:
    """Restore an archived list."""
    return _shown(app, restore_list(app.database, name, by=actor, now=now))


def _changes(body: ListBody) -> dict[str, Any]:
    """Return the fields that were given, lists as tuples."""
    given = body.model_dump(exclude_unset=True)
    return {name: tuple(one) if isinstance(one, list) else one for name, one in given.items()}


def _shown(app: AppContext, one: MailingList) -> ListDetails:
    with app.database.reading() as work:
        return ListDetails.shown(one, feed_names(work))
