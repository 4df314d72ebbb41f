"""A page asked for with a slash too many leads to the one without, and never to another host."""

import pytest

from paperround.editions.model import Edition
from tests.web.conftest import PUBLIC_URL, Site


def way_on(site: Site, path: str) -> tuple[int, str | None]:
    """The status and the address that a request for exactly this path is answered with."""
    answer = site.client.get(f"{PUBLIC_URL}{path}", follow_redirects=False)
    return answer.status_code, answer.headers.get("location")


@pytest.mark.parametrize(
    ("asked", "meant"),
    [
        ("/trending/", "/trending"),
        ("/trending/?period=week&page=2", "/trending?period=week&page=2"),
        ("/papers/math%2F0601001/", "/papers/math%2F0601001"),
        ("/editions/trending/2026-01-30/0/", "/editions/trending/2026-01-30/0"),
        ("/nowhere\\evil.example/", "/nowhere%5Cevil.example"),
    ],
)
def test_a_page_with_a_slash_too_many_leads_to_the_one_without(
    site: Site, asked: str, meant: str
) -> None:
    assert way_on(site, asked) == (308, meant)


def test_the_way_on_leads_to_the_page(site: Site, edition: Edition) -> None:
    for path in ("/trending", f"/papers/{edition.papers[0].name}", "/editions"):
        answer = site.client.get(f"{path}/")
        assert (answer.status_code, str(answer.url)) == (200, f"{PUBLIC_URL}{path}")


@pytest.mark.parametrize("path", ["//evil.example/", "/api/v1/papers/", "/nowhere"])
def test_nothing_else_leads_anywhere(site: Site, path: str) -> None:
    assert way_on(site, path) == (404, None)
