"""Evaluate an SPF record: whom it allows to send, and how many DNS lookups it takes (RFC 7208).

A receiver makes at most ten DNS lookups for a record and those it includes, and rejects a record
that needs more. So the whole record is evaluated as a receiver evaluates it, for the address
that sends email if that is known.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network

from paperround.http.resolver import Resolver

MOST_LOOKUPS = 10
"""RFC 7208 section 4.6.4."""

_MAX_DEPTH = 20
_LOOKUP_MECHANISMS = frozenset({"include", "a", "mx", "ptr", "exists"})
_MECHANISM_NAMES = _LOOKUP_MECHANISMS | {"all", "ip4", "ip6"}


class Broken(Exception):
    """The record is a permanent error for receivers; the text gives the reason."""


@dataclass(slots=True)
class SpfEvaluation:
    """A record as evaluated; `passes` is None without addresses, `unsure` if it has macros."""

    lookups: int = 0
    passes: bool | None = None
    unsure: bool = False
    allows_all: bool = False
    path: list[str] = field(default_factory=list)


def records_of(texts: Sequence[str]) -> list[str]:
    """Return the SPF records in `texts`: those that begin with `v=spf1` as a whole word."""
    return [text for text in texts if text.strip().lower().partition(" ")[0] == "v=spf1"]


def read(record: str, domain: str, addresses: Sequence[str], resolver: Resolver) -> SpfEvaluation:
    """Evaluate `record`, the policy of `domain`; `passes` is whether all `addresses` may send.

    Raises Broken for a record that receivers reject, and FetchFailed when the DNS does not answer.
    """
    evaluation = SpfEvaluation()
    _count_lookups(record, domain, evaluation, resolver)
    if addresses:
        passed = [_evaluate(record, domain, one, resolver, 0) == "+" for one in addresses]
        evaluation.passes = all(passed)
    return evaluation


def _count_lookups(record: str, domain: str, evaluation: SpfEvaluation, resolver: Resolver) -> None:
    """Count the lookups of a receiver in the worst case, when no mechanism matches early."""
    evaluation.path.append(domain)
    for qualifier, name, value in _mechanisms(record):
        evaluation.allows_all |= name == "all" and qualifier in "+?" and len(evaluation.path) == 1
        if name in _LOOKUP_MECHANISMS or name == "redirect":
            evaluation.lookups += 1
        if evaluation.lookups > MOST_LOOKUPS:  # a record must not make us query forever
            raise Broken(f"receivers give up on it: it needs more than {MOST_LOOKUPS} DNS lookups")
        if name not in ("include", "redirect"):
            continue
        if "%" in value:
            evaluation.unsure = True
        elif value not in evaluation.path:
            _count_lookups(_single_record(value, resolver), value, evaluation, resolver)
        else:
            raise Broken(f"{domain} includes {value}, which includes it again")
    evaluation.path.pop()


def _single_record(domain: str, resolver: Resolver) -> str:
    match records_of(resolver.texts(domain)):
        case [record]:
            return record
        case []:
            raise Broken(f"it includes {domain}, which has no SPF record")
        case _:
            raise Broken(f"it includes {domain}, which has several SPF records")


def _mechanisms(record: str) -> list[tuple[str, str, str]]:
    """Return (qualifier, name, value) of each term. Modifiers other than `redirect` are skipped."""
    terms = []
    for word in record.split()[1:]:
        if "=" in word.split(":")[0].split("/")[0]:
            name, _, value = word.partition("=")
            if name.lower() == "redirect":
                terms.append(("+", "redirect", value.lower()))
            continue
        qualifier = word[0] if word[0] in "+-~?" else "+"
        # `a/24` -> a, /, 24; `include:x.org` -> include, :, x.org; `mx` -> mx
        parts = re.split("([:/])", word.removeprefix(qualifier).lower(), maxsplit=1)
        name, separator, value = [*parts, "", ""][:3]
        if name not in _MECHANISM_NAMES:
            raise Broken(f"receivers give up on it: {word!r} is unknown")
        terms.append((qualifier, name, value if separator == ":" else separator + value))
    return terms


def _evaluate(record: str, domain: str, address: str, resolver: Resolver, depth: int) -> str:
    """Return the qualifier of the first mechanism that matches, `?` if none does; `+` is a pass."""
    redirect = ""
    for qualifier, name, value in _mechanisms(record):
        if name == "redirect":
            redirect = value
        elif _matches(name, value, domain, address, resolver, depth):
            return qualifier
    if redirect and "%" not in redirect and depth < _MAX_DEPTH:
        return _evaluate(_single_record(redirect, resolver), redirect, address, resolver, depth + 1)
    return "?"


def _matches(
    name: str, value: str, domain: str, address: str, resolver: Resolver, depth: int
) -> bool:
    match name:
        case "all":
            return True
        case "ip4" | "ip6":
            return _within(address, value)
        case "include" if "%" not in value and depth < _MAX_DEPTH:
            inner = _single_record(value, resolver)
            return _evaluate(inner, value, address, resolver, depth + 1) == "+"
        case "a" | "mx" if "%" not in value:
            host, _, prefix = value.partition("/")
            hosts = [host or domain]
            if name == "mx":
                hosts = list(resolver.exchangers(hosts[0]))
            found = [one for each in hosts for one in resolver.addresses(each)]
            return any(_within(address, _network(one, prefix)) for one in found)
        case _:
            return False


def _network(address: str, prefix: str) -> str:
    """Return `address` with its prefix length: `a/24//64` has one for IPv4 and one for IPv6."""
    four, _, six = prefix.partition("//")
    length = (six or "128") if ":" in address else (four or "32")
    return f"{address}/{length}"


def _within(address: str, network: str) -> bool:
    try:
        return ip_address(address) in ip_network(network, strict=False)
    except ValueError:
        raise Broken(f"receivers give up on it: {network!r} is not an address") from None
