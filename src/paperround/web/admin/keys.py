"""The admin page of API keys: list, create, revoke."""

from typing import Annotated

from fastapi import Form, Request, Response
from pydantic import BaseModel

from paperround.access.keys import (
    LIFE,
    CreatedKey,
    create_key,
    list_keys,
    read_expiry,
    revoke_key,
)
from paperround.access.model import Scope
from paperround.core.errors import InvalidInput
from paperround.core.languages import marked
from paperround.web.admin.session import Operator, admin_page, back_to, operator_router
from paperround.web.context import App, Now

router = operator_router()

PATH = "/admin/keys"

READ = ":read"
"""The end of the scopes that change nothing."""


class NewKeyForm(BaseModel):
    """The form of a new key."""

    name: str = ""
    scope: list[str] = []
    expires: str = LIFE


def _page(
    app: App,
    now: Now,
    request: Request,
    form: NewKeyForm,
    *,
    status: int = 200,
    error: InvalidInput | None = None,
    created: CreatedKey | None = None,
) -> Response:
    return admin_page(
        request,
        "keys.html",
        status=status,
        keys=list_keys(app.database),
        reading=[one.value for one in Scope if one.endswith(READ)],
        writing=[one.value for one in Scope if not one.endswith(READ)],
        form=form,
        error=error,
        created=created,
        now=now,
    )


@router.get("/keys")
def show_keys(app: App, now: Now, request: Request) -> Response:
    """Show every key by its prefix, and the form of a new one."""
    return _page(app, now, request, NewKeyForm())


@router.post("/keys")
def create(
    app: App, now: Now, by: Operator, request: Request, form: Annotated[NewKeyForm, Form()]
) -> Response:
    """Create a key, and show its text this one time."""
    try:
        expires_at = read_expiry(form.expires.strip(), now=now)
        created = create_key(
            app.database, form.name, _scopes(form), expires_at=expires_at, now=now, by=by
        )
    except InvalidInput as error:
        return _page(app, now, request, form, status=422, error=error)
    return _page(app, now, request, NewKeyForm(), status=201, created=created)


def _scopes(form: NewKeyForm) -> list[Scope]:
    """Return the scopes that are ticked. Raises InvalidInput."""
    if not form.scope or not {*form.scope} <= {*Scope}:
        raise InvalidInput(marked("Tick at least one permission."), code="scopes")
    return [Scope(one) for one in form.scope]


@router.post("/keys/{prefix}/revoke")
def revoke(app: App, now: Now, by: Operator, prefix: str) -> Response:
    """End a key at once."""
    revoke_key(app.database, prefix, now=now, by=by)
    return back_to(PATH)
