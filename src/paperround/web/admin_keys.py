"""The admin API for its own keys, with the functions of `paperround keys`."""

from datetime import datetime
from typing import Annotated, Any, Self

from fastapi import Path, Response
from pydantic import Field

from paperround.access.keys import (
    LIFE,
    LONGEST_NAME,
    CreatedKey,
    create_key,
    find_key,
    read_expiry,
    revoke_key,
)
from paperround.access.model import ApiKey, Scope
from paperround.access.store import KeyStore
from paperround.web.auth import Actor, OwnKey, keyed_router
from paperround.web.context import App, Now
from paperround.web.models import (
    CursorPage,
    Instant,
    PrintableText,
    Resource,
    StrictBody,
    example_config,
)
from paperround.web.paging import Paging

PREFIX = "/api/v1/admin/keys"

router = keyed_router(PREFIX, "admin: keys", reading=Scope.KEYS_READ, writing=Scope.KEYS_WRITE)

KeyPrefix = Annotated[
    str, Path(min_length=1, max_length=60, description="The 8 characters after `pr_`.")
]


class KeyBody(StrictBody):
    """A key to create."""

    model_config = example_config({"name": "laptop", "scopes": ["feeds:write"], "expires": "90d"})

    name: Annotated[
        PrintableText,
        Field(min_length=1, max_length=LONGEST_NAME, description="Who or what it is for."),
    ]
    scopes: Annotated[
        list[Annotated[Scope, Field(strict=False)]],
        Field(min_length=1, description="Its scopes: at most those of the key that creates it."),
    ]
    expires: Annotated[
        str,
        Field(max_length=40, description="When it stops working: a date, days like 90d, or never."),
    ] = LIFE


class KeyAnswer(Resource):
    """A key, without its text."""

    id: int
    name: PrintableText
    prefix: str
    scopes: list[str]
    state: str
    created_at: Instant
    expires_at: Instant | None
    revoked_at: Instant | None
    last_used_at: Instant | None

    @classmethod
    def at(cls, key: ApiKey, now: datetime) -> Self:
        """Return the resource for `key` with its state at `now`."""
        return cls(**_fields(key, now))


class NewKeyAnswer(KeyAnswer):
    """A new key with its text, which is only shown this once."""

    key: str

    @classmethod
    def created(cls, made: CreatedKey, now: datetime) -> Self:
        """Return the resource for a key created at `now`."""
        return cls(key=made.text, **_fields(made.key, now))


def _fields(key: ApiKey, now: datetime) -> dict[str, Any]:
    names = "id name prefix created_at expires_at revoked_at last_used_at"
    state = "live" if key.is_live(now) else "expired"
    return {
        **{name: getattr(key, name) for name in names.split()},
        "scopes": sorted(key.scopes),
        "state": "revoked" if key.revoked_at is not None else state,
    }


@router.get("", summary="List keys")
def list_api_keys(app: App, now: Now, paging: Paging) -> CursorPage[KeyAnswer]:
    """Every key, newest first, with its scopes and state."""
    with app.database.reading() as work:
        found = work[KeyStore].page(before=paging.last_id("keys"), limit=paging.rows)
    return paging.page("keys", found, lambda key: KeyAnswer.at(key, now))


@router.post(
    "",
    summary="Create a key",
    status_code=201,
    responses={
        201: {"headers": {"Location": {"schema": {"type": "string"}, "description": "Its address"}}}
    },
)
def create_api_key(
    app: App, now: Now, actor: Actor, own: OwnKey, body: KeyBody, response: Response
) -> NewKeyAnswer:
    """Create a key that ends no later than yours, and show its text once."""
    made = create_key(
        app.database,
        body.name,
        body.scopes,
        expires_at=read_expiry(body.expires, now=now),
        now=now,
        maker=own,
        by=actor,
    )
    response.headers["Location"] = f"{PREFIX}/{made.key.prefix}"
    return NewKeyAnswer.created(made, now)


@router.get("/{prefix}", summary="Read a key")
def read_api_key(app: App, now: Now, prefix: KeyPrefix) -> KeyAnswer:
    """One key, without its text."""
    return KeyAnswer.at(find_key(app.database, prefix), now)


@router.delete("/{prefix}", summary="Revoke a key", status_code=204)
def revoke_api_key(app: App, now: Now, actor: Actor, prefix: KeyPrefix) -> None:
    """Revoke a key and all keys that it made, at once. They stay in the list. Repeating this is
    harmless."""
    revoke_key(app.database, prefix, now=now, by=actor)
