"""The words mail servers use when a mail comes back."""

import re


def _any(*phrases: str) -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{phrase})" for phrase in phrases), re.IGNORECASE)


_PERSON = r"(?:user|recipient|mailbox|account|address(?:ee)?|alias|name|e-?mail)"

NO_SUCH_USER = _any(
    rf"unknown {_PERSON}",
    r"unknown (?:or illegal alias|local[- ]?part)",
    rf"{_PERSON} (?:is )?unknown",
    rf"no (?:such )?(?:a |local |domino )?{_PERSON}s? (?:here|by that|with that|exists?|found)",
    rf"no such (?:a |local |domino )?{_PERSON}",
    rf"{_PERSON}\b.{{0,60}}? (?:not|n't|never)(?: be)? (?:found|exist\w*|known|listed|recognized)",
    r"(?:doesn't|does not) (?:exist|have an? .{0,60}account)",
    rf"not a (?:valid|known) {_PERSON}",
    r"not our customer",
    rf"(?:invalid|illegal|bad) (?:final )?(?:destination )?{_PERSON}",
    r"recip(?:ient)?notfound",
    rf"{_PERSON} (?:is )?no longer",
    r"address rejected\s*(?:$|\S+@)",
    r"recipient address rejected[.:]?\s*(?:$|user unknown|unknown|no such|access denied)",
    r"unrouteable address",
    r"mailbox unavailable",
    r"inactive e-?mail address",
    r"adresse d'?\s?\w* ?(?:inconnue|invalide)|destinataire (?:inconnu|invalide)",
    r"unbekannt|empfänger nicht gefunden",
    r"desconocid[oa]|usuario inexistente",
    r"見つかりません|存在しません",
)
"""The address has no mailbox."""

NO_SUCH_HOST = _any(
    r"(?:host|domain)(?: or domain)?(?: name)? (?:\S+ )?(?:is )?"
    r"(?:unknown|not (?:found|known|exist)|does(?:n't| not) exist)",
    r"unknown (?:host|domain)",
    r"no such (?:host|domain)",
    r"could(?:n't| not) find (?:any host|a mail exchanger)",
    r"domain is not reachable",
    r"(?:address|domain)\W+couldn't be found",
    r"does(?:n't| not) accept (?:any )?mail",
    r"no (?:smtp|mail) service",
    r"null ?mx",
)
"""Its domain is no more, or takes no mail."""

FULL = _any(
    r"quota",
    r"(?:mailbox|inbox|maildir|account|storage|disk)\b.{0,30}\bfull",
    r"insufficient (?:disk|system|storage)",
    r"not enough (?:disk|storage)",
    r"out of (?:disk|storage)",
    r"too much mail",
    r"exceed\w* (?:its |the )?(?:storage|size)",
)
"""There is a mailbox, and no room in it."""

ABOUT_US = _any(
    r"\bspam",
    r"\bblock(?:ed|list\w*)\b",
    r"black ?list",
    r"dnsbl|\brbl\b",
    r"\bspf\b|\bdkim\b|\bdmarc\b|domainkeys",
    r"reverse (?:dns|mapping)|\bptr\b|mismatches client",
    r"polic(?:y|ies)",
    r"rela(?:y|ying) (?:access )?(?:denied|not)|not (?:permitted|allowed) to relay",
    r"virus|malware|content (?:is )?(?:rejected|denied)",
    r"reputation|banned|denied by",
    r"authenticat",
    r"(?:domain of )?sender (?:address|domain|verif|is|id)|mail from",
    r"client host|\bip\b.{0,20}(?:limit|deni|reject)",
    r"security reason",
    r"too many",
    r"message (?:is )?(?:size|too)",
    r"header",
    r"not allowed to send|permission",
    r"rate limit|frequency",
)
"""It is about the sender, the message or the way, not about the address."""

LATER = _any(
    r"tim(?:ed|e)[ -]?out",
    r"temporar",
    r"try (?:again|later)|later",
    r"gr[ae]y-?list",
    r"connection (?:refused|lost|reset)|lost connection",
    r"loop|too many hops",
)
"""It may go better another time."""

RESTING = _any(r"suspend", r"disabled", r"inactive", r"deactivated", r"locked", r"on hold")
"""The account is closed for now."""
