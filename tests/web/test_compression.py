"""Public answers are compressed where the client accepts it; a page of one reader never is."""

import gzip

import pytest
from starlette.testclient import TestClient

from paperround.editions.model import Edition
from paperround.web.cache import MIN_GZIP_BYTES
from tests.web.conftest import Site

TAKES = {"accept_encoding": "gzip, br"}
SENT = {"accept-encoding": "gzip"}
PUBLIC = ("/", "/trending", "/editions/trending/2026-03-02", "/ranking", "/sources")


def raw(client: TestClient, path: str, **headers: str) -> tuple[dict[str, str], bytes]:
    """The headers of an answer, and its bytes as they were sent."""
    asked = {name.replace("_", "-"): value for name, value in headers.items()}
    with client.stream("GET", path, headers=asked) as answer:
        return dict(answer.headers), b"".join(answer.iter_raw())


@pytest.mark.accept("Q14", part="packed")
@pytest.mark.parametrize("path", [*PUBLIC, "/static/site.css"])
def test_what_everybody_may_have_is_compressed(site: Site, edition: Edition, path: str) -> None:
    plain_headers, plain = raw(site.client, path, accept_encoding="identity")
    headers, compressed = raw(site.client, path, **TAKES)
    assert headers["content-encoding"] == "gzip"
    assert int(headers["content-length"]) == len(compressed) < len(plain) / 2
    assert "accept-encoding" in headers["vary"].lower()
    assert "accept-encoding" in plain_headers["vary"].lower()
    assert "content-encoding" not in plain_headers
    if path != "/":  # each visitor gets the stamp of their moment
        assert gzip.decompress(compressed) == plain


@pytest.mark.accept("W4", part="packed")
@pytest.mark.parametrize("page", ["preferences", "unsubscribe", "feedback"])
def test_a_page_of_one_reader_is_never_compressed(site: Site, digest_token: str, page: str) -> None:
    headers, content = raw(site.client, f"/{page}/{digest_token}", **TAKES)
    assert len(content) > MIN_GZIP_BYTES
    assert headers["cache-control"] == "no-store"
    assert "content-encoding" not in headers


def test_a_client_that_has_the_compressed_page_gets_a_304(site: Site, edition: Edition) -> None:
    first, _ = raw(site.client, "/ranking", **TAKES)
    answer = site.client.get("/ranking", headers={**SENT, "if-none-match": first["etag"]})
    assert (answer.status_code, answer.content) == (304, b"")
    assert "accept-encoding" in answer.headers["vary"].lower()
