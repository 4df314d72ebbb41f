"""The fields of a delivery report (RFC 3464), wherever they are in a message.

Most reports hold them in a part of their own. Some servers and gateways write the same fields into
the text, set in or quoted, or send the part encoded or under another type.
"""

import re
from base64 import b64decode
from collections.abc import Iterator, Sequence
from email.message import Message

from paperround.mail.returned_text import LONGEST_FIELD, field, prose_of

LONGEST_WRITTEN = 64 * 1024
"""Characters of a part that are searched for fields."""

STATUS_PARTS = frozenset({"message/delivery-status", "message/global-delivery-status"})
_MAY_HOLD = STATUS_PARTS | {"text/plain", "text/html", "application/octet-stream"}
_WRITTEN = re.compile(
    r"[ \t>|]*((?:Final|Original|X-Actual)-Recipient|Action|Status|Diagnostic-Code|Remote-MTA"
    r"|Reporting-MTA)[ \t]*:[ \t]*(.*)",
    re.I,
)
_NAMED = re.compile(r"[ \t>|]*[A-Za-z][\w-]*[ \t]*:(?:[ \t]|$)")
_AROUND = " \t>|"


def recipients_in(parts: Sequence[Message]) -> list[Message]:
    """The fields of each recipient: those of proper parts, else those in other texts."""
    proper = [part for part in parts if part["Final-Recipient"] or part["Original-Recipient"]]
    return proper or [
        block
        for part in parts
        if part.get_content_type() in _MAY_HOLD
        for block in _blocks(_text_of(part)[:LONGEST_WRITTEN])
    ]


def _blocks(text: str) -> Iterator[Message]:
    """The fields of one recipient after the other: they end at an empty line, or where a field
    comes again."""
    block = Message()
    for line in [*text.splitlines(), ""]:
        bare = line.strip(_AROUND)
        match = _WRITTEN.match(line)
        if block and (not bare or (match and match[1] in block)):
            if _is_of_a_recipient(block):
                yield block
            block = Message()
        if match:
            block[match[1]] = match[2]
        elif block and bare and not _NAMED.match(line):
            name, value = block.items()[-1]
            block.replace_header(name, f"{value} {bare}"[:LONGEST_FIELD])


def _is_of_a_recipient(block: Message) -> bool:
    judged = field(block, "Action") or field(block, "Diagnostic-Code")
    named = any(field(block, f"{one}-Recipient") for one in ("Final", "Original", "X-Actual"))
    return bool(judged) and (named or "Status" in block)


def _text_of(part: Message) -> str:
    content = part.get_payload()
    if not isinstance(content, list):
        return prose_of(part)
    written = "\n\n".join(str(one.get_payload()) for one in content if isinstance(one, Message))
    if field(part, "Content-Transfer-Encoding").lower() != "base64":
        return written
    try:
        return b64decode("".join(written.split())).decode("utf-8", "replace")
    except ValueError:  # not base64, or cut short
        return ""
