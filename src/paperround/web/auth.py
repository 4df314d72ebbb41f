"""Routes behind a key: `Authorization: Bearer pr_...`.

A keyed route asks for the key before anything else of the request is looked at, so a stranger
learns nothing from an answer, not even which fields there are. What a key must be allowed to do is
a matter of the router: reading for GET, writing for everything else, also for a route that is
added one day by somebody who thinks of neither.
"""

import asyncio
import hashlib
from collections.abc import Callable, Collection, Coroutine
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from paperround.access.idempotency import KEY, once, once_outside
from paperround.access.keys import authenticate, tries_left
from paperround.access.model import ApiKey, IdempotentRequest, Scope, StoredResponse, allows, by_key
from paperround.access.rate_limiter import client_and_network
from paperround.bootstrap.workers import MAIL, POLL, PUBLISH
from paperround.core.errors import InvalidInput
from paperround.web.cache import STANDINGS
from paperround.web.context import client_of, now_of, runtime_of

# `Idempotency-Key`: a POST that comes twice acts once (draft-ietf-httpapi-idempotency-key-header).
#
# A keyed request runs in one thread, with an event loop of its own: it holds the writer's lock
# until its answer is kept, and must not wait meanwhile for one of the threads in which others wait
# for that lock.

Handler = Callable[[Request], Coroutine[Any, Any, Response]]

LONGEST = 255


async def answer_once(
    request: Request, inner: Handler, *, who: str | None = None, outside: bool = False
) -> Response:
    """What `inner` answers, or what it answered when `who` sent the same under the same key.

    A program without a key of ours is known by its client address, as the limits count it, of which
    a keyed hash is kept: nobody elsewhere is refused for a key that somebody else thought of too,
    or learns that it was used. Programs that share an address share their keys: what is answered to
    one of them says nothing that the request did not.

    Without a key, and for what is no POST, `inner` answers every time. `outside`: it does more than
    write to the database. Raises InvalidInput for a key that is none, and for one of another
    request.
    """
    key = _key_of(request) if request.method == "POST" else None
    if key is None:
        return await inner(request)
    home, body = runtime_of(request), await request.body()
    keys = home.settings.keys
    if who is None:
        who = keys.digest("client", client_and_network(client_of(request))[0])
    query = request.scope["query_string"].decode("latin-1")
    said = hashlib.sha256(body).hexdigest()
    text = f"{request.method} {request.scope['path']}?{query} {said}"
    # Nothing of the request is kept but keyed hashes: it may hold an address.
    asked = IdempotentRequest(
        key=hashlib.sha256(f"{who}\0{key}".encode()).hexdigest(),
        prints=tuple(keys.digest("request", text, key_id) for key_id in keys.key_ids),
    )
    answer = await run_in_threadpool(_answered, request, inner, asked, outside)
    return Response(answer.body, answer.status, dict(answer.headers))


def _answered(
    request: Request, inner: Handler, asked: IdempotentRequest, outside: bool
) -> StoredResponse:
    """The answer, in this thread."""
    home, now = runtime_of(request), now_of(request)

    def run() -> StoredResponse:
        response = asyncio.run(inner(request))
        said = {k: value for k, value in response.headers.items() if k != "content-length"}
        body = bytes(response.body).decode()
        return StoredResponse(status=response.status_code, headers=said, body=body)

    answer, is_new = (once_outside if outside else once)(home.database, asked, run, now=now)
    if is_new:
        for job in (*MAIL, POLL, PUBLISH):  # whoever was woken before there was anything to see
            home.queue.put(job)
    return answer


def _key_of(request: Request) -> str | None:
    """The key as its sender wrote it, quoted as the draft wants it or bare; None without one."""
    given = request.headers.getlist(KEY)
    if not given:
        return None
    text = given[0].strip()
    if len(text) >= 2 and text[0] == text[-1] == '"':
        text = text[1:-1]
    if len(given) > 1 or not (0 < len(text) <= LONGEST and text.isascii() and text.isprintable()):
        raise InvalidInput(
            f"send one {KEY} of up to {LONGEST} printable ASCII characters, such as a UUID",
            code=KEY,
        )
    return text


SCHEME = "key"
"""What the OpenAPI file calls this way of logging in."""


class KeyedRoute(APIRoute):
    """A route that only a live key with its scope may use."""

    read: Scope
    write: Scope
    slow: frozenset[str]

    def __init__(self, path: str, endpoint: Callable[..., Any], **settings: Any) -> None:
        scope = self.read if set(settings.get("methods") or ()) <= {"GET", "HEAD"} else self.write
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
