"""Judging what somebody wrote as an e-mail address.

An address is mailed as it was written, tags and dots kept; only its domain becomes lower-case
ASCII (RFC 5890). Whether the domain exists is not asked: that would be a look-up in a request.
"""

import re
import unicodedata
from functools import cache, lru_cache

from email_validator import EmailNotValidError, EmailSyntaxError, ValidatedEmail, validate_email
from email_validator.rfc_constants import CASE_INSENSITIVE_MAILBOX_NAMES

from paperround.core.errors import InvalidInput, invalid
from paperround.core.languages import marked
from paperround.subscribers.mailboxes import RefusedNames, and_above, parse_refused
from paperround.subscribers.model import Address

LONGEST = 254
"""Octets (RFC 5321 section 4.5.3.1.3, less the angle brackets)."""
LONGEST_LOCAL = 64
"""What stands before the @ (RFC 5321 section 4.5.3.1.1)."""
_PLAIN = re.compile(
    r"(?P<local>[A-Za-z0-9_+-]+(?:\.[A-Za-z0-9_+-]+)*)@(?P<domain>[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+)"
)
_SPELT_SMALL = frozenset(CASE_INSENSITIVE_MAILBOX_NAMES)
"""What the library writes in small letters."""
_ENCODED = "xn--"
"""A domain in letters of its own, which may be longer than it looks."""
_MOST_DOMAINS = 2048
"""Domains whose spelling was found good, those that were asked for last."""
_REFUSED = re.compile(r"[\x00-\x1f\x7f-\x9f\"\\]")
_EAST_ASIAN = frozenset({"CJK", "HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA", "HANGUL", "BOPOMOFO"})


class EmailAddresses:
    """Reads addresses. `.test` is accepted: it reaches nobody, and trying things out needs it."""

    def read(self, written: str) -> Address:
        """The address; raises InvalidInput that says what is wrong, without repeating it."""
        text = written.strip(" ")
        local, domain = _plain(text) or _told_apart(text)
        mailed = f"{local}@{domain}"
        if len(mailed) > LONGEST or not is_address(mailed):
            raise InvalidInput(
                marked("this address cannot be mailed: use one like name@example.org")
            )
        return Address(written=text, mailed=mailed, folded=mailed.casefold(), domain=domain)


def _plain(text: str) -> tuple[str, str] | None:
    """What stands before and behind the @ of an address as most people have one: plain enough that
    what is wrong with either has nothing to do with the other, so a domain is judged once. None for
    any other, and for what is wrong."""
    found = _PLAIN.fullmatch(text)
    if found is None or len(text) > LONGEST or len(found["local"]) > LONGEST_LOCAL:
        return None
    if found["local"].lower() in _SPELT_SMALL or _ENCODED in found["domain"].lower():
        return None
    try:
        return found["local"], _ascii_domain(found["domain"])
    except InvalidInput:
        return None


@lru_cache(maxsize=_MOST_DOMAINS)
def _ascii_domain(domain: str) -> str:
    return _checked(f"name@{domain}").ascii_domain.lower()


def _told_apart(text: str) -> tuple[str, str]:
    _refuse_odd_characters(text)
    checked = _checked(text)
    return checked.local_part, checked.ascii_domain.lower()


def _checked(text: str) -> ValidatedEmail:
    try:
        checked = validate_email(
            text, check_deliverability=False, test_environment=True, strict=True
        )
    except EmailSyntaxError:
        raise InvalidInput(_fault(text)) from None
    except EmailNotValidError:
        raise InvalidInput(
            marked("no mail reaches anybody at that domain: use another address")
        ) from None
    # A label that mixes alphabets is how a look-alike domain is made.
    for label in checked.domain.split("."):
        scripts = {unicodedata.name(letter, "?").split()[0] for letter in label if letter.isalpha()}
        if len(scripts) > 1 and not scripts <= _EAST_ASIAN | {"LATIN"}:
            raise InvalidInput(marked("the part after the @ mixes alphabets: write it in one"))
    return checked


def _refuse_odd_characters(text: str) -> None:
    if _REFUSED.search(text):
        raise InvalidInput(
            marked("an e-mail address has no quotes, backslashes or control characters")
        )
    local = text.rpartition("@")[0]
    if not local.isascii():
        raise InvalidInput(
            marked(
                "addresses with letters outside ASCII before the @ (SMTPUTF8) are not supported "
                "yet: use another address of yours"
            )
        )


_NEEDS_DOT = marked(
    "this is not an e-mail address: what stands after the @ needs a dot, as in example.org"
)


def _fault(text: str) -> str:
    """What is wrong with what cannot be an address, in words of ours, which are translated. They
    are few: whoever made a slip sees it once they know where to look."""
    local, at, domain = text.rpartition("@")
    is_long = len(local) > LONGEST_LOCAL or len(text) > LONGEST
    faults = (
        (not at, marked("this is not an e-mail address: it has no @")),
        ("@" in local, marked("this is not an e-mail address: it has more than one @")),
        (not local, marked("this is not an e-mail address: nothing stands before the @")),
        (not domain, marked("this is not an e-mail address: nothing stands after the @")),
        (
            any(map(str.isspace, text)),
            marked("this is not an e-mail address: there is a blank in it"),
        ),
        (is_long, marked("this is not an e-mail address: it is too long")),
        ("." not in domain.strip("."), _NEEDS_DOT),
        (True, marked("this is not an e-mail address: write it like name@example.org")),
    )
    return next(fault for is_so, fault in faults if is_so)


# Which mail domains are refused at sign-up: those that give out addresses to throw away.
#
# The list is the one of disposable-email-domains, which the community keeps up to date; an operator
# adds to it, takes from it, or switches it off.


class RefusedDomains:
    """Judges the domains of addresses by what an operator named."""

    def __init__(self, names: RefusedNames) -> None:
        self._names = names

    def require_kept(self, address: Address) -> None:
        """Raise InvalidInput for an address at a refused domain, or below one. This is a matter of
        the domain alone: it tells nothing of the address."""
        above = set(and_above(address.domain))
        if above & self._names.let_in:
            return
        if above & self._names.refused:
            raise invalid(
                "email",
                "addresses at %(name)s cannot be signed up here: use another one of yours",
                name=address.domain,
            )
        if self._names.disposable and above & _disposable():
            raise invalid(
                "email",
                "addresses at %(name)s are made to be thrown away: use one that you keep",
                name=address.domain,
            )


@cache
def refused_domains(setting: str) -> RefusedDomains:
    """What the setting REFUSED_DOMAINS says; raises InvalidInput when that cannot be read."""
    return RefusedDomains(parse_refused(setting))


@cache
def _disposable() -> frozenset[str]:
    from disposable_email_domains import blocklist  # ten thousand names: only whoever asks needs it

    return frozenset(blocklist)


def is_address(text: str) -> bool:
    """Whether `text` is one plain ASCII address that may stand in a header as it is."""
    return len(text) <= 254 and "=?" not in text and _ADDRESS.fullmatch(text) is not None


_ADDRESS = re.compile(
    r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?"
)
