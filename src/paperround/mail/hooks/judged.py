"""From what a provider says to evidence, and to what may be kept of its words."""

import re

from paperround.domain.bounces import Evidence, Statement, at_most, evidence_of
from paperround.domain.text import clean

LONGEST_SAID = 300
"""Characters of a far end's words that are kept."""

_TYPED = re.compile(r"\s*(?:smtp|x-[\w-]+|dns)\s*;\s*", re.I)
"""What a report writes before a server's words (RFC 3464, 2.3.6)."""
_ADDRESS = re.compile(r"<?[^\s<>@:;,\"]+@[^\s<>@:;,\"]+>?")
_CODE = re.compile(r"(?<![\d.])[245]\.\d{1,3}\.\d{1,3}(?![\d.]*\d)")
_TAGGED = re.compile(r"\+([a-z2-7]{32})@", re.I)
_REPLY = re.compile(r"(?<!\d)[45]\d\d(?!\d)")


def judged(words: str, *, status: str = "", silent: Evidence, most: Evidence) -> Evidence:
    """What a failure proves: what the far end's words do, or `silent` where there are none; never
    more than `most`."""
    said = bare(words)
    found = evidence_of(Statement(said=said, status=status)) if said else silent
    return at_most(found, most)


def bare(words: str) -> str:
    """A server's words without the name of their kind."""
    return _TYPED.sub("", words, count=1) if _TYPED.match(words) else words.strip()


def kept(words: str) -> str:
    """The words as they may be kept: short, and without anybody's address."""
    return clean(_ADDRESS.sub("(address)", bare(words)[: 4 * LONGEST_SAID]), limit=LONGEST_SAID)


def code_of(status: str, words: str) -> str:
    """The code of RFC 3463 that was stated or stands in the words, else the reply of RFC 5321."""
    for pattern, text in ((_CODE, status), (_CODE, words), (_REPLY, words)):
        if found := pattern.search(text[:LONGEST_SAID]):
            return found[0]
    return ""


def message_id(written: str) -> str:
    """A Message-ID as our mails write it, in angle brackets; empty for what can be none."""
    inside = written.strip().removeprefix("<").removesuffix(">")
    return f"<{inside}>" if "@" in inside and len(inside) < 250 and " " not in inside else ""


def tag_of(sender: str) -> str:
    """What stands behind the plus sign of an envelope sender, where it looks like our signature: a
    tag that is none of ours would make the event be about no mail at all."""
    found = _TAGGED.search(sender)
    return found[1].lower() if found else ""
