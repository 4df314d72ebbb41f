"""Mail domains: which are refused at sign-up, and which were probably meant by a slip."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType

from paperround.domain.errors import InvalidInput
from paperround.domain.limits import OFF
from paperround.domain.spelling import distance

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

_SLIPS_OF_AN_END: Mapping[str, str] = MappingProxyType(
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
    near = [one for one in _LONG if _may_be(domain, one) and distance(domain, one, 1) == 1]
    if near:
        return near[0]
    name, _, end = domain.rpartition(".")
    right = _SLIPS_OF_AN_END.get(end)
    return f"{name}.{right}" if name and right else None


def _may_be(domain: str, other: str) -> bool:
    """Whether `other` can be one slip away: a slip is at most two neighbouring letters, so what is
    before them or what is behind them is the same. It saves most of the reckoning."""
    if abs(len(domain) - len(other)) > 1:
        return False
    alike = (min(len(domain), len(other)) - 2) // 2
    return domain[:alike] == other[:alike] or domain[-alike:] == other[-alike:]
