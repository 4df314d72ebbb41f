"""The application: routes behind the guard, one runtime for all of them.

`uvicorn paperround.web.app:create_app --factory` serves the installation that the environment
describes, without ticking; `paperround serve` does both. uvicorn wants `--no-proxy-headers`: the
guard reads who asks, from the proxies alone that `TRUSTED_PROXIES` names.
"""

from functools import partial
from typing import Any
from urllib.parse import urlsplit

from fastapi import APIRouter, FastAPI
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from paperround.bootstrap import AppContext
from paperround.config import load_settings
from paperround.core.clock import SystemClock
from paperround.core.plugins import plugins
from paperround.web import (
    admin_channels,
    admin_deliveries,
    admin_feeds,
    errors,
    feeds,
    health,
    hooks,
    metrics,
    outbox,
    pages,
    papers_api,
    personal,
    search,
    self_service,
    signup,
    signup_api,
)
from paperround.web.cache import SECONDS, PageCache, compressed, conditional
from paperround.web.context import CostlyTurns
from paperround.web.form_token import stamp
from paperround.web.language import hearing
from paperround.web.openapi import ABOUT, TAGS, described
from paperround.web.security import (
    HOOKS,
    KNOWN_NAMES_ONLY,
    LOOPBACK,
    Rules,
    Scope,
    guarded,
)
from paperround.web.templates import KEPT, static_dir, static_version

COOKIELESS = (
    "/subscribe",
    "/confirm/",
    "/unsubscribe/",
    "/preferences",
    "/feedback/",
    "/address/",
    "/api/",
    HOOKS,
)
"""Routes that never read a cookie, and are posted to from mail programs, other people's pages and
providers of mail. Their power comes from a token in the address, a key in a header, a signature."""

PAPERS_API = (search.api, papers_api.api)
ADMIN_API = (
    admin_feeds.router,
    admin_deliveries.router,
    admin_channels.router,
    admin_deliveries.audit,
)
API: tuple[APIRouter, ...] = (signup_api.api, *PAPERS_API, *ADMIN_API)
"""Those below /api/v1. Programs that know Hugging Face's names have routers of their own."""

PUBLIC: tuple[APIRouter, ...] = (
    feeds.router,  # a file of a paper is asked for below the address of its page
    pages.router,
    signup.router,
    search.router,
    *PAPERS_API,
    *plugins("routers").values(),
)
"""Those whose answers are the same for everybody, but for the ones behind a link of one's own."""

ROUTERS: tuple[APIRouter, ...] = (
    signup_api.api,
    *PUBLIC,
    health.router,
    metrics.router,
    self_service.router,
    personal.router,
    outbox.router,
    hooks.router,
    *ADMIN_API,
)
"""Every router of the site, in the order they are asked."""


class Site(FastAPI):
    """FastAPI behind the guard: nothing reaches a route, and nothing leaves, without passing it."""

    def build_middleware_stack(self) -> ASGIApp:
        """Put the guard before everything, error pages and cached pages included."""
        inner = super().build_middleware_stack()
        made = conditional(compressed(self.state.cache.before(inner), PUBLIC))
        refuse = partial(errors.refused, self.state.runtime)
        return hearing(guarded(made, self.state.rules, refuse))

    def openapi(self) -> dict[str, Any]:
        """The OpenAPI file."""
        return described(super().openapi())


class VersionedFiles(StaticFiles):
    """Files that are kept for good under the address that holds their version, and for a minute
    under any other: nobody can have a cache keep an old file under a new address."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """The file `path`, or that it has not changed."""
        answer = await super().get_response(path, scope)
        current = scope["query_string"] == f"v={static_version(path)}".encode()
        lasting = "public, max-age=31536000, immutable"
        answer.headers["cache-control"] = lasting if current else KEPT["cache-control"]
        answer.headers["etag"] = f"W/{answer.headers['etag']}"  # it may be sent compressed
        if answer.status_code == 304:
            answer.headers["vary"] = "Accept-Encoding"
        return answer


def create_app(runtime: AppContext | None = None, *, cache_seconds: float = SECONDS) -> FastAPI:
    """The site of `runtime`, by default of the installation that the environment describes; its
    public pages are cached for `cache_seconds`."""
    home = runtime or AppContext(load_settings(), SystemClock())
    home.prepare_to_serve()
    site = Site(
        title="Paperround",
        summary="Trending papers in your inbox once a day.",
        description=ABOUT,
        contact={
            "name": home.letterhead.operator or "Paperround",
            "url": home.letterhead.public_url,
        },
        license_info={"name": "Apache 2.0", "identifier": "Apache-2.0"},
        servers=[{"url": home.letterhead.public_url.rstrip("/")}],
        openapi_tags=[{"name": name, "description": says} for name, says in TAGS.items()],
        generate_unique_id_function=lambda route: route.name,
        docs_url=None,
        redoc_url=None,
        openapi_url="/api/openapi.json",
        redirect_slashes=False,
    )
    site.state.runtime = home
    site.state.turns = CostlyTurns()
    site.state.rules = rules_for(home)
    site.state.cache = PageCache(
        lambda: stamp(home.desk.keys, now=home.clock.now()), seconds=cache_seconds
    )
    errors.install(site)
    for router in ROUTERS:
        site.include_router(router, dependencies=[KNOWN_NAMES_ONLY] if router in API else [])
    site.mount("/static", VersionedFiles(directory=static_dir()), name="static")
    return site


def rules_for(home: AppContext) -> Rules:
    """What the guard enforces for this installation."""
    public = urlsplit(home.settings.public_url)
    return Rules(
        hosts=frozenset({(public.hostname or "").lower(), *LOOPBACK}),
        proxies=home.settings.proxies,
        https=public.scheme == "https",
        cookieless=COOKIELESS,
    )
