"""TLS for the mail that comes back: MTA-STS (RFC 8461)."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from fnmatch import fnmatch

from paperround.doctor.findings import Finding, ok, skipped, warn
from paperround.domain.errors import FetchFailed
from paperround.domain.feeds import FetchRequest
from paperround.domain.ports import HttpClient
from paperround.jobs.ports import Resolver

_MODES = ("enforce", "testing", "none")


def exchangers(domain: str, resolver: Resolver) -> Finding:
    """Whether answers and bounces can reach the domain at all."""
    try:
        names = resolver.exchangers(domain)
        there = names or resolver.addresses(domain)
    except FetchFailed as error:
        return skipped("mx", str(error))
    if names:
        return ok("mx", f"mail for {domain} goes to {', '.join(names)}")
    if there:
        return ok("mx", f"{domain} names no mail host, so mail for it goes to its own address")
    says = f"no mail can reach {domain}: bounces and answers are lost, and receivers mistrust that"
    return warn("mx", says, f"{domain}. MX 10 and the name of a host that takes its mail")


def mta_sts(
    domain: str,
    texts: Sequence[str],
    resolver: Resolver,
    client: HttpClient | None,
    *,
    now: datetime,
) -> Finding:
    """What the record at `_mta-sts` and the policy it stands for are worth. It need not be."""
    line = f'_mta-sts.{domain}. TXT "v=STSv1; id={now:%Y%m%d}"'
    place = f"https://mta-sts.{domain}/.well-known/mta-sts.txt"
    if not texts:
        says = f"{domain} does not ask for TLS with the mail it gets, which it need not"
        return skipped("mta-sts", says, f"beside this line it needs a policy at {place}", (line,))
    if client is None:
        return ok("mta-sts", f"{domain} asks for TLS with the mail it gets")
    try:
        page = client.get(FetchRequest(url=place))
    except FetchFailed as error:
        return warn("mta-sts", f"the record stands, and there is no policy at {place}: {error}")
    policy = _policy(page.body.decode("utf-8", "replace"))
    moved = f"is at {page.url}, and senders go nowhere else" if page.url != place else ""
    wrong = moved or _wrong(policy, domain, resolver)
    if wrong:
        return warn("mta-sts", f"the policy at {place} {wrong}", "senders take it for none")
    return ok("mta-sts", f"{domain} asks for TLS with the mail it gets ({policy['mode'][0]})")


def _policy(text: str) -> Mapping[str, list[str]]:
    found: dict[str, list[str]] = {}
    for line in text.splitlines():
        name, colon, value = line.partition(":")
        if colon:
            found.setdefault(name.strip().lower(), []).append(value.strip().lower())
    return found


def _wrong(policy: Mapping[str, list[str]], domain: str, resolver: Resolver) -> str:
    if policy.get("version") != ["stsv1"]:
        return "does not begin with version: STSv1"
    if policy.get("mode", [""])[0] not in _MODES:
        return f"has no mode of {', '.join(_MODES)}"
    if not policy.get("max_age", [""])[0].isdigit():
        return "does not say for how many seconds it holds (max_age)"
    patterns = policy.get("mx", [])
    strangers = [
        name
        for name in resolver.exchangers(domain)
        if not any(fnmatch(name.lower(), pattern) for pattern in patterns)
    ]
    return (
        f"does not name {', '.join(strangers)}, which takes mail for {domain}" if strangers else ""
    )
