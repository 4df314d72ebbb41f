"""Which addresses reach one mailbox, and which domains belong to one provider: for limits alone.

Providers document several spellings of one mailbox: tags (`name+tag@`), dots that count for
nothing, further domains, subdomains. A limit that counts addresses alone is passed by writing the
same one in a thousand ways. A person is still known by the address as they wrote it, and mailed
there.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from paperround.core.errors import InvalidInput
from paperround.core.rates import OFF
from paperround.papers.search import distance


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
    _Provider("gmail.com googlemail.com", "gmail.com", ignored="."),
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

_BY_DOMAIN = {domain: one for one in _PROVIDERS for domain in one.domains.split()}
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


DISPOSABLE = "disposable"
"""Stands in the setting for every domain that is known to give out addresses to throw away."""

_DOMAIN = re.compile(r"-?[a-z0-9]([a-z0-9.-]*[a-z0-9])?\.[a-z0-9-]*[a-z0-9]")

_COMMON = frozenset(
    "gmail.com googlemail.com yahoo.com hotmail.com outlook.com icloud.com protonmail.com "
    "proton.me gmx.net gmx.de gmx.com web.de t-online.de posteo.de mailbox.org fastmail.com "
    "yahoo.co.uk yahoo.co.jp yahoo.co.in yahoo.fr yahoo.de hotmail.co.uk hotmail.fr hotmail.de "
    "hotmail.it outlook.fr outlook.de outlook.es live.com live.co.uk live.fr msn.com aol.com "
    "me.com mac.com orange.fr wanadoo.fr laposte.net free.fr sfr.fr libero.it virgilio.it "
    "yandex.ru mail.ru rambler.ru qq.com 163.com 126.com sina.com foxmail.com naver.com "
    "hanmail.net daum.net uol.com.br comcast.net verizon.net att.net sbcglobal.net btinternet.com "
    "bluewin.ch ziggo.nl telenet.be seznam.cz wp.pl onet.pl interia.pl rediffmail.com".split()
)
"""Domains that very many people have their mail at."""

_REAL = frozenset(
    "mail.com email.com ymail.com rocketmail.com gmx.at gmx.ch gmx.fr yahoo.ca yahoo.es yahoo.it "
    "yahoo.in hotmail.es hotmail.nl hotmail.se outlook.it outlook.jp outlook.pt live.nl live.ca "
    "live.de live.it mail.de email.de inbox.com hey.com pm.me zoho.com mail.ee mail.bg".split()
)
"""Domains that are a slip away from those, and no slip."""

_SLIPS_OF_AN_END: Mapping[str, str] = (
    dict.fromkeys("con cpm ocm cmo vom xom comm coom cim".split(), "com")
    | dict.fromkeys("ogr rog orgg".split(), "org")
    | dict.fromkeys("ner nte nett".split(), "net")
    | dict.fromkeys("eud edi".split(), "edu")
)
"""Ends that no domain has, and what they should have been."""

_SHORTEST = 7
"""Below so many characters everything is one slip away from something."""

_LOOKED_AT = 2048
"""Domains that need not be looked at again: those that were asked for last."""

_KNOWN = _COMMON | _REAL
_LONG = tuple(sorted(one for one in _COMMON if len(one) >= _SHORTEST))


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedNames:
    """What the setting names: whether all disposable domains, which others, and which not."""

    disposable: bool
    refused: frozenset[str]
    let_in: frozenset[str]


def parse_refused(text: str) -> RefusedNames:
    """Read `disposable, bad.example, -good.example`; `off` refuses none. Raises InvalidInput."""
    if text.strip().lower() == OFF:
        return RefusedNames(disposable=False, refused=frozenset(), let_in=frozenset())
    named = {part for piece in text.lower().split(",") if (part := piece.strip())}
    domains = named - {DISPOSABLE}
    if not all(map(_DOMAIN.fullmatch, domains)):
        raise InvalidInput(
            "write disposable, domains like bad.example, and -good.example for one that is let in "
            "all the same, with commas between them; or off"
        )
    return RefusedNames(
        disposable=DISPOSABLE in named,
        refused=frozenset(one for one in domains if not one.startswith("-")),
        let_in=frozenset(one[1:] for one in domains if one.startswith("-")),
    )


def and_above(domain: str) -> Iterator[str]:
    """`a.b.example` -> `a.b.example`, `b.example`, `example`."""
    labels = domain.split(".")
    return (".".join(labels[start:]) for start in range(len(labels)))


@lru_cache(maxsize=_LOOKED_AT)
def meant(domain: str) -> str | None:
    """The domain that was probably meant by `domain`, as `gmail.com` by `gmial.com`; None when it
    looks as it should. Nothing but its spelling is looked at."""
    if domain in _KNOWN or len(domain) < _SHORTEST:
        return None
    near = next((one for one in _LONG if distance(domain, one, 1) == 1), None)
    if near:
        return near
    name, _, end = domain.rpartition(".")
    right = _SLIPS_OF_AN_END.get(end)
    return f"{name}.{right}" if name and right else None
