"""Readers write of their work on the page of their choices, at sign-up, and by program."""

import pytest

from paperround.core.tokens import Purpose
from paperround.delivery.store.erasure import Erasure
from paperround.delivery.system_mail_model import SystemMailKind
from paperround.editions.model import Edition
from paperround.subscribers.store.subscribers import SubscriberStore
from tests.builders import NOW, address, everything_kept
from tests.web.choices_page import asked, kept, typed
from tests.web.conftest import Site

FOCUS = "I work on protein language models.\nWe design <b>enzymes</b>."
AVOID = "Anything on blockchain"
BOTH = {"focus": FOCUS, "avoid": AVOID}
STORED = [
    "focus:I work on protein language models.",
    "focus:We design <b>enzymes</b>.",
    "avoid:Anything on blockchain",
]


@pytest.mark.postgres
@pytest.mark.accept("F59", part="page")
def test_both_boxes_are_saved_and_shown_again_as_written(site: Site, choices_token: str) -> None:
    path = f"/preferences/{choices_token}"
    page = site.client.get(path).text
    assert "What do you work on?" in page
    assert "Not interested in" in page
    assert "Saved." in site.client.post(path, data={"action": "save", **BOTH}).text
    assert kept(site) == STORED
    again = site.client.get(path).text
    assert (typed(again, "focus"), typed(again, "avoid")) == (FOCUS, AVOID)
    assert "<b>enzymes</b>" not in again


@pytest.mark.accept("F59", part="page")
@pytest.mark.parametrize("field", ["focus", "avoid"])
def test_too_much_is_named_at_its_box_and_stays_there(
    site: Site, choices_token: str, field: str
) -> None:
    data = {"action": "save", field: "\n".join("x" * n for n in range(400, 403))}
    told = site.client.post(f"/preferences/{choices_token}", data=data)
    assert told.status_code == 422
    assert f'<span class="error" id="{field}-error">' in told.text
    assert "more than 1,000 characters: a few sentences are enough" in told.text
    assert typed(told.text, field) == data[field]
    assert kept(site) == []


@pytest.mark.accept("F59", part="page")
def test_the_export_holds_it_and_the_erasure_takes_it(site: Site, choices_token: str) -> None:
    path = f"/preferences/{choices_token}"
    site.client.post(path, data={"action": "save", **BOTH})
    assert "protein language models" in site.client.post(path, data={"action": "export"}).text
    with site.runtime.database.writing() as work:
        person = work[SubscriberStore].find(address("alice"))
        assert person is not None
        assert len(everything_kept(work, person.id)["interests"]) == 3
        work[Erasure].erase(person.id, now=NOW)
        assert not everything_kept(work, person.id).get("interests")


@pytest.mark.accept("F59", part="sign-up", mutant="what-is-written-at-sign-up-is-lost")
def test_it_can_be_written_at_sign_up_and_counts_after_the_yes(
    site: Site, edition: Edition
) -> None:
    assert "Check your inbox" in asked(site, **BOTH)
    site.work()
    assert kept(site, "ada") == []
    token = site.notice_token("ada", SystemMailKind.CONFIRM, Purpose.CONFIRM)
    site.client.post(f"/confirm/{token}")
    assert kept(site, "ada") == STORED


@pytest.mark.accept("F59", part="sign-up")
def test_the_page_after_the_yes_tells_what_is_wanted_from_what_is_not(
    site: Site, edition: Edition
) -> None:
    asked(site, **BOTH, author="Ada Lovelace")
    site.work()
    token = site.notice_token("ada", SystemMailKind.CONFIRM, Purpose.CONFIRM)
    page = site.client.post(f"/confirm/{token}").text
    assert '<dt>Not interested in</dt><dd dir="auto">Anything on blockchain</dd>' in page
    assert '<dt>Follow authors</dt><dd dir="auto">Ada Lovelace</dd>' in page
    assert '<dt>What do you work on?</dt><dd dir="auto">I work on protein' in page


def test_the_form_keeps_what_was_written_in_another_language(site: Site, edition: Edition) -> None:
    assert typed(site.client.post("/subscribe/choices", data=BOTH).text, "focus") == FOCUS


@pytest.mark.accept("F59", part="sign-up")
def test_a_program_signs_up_with_it(site: Site) -> None:
    wanted = {
        "email": "ada@mail.example",
        "interests": [{"kind": "focus", "value": "x" * 900}, {"kind": "avoid", "value": AVOID}],
    }
    assert site.client.post("/api/v1/subscriptions", json=wanted).status_code == 202
    wanted["interests"] = [{"kind": "focus", "value": "x" * 1001}]
    assert site.client.post("/api/v1/subscriptions", json=wanted).status_code == 422
