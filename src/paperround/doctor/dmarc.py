"""DMARC: whether a policy can be read, and whether our mails are aligned with it (RFC 9989)."""

from collections.abc import Mapping

from paperround.doctor.findings import Finding, fail, ok

POLICIES = ("none", "quarantine", "reject")
GONE = ("pct", "rf", "ri")
"""Tags of the older RFC 7489 that receivers pass over now."""


def tags_of(record: str) -> dict[str, str]:
    """`v=DMARC1; p=none` as a mapping, names in lower case."""
    pairs = [part.partition("=") for part in record.split(";")]
    return {name.strip().lower(): value.strip() for name, equals, value in pairs if equals}


def policy(place: str, record: str, *, sender: str, envelope: str, signer: str | None) -> Finding:
    """What the policy at `place` means for mails from the domain `sender`, returned to `envelope`
    and signed by `signer` (None: by nobody here)."""
    tags = tags_of(record)
    says = f"{place} says {record}"
    wrong = _wrong(tags)
    if wrong:
        return fail("dmarc", f"{says}, and {wrong}", "begin it with v=DMARC1; p=none")
    strict = _too_strict(tags, sender, envelope, signer)
    if strict:
        return fail("dmarc", f"{says}, and {strict}", "take that tag away, or sign with one domain")
    old = [name for name in GONE if name in tags]
    if old:
        return ok("dmarc", f"{says} ({', '.join(old)} of older rules: receivers pass over that)")
    return ok("dmarc", says)


def _wrong(tags: Mapping[str, str]) -> str:
    named = tags.get("p", "").lower()
    if named not in POLICIES and not ("p" not in tags and "rua" in tags):
        return f"its p={named or '(nothing)'} is none of {', '.join(POLICIES)}"
    return ""


def _too_strict(tags: Mapping[str, str], sender: str, envelope: str, signer: str | None) -> str:
    """Why a mail of ours would not be aligned, by DKIM or by SPF; one of them is enough."""
    by_key = signer is not None and _aligned(tags.get("adkim"), sender, signer)
    by_envelope = _aligned(tags.get("aspf"), sender, envelope)
    if by_key or by_envelope:
        return ""
    return f"neither the signature ({signer or 'none'}) nor the envelope ({envelope}) fits {sender}"


def _aligned(mode: str | None, sender: str, other: str) -> bool:
    return sender == other if (mode or "r").lower() == "s" else related(sender, other)


def related(one: str, other: str) -> bool:
    """Whether two domains are the same, or one is above the other: relaxed alignment, as far as it
    can be told without a list of public suffixes."""
    return one == other or one.endswith(f".{other}") or other.endswith(f".{one}")
