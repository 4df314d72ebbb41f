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


Home = Annotated[Runtime, Depends(runtime_of)]
Present = Annotated[datetime, Depends(now_of)]
Client = Annotated[str | None, Depends(client_of)]
