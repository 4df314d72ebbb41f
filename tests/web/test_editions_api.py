"""Editions as programs read them."""

import math

import pytest

from paperround.editions.model import Edition
from tests.builders import english
from tests.web.conftest import Site


@pytest.mark.accept("F12")
def test_every_position_comes_with_its_reason_and_parts_that_add_up(
    site: Site, edition: Edition
) -> None:
    answer = site.client.get("/api/v1/editions/trending/2026-03-02").json()
    assert (answer["cut"], answer["ranker"]) == (edition.cut, edition.ranker)
    assert [one["position"] for one in answer["papers"]] == list(range(1, len(edition.papers) + 1))
    for told, frozen in zip(answer["papers"], edition.papers, strict=True):
        assert (told["id"], told["reason"]) == (frozen.paper_id, english(frozen.reason))
        assert told["parts"] == dict(frozen.parts)
        assert round(math.fsum(told["parts"].values()), 4) == told["score"]


def test_a_cut_of_the_day_can_be_named(site: Site, edition: Edition) -> None:
    of_day = site.client.get("/api/v1/editions/trending/2026-03-02").json()
    assert site.client.get(f"/api/v1/editions/trending/2026-03-02/{edition.cut}").json() == of_day


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("trending/2026-03-01", 404),
        ("trending/2026-03-02/nine", 404),
        ("nothing/2026-03-02", 404),
        ("trending/yesterday", 422),
    ],
)
def test_what_is_no_edition_is_a_problem(
    site: Site, edition: Edition, path: str, status: int
) -> None:
    answer = site.client.get(f"/api/v1/editions/{path}")
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
