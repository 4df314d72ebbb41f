"""The resolver, against a DNS server that answers here."""

import socket
from collections.abc import Iterator
from contextlib import closing
from threading import Thread

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.resolver
import dns.rrset
import pytest

from paperround.core.errors import FetchFailed
from paperround.http.network import Address
from paperround.http.resolver import Resolver

LONG = ["v=DKIM1; k=rsa; p=" + "A" * 200, "B" * 200]
HOSTS = {
    ("mail.lab.org.", "A"): "192.0.2.25",
    ("mail.lab.org.", "AAAA"): "2001:db8::25",
    ("25.2.0.192.in-addr.arpa.", "PTR"): "mail.lab.org.",
}
HELD = {
    "papers.lab.org.": [['"a verification"'], ['"v=spf1"', '" -all"']],
    "s1._domainkey.papers.lab.org.": [[f'"{part}"' for part in LONG]],
    "rude.lab.org.": [['"v=spf1 \\027]0;x\\007 \\000-all"']],
    "odd.lab.org.": [['"caf\\195\\169 \\255"']],
    "empty.lab.org.": [],
}


class Server:
    """Answers what HELD says; a name that begins with `mute` nothing, with `broken` a failure."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._thread = Thread(target=self._serve, daemon=True)
        self._thread.start()

    def resolver(self) -> Resolver:
        asked = dns.resolver.Resolver(configure=False)
        asked.nameservers, asked.port = ["127.0.0.1"], self._socket.getsockname()[1]
        return Resolver(asked, seconds=0.5)

    def close(self) -> None:
        with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as last:
            last.sendto(b"", self._socket.getsockname())
        self._thread.join()
        self._socket.close()

    def _serve(self) -> None:
        while True:
            asked, sender = self._socket.recvfrom(4096)
            if not asked:
                return
            answer = _answer(dns.message.from_wire(asked))
            if answer is not None:
                self._socket.sendto(answer.to_wire(), sender)


def _answer(asked: dns.message.Message) -> dns.message.Message | None:
    name = asked.question[0].name
    answer = dns.message.make_response(asked)
    kind = dns.rdatatype.to_text(asked.question[0].rdtype)
    host = HOSTS.get((name.to_text(), kind))
    records = HELD.get(name.to_text())
    if name.to_text().startswith("mute"):
        return None
    if name.to_text().startswith("broken"):
        answer.set_rcode(dns.rcode.SERVFAIL)
    elif host is not None:
        answer.answer.append(dns.rrset.from_text(name, 60, "IN", kind, host))
    elif records is None:
        answer.set_rcode(dns.rcode.NXDOMAIN)
    elif records:
        texts = [" ".join(strings) for strings in records]
        answer.answer.append(dns.rrset.from_text(name, 60, "IN", "TXT", *texts))
    return answer


@pytest.fixture
def resolver() -> Iterator[Resolver]:
    server = Server()
    yield server.resolver()
    server.close()


def test_the_strings_of_a_record_are_one_text(resolver: Resolver) -> None:
    assert resolver.texts("s1._domainkey.papers.lab.org") == ("".join(LONG),)
    assert sorted(resolver.texts("papers.lab.org")) == ["a verification", "v=spf1 -all"]


def test_bytes_of_any_kind_are_read(resolver: Resolver) -> None:
    assert resolver.texts("odd.lab.org") == ("café \ufffd",)


def test_a_record_tells_a_terminal_nothing(resolver: Resolver) -> None:
    assert resolver.texts("rude.lab.org") == ("v=spf1 \ufffd]0;x\ufffd \ufffd-all",)


def test_addresses_lead_to_names_and_back(resolver: Resolver) -> None:
    assert resolver.addresses("mail.lab.org") == ("192.0.2.25", "2001:db8::25")
    assert resolver.hosts("192.0.2.25") == ("mail.lab.org",)
    assert resolver.hosts("192.0.2.26") == ()


@pytest.mark.parametrize("name", ["absent.lab.org", "empty.lab.org"])
def test_where_there_is_nothing_nothing_is_found(resolver: Resolver, name: str) -> None:
    assert resolver.texts(name) == ()


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("mute.lab.org", "in time"),
        ("broken.lab.org", "no server could answer"),
        ("x" * 70 + ".lab.org", "LabelTooLong"),
    ],
)
def test_no_answer_is_an_error_of_one_line(resolver: Resolver, name: str, why: str) -> None:
    with pytest.raises(FetchFailed, match=why) as raised:
        resolver.texts(name)
    assert len(str(raised.value).splitlines()) == 1


def test_a_dns_that_stays_silent_is_not_asked_for_ever() -> None:
    server = Server()
    silent = server.resolver()
    for _ in range(2):
        with pytest.raises(FetchFailed, match="in time"):
            silent.texts("mute.lab.org")
    with pytest.raises(FetchFailed, match=r"not asked for papers\.lab\.org"):
        silent.texts("papers.lab.org")
    server.close()


def test_one_answer_shows_that_the_dns_is_there(resolver: Resolver) -> None:
    for _ in range(3):
        with pytest.raises(FetchFailed, match="in time"):
            resolver.texts("mute.lab.org")
        assert resolver.texts("absent.lab.org") == ()


@pytest.mark.accept("O6", part="dead resolver", mutant="no-such-host-is-taken-for-silence")
@pytest.mark.parametrize(
    ("number", "answers"), [(socket.EAI_AGAIN, False), (socket.EAI_NONAME, True)]
)
def test_a_system_that_is_told_there_is_no_such_host_has_an_answer(
    number: int, answers: bool
) -> None:
    def look_up(host: str, port: int) -> list[Address]:
        raise socket.gaierror(number, f"{host}:{port}")

    assert Resolver(look_up=look_up).answers_for("papers.lab.org") is answers
