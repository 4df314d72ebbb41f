"""Parse and validate e-mail addresses.

An address is kept as it was written, tags and dots included; only its domain becomes lower-case
ASCII (RFC 5890). Parsing does not check that the domain exists: that would need a DNS look-up
within a request.
"""

import re
import unicodedata
from functools import cache

from email_validator import EmailNotValidError, EmailSyntaxError, validate_email

from paperround.core.errors import InvalidInput, invalid
from paperround.core.languages import marked
from paperround.subscribers.mailboxes import RefusedNames, domain_and_parents, parse_refused
from paperround.subscribers.model import Address

LONGEST = 254
"""Octets (RFC 5321 section 4.5.3.1.3, less the angle brackets)."""
LONGEST_LOCAL = 64
"""Octets before the @ (RFC 5321 section 4.5.3.1.1)."""
_FORBIDDEN = re.compile(r"[\x00-\x1f\x7f-\x9f\"\\]")
_EAST_ASIAN = frozenset({"CJK", "HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA", "HANGUL", "BOPOMOFO"})


class EmailAddresses:
    """Parses addresses. Accepts `.test` domains, which never deliver, for tests and trials."""

    def read(self, written: str) -> Address:
        """Return the parsed address; raise InvalidInput with the reason, which never repeats the
        address."""
        text = written.strip(" ")
        _require_supported_characters(text)
        local, domain = _split(text)
        mailed = f"{local}@{domain}"
        if len(mailed) > LONGEST or not is_address(mailed):
            raise InvalidInput(
                marked("this address cannot be mailed: use one like name@example.org")
            )
        return Address(written=text, mailed=mailed, folded=mailed.casefold(), domain=domain)


def _split(text: str) -> tuple[str, str]:
    """Return the local part and the ASCII domain; raise InvalidInput."""
    try:
        checked = validate_email(
            text, check_deliverability=False, test_environment=True, strict=True
        )
    except EmailSyntaxError:
        raise InvalidInput(_syntax_error(text)) from None
    except EmailNotValidError:
        raise InvalidInput(
            marked("no mail reaches anybody at that domain: use another address")
        ) from None
    # Look-alike domains mix alphabets within a label.
    for label in checked.domain.split("."):
        scripts = {unicodedata.name(letter, "?").split()[0] for letter in label if letter.isalpha()}
        if len(scripts) > 1 and not scripts <= _EAST_ASIAN | {"LATIN"}:
            raise InvalidInput(marked("the part after the @ mixes alphabets: write it in one"))
    return checked.local_part, checked.ascii_domain.lower()


def _require_supported_characters(text: str) -> None:
    if _FORBIDDEN.search(text):
        raise InvalidInput(
            marked("an e-mail address has no quotes, backslashes or control characters")
        )
    if not text.rpartition("@")[0].isascii():
        raise InvalidInput(
            marked(
                "addresses with letters outside ASCII before the @ (SMTPUTF8) are not supported "
                "yet: use another address of yours"
            )
        )


_NEEDS_DOT = marked(
    "this is not an e-mail address: what stands after the @ needs a dot, as in example.org"
)


def _syntax_error(text: str) -> str:
    """Return why email-validator refused `text`, as one of a few translated messages."""
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


# Domains refused at sign-up: disposable ones.
#
# The list comes from the disposable-email-domains package, which its community maintains. The
# operator can extend it, make exceptions, or switch it off.


class RefusedDomains:
    """Refuses addresses by domain, as the operator configured."""

    def __init__(self, names: RefusedNames) -> None:
        self._names = names

    def require_kept(self, address: Address) -> None:
        """Raise InvalidInput if the address's domain, or a parent of it, is refused.

        The decision depends on the domain alone, so it reveals nothing about the address.
        """
        above = set(domain_and_parents(address.domain))
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
    """Parse the setting REFUSED_DOMAINS; raise InvalidInput if it is malformed."""
    return RefusedDomains(parse_refused(setting))


@cache
def _disposable() -> frozenset[str]:
    from disposable_email_domains import blocklist  # ten thousand names: imported on first use

    return frozenset(blocklist)


def is_address(text: str) -> bool:
    """Return whether `text` is one plain ASCII address that needs no quoting in a header."""
    return len(text) <= 254 and "=?" not in text and _ADDRESS.fullmatch(text) is not None


_ADDRESS = re.compile(
    r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?"
)
