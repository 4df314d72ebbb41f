"""Requests made up from the OpenAPI file: none breaks a route, and no answer breaks the file."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import load_all_checks
from schemathesis.config import (
    ChecksConfig,
    PositiveDataAcceptanceConfig,
    ProjectConfig,
    ProjectsConfig,
    SchemathesisConfig,
)
from schemathesis.core.parameters import ParameterLocation
from starlette.testclient import TestClient

from paperround.access.model import Scope
from paperround.config import Settings
from paperround.editions.store.lists import ListStore
from paperround.plugins.channels.model import ChannelKind
from paperround.web.app import ROUTERS, create_app
from tests.builders import seed_subscribers
from tests.plugins.channels.services import PATHS, Services, services
from tests.web.admin import FEEDS, Staffed, bearer, feed_body, key_for
from tests.web.conftest import HandClock, sql

SCHEMA = "/api/openapi.json"
CHANNELS = "/api/v1/admin/channels"
FEW, MANY = 3, 500
MADE_UP = 1_000_000
"""Numbers below stand for something that exists; those above for nothing."""

COUNTED = ("signup_address", "signup_ip", "signup_net", "signup_domain", "signup_total",
           "search_ip", "search_net")  # fmt: skip
ACCEPTED = ["2xx", "3xx", "400", "401", "403", "404", "409", "422", "424", "429"]
"""What a request may be answered whose shape is right: whether an address, a cursor or a kind of
feed is one is more than a file of shapes can say."""

ANY_SHAPE = {
    "GET /api/papers/{name:path}",
    "GET /api/v1/editions/{list_name}/{day}",
    "GET /api/v1/papers/{name:path}",
    "POST /api/v1/admin/feeds/import",
}
"""Routes that nothing can be sent to in a wrong shape."""

ROUTES = sorted(
    f"{method} {vars(route)['path']}"
    for router in ROUTERS
    for route in router.routes
    if vars(route)["include_in_schema"]
    for method in vars(route)["methods"]
)


@dataclass
class Api:
    """The routes as the file describes them, with a key to all of them."""

    schema: Any
    admin: TestClient
    hook: str
    key: str
    subscriber: int
    clock: HandClock

    def numbers(self) -> dict[str, int]:
        """Numbers of a feed, a channel and a person that exist."""
        found = {"subscriber_id": self.subscriber}
        new = {"feed_id": (FEEDS, feed_body()), "channel_id": (CHANNELS, channel_body(self.hook))}
        for name, (path, body) in new.items():
            made = self.admin.post(path, json=body)
            found[name] = made.json()["id"] if made.status_code == 201 else self._there(path, body)
        return found

    def _there(self, path: str, body: Mapping[str, Any]) -> int:
        """The number of what is called so already, or of the first there is: requests that were
        made up may have left hundreds before it."""
        items = self.admin.get(path).json()["items"]
        named = (one["id"] for one in items if one["name"] == body["name"])
        number: int = next(named, items[0]["id"])
        return number


def channel_body(hook: str) -> Mapping[str, Any]:
    return {"kind": ChannelKind.WEBHOOK.value, "hook": hook, "name": "lab"}


@contextmanager
def installation(folder: Path, made: Services) -> Iterator[Api]:
    """An installation that counts nobody's requests, and its routes."""
    runtime = Staffed(
        Settings(
            data_dir=folder,
            public_url="http://testserver",
            secret_key="a secret that is only used by these tests",
            fetch_allow=made.server.at,
            **{f"rate_{name}": "off" for name in COUNTED},  # type: ignore[arg-type]
        ),
        clock := HandClock(),
    )
    app, key = create_app(runtime), key_for(runtime, *Scope)
    with runtime.database.reading() as work:
        mailing_list = work[ListStore].get("trending")
    [one] = seed_subscribers(runtime.database, mailing_list, ("ada",))
    yield Api(
        schema=schemathesis.openapi.from_asgi(SCHEMA, app, config=checked()),
        admin=TestClient(app, headers=bearer(key)),
        hook=f"http://{made.server.at}{PATHS[ChannelKind.WEBHOOK]}",
        key=key,
        subscriber=one.subscriber_id,
        clock=clock,
    )
    runtime.queue.stop(drain_seconds=1)
    sql(runtime).dispose()


def checked() -> SchemathesisConfig:
    """Every check there is."""
    load_all_checks()
    checks = ChecksConfig(
        positive_data_acceptance=PositiveDataAcceptanceConfig(expected_statuses=ACCEPTED)
    )
    return SchemathesisConfig(projects=ProjectsConfig(default=ProjectConfig(checks=checks)))


@pytest.fixture(scope="module")
def api() -> Iterator[Api]:
    with (
        TemporaryDirectory() as folder,
        services() as made,
        installation(Path(folder), made) as one,
    ):
        yield one


def hold(api: Api, route: str, mode: GenerationMode, cases: int) -> None:
    """Send so many requests to the route and look at every answer in every way there is."""
    method, path = route.split(" ")
    operation = api.schema[path.replace(":path}", "}")][method]
    numbers = api.numbers()

    @settings(
        max_examples=cases,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def sent(case: Any) -> None:
        api.clock.move(minutes=6)  # a check shows wrong keys: whoever did is listened to again
        for name, there in numbers.items():
            number = case.path_parameters.get(name)
            if isinstance(number, int) and 1 <= number < MADE_UP:
                case.path_parameters[name] = there
        is_locked = is_wrong(case, ParameterLocation.HEADER)  # it may be its key that is wrong
        case.call_and_validate(headers={} if is_locked else bearer(api.key))

    sent()


def is_wrong(case: Any, place: ParameterLocation) -> bool:
    """Whether that part of a request was made up to be refused."""
    part = case.meta.components.get(place)
    return part is not None and part.mode is GenerationMode.NEGATIVE


@pytest.mark.slow
@pytest.mark.accept("A7", part="right shapes")
@pytest.mark.parametrize("route", ROUTES)
def test_a_route_keeps_its_word_to_requests_of_the_right_shape(api: Api, route: str) -> None:
    hold(api, route, GenerationMode.POSITIVE, FEW)


@pytest.mark.slow
@pytest.mark.accept("A7", part="wrong shapes")
@pytest.mark.parametrize("route", sorted(set(ROUTES) - ANY_SHAPE))
def test_a_route_refuses_requests_of_a_wrong_shape(api: Api, route: str) -> None:
    hold(api, route, GenerationMode.NEGATIVE, FEW)


@pytest.mark.long
@pytest.mark.accept("A7", part="many")
@pytest.mark.parametrize("route", ROUTES)
def test_a_route_keeps_its_word_to_five_hundred_requests(api: Api, route: str) -> None:
    hold(api, route, GenerationMode.POSITIVE, MANY)


@pytest.mark.long
@pytest.mark.accept("A7", part="many wrong shapes")
@pytest.mark.parametrize("route", sorted(set(ROUTES) - ANY_SHAPE))
def test_a_route_refuses_five_hundred_requests_of_a_wrong_shape(api: Api, route: str) -> None:
    hold(api, route, GenerationMode.NEGATIVE, MANY)
