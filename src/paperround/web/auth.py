"""Routes that need an API key, `Authorization: Bearer pr_...`, and idempotent requests.

The key is checked before the rest of the request, so a response to an invalid key reveals nothing,
not even which fields exist. Scopes belong to the router: reading for GET, writing for every other
method, so a new route is protected by default.
"""

import asyncio
import hashlib
from collections.abc import Callable, Collection, Coroutine
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from paperround.access.idempotency import KEY, once, run_once_outside
from paperround.access.keys import authenticate, tries_left
from paperround.access.model import ApiKey, IdempotentRequest, Scope, StoredResponse, allows, by_key
from paperround.access.rate_limiter import client_and_network
from paperround.bootstrap.workers import MAIL, POLL, PUBLISH
from paperround.core.errors import InvalidInput
from paperround.web.cache import RATE_STATUSES
from paperround.web.context import get_app, get_client, get_now

# `Idempotency-Key`: a POST sent twice acts once (draft-ietf-httpapi-idempotency-key-header).
#
# Such a request runs in one thread with its own event loop: it holds the write lock until its
# response is stored, and must not wait for a worker thread while others wait for that lock.

Handler = Callable[[Request], Coroutine[Any, Any, Response]]

MAX_KEY = 255


async def respond_once(
    request: Request, inner: Handler, *, sender: str | None = None, outside: bool = False
) -> Response:
    """Return the response of `inner`, or the stored one if `sender` sent the same request before.

    `sender` is the API key's prefix. A client without one is identified by a keyed hash of its
    address, so clients elsewhere that use the same idempotency key neither collide nor learn that
    it was used. Clients that share an address share their idempotency keys, which is harmless: a
    stored response contains nothing that the request did not.

    Without an idempotency key, and for methods other than POST, `inner` always runs. Set `outside`
    if it has effects outside the database. Raises InvalidInput for an invalid key, and for the key
    of another request.
    """
    key = _idempotency_key(request) if request.method == "POST" else None
    if key is None:
        return await inner(request)
    app, body = get_app(request), await request.body()
    keys = app.settings.keys
    if sender is None:
        sender = keys.digest("client", client_and_network(get_client(request))[0])
    query = request.scope["query_string"].decode("latin-1")
    body_hash = hashlib.sha256(body).hexdigest()
    text = f"{request.method} {request.scope['path']}?{query} {body_hash}"
    # Only hashes of the request are stored, because it may contain an email address.
    idempotent = IdempotentRequest(
        key=hashlib.sha256(f"{sender}\0{key}".encode()).hexdigest(),
        prints=tuple(keys.digest("request", text, key_id) for key_id in keys.key_ids),
    )
    stored = await run_in_threadpool(_run_once, request, inner, idempotent, outside)
    return Response(stored.body, stored.status, dict(stored.headers))


def _run_once(
    request: Request, inner: Handler, idempotent: IdempotentRequest, outside: bool
) -> StoredResponse:
    """Return the new or stored response, in this thread."""
    app, now = get_app(request), get_now(request)

    def run() -> StoredResponse:
        response = asyncio.run(inner(request))
        headers = {k: value for k, value in response.headers.items() if k != "content-length"}
        body = bytes(response.body).decode()
        return StoredResponse(status=response.status_code, headers=headers, body=body)

    stored, is_new = (run_once_outside if outside else once)(app.database, idempotent, run, now=now)
    if is_new:
        for job in (*MAIL, POLL, PUBLISH):  # before the commit, woken workers saw nothing
            app.queue.put(job)
    return stored


def _idempotency_key(request: Request) -> str | None:
    """Return the idempotency key, quoted as in the draft or bare; None without one."""
    values = request.headers.getlist(KEY)
    if not values:
        return None
    text = values[0].strip()
    if len(text) >= 2 and text[0] == text[-1] == '"':
        text = text[1:-1]
    if len(values) > 1 or not (0 < len(text) <= MAX_KEY and text.isascii() and text.isprintable()):
        raise InvalidInput(
            f"send one {KEY} of at most {MAX_KEY} printable ASCII characters, such as a UUID",
            code=KEY,
        )
    return text


SCHEME = "key"
"""The name of the security scheme in the OpenAPI schema."""


class KeyedRoute(APIRoute):
    """A route that needs an active API key with its scope."""

    read: Scope
    write: Scope
    slow: frozenset[str]
    questions: frozenset[str]

    def __init__(self, path: str, endpoint: Callable[..., Any], **settings: Any) -> None:
        is_get = set(settings.get("methods") or ()) <= {"GET", "HEAD"}
        only_reads = is_get or endpoint.__name__ in self.questions
        scope = self.read if only_reads else self.write
        self.scope = scope
        extra = settings.pop("openapi_extra", None) or {}
        extra = {**extra, "security": [{SCHEME: [scope.value]}]}
        super().__init__(path, endpoint, openapi_extra=extra, **settings)

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the handler, which checks the key first."""
        inner = super().get_route_handler()

        async def keyed(request: Request) -> Response:
            key = await run_in_threadpool(require_key, request, self.scope)
            request.state.key = key
            sender = request.state.actor = by_key(key.prefix)
            if self.name in self.questions:
                return await inner(request)
            return await respond_once(request, inner, sender=sender, outside=self.name in self.slow)

        return keyed


def keyed_router(
    prefix: str,
    tag: str,
    *,
    reading: Scope,
    writing: Scope,
    outside: Collection[str] = (),
    asking: Collection[str] = (),
) -> APIRouter:
    """Return a router whose routes need an API key: with the scope `reading` for GET, `writing` for
    the rest. The handlers named in `outside` are slow, with effects outside the database. Those in
    `asking` are POSTs that only read, since an address may not be in a URL: `reading` is enough,
    and no response is stored."""

    class ScopedRoute(KeyedRoute):
        read, write, slow = reading, writing, frozenset(outside)
        questions = frozenset(asking)

    return APIRouter(prefix=prefix, tags=[tag], route_class=ScopedRoute)


def get_actor(request: Request) -> str:
    """Return the actor for the audit log: the API key, by its prefix."""
    actor: str = request.state.actor
    return actor


Actor = Annotated[str, Depends(get_actor)]


def get_key(request: Request) -> ApiKey:
    """Return the request's API key."""
    key: ApiKey = request.state.key
    return key


OwnKey = Annotated[ApiKey, Depends(get_key)]


def require_key(request: Request, scope: Scope) -> ApiKey:
    """Return the request's API key if it is active and has `scope`.

    Raises RateLimited, and HTTPException: 401, the same for a missing, wrong, expired or revoked
    key, and 403 for one without the scope.
    """
    app, client, now = get_app(request), get_client(request), get_now(request)
    database, ring = app.database, app.settings.keys
    key, sent = None, None
    # A header with another scheme, or sent twice, counts as a wrong key.
    if headers := request.headers.getlist("authorization"):
        scheme, _, text = headers[0].partition(" ")
        sent = text.strip() if len(headers) == 1 and scheme.lower() == "bearer" else ""
    try:
        key = authenticate(database, ring, sent, client=client, now=now)
    finally:
        if key is None:
            request.scope[RATE_STATUSES].append(tries_left(database, ring, client, now=now))
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
