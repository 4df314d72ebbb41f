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
from starlette.types import Scope

from paperround.bootstrap import AppContext
from paperround.core.errors import (
    AlreadyTaken,
    Conflict,
    Crowded,
    DatabaseFailed,
    InvalidInput,
    NotFound,
    PaperroundError,
    RateLimited,
)
from paperround.core.languages import marked
from paperround.papers.identifiers import arxiv_id
from paperround.web.language import page_language
from paperround.web.security import HOOKS, UNKNOWN, Refusal
from paperround.web.templates import HTML, render

log = logging.getLogger(__name__)

JSON = "application/problem+json"

TITLES: Mapping[int, str] = {
    400: marked("Bad request"),
    401: marked("Not logged in"),
    403: marked("Not allowed"),
    404: marked("Not found"),
    405: marked("Not possible here"),
    409: marked("Conflict"),
    413: marked("Too large"),
    415: marked("Unknown kind of body"),
    422: marked("Not valid"),
    424: marked("Not readable"),
    429: marked("Too many requests"),
    500: marked("Something broke"),
    503: marked("Not ready"),
}
CODES: Mapping[int, str] = {
    400: "bad-request",
    401: "unauthorized",
    403: "forbidden",
    404: "not-found",
    405: "method-not-allowed",
    408: "too-slow",
    409: "conflict",
    413: "too-large",
    415: "unsupported-media-type",
    421: "wrong-host",
    422: "invalid",
    424: "unreadable-source",
    429: "too-many-requests",
    500: "internal-error",
    503: "unavailable",
}
"""Error codes for programs, by status. They never change."""
TAKEN = "taken"
UNKNOWN_PARAMETER = "unknown-parameter"
NOWHERE = marked("There is nothing at this address.")
NOT_HERE = marked("This address does not do that.")
BROKEN = marked("Something broke on our side. It has been written down.")
AWAY = marked("What this page shows cannot be reached just now. Please try again in a minute.")
MESSAGES: Mapping[str, str] = {
    "extra_forbidden": "There is no such field, or it cannot be set.",
    "missing": "This is needed.",
    "json_invalid": "This is not JSON.",
    "model_attributes_type": "Send a JSON object, with Content-Type: application/json.",
    "string_type": "This must be text.",
    "string_too_short": "This may not be empty.",
    "bool_type": "This must be true or false.",
    "int_parsing": "This must be a whole number.",
    "less_than_equal": "This may be {le} at most.",
    "greater_than_equal": "This must be {ge} at least.",
    "string_too_long": "This may have {max_length} characters at most.",
    "literal_error": "This must be {expected}.",
    "enum": "This must be {expected}.",
}
"""Messages that replace those of pydantic, by error type; braces hold values of the error."""


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
    Crowded: 503,
    RateLimited: 429,
    DatabaseFailed: 503,
}


def install_handlers(app: FastAPI) -> None:
    """Register the error handlers of `app`."""
    app.add_exception_handler(PaperroundError, _handle_paperround_error)
    app.add_exception_handler(HTTPException, _handle_http_error)
    app.add_exception_handler(RequestValidationError, _handle_validation_error)
    app.add_exception_handler(Exception, _handle_unexpected_error)


def error_response(
    request: Request,
    status: int,
    detail: str,
    *,
    code: str | None = None,
    errors: list[dict[str, str]] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Return an error response: JSON under /api and /hooks, a page elsewhere. `code` defaults to
    that of the status."""
    app: AppContext = request.app.state.runtime
    title = TITLES.get(status, marked("Error"))
    kind, body = render_error(status, title, detail, request.url.path, app, code, errors)
    language_headers = {"content-language": page_language(), "vary": "accept-language"}
    all_headers = {**(language_headers if kind == HTML else {}), **(headers or {})}
    return Response(body, status, all_headers, media_type=kind)


def render_error(
    status: int,
    title: str,
    detail: str,
    path: str,
    app: AppContext,
    code: str | None = None,
    errors: list[dict[str, str]] | None = None,
) -> tuple[str, bytes]:
    """Return (content type, body) of an error response."""
    if _is_api(path):
        value: dict[str, Any] = {
            "type": "about:blank",
            "code": code or CODES.get(status, "error"),
            "title": title,
            "status": status,
            "detail": detail,
        }
        if errors:
            value["errors"] = errors
        return JSON, json.dumps(value, ensure_ascii=False).encode("utf-8", "replace")
    # A paper that we do not have may still be on arXiv.
    found = arxiv_id(path.removeprefix("/papers/")) if path.startswith("/papers/") else None
    page = render(
        "problem.html",
        site=app.sender_identity,
        demo=app.demo,
        status=status,
        title=title,
        detail=detail,
        elsewhere="" if found is None else f"https://arxiv.org/abs/{found[0]}",
    )
    return HTML, page.encode()


def _is_api(path: str) -> bool:
    return path.startswith(("/api/", HOOKS))


def render_refusal(app: AppContext, refusal: Refusal, scope: Scope) -> tuple[bytes, bytes]:
    """Return (content type, body) for a request that the security middleware refused."""
    path = str(scope["path"])
    kind, body = render_error(refusal.status, refusal.title, refusal.detail, path, app)
    return kind.encode(), body


def _handle_paperround_error(request: Request, error: Exception) -> Response:
    status = next((code for kind, code in STATUS.items() if isinstance(error, kind)), 500)
    if status == 500:
        return _handle_unexpected_error(request, error)
    if status == 404 and (redirect := _redirect_without_slash(request)):
        return redirect
    assert isinstance(error, PaperroundError)  # noqa: S101 - the kinds of STATUS
    if isinstance(error, DatabaseFailed) and not _is_api(request.url.path):
        log.error("the database failed for a page: %s", error)
        return error_response(request, status, AWAY)
    if isinstance(error, RateLimited):
        headers = {"Retry-After": str(max(1, ceil(error.retry_after)))}
        return error_response(request, status, error.text, headers=headers)
    if isinstance(error, InvalidInput) and error.code != "invalid":
        fields = [{"field": error.code, "message": str(error)}]
        code = TAKEN if isinstance(error, AlreadyTaken) else None
        return error_response(request, status, error.text, code=code, errors=fields)
    return error_response(request, status, error.text)


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
    detail = str(error.detail)
    if detail in ("Not Found", "Method Not Allowed"):  # the framework's messages, for developers
        detail = {404: NOWHERE, 405: NOT_HERE}.get(error.status_code, detail)
    headers = _allow_header(request) if error.status_code == 405 else {}
    return error_response(
        request, error.status_code, detail, headers={**(error.headers or {}), **headers}
    )


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
    return error_response(
        request, 422, marked("Not valid: %(name)s", name=named), code=code, errors=errors[:50]
    )


def _field_problem(error: Mapping[str, Any]) -> dict[str, str]:
    """Return the field's name as the client sent it, `body` if the body was unreadable, and the
    message."""
    field = ".".join(map(str, error["loc"][1:])) or str(error["loc"][0])
    message = MESSAGES.get(error["type"])
    return {
        "field": "body" if error["type"] == "json_invalid" else field,
        "message": message.format(**error.get("ctx", {}))
        if message
        else str(error["msg"]).removeprefix("Value error, "),
    }


def _handle_unexpected_error(request: Request, error: Exception) -> Response:
    """Answer 500 without details, and log the error with the route's template instead of the URL,
    which may contain a token."""
    route = getattr(request.scope.get("route"), "path", "an unknown address")
    log.error("the request failed: %s %s", request.method, route, exc_info=error)
    return error_response(request, 500, BROKEN)
