"""Create the web application: routers, middleware and static files.

`uvicorn paperround.web.app:create_app --factory` serves the site of the current environment without
a scheduler; `paperround serve` runs both. Start uvicorn with `--no-proxy-headers`: the security
middleware reads the client's address itself, from the proxies in `TRUSTED_PROXIES` only.
"""

from functools import partial
from typing import Any
from urllib.parse import urlsplit

from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Scope

from paperround.bootstrap import AppContext
from paperround.config import LOOPBACK, load_settings
from paperround.core.clock import SystemClock
from paperround.core.plugins import plugins
from paperround.papers.formatting import web_address
from paperround.signup.magic_links import LinkExpired
from paperround.web import (
    admin_audit,
    admin_deliveries,
    admin_editions,
    admin_feeds,
    admin_keys,
    admin_lists,
    admin_people,
    admin_sending,
    admin_stats,
    admin_suppressions,
    errors,
    feedback,
    health,
    pages,
    papers_api,
    saved,
    search,
    self_service,
    signup,
    signup_api,
)
from paperround.web.admin import (
    audit,
    bounces,
    choices,
    deliveries,
    doctor,
    edition_mail,
    editions,
    feeds,
    figures,
    keys,
    lists,
    login,
    operators,
    overview,
    people,
    person,
    ranking,
    sending,
)
from paperround.web.admin.session import OperatorRoute
from paperround.web.auth import KeyedRoute
from paperround.web.cache import SECONDS, PageCache, add_etags, compress, drop_unknown
from paperround.web.context import MAX_PAGE_WAIT, MOST_PAGES, PAGE_TURN, CostlyTurns
from paperround.web.form_token import make_stamp
from paperround.web.language import language_middleware
from paperround.web.openapi import ABOUT, TAGS, complete_schema
from paperround.web.security import (
    HOOKS,
    KNOWN_PARAMETERS_ONLY,
    Rules,
    security_middleware,
)
from paperround.web.templates import PUBLIC_HEADERS, static_dir, static_version
from paperround.web.timed_check import TimedCheck
from paperround.web.timing import note_route, time_requests

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
"""Routes that never read a cookie, and receive posts from mail programs, other sites and email
providers. They are authorized by a token in the URL, an API key or a signature."""

OF_PLUGINS: tuple[APIRouter, ...] = tuple(plugins("routers").values())
PERSONAL = (self_service.router, feedback.router, saved.router)
"""The routers behind a reader's link."""
ROUTERS: tuple[APIRouter, ...] = (
    signup_api.api,
    pages.router,
    signup.router,
    search.router,
    search.api,
    papers_api.api,
    health.router,
    *PERSONAL,
    admin_feeds.router,
    admin_lists.router,
    admin_people.router,
    admin_suppressions.router,
    admin_suppressions.bounces,
    admin_deliveries.router,
    admin_stats.router,
    admin_editions.router,
    admin_sending.router,
    *OF_PLUGINS,
    admin_keys.router,
    admin_audit.router,
    login.router,
    login.own,
    overview.router,
    editions.router,
    edition_mail.router,
    sending.router,
    deliveries.router,
    people.router,
    person.router,
    choices.router,
    bounces.router,
    feeds.router,
    lists.router,
    ranking.router,
    figures.router,
    keys.router,
    operators.router,
    audit.router,
    doctor.router,
)
"""Every router of the site, in matching order."""


def _is_public(router: APIRouter) -> bool:
    """Whether responses are the same for everybody, except for routes with a `{token}`. Pages of
    plugins may be private."""
    is_page_of_plugin = router in OF_PLUGINS and not router.prefix.startswith("/api")
    is_keyed = issubclass(router.route_class, KeyedRoute)
    is_of_operators = router is login.router or issubclass(router.route_class, OperatorRoute)
    is_private = is_of_operators or router in PERSONAL
    return not (is_keyed or is_page_of_plugin or is_private)


def _pages() -> list[APIRoute]:
    routes = [one for router in ROUTERS for one in router.routes if isinstance(one, APIRoute)]
    return [one for one in routes if PAGE_TURN in one.dependencies]


class Site(FastAPI):
    """FastAPI inside the security middleware, which every request and response passes."""

    def build_middleware_stack(self) -> ASGIApp:
        """Wrap everything, including error pages and cached pages, in our middleware."""
        inner = note_route(super().build_middleware_stack())
        cached = drop_unknown(self.state.cache.wrap(inner), _pages())
        public_cached = add_etags(compress(cached, filter(_is_public, ROUTERS)))
        refuse = partial(errors.refuse, self.state.runtime)
        secured = security_middleware(public_cached, self.state.rules, refuse)
        return time_requests(language_middleware(secured))

    def openapi(self) -> dict[str, Any]:
        """Return the OpenAPI schema."""
        return complete_schema(super().openapi())


class VersionedFiles(StaticFiles):
    """Static files, cached for a year if the URL has their current version, else for a minute, so
    that no cache keeps an old file under a new URL."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Return the file `path`, or status 304."""
        answer = await super().get_response(path, scope)
        current = scope["query_string"] == f"v={static_version(path)}".encode()
        lasting = "public, max-age=31536000, immutable"
        answer.headers["cache-control"] = lasting if current else PUBLIC_HEADERS["cache-control"]
        answer.headers["etag"] = f"W/{answer.headers['etag']}"  # weak: it may be sent compressed
        if answer.status_code == 304:
            answer.headers["vary"] = "Accept-Encoding"
        return answer


def create_app(
    runtime: AppContext | None = None,
    *,
    cache_seconds: float = SECONDS,
    last_look: health.LastLook | None = None,
) -> FastAPI:
    """Return the site of `runtime`, by default of the current environment. Public pages are cached
    for `cache_seconds`. `last_look` is that of a scheduler in the same process."""
    app = runtime or AppContext(load_settings(), SystemClock())
    app.prepare_to_serve()
    site = Site(
        title="Paperround",
        summary="Trending papers in your inbox once a day.",
        description=ABOUT,
        contact={
            "name": app.sender_identity.operator or "Paperround",
            "url": app.sender_identity.public_url,
        },
        license_info={"name": "Apache 2.0", "identifier": "Apache-2.0"},
        servers=[{"url": app.sender_identity.public_url.rstrip("/")}],
        openapi_tags=[{"name": name, "description": says} for name, says in TAGS.items()],
        generate_unique_id_function=lambda route: route.name,
        docs_url=None,
        redoc_url=None,
        openapi_url="/api/openapi.json",
        redirect_slashes=False,
    )
    site.state.runtime = app
    site.state.check_readiness = partial(health.readiness, app, last_look)
    site.state.readiness = TimedCheck(site.state.check_readiness)
    site.state.turns = CostlyTurns()
    site.state.stranger_turns = CostlyTurns(1)  # previews before a sign-up
    site.state.page_turns = CostlyTurns(MOST_PAGES, MAX_PAGE_WAIT)
    site.state.rules = rules_for(app)
    site.state.cache = PageCache(
        lambda: make_stamp(app.signup_context.keys, now=app.clock.now()), seconds=cache_seconds
    )
    errors.install_handlers(site)
    site.add_exception_handler(LinkExpired, self_service.offer_link)
    for router in ROUTERS:
        is_ours = router.prefix.startswith("/api/v1")  # not in Hugging Face's format
        site.include_router(router, dependencies=[KNOWN_PARAMETERS_ONLY] if is_ours else [])
    site.mount("/static", VersionedFiles(directory=static_dir()), name="static")
    return site


def rules_for(app: AppContext) -> Rules:
    """Return the rules of the security middleware for this installation."""
    public = urlsplit(app.settings.public_url)
    logo = urlsplit(web_address(app.sender_identity.logo_url))
    return Rules(
        hosts=frozenset({(public.hostname or "").lower(), *LOOPBACK}),
        proxies=app.settings.proxies,
        https=public.scheme == "https",
        cookieless=COOKIELESS,
        images=f"https://{logo.netloc}" if logo.netloc else "",
    )
