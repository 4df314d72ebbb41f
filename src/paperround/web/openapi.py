"""Complete FastAPI's OpenAPI schema with our errors, headers and API keys."""

from collections.abc import Iterator, Mapping
from typing import Any

from paperround.access.idempotency import KEY
from paperround.web.auth import SCHEME
from paperround.web.errors import ERRORS, JSON, UNKNOWN_ERROR
from paperround.web.models import FeedFile, Problem

API = "/api/v1/"
REFERENCE = "#/components/schemas/"

ABOUT = (
    "Papers and editions are public, also in Hugging Face's format. Routes below "
    "/api/v1/admin need a key. Errors are problem JSON (RFC 9457) with a `code`."
)
TAGS = {
    "papers": "Papers, editions and lists",
    "hugging face": "The same papers in Hugging Face's format",
    "subscriptions": "Signing up",
    "admin: feeds": "Feeds: create, preview, poll, import and upload",
    "admin: lists": "Lists: create, edit, archive and restore",
    "admin: people": "People: find, add, change, move and erase them, and see their history",
    "admin: suppressions": "Addresses that must never be emailed",
    "admin: bounces": "Bounces, complaints and messages in quarantine",
    "admin: editions": "Editions: hold, review, change and approve them before they are sent",
    "admin: deliveries": "Deliveries: their state; pause, cancel and send",
    "admin: channels": "Slack, Discord, Telegram and webhooks",
    "admin: keys": "Keys for this API",
    "admin: figures": "Growth, deliveries, lateness, bounces and feedback",
    "admin: audit": "Operators' actions",
}
_CACHEABLE_TAGS = ("papers", "hugging face")
"""Tags of routes with public, cacheable responses."""
_RATE_HEADERS = {
    "RateLimit-Policy": "How many requests (q) in how many seconds (w)",
    "RateLimit": "How many are left (r), and in how many seconds the next is available (t)",
}
_IDEMPOTENCY_KEY = {
    "name": KEY,
    "in": "header",
    "required": False,
    "schema": {"type": "string", "pattern": "^[!-~]{1,255}$"},
    "description": (
        "A unique key that you choose for this request, such as a UUID. If the request is "
        "repeated within a day, it acts once and gets the same response. Keys are separate per "
        "API key, or per IP address without one."
    ),
}
_HEADERS = {
    "401": ("WWW-Authenticate", "How to log in", {"type": "string"}),
    "429": ("Retry-After", "Seconds to wait", {"type": "integer", "minimum": 1}),
}
_DESCRIPTIONS = {
    "401": "No key, or one that is wrong, expired or revoked",
    "403": "The key does not have the scope",
    "413": "Too large",
    "424": "The source could not be read",
}
_DESCRIPTION = (
    "Send an admin key in the header: `Authorization: Bearer pr_...`. Create one with `paperround "
    "keys create NAME --scope feeds:write`. `feeds:write` includes `feeds:read`."
)


def complete_schema(schema: dict[str, Any]) -> dict[str, Any]:
    """Add our errors (problem JSON), headers and API keys to FastAPI's schema.

    Changes `schema` in place and returns it; a second call changes nothing.
    """
    components = schema.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    for model in (Problem, FeedFile):  # no handler's signature has them
        model_schema = model.model_json_schema(ref_template=REFERENCE + "{model}")
        schemas |= {**model_schema.pop("$defs", {}), model.__name__: model_schema}
    for name in ("HTTPValidationError", "ValidationError"):  # FastAPI's own
        schemas.pop(name, None)
    components["schemas"] = dict(sorted(schemas.items()))
    components["securitySchemes"] = {
        SCHEME: {"type": "http", "scheme": "bearer", "description": _DESCRIPTION}
    }
    for _, operation in operations(schema):
        operation.setdefault("security", [])
        if operation.get("tags", [""])[0] in _CACHEABLE_TAGS:
            _describe_cacheable(operation["responses"])
        _describe_errors(operation)
        if operation.get("tags") == ["subscriptions"]:  # public POST routes
            operation["responses"]["202"]["headers"] = _header_objects(_RATE_HEADERS)
    for path, methods in schema.get("paths", {}).items():
        if path.startswith(API) and "post" in methods:
            _add_idempotency_key(methods["post"])
    return schema


def _add_idempotency_key(operation: dict[str, Any]) -> None:
    """Add the Idempotency-Key header to a POST."""
    parameters = [one for one in operation.get("parameters", ()) if one["name"] != KEY]
    operation["parameters"] = [*parameters, _IDEMPOTENCY_KEY]
    for status in ("409", "422"):
        operation["responses"][status] = _error_response(status)
    operation["responses"] = dict(sorted(operation["responses"].items()))


def _describe_cacheable(responses: dict[str, Any]) -> None:
    """Add the ETag and rate-limit headers to a cacheable response."""
    headers = {"ETag": "Send it back as If-None-Match", **_RATE_HEADERS}
    responses["200"]["headers"] = _header_objects(headers)
    responses["304"] = {"description": "Nothing has changed since the version in `If-None-Match`"}


def _header_objects(headers: Mapping[str, str]) -> dict[str, Any]:
    return {
        name: {"description": meaning, "schema": {"type": "string"}}
        for name, meaning in headers.items()
    }


def operations(schema: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield (path, operation) of every route in the schema."""
    for path, methods in schema.get("paths", {}).items():
        for operation in methods.values():
            yield path, operation


def _describe_errors(operation: dict[str, Any]) -> None:
    """Add the errors that any route may return, and those of keys and of bodies."""
    responses = operation["responses"]
    declared = {status for status in responses if status.startswith("4")}
    added = {"404", "422", "429"}
    added |= {"401", "403"} if operation["security"] else set()
    added |= {"400", "409", "413", "415"} if "requestBody" in operation else set()
    for status in sorted(declared | added):
        responses[status] = _error_response(status)
    operation["responses"] = dict(sorted(responses.items()))


def _error_response(status: str) -> dict[str, Any]:
    description = _DESCRIPTIONS.get(status) or ERRORS.get(int(status), UNKNOWN_ERROR)[1]
    answer: dict[str, Any] = {
        "description": description,
        "content": {JSON: {"schema": {"$ref": f"{REFERENCE}Problem"}}},
    }
    if status in _HEADERS:
        name, meaning, kind = _HEADERS[status]
        answer["headers"] = {
            name: {"description": meaning, "schema": kind},
            **_header_objects(_RATE_HEADERS),
        }
    return answer
