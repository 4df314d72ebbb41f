"""Parse bounce messages: delivery reports, plain-text bounces, complaints, auto-replies.

    bytes ─► parts ─► fields of each recipient ───────┐
                 └──► text before the copy of ours ───┴─► statements ─► evidence

A report with fields for its recipients (RFC 3464) is read by those, anything else by its text, a
paragraph at a time. The copy of our own message, which most bounces contain, is never read as text:
a paper on spam must not suppress a reader. What is not understood is quarantined, never dropped.
"""

import re
from base64 import b64decode
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from email import message_from_bytes
from email.header import decode_header, make_header
from email.message import Message
from html import unescape

from paperround.bounces.classify import BounceReply, evidence_of, is_full, states_reason
from paperround.bounces.model import ReportKind
from paperround.delivery.model import Evidence, strongest

LONGEST = 512 * 1024
"""Bytes of a message that are read; the rest belongs to the copy of ours."""
LONGEST_PROSE = 64 * 1024
"""Characters of its text that are read. Anybody can send a message of any length."""
MOST_RECIPIENTS = 20
"""Recipients of a report that are read. Our messages have one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BounceReport:
    """A parsed bounce message: its kind, and the strongest evidence about a recipient."""

    kind: ReportKind
    evidence: Evidence = Evidence.NONE
    statements: tuple[BounceReply, ...] = ()


_STATUS = re.compile(r"[245]\.\d{1,3}\.\d{1,3}")
_ARRIVED = frozenset({"delivered", "relayed", "expanded"})
_DIAGNOSTIC_TYPE = re.compile(r"\s*([\w-]+)\s*;\s*")
_SERVERS = frozenset({"", "smtp", "lmtp"})
_AFTER_DATA = re.compile(r"(?:in reply to|after) (?:the )?(?:end of )?data|end of data", re.I)
_SES_INBOUND = re.compile(r"inbound-smtp\.[\w-]+\.amazonaws\.com", re.I)
"""Its replies come from rules run after the message was accepted: no mailbox was looked up."""
_SHORT = 400
_PARAGRAPH = re.compile(
    r"\n\s*\n|\n(?=[ \t]*(?:[\"<]?[^\s@<>\":]+@[\w.-]+[\">]?:"
    r"|[45]\d\d (?:[\d.]+ )?[^\s@]+@[^\s@]+\.\.\. ))"
)
"""An empty line, or a line that begins with the next recipient, possibly after a reply code."""
_FAILURE_TEXT = re.compile(
    r"\b[45]\d\d[ -]|\b[45]\.\d{1,3}\.\d{1,3}\b|unknown|not (?:found|exist|recogni)|no such|invalid"
    r"|does(?:n't| not)|failed|undeliver|could(?:n't| not)|rejected|error|quota|full|problem",
    re.I,
)
_ADDRESS = re.compile(r"[^\s<>,;:()\[\]\"'@][^\s<>,;:()\[\]\"@]{0,63}@[\w-]+(?:\.[\w-]+)*")
_MACHINE = re.compile(
    r"mailer[-_ ]?daemon|post[-_]?master|mail delivery|daemon@|mdaemon|delivery (?:sub)?system",
    re.I,
)
_DAEMON = re.compile(r"mailer[-_ ]?daemon|mail delivery (?:sub)?system", re.I)
"""Senders of reports only: no copy of our message is from them."""
_FAILURE = re.compile(
    r"undeliver|delivery|returned mail|failure|failed|could not be|not delivered|bounce|problem"
    r"|unzustellbar|nicht zustellbar|zustellung|non (?:remis|distribu)|échec|impossible de remettre"
    r"|devuelto|no (?:se )?(?:pud|pued|entreg)|não (?:foi )?entreg|falha|non recapit|mancat[ao]"
    r"|onbestelbaar|niet bezorgd|niedostarcz|zwrot|недоставл|не доставл|возвра"
    r"|配[信送](?:不能|エラー|でき)|送信(?:エラー|でき)|退信|无法[送投]|無法[送投]|[未没]送达"
    r"|반송|전송 ?실패",
    re.I,
)
_OUT_OF_OFFICE = re.compile(
    r"out of (?:the )?office|vacation|on (?:holiday|leave)\b|auto(?:matic)?[- ]?(?:repl|respon)"
    r"|abwesen|nicht im b(?:ü|ue)ro|urlaub|automatische antwort|absen[ct]|r[ée]ponse automatique"
    r"|respuesta autom|fuera de (?:la )?oficina|ausen[ct]|risposta autom|assen[tz]|resposta autom"
    r"|aus[êe]ncia|afwezig|automatisch antwoord|自動(?:応答|返信)|不在|自动回复|自動回覆",
    re.I,
)
_FEEDBACK_TYPE = re.compile(r"^feedback-type:\s*([\w-]+)", re.M)
_MICROSOFT_FIELD = "X-HmXmrOriginalRecipient"
"""Microsoft's feedback loop sends the message itself with this field in it, and no report."""
_COMPLAINTS = frozenset({"abuse", "fraud", "opt-out", "opt-out-list"})


def read_returned(raw: bytes) -> BounceReport:
    """Parse a bounce message. Never raises: anything that is not a report is quarantined."""
    plain = normalized(raw[:LONGEST])
    try:
        return _read(message_from_bytes(plain), plain)
    except RecursionError:  # parts nested hundreds deep
        return BounceReport(kind=ReportKind.QUARANTINED)


def _read(mail: Message, plain: bytes) -> BounceReport:
    parts = list(_report_parts(mail))
    feedback = [part for part in parts if part.get_content_type() == "message/feedback-report"]
    if feedback:
        # A report of a feedback loop (RFC 5965): most of its types are not complaints.
        report = feedback[0]
        types = [field(part, "Feedback-Type").lower() for part in (report, *_subparts(report))]
        written = _FEEDBACK_TYPE.findall(paragraphs_of(report).lower())
        if _COMPLAINTS.isdisjoint([*types, *written]):
            return BounceReport(kind=ReportKind.REPORT)
        return BounceReport(kind=ReportKind.COMPLAINT, evidence=Evidence.COMPLAINT)
    if any(_MICROSOFT_FIELD in part for part in parts):
        return BounceReport(kind=ReportKind.COMPLAINT, evidence=Evidence.COMPLAINT)
    # A notification that a message was read, or deleted unread (RFC 8098).
    receipt = "message/disposition-notification"
    if any(part.get_content_type() == receipt for part in parts) or _is_auto_reply(mail):
        return BounceReport(kind=ReportKind.AUTO_REPLY, evidence=Evidence.AUTO_REPLY)
    recipients = recipients_in(parts)
    may_be_a_bounce = (
        recipients
        or field(mail, "Return-Path") == "<>"
        or _is_from_machine(mail)
        or _FAILURE.search(field(mail, "Subject"))
    )
    statements = tuple(_statements(mail, parts, recipients, plain)) if may_be_a_bounce else ()
    if not statements:
        return BounceReport(kind=ReportKind.QUARANTINED)
    # Our messages have one recipient, so a report with several is from a forwarding reader, who
    # gets the message where it arrived.
    evidence = Evidence.NONE
    if not any(one.action in _ARRIVED for one in statements):
        evidence = strongest([evidence_of(one) for one in statements])
    return BounceReport(kind=ReportKind.BOUNCE, evidence=evidence, statements=statements)


def _report_parts(mail: Message) -> Iterator[Message]:
    """Yield the parts about the delivery, including a report inside another one, without the parts
    of the copy of our message."""
    yield mail
    wrapped = mail.get_content_type() == "message/rfc822"
    for part in _subparts(mail):
        told = part.get_content_type() == "multipart/report" or _MICROSOFT_FIELD in part
        told = told or _DAEMON.search(field(part, "From")) is not None
        if not wrapped or told:
            yield from _report_parts(part)


def _subparts(mail: Message) -> Sequence[Message]:
    content = mail.get_payload()
    found = content if isinstance(content, list) else []
    return [part for part in found if isinstance(part, Message)]


# --- statements -----------------------------------------------------------------------------------


def _statements(
    mail: Message, parts: Sequence[Message], recipients: Sequence[Message], raw: bytes
) -> Iterator[BounceReply]:
    prose = [
        text_before_copy(paragraphs_of(part)[:LONGEST_PROSE])
        for part in parts
        if part.get_content_type() in ("text/plain", "text/html") and not part.is_multipart()
    ]
    words = "\n\n".join(one for one in prose if one.strip())[:LONGEST_PROSE]
    by_rule = any(_SES_INBOUND.search(field(block, "Reporting-MTA")) for block in parts)
    by_machine = _is_from_machine(mail)
    beside = [one for one in _paragraphs(words) if states_reason(one)] if recipients else []
    for block in recipients[:MOST_RECIPIENTS]:
        told = _statement_of_fields(block, words, beside, by_rule=by_rule)
        yield told if by_machine or block in parts else replace(told, by_smtp=False)
    if not recipients:
        body = raw.partition(b"\n\n")[2].decode("utf-8", "replace")  # the parts cannot be parsed
        text = words or text_before_copy(body[:LONGEST_PROSE])
        # One statement per paragraph about a failure. A person may only be quoting one, so the
        # statement counts less unless the sender is a machine.
        for paragraph in _paragraphs(text):
            late = _AFTER_DATA.search(paragraph) is not None
            statement = BounceReply(
                said=paragraph,
                recipient=_only_address(paragraph),
                after_data=late,
                by_smtp=by_machine,
            )
            if _FAILURE_TEXT.search(paragraph) or evidence_of(statement).is_hard:
                yield statement


def _statement_of_fields(
    block: Message, words: str, beside: Sequence[str], *, by_rule: bool
) -> BounceReply:
    """Return a recipient's statement from its fields; if those give no reason, from the text
    `beside` them that does. A short text about a full mailbox takes precedence over the fields."""
    kind, said = "", field(block, "Diagnostic-Code")
    if match := _DIAGNOSTIC_TYPE.match(said):
        kind, said = match[1].lower(), said[match.end() :]
    status = _STATUS.search(field(block, "Status"))
    if len(words) < _SHORT and is_full(words):
        said = words
    elif not states_reason(said):
        comment = field(block, "Status").partition(" ")[2]
        found = [comment] if states_reason(comment) else beside
        said = " ".join(found) or said or comment or words
    return BounceReply(
        said=said,
        status=status[0] if status else "",
        action=field(block, "Action").lower().partition(" ")[0],
        recipient=_only_address(field(block, "Original-Recipient"))
        or _only_address(field(block, "Final-Recipient")),
        by_smtp=kind in _SERVERS,
        after_data=by_rule or _AFTER_DATA.search(words) is not None,
    )


def _paragraphs(words: str) -> Iterator[str]:
    return filter(None, map(str.strip, _PARAGRAPH.split(words)))


def _only_address(text: str) -> str:
    """Return the only address in a text; empty if there are several.

    Original-Recipient is the address we sent to, wherever it was forwarded (RFC 3464 section
    2.3.1).
    """
    found = {one.casefold() for one in _ADDRESS.findall(text)}
    return found.pop() if len(found) == 1 else ""


# --- the kind of message --------------------------------------------------------------------------


def _is_auto_reply(mail: Message) -> bool:
    """Return whether it is an automatic reply (RFC 3834). Some machines mark bounces the same
    way."""
    if mail.get_content_type() == "multipart/report" or _has_machine_sender(mail):
        return False
    marked = field(mail, "Auto-Submitted").lower().startswith("auto-replied")
    older = field(mail, "Precedence").lower() == "auto_reply" or "X-Autoreply" in mail
    return marked or older or _OUT_OF_OFFICE.search(field(mail, "Subject")) is not None


def _is_from_machine(mail: Message) -> bool:
    """Return whether the message itself indicates a machine. A null return path proves little:
    out-of-office replies should have one, too (RFC 3834 section 3.3)."""
    if mail.get_content_type() == "multipart/report" or "X-Failed-Recipients" in mail:
        return True
    return _has_machine_sender(mail)


def _has_machine_sender(mail: Message) -> bool:
    return _MACHINE.search(f"{field(mail, 'From')} {field(mail, 'Sender')}") is not None


# The fields of a delivery report (RFC 3464), wherever they are in a message.
#
# Most reports have a part for them. Some servers and gateways write the same fields into the text,
# indented or quoted, or send the part encoded or with another type.

LONGEST_WRITTEN = 64 * 1024
"""Characters of a part that are searched for fields."""

STATUS_PARTS = frozenset({"message/delivery-status", "message/global-delivery-status"})
_FIELD_PARTS = STATUS_PARTS | {"text/plain", "text/html", "application/octet-stream"}
_REPORT_FIELD = re.compile(
    r"[ \t>|]*((?:Final|Original|X-Actual)-Recipient|Action|Status|Diagnostic-Code|Remote-MTA"
    r"|Reporting-MTA)[ \t]*:[ \t]*(.*)",
    re.I,
)
_ANY_FIELD = re.compile(r"[ \t>|]*[A-Za-z][\w-]*[ \t]*:(?:[ \t]|$)")
_QUOTE_MARKS = " \t>|"


def recipients_in(parts: Sequence[Message]) -> list[Message]:
    """Return the fields of each recipient: those of proper parts, else those found in text."""
    proper = [part for part in parts if part["Final-Recipient"] or part["Original-Recipient"]]
    return proper or [
        block
        for part in parts
        if part.get_content_type() in _FIELD_PARTS
        for block in _recipient_blocks(_text_of(part)[:LONGEST_WRITTEN])
    ]


def _recipient_blocks(text: str) -> Iterator[Message]:
    """Yield the fields of one recipient after the other: they end at an empty line or a repeated
    field."""
    block = Message()
    for line in [*text.splitlines(), ""]:
        bare = line.strip(_QUOTE_MARKS)
        match = _REPORT_FIELD.match(line)
        if block and (not bare or (match and match[1] in block)):
            judged = field(block, "Action") or field(block, "Diagnostic-Code")
            named = any(
                field(block, f"{one}-Recipient") for one in ("Final", "Original", "X-Actual")
            )
            if judged and (named or "Status" in block):
                yield block
            block = Message()
        if match:
            block[match[1]] = match[2]
        elif block and bare and not _ANY_FIELD.match(line):
            name, value = block.items()[-1]
            block.replace_header(name, f"{value} {bare}"[:LONGEST_FIELD])


def _text_of(part: Message) -> str:
    content = part.get_payload()
    if not isinstance(content, list):
        return paragraphs_of(part)
    written = "\n\n".join(str(one.get_payload()) for one in content if isinstance(one, Message))
    if field(part, "Content-Transfer-Encoding").lower() != "base64":
        return written
    try:
        return b64decode("".join(written.split())).decode("utf-8", "replace")
    except ValueError:  # not base64, or truncated
        return ""


MOST_LINES = 20_000
"""Lines of a message that are read. A genuine one of the longest size we read has eight
thousand."""
LONGEST_LINE = 4096
"""Bytes of a line; a message's own are 998 at most (RFC 5322 section 2.1.1)."""
# The text of a bounce message, whatever its charset, and however broken its parts are.

LONGEST_FOLDED = 16 * 1024
"""Bytes of consecutive continuation lines: a field, or indented text."""
MOST_BOUNDARIES = 30
"""Nested multipart boundaries; each is searched for in every line. A report with a copy has two."""
LONGEST_FIELD = 2000
"""Characters of a field that are read."""

_START_OF_COPY = re.compile(
    r"^[ \t>]*(?:"
    r"--.*(?:copy of|below this line|original message|message header|returned message).*"
    r"|-{3,} ?(?:unsent|undelivered|message|headers?)\b.*"
    r"|(?:received|return-path|dkim-signature|list-unsubscribe):\s.*"
    r")$",
    re.I | re.M,
)
_PARAGRAPH_TAG = re.compile(r"<(?:br|/?p|/?div|/?tr)\b[^<>]*>", re.I)
_STYLE = re.compile(r"<(?:style|script)\b", re.I)
_STYLE_ENDS = re.compile(r"</(?:style|script)\s*>", re.I)
_TAG = re.compile(r"<[^<>]+>")
_ISO_2022_JP = "\x1b$"
_BOUNDARY = re.compile(rb"boundary", re.I)
_CONTINUATIONS = re.compile(rb"(?:\n[ \t][^\n]*)+")
"""Continuation lines."""


def normalized(raw: bytes) -> bytes:
    """Return the message with LF line ends, without what could exhaust the parser: overlong lines
    and fields, deeply nested parts."""
    plain = raw.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    lines = plain.split(b"\n")
    if len(lines) > MOST_LINES or max(map(len, lines)) > LONGEST_LINE:
        plain = b"\n".join([line[:LONGEST_LINE] for line in lines[:MOST_LINES]])
    if sum(len(line) for line in lines if line.startswith((b" ", b"\t"))) > LONGEST_FOLDED:
        plain = _CONTINUATIONS.sub(lambda row: row[0][:LONGEST_FOLDED], plain)
    if plain.lower().count(b"boundary") > MOST_BOUNDARIES:
        plain = _BOUNDARY.sub(b"-", plain)
    return plain


def field(part: Message, name: str) -> str:
    """Return a field on one line; empty if it is missing. Some contain raw UTF-8 or ISO-2022-JP."""
    # The email package replaces each non-ASCII byte by a question mark.
    found = (str(value) for one, value in part.raw_items() if one.lower() == name.lower())
    came = next(found, "").encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    value = " ".join(came[:LONGEST_FIELD].split())
    if _ISO_2022_JP in value:
        return value.encode("latin-1", "replace").decode("iso-2022-jp", "replace")
    if "=?" not in value:
        return value
    try:
        return str(make_header(decode_header(value)))
    except (LookupError, ValueError):  # unknown charset, or text invalid in it
        return value


def paragraphs_of(part: Message) -> str:
    """Return the text of a part, without tags, with paragraphs."""
    content = part.get_payload(decode=True)
    raw = content if isinstance(content, bytes) else b""
    try:
        text = raw.decode(part.get_content_charset("utf-8"), "replace")
    except (LookupError, ValueError):  # unknown charset, or not one for text
        text = raw.decode("latin-1")
    if part.get_content_type() != "text/html":
        return text
    shown = "".join(_STYLE.split(one, maxsplit=1)[0] for one in _STYLE_ENDS.split(text))
    return unescape(_TAG.sub(" ", _PARAGRAPH_TAG.sub("\n\n", shown)))


def text_before_copy(text: str) -> str:
    """Return the text before the copy of our message."""
    match = _START_OF_COPY.search(text)
    return text if match is None else text[: match.start()]
