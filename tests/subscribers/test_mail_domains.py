"""Domains that are refused at sign-up, and those that were meant by a slip."""

import pytest

from paperround.core.errors import InvalidInput
from paperround.subscribers.addresses import RefusedDomains, refused_domains, suggest_domain


@pytest.mark.parametrize(
    ("written", "right"),
    [
        ("gmial.com", "gmail.com"),
        ("gmai.com", "gmail.com"),
        ("gmail.co", "gmail.com"),
        ("gmail.con", "gmail.com"),
        ("gnail.com", "gmail.com"),
        ("hotmial.com", "hotmail.com"),
        ("outlok.com", "outlook.com"),
        ("yahooo.com", "yahoo.com"),
        ("iclod.com", "icloud.com"),
        ("t-onlin.de", "t-online.de"),
    ],
)
def test_a_slip_is_told_by_its_spelling(written: str, right: str) -> None:
    assert suggest_domain(written) == right


@pytest.mark.parametrize(
    "domain",
    ["gmail.com", "mail.com", "email.com", "ymail.com", "yahoo.ca", "gmx.at", "me.co", "pm.me",
     "mail.example", "cs.uni.example", "example.org", "lab.co", "web.dev", "proton.me"],
)  # fmt: skip
def test_a_domain_that_is_right_is_not_asked_about(domain: str) -> None:
    assert suggest_domain(domain) is None


def test_an_operator_adds_takes_away_and_switches_off() -> None:
    read = refused_domains("Disposable, bad.example,-good.example")
    assert read == RefusedDomains(
        disposable=True, refused=frozenset({"bad.example"}), let_in=frozenset({"good.example"})
    )
    assert refused_domains("off") == RefusedDomains()


@pytest.mark.parametrize(
    "text", ["bad", "bad.example; worse.example", "@bad.example", "--a.b", "*"]
)
def test_a_setting_that_cannot_be_read_says_how_to_write_it(text: str) -> None:
    with pytest.raises(InvalidInput, match="disposable, domains like"):
        refused_domains(text)
