"""Lists on the site: who may sign up for which, and what a private one shows."""

from collections.abc import Iterator
from typing import Any

import pytest

from paperround.access.model import Scope
from paperround.config import Settings
from paperround.core.tokens import Purpose
from paperround.delivery.system_mail_model import SystemMailKind
from paperround.editions.lists import SignupPolicy
from paperround.editions.manage_lists import archive_list, create_list, edit_list
from paperround.editions.model import Edition
from paperround.editions.private_lists import access_token
from paperround.editions.store.lists import ListStore
from paperround.subscribers.model import SubscriberState
from paperround.subscribers.store.subscribers import SubscriberStore
from paperround.web.app import create_app
from tests.builders import NOW, address, seed_subscribers
from tests.web.admin import Staffed, fields_of, key_for, program
from tests.web.conftest import HandClock, Site, sql

LISTS = "/api/v1/admin/lists"
ADDRESS = "ada@mail.example"


def create(site: Site, name: str = "robots", **changes: Any) -> None:
    changes = {"title": name.title(), **changes}
    create_list(site.runtime.database, name, changes, by="shell tests", now=NOW)


def edit(site: Site, name: str = "trending", **changes: Any) -> None:
    edit_list(site.runtime.database, name, changes, by="shell tests", now=NOW)


def archive(site: Site, name: str = "trending") -> None:
    archive_list(site.runtime.database, name, by="shell tests", now=NOW)


def ask(site: Site, list_name: str, email: str = ADDRESS) -> tuple[int, str]:
    """Sign up by form; returns the status and the page."""
    fields = {"email": email, "stamp": site.stamp(), "list": list_name}
    answer = site.client.post("/subscribe", data=fields)
    return answer.status_code, answer.text


def subscribed(site: Site) -> dict[str, SubscriberState]:
    """The state of each of Ada's subscriptions, by list."""
    site.work()
    with site.runtime.database.reading() as work:
        lists = {one.id: one.name for one in work[ListStore].all()}
        person = work[SubscriberStore].find(address("ada"))
        own = work[SubscriberStore].subscriptions_of(person.id) if person else []
    return {lists[one.list_id]: one.state for one in own}


# --- who may sign up ---------------------------------------------------------------------------


@pytest.mark.accept("F44", part="closed", mutant="a-closed-list-lets-in")
def test_a_closed_list_says_so_on_one_page_and_takes_nobody(site: Site) -> None:
    create(site, signup=SignupPolicy.CLOSED)
    status, page = ask(site, "robots")
    assert status == 403
    assert "Robots is closed for sign-ups: ask its operator to add you." in page
    form = site.client.get("/subscribe?list=robots")
    assert form.status_code == 403
    assert "is closed for sign-ups" in form.text
    answer = site.client.post("/api/v1/subscriptions", json={"email": ADDRESS, "list": "robots"})
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
    assert subscribed(site) == {}


@pytest.mark.accept("F44", part="archived")
def test_an_archived_list_takes_nobody_and_keeps_its_archive(site: Site, edition: Edition) -> None:
    site.ask()
    token = site.notice_token("ada", SystemMailKind.CONFIRM, Purpose.CONFIRM)
    archive(site)
    status, page = ask(site, "trending")
    assert status == 403
    assert "has ended" in page
    site.client.post(f"/confirm/{token}")
    assert subscribed(site)["trending"] is SubscriberState.PENDING
    for path in ("/editions", f"/editions/trending/{edition.day}", "/feeds/trending.atom"):
        assert site.client.get(path).status_code == 200


@pytest.mark.accept("F44", part="domains", mutant="any-domain-is-let-in")
@pytest.mark.parametrize("known", [False, True])
def test_an_address_outside_the_domains_is_told_the_rule_whatever_is_known_of_it(
    site: Site, known: bool
) -> None:
    create(site, signup=SignupPolicy.DOMAINS, domains=("lab.example", "other.example"))
    if known:
        with site.runtime.database.reading() as work:
            robots = work[ListStore].get("robots")
        seed_subscribers(site.runtime.database, robots, ("ada",))
    rows = len(site.dump()["signup_requests"])
    status, page = ask(site, "robots")
    assert status == 422
    assert "Robots accepts only addresses at lab.example, other.example" in page
    assert len(site.dump()["signup_requests"]) == rows


def test_the_form_says_what_its_lists_are_about_and_whom_they_are_for(site: Site) -> None:
    own: dict[str, Any] = {"signup": SignupPolicy.DOMAINS, "domains": ("lab.example",)}
    create(site, title="Robots weekly", description="Legs & wheels.", private=True, **own)
    create(site, "bio", description="Cells.")
    page = site.client.get("/subscribe?list=robots").text
    assert '<h1>Subscribe <span class="dim" dir="auto">Robots weekly</span></h1>' in page
    assert "Legs &amp; wheels.</span><br>Only for addresses at lab.example.</p>" in page
    several = site.client.get("/subscribe").text
    assert "<h1>Subscribe</h1>" in several
    assert "Cells." in several
    assert "lab.example" not in several


@pytest.mark.parametrize("private", [False, True])
def test_a_form_that_is_corrected_stays_with_its_list(site: Site, private: bool) -> None:
    create(site, private=private)
    create(site, "bio", private=private)
    fields = {"email": "ada@", "stamp": site.stamp(), "list": "robots", "origin": "choices"}
    page = site.client.post("/subscribe", data=fields)
    assert page.status_code == 422
    hidden, ticked = '<input type="hidden" name="list" value="robots">', 'value="robots" checked>'
    assert (hidden if private else ticked) in page.text


@pytest.mark.parametrize("email", ["ada@", "ada@gmial.com"])
def test_a_form_on_another_site_that_is_corrected_stays_with_its_list(
    site: Site, email: str
) -> None:
    """It was copied before the list became private."""
    create(site, private=True)
    create(site, "bio")
    fields = {"email": email, "list": "robots", "origin": "snippet"}
    page = site.client.post("/subscribe", data=fields)
    assert page.status_code == 422
    assert '<input type="hidden" name="list" value="robots">' in page.text


@pytest.mark.parametrize("domain", ["lab.example", "cs.lab.example"])
def test_addresses_at_a_domain_and_below_it_are_let_in(site: Site, domain: str) -> None:
    create(site, signup=SignupPolicy.DOMAINS, domains=("lab.example",))
    assert ask(site, "robots", f"ada@{domain}")[0] == 200
    assert ask(site, "robots", "ada@notlab.example")[0] == 422


def test_a_further_list_of_the_same_request_keeps_its_rule_too(site: Site) -> None:
    create(site, signup=SignupPolicy.CLOSED)
    body = {"email": ADDRESS, "also": ["robots"]}
    assert site.client.post("/api/v1/subscriptions", json=body).status_code == 403
    assert subscribed(site) == {}


def test_a_list_of_weeks_is_sent_weekly_unless_something_else_is_asked(site: Site) -> None:
    create(site, frequencies=("weekly",), languages=("de",))
    assert ask(site, "robots")[0] == 200
    subscribed(site)
    with site.runtime.database.reading() as work:
        person = work[SubscriberStore].find(address("ada"))
        assert person is not None
        [own] = work[SubscriberStore].subscriptions_of(person.id)
    assert own.preferences.frequency_text == "weekly:mon"
    assert own.preferences.language == "de"
    body = {"email": ADDRESS, "list": "robots", "frequency": "monthly"}
    assert site.client.post("/api/v1/subscriptions", json=body).status_code == 422


@pytest.mark.parametrize(
    ("offered", "often"), [((), "day"), (("weekly",), "week"), (("monthly",), "month")]
)
def test_the_form_for_another_site_says_how_often_the_list_comes(
    site: Site, offered: tuple[str, ...], often: str
) -> None:
    create(site, frequencies=offered)
    assert f"inbox once a {often}!" in site.client.get("/snippet?list=robots").text


def test_the_front_page_offers_a_choice_where_there_are_several_open_lists(site: Site) -> None:
    assert '<select id="list"' not in site.client.get("/").text
    create(site)
    create(site, "closed", signup=SignupPolicy.CLOSED)
    create(site, "secret", private=True)
    page = site.client.get("/").text
    options = page.partition('<select id="list"')[2].partition("</select>")[0]
    assert [f'value="{name}"' in options for name in ("trending", "robots")] == [True, True]
    assert "closed" not in options
    assert "secret" not in page


def test_another_list_stands_in_for_a_default_list_that_is_archived(
    site: Site, edition: Edition
) -> None:
    create(site)
    archive(site)
    page = site.client.get("/").text
    assert '<input type="hidden" name="list" value="robots">' in page
    archive(site, "robots")
    assert "Sign-up is closed at the moment." in site.client.get("/").text


def test_a_reader_is_offered_lists_that_they_may_join(site: Site, choices_token: str) -> None:
    create(site, "open-one")
    create(site, "closed", signup=SignupPolicy.CLOSED)
    create(site, "secret", private=True)
    create(site, "lab", signup=SignupPolicy.DOMAINS, domains=("lab.example",))
    path = f"/preferences/{choices_token}"
    page = site.client.get(path).text
    assert [f'value="{one}"' in page for one in ("open-one", "closed", "secret", "lab")] == [
        True,
        False,
        False,
        False,
    ]
    assert site.client.post(path, data={"action": "join", "join": "closed"}).status_code == 403
    assert site.client.post(path, data={"action": "join", "join": "lab"}).status_code == 422


def test_the_pages_of_what_is_trending_lead_to_those_of_the_other_lists(
    site: Site, edition: Edition
) -> None:
    assert 'aria-label="Lists"' not in site.client.get("/trending").text
    create(site)
    create(site, "secret", private=True)
    page = site.client.get("/trending?period=week").text
    assert '<a href="/trending?period=week&amp;list=robots">Robots</a>' in page
    assert "secret" not in page


# --- private lists -----------------------------------------------------------------------------


@pytest.mark.accept("F44", part="private", mutant="a-private-list-is-shown")
def test_a_private_list_is_on_no_page_and_in_no_feed(site: Site, edition: Edition) -> None:
    create(site)
    edit(site, title="Our secret", private=True)
    day, paper = edition.day, edition.papers[0]
    for path in (
        "/editions?list=trending",
        "/trending?list=trending",
        f"/editions/trending/{day}",
        f"/editions/trending/{day}/{edition.cut}",
        f"/editions/trending/{day}.bib",
        f"/editions/trending/{day}/{edition.cut}?access=wrong",
        f"/editions/trending/{day}?access=",
        "/feeds/trending.atom",
        "/snippet?list=trending",
        "/api/v1/trending",
        f"/api/v1/editions/trending/{day}",
        "/api/daily_papers?sort=trending",
        f"/papers/{paper.name}/rank",
    ):
        answer = site.client.get(path)
        assert answer.status_code == 404, path
        assert "Our secret" not in answer.text
    for path in ("/", "/subscribe", "/editions?list=robots", f"/papers/{paper.name}", "/sources"):
        answer = site.client.get(path)
        assert answer.status_code == 200, path
        assert "Our secret" not in answer.text, path
        assert "/editions/trending" not in answer.text, path
    names = [one["name"] for one in site.client.get("/api/v1/lists").json()["items"]]
    assert names == ["robots"]
    assert site.client.post("/subscribe/preview", data={"list": "trending"}).status_code != 200


@pytest.mark.accept("F44", part="private")
def test_links_in_emails_of_a_private_list_open_its_archive(site: Site, edition: Edition) -> None:
    edit(site, private=True)
    access = access_token(site.runtime.settings.keys, "trending")
    path = f"/editions/trending/{edition.day}/{edition.cut}?access={access}"
    answer = site.client.get(path)
    assert answer.status_code == 200
    assert edition.papers[0].title in answer.text
    assert (answer.headers["cache-control"], answer.headers["x-robots-tag"]) == (
        "no-store",
        "noindex",
    )
    for other in (f"/editions?list=trending&access={access}", f"/trending?access={access}"):
        assert site.client.get(other).status_code == 200
    assert f"month=2026-03&amp;access={access}" in answer.text
    assert (
        site.client.get(
            path.replace(access, access_token(site.runtime.settings.keys, "x"))
        ).status_code
        == 404
    )


# --- the admin API -----------------------------------------------------------------------------


@pytest.fixture
def home(settings: Settings) -> Iterator[Staffed]:
    runtime = Staffed(settings, HandClock())
    yield runtime
    runtime.queue.stop(drain_seconds=1)
    sql(runtime).dispose()


def test_a_program_reads_how_long_the_editions_of_a_list_are_held(home: Staffed) -> None:
    admin = program(create_app(home), key_for(home, Scope.LISTS_WRITE, Scope.EDITIONS_WRITE))
    where = admin.post(LISTS, json={"name": "robots", "title": "Robots"}).headers["location"]
    assert admin.get(where).json()["hold_minutes"] == 0
    admin.post(f"{where}/hold", json={"minutes": 60})
    assert admin.get(where).json()["hold_minutes"] == 60
    assert admin.patch(where, json={"hold_minutes": 5}).status_code == 422


@pytest.mark.accept("F44", part="api")
def test_a_program_creates_edits_archives_and_restores_a_list(home: Staffed) -> None:
    admin = program(create_app(home), key_for(home, Scope.LISTS_WRITE, Scope.AUDIT_READ))
    body = {"name": "robots", "title": "Robots", "cuts": ["06:00"], "look": {"intro": "Hi"}}
    created = admin.post(LISTS, json=body)
    assert created.status_code == 201, created.text
    where = created.headers["location"]
    assert admin.get(where).json() == created.json()
    changed = admin.patch(where, json={"size": 5, "look": {"footer": "Bye"}}).json()
    assert changed == created.json() | {
        "size": 5,
        "look": created.json()["look"] | {"footer": "Bye"},
    }
    assert admin.post(f"{where}/archive").json()["archived_at"] == "2026-03-02T08:00:00Z"
    assert admin.post(f"{where}/restore").json() == changed
    assert [one["name"] for one in admin.get(LISTS).json()["items"]] == ["trending", "robots"]
    found = admin.get("/api/v1/admin/audit").json()["items"]
    assert [one["action"] for one in found] == [
        "restore list",
        "archive list",
        "edit list",
        "create list",
    ]
    assert all(one["actor"].startswith("key ") for one in found)


@pytest.mark.accept("F44", part="api")
def test_a_wrong_field_and_a_name_in_use_are_named(home: Staffed) -> None:
    admin = program(create_app(home), key_for(home, Scope.LISTS_WRITE))
    wrong = admin.patch(f"{LISTS}/trending", json={"size": 99})
    assert (wrong.status_code, fields_of(wrong)) == (422, ["size"])
    assert fields_of(admin.patch(f"{LISTS}/trending", json={"name": "x"})) == ["name"]
    assert fields_of(admin.patch(f"{LISTS}/trending", json={"look": {"x": ""}})) == ["look.x"]
    assert admin.post(LISTS, json={"name": "trending", "title": "X"}).status_code == 409
    assert admin.get(f"{LISTS}/nothing").status_code == 404


def test_a_key_that_reads_lists_changes_none(home: Staffed) -> None:
    reader = program(create_app(home), key_for(home, Scope.LISTS_READ))
    assert reader.get(f"{LISTS}/trending").status_code == 200
    assert reader.patch(f"{LISTS}/trending", json={"size": 5}).status_code == 403
