"""What handlers get from a request: the runtime, the present, who asks."""

from datetime import datetime
from typing import Annotated

from fastapi import Depends, Request

from paperround.web.guard import CLIENT
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


def be_patient(request: Request) -> None:
    """Count a search of the client; raises RateLimited when it is one too many."""
    runtime_of(request).visits.require_patience(client_of(request), now=now_of(request))


Home = Annotated[Runtime, Depends(runtime_of)]
Present = Annotated[datetime, Depends(now_of)]
Client = Annotated[str | None, Depends(client_of)]
PATIENT = Depends(be_patient)
"""Among a route's dependencies: its visitors are counted as those of the search."""
