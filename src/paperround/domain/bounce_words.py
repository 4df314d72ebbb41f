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
    r"@[^\s@]{1,200} (?:doesn't|does not) exist",
    r"(?:doesn't|does not) have an? .{0,60}account",
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
    r"\badresse (?:du destinataire )?(?:inconnue|invalide)|destinataire (?:inconnu|invalide)",
    r"\b(?:empf(?:ä|ae)nger\w*|adresse|benutzer|teilnehmer|postfach) (?:ist )?unbekannt",
    r"unbekannter? (?:empf(?:ä|ae)nger|adresse|benutzer)|empf(?:ä|ae)nger nicht gefunden",
    r"(?:usuario|destinatario|direcci[oó]n|cuenta) desconocid[oa]|usuario inexistente",
    r"(?:宛先|受信者|ユーザ|アドレス|アカウント)[^。]{0,80}(?:見つかりません|存在しません)",
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
    r"exceed(?:s|ed|ing)? (?:its |the )?(?:storage|size)",
    r"\b(?:voll|pleine?|llen[oa]|pien[ao]|chei[ao])\b",
    r"容量|一杯|いっぱい|満杯",
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
    r"not allowed to send|permission|authori[sz]ed|preference",
    r"not accept\w* (?:any )?(?:e?mail|messages?) from",
    r"\bjunk\b|\bbulk\b|\byour ip\b",
    r"rate limit|frequency",
)
"""It is about the sender, the message or the way, not about the address."""

OUR_ADDRESS = _any(
    r"sender (?:address )?(?:rejected|denied|refused|unknown|invalid|verif)",
    r"(?:unknown|invalid|bad|unauthori[sz]ed) sender",
    r"(?:return|reverse)[- ]?(?:path|address)|envelope[- ]from",
    r"call ?(?:back|out)\b|\b(?:helo|ehlo)\b",
    r"too many (?:\w+ )?(?:recipients|connections|users)",
)
"""It is about the address or the machine that sent the mail: whatever is unknown is not the
reader. Servers that ask back for our address quote the answer, code and all."""

LATER = _any(
    r"tim(?:ed|e)[ -]?out",
    r"temporar",
    r"try (?:again|later)|later",
    r"gr[ae]y-?list",
    r"connection (?:refused|lost|reset)|lost connection",
    r"loop|too many hops",
    r"service (?:is )?unavailable|no answer|servfail|\bbusy\b|\bdelay|not yet",
)
"""It may go better another time."""

NO_ANSWER = _any(
    r"not found,? try again", r"\bdelay", r"not yet", r"temporar", r"servfail", r"timed out"
)
"""The domain was asked for, and nobody said that it is no more."""

RESTING = _any(
    r"suspend",
    r"disabled",
    r"inactive",
    r"deactivated",
    r"locked",
    r"on hold",
    r"maintenance",
    r"gesperrt|deaktiviert|désactivé",
)
"""The account is closed for now."""
