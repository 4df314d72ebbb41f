"""`POST /hooks/{provider}`: bounces and complaints, told by the service that sends our mail.

A provider tries again when it is answered 429 or 5xx, so only what may pass is answered so: our
database, or the provider's own certificate that cannot be had. What proves nothing gets one and the
same 403; the log says what is wrong with it. What is proven gets 200, however little it tells.
"""

import logging
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from paperround.bounces.handling import receive
from paperround.core.errors import FetchFailed, InvalidSignature, NotFound
from paperround.web.context import Home, Present, client_of, now_of, runtime_of
from paperround.web.security import HOOKS

log = logging.getLogger(__name__)

router = APIRouter(include_in_schema=False)


class TakenAnswer(BaseModel):
    """What became of a request: events that were taken down, known ones among them, and others
    that tell nothing of an address."""

    events: int
    ignored: int


def _be_patient(request: Request) -> None:
    """Count a call of the client; raises RateLimited when it is one too many."""
    runtime_of(request).hook_visits.require_patience(client_of(request), now=now_of(request))


async def _body(request: Request) -> bytes:
    return await request.body()


@router.post(f"{HOOKS}{{provider}}", dependencies=[Depends(_be_patient)])
def take(
    provider: str,
    request: Request,
    home: Home,
    now: Present,
    body: Annotated[bytes, Depends(_body)],
) -> TakenAnswer:
    """Take down what a provider tells, once: 403 for whatever is not proven, 503 where that cannot
    be told now."""
    if provider not in home.hooks:
        raise NotFound("there is no such hook here, or it is not set up")
    try:
        heard = home.hooks[provider].hear(body, request.headers, now=now)
    except InvalidSignature as error:
        log.warning("the hook %s refused a request: %s", provider, error)
        raise HTTPException(403, "Nothing proves that this comes from the provider.") from None
    except FetchFailed as error:
        log.warning("the hook %s cannot prove a request now: %s", provider, error)
        raise HTTPException(503, "This cannot be proven now. Send it again later.") from None
    if heard.ignored:
        log.info("the hook %s told %d things of no address", provider, heard.ignored)
    receive(home.database, home.settings.keys, heard.events, now=now)
    return TakenAnswer(events=len(heard.events), ignored=heard.ignored)
