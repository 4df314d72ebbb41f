"""Headers of every answer, whoever made it: a page, an error, the guard."""

import re
from pathlib import Path

import pytest
from fastapi.routing import iter_route_contexts

from paperround.config import Settings
from paperround.editions.model import Edition
from paperround.web.security import CONTENT_SECURITY_POLICY
from paperround.web.templates import environment, static_dir, static_url
from tests.web.conftest import Site, running
from tests.web.secured import secured

PUBLIC = (
    *("/", "/trending", "/editions", "/editions/trending/2026-03-02", "/sources", "/ranking"),
    *("/topics/graph", "/authors/ring", "/search", "/snippet", "/subscribe"),
    *("/robots.txt", "/favicon.ico", "/calendar", "/api", "/privacy"),
)
PERSONAL = ("unsubscribe", "preferences", "feedback", "confirm", "address")
BEHIND = ("preferences/{}/preview", "preferences/{}/history", "preferences/{}/library",
          "preferences/{}/papers")  # fmt: skip
"""Pages of a reader that lie behind one of those."""
INLINE = re.compile(r"<style|\sstyle=|\son[a-z]+=|<script(?![^>]*\ssrc=)|javascript:")
NAMED = (
    "https://developer.mozilla.org/en-US/docs/Web/Security/Secure_Contexts",
    "https://altcha.org",
)
"""Addresses in the words of a script that is somebody else's, and of its licence."""
PAGES = sorted(path.name for path in (static_dir().parent).glob("*.html"))


@pytest.mark.accept("W4", part="pages")
def test_every_page_says_how_it_may_be_used(
    site: Site, edition: Edition, digest_token: str
) -> None:
    paper = f"/papers/{edition.papers[0].paper_id}"
    personal = [f"/{page}/{digest_token}" for page in PERSONAL]
    for path in (*PUBLIC, paper, *personal, "/static/site.css", "/healthz", "/readyz"):
        answer = site.client.get(path)
        assert answer.status_code in (200, 503), path
        assert secured(dict(answer.headers)), path


METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW")


def every_path(site: Site) -> list[str]:
    """Every address of the application, with `1` for whatever it leaves open."""
    paths = {str(route.path) for route in iter_route_contexts(site.app.routes)}
    return sorted(re.sub(r"\{[^}]*\}", "1", path) for path in paths)


@pytest.mark.slow
@pytest.mark.accept("W4", part="every route")
@pytest.mark.accept("W9", part="every route")
def test_every_route_answers_every_method_with_the_same_rules(site: Site) -> None:
    paths = every_path(site)
    assert len(paths) > 50
    for path in (*paths, "/none", "/api/none", "/static/none", "/hooks/none"):
        for method in METHODS:
            answer = site.client.request(method, path)
            assert secured(dict(answer.headers)), (method, path)
            assert answer.status_code < 500 or path == "/readyz", (method, path)
            assert "Traceback" not in answer.text
            if method in ("TRACE", "BREW"):
                assert answer.status_code in (404, 405), (method, path)


@pytest.mark.accept("W4", part="errors")
@pytest.mark.parametrize("prefix", ["", "/api/v1"])
def test_every_error_says_how_it_may_be_used(site: Site, prefix: str) -> None:
    @site.app.get(f"{prefix}/broken")
    def broken() -> None:
        raise RuntimeError("a secret inside")

    asked = {
        404: ("GET", f"{prefix}/none", b""),
        405: ("PUT", f"{prefix}/subscriptions" if prefix else "/subscribe", b""),
        413: ("POST", f"{prefix}/none", b"x" * 70_000),
        422: ("POST", f"{prefix}/subscriptions" if prefix else "/subscribe", b""),
        500: ("GET", f"{prefix}/broken", b""),
    }
    for status, (method, path, body) in asked.items():
        answer = site.client.request(method, path, content=body)
        assert answer.status_code == status
        assert secured(dict(answer.headers)), status
        assert answer.headers["cache-control"] == "no-store"
        kind = "application/problem+json" if prefix else "text/html; charset=utf-8"
        assert answer.headers["content-type"] == kind
        assert "secret inside" not in answer.text
        assert "Traceback" not in answer.text


@pytest.mark.accept("W4", part="hooks")
@pytest.mark.parametrize(
    ("status", "method", "size"), [(404, "POST", 0), (405, "GET", 0), (413, "POST", 1_100_000)]
)
def test_every_error_of_a_hook_says_how_it_may_be_used(
    site: Site, status: int, method: str, size: int
) -> None:
    answer = site.client.request(method, "/hooks/ses", content=b"x" * size)
    assert answer.status_code == status
    assert secured(dict(answer.headers))
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.accept("S11", part="headers")
def test_personal_pages_are_kept_nowhere_and_name_no_other_site(
    site: Site, digest_token: str, choices_token: str
) -> None:
    for token in (digest_token, choices_token, "forged"):
        for page in (*(f"{one}/{{}}" for one in PERSONAL), *BEHIND):
            answer = site.client.get(f"/{page.format(token)}")
            if "sandbox" in answer.headers["content-security-policy"]:
                continue  # a digest as a mail, whose links are those of its papers
            assert answer.headers["cache-control"] == "no-store"
            assert answer.headers["referrer-policy"] == "no-referrer"
            assert not re.search(r'(?:src|href|action)="(?:https?:)?//', answer.text)


@pytest.mark.accept("S11", part="cookies")
def test_no_page_sets_a_cookie(site: Site, digest_token: str, choices_token: str) -> None:
    site.ask()
    site.client.post(f"/preferences/{choices_token}", data={"action": "save"})
    site.client.post(f"/unsubscribe/{digest_token}")
    assert not site.client.cookies


def test_public_pages_may_be_kept_a_minute_and_files_for_good(site: Site) -> None:
    page = site.client.get("/")
    assert page.headers["cache-control"] == "public, max-age=60"
    [sheet] = re.findall(r'href="(/static/site.css\?v=\w+)"', page.text)
    kept = site.client.get(sheet)
    assert "immutable" in kept.headers["cache-control"]
    again = site.client.get(sheet, headers={"if-none-match": kept.headers["etag"]})
    assert again.status_code == 304
    assert "immutable" in again.headers["cache-control"]
    assert site.client.get("/static/none.css").headers["cache-control"] == "no-store"


@pytest.mark.parametrize("query", ["", "?v=", "?v=000000000000", "?v={v}&v=2", "?x={v}"])
def test_a_file_under_another_address_is_not_kept_for_good(site: Site, query: str) -> None:
    version = static_url("site.css").partition("=")[2]
    answer = site.client.get(f"/static/site.css{query.format(v=version)}")
    assert answer.headers["cache-control"] == "public, max-age=60"


@pytest.mark.accept("W5", part="templates")
def test_no_template_holds_an_inline_script_or_style() -> None:
    folder = static_dir().parent
    for name in PAGES:
        assert not INLINE.search((folder / name).read_text(encoding="utf-8")), name
    assert "unsafe" not in CONTENT_SECURITY_POLICY


@pytest.mark.accept("W7", part="autoescape")
@pytest.mark.parametrize("name", ["a.html", "a.html.j2", "a.txt", "a"])
def test_every_template_escapes_whatever_it_is_called(name: str) -> None:
    made = environment().from_string("{{ x }}")
    made.name = name
    assert made.render(x="<b>") == "&lt;b&gt;"
    assert environment().autoescape is True


def test_scripts_and_sheets_load_nothing_from_elsewhere() -> None:
    pictures = set(Path(static_dir()).glob("*.png"))
    for path in set(Path(static_dir()).iterdir()) - pictures:
        text = path.read_text(encoding="utf-8")
        for said in ("http://www.w3.org/2000/svg", *NAMED):
            text = text.replace(said, "")
        assert not re.search(r"https?://|@import|url\(", text), path.name


@pytest.mark.accept("F18", part="operator")
def test_pages_have_the_operators_name_logo_and_colour(settings: Settings) -> None:
    theirs = {
        "operator": "Kite Lab",
        "color": "#0a6b3b",
        "logo_url": "https://kites.example/logo.png",
    }
    with running(settings) as site:
        assert ">Paperround</a>" in site.client.get("/").text
        assert site.client.get("/static/colour.css").status_code == 404
    with running(settings.model_copy(update={"operator": "Kite Lab"})) as site:
        assert ">Kite Lab</a>" in site.client.get("/").text
    with running(settings.model_copy(update=theirs)) as site:
        page = site.client.get("/editions")
        assert '<img src="https://kites.example/logo.png" alt="Kite Lab"' in page.text
        policy = page.headers["content-security-policy"]
        assert "img-src 'self' data: https://kites.example;" in policy
        [style] = re.findall(r'href="(/static/colour[^"]+)"', page.text)
        css = site.client.get(style)
        assert css.headers["content-type"].startswith("text/css")
        assert "--accent: #0a6b3b" in css.text
