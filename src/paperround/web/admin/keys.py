"""The admin page of API keys: list, create, revoke."""

from collections import defaultdict
from typing import Annotated

from fastapi import Form, Response
from pydantic import BaseModel

from paperround.access.keys import LIFE, CreatedKey, create_key, list_keys, read_expiry, revoke_key
from paperround.access.model import KeyId, Scope
from paperround.core.errors import InvalidInput
from paperround.core.languages import marked
from paperround.web.admin.session import FRESH_LOGIN, Visit, back_to, operator_router

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
    visit: Visit,
    form: NewKeyForm,
    *,
    status: int = 200,
    error: InvalidInput | None = None,
    created: CreatedKey | None = None,
) -> Response:
    keys = list_keys(visit.database)
    made: defaultdict[KeyId, list[str]] = defaultdict(list)
    for key in keys:  # newest first: a key comes after all that it made
        if key.parent is not None and key.is_live(visit.now):
            made[key.parent] += [key.name, *made[key.id]]
    return visit.page(
        "keys.html",
        status=status,
        keys=keys,
        made=made,
        reading=[one.value for one in Scope if one.endswith(READ)],
        writing=[one.value for one in Scope if not one.endswith(READ)],
        form=form,
        error=error,
        created=created,
    )


@router.get("/keys")
def show_keys(visit: Visit) -> Response:
    """Show every key by its prefix, and the form of a new one."""
    return _page(visit, NewKeyForm())


@router.post("/keys", dependencies=[FRESH_LOGIN])
def create(visit: Visit, form: Annotated[NewKeyForm, Form()]) -> Response:
    """Create a key, and show its text this one time."""
    try:
        expires_at = read_expiry(form.expires.strip(), now=visit.now)
        created = create_key(
            visit.database,
            form.name,
            _scopes(form),
            expires_at=expires_at,
            now=visit.now,
            by=visit.by,
        )
    except InvalidInput as error:
        return _page(visit, form, status=422, error=error)
    return _page(visit, NewKeyForm(), status=201, created=created)


def _scopes(form: NewKeyForm) -> list[Scope]:
    """Return the scopes that are ticked. Raises InvalidInput."""
    if not form.scope or not {*form.scope} <= {*Scope}:
        raise InvalidInput(marked("Tick at least one permission."), code="scopes")
    return [Scope(one) for one in form.scope]


@router.post("/keys/{prefix}/revoke", dependencies=[FRESH_LOGIN])
def revoke(visit: Visit, prefix: str) -> Response:
    """End a key and all keys that it made, at once."""
    revoke_key(visit.database, prefix, now=visit.now, by=visit.by)
    return back_to(PATH)
