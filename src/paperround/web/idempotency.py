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
from starlette.concurrency import run_in_threadpool

from paperround.domain.errors import InvalidInput
from paperround.domain.keys import Answer, Asked
from paperround.jobs.repeats import KEY, once, once_outside
from paperround.jobs.signup_limits import client_and_network
from paperround.web.home import client_of, now_of, runtime_of
from paperround.wiring.hands import MAIL, POLL, PUBLISH

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
    asked = Asked(
        key=hashlib.sha256(f"{who}\0{key}".encode()).hexdigest(),
        prints=tuple(keys.digest("request", text, key_id) for key_id in keys.key_ids),
    )
    answer = await run_in_threadpool(_answered, request, inner, asked, outside)
    return Response(answer.body, answer.status, dict(answer.headers))


def _answered(request: Request, inner: Handler, asked: Asked, outside: bool) -> Answer:
    """The answer, in this thread."""
    home, now = runtime_of(request), now_of(request)

    def run() -> Answer:
        response = asyncio.run(inner(request))
        said = {k: value for k, value in response.headers.items() if k != "content-length"}
        body = bytes(response.body).decode()
        return Answer(status=response.status_code, headers=said, body=body)

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
