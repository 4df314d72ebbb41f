"""Check the DNS records of the From domain as receivers do, and print the lines to add."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from email.utils import parseaddr
from fnmatch import fnmatch
from ipaddress import ip_address
from urllib.parse import urlsplit

from paperround.bootstrap import AppContext
from paperround.config import LOOPBACK, Settings
from paperround.core.errors import FetchFailed, Misconfigured
from paperround.core.reasons import counted
from paperround.delivery.dkim.keys import KeyRecord, KeyState, RecordStatus, published_status
from paperround.doctor.config_check import RESERVED_SUFFIXES
from paperround.doctor.findings import Finding, fail, ok, skipped, warn
from paperround.http.model import FetchRequest, HttpClient
from paperround.http.resolver import Resolver
from paperround.plugins.doctor_checks import spf
from paperround.plugins.doctor_checks.headers import is_aligned

RESERVED = (*RESERVED_SUFFIXES, ".example.com", ".example.net", ".example.org")
"""Suffixes of domains that are reserved for examples and have no records (RFC 2606)."""

WAY_OUT = "check the network and /etc/resolv.conf; `getent hosts NAME` does the same lookup"
"""What to do about a DNS that does not answer."""

ADD = "add this record to the DNS, and wait until it is visible"


def check(context: AppContext, now: datetime) -> list[Finding]:
    """Check the records of the domain that this installation sends from."""
    try:
        context.signers()  # every key must be readable, also if its record is not looked up
        due = context.signers.due(now)
    except Misconfigured as error:
        return [fail("dkim", str(error), "docs/dkim.md explains how to create keys")]
    return check_records(context.settings, due, context.resolver, now=now, client=context.client)


def check_records(
    settings: Settings,
    keys: Sequence[KeyRecord],
    resolver: Resolver,
    *,
    now: datetime,
    client: HttpClient | None = None,
) -> list[Finding]:
    """Return one finding for each record that receivers look up, or one if none is needed. Without
    a `client` the MTA-STS policy is not fetched."""
    if not settings.smtp_url or settings.relay.startswith("outbox:"):
        return [skipped("dns", "no email leaves this machine, so no records are checked")]
    domain = parseaddr(settings.mail_from)[1].rpartition("@")[2].lower()
    envelope = (settings.bounce_address or domain).rpartition("@")[2].lower()
    if f".{domain}".endswith(RESERVED):
        return [skipped("dns", f"not looked up: {domain} is a reserved domain")]
    try:
        resolver.texts(domain)
    except FetchFailed as error:
        # One finding for all records: if one query has no answer, the others have none either.
        lines = [key.line for key in keys if key.state is KeyState.SIGNING]
        must_have = "; it must have these records" if lines else ""
        says = f"{error}. No record of {domain} was checked{must_have}"
        return [warn("dns", says, WAY_OUT, *lines)]
    contact = settings.contact or ""
    reports_to = contact if "@" in contact else parseaddr(settings.mail_from)[1]
    signer = next((key.domain for key in keys if key.state is KeyState.SIGNING), None)
    return [
        _check_spf(envelope, _sending_addresses(settings, resolver), resolver),
        *check_dkim(keys, resolver),
        _check_dmarc(domain, reports_to, resolver, envelope=envelope, signer=signer),
        check_mx(envelope, resolver),
        _mta_sts(envelope, resolver, client, now=now),
        *_check_ptrs(settings, resolver),
    ]


def check_dkim(keys: Sequence[KeyRecord], resolver: Resolver) -> list[Finding]:
    """Return one finding for each key that needs a record."""
    if not any(key.state is KeyState.SIGNING for key in keys):
        says = "email is not signed here: the relay must do it"
        return [skipped("dkim", says, "if it does not, create a key with `paperround dkim create`")]
    return [_check_key(key, resolver) for key in keys]


def _check_key(record: KeyRecord, resolver: Resolver) -> Finding:
    try:
        status = published_status(record, resolver.texts(record.name))
    except FetchFailed as error:
        return skipped("dkim", str(error), "it should have this record", record.line)
    match record.state:
        case KeyState.SIGNING:
            return _check_signing_key(record, status)
        case KeyState.WAITING:
            if status is RecordStatus.GOOD:
                says = f"{record.name} has the next key"
                return warn("dkim", says, "`paperround dkim rotate` switches to it")
            says, way_out = f"the next key is waiting, but {record.name} does not have it", ADD
        case KeyState.KEPT:
            day = f"{record.until:%Y-%m-%d}" if record.until else "later"
            if status in (RecordStatus.GOOD, RecordStatus.TESTING):
                return ok("dkim", f"{record.name} has the last key, and keeps it until {day}")
            says = f"{record.name} must keep the last key until {day}: emails on their way need it"
            way_out = "restore this record"
        case _:
            if status in (RecordStatus.REVOKED, None):
                return ok("dkim", f"{record.name} has no key any more")
            says = f"{record.name} still has a key that no longer signs"
            way_out = "replace it with this record"
    return warn("dkim", says, way_out, record.line)


def _check_signing_key(record: KeyRecord, status: RecordStatus | None) -> Finding:
    match status:
        case RecordStatus.GOOD:
            return ok("dkim", f"email is signed, and {record.name} has the key")
        case RecordStatus.TESTING:
            says = f"{record.name} says t=y: receivers treat the email as unsigned"
            return warn("dkim", says, "publish it without t=y", record.line)
        case None:
            says = f"email is signed, but {record.name} has no key: every signature is invalid"
            return fail("dkim", says, ADD, record.line)
        case _:
            says = f"email is signed, but {record.name} has another key: every signature is invalid"
            return fail("dkim", says, "replace it with this record", record.line)


def _sending_addresses(settings: Settings, resolver: Resolver) -> tuple[str, ...]:
    """Return the addresses of the site if this machine sends mail itself, else nothing."""
    host = urlsplit(settings.public_url).hostname or ""
    if settings.leaves_this_machine or host in LOOPBACK or f".{host}".endswith(RESERVED):
        return ()
    try:
        return resolver.addresses(host)
    except FetchFailed:
        return ()


def _check_spf(domain: str, addresses: Sequence[str], resolver: Resolver) -> Finding:
    """RFC 7208: exactly one valid record, which allows this sender but not everybody."""
    ours = " ".join(_spf_term(one) for one in addresses) or "include:..."
    line = f'{domain}. TXT "v=spf1 {ours} -all"'
    try:
        found = spf.records_of(resolver.texts(domain))
        match found:
            case []:
                says = f"{domain} does not say who may send for it"
                dots = "replace the dots with what your relay's provider tells you"
                return warn("spf", says, ADD if addresses else dots, line)
            case [record]:
                return _check_spf_record(domain, record, addresses, resolver)
            case _:
                records = counted(len(found), "SPF record")
                says = f"{domain} has {records}, so receivers ignore all of them"
                return fail("spf", says, "merge them into one")
    except FetchFailed as error:
        return skipped("spf", str(error), "it should have a record like this", line)


def _check_spf_record(
    domain: str, record: str, addresses: Sequence[str], resolver: Resolver
) -> Finding:
    try:
        evaluation = spf.read(record, domain, addresses, resolver)
    except spf.Broken as error:
        says = f"{domain} says {record}: {error}"
        return fail(
            "spf",
            says,
            "keep only the servers that send for you, and use addresses instead of names",
        )
    if evaluation.allows_all:
        says = f"{domain} allows everybody to send for it: {record}"
        return warn("spf", says, "end it with -all")
    if evaluation.passes is False and not evaluation.unsure:
        says = f"{domain} does not allow {', '.join(addresses)} to send, where email is sent from"
        version, *rest = record.split()
        line = f'{domain}. TXT "{" ".join([version, *map(_spf_term, addresses), *rest])}"'
        return fail("spf", says, "replace the old record with this one", line)
    if not addresses and len(record.split()) < 3 and "redirect=" not in record:
        return fail(
            "spf",
            f"{domain} allows nobody to send for it: {record}",
            "add the servers that send for you",
        )
    asked = f"{evaluation.lookups} of {spf.MOST_LOOKUPS} look-ups"
    return ok("spf", f"{domain} says {record} ({asked})")


def _spf_term(address: str) -> str:
    return f"ip6:{address}" if ":" in address else f"ip4:{address}"


def _check_dmarc(
    domain: str, reports_to: str, resolver: Resolver, *, envelope: str, signer: str | None
) -> Finding:
    """RFC 9989: one record, at the domain or at a parent domain."""
    line = f'_dmarc.{domain}. TXT "v=DMARC1; p=none; rua=mailto:{reports_to}"'
    try:
        place, found = _find_policy(domain, resolver)
    except FetchFailed as error:
        return skipped("dmarc", str(error), "it should have a record like this", line)
    match found:
        case []:
            says = f"{domain} has no DMARC policy, which receivers require"
            return warn("dmarc", says, ADD, line)
        case [record]:
            return check_policy(place, record, sender=domain, envelope=envelope, signer=signer)
        case _:
            policies = counted(len(found), "policy", "policies")
            says = f"{place} has {policies}, so receivers ignore all of them"
            return fail("dmarc", says, "leave one")


def _find_policy(domain: str, resolver: Resolver) -> tuple[str, list[str]]:
    """Return the name and the records of the nearest policy for `domain`."""
    labels = domain.split(".")
    for start in range(max(1, len(labels) - 1)):
        place = f"_dmarc.{'.'.join(labels[start:])}"
        if found := _of_version("v=DMARC1", resolver.texts(place)):
            return place, found
    return f"_dmarc.{domain}", []


def _mta_sts(
    domain: str, resolver: Resolver, client: HttpClient | None, *, now: datetime
) -> Finding:
    try:
        found = _of_version("v=STSv1", resolver.texts(f"_mta-sts.{domain}"))
    except FetchFailed as error:
        return skipped("mta-sts", str(error))
    return check_mta_sts(domain, found, resolver, client, now=now)


def _check_ptrs(settings: Settings, resolver: Resolver) -> list[Finding]:
    """If this machine sends mail itself, check that each address of the site has a PTR record."""
    if settings.leaves_this_machine:
        return []
    host = urlsplit(settings.public_url).hostname or ""
    if host in LOOPBACK or f".{host}".endswith(RESERVED):
        says = "not looked up: the address of the site does not show where email is sent from"
        return [skipped("ptr", says, "the name of that address must resolve to it again")]
    try:
        return [_check_ptr(one, host, resolver) for one in resolver.addresses(host)]
    except FetchFailed as error:
        return [skipped("ptr", str(error))]


def _check_ptr(address: str, host: str, resolver: Resolver) -> Finding:
    line = f"{ip_address(address).reverse_pointer}. PTR {host}."
    way_out = "if email is sent from it, set this at the provider of the machine"
    names = resolver.hosts(address)
    if not names:
        return warn("ptr", f"{address} has no name", way_out, line)
    if not any(address in resolver.addresses(name) for name in names):
        says = f"{address} is called {names[0]}, which does not resolve to it"
        return warn("ptr", says, way_out, line)
    return ok("ptr", f"{address} is called {names[0]}, which resolves to it")


def _of_version(version: str, texts: Sequence[str]) -> list[str]:
    """Return the records that begin with `version` as a whole word."""
    firsts = [(text.replace(";", " ").strip().partition(" ")[0], text) for text in texts]
    return [text for first, text in firsts if first.lower() == version.lower()]


_MODES = ("enforce", "testing", "none")


def check_mx(domain: str, resolver: Resolver) -> Finding:
    """Check that replies and bounces can reach the domain."""
    try:
        names = resolver.exchangers(domain)
        there = names or resolver.addresses(domain)
    except FetchFailed as error:
        return skipped("mx", str(error))
    if names:
        return ok("mx", f"mail for {domain} goes to {', '.join(names)}")
    if there:
        return ok("mx", f"{domain} has no mail host, so email to it goes to its own address")
    says = f"no email can reach {domain}: bounces and replies are lost, and receivers distrust it"
    return warn("mx", says, f"{domain}. MX 10 and the name of a host that receives its email")


def check_mta_sts(
    domain: str,
    texts: Sequence[str],
    resolver: Resolver,
    client: HttpClient | None,
    *,
    now: datetime,
) -> Finding:
    """Check the records at `_mta-sts`, and the policy they announce. Both are optional."""
    line = f'_mta-sts.{domain}. TXT "v=STSv1; id={now:%Y%m%d}"'
    place = f"https://mta-sts.{domain}/.well-known/mta-sts.txt"
    if not texts:
        says = f"{domain} does not require TLS for incoming email, which is optional"
        return skipped("mta-sts", says, f"with this record, it needs a policy at {place}", line)
    if client is None:
        return ok("mta-sts", f"{domain} asks for TLS on incoming email")
    try:
        page = client.get(FetchRequest(url=place))
    except FetchFailed as error:
        return warn("mta-sts", f"the record exists, but there is no policy at {place}: {error}")
    found: dict[str, list[str]] = {}
    for each in page.body.decode("utf-8", "replace").splitlines():
        name, colon, value = each.partition(":")
        if colon:
            found.setdefault(name.strip().lower(), []).append(value.strip().lower())
    moved = f"redirects to {page.url}, which senders do not follow" if page.url != place else ""
    wrong = moved or _policy_error(found, domain, resolver)
    if wrong:
        return warn("mta-sts", f"the policy at {place} {wrong}", "senders ignore it")
    return ok("mta-sts", f"{domain} asks for TLS on incoming email ({found['mode'][0]})")


def _policy_error(policy: Mapping[str, list[str]], domain: str, resolver: Resolver) -> str:
    if policy.get("version") != ["stsv1"]:
        return "does not begin with version: STSv1"
    if policy.get("mode", [""])[0] not in _MODES:
        return f"has no mode of {', '.join(_MODES)}"
    if not policy.get("max_age", [""])[0].isdigit():
        return "does not say for how many seconds it is valid (max_age)"
    patterns = policy.get("mx", [])
    unlisted = [
        name
        for name in resolver.exchangers(domain)
        if not any(fnmatch(name.lower(), pattern) for pattern in patterns)
    ]
    named = ", ".join(unlisted)
    return f"does not include {named}, which receives email for {domain}" if unlisted else ""


POLICIES = ("none", "quarantine", "reject")
OBSOLETE_TAGS = ("pct", "rf", "ri")
"""Tags of the older RFC 7489 that receivers now ignore."""


def check_policy(
    place: str, record: str, *, sender: str, envelope: str, signer: str | None
) -> Finding:
    """Check the policy at `place` for messages from the domain `sender`, with a return path at
    `envelope` and signed by the domain `signer` (None: not signed here)."""
    pairs = [part.partition("=") for part in record.split(";")]
    tags = {name.strip().lower(): value.strip() for name, equals, value in pairs if equals}
    says = f"{place} says {record}"
    named = tags.get("p", "").lower()
    if named not in POLICIES and not ("p" not in tags and "rua" in tags):
        wrong = f"its p={named or '(nothing)'} is none of {', '.join(POLICIES)}"
        return fail("dmarc", f"{says}, and {wrong}", "begin it with v=DMARC1; p=none")
    by_key = signer is not None and _aligned(tags.get("adkim"), sender, signer)
    by_envelope = _aligned(tags.get("aspf"), sender, envelope)
    if not (by_key or by_envelope):  # one is enough
        neither = f"neither the signature ({signer or 'none'}) nor the envelope ({envelope}) fits"
        way_out = "remove that tag, or sign with the same domain"
        return fail("dmarc", f"{says}, and {neither} {sender}", way_out)
    if old := [name for name in OBSOLETE_TAGS if name in tags]:
        return ok(
            "dmarc", f"{says} ({', '.join(old)} from an older standard, which receivers ignore)"
        )
    return ok("dmarc", says)


def _aligned(mode: str | None, sender: str, other: str) -> bool:
    return sender == other if (mode or "r").lower() == "s" else is_aligned(sender, other)
