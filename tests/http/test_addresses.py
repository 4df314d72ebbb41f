from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from paperround.http.network import is_own, is_public

INSIDE = """
0.0.0.0 0.255.255.255 10.0.0.0 10.255.255.255 100.64.0.0 100.100.100.200 100.127.255.255 127.0.0.1
127.255.255.255 168.63.129.16 169.254.0.0 169.254.169.254 169.254.255.255 172.16.0.0 172.31.255.255
192.0.0.0 192.0.0.8 192.0.0.192 192.0.0.255 192.0.2.0 192.0.2.255 192.88.99.0 192.88.99.255
192.168.0.0 192.168.255.255 198.18.0.0 198.19.255.255 198.51.100.0 198.51.100.255 203.0.113.0
203.0.113.255 224.0.0.0 224.0.0.1 239.255.255.255 240.0.0.0 255.255.255.255
:: ::1 ::127.0.0.1 ::ffff:127.0.0.1 ::ffff:8.8.8.8 64:ff9b::7f00:1 64:ff9b:1::7f00:1 100::1
2001:: 2001:0:7f00:1:: 2001:2::1 2001:10::1 2001:20::1 2001:1ff:ffff:: 2001:db8::1 2002::
2002:7f00:1::
2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff 3ffe::1 3fff::1 3fff:fff:ffff:: 4000:: 5f00::1 fc00::1
fd00:ec2::254 fe80::1 fec0::1 ff02::1 ff0e::1
1fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff
""".split()

OUTSIDE = """
1.0.0.0 1.1.1.1 8.8.8.8 9.255.255.255 11.0.0.0 100.63.255.255 100.128.0.0 126.255.255.255 128.0.0.0
168.63.129.15 168.63.129.17 169.253.255.255 169.255.0.0 172.15.255.255 172.32.0.0 191.255.255.255
192.0.1.0 192.0.3.0 192.88.98.255 192.88.100.0 192.167.255.255 192.169.0.0 198.17.255.255 198.20.0.0
198.51.99.255 198.51.101.0 203.0.112.255 203.0.114.0 223.255.255.255
2000:: 2001:200:: 2001:db7:ffff:: 2001:db9:: 2001:ffff:: 2003:: 2606:4700::1111 2a00:1450::1 3ffd::
3fff:1000:: 3fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff
""".split()


@pytest.mark.accept("I3", part="addresses")
def test_an_address_that_leads_inside_is_closed() -> None:
    assert [one for one in INSIDE if is_public(ip_address(one))] == []


def test_an_address_of_the_internet_is_open() -> None:
    assert [one for one in OUTSIDE if not is_public(ip_address(one))] == []


@given(st.ip_addresses())
@example(IPv6Address("fe80::1%eth0"))
def test_what_python_calls_special_is_never_open(address: IPv4Address | IPv6Address) -> None:
    special = (
        address.is_private
        or address.is_loopback
        or address.is_link_local
        or address.is_multicast
        or address.is_reserved
        or address.is_unspecified
        or not address.is_global
    )
    assert not (special and is_public(address))


@given(st.ip_addresses(v=4), st.integers(0, 2**16 - 1))
def test_an_ipv6_address_that_holds_an_ipv4_address_is_closed(
    inner: IPv4Address, rest: int
) -> None:
    bits = int(inner)
    mapped = 0xFFFF << 32 | bits
    nat64 = int(IPv6Address("64:ff9b::")) | bits
    local_nat64 = int(IPv6Address("64:ff9b:1::")) | rest << 32 | bits
    six_to_four = 0x2002 << 112 | bits << 80 | rest
    teredo = 0x20010000 << 96 | rest << 32 | (bits ^ 0xFFFFFFFF)
    for whole in (bits, mapped, nat64, local_nat64, six_to_four, teredo):
        assert not is_public(IPv6Address(whole))


@given(st.ip_addresses(v=6))
def test_ipv6_is_open_only_where_it_was_given_out(address: IPv6Address) -> None:
    assert address in ip_network("2000::/3") or not is_public(address)


def test_the_machine_knows_its_own_addresses() -> None:
    assert is_own(ip_address("127.0.0.1"))
    assert not is_own(ip_address("192.0.2.1"))
    assert not is_own(ip_address("2001:db8::1"))
