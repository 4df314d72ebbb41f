"""Turn errors into responses: pages, or RFC 9457 problem JSON below /api and /hooks."""

import json
import logging
from collections.abc import Mapping
from math import ceil
from typing import Any
from urllib.parse import quote

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import iter_route_contexts
from starlette.exceptions import HTTPException
from starlette.routing import Match

from paperround.bootstrap import AppContext
from paperround.core.errors import (
    AlreadyTaken,
    Conflict,
    DatabaseFailed,
    InvalidInput,
    NotFound,
    PaperroundError,
    RateLimited,
    SharedLimitReached,
    SignupClosed,
)
from paperround.core.languages import marked
from paperround.papers.identifiers import arxiv_id
from paperround.web.security import HOOKS, UNKNOWN
from paperround.web.templates import is_framed, no_email_page, private_page

log = logging.getLogger(__name__)

JSON = "application/problem+json"

ERRORS: Mapping[int, tuple[str, str]] = {
    400: ("bad-request", marked("Bad request")),
    401: ("unauthorized", marked("Not logged in")),
    403: ("forbidden", marked("Not allowed")),
    404: ("not-found", marked("Not found")),
    405: ("method-not-allowed", marked("Method not allowed")),
    408: ("too-slow", marked("Request timed out")),
    409: ("conflict", marked("Conflict")),
    413: ("too-large", marked("Too large")),
    415: ("unsupported-media-type", marked("Unsupported content type")),
    421: ("wrong-host", marked("Wrong host")),
    422: ("invalid", marked("Not valid")),
    424: ("unreadable-source", marked("Unreadable request")),
    429: ("too-many-requests", marked("Too many requests")),
    500: ("internal-error", marked("Something went wrong")),
    503: ("unavailable", marked("Not ready")),
}
"""The code for programs, which never changes, and the title of each status."""
UNKNOWN_ERROR = ("error", marked("Error"))
TAKEN = "taken"
UNKNOWN_PARAMETER = "unknown-parameter"
NOWHERE = marked("There is no page at this address.")
NOT_HERE = marked("This page does not support that request.")
BROKEN = marked("Something went wrong on our side. The error has been logged.")
AWAY = marked("This page is temporarily unavailable. Please try again in a minute.")
API_AWAY = "the database cannot be reached now: try again later"


class BadRequest(InvalidInput):
    """A parameter is invalid, on a route whose clients expect status 400 instead of 422."""


_SAFE_CHARACTERS = "%/:@!$&'()*+,;=?~"
"""Characters of a URL that are not percent-encoded, besides letters, digits and `-._`."""

STATUS: Mapping[type[PaperroundError], int] = {
    NotFound: 404,
    AlreadyTaken: 409,
    BadRequest: 400,
    Conflict: 409,
    InvalidInput: 422,
    SignupClosed: 403,
    SharedLimitReached: 503,
    RateLimited: 429,
    DatabaseFailed: 503,
}


def install_handlers(app: FastAPI) -> None:
    """Register the error handlers of `app`."""
    app.add_exception_handler(PaperroundError, _handle_paperround_error)
    app.add_exception_handler(HTTPException, _handle_http_error)
    app.add_exception_handler(RequestValidationError, _handle_validation_error)
    app.add_exception_handler(Exception, _handle_unexpected_error)


def _respond(request: Request, status: int, detail: str, **more: Any) -> Response:
    app: AppContext = request.app.state.runtime
    if is_framed(request) and not _is_api(request.url.path):
        page = no_email_page(app, [("", detail)], status=status)
        page.headers.update(more.get("headers") or {})
        return page
    return error_response(app, request.url.path, status, detail, **more)


def error_response(
    app: AppContext,
    path: str,
    status: int,
    detail: str,
    *,
    code: str | None = None,
    errors: list[dict[str, str]] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Return an error response: JSON under /api and /hooks, a page elsewhere. `code` defaults to
    that of the status."""
    known_code, title = ERRORS.get(status, UNKNOWN_ERROR)
    if _is_api(path):
        value: dict[str, Any] = {
            "type": "about:blank",
            "code": code or known_code,
            "title": title,
            "status": status,
            "detail": detail,
        }
        if errors:
            value["errors"] = errors
        body = json.dumps(value, ensure_ascii=False).encode("utf-8", "replace")
        return Response(body, status, headers, media_type=JSON)
    # A paper that we do not have may still be on arXiv.
    found = arxiv_id(path.removeprefix("/papers/")) if path.startswith("/papers/") else None
    elsewhere = "" if found is None else f"https://arxiv.org/abs/{found[0]}"
    values = {"code": status, "title": title, "detail": detail, "elsewhere": elsewhere}
    of_operators = f"{path}/".startswith("/admin/")
    page = private_page(app, "problem.html", status=status, of_operators=of_operators, **values)
    page.headers.update(headers or {})
    return page


def _is_api(path: str) -> bool:
    return path.startswith(("/api/", HOOKS))


def refuse(app: AppContext, error: HTTPException, path: str) -> Response:
    """Return the response to a request that the security middleware refused."""
    close = {"connection": "close"}
    return error_response(app, path, error.status_code, error.detail, headers=close)


def _handle_paperround_error(request: Request, error: Exception) -> Response:
    status = next((code for kind, code in STATUS.items() if isinstance(error, kind)), 500)
    if status == 500:
        return _handle_unexpected_error(request, error)
    if status == 404 and (redirect := _redirect_without_slash(request)):
        return redirect
    assert isinstance(error, PaperroundError)  # noqa: S101 - the kinds of STATUS
    if isinstance(error, DatabaseFailed):  # the driver's words are for the operator
        log.error("the database failed for a request: %s", error)
        words = API_AWAY if _is_api(request.url.path) else AWAY
        return _respond(request, status, words, headers={"Retry-After": "60"})
    if isinstance(error, RateLimited):
        headers = {"Retry-After": str(max(1, ceil(error.retry_after)))}
        return _respond(request, status, error.text, headers=headers)
    if isinstance(error, InvalidInput) and error.code != "invalid":
        fields = [{"field": error.code, "message": str(error)}]
        code = TAKEN if isinstance(error, AlreadyTaken) else None
        return _respond(request, status, error.text, code=code, errors=fields)
    return _respond(request, status, error.text)


def _redirect_without_slash(request: Request) -> Response | None:
    """Redirect the URL of a page with a trailing slash to the one without, on this host."""
    asked: bytes = request.scope.get("raw_path", b"")
    path, query = asked.rstrip(b"/"), request.scope["query_string"]
    is_page = request.method == "GET" and not _is_api(request.url.path)
    if not is_page or path in {asked, b""} or path.startswith(b"//"):
        return None
    location = quote(path + b"?" + query if query else path, safe=_SAFE_CHARACTERS)
    return Response(status_code=308, headers={"location": location})


def _handle_http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for this kind only
    if error.status_code == 404 and (redirect := _redirect_without_slash(request)):
        return redirect
    detail = error.detail
    if detail in ("Not Found", "Method Not Allowed"):  # the framework's messages, for developers
        detail = {404: NOWHERE, 405: NOT_HERE}.get(error.status_code, detail)
    headers = _allow_header(request) if error.status_code == 405 else {}
    headers = {**(error.headers or {}), **headers}
    return _respond(request, error.status_code, detail, headers=headers)


def _allow_header(request: Request) -> dict[str, str]:
    """Return an Allow header with every method of a URL; the framework lists only one route's."""
    scope = {**request.scope, "root_path": request.scope.get("app_root_path", "")}
    methods = {
        method
        for route in iter_route_contexts(request.app.routes)
        if route.methods and route.matches(scope)[0] is not Match.NONE
        for method in route.methods
    }
    if "GET" in methods:
        methods.add("HEAD")
    return {"Allow": ", ".join(sorted(methods))} if methods else {}


def _handle_validation_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for this kind only
    errors = [_field_problem(one) for one in error.errors()]
    named = ", ".join(one["field"] for one in errors[:5])
    is_unknown = all(one["type"] == UNKNOWN for one in error.errors())
    code = UNKNOWN_PARAMETER if is_unknown else None
    detail = marked("Not valid: %(name)s", name=named)
    return _respond(request, 422, detail, code=code, errors=errors[:50])


def _field_problem(error: Mapping[str, Any]) -> dict[str, str]:
    """Return the field's name as the client sent it, `body` if the body was unreadable, and the
    message."""
    field = ".".join(map(str, error["loc"][1:])) or str(error["loc"][0])
    message = str(error["msg"]).removeprefix("Value error, ")
    if error["type"] == "model_attributes_type":
        message = "Send a JSON object, with Content-Type: application/json."
    return {"field": "body" if error["type"] == "json_invalid" else field, "message": message}


def _handle_unexpected_error(request: Request, error: Exception) -> Response:
    """Answer 500 without details, and log the error with the route's template instead of the URL,
    which may contain a token."""
    route = getattr(request.scope.get("route"), "path", "an unknown address")
    log.error("the request failed: %s %s", request.method, route, exc_info=error)
    return _respond(request, 500, BROKEN)
