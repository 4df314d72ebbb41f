"""Logging in to the admin pages, and what other sites cannot make a browser do there."""

import logging
import re
from collections.abc import Iterator

import pytest
from fastapi.routing import iter_route_contexts
from sqlalchemy import func, select

from paperround.access.operators import IDLE, LINK_VALID, remove_operator
from paperround.db.schema.tables import notices, operator_links
from paperround.digests.sending import deliver_notices
from paperround.web.admin.session import HOME, LOGIN, OperatorRoute
from paperround.web.security import UNSAFE
from tests.builders import NOW
from tests.web.conftest import PUBLIC_URL, Site, sql
from tests.web.operators import COOKIE, EMAIL, OWN, add, browser, form_token, link_of, logged_in

STRANGER = "stranger@mail.example"
FOREIGN = "https://evil.example"

# --- a link by mail ------------------------------------------------------------------------------


def ask(site: Site, email: str) -> str:
    """Ask for a link as a person would; returns the page."""
    client = browser(site)
    stamp = client.get(LOGIN).text.partition('name="stamp" value="')[2].partition('"')[0]
    site.clock.move(seconds=3)
    answer = client.post(LOGIN, data={"email": email, "stamp": stamp}, headers=OWN)
    assert answer.status_code == 200, answer.text
    assert "set-cookie" not in answer.headers
    site.work()
    return answer.text


def mailed(site: Site) -> list[str]:
    """The addresses that a link was queued for."""
    query = select(notices.c.address).order_by(notices.c.id)
    with sql(site.runtime).connect() as connection:
        return [*connection.execute(query).scalars()]


@pytest.mark.accept("F45", part="mailed link")
def test_an_operator_is_mailed_a_link_that_opens_the_admin_pages(site: Site) -> None:
    add(site)
    ask(site, EMAIL.upper())
    assert mailed(site) == [EMAIL]
    sent = _sent(site)
    assert "Log in to papers.example" in sent
    assert "15 minutes" in sent
    found = re.search(rf"{PUBLIC_URL}(/admin/login/[A-Za-z0-9_-]{{40}})", sent)
    assert found is not None
    client = browser(site)
    assert client.get(found[1]).status_code == 200
    assert client.get("/admin").status_code == 303
    assert client.post(found[1], headers=OWN).headers["location"] == "/admin"
    assert client.get("/admin").status_code == 200


def _sent(site: Site) -> str:
    """The text of the one message that is sent."""
    site.clock.move(seconds=1)
    deliver_notices(site.runtime.post())
    [path] = (site.runtime.settings.data_dir / "outbox").glob("*.eml")
    return path.read_bytes().decode().replace("=\r\n", "").replace("=3D", "=")


@pytest.mark.accept("F45", part="says nothing")
def test_the_answer_does_not_tell_who_is_an_operator(site: Site) -> None:
    add(site)
    assert ask(site, EMAIL) == ask(site, STRANGER)
    assert mailed(site) == [EMAIL]


@pytest.mark.accept("F45", part="limit", mutant="operators-are-mailed-any-number-of-links")
def test_whoever_asks_for_an_operator_s_links_mails_few_and_locks_nobody_out(site: Site) -> None:
    add(site)
    query = select(func.max(operator_links.c.created_at))
    for _ in range(30):
        ask(site, EMAIL)
        site.clock.move(minutes=2)
        with sql(site.runtime).connect() as connection:
            newest = connection.execute(query).scalar_one()
        assert site.clock.now() - newest < LINK_VALID, "there is one that works"
    assert len(mailed(site)) < 20


@pytest.mark.accept("F45", part="limit")
def test_a_client_that_asks_too_often_has_to_wait(limited_site: Site) -> None:
    client = browser(limited_site)
    answers = [
        client.post(LOGIN, data={"email": f"n{one}@mail.example"}, headers=OWN).status_code
        for one in range(5)
    ]
    assert answers == [200, 200, 200, 429, 429]


@pytest.mark.parametrize("email", ["", "nobody", "a@b", "a b@c.example"])
def test_a_wrong_address_is_named_beside_its_field(site: Site, email: str) -> None:
    answer = browser(site).post(LOGIN, data={"email": email}, headers=OWN)
    assert (answer.status_code, 'id="email-error"' in answer.text) == (422, True)


# --- the session ---------------------------------------------------------------------------------


@pytest.mark.accept("F45", part="cookie")
def test_the_cookie_is_for_this_host_and_no_script(site: Site) -> None:
    add(site)
    answer = browser(site).post(link_of(site), headers=OWN)
    cookie = answer.headers["set-cookie"]
    name, secret = cookie.partition(";")[0].split("=")
    assert name == COOKIE
    assert len(secret) == 43
    assert {"HttpOnly", "Secure", "Path=/", "SameSite=lax"} <= {*cookie.split("; ")}
    assert "Domain" not in cookie


@pytest.mark.accept("F45", part="cookie")
def test_public_pages_set_and_read_no_cookie(site: Site) -> None:
    add(site)
    client, stranger = logged_in(site), browser(site)
    for path in ("/", "/trending", "/preferences", "/sources", LOGIN):
        assert "set-cookie" not in stranger.get(path).headers
    assert client.get("/sources").text == stranger.get("/sources").text


@pytest.mark.accept("F45", part="fixation")
def test_a_session_that_was_planted_before_is_not_used(site: Site) -> None:
    add(site)
    client = browser(site)
    planted = "p" * 43
    client.cookies.set(COOKIE, planted, domain="papers.example")
    assert client.get("/admin").status_code == 303
    answer = client.post(link_of(site), headers=OWN)
    assert planted not in answer.headers["set-cookie"]
    thief = browser(site)
    thief.cookies.set(COOKIE, planted, domain="papers.example")
    assert thief.get("/admin").status_code == 303


@pytest.mark.accept("F45", part="log-in")
def test_a_link_that_does_not_work_says_so_and_sets_no_cookie(site: Site) -> None:
    add(site)
    used, old, removed = link_of(site), link_of(site), link_of(site)
    assert browser(site).post(used, headers=OWN).status_code == 303
    site.clock.move(minutes=16)
    new = link_of(site)
    remove_operator(site.runtime.database, EMAIL, now=NOW, by="shell tests")
    pages = {}
    for path in (used, old, removed, new, "/admin/login/forged"):
        answer = browser(site).post(path, headers=OWN)
        assert (answer.status_code, "set-cookie" in answer.headers) == (403, False)
        pages[path] = re.sub(r'name="stamp" value="[^"]+"', "", answer.text)
    assert len({*pages.values()}) == 1


@pytest.mark.accept("F45", part="log out")
def test_logging_out_ends_the_session_on_the_server(site: Site) -> None:
    add(site)
    client, elsewhere = logged_in(site), logged_in(site)
    secret = client.cookies[COOKIE]
    answer = client.post("/admin/logout", data={"csrf": form_token(client)}, headers=OWN)
    assert answer.headers["location"] == LOGIN
    thief = browser(site)
    thief.cookies.set(COOKIE, secret, domain="papers.example")
    assert thief.get("/admin").status_code == 303
    assert elsewhere.get("/admin").status_code == 200
    third = logged_in(site)
    everywhere = {"csrf": form_token(third), "everywhere": "yes"}
    third.post("/admin/logout", data=everywhere, headers=OWN)
    assert elsewhere.get("/admin").status_code == 303


@pytest.mark.accept("F45", part="session ends")
def test_an_idle_session_ends(site: Site) -> None:
    add(site)
    client = logged_in(site)
    site.clock.move(seconds=IDLE.total_seconds())
    assert client.get("/admin").status_code == 303


@pytest.mark.accept("F45", part="session ends")
def test_operators_keys_exports_and_erasures_need_a_log_in_of_the_last_minutes(site: Site) -> None:
    add(site)
    client, key = logged_in(site), {"name": "laptop", "scope": "feeds:read"}
    token = {"csrf": form_token(client)}
    sent = OWN | {"referer": f"{PUBLIC_URL}/admin/keys"}
    site.clock.move(minutes=16)
    client.get("/admin")
    before = site.dump()
    for path, data in (
        *(("/admin/operators", {"email": STRANGER}), ("/admin/operators/1/remove", {})),
        *(("/admin/keys", key), ("/admin/keys/abcd1234/revoke", {})),
        *(("/admin/people/1", {"action": one, "sure": "yes"}) for one in ("export", "erase")),
    ):
        answer = client.post(path, data=token | data, headers=sent)
        assert answer.status_code == 303, path
        assert answer.headers["location"] == f"{LOGIN}?back=%2Fadmin%2Fkeys"
    assert site.dump() == before
    assert "Log in again" in client.get(answer.headers["location"]).text
    assert client.post(link_of(site), headers=OWN).headers["location"] == "/admin/keys"
    token = {"csrf": form_token(client)}
    assert client.post("/admin/keys", data=token | key, headers=sent).status_code == 201


@pytest.mark.parametrize(
    "back", ["//evil.example", "https://evil.example/admin/", "/admin/\r\nX: y"]
)
def test_a_log_in_leads_back_to_our_own_pages_only(site: Site, back: str) -> None:
    add(site)
    client = browser(site)
    client.get(LOGIN, params={"back": back})
    assert client.post(link_of(site), headers=OWN).headers["location"] == "/admin"


@pytest.mark.accept("P1", part="log-in")
def test_no_link_session_or_address_gets_into_a_log(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    add(site)
    ask(site, EMAIL)
    _sent(site)
    path = link_of(site)
    client = browser(site)
    client.post(path, headers=OWN)
    client.get("/admin")
    client.get("/admin/deliveries/99")
    client.post("/admin/feeds/99", headers=OWN)
    for secret in (EMAIL, path.rpartition("/")[2], client.cookies[COOKIE], form_token(client)):
        assert secret not in _logged_by_us(caplog)


def _logged_by_us(caplog: pytest.LogCaptureFixture) -> str:
    """What the program logged; the test's own client logs the URLs it asks for."""
    return "\n".join(
        f"{one.getMessage()} {one.exc_info}"
        for one in caplog.records
        if not one.name.startswith(("httpx", "httpcore"))
    )


# --- other sites ---------------------------------------------------------------------------------


def guarded(site: Site) -> Iterator[tuple[str, str]]:
    """The method and a path of every route that a cookie opens."""
    for route in iter_route_contexts(site.app.routes):
        path = str(route.path)
        if path == HOME or path.startswith(f"{HOME}/"):
            for method in route.methods or ():
                yield method, re.sub(r"\{[^}]+\}", "1", path)


SITES: tuple[dict[str, str], ...] = (
    {"sec-fetch-site": "cross-site", "origin": FOREIGN},
    {"sec-fetch-site": "same-site", "origin": "https://other.papers.example"},
    {"origin": FOREIGN},
    {"origin": "null"},
    {},
)
"""What a browser says of a form or fetch on another page; an old one says less."""


@pytest.mark.accept("W6", part="log-in", mutant="another-site-may-log-in")
def test_another_site_cannot_send_the_forms_of_the_log_in(site: Site) -> None:
    """There is no cookie yet, so that no rule about cookies helps."""
    add(site)
    path = link_of(site)
    before = site.dump()
    for headers in SITES:
        for target in (path, LOGIN):
            answer = browser(site).post(target, data={"email": EMAIL}, headers=headers)
            assert (answer.status_code, "set-cookie" in answer.headers) == (403, False)
    assert site.dump() == before


@pytest.mark.accept("W6", part="forms")
def test_another_site_changes_nothing_through_any_route(site: Site) -> None:
    """A form and a fetch with the cookie, as if no browser kept it back, and even with a token."""
    add(site)
    client = logged_in(site)
    token, path = form_token(client), link_of(site)
    routes = [*guarded(site), ("POST", path)]
    assert sum(method in UNSAFE for method, _ in routes) > 8
    before = site.dump()
    for method, target in routes:
        for headers in SITES:
            if method in UNSAFE:
                data = {"csrf": token, "name": "x", "kind": "arxiv", "everywhere": "yes"}
                answer = client.request(method, target, data=data, headers=headers)
                assert answer.status_code == 403, (method, target, headers)
    assert site.dump() == before


@pytest.mark.accept("W6", part="images")
def test_an_image_or_a_link_on_another_site_changes_nothing(site: Site) -> None:
    add(site)
    client = logged_in(site)
    site.clock.move(minutes=5)
    before = site.dump()
    for method, target in guarded(site):
        if method == "GET":
            client.get(target, headers={"sec-fetch-site": "cross-site", "sec-fetch-dest": "image"})
    assert site.dump() == before


@pytest.mark.accept("W6", part="token", mutant="a-form-needs-no-token")
def test_a_form_without_the_token_of_its_session_changes_nothing(site: Site) -> None:
    add(site)
    client, other = logged_in(site), logged_in(site)
    foreign = form_token(other)
    before = site.dump()
    for method, target in guarded(site):
        if method in UNSAFE and not target.startswith(LOGIN):
            for data in ({}, {"csrf": ""}, {"csrf": "0" * 64}, {"csrf": foreign}):
                answer = client.request(method, target, data=data, headers=OWN)
                assert answer.status_code == 403, (method, target, data)
    assert site.dump() == before


@pytest.mark.accept("W6", part="every route")
def test_every_admin_route_but_the_log_in_needs_a_session(site: Site) -> None:
    for route in iter_route_contexts(site.app.routes):
        path = str(route.path)
        if path.startswith(HOME) and not path.startswith(LOGIN):
            assert isinstance(route.original_route, OperatorRoute), path
    before = site.dump()
    for method, target in guarded(site):
        if not target.startswith(LOGIN):
            answer = browser(site).request(method, target, headers=OWN)
            assert answer.status_code == (401 if method in UNSAFE else 303), (method, target)
    assert site.dump() == before
