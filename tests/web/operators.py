"""Operators before their browsers: logged in, and pressing buttons."""

import re

from starlette.testclient import TestClient

from paperround.access.operators import add_operator, create_link
from tests.builders import NOW
from tests.web.conftest import PUBLIC_URL, Site

EMAIL = "op@lab.example"
OWN = {"sec-fetch-site": "same-origin", "origin": PUBLIC_URL}
COOKIE = "__Host-operator"

_TOKEN = re.compile(r'name="csrf" value="([0-9a-f]{64})"')


def add(site: Site, email: str = EMAIL) -> int:
    """Add an operator; returns the number."""
    return add_operator(site.runtime.database, email, email, now=NOW, by="shell tests").id


def link_of(site: Site, email: str = EMAIL) -> str:
    """The path of a new link for an operator."""
    runtime = site.runtime
    token = create_link(
        runtime.database, runtime.settings.keys, email, now=site.clock.now(), by="shell tests"
    )
    return f"/admin/login/{token}"


def browser(site: Site) -> TestClient:
    """A browser of its own, which follows no redirect by itself."""
    return TestClient(
        site.app, base_url=PUBLIC_URL, follow_redirects=False, raise_server_exceptions=False
    )


def logged_in(site: Site, email: str = EMAIL) -> TestClient:
    """The browser of an operator who is logged in."""
    client = browser(site)
    answer = client.post(link_of(site, email), headers=OWN)
    assert (answer.status_code, answer.headers["location"]) == (303, "/admin"), answer.text
    return client


def form_token(client: TestClient) -> str:
    """The token that forms of this session have."""
    found = _TOKEN.search(client.get("/admin").text)
    assert found is not None
    return found[1]
