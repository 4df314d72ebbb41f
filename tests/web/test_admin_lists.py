"""The admin pages of lists, as an operator who makes a second list uses them."""

import re
from typing import Any

import pytest
from starlette.testclient import TestClient

from paperround.access.store import AuditStore
from paperround.core.errors import InvalidInput
from paperround.editions.lists import MailingList, SignupPolicy
from paperround.editions.manage_lists import edit_list
from paperround.editions.model import Edition
from paperround.editions.store.lists import ListStore
from paperround.feeds.due import create_feed
from paperround.feeds.model import NewFeed
from paperround.papers.model import FeedId
from paperround.web.admin import lists
from tests.builders import NOW
from tests.web.conftest import Site
from tests.web.operators import OWN, add, form_token, logged_in

NEW, ROBOTS = "/admin/lists/new", "/admin/lists/robots"
FILLED = {
    "name": "robots",
    "title": "Robots this week",
    "which_feeds": "some",
    "feeds": ["robots-feed", "vision-feed"],
    "categories": "cs.RO, cs.CV",
    "search": "robot* NOT survey",
    "cuts": "18:00 06:00",
    "zone": "Europe/Berlin",
    "default_hour": "8",
    "size": "5",
    "edition_size": "30",
    "candidate_days": "3",
    "frequencies": ["weekly", "monthly"],
    "languages": ["en", "de", "fr", "es", "zh-Hans"],
    "colour": "#7a1f1f",
    "intro": "Hello robots",
    "signup": "domains",
    "domains": "lab.example.org",
    "private": "yes",
    "minutes": "30",
}


@pytest.fixture
def feeds(site: Site) -> dict[str, FeedId]:
    """Two feeds, by name."""
    names = ("robots-feed", "vision-feed")
    made = [
        create_feed(
            site.runtime.feed_context,
            NewFeed(name=name, kind="arxiv", settings={"categories": "cs.RO"}),
            now=NOW,
        )
        for name in names
    ]
    return {one.name: one.id for one in made}


@pytest.fixture
def client(site: Site) -> TestClient:
    add(site)
    return logged_in(site)


def post(client: TestClient, path: str, **fields: Any) -> Any:
    return client.post(path, data={"csrf": form_token(client), **fields}, headers=OWN)


def stored(site: Site, name: str = "robots") -> MailingList:
    with site.runtime.database.reading() as work:
        return work[ListStore].get(name)


def audited(site: Site) -> list[tuple[str, str]]:
    """Actor and action of each entry on the list, the oldest first."""
    with site.runtime.database.reading() as work:
        entries = work[AuditStore].page(before=None, limit=50)
    return [(one.actor, one.action) for one in reversed(entries) if one.target == "robots"]


@pytest.mark.accept("F44", part="page")
def test_a_list_with_two_feeds_is_made_changed_and_audited(
    site: Site, client: TestClient, feeds: dict[str, FeedId]
) -> None:
    assert post(client, NEW, **FILLED).headers["location"] == ROBOTS
    made = stored(site)
    assert made.feeds == tuple(feeds.values())
    assert (made.categories, made.cuts) == (("cs.RO", "cs.CV"), ("06:00", "18:00"))
    assert (made.zone, made.default_hour, made.size) == ("Europe/Berlin", 8, 5)
    assert (made.frequencies, made.languages) == (("weekly", "monthly"), ())
    assert (made.look.colour, made.look.intro) == ("#7a1f1f", "Hello robots")
    assert (made.signup, made.domains) == (SignupPolicy.DOMAINS, ("lab.example.org",))
    assert (made.private, made.hold_minutes) == (True, 30)

    form = client.get(f"{ROBOTS}/edit").text
    for shown in ('value="06:00, 18:00"', 'value="vision-feed" checked', 'value="30"'):
        assert shown in form
    changed = FILLED | {"which_feeds": "all", "title": "Robots", "minutes": "0", "private": ""}
    assert post(client, f"{ROBOTS}/edit", **changed).headers["location"] == f"{ROBOTS}?saved=yes"
    now = stored(site)
    assert (now.feeds, now.title, now.private, now.hold_minutes) == ((), "Robots", False, 0)
    assert (now.cuts, now.look) == (made.cuts, made.look)

    by = audited(site)[0][0]
    assert by.startswith("operator ")
    actions = ["create list", "set hold", "edit list", "set hold"]
    assert audited(site) == [(by, one) for one in actions]


@pytest.mark.accept("F44", part="page")
@pytest.mark.parametrize(
    ("field", "wrong", "told"),
    [
        ("name", "Robots!", "lowercase letters"),
        ("name", "new", "name of a page"),
        ("name", "trending", "list called trending already exists"),
        ("title", " ", "Enter a title"),
        ("feeds", [], "Tick at least one feed"),
        ("feeds", ["gone"], "known feeds: robots-feed, vision-feed"),
        ("categories", "x" * 70, "not a category"),
        ("search", "...", "no words to look for"),
        ("cuts", "noon", "not a time of day"),
        ("zone", "Berlin", "not a time zone"),
        ("size", "many", "not a whole number"),
        ("size", "99", "Choose 1 to 50"),
        ("edition_size", "4", "at least as many papers as a digest"),
        ("candidate_days", "60", "Choose 1 to 31"),
        ("default_hour", "25", "0 to 23"),
        ("frequencies", [], "Tick at least one"),
        ("languages", [], "Tick at least one"),
        ("languages", ["tlh"], "is not one of"),
        ("from_name", "a@b", "characters, without"),
        ("colour", "#ffff00", "hard to read"),
        ("logo_url", "http://papers.example/x", "Write it like https"),
        ("reply_to", "nobody", "plain address"),
        ("intro", "x" * 301, "at most 300 characters"),
        ("signup", "maybe", "Unknown option"),
        ("domains", "", "Enter the domains"),
        ("minutes", "721", "0 to 720"),
    ],
)
def test_a_wrong_value_is_told_at_its_field_and_the_rest_stays_as_typed(
    site: Site, client: TestClient, feeds: dict[str, FeedId], field: str, wrong: Any, told: str
) -> None:
    kept = "footer" if field == "intro" else "intro"
    answer = post(client, NEW, **FILLED | {kept: "As I typed it", field: wrong})
    assert answer.status_code == 422
    page = answer.text
    message = page.partition(f'<span class="error" id="{field}-error">')[2].partition("<")[0]
    assert told in message
    assert f'href="#{field}"' in page
    assert f'id="{field}"' in page
    assert 'value="As I typed it"' in page
    assert audited(site) == []


def test_a_change_that_somebody_else_made_meanwhile_is_not_undone_unseen(
    site: Site, client: TestClient
) -> None:
    post(client, NEW, **FILLED | {"which_feeds": "all"})
    shown = client.get(f"{ROBOTS}/edit").text.partition('name="shown" value="')[2][:16]
    edit_list(site.runtime.database, "robots", {"title": "Theirs"}, by="shell tests", now=NOW)
    mine = FILLED | {"which_feeds": "all", "title": "Mine"}
    late = post(client, f"{ROBOTS}/edit", shown=shown, **mine)
    assert (late.status_code, "changed in another window" in late.text) == (422, True)
    assert stored(site).title == "Theirs"
    seen = late.text.partition('name="shown" value="')[2][:16]
    assert post(client, f"{ROBOTS}/edit", shown=seen, **mine).status_code == 303
    assert stored(site).title == "Mine"


def test_a_form_is_saved_as_a_whole_or_not_at_all(
    site: Site, client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A list without its hold would send its next edition unseen."""

    def fail(*_: object, **__: object) -> None:
        raise InvalidInput("the process ends here", code="minutes")

    given = FILLED | {"which_feeds": "all"}
    with monkeypatch.context() as patch:
        patch.setattr(lists, "set_hold", fail)
        assert post(client, NEW, **given).status_code == 422
    assert client.get(ROBOTS).status_code == 404
    assert post(client, NEW, **given).status_code == 303
    monkeypatch.setattr(lists, "set_hold", fail)
    assert post(client, f"{ROBOTS}/edit", **given | {"title": "Mine"}).status_code == 422
    assert stored(site).title == given["title"]


@pytest.mark.accept("F44", part="page", mutant="a-list-is-archived-unasked")
def test_a_list_is_paused_archived_and_restored(site: Site, client: TestClient) -> None:
    post(client, NEW, **FILLED | {"which_feeds": "all", "private": ""})
    post(client, ROBOTS, action="pause")
    assert stored(site).paused_at == NOW
    assert "The list is paused" in client.get(ROBOTS).text
    post(client, ROBOTS, action="resume")
    assert stored(site).paused_at is None
    unsure = post(client, ROBOTS, action="archive")
    assert (unsure.status_code, "Tick “I am sure”" in unsure.text) == (422, True)
    assert stored(site).archived_at is None
    post(client, ROBOTS, action="archive", sure="yes")
    assert stored(site).archived_at == NOW
    assert "archived" in client.get("/admin/lists").text
    post(client, ROBOTS, action="restore")
    assert stored(site).archived_at is None
    actions = [action for _, action in audited(site)]
    assert actions[2:] == ["pause", "resume", "archive list", "restore list"]


def test_the_table_says_how_many_read_each_list(
    site: Site, client: TestClient, digest_token: str
) -> None:
    post(client, NEW, **FILLED | {"which_feeds": "all", "domains": "a.example, b.example"})
    page = client.get("/admin/lists").text
    trending, robots = (page.partition(f"/admin/lists/{one}")[2] for one in ("trending", "robots"))
    assert _cells(trending)[0] == "all feeds"
    assert _cells(trending)[2:] == ["1", "anybody", "public"]
    assert _cells(robots)[2:] == ["0", "a.example, b.example", "private"]


def _cells(text: str) -> list[str]:
    """The cells of the first row of a table."""
    row = text.partition("</tr>")[0]
    return [one.strip() for one in re.findall(r"<td[^>]*>(.*?)</td>", row, re.DOTALL)]


@pytest.mark.accept("F44", part="page")
def test_a_new_list_says_what_comes_next(site: Site, client: TestClient) -> None:
    post(client, NEW, **FILLED | {"which_feeds": "all", "private": "", "signup": "open"})
    page = client.get(ROBOTS).text
    assert 'No feeds yet. <a href="/admin/feeds">Add one</a>.' in page
    assert "The first edition is made" in page
    assert "https://papers.example/subscribe?list=robots" in page
    assert "08:00 (Europe/Berlin)" in page
    assert f'href="{ROBOTS}"' in client.get("/admin/lists").text
    assert f'href="{ROBOTS}"' in client.get("/admin").text


@pytest.mark.accept("F44", part="filters", mutant="a-list-loses-its-feed")
def test_a_feed_of_a_list_is_not_deleted_until_the_list_has_others(
    site: Site, client: TestClient, feeds: dict[str, FeedId]
) -> None:
    post(client, NEW, **FILLED)
    path = f"/admin/feeds/{feeds['vision-feed']}"
    kept = post(client, path, action="delete", sure="yes")
    assert kept.status_code == 422
    assert "is one of the feeds of robots: choose others there first" in kept.text
    assert client.get(path).status_code == 200
    post(client, f"{ROBOTS}/edit", **FILLED | {"feeds": ["robots-feed"]})
    assert post(client, path, action="delete", sure="yes").status_code == 303


@pytest.mark.accept("F44", part="page")
def test_the_archive_of_a_private_list_opens_from_its_page(
    site: Site, client: TestClient, edition: Edition
) -> None:
    with site.runtime.database.reading() as work:
        assert not work[ListStore].get("trending").private
    trending = "/admin/lists/trending"
    assert "Private archive" not in client.get(trending).text
    form = {"title": "Ours", "zone": "UTC", "private": "yes"}
    ticked = {"frequencies": ["daily"], "languages": ["en"]}
    assert post(client, f"{trending}/edit", **form, **ticked).status_code == 303
    page = client.get(trending).text
    path = page.partition("/editions?list=trending&amp;access=")[2].partition('"')[0]
    opened = site.client.get(f"/editions?list=trending&access={path}")
    assert (opened.status_code, str(edition.day) in opened.text) == (200, True)
    assert "forwarded" in page


def test_what_would_go_out_now_is_shown_and_not_sent(
    site: Site, client: TestClient, edition: Edition
) -> None:
    before = site.dump()
    answer = client.get("/admin/lists/trending/preview")
    assert answer.status_code == 200
    assert edition.papers[0].title in answer.text
    assert "sandbox" in answer.headers["content-security-policy"]
    assert site.dump() == before
