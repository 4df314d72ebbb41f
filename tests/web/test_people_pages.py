"""The help desk by page: what people write to an operator, and what the operator presses."""

import re
from dataclasses import dataclass

import httpx2 as httpx
import pytest
from starlette.testclient import TestClient

from paperround.access.store import AuditStore
from paperround.bounces.model import Did, Proof
from paperround.bounces.store import ReturnStore
from paperround.core.i18n.locale import locale_for
from paperround.db.schema.tables import deliveries
from paperround.digests.sending import deliver
from paperround.subscribers.imports import suppress
from paperround.subscribers.model import GONE
from tests.builders import NOW, address, returned_event
from tests.web.conftest import Site, sql
from tests.web.operators import OWN, add, form_token, logged_in

PEOPLE = "/admin/people"
ALICE = f"{PEOPLE}/1"
USUAL = 'name="resume" value="yes" checked'
LISTED = re.compile(r'<ul class="plain">(.*?)</ul>', re.S)


@dataclass
class HelpDesk:
    """An operator who is logged in, and whose digest to Alice was sent."""

    site: Site
    client: TestClient
    token: dict[str, str]

    def press(self, path: str, **fields: str) -> httpx.Response:
        """Send a form of the page."""
        return self.client.post(path, data=self.token | fields, headers=OWN)

    def done(self, path: str, **fields: str) -> str:
        """Send a form, and return the page that it leads to."""
        answer = self.press(path, **fields)
        assert answer.status_code == 303, answer.text
        return self.client.get(answer.headers["location"]).text

    def refused(self, path: str, **fields: str) -> str:
        """Send a form that is refused, and return its page."""
        answer = self.press(path, **fields)
        assert answer.status_code == 422, answer.text
        return answer.text

    def standing(self, path: str = ALICE) -> str:
        """What the page of a person says first."""
        page = self.client.get(path).text
        found = LISTED.search(page)
        assert found is not None
        return found[1]

    def post(self) -> tuple[int, int]:
        """Send what is due; return how many digests and other emails have left so far."""
        report = deliver(self.site.runtime.post())
        return report.totals.sent, report.notices.sent

    def actions(self) -> list[tuple[str, str]]:
        """The actors and actions of the audit, newest first, without each look at a person."""
        with self.site.runtime.database.reading() as work:
            found = work[AuditStore].page(before=None, limit=10)
        return [(one.actor, one.action) for one in found if one.action != "read person"]


@pytest.fixture
def desk(site: Site, digest_token: str) -> HelpDesk:
    """The help desk, after today's digest was sent to Alice."""
    add(site)
    client = logged_in(site)
    found = HelpDesk(site, client, {"csrf": form_token(client)})
    assert found.post() == (1, 0)
    return found


@pytest.mark.accept("F56", part="page")
def test_errand_1_i_get_no_mail(desk: HelpDesk) -> None:
    found = desk.press(PEOPLE, email="alice@").text
    assert f'<a href="{ALICE}">alice@mail.example</a>' in found
    assert "trending" in found
    said = desk.standing()
    assert "gets digests daily at" in said
    kept = "was not sent but kept in the outbox, because no relay was set."
    assert f"the digest of {NOW.date()} {kept}" in said
    page = desk.client.get(ALICE).text
    assert page.count(kept) == 2, "the timeline says so too"
    assert "mail server" not in page
    with sql(desk.site.runtime).begin() as connection:
        connection.execute(deliveries.update().values(reply="2.0.0 queued"))
    said = desk.standing()
    assert f"the mail server accepted the digest of {NOW.date()}" in said
    assert "spam folder" in said
    page = desk.client.get(ALICE).text
    assert "was accepted by the mail server: 250 2.0.0 queued" in page
    assert "<title>Subscriber 1" in page
    delivery = desk.client.get("/admin/deliveries/1").text
    assert f'href="{ALICE}"' in delivery
    assert f'href="{ALICE}"' in desk.client.get("/admin/deliveries").text
    assert "3 characters" in desk.refused(PEOPLE, email="al")
    assert "No subscribers found" in desk.press(PEOPLE, email="nobody@mail.example").text


@pytest.mark.accept("F56", part="page")
def test_errand_2_my_address_is_wrong(desk: HelpDesk) -> None:
    refused = desk.refused(ALICE, action="move", email="alice@mail.example")
    assert "that is their current address" in refused.lower()
    assert 'value="alice@mail.example"' in refused
    assert '<details class="errand" open>' in refused
    asked = desk.done(ALICE, action="move", email="new@mail.example")
    assert "emailed them to confirm" in asked
    assert ">alice@mail.example</h1>" in asked
    assert "until they use it, their address is this one" in asked
    assert "had a change of address requested (once confirmed), by operator 1" in asked
    at_once = desk.done(ALICE, action="move", email="new@mail.example", unconfirmed="yes")
    assert ">new@mail.example</h1>" in at_once
    assert "had their address changed (unconfirmed), by operator 1" in at_once
    assert "until they use it" not in at_once


@pytest.mark.accept("F56", part="page")
def test_errand_3_stop_mailing_me(desk: HelpDesk) -> None:
    assert "because they unsubscribed" in desk.done(ALICE, action="unsubscribe")
    assert desk.actions()[0] == ("operator 1", "unsubscribe")
    assert f'<a href="{ALICE}">subscriber 1</a>' in desk.client.get("/admin/audit").text
    assert desk.post() == (1, 1)  # the goodbye with a way back


@pytest.mark.accept("F56", part="page")
def test_errand_4_the_confirmation_never_came(desk: HelpDesk) -> None:
    new = {"email": "carol@mail.example", "list": "trending"}
    missing = desk.refused(f"{PEOPLE}/new", **new)
    assert "say how they agreed" in missing.lower()
    assert 'value="carol@mail.example"' in missing
    page = desk.done(f"{PEOPLE}/new", **new, consent_source="by phone", confirm="yes")
    assert "have not confirmed" in page
    carol = page[page.index(f'action="{PEOPLE}/') :].split('"')[1]
    assert "that mailbox has reached the limit" in desk.refused(carol, action="resend").lower()
    desk.site.clock.move(hours=2)
    assert "emailed them to confirm" in desk.done(carol, action="resend")


@pytest.mark.accept("F56", part="page")
def test_errand_5_send_me_that_digest_again(desk: HelpDesk) -> None:
    assert "Tick “I am sure”" in desk.refused("/admin/deliveries/1")
    page = desk.done("/admin/deliveries/1", sure="yes")
    assert "is being resent" in page
    assert desk.post() == (2, 0)
    assert "resent only once" in desk.refused("/admin/deliveries/1", sure="yes")


@pytest.mark.accept("F56", part="page")
def test_a_digest_is_sent_again_from_the_page_of_the_person(desk: HelpDesk) -> None:
    assert "is not a date" in desk.refused(ALICE, action="send-again", date="last week")
    other = desk.refused(ALICE, action="send-again", date="2020-01-01")
    assert "no digest on 2020-01-01" in other
    assert 'id="date-error"' in other
    page = desk.done(ALICE, action="send-again", date=str(NOW.date()), list="trending")
    assert "is being resent" in page
    assert desk.post() == (2, 0)
    assert desk.actions()[0] == ("operator 1", "resend digest")


@pytest.mark.accept("F56", part="page")
def test_a_digest_that_came_back_is_not_called_arrived(desk: HelpDesk) -> None:
    with desk.site.runtime.database.writing() as work:
        store = work[ReturnStore]
        number, mail = store.begin(returned_event(), now=NOW), store.mail_by_row("delivery", 1)
        assert number is not None
        store.end(number, Did.NOTED, proof=Proof.MESSAGE_ID, mail=mail)
    said = desk.standing()
    assert "it bounced later" in said
    assert "spam folder" not in said


@pytest.mark.accept("F56", part="page")
def test_errand_6_what_do_you_hold_on_me(desk: HelpDesk) -> None:
    answer = desk.press(ALICE, action="export")
    assert answer.json()["subscribers"][0]["address"] == "alice@mail.example"
    assert "attachment" in answer.headers["content-disposition"]
    assert desk.actions()[0] == ("operator 1", "export person")


@pytest.mark.accept("F56", part="page", mutant="a-page-erases-without-a-tick")
def test_errand_7_delete_me_and_never_mail_me_again(desk: HelpDesk) -> None:
    assert "Tick “I am sure”" in desk.refused(ALICE, action="erase", suppress="yes")
    page = desk.done(ALICE, action="erase", suppress="yes", sure="yes")
    assert "The subscriber’s data was erased" in page
    gone = desk.client.get(ALICE)
    assert (gone.status_code, 'href="/admin"' in gone.text) == (404, True)
    known = desk.press("/admin/suppressions", action="find", email="alice@mail.example").text
    assert "Suppressed since" in known
    assert f'href="{ALICE}"' not in desk.client.get("/admin/deliveries").text


@pytest.mark.accept("F56", part="page")
def test_errand_8_pause_until_january(desk: HelpDesk) -> None:
    assert "is not after today" in desk.refused(ALICE, action="pause", until="2020-01-01")
    assert "is not a date" in desk.refused(ALICE, action="pause", until="")
    until = f"{NOW.year + 1}-01-01"
    assert f"no digest before {until}" in desk.done(ALICE, action="pause", until=until)
    assert "no digest before" not in desk.done(ALICE, action="go-on")


@pytest.mark.accept("F56", part="page")
def test_errand_9_another_hour_zone_language_and_frequency(desk: HelpDesk) -> None:
    path = f"{ALICE}/choices"
    page = desk.client.get(f"{path}?list=trending").text
    fields = {"list": "trending", "shown": page.partition('name="shown" value="')[2][:16]}
    wrong = desk.refused(path, **fields, hour="6", timezone="Mars", frequency="daily", size="99")
    assert 'id="timezone-error"' in wrong
    assert 'id="size-error"' in wrong
    assert 'value="Mars"' in wrong
    choices = {"hour": "6", "timezone": "Europe/Berlin", "frequency": "weekly:tue"}
    more = {"language": "de", "keyword": "graphs", "topic": "", "size": ""}
    after = desk.done(path, **fields, **choices, **more)
    for text in ("Once a week, on Tuesday", "06:00 Europe/Berlin", "graphs"):
        assert text in after
    assert "gets digests every Tuesday at 06:00 Europe/Berlin" in desk.standing()
    german = desk.client.get(f"{ALICE}?lang=de").text
    assert f"{locale_for('de').word('Searches')}: graphs" in german
    assert "jeden Dienstag um 06:00" in german
    assert "changed by someone else" in desk.refused(
        path, **fields, **choices, **more, mute="bricks"
    )
    assert desk.client.get(f"{path}?list=nosuch").status_code == 404


@pytest.mark.accept("F56", part="page")
def test_errand_10_an_address_bounced_by_mistake(desk: HelpDesk) -> None:
    runtime = desk.site.runtime
    with runtime.database.writing() as work:
        suppress(work, runtime.settings.keys, address(), reason=GONE, now=NOW)
    assert "lift the suppression and resume" in desk.standing()
    assert USUAL in desk.client.get(ALICE).text
    looked_up = desk.press("/admin/suppressions", action="find", email="alice@mail.example")
    assert USUAL in looked_up.text
    assert "without an address" in desk.refused(ALICE, action="lift", reason="", resume="yes")
    after = desk.done(ALICE, action="lift", reason="their server is back", resume="yes")
    assert "gets digests daily" in after
    assert desk.actions()[0] == ("operator 1", "lift suppression")


@pytest.mark.accept("F56", part="page")
def test_an_address_is_suppressed_looked_up_and_let_go(desk: HelpDesk) -> None:
    path, bob = "/admin/suppressions", {"email": "bob@mail.example"}
    assert "It is not suppressed" in desk.press(path, action="find", **bob).text
    assert "without an address" in desk.refused(path, action="add", **bob)
    assert "The address is suppressed." in desk.done(path, action="add", reason="asked", **bob)
    known = desk.press(path, action="find", **bob).text
    assert "asked" in known
    assert "Lift the suppression" in known
    refused = desk.refused(path, action="lift", reason="asked", resume="yes", **bob)
    assert "nothing to resume" in refused
    assert "The suppression is lifted" in desk.done(
        path, action="lift", reason="asked again", **bob
    )


@pytest.mark.accept("F56", part="page")
def test_what_came_back_and_the_quarantine_are_shown_in_words(desk: HelpDesk) -> None:
    raw = b"Subject: back\r\n\r\nNo such user: alice@mail.example"
    with desk.site.runtime.database.writing() as work:
        number = work[ReturnStore].begin(returned_event(), now=NOW)
        assert number is not None
        work[ReturnStore].keep(returned_event(), raw, why="unproven", person=None, now=NOW)
    page = desk.client.get("/admin/bounces").text
    assert "5.1.1" in page
    waiting = desk.client.get("/admin/bounces/quarantine/1").text
    assert "No such user: (address)" in waiting
    assert "No bounces in the last 90 days" in desk.client.get("/admin/bounces?subscriber=1").text


@pytest.mark.accept("F56", part="page")
def test_the_timeline_leads_further_back(desk: HelpDesk) -> None:
    for day in range(1, 29):
        desk.done(ALICE, action="pause", until=f"{NOW.year + 1}-01-{day:02}")
    page = desk.client.get(ALICE).text
    earlier = page.partition('<p class="more"><a href="')[2].partition('"')[0]
    assert "They agreed to get email" not in page
    assert "They agreed to get email" in desk.client.get(earlier).text
