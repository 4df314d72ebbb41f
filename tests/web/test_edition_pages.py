"""Admin pages of editions and of a list's sending, as an operator uses them."""

import re
from dataclasses import fields
from email import message_from_bytes, policy
from email.message import EmailMessage
from html import unescape

import pytest
from starlette.testclient import TestClient

from paperround.access.store import AuditStore
from paperround.db.transactions import SqlDatabase
from paperround.delivery.store.past import PastStore
from paperround.digests.editing import set_hold
from paperround.digests.publish import freeze_cuts
from paperround.digests.sending import deliver
from paperround.editions.model import Edition, NewEdition
from paperround.editions.store.editions import EditionStore
from paperround.editions.store.lists import ListStore
from paperround.subscribers.model import Preferences, SubscriberId, SubscriberState
from paperround.subscribers.store.subscribers import SubscriberStore
from tests.builders import HOUR, NOW, address
from tests.fakes import NewestFirst
from tests.sample_database import fill, record, subscribe
from tests.web.conftest import Site, sql
from tests.web.operators import OWN, add, form_token, logged_in

LIST = "/admin/lists/trending"
SURE = {"sure": "yes"}


@pytest.fixture
def edition(site: Site) -> Edition:
    """A held edition of three papers, on a list of Ada and Alan."""
    database = site.runtime.database
    fill(SqlDatabase(sql(site.runtime)), [record(1), record(2), record(3)], now=NOW)
    subscribe(SqlDatabase(sql(site.runtime)), "ada", "alan")
    set_hold(database, "trending", 60, by="shell tests", now=NOW)
    [frozen] = freeze_cuts(database=database, ranker=NewestFirst(), now=NOW)
    return frozen


@pytest.fixture
def operator(site: Site, edition: Edition) -> TestClient:
    add(site)
    return logged_in(site)


def path_of(edition: Edition) -> str:
    return f"/admin/editions/trending/{edition.day}/{edition.cut}"


def press(operator: TestClient, path: str, **fields: object) -> tuple[int, str]:
    """Send a form; returns the status, and the page or where it leads."""
    data = {"csrf": form_token(operator)} | {name: str(one) for name, one in fields.items()}
    answer = operator.post(path, data=data, headers=OWN)
    return answer.status_code, answer.headers.get("location", answer.text)


def actions(site: Site) -> list[tuple[str, str]]:
    """Operators' actions, the oldest first."""
    with site.runtime.database.reading() as work:
        found = work[AuditStore].page(before=None, limit=50)
    return [(one.actor, one.action) for one in found if one.actor.startswith("operator")][::-1]


def outbox(site: Site) -> list[EmailMessage]:
    deliver(site.runtime.post())
    folder = site.runtime.settings.data_dir / "outbox"
    files = sorted(folder.glob("[!.]*.eml"), key=lambda one: one.stat().st_mtime_ns)
    return [message_from_bytes(one.read_bytes(), policy=policy.default) for one in files]


def text_of(mail: EmailMessage) -> str:
    body = mail.get_body(("plain",))
    assert body is not None
    return str(body.get_content())


def test_an_edition_sent_by_hand_says_that_those_are_not_held(
    site: Site, edition: Edition, operator: TestClient
) -> None:
    here = f"/admin/editions/trending/{edition.day}/manual"
    with site.runtime.database.writing() as work:
        kept = {one.name: getattr(edition, one.name) for one in fields(NewEdition)}
        work[EditionStore].freeze(NewEdition(**kept | {"cut": "manual", "held_until": None}))
    assert "Editions sent by hand are not held." in operator.get(here).text


# --- changing ------------------------------------------------------------------------------------


@pytest.mark.accept("F55", part="page")
def test_an_edition_is_seen_changed_approved_and_mailed(
    site: Site, edition: Edition, operator: TestClient
) -> None:
    here, (first, second, third) = path_of(edition), edition.papers
    assert here in operator.get("/admin/editions").text.partition("Sent automatically")[2]
    page = operator.get(here).text
    assert "This edition is held" in page
    assert [page.find(one.title) for one in edition.papers] == sorted(
        page.find(one.title) for one in edition.papers
    )
    assert press(operator, here, drop=first.paper_id) == (303, f"{here}#paper-{first.paper_id}")
    press(operator, here, pin=third.paper_id)
    press(operator, here, action="note", text="Read both.")
    press(operator, here, action="note", text="See figure 2.", paper=second.paper_id)
    status, refused = press(operator, f"{here}/send", **SURE)
    assert (status, "is held" in refused) == (422, True), refused
    assert "Approve and send now" not in operator.get(here).text
    assert press(operator, here, action="approve") == (303, here)
    assert "It can no longer be changed" in operator.get(here).text
    asked = operator.get(f"{here}/send").text
    assert "would get this one: 2." in asked
    assert press(operator, f"{here}/send", **SURE) == (303, here)
    mail, _ = map(text_of, outbox(site))
    assert first.title not in mail
    assert mail.find(third.title) < mail.find(second.title)
    assert "From the editor: Read both." in mail
    assert "From the editor: See figure 2." in mail
    link = re.search(r'href="([^"]+)">sent&nbsp;2<', operator.get(here).text)
    assert link is not None
    assert operator.get(unescape(link[1])).text.count("/admin/deliveries/") == 2
    assert [name for _, name in actions(site)] == [
        "log in",
        "drop paper",
        "pin paper",
        "add note",
        "add note",
        "approve edition",
        "send edition",
    ]
    assert {who for who, _ in actions(site)} == {"operator 1"}


def test_who_gets_it_when_is_said_before_and_after_the_approval(
    site: Site, edition: Edition, operator: TestClient
) -> None:
    here, database = path_of(edition), SqlDatabase(sql(site.runtime))
    assert "Nobody is due before the next edition." in operator.get(here).text
    with database.writing() as work:
        one, other = work[SubscriberStore].unscheduled(limit=9)
        work[SubscriberStore].schedule({one.id: NOW + HOUR, other.id: NOW + 9 * HOUR})
    due = f"Due before the next edition: 1, the first on Mon 2 Mar {NOW + HOUR:%H:%M} (UTC)"
    assert due in operator.get(here).text
    press(operator, here, action="approve")
    assert due in operator.get(here).text


def test_send_now_counts_those_who_get_an_email_and_not_those_who_were_planned_before(
    site: Site, edition: Edition, operator: TestClient
) -> None:
    here, database = path_of(edition), SqlDatabase(sql(site.runtime))
    press(operator, here, action="approve")
    subscribe(database, "grace", wish=Preferences(floor=99.0))
    asked = operator.get(f"{here}/send").text
    assert ("would get this one: 2." in asked, "1: <span" in asked) == (True, True)
    press(operator, f"{here}/send", **SURE)
    subscribe(database, "kurt")
    asked = operator.get(f"{here}/send").text
    assert ("would get this one: 1." in asked, "get no email" in asked) == (True, False)


@pytest.mark.accept("F55", part="page")
def test_every_change_is_undone_by_its_button(
    site: Site, edition: Edition, operator: TestClient
) -> None:
    here, paper = path_of(edition), edition.papers[0].paper_id
    for change, undone in (
        ({"drop": paper}, {"restore": paper}),
        ({"pin": paper}, {"unpin": paper}),
        ({"action": "note", "text": "Hm."}, {"action": "note", "text": ""}),
    ):
        before = main_of(operator, here)
        assert press(operator, here, **change)[0] == 303
        assert main_of(operator, here) != before
        assert press(operator, here, **undone)[0] == 303
        assert main_of(operator, here) == before
    assert "Hm." in operator.get(here).text  # the audit tells what was


def main_of(operator: TestClient, path: str) -> str:
    """The page of an edition without who changed what."""
    return operator.get(path).text.partition("Changes made")[0].partition("<h2>Digests")[0]


@pytest.mark.accept("F55", part="page")
@pytest.mark.parametrize("named", ["2601.00077", "https://arxiv.org/abs/2601.00077v2", "heron"])
def test_any_paper_is_found_and_pinned(
    site: Site, edition: Edition, operator: TestClient, named: str
) -> None:
    old = record(77, title="The patience of herons")
    fill(SqlDatabase(sql(site.runtime)), [old], now=NOW)
    here = path_of(edition)
    page = operator.get(here, params={"paper": named}).text
    found = re.search(r'name="pin" value="(\d+)"[^>]*>Pin</button>', page.partition("Results")[2])
    assert found is not None
    press(operator, here, pin=found[1])
    assert "The patience of herons" in main_of(operator, here)


@pytest.mark.accept("F55", part="page")
def test_what_cannot_be_is_said_at_its_field_and_nothing_typed_is_lost(
    site: Site, edition: Edition, operator: TestClient
) -> None:
    here, paper = path_of(edition), edition.papers[1].paper_id
    long = "x" * 301
    status, page = press(operator, here, action="note", text=long, paper=paper)
    assert (status, f'id="note-{paper}-error"' in page, long in page) == (422, True, True)
    status, page = press(operator, here, drop="4711")
    assert (status, "This paper is not in our database." in page) == (422, True)
    status, page = press(operator, here, action="cancel", reason="Wrong papers")
    assert (status, "Tick “I am sure”." in page) == (422, True)
    assert 'value="Wrong papers"' in page
    assert press(operator, here, action="anything")[0] == 422
    assert [name for _, name in actions(site)] == ["log in"]


@pytest.mark.accept("F55", part="page")
def test_an_edition_that_is_out_is_not_changed(
    site: Site, edition: Edition, operator: TestClient
) -> None:
    here, paper = path_of(edition), edition.papers[0].paper_id
    press(operator, here, action="approve")
    assert 'name="drop"' not in operator.get(here).text
    status, page = press(operator, here, drop=paper)
    assert (status, "was released" in page) == (422, True)
    assert operator.get(here.replace("2026", "2025")).status_code == 404


@pytest.mark.accept("F55", part="page")
def test_a_cancelled_edition_stops_and_comes_back(
    site: Site, edition: Edition, operator: TestClient
) -> None:
    here = path_of(edition)
    press(operator, here, action="approve")
    press(operator, f"{here}/send", **SURE)
    assert "2 digests would be stopped" in operator.get(here).text
    assert press(operator, here, action="cancel", reason="Wrong papers", **SURE) == (303, here)
    page = operator.get(here).text
    assert "This would queue 2 digests again" in page
    assert "Wrong papers" in page.partition("Changes made")[2]
    assert "was cancelled" in operator.get(f"{here}/send").text
    assert press(operator, here, action="undo cancel", **SURE) == (303, here)
    assert len(outbox(site)) == 2


# --- the preview ---------------------------------------------------------------------------------


def test_an_old_edition_does_not_claim_that_it_had_no_digests(
    site: Site, edition: Edition, operator: TestClient
) -> None:
    press(operator, path_of(edition), action="approve")
    with site.runtime.database.writing() as work:
        work[PastStore].finish(edition.id, now=NOW)
    page = operator.get(path_of(edition)).text
    assert "no longer kept for this edition" in page
    assert "Send now to subscribers" not in page
    assert "none" not in operator.get("/admin/editions").text
    assert "is no longer known" in operator.get(f"{path_of(edition)}/send").text


def number_of(site: Site, name: str) -> SubscriberId:
    with site.runtime.database.reading() as work:
        person = work[SubscriberStore].find(address(name, "example.org"))
    assert person is not None
    return person.id


@pytest.mark.accept("F55", part="page")
def test_the_preview_shows_the_changed_edition_to_a_reader_of_any_kind(
    site: Site, edition: Edition, operator: TestClient
) -> None:
    here = path_of(edition)
    press(operator, here, drop=edition.papers[0].paper_id)
    before = site.dump()
    person = number_of(site, "ada")
    for reader in ("language=de", "frequency=weekly", f"subscriber={person}"):
        page = operator.get(f"{here}/preview?{reader}")
        assert (page.status_code, "<iframe" in page.text) == (200, True), reader
        frame = operator.get(f"{here}/preview/email?{reader}")
        assert "sandbox" in frame.headers["content-security-policy"]
        assert edition.papers[1].title in frame.text
        assert edition.papers[0].title not in frame.text
    assert "Abbestellen" in operator.get(f"{here}/preview/email?language=de").text
    monthly = operator.get(f"{here}/preview?frequency=monthly").text
    assert "No digest: it is not one of their days" in monthly
    wrong = operator.get(f"{here}/preview?subscriber=4711")
    assert (wrong.status_code, "has no subscriber 4711" in wrong.text) == (422, True)
    assert site.dump() == before


@pytest.mark.accept("F55", part="page", mutant="a-preview-acts-for-its-reader")
@pytest.mark.parametrize("is_sent", [False, True])
def test_the_links_of_a_preview_act_for_nobody(
    site: Site, edition: Edition, operator: TestClient, is_sent: bool
) -> None:
    here, person = path_of(edition), number_of(site, "ada")
    press(operator, here, action="approve")
    if is_sent:
        press(operator, f"{here}/send", **SURE)
        assert len(outbox(site)) == 2
    html = operator.get(f"{here}/preview/email?subscriber={person}").text
    assert edition.papers[0].title in html
    tokens = {*re.findall(r"/(?:unsubscribe|feedback|preferences)/([\w.~-]+)", unescape(html))}
    assert tokens
    if is_sent:  # another edition of that date, which they do not get
        later = NOW + 6 * HOUR
        fill(SqlDatabase(sql(site.runtime)), [record(4)], now=later)
        [other] = freeze_cuts(database=site.runtime.database, ranker=NewestFirst(), now=later)
        page = operator.get(f"{path_of(other)}/preview?subscriber={person}").text
        assert "Their digest of this date is from another edition" in page
    else:  # the token of a row that is planned after the preview
        press(operator, f"{here}/send", **SURE)
    for token in tokens:
        site.client.post(f"/unsubscribe/{token}", data={"List-Unsubscribe": "One-Click"})
    with site.runtime.database.reading() as work:
        trending = work[ListStore].get("trending")
        subscription = work[SubscriberStore].subscription(person, trending.id)
    assert subscription is not None
    assert subscription.state is SubscriberState.ACTIVE


# --- why, and sending ----------------------------------------------------------------------------


@pytest.mark.accept("F55", part="why")
def test_a_page_says_why_nothing_went_out(
    site: Site, edition: Edition, operator: TestClient
) -> None:
    assert "is held until" in operator.get(f"{LIST}/why").text
    assert "No edition of 2026-01-01 was made." in operator.get(f"{LIST}/why?date=2026-01-01").text
    person = number_of(site, "ada")
    with site.runtime.database.writing() as work:
        work[SubscriberStore].set_state(person, SubscriberState.SUPPRESSED, now=NOW)
    about_one = operator.get(f"{LIST}/why?subscriber={person}").text
    assert "Their address is suppressed." in about_one
    for wrong in ("date=yesterday", "subscriber=4711", "subscriber=ada"):
        assert operator.get(f"{LIST}/why?{wrong}").status_code == 422
    for page in ("/admin", path_of(edition)):
        assert f"{LIST}/why" in operator.get(page).text


@pytest.mark.accept("F55", part="page")
def test_missed_digests_are_counted_and_sent(
    site: Site, edition: Edition, operator: TestClient
) -> None:
    here = path_of(edition)
    press(operator, here, action="approve")
    press(operator, f"{here}/send", **SURE)
    press(operator, here, action="cancel", **SURE)
    day = {"date": str(edition.day)}
    assert "2 digests can be sent now" in operator.get(f"{LIST}/send", params=day).text
    assert press(operator, f"{LIST}/send", action="missed", **day)[0] == 422
    press(operator, f"{LIST}/send", action="missed", **day, **SURE)
    assert len(outbox(site)) == 2
    assert "Resent: 2." in operator.get(f"{LIST}/send", params=day).text
    assert operator.get(f"{LIST}/send?date=yesterday").status_code == 422


@pytest.mark.accept("F55", part="page")
def test_a_test_mail_is_sent_and_its_address_is_in_no_path(
    site: Site, edition: Edition, operator: TestClient
) -> None:
    status, page = press(operator, f"{LIST}/send", action="test", to="ed@example.org")
    assert (status, 'class="done">sent' in page, "ed@example.org" in page) == (200, True, False)
    [mail] = outbox(site)
    assert (mail["To"], edition.papers[0].title in text_of(mail)) == ("ed@example.org", True)
    status, page = press(operator, f"{LIST}/send", action="test", to="nobody")
    assert (status, 'value="nobody"' in page) == (422, True)
    assert actions(site)[-1] == ("operator 1", "send test mail")


@pytest.mark.accept("F55", part="page")
def test_a_list_is_paused_and_resumed(site: Site, edition: Edition, operator: TestClient) -> None:
    assert press(operator, f"{LIST}/send", action="pause") == (303, f"{LIST}/send")
    assert "The list has been paused since" in operator.get(f"{LIST}/send").text
    press(operator, f"{LIST}/send", action="resume")
    assert "Pause the list" in operator.get(f"{LIST}/send").text
    assert [name for _, name in actions(site)][-2:] == ["pause", "resume"]
