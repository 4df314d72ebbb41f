"""Nothing that a visitor may ask tells that a private list exists.

The routes are those of the site, so one that is added is asked as well.
"""

import re
from collections import defaultdict
from collections.abc import Iterator
from urllib.parse import urlencode

import pytest
from fastapi.routing import APIRoute

from paperround.db.schema import tables
from paperround.digests.publish import freeze_cuts
from paperround.editions.lists import SignupPolicy
from paperround.editions.manage_lists import archive_list, create_list, edit_list
from paperround.editions.model import Edition
from paperround.web.admin.session import OperatorRoute
from paperround.web.app import ROUTERS
from paperround.web.auth import KeyedRoute
from tests.builders import NOW
from tests.web.conftest import Site, sql

SECRETS = ("zq-merger", "zq-former")
TITLE = "Quiet acquisition"
UNKNOWN = "zq-nobody"
KEPT = "zq-asked"


@pytest.fixture
def lists(site: Site, edition: Edition) -> Edition:
    """A public list, a private one that is closed and one that was archived, with editions."""
    database = site.runtime.database
    with sql(site.runtime).begin() as connection:
        connection.execute(tables.lists.update().values(name=SECRETS[0]))
    secret = {"title": TITLE, "private": True, "signup": SignupPolicy.CLOSED}
    edit_list(database, SECRETS[0], secret, by="tests", now=NOW)
    create_list(database, SECRETS[1], {**secret, "signup": "open"}, by="tests", now=NOW)
    create_list(database, "trending", {"title": "Ours"}, by="tests", now=NOW)
    freeze_cuts(database=database, ranker=site.runtime.ranker, now=NOW)
    archive_list(database, SECRETS[1], by="tests", now=NOW)
    return edition


def requests(name: str, edition: Edition) -> Iterator[tuple[str, str, dict[str, object]]]:
    """Every request to a public route, with `name` wherever a list is named."""
    kind = {"kind": "topics", "text": "robots", "number": edition.papers[0].name, "token": "x"}
    values = {"day": edition.day, "cut": edition.cut, "list_name": name, "verdict": "more", **kind}
    email = {"email": "ada@mail.example", "website": ""}
    form: dict[str, object] = {"data": {"list": name, "lists": name, "origin": "choices", **email}}
    body: dict[str, object] = {"json": {"email": email["email"], "list": name, "also": [name]}}
    asked = {"list": name, "edition": f"{name}/{edition.day}/{edition.cut}", "q": "robots"}
    for router in ROUTERS:
        if issubclass(router.route_class, KeyedRoute | OperatorRoute):
            continue
        for route in router.routes:
            assert isinstance(route, APIRoute)
            for ending in ("atom", "rss", "json", "bib") if "ending" in route.path else ("",):
                own = {**values, "ending": ending, "name": edition.papers[0].name}
                plain = re.sub(r"\{(\w+)[^}]*\}", r"{\1}", route.path)
                path = plain.format_map(defaultdict(lambda: "1", own))
                known = {field.alias for field in route.dependant.query_params}
                query = {key: value for key, value in asked.items() if key in known}
                for method in route.methods or ():
                    how: dict[str, object] = (
                        {} if method == "GET" else body if path.startswith("/api") else form
                    )
                    yield method, f"{path}?{urlencode(query)}", how


def answers(site: Site, name: str, edition: Edition) -> dict[tuple[str, str], tuple[int, str]]:
    """What every public route says where `name` is the list, without that name."""
    found = {}
    for method, path, how in requests(name, edition):
        answer = site.client.request(method, path, **how)  # type: ignore[arg-type]
        stamped = re.sub(
            r'(name="(stamp|work|challenge)" value=|data-\w+=)"[^"]*"', "", answer.text
        )
        found[method, path.replace(name, KEPT)] = answer.status_code, stamped.replace(name, KEPT)
    return found


@pytest.mark.accept("S19", part="named", mutant="a-calendar-shows-private-lists")
@pytest.mark.parametrize("secret", SECRETS)
def test_a_private_list_answers_like_one_that_does_not_exist(
    site: Site, lists: Edition, secret: str
) -> None:
    unknown, named = (answers(site, one, lists) for one in (UNKNOWN, secret))
    assert len(named) > 50
    assert {one: said for one, said in named.items() if said != unknown[one]} == {}


@pytest.mark.accept("S19", part="unnamed")
def test_no_page_feed_or_refusal_names_a_private_list(site: Site, lists: Edition) -> None:
    said = answers(site, UNKNOWN, lists) | answers(site, "trending", lists)
    assert len([one for _, one in said.values() if KEPT in one]) > 10
    assert len([one for status, one in said.values() if status == 200]) > 20
    words = (*SECRETS, TITLE)
    assert [one for one, (_, text) in said.items() if any(word in text for word in words)] == []


@pytest.mark.accept("S19", part="refused")
def test_a_private_list_for_other_addresses_is_unknown(site: Site, lists: Edition) -> None:
    own = {"signup": SignupPolicy.DOMAINS, "domains": ("lab.example",)}
    edit_list(site.runtime.database, SECRETS[0], own, by="tests", now=NOW)
    for name in (SECRETS[0], UNKNOWN):
        body = {"email": "ada@mail.example", "list": name}
        answer = site.client.post("/api/v1/subscriptions", json=body)
        assert answer.status_code == 404
        assert f"no list is called '{name}'; known lists: trending" in answer.text
    body["list"], body["email"] = SECRETS[0], "ada@lab.example"
    assert site.client.post("/api/v1/subscriptions", json=body).status_code == 202
