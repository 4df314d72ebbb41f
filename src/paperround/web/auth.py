"""Routes behind a key: `Authorization: Bearer pr_...`.

A keyed route asks for the key before anything else of the request is looked at, so a stranger
learns nothing from an answer, not even which fields there are. What a key must be allowed to do is
a matter of the router: reading for GET, writing for everything else, also for a route that is
added one day by somebody who thinks of neither.
"""

from collections.abc import Callable, Collection, Coroutine
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from paperround.domain.keys import ApiKey, Scope, allows, by_key
from paperround.jobs.keys import authenticate, tries_left
from paperround.web.cache import STANDINGS
from paperround.web.home import client_of, now_of, runtime_of
from paperround.web.idempotency import answer_once

SCHEME = "key"
"""What the OpenAPI file calls this way of logging in."""

_READS = frozenset({"GET", "HEAD"})


class KeyedRoute(APIRoute):
    """A route that only a live key with its scope may use."""

    read: Scope
    write: Scope
    slow: frozenset[str]

    def __init__(self, path: str, endpoint: Callable[..., Any], **settings: Any) -> None:
        scope = self.read if set(settings.get("methods") or ()) <= _READS else self.write
        self.scope = scope
        said = settings.pop("openapi_extra", None) or {}
        extra = {**said, "security": [{SCHEME: [scope.value]}]}
        super().__init__(path, endpoint, openapi_extra=extra, **settings)

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler, behind the key."""
        inner = super().get_route_handler()

        async def keyed(request: Request) -> Response:
            key = await run_in_threadpool(require_key, request, self.scope)
            who = request.state.actor = by_key(key.prefix)
            return await answer_once(request, inner, who=who, outside=self.name in self.slow)

        return keyed


def keyed_router(
    prefix: str, tag: str, *, reading: Scope, writing: Scope, outside: Collection[str] = ()
) -> APIRouter:
    """A router whose every route needs a key: for GET one with `reading`, for the rest one with
    `writing`. The handlers named in `outside` do more than write to the database, and take their
    time."""

    class ScopedRoute(KeyedRoute):
        read, write, slow = reading, writing, frozenset(outside)

    return APIRouter(prefix=prefix, tags=[tag], route_class=ScopedRoute)


def actor_of(request: Request) -> str:
    """Who asks, as the audit names them: the key that was shown."""
    actor: str = request.state.actor
    return actor


Actor = Annotated[str, Depends(actor_of)]


def require_key(request: Request, scope: Scope) -> ApiKey:
    """Let pass who shows a live key with `scope`; returns it.

    Raises RateLimited, and HTTPException: 401, the same for a missing, wrong, expired and revoked
    key, or 403 for one that is not allowed this.
    """
    home, client, now = runtime_of(request), client_of(request), now_of(request)
    database, ring = home.database, home.settings.keys
    key = None
    shown: str | None = None
    # A header that says anything else than `Bearer`, or comes twice, is wrong.
    if headers := request.headers.getlist("authorization"):
        scheme, _, text = headers[0].partition(" ")
        shown = text.strip() if len(headers) == 1 and scheme.lower() == "bearer" else ""
    try:
        key = authenticate(database, ring, shown, client=client, now=now)
    finally:
        if key is None:
            request.scope[STANDINGS].append(tries_left(database, ring, client, now=now))
    if key is None:
        raise HTTPException(
            401, "This needs a key: Authorization: Bearer pr_...", {"WWW-Authenticate": "Bearer"}
        )
    if not allows(key.scopes, scope):
        challenge = f'Bearer error="insufficient_scope", scope="{scope}"'
        raise HTTPException(
            403, f"This key does not have the scope {scope}.", {"WWW-Authenticate": challenge}
        )
    return key
