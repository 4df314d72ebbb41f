"""`POST /hooks/{provider}`: webhooks of email providers that report bounces and complaints.

A provider retries after 429 or 5xx, so only temporary failures get those: our database is down, or
the provider's certificate cannot be fetched. Every request with an invalid signature gets the same
403, and the log contains the cause. Every valid request gets 200, even one without events.
"""

import logging
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from paperround.bounces.handling import receive
from paperround.core.errors import FetchFailed, InvalidSignature, NotFound
from paperround.web.context import App, Now, get_app, get_client, get_now
from paperround.web.security import HOOKS

log = logging.getLogger(__name__)

router = APIRouter(include_in_schema=False)


class TakenAnswer(BaseModel):
    """The number of events recorded, including known ones, and of events that concern no
    address."""

    events: int
    ignored: int


def _check_rate_limit(request: Request) -> None:
    """Count a request of the client. Raises RateLimited above the limit."""
    get_app(request).hook_rate_limiter.check_rate_limit(get_client(request), now=get_now(request))


async def _body(request: Request) -> bytes:
    return await request.body()


@router.post(f"{HOOKS}{{provider}}", dependencies=[Depends(_check_rate_limit)])
def receive_events(
    provider: str,
    request: Request,
    app: App,
    now: Now,
    body: Annotated[bytes, Depends(_body)],
) -> TakenAnswer:
    """Record the events of a provider, once each. Returns 403 for an invalid signature, 503 when it
    cannot be verified now."""
    if provider not in app.hooks:
        raise NotFound("there is no such hook, or it is not configured")
    try:
        report = app.hooks[provider].hear(body, request.headers, now=now)
    except InvalidSignature as error:
        log.warning("the hook %s refused a request: %s", provider, error)
        raise HTTPException(403, "This request is not proven to come from the provider.") from None
    except FetchFailed as error:
        log.warning("the hook %s cannot verify a request now: %s", provider, error)
        raise HTTPException(503, "This cannot be verified now. Send it again later.") from None
    if report.ignored:
        log.info("the hook %s reported %d events without an address", provider, report.ignored)
    receive(app.database, app.settings.keys, report.events, now=now)
    return TakenAnswer(events=len(report.events), ignored=report.ignored)
