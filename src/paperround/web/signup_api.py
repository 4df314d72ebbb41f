"""The sign-up API. The response is the same whatever is known about the address."""

from typing import Annotated

from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.routing import APIRoute
from pydantic import BaseModel, ConfigDict, Field

from paperround.core.errors import RateLimited
from paperround.editions.lists import DEFAULT_LIST
from paperround.signup.limits import count_refused, rate_limit_status
from paperround.signup.requests import SignupRequest, subscribe
from paperround.subscribers.interests import (
    LONGEST_STATEMENT,
    MOST_INTERESTS,
    Interest,
    InterestKind,
)
from paperround.subscribers.model import Frequency, Preferences, parse_frequency
from paperround.subscribers.readers import Visitor
from paperround.web.auth import Handler, respond_once
from paperround.web.cache import RATE_STATUSES
from paperround.web.context import App, Client, Now, get_app, get_now
from paperround.web.signup import parse_new_address


class WantedInterest(BaseModel):
    """An interest or a mute, which applies to all of a person's lists."""

    model_config = ConfigDict(extra="forbid")

    kind: InterestKind
    value: str = Field(max_length=LONGEST_STATEMENT)


class NewSubscription(BaseModel):
    """A sign-up to a list. By default digests are daily, at the list's hour. `also` are further
    lists, confirmed by the same email."""

    model_config = ConfigDict(extra="forbid")

    email: str = Field(max_length=320)
    list_name: str = Field(default=DEFAULT_LIST, alias="list", max_length=100)
    also: tuple[Annotated[str, Field(max_length=100)], ...] = Field(default=(), max_length=20)
    timezone: str | None = Field(default=None, max_length=100)
    hour: int | None = Field(default=None, ge=0, le=23)
    frequency: str = Field(default=Frequency.DAILY.value, max_length=20)
    topics: tuple[str, ...] = Field(default=(), max_length=50)
    language: str | None = Field(default=None, max_length=35)
    interests: tuple[WantedInterest, ...] = Field(default=(), max_length=MOST_INTERESTS)


class Accepted(BaseModel):
    """The response, which is the same for every address."""

    status: str = "accepted"
    detail: str = "Queued: if the address can be used, an email with a link is sent to it."


class SignupRoute(APIRoute):
    """The route of the sign-up API: idempotent, and counting refusals by a limit."""

    def get_route_handler(self) -> Handler:
        """Return the handler with both."""
        inner = super().get_route_handler()

        async def counted(request: Request) -> Response:
            try:
                return await respond_once(request, inner)
            except RateLimited as error:
                app, now = get_app(request), get_now(request)
                await run_in_threadpool(count_refused, app.database, error, now=now)
                raise

        return counted


api = APIRouter(prefix="/api/v1", tags=["subscriptions"], route_class=SignupRoute)


@api.post("/subscriptions", status_code=202)
def create_subscription(
    app: App, now: Now, client: Client, request: Request, asked: NewSubscription
) -> Accepted:
    """Sign up to a list. The response reveals nothing about the address."""
    frequency, weekday = parse_frequency(asked.frequency)
    wanted = SignupRequest(
        address=parse_new_address(app, asked.email),
        list_name=asked.list_name,
        preferences=Preferences(
            timezone=asked.timezone,
            hour=asked.hour,
            frequency=frequency,
            weekday=weekday,
            language=asked.language,
            topics=asked.topics,
        ),
        visitor=Visitor(ip=client, stamped=False),
        source="api",
        interests=tuple(Interest(one.kind, one.value) for one in asked.interests),
        also=asked.also,
    )
    try:
        subscribe(app.signup_context, wanted, now=now)
    finally:
        left = rate_limit_status(app.signup_context, wanted.visitor, now=now)
        request.scope[RATE_STATUSES] += [left] if left is not None else []
    return Accepted()
