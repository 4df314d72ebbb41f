"""Spellings of one mailbox, and domains of one owner."""

import pytest

from paperround.subscribers.addresses import mail_provider, mailbox, registered_domain


@pytest.mark.accept("S18", part="spellings of a mailbox", mutant="a-provider-has-no-spellings")
@pytest.mark.parametrize(
    ("written", "reached"),
    [
        ("name+tag@mail.example", "name@mail.example"),
        ("Na.Me@Mail.Example", "na.me@mail.example"),
        ("+tag@mail.example", "+tag@mail.example"),
        ("g.v.ictim+a@gmail.com", "gvictim@gmail.com"),
        ("gvictim@googlemail.com", "gvictim@gmail.com"),
        ("na.me+x@outlook.com", "na.me@outlook.com"),
        ("n.a-m_e+x@protonmail.com", "name@proton.me"),
        ("name@pm.me", "name@proton.me"),
        ("name+x@me.com", "name@icloud.com"),
        ("name-shop@yahoo.co.uk", "name@yahoo.co.uk"),
        ("na.me+x@ya.ru", "name@yandex.ru"),
        ("na-me@yandex.com", "name@yandex.ru"),
        ("name+x@zoho.com", "name@zoho.com"),
        ("any@name.fastmail.com", "name@fastmail.com"),
        ("any+x@sub.name.fastmail.fm", "name@fastmail.fm"),
        ("name@fastmail.com", "name@fastmail.com"),
        ("...@gmail.com", "...@gmail.com"),
        ("any@name.other.example", "any@name.other.example"),
    ],
)
def test_spellings_of_an_address_reach_one_mailbox(written: str, reached: str) -> None:
    assert mailbox(written) == reached


@pytest.mark.parametrize(
    ("domain", "owner"),
    [
        ("mail.example", "mail.example"),
        ("a.b.mail.example", "mail.example"),
        ("example.co.uk", "example.co.uk"),
        ("a.example.co.uk", "example.co.uk"),
        ("cs.uni.ac.jp", "uni.ac.jp"),
        ("a.example.de", "example.de"),
        ("co.uk", "co.uk"),
        ("localhost", "localhost"),
    ],
)
def test_a_subdomain_counts_with_the_domain_that_somebody_registered(
    domain: str, owner: str
) -> None:
    assert registered_domain(domain) == owner


@pytest.mark.parametrize(
    ("domain", "provider"),
    [
        ("googlemail.com", "gmail.com"),
        ("pm.me", "proton.me"),
        ("name.fastmail.com", "fastmail.com"),
        ("yahoo.co.uk", "yahoo.co.uk"),
        ("A.Other.Example", "other.example"),
    ],
)
def test_domains_of_one_provider_are_one(domain: str, provider: str) -> None:
    assert mail_provider(domain) == provider
