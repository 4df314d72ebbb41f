"""Who is logged in: the cookie, routes that need it, and forms that only our own pages can send.

    request ─► no session: to the log-in page, or 401
       └─► a form ─► from another site, or without the session's token: 403
                └─► the handler

The route class does this for every route of a router, so a new page is protected by default. No
public page reads the cookie.
"""

import re
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any
from urllib.parse import urlencode, urlsplit

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import RedirectResponse
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from paperround.access.model import OperatorSession, by_operator
from paperround.access.operators import LONGEST, find_session, form_token_of, is_form_token
from paperround.bootstrap import AppContext
from paperround.core.errors import InvalidInput
from paperround.core.languages import marked
from paperround.db.transactions import SqlDatabase
from paperround.ops.why import reason_text
from paperround.web.admin.labels import DELIVERY_STATES, FEED_HEALTH, RUN_STATES
from paperround.web.admin.navigation import pages_of
from paperround.web.context import get_app, get_now
from paperround.web.security import UNSAFE, is_foreign
from paperround.web.templates import private_page

HOME = "/admin"
LOGIN = "/admin/login"
TOKEN = "csrf"  # noqa: S105 - the name of the form field
"""The field of a form that holds the session's token."""

FOREIGN = marked("This form can be sent only from this site. Reload the page and try again.")
LOG_IN_AGAIN = marked("Log in again for this: your last log-in was more than 15 minutes ago.")
LOGGED_OUT = marked("You are logged out. Log in and try again.")
FRESH = timedelta(minutes=15)
"""How recent a log-in must be to change operators and keys, and to export or erase a person."""
_ADMIN_PATH = re.compile(rf"{HOME}(?:/[\w.@-]+)*", re.ASCII)
SEND_ORIGIN = {"referrer-policy": "same-origin"}
"""Headers of admin pages. Without a referrer, browsers would not say where a form comes from; other
sites still learn nothing."""


def _is_https(request: Request) -> bool:
    is_https: bool = request.app.state.rules.https
    return is_https


def cookie_name(request: Request) -> str:
    """Return the name of the cookie. With `__Host-`, no neighbouring host can set it."""
    return "__Host-operator" if _is_https(request) else "operator"


def _scope_of_cookies(request: Request) -> dict[str, Any]:
    path = "/" if _is_https(request) else HOME
    return {"path": path, "secure": path == "/", "httponly": True, "samesite": "lax"}


def set_cookie(request: Request, response: Response, secret: str) -> None:
    """Let the browser keep a session's secret."""
    seconds, rules = int(LONGEST.total_seconds()), _scope_of_cookies(request)
    response.set_cookie(cookie_name(request), secret, max_age=seconds, **rules)


def delete_cookie(request: Request, response: Response) -> None:
    """Let the browser forget the session."""
    response.delete_cookie(cookie_name(request), **_scope_of_cookies(request))


def come_back(request: Request, response: Response, page: str) -> None:
    """Let the next log-in of the browser lead to this admin page."""
    if _ADMIN_PATH.fullmatch(page):
        seconds, rules = int(FRESH.total_seconds()), _scope_of_cookies(request)
        response.set_cookie(f"{cookie_name(request)}-back", page, max_age=seconds, **rules)


def page_after_login(request: Request) -> str:
    """Return the page of `come_back`, else the first one."""
    page = request.cookies.get(f"{cookie_name(request)}-back", "")
    return page if _ADMIN_PATH.fullmatch(page) else HOME


def find_current(request: Request) -> OperatorSession | None:
    """Return the session of the request, or None. A request from another site does not prolong
    it."""
    secret = request.cookies.get(cookie_name(request))
    if not secret:
        return None
    is_own = request.headers.get("sec-fetch-site", "none") in ("none", "same-origin")
    return find_session(get_app(request).database, secret, now=get_now(request), touch=is_own)


def require_own_page(request: Request) -> None:
    """Raise HTTPException (403) for a form that was not sent from one of our pages."""
    if request.method in UNSAFE and is_foreign(request.scope):
        raise HTTPException(403, FOREIGN)


async def _require_form_token(request: Request) -> None:
    """Raise HTTPException (403) for a form without the token of the session."""
    sent = (await request.form()).get(TOKEN)
    secret = request.cookies[cookie_name(request)]
    if not isinstance(sent, str) or not is_form_token(secret, sent):
        raise HTTPException(403, FOREIGN)


class OperatorRoute(APIRoute):
    """A route for operators who are logged in."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the handler, which checks the session first."""
        inner = super().get_route_handler()

        async def guarded(request: Request) -> Response:
            session = await run_in_threadpool(find_current, request)
            if session is None:
                if request.method in UNSAFE:
                    raise HTTPException(401, LOGGED_OUT)
                return RedirectResponse(LOGIN, 303)
            if request.method in UNSAFE:
                require_own_page(request)
                await _require_form_token(request)
            request.state.session = session
            return await inner(request)

        return guarded


def require_fresh(request: Request) -> None:
    """Raise HTTPException, which leads to the log-in and back, if the operator logged in too long
    ago for what cannot be undone."""
    session: OperatorSession = request.state.session
    if get_now(request) - session.created_at >= FRESH:
        page = urlsplit(request.headers.get("referer", "")).path or HOME
        where = {"location": f"{LOGIN}?{urlencode({'back': page})}"}
        raise HTTPException(303, LOG_IN_AGAIN, where)


def operator_router() -> APIRouter:
    """Return a router whose routes need an operator who is logged in."""
    return APIRouter(prefix=HOME, route_class=OperatorRoute, include_in_schema=False)


@dataclass(frozen=True, slots=True)
class OperatorVisit:
    """A request of an operator who is logged in."""

    request: Request
    app: AppContext
    now: datetime
    session: OperatorSession

    @property
    def database(self) -> SqlDatabase:
        """The database of the installation."""
        return self.app.database

    @property
    def by(self) -> str:
        """The actor of the audit log: the operator, by number."""
        return by_operator(self.session.operator_id)

    def page(
        self,
        template: str,
        *,
        error: InvalidInput | None = None,
        status: int | None = None,
        **values: object,
    ) -> Response:
        """Return a page with the token for its forms; with an `error` its status is 422, unless
        you give one."""
        request = self.request
        page = private_page(
            self.app,
            f"admin/{template}",
            status=status or (422 if error else 200),
            error=error,
            now=self.now,
            csrf=form_token_of(request.cookies[cookie_name(request)]),
            pages=pages_of(request.app),
            path=request.url.path,
            reason_text=reason_text,
            delivery_states=DELIVERY_STATES,
            feed_health=FEED_HEALTH,
            run_states=RUN_STATES,
            **values,
        )
        page.headers.update(SEND_ORIGIN)
        return page


async def _visit(request: Request) -> OperatorVisit:
    return OperatorVisit(request, get_app(request), get_now(request), request.state.session)


FRESH_LOGIN = Depends(require_fresh)
"""Dependency of a route that needs a recent log-in."""

Visit = Annotated[OperatorVisit, Depends(_visit)]


def back_to(path: str) -> Response:
    """Return the response to a form that was processed: a redirect to a page that is safe to
    reload."""
    return RedirectResponse(path, 303)
