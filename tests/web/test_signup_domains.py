"""Domains at sign-up: what is refused, and what is asked about before anything is done."""

import re
from collections.abc import Iterator
from html import unescape

import pytest

from paperround.config import Settings
from paperround.delivery.store.system_mail import NoticeLedger
from paperround.delivery.system_mail_model import SystemMailKind
from paperround.editions.store.lists import ListStore
from paperround.subscribers.addresses import parse_address
from paperround.subscribers.imports import add_subscriber, suppress
from paperround.subscribers.model import SubscriberState
from paperround.subscribers.store.subscribers import SubscriberStore
from tests.builders import NOW, address, seed_subscribers
from tests.web.admin import fields_of
from tests.web.conftest import Site, running

SUBSCRIPTIONS = "/api/v1/subscriptions"
SLIP = "ada@gmaill.com"


def slipped(site: Site, email: str = SLIP) -> str:
    """The page that asks whether a domain was meant; nothing was done for it."""
    before = site.dump()
    answer = site.client.post("/subscribe", data={"email": email, "stamp": site.stamp()})
    assert answer.status_code == 422
    assert site.dump() == before
    return answer.text


def fields_on(page: str) -> dict[str, str]:
    """What the form on the page sends when Subscribe is pressed."""
    hidden = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page))
    [email] = re.findall(r'name="email" [^>]*value="([^"]*)"', page)
    return {**hidden, "email": email}


def mailed(site: Site) -> list[str]:
    site.work()
    with site.runtime.database.reading() as work:
        pending = {SubscriberState.PENDING}
        found = [
            work[SubscriberStore].find(address("ada", one)) for one in ("gmail.com", "gmaill.com")
        ]
    return [one.address for one in found if one is not None and one.state in pending]


def test_a_slip_is_asked_about_and_mended_with_one_click(site: Site) -> None:
    page = slipped(site)
    [right] = re.findall(r'name="corrected" value="([^"]+)"', page)
    assert right == "ada@gmail.com"
    answer = site.client.post("/subscribe", data={**fields_on(page), "corrected": right})
    assert "Check your inbox" in answer.text
    assert mailed(site) == ["ada@gmail.com"]


def test_whoever_meant_it_presses_subscribe_again(site: Site) -> None:
    answer = site.client.post("/subscribe", data=fields_on(slipped(site)))
    assert "Check your inbox" in answer.text
    assert mailed(site) == [SLIP]


def test_a_form_on_another_page_keeps_saying_where_it_stands(site: Site) -> None:
    answer = site.client.post("/subscribe", data={"email": SLIP, "origin": "snippet"})
    assert fields_on(answer.text)["origin"] == "snippet"


@pytest.mark.accept("S4", part="slips")
def test_a_question_about_a_slip_tells_nothing_of_the_address(site: Site) -> None:
    database, keys = site.runtime.database, site.runtime.signup_context.keys
    with database.writing() as work:
        mailing_list = work[ListStore].get("trending")
        suppress(work, keys, address("gone", "gmaill.com"), reason="complaint", now=NOW)
    seed_subscribers(database, mailing_list, ("active",))
    site.client.post(SUBSCRIPTIONS, json={"email": "pending@gmaill.com"})
    pages = {
        re.sub(r'name="stamp" value="[^"]*"', "", slipped(site, f"{name}@gmaill.com")).replace(
            f"{name}@", "@"
        )
        for name in ("new", "pending", "gone")
    }
    assert len(pages) == 1


# --- throw-away addresses ----------------------------------------------------------------------


@pytest.mark.parametrize("domain", ["mailinator.com", "x.mailinator.com"])
def test_an_address_to_throw_away_is_refused_by_its_domain(site: Site, domain: str) -> None:
    page = site.client.post("/subscribe", data={"email": f"ada@{domain}"})
    assert page.status_code == 422
    assert "are disposable" in page.text
    answer = site.client.post(SUBSCRIPTIONS, json={"email": f"ada@{domain}"})
    assert (answer.status_code, fields_of(answer)) == (422, ["email"])


@pytest.fixture
def picky(settings: Settings) -> Iterator[Site]:
    """A site whose operator added a domain, and let one in."""
    named = "disposable, bad.example, -mailinator.com"
    with running(settings.model_copy(update={"refused_domains": named})) as one:
        yield one


def test_a_slip_that_somebody_lives_from_is_asked_about_too(site: Site) -> None:
    assert "Did you mean" in site.client.post("/subscribe", data={"email": "ada@gmial.com"}).text


def test_an_operator_adds_domains_and_lets_others_in(picky: Site) -> None:
    statuses = {
        domain: picky.client.post(SUBSCRIPTIONS, json={"email": f"ada@{domain}"}).status_code
        for domain in ("bad.example", "a.bad.example", "yopmail.com", "mailinator.com")
    }
    assert list(statuses.values()) == [422, 422, 422, 202]


ROUTED = ("user%evil.example", "uucp!host!ada", "ada|bob", "`ada`")
"""Local parts that some mail servers route onwards or hand to a shell."""


@pytest.mark.accept("S9", part="local parts", mutant="a-routed-address-signs-up")
@pytest.mark.parametrize("local", ROUTED)
def test_a_local_part_that_a_server_may_route_or_run_cannot_be_signed_up(
    site: Site, local: str
) -> None:
    why = "addresses with a percent sign, !, | or ` before the @ are not accepted"
    before = site.dump()
    answer = site.client.post(SUBSCRIPTIONS, json={"email": f"{local}@example.org"})
    assert (answer.status_code, fields_of(answer)) == (422, ["email"])
    assert why in answer.json()["detail"]
    page = site.client.post("/subscribe", data={"email": f"{local}@example.org"})
    assert page.status_code == 422
    assert why in unescape(page.text)
    assert site.dump() == before


@pytest.mark.accept("S9", part="local parts")
@pytest.mark.parametrize("local", ROUTED)
def test_a_reader_whose_local_part_is_refused_since_still_gets_their_links(
    site: Site, local: str
) -> None:
    row = {"email": f"{local}@example.org", "consent_at": "2026-01-05", "consent_source": "paper"}
    home = site.runtime
    outcome = add_subscriber(
        row,
        database=home.database,
        keys=home.settings.keys,
        list_name="trending",
        now=site.clock.now(),
    )
    assert outcome == "new"
    form = {"email": f"{local}@example.org", "stamp": site.stamp()}
    assert site.client.post("/preferences", data=form).status_code == 200
    site.work()
    with home.database.reading() as work:
        person = work[SubscriberStore].find(parse_address(f"{local}@example.org"))
        assert person is not None
        assert person.address == f"{local}@example.org"
        assert work[NoticeLedger].latest(person.id, SystemMailKind.PREFERENCES) is not None


def test_a_reader_at_a_domain_refused_since_still_gets_their_links(picky: Site) -> None:
    asked = {"email": "reader@bad.example", "stamp": ""}
    assert picky.client.post("/preferences", data=asked).status_code == 200
