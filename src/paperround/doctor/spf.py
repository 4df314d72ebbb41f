"""Sender Policy Framework: what a record lets send, and what receivers pay to read it (RFC 7208).

A receiver asks the DNS for at most ten mechanisms of a record, those it includes counted in, and
gives up on one that needs more: then nobody is let send. So the whole record is read as a receiver
reads it, for the address that mails leave from where that is known.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network

from paperround.http.model import Resolver

MOST_LOOKUPS = 10
"""RFC 7208 section 4.6.4."""

_DEEPEST = 20
_ASKING = frozenset({"include", "a", "mx", "ptr", "exists"})
_KNOWN = _ASKING | {"all", "ip4", "ip6"}


class Broken(Exception):
    """A receiver cannot make sense of the record (a permanent error): its text says why."""


@dataclass(slots=True)
class SpfReader:
    """A record as far as it was read. `passes` is None where no address was given.

    `unsure`: it holds a macro, whose meaning depends on each mail.
    """

    lookups: int = 0
    passes: bool | None = None
    unsure: bool = False
    lets_everybody: bool = False
    seen: list[str] = field(default_factory=list)


def records_of(texts: Sequence[str]) -> list[str]:
    """Those that are SPF records: they begin with `v=spf1` as a whole word."""
    return [text for text in texts if text.strip().lower().partition(" ")[0] == "v=spf1"]


def read(record: str, domain: str, addresses: Sequence[str], resolver: Resolver) -> SpfReader:
    """All of `record`, the policy of `domain`, and whether it lets every one of `addresses` send.

    Raises Broken for a record that receivers give up on, and FetchFailed when the DNS is silent.
    """
    reading = SpfReader()
    _walk(record, domain, reading, resolver)
    if addresses:
        passed = [_verdict(record, domain, one, resolver, 0) == "+" for one in addresses]
        reading.passes = all(passed)
    return reading


def _walk(record: str, domain: str, reading: SpfReader, resolver: Resolver) -> None:
    """Count what a receiver asks, whatever matches on the way: the worst case."""
    reading.seen.append(domain)
    for qualifier, name, value in _mechanisms(record):
        reading.lets_everybody |= name == "all" and qualifier in "+?" and len(reading.seen) == 1
        if name in _ASKING or name == "redirect":
            reading.lookups += 1
        if reading.lookups > MOST_LOOKUPS:  # or a record could have us ask without an end
            raise Broken(
                f"receivers give up on it: it needs more than {MOST_LOOKUPS} look-ups of the DNS"
            )
        if name not in ("include", "redirect"):
            continue
        if "%" in value:
            reading.unsure = True
        elif value not in reading.seen:
            _walk(_only(value, resolver), value, reading, resolver)
        else:
            raise Broken(f"{domain} includes {value}, which includes it again")
    reading.seen.pop()


def _only(domain: str, resolver: Resolver) -> str:
    match records_of(resolver.texts(domain)):
        case [record]:
            return record
        case []:
            raise Broken(f"it includes {domain}, which has no SPF record")
        case _:
            raise Broken(f"it includes {domain}, which has several SPF records")


def _mechanisms(record: str) -> list[tuple[str, str, str]]:
    """(qualifier, name, value) of each term; modifiers but `redirect` mean nothing here."""
    terms = []
    for word in record.split()[1:]:
        if "=" in word.split(":")[0].split("/")[0]:
            name, _, value = word.partition("=")
            if name.lower() == "redirect":
                terms.append(("+", "redirect", value.lower()))
            continue
        qualifier = word[0] if word[0] in "+-~?" else "+"
        name, separator, value = _split(word.removeprefix(qualifier))
        if name not in _KNOWN:
            raise Broken(f"receivers give up on it: they do not know {word!r}")
        terms.append((qualifier, name, value if separator == ":" else separator + value))
    return terms


def _split(term: str) -> tuple[str, str, str]:
    """`a/24` -> (a, /, 24); `include:x.org` -> (include, :, x.org)."""
    ends = [at for at in (term.find(":"), term.find("/")) if at >= 0]
    if not ends:
        return term.lower(), "", ""
    at = min(ends)
    return term[:at].lower(), term[at], term[at + 1 :].lower()


def _verdict(record: str, domain: str, address: str, resolver: Resolver, depth: int) -> str:
    """The qualifier of the first mechanism that matches: `+` lets send; `?` where none does."""
    redirect = ""
    for qualifier, name, value in _mechanisms(record):
        if name == "redirect":
            redirect = value
        elif _matches(name, value, domain, address, resolver, depth):
            return qualifier
    if redirect and "%" not in redirect and depth < _DEEPEST:
        return _verdict(_only(redirect, resolver), redirect, address, resolver, depth + 1)
    return "?"


def _matches(
    name: str, value: str, domain: str, address: str, resolver: Resolver, depth: int
) -> bool:
    match name:
        case "all":
            return True
        case "ip4" | "ip6":
            return _within(address, value)
        case "include" if "%" not in value and depth < _DEEPEST:
            inner = _only(value, resolver)
            return _verdict(inner, value, address, resolver, depth + 1) == "+"
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
    """`a/24//64` has a length for each kind of address."""
    four, _, six = prefix.partition("//")
    length = (six or "128") if ":" in address else (four or "32")
    return f"{address}/{length}"


def _within(address: str, network: str) -> bool:
    try:
        return ip_address(address) in ip_network(network, strict=False)
    except ValueError:
        raise Broken(f"receivers give up on it: {network!r} is no address") from None
