"""Parse and validate email addresses, and tell which of them are one mailbox or provider.

An address is kept as it was written, tags and dots included; only its domain becomes lower-case
ASCII (RFC 5890). Parsing does not check that the domain exists: that would need a DNS look-up
within a request.

Providers document several spellings of one mailbox: tags (`name+tag@`), ignored dots, alternative
domains, subdomains. Rate limits group addresses by mailbox and domains by provider, because one
mailbox can be spelled in a thousand ways. A subscriber is still identified, and mailed, by the
address as they wrote it.
"""

import re
import unicodedata
from dataclasses import dataclass
from functools import cache

from paperround.core.errors import InvalidInput, invalid
from paperround.core.languages import marked
from paperround.core.rates import OFF
from paperround.core.sender import is_address
from paperround.subscribers.model import Address

LONGEST = 254
"""Octets (RFC 5321 section 4.5.3.1.3, less the angle brackets)."""
_FORBIDDEN = re.compile(r"[\x00-\x1f\x7f-\x9f\"\\]")
_EAST_ASIAN = frozenset({"CJK", "HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA", "HANGUL", "BOPOMOFO"})


def parse_address(written: str) -> Address:
    """Return the parsed address; raise InvalidInput with the reason, which never repeats the
    address. Accepts `.test` domains, which never deliver, for tests and trials."""
    text = written.strip(" ")
    _require_supported_characters(text)
    local, domain = _split(text)
    mailed = f"{local}@{domain}"
    if len(mailed) > LONGEST or not is_address(mailed):
        raise InvalidInput(
            marked("this address cannot receive email: use one like name@example.org")
        )
    return Address(written=text, mailed=mailed)


def _split(text: str) -> tuple[str, str]:
    """Return the local part and the ASCII domain; raise InvalidInput."""
    from email_validator import EmailNotValidError, EmailSyntaxError, validate_email  # slow

    try:
        checked = validate_email(
            text, check_deliverability=False, test_environment=True, strict=True
        )
    except EmailSyntaxError:
        raise InvalidInput(
            marked("this is not an email address: write it like name@example.org")
        ) from None
    except EmailNotValidError:
        raise InvalidInput(
            marked("that domain cannot receive email: use another address")
        ) from None
    # Look-alike domains mix alphabets within a label.
    for label in checked.domain.split("."):
        scripts = {unicodedata.name(letter, "?").split()[0] for letter in label if letter.isalpha()}
        if len(scripts) > 1 and not scripts <= _EAST_ASIAN | {"LATIN"}:
            raise InvalidInput(marked("the part after the @ mixes alphabets: use only one"))
    return checked.local_part, checked.ascii_domain.lower()


def _require_supported_characters(text: str) -> None:
    if _FORBIDDEN.search(text):
        raise InvalidInput(
            marked("an email address has no quotes, backslashes or control characters")
        )
    if not text.rpartition("@")[0].isascii():
        raise InvalidInput(
            marked(
                "addresses with letters outside ASCII before the @ (SMTPUTF8) are not supported "
                "yet: use another address of yours"
            )
        )


# --- mailboxes and providers ---------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Provider:
    """How a provider with these domains spells a mailbox.

    `name` is the canonical domain if each mailbox has an address at all of them. `ignored`
    characters do not count, `tags` begin a tag; `subdomains`: `any@name.provider` is
    `name@provider`.
    """

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
"""Other providers use a plus for tags, as Outlook, Zoho and nearly all do."""

_BY_DOMAIN = {domain: one for one in _PROVIDERS for domain in one.domains.split()}
_OTHER_PROVIDER = _Provider("")

_SECOND_LEVELS = frozenset(
    "ac co com edu go gob gov gouv gv ltd me ne net nhs nom or org plc sch".split()
)
"""Second-level labels under which registrants of a country's domain register names."""


def untagged(address: str) -> str:
    """Return `name+tag@domain` as `name@domain`, which reaches the same mailbox."""
    local, _, domain = address.casefold().rpartition("@")
    return f"{_without_tag(local, '+')}@{domain}"


def mailbox(address: str) -> str:
    """Return one canonical address for the mailbox that `address` reaches."""
    local, _, domain = address.casefold().rpartition("@")
    at = _at_provider(domain)
    provider = _BY_DOMAIN.get(at, _OTHER_PROVIDER)
    if at != domain and provider.subdomains:
        local = domain.removesuffix(f".{at}").rpartition(".")[2]
    for sign in provider.tags:
        local = _without_tag(local, sign)
    kept = local.translate({ord(one): None for one in provider.ignored})
    return f"{kept or local}@{provider.name or at}"


def mail_provider(domain: str) -> str:
    """Return one name for all domains of a provider or owner. Subdomains cost nothing, so they
    count with the registered domain."""
    at = _at_provider(domain.casefold())
    provider = _BY_DOMAIN.get(at)
    return registered_domain(at) if provider is None else provider.name or at


def registered_domain(domain: str) -> str:
    """Return the registered part of a domain, guessed from its shape: `example.co.uk` for
    `a.b.example.co.uk`. An unknown suffix groups several owners as one."""
    labels = domain.split(".")
    is_shared = len(labels) > 2 and len(labels[-1]) == 2 and labels[-2] in _SECOND_LEVELS
    return ".".join(labels[-3:] if is_shared else labels[-2:])


def _at_provider(domain: str) -> str:
    """Return the provider's domain for a subdomain that it gives to a customer; any other domain as
    is."""
    end = registered_domain(domain)
    provider = _BY_DOMAIN.get(end)
    return end if provider is not None and provider.subdomains else domain


def _without_tag(local: str, sign: str) -> str:
    return local.partition(sign)[0] or local


# --- domains refused at sign-up ------------------------------------------------------------------


DISPOSABLE = "disposable"
"""The setting's name for every known disposable domain."""

_DOMAIN = re.compile(r"-?[a-z0-9]([a-z0-9.-]*[a-z0-9])?\.[a-z0-9-]*[a-z0-9]")


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedDomains:
    """The domains refused at sign-up, as the operator configured: disposable ones, others, and
    exceptions. The list of disposable ones comes from a community-maintained package."""

    disposable: bool = False
    refused: frozenset[str] = frozenset()
    let_in: frozenset[str] = frozenset()

    def require_kept(self, address: Address) -> None:
        """Raise InvalidInput if the address's domain, or a parent of it, is refused.

        The decision depends on the domain alone, so it reveals nothing about the address.
        """
        labels = address.domain.split(".")
        above = {".".join(labels[start:]) for start in range(len(labels))}
        if above & self.let_in:
            return
        if above & self.refused:
            raise invalid(
                "email",
                "addresses at %(name)s cannot be signed up here: use another one of yours",
                name=address.domain,
            )
        if self.disposable and above & _disposable():
            raise invalid(
                "email",
                "addresses at %(name)s are disposable: use a permanent one",
                name=address.domain,
            )


@cache
def refused_domains(setting: str) -> RefusedDomains:
    """Parse `disposable, bad.example, -good.example`; `off` refuses none. Raises InvalidInput."""
    if setting.strip().lower() == OFF:
        return RefusedDomains()
    named = {part for piece in setting.lower().split(",") if (part := piece.strip())}
    domains = named - {DISPOSABLE}
    if not all(map(_DOMAIN.fullmatch, domains)):
        raise InvalidInput(
            "write disposable, domains like bad.example, and -good.example for an exception, "
            "separated by commas; or off"
        )
    return RefusedDomains(
        disposable=DISPOSABLE in named,
        refused=frozenset(one for one in domains if not one.startswith("-")),
        let_in=frozenset(one[1:] for one in domains if one.startswith("-")),
    )


@cache
def _disposable() -> frozenset[str]:
    from disposable_email_domains import blocklist  # ten thousand names: imported on first use

    return frozenset(blocklist)


# --- probable typos ------------------------------------------------------------------------------

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
"""Mail domains with very many users."""

_RARER = frozenset(
    "mail.com email.com ymail.com rocketmail.com gmx.at gmx.ch gmx.fr yahoo.ca yahoo.es yahoo.it "
    "yahoo.in hotmail.es hotmail.nl hotmail.se outlook.it outlook.jp outlook.pt live.nl live.ca "
    "live.de live.it mail.de email.de inbox.com hey.com pm.me zoho.com mail.ee mail.bg".split()
)
"""Real domains that are one typo away from a common one."""

_SHORTEST = 7
"""Shorter domains are one typo away from too many others."""

_KNOWN = _COMMON | _RARER
_LONG = tuple(sorted(one for one in _COMMON if len(one) >= _SHORTEST))


def _is_one_typo(written: str, meant: str) -> bool:
    """Whether one letter is wrong, missing or too many, or two adjacent ones are swapped."""
    pairs = enumerate(zip(written, meant, strict=False))
    start = next((at for at, (one, other) in pairs if one != other), min(len(written), len(meant)))
    one, other = written[start:], meant[start:]
    is_swap = one[:2] == other[1::-1] and one[2:] == other[2:]
    return is_swap or other[1:] in (one, one[1:]) or one[1:] == other


def suggest_domain(domain: str) -> str | None:
    """Return the common domain probably meant, such as `gmail.com` for `gmial.com`; None if there
    is no likely typo. Only the spelling is examined."""
    if domain in _KNOWN or len(domain) < _SHORTEST:
        return None
    near = (one for one in _LONG if abs(len(one) - len(domain)) <= 1)
    return next((one for one in near if _is_one_typo(domain, one)), None)
