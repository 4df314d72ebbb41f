"""A copy of a mail that arrived, as its reader's server judged it (RFC 8601).

The topmost Authentication-Results is the one of the server that took the mail for its reader; what
stands below it may have come with the mail.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from email.message import Message
from typing import NamedTuple

from paperround.doctor.dmarc import related
from paperround.doctor.findings import Finding, fail, ok, skipped, warn
from paperround.doctor.headers import ONE_CLICK, domain_of, require_mail

_COMMENT = re.compile(r"\([^()]*\)")
_RESULT = re.compile(
    r"\s*([a-z0-9-]+)\s*(?:/\s*\d+\s*)?=\s*([a-z]+)(.*)", re.DOTALL | re.IGNORECASE
)
_PROPERTY = re.compile(r"([a-z]+\.[a-z0-9_-]+)\s*=\s*(\"[^\"]*\"|\S+)", re.IGNORECASE)
_OVER_TLS = re.compile(r"\bwith\s+(?:UTF8)?(?:ESMTPSA?|SMTPS|HTTPS)\b|\bTLS\s*v?1", re.IGNORECASE)


class Result(NamedTuple):
    """What a server says of one method (spf, dkim, dmarc, ...)."""

    method: str
    result: str
    properties: Mapping[str, str]


WAYS_OUT = {
    "spf": "the SPF record must let the address send that the mail came from",
    "dkim": "`paperround doctor` looks at the key in the DNS; does a relay change what it sends?",
    "dmarc": "SPF or DKIM must pass for the domain in From, or one above or below it",
}


def arrived(content: bytes) -> list[Finding]:
    """What became of a mail on its way. Raises InvalidInput for a file that is no mail."""
    mail = require_mail(content)
    found = mail.get_all("Authentication-Results", [])
    if not found:
        return [
            skipped(
                "authentication",
                "the copy has no Authentication-Results: nobody judged it",
                "take it from a mailbox of a provider that checks mail, as its source shows it",
            ),
            *_unchanged(mail),
        ]
    server, results = results_of(str(found[0]))
    return [
        *(_judged(method, server, results, domain_of(mail)) for method in WAYS_OUT),
        *_unchanged(mail),
    ]


def results_of(field: str) -> tuple[str, list[Result]]:
    """(who judged, what they said) of an Authentication-Results field."""
    while (plain := _COMMENT.sub(" ", field)) != field:
        field = plain
    server, *rest = field.split(";")
    matches = [match for part in rest if (match := _RESULT.match(part))]
    results = [
        Result(match[1].lower(), match[2].lower(), _properties(match[3])) for match in matches
    ]
    return (server.split() or ["somebody"])[0], results


def _properties(text: str) -> Mapping[str, str]:
    return {name.lower(): value.strip('"').lower() for name, value in _PROPERTY.findall(text)}


def _judged(method: str, server: str, results: Sequence[Result], sender: str) -> Finding:
    mine = [one for one in results if one.method == method]
    if not mine:
        return warn(method, f"{server} says nothing of {method.upper()}", WAYS_OUT[method])
    passed = [one.properties for one in mine if one.result == "pass"]
    if not passed:
        says = f"{server} says {method.upper()} is {', '.join(one.result for one in mine)}"
        return fail(method, says, WAYS_OUT[method])
    domains = [domain for known in passed if (domain := _domain(method, known))]
    if method != "dmarc" and domains and not any(related(one, sender) for one in domains):
        says = (
            f"{server} says {method.upper()} passes for {', '.join(domains)}, which is not {sender}"
        )
        return warn(method, says, WAYS_OUT["dmarc"])
    return ok(method, f"{server} says {method.upper()} passes")


def _domain(method: str, known: Mapping[str, str]) -> str:
    if method == "spf":
        return known.get("smtp.mailfrom", "").rpartition("@")[2]
    return known.get("header.d", "") or known.get("header.i", "").rpartition("@")[2]


def _unchanged(mail: Message) -> Iterator[Finding]:
    """Whether what matters came through: the fields for leaving, and TLS on the last way."""
    lost = [name for name in ONE_CLICK if mail.get("List-Id") and mail.get(name) is None]
    if lost:
        yield fail(
            "list fields", f"{', '.join(lost)} got lost on the way", "ask who runs the relay"
        )
    elif mail.get("List-Id"):
        yield ok("list fields", "the fields for leaving came through")
    received = mail.get_all("Received", [])
    if received:
        yield _last_way(str(received[0]))


def _last_way(received: str) -> Finding:
    if _OVER_TLS.search(received):
        return ok("tls", "it came over TLS")
    says = "the last server does not say that it came over TLS"
    return warn("tls", says, "the relay must offer TLS to the servers it sends to")
