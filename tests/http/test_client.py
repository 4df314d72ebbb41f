import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paperround.core.errors import FetchFailed, FetchRefused, Misconfigured
from paperround.http.model import FetchRequest
from tests.http.clients import NOW, PUBLIC, Led, fetch, guarded
from tests.http.faults import Behaviour, FaultServer, page, redirects, says

HELLO = says(page(b"hello"))


def test_a_page_is_what_the_server_sent() -> None:
    answer = page(b"hello", 'ETag: "a"', "LAST-Modified: x", "Vary: a", "vary: b")
    got = fetch(says(answer), accept="text/xml")
    assert (got.status, got.body, got.fetched_at, got.not_modified) == (200, b"hello", NOW, False)
    assert got.headers == {
        "etag": '"a"', "last-modified": "x", "vary": "a, b", "content-length": "5",
    }  # fmt: skip
    assert got.request.headers == {"accept": "text/xml"}


def asked(**headers: str) -> str:
    """The head of the request that a server gets."""
    with FaultServer({"/": HELLO}) as server, guarded(server.at) as client:
        client.get(FetchRequest(url=server.url("/?q=a%20b#part"), headers=headers))
    return server.requests[0].decode("latin-1")


def test_a_request_says_who_asks_and_what_it_can_read() -> None:
    head = asked(Accept="text/xml").lower()
    assert head.startswith("get /?q=a%20b http/1.1\r\n")
    for line in ("user-agent: paperround-test", "accept-encoding: gzip, deflate", "host: 127.0."):
        assert f"\r\n{line}" in head
    assert head.count("\r\naccept:") == 1
    assert "cookie" not in head


def test_what_a_request_says_of_us_cannot_be_changed_by_a_source() -> None:
    head = asked(**{"User-Agent": "Mozilla", "Accept-Encoding": "br"})
    assert "Mozilla" not in head
    assert "br" not in head.split("ccept-", 1)[1].splitlines()[0]


def test_a_validator_may_hold_any_sign() -> None:
    assert '"ü–"'.encode() in asked(**{"if-none-match": '"ü–"'}).encode("latin-1")


def test_a_header_cannot_hold_a_second_one() -> None:
    with pytest.raises(FetchRefused, match="header"):
        asked(**{"if-none-match": "x\r\nAuthorization: y"})


@pytest.mark.accept("I12", part="304")
def test_nothing_new_is_a_page() -> None:
    got = fetch(says(page(status="304 Not Modified")))
    assert (got.not_modified, got.body) == (True, b"")


@pytest.mark.accept("I12", part="410")
def test_a_feed_that_is_gone_says_so() -> None:
    with pytest.raises(
        FetchFailed, match=r"127\.0\.0\.1 is gone for good \(status 410\)"
    ) as caught:
        fetch(says(page(b"<secret>", status="410 Gone")))
    assert (caught.value.status, caught.value.permanent) == (410, False)


def test_a_redirect_is_followed_and_named() -> None:
    paths = {"/": redirects("/new?x=1"), "/new?x=1": HELLO}
    with FaultServer(paths) as server, guarded(server.at) as client:
        got = client.get(FetchRequest(url=server.url()))
    assert (got.body, got.url) == (b"hello", server.url("/new?x=1"))


def test_keys_stay_with_the_host_they_are_for_and_validators_go_along() -> None:
    headers = {"Authorization": "Bearer s3cret", "X-Api-Key": "s3cret", "If-None-Match": '"a"'}
    with (
        FaultServer({"/": HELLO}) as second,
        FaultServer({"/": redirects(second.url())}) as first,
        guarded(first.at, second.at) as client,
    ):
        client.get(FetchRequest(url=first.url(), headers=headers))
    assert first.requests[0].count(b"s3cret") == 2
    assert b"s3cret" not in second.requests[0]
    assert b'"a"' in second.requests[0]


def test_no_cookie_is_kept() -> None:
    sets = says(page(b"", "Set-Cookie: a=b", "Location: /new", status="302 Found"))
    with FaultServer({"/": sets, "/new": HELLO}) as server, guarded(server.at) as client:
        client.get(FetchRequest(url=server.url()))
        client.get(FetchRequest(url=server.url("/new")))
    assert not any(b"ookie" in head for head in server.requests)


def test_proxies_of_the_environment_are_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    with FaultServer({"/": HELLO}) as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url())
        monkeypatch.setenv("ALL_PROXY", proxy.url())
        assert fetch(HELLO).body == b"hello"
    assert proxy.accepted == 0


def test_a_name_of_the_internet_is_asked_at_its_own_port() -> None:
    with FaultServer({"/": HELLO}) as server:
        led = Led([[PUBLIC]], port=server.port)
        with guarded(network=led.network()) as client:
            got = client.get(FetchRequest(url="http://Feeds.Example/rss"))
    assert (got.body, led.dialled) == (b"hello", [PUBLIC])
    assert b"\r\nHost: feeds.example\r\n" in server.requests[0]


SECRET = b"s3cret"
TALKATIVE: dict[str, Behaviour] = {
    "status": says(page(SECRET, status="500 s3cret")),
    "line": says(b"s3cret s3cret\r\n\r\n"),
    "header": says(page(b"", "s3cret")),
    "length": says(b"HTTP/1.1 200 OK\r\nContent-Length: s3cret\r\n\r\n"),
    "location": redirects("s3cret://s3cret/"),
    "place": redirects("http://[s3cret/"),
    "user": redirects("http://s3cret@127.0.0.1/"),
    "host": redirects("http://s3cret.localhost:99/"),
    "encoding": says(page(SECRET, "Content-Encoding: s3cret")),
    "gzip": says(page(SECRET, "Content-Encoding: gzip")),
    "retry": says(page(SECRET, "Retry-After: s3cret", status="503 s3cret")),
    "more": says(page(SECRET, length=1)),
}


@pytest.mark.accept("I4")
@pytest.mark.parametrize("name", TALKATIVE)
def test_an_error_names_our_host_and_nothing_that_was_sent(name: str) -> None:
    with pytest.raises(FetchFailed, match=r"^127\.0\.0\.1 ") as caught:
        fetch(TALKATIVE[name])
    assert "s3cret" not in str(caught.value)
    assert caught.value.__suppress_context__


def test_an_error_does_not_repeat_a_password_of_the_address() -> None:
    with guarded() as client, pytest.raises(FetchRefused, match=r"^feeds\.example ") as caught:
        client.get(FetchRequest(url="http://me:s3cret@feeds.example/?key=s3cret"))
    assert "s3cret" not in str(caught.value)


ADDRESS_LIKE = r"\A(?:[a-z]{0,5}:?|https?://(?:xn--|[a-z]\.xn--)?)[/\\@:.\[\]%#?a-z0-9-]{0,25}\Z"
NO_IDNA = ["xn--", "xn--a", "XN--A", "xn--localhost-", "xn--127.0.0.1-", f"xn--{'a' * 59}"]
"""What calls itself an international name and is none; a resolver may know it all the same."""


@pytest.mark.accept("I3", part="international names")
@pytest.mark.parametrize("host", NO_IDNA)
def test_a_host_that_is_no_international_name_is_an_error_of_its_feed(host: str) -> None:
    led = Led([["10.0.0.1"]])
    with guarded(network=led.network()) as client, pytest.raises(FetchRefused, match=r"^xn--"):
        client.get(FetchRequest(url=f"http://{host}/"))
    assert led.dialled == []


@pytest.mark.accept("I3", part="international names")
@pytest.mark.parametrize("host", NO_IDNA)
def test_such_a_host_may_neither_be_redirected_to_nor_redirect(host: str) -> None:
    with FaultServer({"/": redirects(f"http://{host}/"), "/on": redirects("/")}) as server:
        led = Led([[PUBLIC]], port=server.port)
        for address in ("http://feeds.example/", f"http://{host}/", f"http://{host}/on"):
            with guarded(network=led.network()) as client, pytest.raises(FetchFailed):
                client.get(FetchRequest(url=address))


@settings(max_examples=60)
@given(st.text(max_size=30) | st.from_regex(ADDRESS_LIKE))
def test_any_address_is_asked_or_refused(address: str) -> None:
    led = Led([[]])
    with guarded(network=led.network()) as client, pytest.raises(FetchFailed):
        client.get(FetchRequest(url=address))


@settings(max_examples=60)
@given(st.text(max_size=20) | st.from_regex(ADDRESS_LIKE))
def test_any_redirect_is_followed_or_refused(where: str) -> None:
    line = where.replace("\r", "").replace("\n", "").encode("utf-8", "replace").decode("utf-8")
    with pytest.raises(FetchFailed):
        fetch(redirects(line))


def test_a_broken_allow_list_stops_the_start() -> None:
    with pytest.raises(Misconfigured, match=r"'wiki\.lan'"), guarded("wiki.lan"):
        pass
