import pytest

from paperround.core.errors import FetchRefused, Misconfigured
from paperround.http.network import FetchTarget, check_target, parse_allowed, parse_url

WEB = frozenset({80, 443})


def asked(address: str, *allow: str) -> FetchTarget:
    return check_target(parse_url(address), ports=WEB, allow=parse_allowed(allow))


@pytest.mark.parametrize(
    ("address", "host", "port", "tls"),
    [
        ("https://Feeds.Example/rss", "feeds.example", 443, True),
        ("http://feeds.example", "feeds.example", 80, False),
        ("http://feeds.example:443/", "feeds.example", 443, False),
        ("https://bücher.example/", "xn--bcher-kva.example", 443, True),
        ("https://[2A00:1450::1]/", "2a00:1450::1", 443, True),
    ],
)
def test_a_web_address_names_a_host_and_a_port(
    address: str, host: str, port: int, tls: bool
) -> None:
    assert asked(address) == FetchTarget(host=host, port=port, tls=tls, is_allowed=False)


@pytest.mark.parametrize(
    "address",
    ["http://wiki.lan:8080/feed", "https://WIKI.lan:8080/", "http://wiki.lan:8080/?page=2"],
)
def test_an_opened_host_is_open_at_its_port(address: str) -> None:
    assert asked(address, "Wiki.lan:8080").is_allowed


@pytest.mark.parametrize("entry", ["[::1]:8080", "wiki.lan:80", "10.0.0.8:443"])
def test_an_entry_of_the_allow_list_may_be_any_host_and_port(entry: str) -> None:
    assert asked(f"http://{entry}/", entry).is_allowed


def test_an_opened_host_is_closed_at_other_ports() -> None:
    with pytest.raises(FetchRefused, match="PAPERROUND_FETCH_ALLOW"):
        asked("http://wiki.lan:8081/", "wiki.lan:8080")


@pytest.mark.parametrize(
    "entry",
    [
        "wiki.lan",
        "wiki.lan:",
        ":80",
        "a b:80",
        "me@wiki.lan:80",
        "wiki.lan:80/x",
        "wiki.lan:80?x",
        "http://wiki.lan:80",
        "wiki.lan:80#x",
        "wiki.lan:http",
        "*:80",
        "",
    ],
)
def test_a_broken_entry_of_the_allow_list_is_named(entry: str) -> None:
    with pytest.raises(Misconfigured, match=r"PAPERROUND_FETCH_ALLOW.*not host:port"):
        parse_allowed([entry])


@pytest.mark.parametrize(
    ("address", "says"),
    [
        ("ftp://feeds.example/", "does not start with http://"),
        ("feeds.example/rss", "does not start with http://"),
        ("http://me:secret@feeds.example/", "user name"),
        ("http://feeds.example:8080/", "port other than 80 and 443"),
        ("http:///rss", "without a host"),
        ("http://feeds..example/", "without a host"),
        (f"http://{'a' * 64}.example/", "without a host"),
        ("http://feeds.example/\n", "control character"),
        ("http://feeds.example\\@evil.example/", "backslash"),
        ("http://[::1/", "not a valid web address"),
    ],
)
def test_what_is_no_web_address_is_refused_with_the_reason(address: str, says: str) -> None:
    with pytest.raises(FetchRefused, match=says):
        asked(address)
