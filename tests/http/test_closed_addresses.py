"""Nobody inside is asked. Each test counts the connections that a listener inside was sent."""

from collections.abc import Iterator

import pytest

from paperround.core.errors import FetchFailed, FetchRefused
from paperround.http.client import GuardedClient
from paperround.http.model import FetchRequest
from paperround.http.network import Network, look_up
from paperround.http.transport import FetchLimits
from tests.http.clients import PUBLIC, Led, error_of, guarded, only_examples_lead_to
from tests.http.faults import FaultServer, hangs, page, redirects, says

SPELLINGS = r""" http://127.0.0.1:{p}/ http://127.0.0.1.:{p}/ http://127.1:{p}/ http://127.0.1:{p}/
http://127.1.:{p}/ http://127.255.255.254:{p}/ http://2130706433:{p}/ http://0x7f000001:{p}/
http://0X7F000001:{p}/ http://017700000001:{p}/ http://0177.0.0.1:{p}/ http://0177.0.0.01:{p}/
http://0x7f.1:{p}/ http://0x7f.0x0.0x0.0x1:{p}/ http://00000177.1:{p}/ http://0:{p}/
http://0.0.0.0:{p}/ http://0x0:{p}/ http://00:{p}/ http://localhost:{p}/ http://LOCALHOST:{p}/
http://localhost.:{p}/ http://[::1]:{p}/ http://[::]:{p}/ http://[0:0:0:0:0:0:0:1]:{p}/
http://[::127.0.0.1]:{p}/ http://[::ffff:127.0.0.1]:{p}/ http://[::FFFF:7F00:1]:{p}/
http://[0:0:0:0:0:ffff:127.0.0.1]:{p}/ http://[64:ff9b::127.0.0.1]:{p}/
http://[64:ff9b:1::7f00:1]:{p}/ http://[2002:7f00:1::]:{p}/ http://[2001:0:7f00:1::80ff:fffe]:{p}/
http://[fe80::1]:{p}/ http://[fe80::1%25lo]:{p}/ http://[fd00:ec2::254]:{p}/
http://169.254.169.254:{p}/ http://10.0.0.1:{p}/ http://[ff02::1]:{p}/ http://user@127.0.0.1:{p}/
http://feeds.example:80@127.0.0.1:{p}/ http://@127.0.0.1:{p}/ http://feeds.example\@127.0.0.1:{p}/
http://127.0.0.1:{p}\@feeds.example/ http:\\127.0.0.1:{p}/ http://127。0。0。1:{p}/
http://127．0．0．1:{p}/ http://１２７.0.0.1:{p}/ http://①②⑦.0.0.1:{p}/ http://ⓛocalhost:{p}/
http://%31%32%37.0.0.1:{p}/ http://127%2e0%2e0%2e1:{p}/ http://127.0.0.1%00:{p}/
http://127.0.0.1:{p}#@feeds.example/ http://127.0.0.1:{p}?@feeds.example/ https://127.0.0.1:{p}/
https://localhost:{p}/ http:127.0.0.1:{p}/ http:/127.0.0.1:{p}/ //127.0.0.1:{p}/ 127.0.0.1:{p}
file:///etc/hostname file://127.0.0.1:{p}/x unix:/run/x.sock http+unix://127.0.0.1:{p}/
gopher://127.0.0.1:{p}/_x ftp://127.0.0.1:{p}/ dict://127.0.0.1:{p}/ ldap://127.0.0.1:{p}/
ws://127.0.0.1:{p}/ jar:http://127.0.0.1:{p}/!/ data:text/plain,x javascript:0 http://𝟏𝟐𝟕.𝟎.𝟎.𝟏:{p}/
http://１２７．０．０．１:{p}/ http://١٢٧.٠.٠.١:{p}/ http://127。1:{p}/ http://0x7f。1:{p}/
http://127｡0｡0｡1:{p}/ http://127.0.0.1。:{p}/ http://0x7f000001.:{p}/ http://017700000001.:{p}/
http://127.0.0.1..:{p}/ http://.127.0.0.1:{p}/ http://localhost..:{p}/ http://ⅼocalhost:{p}/
http://ｌｏｃａｌｈｏｓｔ:{p}/ http://xn--localhost-:{p}/ http://xn--127.0.0.1-:{p}/ http://xn--a:{p}/
http://%6cocalhost:{p}/ http://127.0.0.1%2f@feeds.example:{p}/ http://a@b@127.0.0.1:{p}/
http://[::ffff:7f00:1%25eth0]:{p}/ http://[fe80::1%lo]:{p}/ http://[v1.fe80::a]:{p}/
http://[::1]x:{p}/ http://[::1].feeds.example:{p}/ http://[::ffff:0:127.0.0.1]:{p}/
http://[::ffff:7f00:0001]:{p}/ http://127.0.0.1:{p}:80/ http://127.0.0.1:+{p}/
http://127.0.0.1:0{p}/ http://127.0.0.1;{p}/ http://127.0.0.1,8.8.8.8:{p}/ http:////127.0.0.1:{p}/
http:///127.0.0.1:{p}/ HTTP://127.0.0.1:{p}/ """.split()

UNSEEN = tuple("\t \r\n\v\f\0\x1f\x7f\x85\xa0\xad\u200b\u200d\u2028\u202e\u3000\ufeff")
"""What some readers of addresses leave out, and others do not."""


@pytest.fixture
def inside() -> Iterator[FaultServer]:
    with FaultServer({"/": says(page(b"secret")), "/%00": says(page(b"secret"))}) as server:
        yield server


@pytest.fixture
def client(inside: FaultServer) -> Iterator[GuardedClient]:
    """One to which the port of the server inside is as good as port 80."""
    # To some resolvers a name with a dot at its end is a name like any other, so here to this one.
    network = Network(look_up=lambda host, port: look_up(host.rstrip("."), port))
    with guarded(limits=with_port(inside), network=network) as client:
        yield client


def with_port(*servers: FaultServer) -> FetchLimits:
    return FetchLimits(total=5.0, ports=frozenset({80, 443, *(server.port for server in servers)}))


@pytest.mark.accept("I3")
def test_no_spelling_of_an_address_inside_is_asked(
    inside: FaultServer, client: GuardedClient
) -> None:
    assert [one for one in SPELLINGS if not is_refused(client, inside, one)] == []
    assert inside.accepted == 0


def is_refused(client: GuardedClient, inside: FaultServer, spelling: str) -> bool:
    try:
        client.get(FetchRequest(url=spelling.replace("{p}", str(inside.port))))
    except FetchRefused:
        return True
    return False


@pytest.mark.accept("I3", part="signs that are not seen")
@pytest.mark.parametrize("sign", UNSEEN, ids=ascii)
def test_a_sign_that_is_not_seen_hides_no_address(
    sign: str, inside: FaultServer, client: GuardedClient
) -> None:
    whole = inside.url("/")
    places = [
        whole.index(part) + at for part in ("http", "127", f":{inside.port}") for at in (0, 2)
    ]
    for place in (*places, len(whole)):
        with pytest.raises(FetchRefused):
            client.get(FetchRequest(url=whole[:place] + sign + whole[place:]))
    assert inside.accepted == 0


@pytest.mark.accept("I3", part="redirects")
def test_no_redirect_leads_inside(inside: FaultServer) -> None:
    reached = []
    for spelling in SPELLINGS:
        where = spelling.replace("{p}", str(inside.port))
        with FaultServer({"/": redirects(where)}) as outside:
            network = only_examples_lead_to(outside)
            error_of("http://feeds.example/", limits=with_port(inside), network=network)
            if outside.accepted < 1 or inside.accepted > 0:
                reached.append(spelling)
    assert reached == []


@pytest.mark.accept("I3", part="rebinding")
def test_a_name_that_leads_elsewhere_at_the_second_question_gains_nothing(
    inside: FaultServer,
) -> None:
    led = Led([["192.88.100.1"], ["127.0.0.1"]])
    with guarded(limits=with_port(inside), network=led.network()) as client:
        for _ in range(3):
            with pytest.raises(FetchFailed):
                client.get(FetchRequest(url=f"http://rebound.example:{inside.port}/"))
    assert (led.dialled, inside.accepted) == (["192.88.100.1"], 0)


@pytest.mark.accept("I3", part="rebinding")
def test_of_mixed_addresses_only_the_public_ones_are_tried(inside: FaultServer) -> None:
    led = Led([["127.0.0.1", "192.88.100.1", "::1", "10.0.0.1"]])
    where = f"http://mixed.example:{inside.port}/"
    error = error_of(where, limits=with_port(inside), network=led.network())
    assert "cannot be reached" in str(error)
    assert (led.dialled, inside.accepted) == (["192.88.100.1"], 0)


@pytest.mark.accept("I3", part="own addresses")
def test_a_public_address_of_this_machine_is_not_asked() -> None:
    led = Led([[PUBLIC]])
    network = led.network(is_own=lambda address: str(address) == PUBLIC)
    error = error_of("https://ourselves.example/", network=network)
    assert "not on the public internet" in str(error)
    assert led.dialled == []


@pytest.mark.accept("I3", part="ports")
@pytest.mark.parametrize("port", [22, 25, 6379, 8080, 0, 65536, -1])
def test_other_ports_are_not_asked(port: int) -> None:
    led = Led([[PUBLIC]])
    with guarded(network=led.network()) as client, pytest.raises(FetchRefused):
        client.get(FetchRequest(url=f"http://feeds.example:{port}/"))
    assert led.dialled == []


@pytest.mark.accept("I3", part="redirects")
def test_a_host_that_was_opened_is_not_open_to_the_redirects_of_others(
    inside: FaultServer,
) -> None:
    with FaultServer({"/": redirects(inside.url())}) as outside:
        led = Led([[PUBLIC], ["127.0.0.1"]], port=outside.port)
        error = error_of("http://feeds.example/", inside.at, network=led.network())
    assert "feeds.example redirects to a server" in str(error)
    assert inside.accepted == 0


@pytest.mark.accept("I4")
def test_the_error_is_the_same_whatever_listens_there() -> None:
    said = set()
    for behaviour in (says(page(b"secret")), says(b"SSH-2.0-x\r\n"), hangs):
        with FaultServer({"/": behaviour}) as server:
            said.add(refusal(server.url(), with_port(server)))
    said.add(refusal(server.url(), with_port(server)))  # it has stopped: nothing listens
    assert len(said) == 1


@pytest.mark.accept("I4")
def test_the_error_is_the_same_wherever_a_redirect_leads_inside() -> None:
    with FaultServer({"/": says(page(b"secret"))}) as listening:
        places = [listening.port, 1, 2]
        limits = FetchLimits(total=5.0, ports=frozenset({80, *places}))
        said = {redirected(f"http://127.0.0.1:{port}/", limits) for port in places}
    assert len(said) == 1


def redirected(where: str, limits: FetchLimits) -> str:
    with FaultServer({"/": redirects(where)}) as outside:
        led = Led([[PUBLIC], ["127.0.0.1"]], port=outside.port)
        error = error_of("http://feeds.example/", limits=limits, network=led.network())
    return f"{type(error)} {error}"


def refusal(address: str, limits: FetchLimits) -> str:
    error = error_of(address, limits=limits)
    return f"{type(error)} {error}"
