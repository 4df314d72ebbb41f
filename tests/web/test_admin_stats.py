"""The figures as a program gets them."""

import pytest
from starlette.testclient import TestClient

from paperround.access.model import Scope
from paperround.editions.model import Edition
from paperround.web.admin_stats import EXAMPLE
from tests.web.admin import fields_of, key_for, program
from tests.web.conftest import Site

STATS = "/api/v1/admin/stats"


@pytest.fixture
def reader(site: Site) -> TestClient:
    """A program that may read figures."""
    return program(site.app, key_for(site.runtime, Scope.STATS_READ))


@pytest.mark.accept("F57", part="API")
def test_a_program_reads_figures_in_the_shape_of_the_example(
    reader: TestClient, edition: Edition, digest_token: str
) -> None:
    del edition, digest_token
    answer = reader.get(STATS, params={"days": 7, "list": "trending"})
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert told.keys() == EXAMPLE.keys()
    assert (told["list"], told["last"]) == ("trending", "2026-03-02")
    assert told["subscribers"] == {"active": 1, "waiting": 0, "paused": 0, "left": 0}
    assert told["deliveries"].keys() == EXAMPLE["deliveries"].keys()
    assert told["deliveries"]["queued"] == 1
    assert told["domains"][0]["domain"] == "others"


@pytest.mark.accept("F57", part="no spying")
def test_no_figure_names_a_person(reader: TestClient, edition: Edition, digest_token: str) -> None:
    del edition, digest_token
    told = reader.get(STATS).text
    assert "alice" not in told
    assert "mail.example" not in told


@pytest.mark.parametrize("scope", [Scope.METRICS_READ, Scope.SUBSCRIBERS_WRITE])
def test_only_a_key_for_figures_opens_them(site: Site, scope: Scope) -> None:
    assert site.client.get(STATS).status_code == 401
    assert program(site.app, key_for(site.runtime, scope)).get(STATS).status_code == 403


@pytest.mark.parametrize("asked", [{"days": "0"}, {"days": "91"}, {"days": "many"}])
def test_days_that_are_not_kept_are_refused(reader: TestClient, asked: dict[str, str]) -> None:
    answer = reader.get(STATS, params=asked)
    assert (answer.status_code, fields_of(answer)) == (422, ["days"])


def test_an_unknown_list_is_not_found(reader: TestClient) -> None:
    assert reader.get(STATS, params={"list": "nowhere"}).status_code == 404
