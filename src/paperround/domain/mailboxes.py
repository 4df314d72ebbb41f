"""Which addresses reach one mailbox, and which domains belong to one provider: for limits alone.

Providers document several spellings of one mailbox: tags (`name+tag@`), dots that count for
nothing, further domains, subdomains. A limit that counts addresses alone is passed by writing the
same one in a thousand ways. A person is still known by the address as they wrote it, and mailed
there.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

GMAIL = "gmail.com"


@dataclass(frozen=True, slots=True)
class _Provider:
    """How a provider with these domains spells a mailbox. `name` stands for all of them where each
    mailbox has an address at every one. `ignored` are characters that count for nothing, `tags`
    what begins a tag, `subdomains` whether `any@name.provider` is `name@provider`."""

    domains: str
    name: str = ""
    ignored: str = ""
    tags: str = "+"
    subdomains: bool = False


_PROVIDERS = (
    _Provider("gmail.com googlemail.com", GMAIL, ignored="."),
    _Provider("proton.me protonmail.com protonmail.ch pm.me", "proton.me", ignored="._-"),
    _Provider("icloud.com me.com mac.com", "icloud.com"),
    _Provider(
        "yandex.ru yandex.com yandex.by yandex.kz yandex.ua yandex.com.tr ya.ru narod.ru",
        "yandex.ru",
        ignored=".-",
    ),
    _Provider(
        "yahoo.com yahoo.co.uk yahoo.fr yahoo.de yahoo.it yahoo.es yahoo.ca yahoo.co.in yahoo.in "
        "yahoo.com.br yahoo.com.au yahoo.co.jp ymail.com rocketmail.com myyahoo.com",
        tags="+-",
    ),
    _Provider(
        "fastmail.com fastmail.fm fastmail.net fastmail.org fastmail.to fastmail.cn fastmail.de "
        "fastmail.es fastmail.co.uk sent.com messagingengine.com",
        subdomains=True,
    ),
)
"""Elsewhere a tag begins with a plus, as Outlook, Zoho and nearly all others have it."""

_BY_DOMAIN: Mapping[str, _Provider] = MappingProxyType(
    {domain: one for one in _PROVIDERS for domain in one.domains.split()}
)
_ELSEWHERE = _Provider("")

_SHARED_ENDS = frozenset(
    "ac co com edu go gob gov gouv gv ltd me ne net nhs nom or org plc sch".split()
)
"""What stands before a country's two letters where people register the name before that."""


def untagged(address: str) -> str:
    """`name+tag@domain` as `name@domain`, which reaches the same mailbox."""
    local, _, domain = address.casefold().rpartition("@")
    return f"{_without_tag(local, '+')}@{domain}"


def mailbox(address: str) -> str:
    """One name for the mailbox that `address` reaches, however it is spelt."""
    local, _, domain = address.casefold().rpartition("@")
    at = _at_provider(domain)
    provider = _BY_DOMAIN.get(at, _ELSEWHERE)
    if at != domain and provider.subdomains:
        local = domain.removesuffix(f".{at}").rpartition(".")[2]
    for sign in provider.tags:
        local = _without_tag(local, sign)
    kept = local.translate({ord(one): None for one in provider.ignored})
    return f"{kept or local}@{provider.name or at}"


def mail_provider(domain: str) -> str:
    """One name for the domains that one provider, or one owner, has its mailboxes at. Subdomains
    cost nothing, so they count with the domain that somebody registered."""
    at = _at_provider(domain.casefold())
    provider = _BY_DOMAIN.get(at)
    return registered(at) if provider is None else provider.name or at


def registered(domain: str) -> str:
    """The part of a domain that its owner registered, told by its shape: `a.b.example.co.uk` is
    `example.co.uk`. An end that this does not know counts several owners as one."""
    labels = domain.split(".")
    is_shared = len(labels) > 2 and len(labels[-1]) == 2 and labels[-2] in _SHARED_ENDS
    return ".".join(labels[-3:] if is_shared else labels[-2:])


def _at_provider(domain: str) -> str:
    """The domain of a provider that gives its people subdomains; any other as it is."""
    end = registered(domain)
    provider = _BY_DOMAIN.get(end)
    return end if provider is not None and provider.subdomains else domain


def _without_tag(local: str, sign: str) -> str:
    return local.partition(sign)[0] or local
