"""The page of the figures, as an operator reads it."""

from datetime import timedelta

import pytest
from starlette.testclient import TestClient

from paperround.db.counts import EVERYWHERE, DayCountStore
from paperround.editions.model import Edition
from paperround.ops.stats import stats
from paperround.ops.stats_model import figure_days
from tests.builders import DAY, NOW
from tests.web.conftest import Site
from tests.web.operators import add, logged_in

FIGURES = "/admin/figures"
A_DAY = timedelta(days=1)


@pytest.fixture
def operator(site: Site, edition: Edition, digest_token: str) -> TestClient:
    """An operator's browser; one reader has a digest that waits."""
    del edition, digest_token
    add(site)
    return logged_in(site)


def put(site: Site, name: str, count: int, *, days_ago: int = 0) -> None:
    """Count something of the whole installation on a day."""
    with site.runtime.database.writing() as work:
        work[DayCountStore].put(name, EVERYWHERE, count, day=DAY - days_ago * A_DAY)


def row_of(page: str, day: str) -> str:
    """The cells of a day."""
    return page.partition(f"date={day}")[2].partition("</tr>")[0]


@pytest.mark.accept("F57", part="page", mutant="the-page-draws-people-who-left")
def test_each_day_has_a_row_and_readers_are_a_line(site: Site, operator: TestClient) -> None:
    for days_ago, readers in ((2, 40), (1, 42)):
        put(site, "people/active", readers, days_ago=days_ago)
    put(site, "signups/asked", 5, days_ago=1)
    page = operator.get(f"{FIGURES}?days=7").text
    assert "From 40 subscribers on 28 February 2026 to 1 subscriber on 2 March 2026." in page
    assert "<polyline" in page
    assert "<td>42</td><td>5</td><td>0</td>" in row_of(page, "2026-03-01")
    assert "<td>1</td>" in row_of(page, "2026-03-02"), "those there are now"
    assert "<td>–</td>" in row_of(page, "2026-02-24"), "nobody counted on that day"
    assert "date=2026-02-23" not in page


@pytest.mark.accept("F57", part="page")
def test_the_page_names_nobody_and_says_what_is_not_known(operator: TestClient) -> None:
    page = operator.get(FIGURES).text
    assert "Opens and clicks are not tracked." in page
    assert "alice" not in page
    assert "mail.example" not in page, "a provider of one reader is one of the others"


@pytest.mark.accept("F57", part="page")
def test_the_overview_has_the_main_figures_and_leads_to_all(
    site: Site, operator: TestClient
) -> None:
    put(site, "signups/confirmed", 73, days_ago=29)
    put(site, "signups/confirmed", 500, days_ago=30)
    page = operator.get("/admin").text
    assert "<dt>Confirmed sign-ups</dt><dd>73</dd>" in page
    assert 'href="/admin/figures">All figures' in page


@pytest.mark.parametrize("days", ["91", "many"])
def test_days_that_are_not_kept_are_told_at_their_field(operator: TestClient, days: str) -> None:
    answer = operator.get(f"{FIGURES}?days={days}&list=trending")
    assert answer.status_code == 422
    assert 'id="days-error">Days must be a number from 1 to 90.' in answer.text
    assert f'value="{days}"' in answer.text
    assert "<option selected>trending" in answer.text


def test_an_unknown_list_is_told_beside_the_choice(operator: TestClient) -> None:
    answer = operator.get(f"{FIGURES}?list=nowhere")
    assert answer.status_code == 422
    assert "nowhere" in answer.text.partition('class="error"')[2].partition("</span>")[0]


def test_an_edition_of_tomorrow_has_a_row(site: Site, operator: TestClient) -> None:
    del operator
    yesterday = NOW - A_DAY
    found = stats(site.runtime.database, now=yesterday, days=2)
    newest, *_ = figure_days(found)
    assert (newest.date, newest.deliveries.queued) == (DAY, 1)
    assert newest.subscribers is None
