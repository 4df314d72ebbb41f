"""SPF read as a receiver reads it."""

from collections.abc import Mapping

import pytest

from paperround.config import Settings
from paperround.doctor.findings import Finding, Level
from paperround.plugins.doctor_checks import records, spf
from tests.builders import NOW
from tests.fakes import FakeResolver

DOMAIN = "papers.lab.org"
OURS = "192.0.2.25"
pytestmark = pytest.mark.accept("F37", part="SPF")


def look(record: str, held: Mapping[str, tuple[str, ...]] | None = None) -> Finding:
    """What is said of the record where a relay of this machine sends from OURS."""
    settings = Settings(
        smtp_url="smtp://127.0.0.1:25",
        mail_from=f"Papers <p@{DOMAIN}>",
        public_url="https://site.lab.org",
    )
    resolver = FakeResolver(
        {DOMAIN: (record,), "site.lab.org": (OURS,), **(held or {})},
        mail={DOMAIN: ("mx.lab.org",)},
    )
    every = records.check_records(settings, [], resolver, now=NOW)
    return next(one for one in every if one.check == "spf")


@pytest.mark.parametrize(
    "record",
    [
        "v=spf1 ip4:192.0.2.25 -all",
        "v=spf1 ip4:192.0.2.0/24 -all",
        "v=spf1 a:host.lab.org -all",
        "v=spf1 mx -all",
        "v=spf1 a:near.lab.org/28 -all",
        "v=spf1 include:other.org -all",
        "v=spf1 redirect=other.org",
        "v=spf1 -ip4:203.0.113.0/24 +ip4:192.0.2.25 ~all",
    ],
)
def test_a_record_that_lets_us_send(record: str) -> None:
    held = {
        "host.lab.org": (OURS,),
        "mx.lab.org": (OURS,),
        "near.lab.org": ("192.0.2.17",),
        "other.org": ("v=spf1 ip4:192.0.2.25 -all",),
    }
    assert look(record, held).level is Level.OK


@pytest.mark.accept("O6", part="SPF")
@pytest.mark.parametrize(
    "record",
    [
        "v=spf1 ip4:203.0.113.1 -all",
        "v=spf1 -ip4:192.0.2.25 +ip4:192.0.2.0/24 -all",
        "v=spf1 include:other.org -all",
        "v=spf1 a:host.lab.org -all",
    ],
)
def test_a_record_that_leaves_us_out_comes_with_the_line_that_does_not(record: str) -> None:
    held = {"other.org": ("v=spf1 ip4:203.0.113.7 -all",), "host.lab.org": ("203.0.113.8",)}
    found = look(record, held)
    assert found.level is Level.FAIL
    assert OURS in found.says
    [line] = found.lines
    mended = line.partition('"')[2].rstrip('"')
    assert look(mended, held).level is Level.OK


def many(count: int) -> dict[str, tuple[str, ...]]:
    """A chain of so many records, each including the next."""
    chain: dict[str, tuple[str, ...]] = {
        f"s{n}.org": (f"v=spf1 include:s{n + 1}.org -all",) for n in range(count - 1)
    }
    return chain | {f"s{count - 1}.org": (f"v=spf1 ip4:{OURS} -all",)}


@pytest.mark.accept("O6", part="SPF look-ups")
def test_ten_look_ups_are_allowed_and_eleven_are_not() -> None:
    assert "10 of 10 look-ups" in look("v=spf1 include:s0.org -all", many(10)).says
    found = look("v=spf1 include:s0.org -all", many(11))
    assert found.level is Level.FAIL
    assert "more than 10 DNS lookups" in found.says


def test_look_ups_are_counted_over_everything_that_is_included() -> None:
    six = " ".join(["a:x.org"] * 6)
    held = {"other.org": (f"v=spf1 {six} -all",), "x.org": ("203.0.113.9",)}
    found = look(f"v=spf1 ip4:{OURS} include:other.org mx a ptr -all", held)
    assert "10 of 10" in found.says
    assert look(f"v=spf1 ip4:{OURS} include:other.org mx a ptr a:x.org -all", held).level is (
        Level.FAIL
    )


@pytest.mark.parametrize(
    ("record", "word"),
    [
        ("v=spf1 include:nothing.org -all", "no SPF record"),
        ("v=spf1 include:twice.org -all", "several SPF records"),
        ("v=spf1 include:loop.org -all", "includes it again"),
        ("v=spf1 ipv4:192.0.2.25 -all", "ipv4:192.0.2.25"),
        ("v=spf1 ip4:192.0.2.300 -all", "192.0.2.300"),
    ],
)
def test_what_a_receiver_gives_up_on(record: str, word: str) -> None:
    held = {
        "twice.org": ("v=spf1 -all", "v=spf1 a -all"),
        "loop.org": ("v=spf1 include:loop.org -all",),
    }
    found = look(record, held)
    assert (found.level, word in found.says) == (Level.FAIL, True)


def test_a_macro_is_counted_and_not_judged() -> None:
    found = look("v=spf1 include:%{i}._spf.lab.org -all")
    assert found.level is Level.OK
    assert "1 of 10" in found.says


def test_a_missing_record_comes_with_our_own_address() -> None:
    found = look("some-verification=1")
    assert found.lines == (f'{DOMAIN}. TXT "v=spf1 ip4:{OURS} -all"',)


def test_an_address_of_the_other_kind_is_no_match() -> None:
    reading = spf.read("v=spf1 ip4:192.0.2.25 -all", DOMAIN, ["2001:db8::1"], FakeResolver())
    assert reading.passes is False
