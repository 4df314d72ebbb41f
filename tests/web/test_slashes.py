"""A public page asked for with a slash too many: one way on, and never to another host."""

import pytest
from starlette.testclient import TestClient

from paperround.domain.editions import Edition
from tests.web.conftest import PUBLIC_URL, Site
from tests.web.serving import exchange, served

EVIL = "evil.example"


def way_on(client: TestClient, path: str) -> tuple[int, str | None]:
    """The status and the address that a request for exactly this path is answered with."""
    answer = client.get(f"{PUBLIC_URL}{path}", follow_redirects=False)
    return answer.status_code, answer.headers.get("location")


@pytest.mark.parametrize(
    ("asked", "meant"),
    [
        ("/trending/", "/trending"),
        ("/trending/?period=week&page=2", "/trending?period=week&page=2"),
        ("/editions/", "/editions"),
        ("/editions/trending/2026-01-30/", "/editions/trending/2026-01-30"),
        ("/editions/trending/2026-01-30/0/", "/editions/trending/2026-01-30/0"),
        ("/papers/2601.00001/", "/papers/2601.00001"),
        ("/papers/math/0601001/", "/papers/math/0601001"),
        ("/papers/math%2F0601001/", "/papers/math%2F0601001"),
        ("/topics/graph%20networks/", "/topics/graph%20networks"),
        ("/topics/TCP%2F/", "/topics/TCP%2F"),
        ("/authors/%C5%BDofie%20Nov%C3%A1kov%C3%A1/", "/authors/%C5%BDofie%20Nov%C3%A1kov%C3%A1"),
        ("/search/?q=a%2Fb%20c", "/search?q=a%2Fb%20c"),
        ("/sources/", "/sources"),
        ("/ranking/", "/ranking"),
        ("/subscribe/", "/subscribe"),
        ("/snippet/", "/snippet"),
        ("/preferences/", "/preferences"),
        ("/trending//", "/trending"),
    ],
)
def test_a_public_page_with_a_slash_too_many_leads_to_the_one_without(
    site: Site, asked: str, meant: str
) -> None:
    assert way_on(site.client, asked) == (308, meant)
    head = site.client.head(f"{PUBLIC_URL}{asked}", follow_redirects=False)
    assert (head.status_code, head.headers["location"]) == (308, meant)


def test_the_way_on_leads_to_the_page(site: Site, edition: Edition) -> None:
    for path in ("/trending", f"/papers/{edition.papers[0].name}", "/editions"):
        answer = site.client.get(f"{path}/")
        assert (answer.status_code, str(answer.url)) == (200, f"{PUBLIC_URL}{path}")
        assert answer.text == site.client.get(path).text


def test_a_topic_that_ends_with_a_slash_keeps_it(site: Site) -> None:
    assert way_on(site.client, "/topics/TCP%2F")[0] == 200


@pytest.mark.parametrize(
    "path",
    [
        "/nowhere/",
        "/papers/",
        f"/preferences/{'A' * 40}/",
        f"/unsubscribe/{'A' * 40}/",
        f"/confirm/{'A' * 40}/",
        f"/feeds/me/{'A' * 40}.atom/",
        "/api/v1/trending/",
        "/api/v1/admin/feeds/",
        "/static/",
        "/healthz/",
        "/outbox/",
    ],
)
def test_nothing_but_a_public_page_is_looked_for_elsewhere(site: Site, path: str) -> None:
    status, location = way_on(site.client, path)
    assert (status, location) in ((404, None), (401, None))


def test_what_is_sent_to_a_page_with_a_slash_goes_nowhere(site: Site) -> None:
    answer = site.client.post("/subscribe/", data={"email": "a@b.c"}, follow_redirects=False)
    assert answer.status_code == 404


@pytest.mark.accept("W1")
@pytest.mark.parametrize(
    "target",
    [
        f"//{EVIL}/",
        f"//{EVIL}/trending/",
        f"///{EVIL}/",
        f"/\\{EVIL}/",
        f"/%5C{EVIL}/",
        f"/%2F{EVIL}/",
        f"/%2f%2f{EVIL}/trending/",
        f"/.//{EVIL}/",
        f"/trending/..//{EVIL}/",
        f"/papers/..//{EVIL}/",
        f"/papers//{EVIL}/",
        f"/papers/%2F{EVIL}/",
        f"/papers/\\{EVIL}/",
        f"/topics/https://{EVIL}/",
        f"/topics/%0D%0ALocation:%20https://{EVIL}/",
        f"/trending/?next=//{EVIL}/",
        f"/trending/?%0d%0aLocation:https://{EVIL}",
        f"/trending;@{EVIL}/",
        f"@{EVIL}/trending/",
        f"http://{EVIL}/trending/",
        f"https:{EVIL}/trending/",
    ],
)
def test_no_spelling_of_a_path_leads_to_another_host(site: Site, target: str) -> None:
    with served(site.app) as place:
        head = f"GET {target} HTTP/1.1\nHost: papers.example\nX-Forwarded-Host: {EVIL}\n"
        answer = exchange(place, f"{head}Connection: close\n\n").partition(b"\r\n\r\n")[0]
    lines = answer.decode("latin-1").split("\r\n")[1:]
    ways = [line.partition(":")[2].strip() for line in lines if line.lower().startswith("location")]
    assert len(ways) <= 1
    for way in ways:
        assert way.startswith(("/papers/", "/topics/", "/trending"))
        assert way.isascii()
        assert way.isprintable()
        assert "\\" not in way
