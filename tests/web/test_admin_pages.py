"""The admin pages, as an operator uses them."""

import re
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

import pytest

from paperround.access.keys import create_key, find_key
from paperround.access.model import Scope
from paperround.access.store import AuditStore
from paperround.cli.ingest import paper_file, store_papers
from paperround.config import Settings
from paperround.db.slots import SlotStore
from paperround.delivery.rate_limits import FAILED
from paperround.delivery.store.rates import PaceStore
from paperround.delivery.system_mail_model import Alert
from paperround.editions.model import Edition
from paperround.feeds.due import create_feed
from paperround.feeds.model import FeedHealth, NewFeed
from paperround.feeds.store.feeds import FeedStore
from paperround.ops.scheduler_lock import forget_scheduler, scheduler_lock
from paperround.ops.tick import live
from paperround.web.admin import ranking
from paperround.web.admin.overview import overview_of, page_of
from paperround.web.health import readiness
from paperround.web.templates import show_commands
from tests.builders import NOW
from tests.feeds.arxiv_samples import item, rss
from tests.web.admin import Service
from tests.web.conftest import Site, running
from tests.web.operators import OWN, add, browser, form_token, logged_in

PAGE = Path(__file__).parents[2] / "docs" / "sample" / "page.txt"
PAGES = (
    "/admin",
    "/admin/editions",
    "/admin/lists/trending/why",
    "/admin/lists/trending/send",
    "/admin/deliveries",
    "/admin/people",
    "/admin/people/new",
    "/admin/bounces",
    "/admin/suppressions",
    "/admin/feeds",
    "/admin/feeds/new?kind=arxiv",
    "/admin/ranking",
    "/admin/figures",
    "/admin/keys",
    "/admin/operators",
    "/admin/audit",
    "/admin/doctor",
)


@pytest.mark.accept("F43", part="every page")
@pytest.mark.parametrize("path", PAGES)
def test_every_page_opens_for_an_operator_and_for_nobody_else(site: Site, path: str) -> None:
    add(site)
    answer = logged_in(site).get(path)
    assert answer.status_code == 200, answer.text
    assert answer.headers["cache-control"] == "no-store"
    stranger = browser(site).get(path)
    assert (stranger.status_code, stranger.headers["location"]) == (303, "/admin/login")


@pytest.mark.accept("F43", part="navigation")
def test_the_navigation_leads_to_pages_that_exist(site: Site) -> None:
    add(site)
    client = logged_in(site)
    page = client.get("/admin").text
    nav = page.partition('class="admin-nav"')[2].partition("</nav>")[0]
    paths = [one.partition('"')[0] for one in nav.split('href="')[1:]]
    assert {"/admin", "/admin/feeds", "/admin/keys"} <= {*paths}
    assert [client.get(path).status_code for path in paths] == [200] * len(paths)


def test_the_overview_says_that_mail_stays_in_the_outbox_while_no_relay_is_set(
    settings: Settings,
) -> None:
    for relay, is_kept in (None, True), ("smtp://relay.example", False):
        with running(settings.model_copy(update={"smtp_url": relay})) as one:
            if relay is None:
                add(one)
            assert ("/outbox" in logged_in(one).get("/admin").text) is is_kept


def test_the_overview_says_in_red_that_the_scheduler_has_stopped(site: Site) -> None:
    add(site)
    client = logged_in(site)

    def is_well() -> bool:
        page = client.get("/admin").text
        last_ran = page.partition("The scheduler last ran on")[0].rpartition("<p class=")[2]
        well = "All is well." in page
        assert last_ran.startswith('"dim"' if well else '"error"')
        return well

    folder = site.runtime.settings.data_dir
    with scheduler_lock(folder):
        live(site.runtime.database, now=site.clock.now())
        assert is_well()
    assert not is_well(), "its process has ended"
    forget_scheduler(folder)
    assert is_well(), "cron ticks now"
    site.clock.move(minutes=4)
    assert not is_well()


def test_the_overview_says_within_seconds_what_readyz_says(site: Site) -> None:
    add(site)
    live(site.runtime.database, now=site.clock.now())
    site.app.state.check_readiness = partial(readiness, site.runtime, lambda: NOW)
    client = logged_in(site)
    page = client.get("/admin").text
    assert "All is well." in page
    site.clock.move(seconds=11)
    page = client.get("/admin").text
    assert "The scheduler has not checked for due work for 10 seconds." in page
    assert "All is well." not in page


def test_not_all_is_well_while_a_feed_fails(site: Site) -> None:
    add(site)
    live(site.runtime.database, now=site.clock.now())
    new = NewFeed(name="daily", kind="feed", url="https://site.example/feed")
    feed = create_feed(site.runtime.feed_context, new, now=NOW)
    client = logged_in(site)
    for health, is_well in ((FeedHealth.FAILED, False), (FeedHealth.FRESH, True)):
        with site.runtime.database.writing() as work:
            work[FeedStore].record_poll(replace(feed, health=health, reason="status 500"))
        assert ("All is well." in client.get("/admin").text) is is_well


@pytest.mark.parametrize(
    "path",
    [
        "/admin/sending",
        "/admin/lists/trending",
        "/admin/lists/trending/send",
        "/admin{edition}",
        "/admin/feeds/{feed}",
        "/admin/people/{person}",
    ],
)
def test_a_form_with_an_unknown_action_is_refused(site: Site, digest_token: str, path: str) -> None:
    add(site)
    client = logged_in(site)
    form = {"csrf": form_token(client), "action": "pauze"}
    own = re.search(r"/admin(/editions/trending/[^\"]+)", client.get("/admin/editions").text)
    assert own is not None
    path = path.format(edition=own[1], feed=1, person=1)
    answer = client.post(path, data=form, headers=OWN)
    assert (answer.status_code, "unknown action" in answer.text.lower()) == (422, True), answer.text


def test_the_overview_names_what_stops_mail_first_and_one_outage_once(site: Site) -> None:
    missed = [
        Alert(key=f"missed/trending/2026-03-0{day}", subject=f"3 of March {day} were missed")
        for day in (1, 2)
    ]
    stops = Alert(key="unreached/x", subject="The relay", lines=("`a <b` helps.",), stops_mail=True)
    app, now = site.runtime, site.clock.now()
    page = replace(overview_of(app, now, None), alerts=[*missed, stops])
    assert page.triaged == [(stops, []), (missed[0], [missed[1]])]
    assert page_of(missed[0]) == "/admin/lists/trending/send?date=2026-03-01"
    assert page_of(Alert(key="feed/7/gone/x", subject="")) == "/admin/feeds/7"
    assert show_commands(stops.lines[0]) == "<code>a &lt;b</code> helps."


def test_an_alert_that_an_operator_has_seen_leaves_the_overview(site: Site) -> None:
    add(site)
    client, database = logged_in(site), site.runtime.database
    live(database, now=site.clock.now())
    new = NewFeed(name="daily", kind="feed", url="https://site.example/feed")
    feed = create_feed(site.runtime.feed_context, new, now=NOW)

    def stale_since(at: datetime) -> None:
        with database.writing() as work:
            late = replace(feed, health=FeedHealth.STALE, reason="late", last_news_at=at)
            work[FeedStore].record_poll(late)

    stale_since(NOW)
    [keys] = re.findall(r'name="keys" value="([^"]+)"', client.get("/admin").text)
    form = {"csrf": form_token(client), "action": "seen", "keys": f"{keys} unknown"}
    assert client.post("/admin/sending", data=form, headers=OWN).status_code == 303
    assert 'name="keys"' not in client.get("/admin").text
    stale_since(NOW + timedelta(days=9))
    assert 'name="keys"' in client.get("/admin").text, "it came back"
    assert "see alert" in client.get("/admin/audit").text


def test_an_alert_that_stops_email_cannot_be_hidden(site: Site) -> None:
    add(site)
    client, database, now = logged_in(site), site.runtime.database, site.clock.now()
    with database.writing() as work:
        work[PaceStore].note_session("no-session: refused", now=now)
        work[SlotStore].beat(FAILED, now=now)
    form = {"csrf": form_token(client), "action": "seen", "keys": f"unreached/{now:%Y-%m-%d}"}
    assert client.post("/admin/sending", data=form, headers=OWN).status_code == 303
    page = client.get("/admin").text
    assert "The relay cannot be reached: refused" in page
    assert 'name="keys"' not in page
    assert 'href="/admin/doctor">View</a>' in page
    assert "<code>paperround doctor</code> checks" in page
    assert "see alert" not in client.get("/admin/audit").text


def test_a_schedule_that_never_ran_is_the_first_thing_on_the_overview(site: Site) -> None:
    add(site)
    page = logged_in(site).get("/admin").text
    assert page.index("The scheduler has never run.") < page.index("<h2>")
    assert "Without it, nothing is read or sent." in page.partition("<h2>")[0]


@pytest.mark.accept("F43", part="feeds")
def test_a_feed_is_added_changed_read_and_deleted(site: Site) -> None:
    add(site)
    client = logged_in(site)
    token = {"csrf": form_token(client)}
    new = {"kind": "arxiv", "name": "ml", "settings.categories": "cs.LG", "enabled": "yes"}
    wrong = client.post("/admin/feeds/new", data=token | new | {"name": "a b"}, headers=OWN)
    assert wrong.status_code == 422
    assert "cannot be a feed" in wrong.text
    made = client.post("/admin/feeds/new", data=token | new | {"action": "add"}, headers=OWN)
    path = made.headers["location"]
    changed = {"action": "save", "name": "ml2", "settings.categories": "cs.LG,cs.CL"}
    assert client.post(path, data=token | changed, headers=OWN).status_code == 303
    page = client.get(path).text
    assert "ml2" in page
    assert 'value="cs.LG,cs.CL"' in page
    kept = client.post(path, data=token | {"action": "delete"}, headers=OWN)
    assert (kept.status_code, "Tick “I am sure”" in kept.text) == (422, True)
    gone = client.post(path, data=token | {"action": "delete", "sure": "yes"}, headers=OWN)
    assert gone.headers["location"] == "/admin/feeds"
    assert client.get(path).status_code == 404


def test_the_preview_of_a_feed_counts_its_new_papers(site: Site) -> None:
    add(site)
    client, service = logged_in(site), Service()
    service.says["cs.LG"] = rss(item("2603.00001v1"), item("2603.00002v1"))
    context = replace(site.runtime.feed_context, client=service, pause=lambda _: None)
    vars(site.runtime)["feed_context"] = context
    new = {"csrf": form_token(client), "kind": "arxiv", "name": "ml", "action": "preview"}
    page = client.post("/admin/feeds/new", data=new | {"settings.categories": "cs.LG"}, headers=OWN)
    assert "The first page has 2 papers, 2 of them new." in page.text


def test_the_form_of_a_feed_says_whether_it_needs_an_address(site: Site) -> None:
    add(site)
    client = logged_in(site)
    for kind, own in (("feed", False), ("arxiv", True)):
        page = client.get(f"/admin/feeds/new?kind={kind}").text
        assert ("Leave empty for the default address of the source." in page) is own
        assert ("Address of an RSS, Atom or JSON feed." in page) is not own


def test_imported_files_are_shown_as_imported_and_not_as_unread(site: Site) -> None:
    add(site)
    client = logged_in(site)
    store_papers(site.runtime, paper_file(PAGE))
    feeds = client.get("/admin/feeds").text
    row = feeds[feeds.index("file:page") : feeds.index("</tbody>")]
    path = "/admin/feeds/1"
    assert f'<a href="{path}">file:page</a>' in feeds
    for text in (row, client.get(path).text):
        assert "imported" in text
        assert "not read yet" not in text
        assert "never" not in text
    assert "No feed is read automatically yet." in client.get("/admin").text


@pytest.mark.accept("F43", part="keys")
def test_a_key_is_created_shown_once_and_revoked(site: Site) -> None:
    add(site)
    client = logged_in(site)
    token = {"csrf": form_token(client)}
    page = client.get("/admin/keys").text
    in_order = ["Read only", "feeds:read", "stats:read", "Read and change", "feeds:write"]
    assert sorted(in_order, key=page.index) == in_order
    unticked = client.post("/admin/keys", data=token | {"name": "laptop"}, headers=OWN)
    assert (unticked.status_code, "Tick at least one permission" in unticked.text) == (422, True)
    made = client.post(
        "/admin/keys", data=token | {"name": "laptop", "scope": "feeds:read"}, headers=OWN
    )
    text = made.text.partition('class="secret">')[2].partition("<")[0]
    feeds = "/api/v1/admin/feeds"
    assert client.get(feeds, headers={"authorization": f"Bearer {text}"}).status_code == 200
    later = client.get("/admin/keys").text
    assert text not in later
    assert f" {NOW.year + 1} " in later  # the day it expires
    prefix = text.split("_")[1]
    maker = find_key(site.runtime.database, prefix)
    create = partial(create_key, site.runtime.database, expires_at=None, now=NOW)
    for name in ("script", "cron"):
        maker = create(name, [Scope.FEEDS_READ], maker=maker).key
    keys = client.get("/admin/keys").text
    assert re.findall(r"Ends with it: ([^<]+)<", keys) == ["cron", "script, cron"]
    client.post(f"/admin/keys/{prefix}/revoke", data=token, headers=OWN)
    assert client.get(feeds, headers={"authorization": f"Bearer {text}"}).status_code == 401


@pytest.mark.accept("F43", part="audit")
def test_the_audit_log_names_operators_by_number(site: Site) -> None:
    number = add(site)
    client = logged_in(site)
    new = {"csrf": form_token(client), "kind": "arxiv", "name": "ml", "action": "add"}
    client.post("/admin/feeds/new", data=new | {"settings.categories": "cs.LG"}, headers=OWN)
    page = client.get("/admin/audit").text
    assert "log in" in page
    only = client.get(f"/admin/audit?action=add+feed&by=operator+{number}&target=ml").text
    assert f"<td>operator {number}</td>" in only
    assert "log in" not in only.partition("<tbody>")[2]
    assert "<tbody>" not in client.get("/admin/audit?by=nobody").text


@pytest.mark.accept("F43", part="doctor")
def test_the_doctor_runs_when_its_button_is_pressed(site: Site) -> None:
    add(site)
    client = logged_in(site)
    assert "settings" not in client.get("/admin/doctor").text.partition("<ul")[2]
    page = client.post("/admin/doctor", data={"csrf": form_token(client)}, headers=OWN).text
    assert "all are known and readable" in page


@pytest.mark.accept("F43", part="deliveries")
def test_the_ledger_is_filtered_and_shows_one_row(site: Site, digest_token: str) -> None:
    add(site)
    client = logged_in(site)
    page = client.get("/admin/deliveries?state=queued").text
    assert "/admin/deliveries/1" in page
    assert "/admin/deliveries/1" not in client.get("/admin/deliveries?state=sent").text
    assert client.get("/admin/deliveries?date=yesterday").status_code == 422
    row = client.get("/admin/deliveries/1").text
    assert "Message-ID" in row
    assert client.get("/admin/deliveries/99").status_code == 404


@pytest.mark.accept("F43", part="ranking")
def test_the_order_shows_its_parts_and_other_weights(site: Site, digest_token: str) -> None:
    add(site)
    client = logged_in(site)
    usual = client.get("/admin/ranking?date=").text
    assert '<span class="dim small parts">' in usual
    other = client.get("/admin/ranking?weights=votes=5").text
    assert "with the current weights: rank" in other
    assert client.get("/admin/ranking?weights=magic=5").status_code == 422


@pytest.mark.accept("F43", part="ranking")
def test_the_ranking_opens_with_the_newest_edition_and_ranks_nothing(
    site: Site, edition: Edition, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(site)
    client = logged_in(site)
    now = client.get("/admin/ranking?date=").text

    def fail(**_: object) -> None:
        raise AssertionError("ranking thousands of papers takes a second")

    monkeypatch.setattr(ranking, "rank_list", fail)
    page = client.get("/admin/ranking").text
    assert f"{edition.day}, edition {edition.cut}</a>" in page
    assert '<a href="/admin/ranking?list=trending&amp;date=">' in page
    first = edition.papers[0]
    assert f"<strong>{first.score:.4f}</strong>" in page
    papers = (
        one.partition("</ol>")[0] for one in (page.partition("<ol")[2], now.partition("<ol")[2])
    )
    assert len({one.count("<li>") for one in papers}) == 1


def test_the_ranking_of_a_list_without_editions_is_that_of_now(site: Site) -> None:
    add(site)
    page = logged_in(site).get("/admin/ranking").text
    assert "ordered by" in page
    assert "None." in page


@pytest.mark.accept("F43", part="ranking")
def test_weights_are_tried_on_the_last_month_and_nothing_is_stored(
    site: Site, digest_token: str
) -> None:
    add(site)
    client = logged_in(site)
    before = site.dump()
    page = client.get("/admin/ranking?weights=recency=0.1").text
    assert "In 1 edition, " in page
    assert "Most often added" in page
    assert "Only papers shown in an edition" in page
    shaped = client.get("/admin/ranking?weights=settling_hours=2")
    assert shaped.status_code == 200, "today's order can be tried with every weight"
    assert "changes how parts of the score are computed" in shaped.text
    assert site.dump() == before


def test_every_list_is_paused_and_resumed_from_the_overview(site: Site) -> None:
    add(site)
    client = logged_in(site)
    token = {"csrf": form_token(client)}

    def press(action: str) -> str:
        answer = client.post("/admin/sending", data=token | {"action": action}, headers=OWN)
        return client.get(answer.headers["location"]).text

    paused = press("pause")
    assert "The list is paused." in paused
    assert "Pause all lists" not in paused
    resumed = press("resume")
    assert "The list is paused." not in resumed
    assert "Resume all lists" not in resumed
    with site.runtime.database.reading() as work:
        found = work[AuditStore].page(before=None, limit=2)
    assert [(one.actor, one.action) for one in found] == [
        ("operator 1", "resume"),
        ("operator 1", "pause"),
    ]


def test_a_colleague_is_let_in_and_out_again(site: Site) -> None:
    own = add(site)
    client = logged_in(site)
    token = {"csrf": form_token(client)}
    path, colleague = "/admin/operators", "colleague@lab.example"
    wrong = client.post(path, data=token | {"email": "colleague"}, headers=OWN)
    assert (wrong.status_code, 'value="colleague"' in wrong.text) == (422, True)
    assert client.post(path, data=token | {"email": colleague}, headers=OWN).status_code == 303
    taken = client.post(path, data=token | {"email": colleague}, headers=OWN)
    assert "is an operator already" in taken.text
    let_in = logged_in(site, colleague)
    myself = client.post(f"{path}/{own}/remove", data=token, headers=OWN)
    assert (myself.status_code, "cannot remove yourself" in myself.text.lower()) == (422, True)
    removed = client.post(f"{path}/{own + 1}/remove", data=token, headers=OWN)
    assert colleague not in client.get(removed.headers["location"]).text
    assert let_in.get("/admin").headers["location"] == "/admin/login"
    assert client.post(f"{path}/99/remove", data=token, headers=OWN).status_code == 404
    with site.runtime.database.reading() as work:
        found = work[AuditStore].page(before=None, limit=9)
    acted = [one.action for one in found if one.actor == "operator 1"]
    assert acted == ["remove operator", "add operator", "log in"]
