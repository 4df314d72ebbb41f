"""What handlers get from a request: the runtime, the present, who asks."""

from contextlib import suppress
from datetime import datetime
from typing import Annotated

from fastapi import Depends, Request, Response

from paperround.domain.errors import DatabaseFailed
from paperround.jobs.self_service import language_kept
from paperround.web.cache import STANDINGS
from paperround.web.guard import CLIENT
from paperround.web.languages import speak_to
from paperround.web.templating import KEPT
from paperround.wiring import Runtime


def runtime_of(request: Request) -> Runtime:
    """The installation that serves the request."""
    runtime: Runtime = request.app.state.runtime
    return runtime


def now_of(request: Request) -> datetime:
    """The present, read once for each request."""
    return runtime_of(request).clock.now()


def client_of(request: Request) -> str | None:
    """The client's address as the guard found it."""
    address: str | None = request.scope.get(CLIENT)
    return address


def be_patient(request: Request, cost: int = 1) -> None:
    """Count a visit of the client as `cost` visits; raises RateLimited when that is too much."""
    visits, client, now = runtime_of(request).visits, client_of(request), now_of(request)
    try:
        visits.require_patience(client, now=now, cost=cost)
    finally:
        standing = visits.standing(client, now=now)
        if standing is not None:
            request.scope[STANDINGS].append(standing)


def speak_to_reader(request: Request, token: str) -> None:
    """Speak the language that the reader keeps whose link `token` is; that of the browser while the
    database is away, which is for the handler to say."""
    with suppress(DatabaseFailed):
        speak_to(language_kept(runtime_of(request).desk, token))


def keep_a_minute(response: Response) -> None:
    """Let caches keep what a handler gives back as a value."""
    response.headers.update(KEPT)


# What handlers depend on is looked up on the spot: for a plain `def` the framework goes to another
# thread and back, which costs more than most handlers do.


async def _home(request: Request) -> Runtime:
    return runtime_of(request)


async def _present(request: Request) -> datetime:
    return now_of(request)


async def _client(request: Request) -> str | None:
    return client_of(request)


async def _visit(request: Request) -> None:
    be_patient(request)


Home = Annotated[Runtime, Depends(_home)]
Present = Annotated[datetime, Depends(_present)]
Client = Annotated[str | None, Depends(_client)]
PATIENT = Depends(_visit)
"""Among a route's dependencies: its visitors are counted as those of the search."""
TO_ITS_READER = Depends(speak_to_reader)
"""Among the dependencies of what stands behind a link of one's own: pages are in the language of
its reader, whatever it is still good for."""
LASTING_A_MINUTE = Depends(keep_a_minute)
"""Among a route's dependencies: its answer is the same for everybody."""
