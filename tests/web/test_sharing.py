"""Sharing what one saves is a box on the page of one's choices, which its owner ticks or not."""

from datetime import datetime, timedelta

import pytest

from paperround.editions.store.lists import ListStore
from paperround.subscribers.store.subscribers import SubscriberStore
from tests.builders import NOW, address
from tests.self_service.readers import second_list
from tests.web.conftest import Site, sql

BOX = 'name="shares" value="yes"'
HOUR = timedelta(hours=1)


def since(site: Site, list_name: str = "trending") -> datetime | None:
    """Since when Alice shares on the list."""
    with site.runtime.database.reading() as work:
        person = work[SubscriberStore].find(address("alice"))
        assert person is not None
        found = work[SubscriberStore].subscription(person.id, work[ListStore].get(list_name).id)
    assert found is not None
    return found.preferences.shares_since


def save(site: Site, token: str, **fields: str) -> str:
    data = {"action": "save", **fields}
    return site.client.post(f"/preferences/{token}", data=data).text


@pytest.mark.accept("F63", part="page")
def test_nobody_shares_until_they_tick_the_box(site: Site, choices_token: str) -> None:
    page = site.client.get(f"/preferences/{choices_token}").text
    assert f"{BOX} aria-describedby" in page
    assert (
        "Let others on this list see that someone saved a paper; your name is never shown" in page
    )
    assert since(site) is None
    assert f"{BOX} checked" in save(site, choices_token, shares="yes")
    assert since(site) == NOW


@pytest.mark.accept("F63", part="page", mutant="saving-again-shares-anew")
def test_one_shares_from_the_tick_until_it_is_taken_away(site: Site, choices_token: str) -> None:
    save(site, choices_token, shares="yes")
    site.clock.move(hours=1)
    save(site, choices_token, shares="yes", size="4")
    assert since(site) == NOW
    save(site, choices_token, size="4")
    assert since(site) is None
    save(site, choices_token, shares="yes")
    assert since(site) == NOW + HOUR


@pytest.mark.accept("F63", part="page")
def test_a_look_at_the_next_digest_shares_nothing(site: Site, choices_token: str) -> None:
    before = site.dump()
    path = f"/preferences/{choices_token}/preview"
    assert site.client.post(path, data={"shares": "yes"}).status_code == 200
    assert site.dump() == before


@pytest.mark.accept("F63", part="page", mutant="another-list-shares-too")
def test_another_list_that_is_joined_shares_nothing(site: Site, choices_token: str) -> None:
    second_list(sql(site.runtime))
    save(site, choices_token, shares="yes")
    save(site, choices_token, action="join", join="second")
    assert since(site) == NOW
    assert since(site, "second") is None


@pytest.mark.accept("F63", part="page")
def test_the_export_says_since_when(site: Site, choices_token: str) -> None:
    save(site, choices_token, shares="yes")
    answer = site.client.post(f"/preferences/{choices_token}", data={"action": "export"})
    [row] = answer.json()["subscriptions"]
    assert row["shares_since"] == NOW.isoformat().replace("+00:00", "Z")


@pytest.mark.accept("F63", part="page")
def test_nobody_is_signed_up_to_share_by_program(site: Site) -> None:
    """Whoever asks for an address may be somebody else."""
    asked = {"email": "new@mail.example", "shares_since": NOW.isoformat()}
    answer = site.client.post("/api/v1/subscriptions", json=asked)
    assert answer.status_code == 422
    assert "shares_since" in answer.text
