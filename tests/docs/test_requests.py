"""Every request of the documentation is answered, and every answer looks as it is shown."""

import json
import re
from typing import Any
from urllib.parse import unquote

import pytest
from starlette.routing import Match

from tests.docs.conftest import Documented
from tests.docs.curl import Request, difference, requests_in
from tests.docs.pages import blocks, blocks_in, names, spans, text_of

API = "docs/api.md"
LIBRARY = b"@article{ring2026, title={Sparse retrieval}, author={Ring, Ada}, doi={10.1234/5}}"
FILES = {"library.bib": LIBRARY}
CREATED_BEFORE = [("lists", {"name": "robots", "title": "Robots"})]
"""What the examples take for granted."""


def send(documented: Documented, request: Request) -> Any:
    """The answer to a request, which must be a good one; the body as JSON if it is JSON."""
    answer = documented.client.request(
        request.method,
        request.url,
        headers=dict(request.headers),
        content=FILES[request.file] if request.file else request.body,
    )
    assert answer.status_code < 300, f"{request.method} {request.url}: {answer.text}"
    return answer.json() if "json" in answer.headers["content-type"] else answer.text


@pytest.mark.accept("F42", part="documented requests")
def test_the_requests_of_the_page_on_the_api_are_answered_as_it_shows(
    documented: Documented,
) -> None:
    for path, body in CREATED_BEFORE:
        header = {"Authorization": f"Bearer {documented.variables['KEY']}"}
        url = f"{documented.variables['ADMIN']}/{path}"
        assert documented.client.post(url, json=body, headers=header).status_code == 201
    answers: list[Any] = []
    for block in (one for one in blocks() if one.page == API):
        if block.language == "sh":
            requests = requests_in(block, documented.variables)
            answers = [send(documented, one) for one in requests]
        elif block.language == "json" and "code" not in json.loads(block.text):
            found = [difference(json.loads(block.text), one) for one in answers]
            assert "" in found, f"{block.name}: {found}"
            answers = []


def test_the_error_that_the_page_shows_is_what_comes(documented: Documented) -> None:
    [shown] = [one for one in blocks() if one.page == API and '"code"' in one.text]
    answer = documented.client.post(
        f"{documented.variables['ADMIN']}/feeds",
        json={"name": "ml", "kind": "arxiv", "settings": {"categories": "x y"}},
        headers={"Authorization": f"Bearer {documented.variables['KEY']}"},
    )
    assert answer.json() == json.loads(shown.text)


def test_the_headers_that_the_page_shows_are_what_comes(documented: Documented) -> None:
    [shown] = blocks_in("http")
    answer = documented.client.get("/api/v1/papers")
    for line in shown.text.splitlines():
        name, _, value = line.partition(": ")
        assert re.sub(r"\d+", "1", answer.headers[name]) == re.sub(r"\d+", "1", value)


EXPORT = "/api/v1/admin/feeds/export"
OBJECTS = {
    '{"items": [...], "next_cursor": "..."}': "/api/v1/papers",
    '{"feeds": [{"name", "kind", "url", "settings", "show", "enabled"}]}': EXPORT,
}
"""Objects that sentences outline, and where each comes from."""

OTHER_OBJECTS = {
    '{"kind", "value"}': "sent by the example of signing up",
    '{"abstract": "...", "spans": [{"start": 0, "end": 80, "label": "idea"}]}': "test_code.py",
    '["votes.since_yesterday",{"votes":41,"gained":12}]': "test_code.py",
    '{{ _("...") }}': "a template",
}
"""Other spans that look like JSON, and what tries them or what they are."""


def test_objects_in_sentences_have_the_keys_that_come(documented: Documented) -> None:
    shown = {one.text for one in spans() if re.match(r'[{\[].*"', one.text)}
    assert shown == OBJECTS.keys() | OTHER_OBJECTS.keys()
    key = {"Authorization": f"Bearer {documented.variables['KEY']}"}
    feed = {"name": "ml", "kind": "hf-daily"}
    assert documented.client.post("/api/v1/admin/feeds", json=feed, headers=key).is_success
    for text, path in OBJECTS.items():
        outline = re.sub(r'("\w+")(?=[,}])', r"\1: null", text.replace("[...]", "[]"))
        answer = documented.client.get(path, headers=key).json()
        assert difference(json.loads(outline), answer) == ""


# --- addresses -----------------------------------------------------------------------------------

NAMES = {"{date}": "2026-03-02", "{cut}": "1", "{paper}": "2603.00001", "{provider}": "ses"}
ADDRESS = re.compile(r"(?:([A-Z]+) )?(/[^\s?]*)(?:\?\S*)?")
SITE = re.compile(r"https?://(?:papers\.example\.org|127\.0\.0\.1:8000)(/[^\s`\"'?]*)")
NO_ADDRESS = {
    "/newbot": "a command of Telegram",
    "/v1": "the end of a service's address",
    "/var/lib/paperround": "a folder",
    "/api/v1": "the beginning of addresses",
    "/api/v1/admin": "the beginning of addresses",
    "/{cut}": "the end of an address",
    "/saved/{collection}.atom": "the end of an address",
    "/topics": "the beginning of addresses",
    "/authors": "the beginning of addresses",
    "/unsubscribe": "the beginning of addresses",
}
"""Spans that begin with a slash and are not the whole address of a page, and what they are."""


def addresses(page: str) -> set[tuple[str, str]]:
    """(method, path) of every address on our site that a page names."""
    found = [ADDRESS.fullmatch(one.text) for one in spans() if one.page == page]
    told = {(one[1] or "", one[2]) for one in found if one and one[0] not in NO_ADDRESS}
    return told | {("", path) for path in SITE.findall(text_of(page)) if path not in NO_ADDRESS}


@pytest.mark.accept("F50", part="addresses")
@pytest.mark.parametrize("page", names())
def test_every_address_of_the_site_leads_somewhere(documented: Documented, page: str) -> None:
    strangers = [one for one in addresses(page) if not is_route(documented, *one)]
    assert not strangers


def is_route(documented: Documented, method: str, path: str) -> bool:
    """Whether the site has the address, on the page of the API also below that of the admin routes;
    by any method if none is given."""
    path = re.sub(r"\{\w+\}", lambda name: NAMES.get(name[0], "1"), path)
    below = ("", "/api/v1/admin") if method else ("",)
    wanted = (Match.FULL,) if method else (Match.FULL, Match.PARTIAL)
    scopes = [
        {"type": "http", "method": method or "GET", "path": unquote(f"{one}{path}"), "headers": []}
        for one in below
    ]
    routes = documented.site.app.router.routes
    return any(route.matches(scope)[0] in wanted for route in routes for scope in scopes)


EXAMPLES = {
    **NAMES,
    "{list}": "trending",
    "{name}": "Ada%20Ring",
    "{search}": "dense",
    "{words}": "dense",
}
OF_READERS = "{token}"


@pytest.mark.accept("F42", part="documented addresses")
@pytest.mark.parametrize("page", ["docs/site.md", "docs/feeds-and-files.md"])
def test_every_public_address_is_answered(documented: Documented, page: str) -> None:
    urls = [one.text for one in spans() if one.page == page and ADDRESS.fullmatch(one.text)]
    urls = [one for one in urls if one not in NO_ADDRESS and OF_READERS not in one]
    for url in urls:
        filled = re.sub(r"\{\w+\}", lambda name: EXAMPLES[name[0]], url)
        send(documented, Request("GET", filled))
    for block in (one for one in blocks_in("sh") if one.page == page):
        for request in requests_in(block, documented.variables):
            send(documented, request)


def test_every_exception_is_needed() -> None:
    assert set(NO_ADDRESS) <= {one.text for one in spans()}
