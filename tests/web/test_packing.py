"""Public answers are packed for whoever takes that; a page of one person never is."""

import gzip
import json

import pytest
from starlette.testclient import TestClient

from paperround.domain.editions import Edition
from paperround.web.conditional import conditional
from paperround.web.guard import App, Message, Receive, Scope, Send
from paperround.web.packing import LEAST, Packer
from tests.web.conftest import Site

TAKES = {"accept_encoding": "gzip, br"}
SENT = {"accept-encoding": "gzip"}
PUBLIC = ("/", "/trending", "/editions/trending/2026-03-02", "/ranking", "/sources")


def raw(client: TestClient, path: str, **headers: str) -> tuple[dict[str, str], bytes]:
    """The headers of an answer, and its bytes as they were sent."""
    asked = {name.replace("_", "-"): value for name, value in headers.items()}
    with client.stream("GET", path, headers=asked) as answer:
        return dict(answer.headers), b"".join(answer.iter_raw())


def text(body: str, **headers: str) -> TestClient:
    """An application that answers `body`, which everybody may keep where `headers` say nothing
    else."""
    said = {"content-type": "text/plain", "cache-control": "public, max-age=60"} | {
        name.replace("_", "-"): value for name, value in headers.items()
    }

    async def app(_scope: Scope, _receive: Receive, send: Send) -> None:
        content = body.encode()
        length = (b"content-length", str(len(content)).encode())
        pairs = [*((name.encode(), value.encode()) for name, value in said.items()), length]
        start: Message = {"type": "http.response.start", "status": 200, "headers": pairs}
        await send(start)
        await send({"type": "http.response.body", "body": content})

    served: App = Packer(most_bytes=100).before(conditional(app))
    return TestClient(served)


@pytest.mark.accept("Q14", part="packed")
@pytest.mark.parametrize("path", [*PUBLIC, "/static/site.css", "/api/openapi.json"])
def test_what_everybody_may_have_is_packed(site: Site, edition: Edition, path: str) -> None:
    plain_headers, plain = raw(site.client, path, accept_encoding="identity")
    headers, packed = raw(site.client, path, **TAKES)
    if path == "/api/openapi.json":
        assert "content-encoding" not in headers
        assert json.loads(packed)
        return
    assert headers["content-encoding"] == "gzip"
    assert int(headers["content-length"]) == len(packed) < len(plain) / 2
    assert "accept-encoding" in headers["vary"]
    assert "accept-encoding" in plain_headers["vary"]
    assert "content-encoding" not in plain_headers
    if path != "/":  # each visitor gets the stamp of their moment
        assert gzip.decompress(packed) == plain


@pytest.mark.accept("W4", part="packed")
@pytest.mark.parametrize("page", ["preferences", "unsubscribe", "feedback"])
def test_a_page_of_one_person_is_never_packed(site: Site, digest_token: str, page: str) -> None:
    headers, content = raw(site.client, f"/{page}/{digest_token}", **TAKES)
    assert len(content) > LEAST
    assert headers["cache-control"] == "no-store"
    assert "content-encoding" not in headers


def test_who_has_the_packed_page_is_told_that_it_has_not_changed(
    site: Site, edition: Edition
) -> None:
    first, _ = raw(site.client, "/ranking", **TAKES)
    plain, _ = raw(site.client, "/ranking", accept_encoding="identity")
    assert first["etag"] == f"W/{plain['etag']}"
    answer = site.client.get("/ranking", headers={**SENT, "if-none-match": first["etag"]})
    assert (answer.status_code, answer.content) == (304, b"")
    assert "accept-encoding" in answer.headers["vary"]


@pytest.mark.parametrize(
    ("accepted", "is_packed"),
    [
        ("gzip", True),
        ("GZIP;q=0.5, br", True),
        ("*", True),
        ("*;q=0, gzip", True),
        ("gzip;q=0", False),
        ("gzip;q=0.0, *", False),
        ("gzip;q=much", False),
        ("br, zstd", False),
        ("identity", False),
        ("", False),
    ],
)
def test_only_who_takes_it_gets_it(accepted: str, is_packed: bool) -> None:
    headers, _ = raw(text("a" * LEAST), "/", accept_encoding=accepted)
    assert ("content-encoding" in headers) is is_packed


@pytest.mark.parametrize(
    ("length", "headers"),
    [
        (LEAST - 1, {}),
        (LEAST, {"cache_control": "private, max-age=60"}),
        (LEAST, {"content_type": "image/png"}),
    ],
)
def test_the_rest_is_sent_as_it_is(length: int, headers: dict[str, str]) -> None:
    got, content = raw(text("a" * length, **headers), "/", **TAKES)
    assert "content-encoding" not in got
    assert content == b"a" * length


def test_one_tag_at_two_addresses_names_two_files() -> None:
    """Of files of one size and one moment, as a package may have them."""
    packer = Packer()

    async def app(scope: Scope, _receive: Receive, send: Send) -> None:
        kept = {b"cache-control": b"public", b"content-type": b"text/css", b"etag": b'"one"'}
        body = scope["path"].encode() * LEAST
        headers = [*kept.items(), (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    client = TestClient(packer.before(conditional(app)))
    for _ in range(2):
        assert client.get("/a", headers=SENT).text == "/a" * LEAST
        assert client.get("/b", headers=SENT).text == "/b" * LEAST
