"""`Idempotency-Key`: a POST that comes twice acts once (draft-ietf-httpapi-idempotency-key-header).

A keyed request runs in one thread, with an event loop of its own: it holds the writer's lock until
its answer is kept, and must not wait meanwhile for one of the threads in which others wait for that
lock.
"""

import asyncio
import hashlib
from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool

from paperround.domain.errors import InvalidInput
from paperround.domain.keys import Answer, Asked
from paperround.domain.tokens import KeyRing
from paperround.jobs.repeats import KEY, once, once_outside
from paperround.jobs.signup_limits import client_and_network
from paperround.web.home import client_of, now_of, runtime_of
from paperround.wiring.hands import MAIL, POLL, PUBLISH

Handler = Callable[[Request], Coroutine[Any, Any, Response]]

LONGEST = 255
_PRINT = "request"
_CLIENT = "client"
_LEFT_OUT = frozenset({"content-length"})


class OnceRoute(APIRoute):
    """A route whose POST may be sent again, by programs without a key of ours.

    Their keys belong to the client address, as the limits count it: nobody elsewhere is refused
    for a key that somebody else thought of too, or learns that it was used. Programs that share an
    address share their keys: what is answered to one of them says nothing that the request did
    not.
    """

    def get_route_handler(self) -> Handler:
        """The handler, behind that."""
        inner = super().get_route_handler()

        async def keyed(request: Request) -> Response:
            return await answer_once(request, inner, who=_client)

        return keyed


async def answer_once(
    request: Request, inner: Handler, *, who: Callable[[Request], str], outside: bool = False
) -> Response:
    """What `inner` answers, or what it answered when `who` sent the same under the same key.

    Without a key, and for what is no POST, `inner` answers every time. `outside`: it does more than
    write to the database. Raises InvalidInput for a key that is none, and for one of another
    request.
    """
    key = _key_of(request) if request.method == "POST" else None
    if key is None:
        return await inner(request)
    asked = _asked(
        runtime_of(request).settings.keys, request, await request.body(), who(request), key
    )
    answer = await run_in_threadpool(_answered, request, inner, asked, outside)
    return Response(answer.body, answer.status, dict(answer.headers))


def _answered(request: Request, inner: Handler, asked: Asked, outside: bool) -> Answer:
    """The answer, in this thread."""
    home, now = runtime_of(request), now_of(request)
    way = once_outside if outside else once
    answer, is_new = way(home.database, asked, lambda: _run(request, inner), now=now)
    if is_new:
        for job in (*MAIL, POLL, PUBLISH):  # whoever was woken before there was anything to see
            home.queue.put(job)
    return answer


def _run(request: Request, inner: Handler) -> Answer:
    response = asyncio.run(inner(request))
    headers = {name: value for name, value in response.headers.items() if name not in _LEFT_OUT}
    return Answer(status=response.status_code, headers=headers, body=bytes(response.body).decode())


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


def _client(request: Request) -> str:
    """Who asks without a key: a keyed hash of the address, for no address is kept."""
    address, _ = client_and_network(client_of(request))
    return runtime_of(request).settings.keys.digest(_CLIENT, address)


def _asked(keys: KeyRing, request: Request, body: bytes, who: str, key: str) -> Asked:
    """Nothing of the request is kept but keyed hashes: it may hold an address."""
    query = request.scope["query_string"].decode("latin-1")
    said = hashlib.sha256(body).hexdigest()
    text = f"{request.method} {request.scope['path']}?{query} {said}"
    return Asked(
        key=hashlib.sha256(f"{who}\0{key}".encode()).hexdigest(),
        prints=tuple(keys.digest(_PRINT, text, key_id) for key_id in keys.key_ids),
    )
