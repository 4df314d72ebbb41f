"""Lint the headers of a message, as it would be sent, against the requirements of receivers.

RFC 5322 (one of each field, 998 characters a line), 2369, 2919 and 5064 (lists), 8058 (one-click),
3834 (automatic messages), 6376 and 8301 (signatures), 9989 (alignment), and the guidelines of large
mailbox providers (Feedback-ID, 102 KB). The bytes are parsed with the standard library, which did
not write them.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from email import message_from_bytes
from email.message import Message
from email.utils import parseaddr, parsedate_to_datetime

from paperround.bootstrap import AppContext
from paperround.core.errors import PaperroundError
from paperround.core.reasons import counted
from paperround.core.smtp_url import OUTBOX
from paperround.delivery.system_mail import notice_mail, sample_notice
from paperround.delivery.system_mail_model import SystemMailKind
from paperround.digests.compose import new_subscriber_digest
from paperround.doctor.findings import Finding, fail, ok, skipped, warn
from paperround.editions.lists import MailingList
from paperround.editions.store.editions import EditionStore
from paperround.ops.status import Status

REQUIRED_ONCE = ("From", "To", "Subject", "Date", "Message-ID", "MIME-Version")
CLIPPED = 102 * 1024
"""Bytes of HTML at which Gmail shows the rest behind a link."""
LONGEST_LINE = 998
LIST_FIELDS = ("List-Help", "List-Owner", "List-Archive", "Archived-At")
SIGNED_FIELDS = ("from", "to", "subject", "date", "message-id")
ONE_CLICK = ("list-unsubscribe", "list-unsubscribe-post")
MAX_DATE_DIFFERENCE = timedelta(days=1)

_URL = re.compile(r"<([^<>]*)>")
_LIST_ID = re.compile(r"<[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+>")
_MESSAGE_ID = re.compile(r"<[^<>@\s]+@([^<>@\s]+)>")
_LOCAL = ("localhost", "localdomain", "local")


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """The message that is linted: a list's digest or a system message, made at `now`.

    `envelope` is the domain of the return path. With `leaves` it goes to other machines, so its
    links must be https. With `is_kept` it goes to a folder, so nobody can reply to it.
    """

    name: str
    is_list: bool
    envelope: str
    leaves: bool
    is_kept: bool = False
    now: datetime


def check_headers(content: bytes, expected: Expected) -> Finding:
    """Return one finding with everything that is wrong with the message."""
    mail = message_from_bytes(content)
    errors = [*_format(content, mail), *_identity(mail, expected), *_signature(mail, expected)]
    if expected.is_list:
        errors += _list(mail, expected)
    elif listed := [name for name in mail if name.lower().startswith("list-")]:
        errors.append(f"it is not a list email, but has {', '.join(listed)}")
    warnings = list(_automatic(mail))
    check = f"{expected.name} headers"
    way_out = "`paperround digest preview --out DIR` writes the email to files"
    if errors:
        return fail(check, "; ".join([*errors, *warnings]), way_out)
    if warnings:
        return warn(check, "; ".join(warnings), way_out)
    signed = "signed" if mail.get_all("DKIM-Signature") else "not signed here"
    return ok(
        check, f"{len(content) / 1024:.0f} KB, {signed}; every field meets what receivers require"
    )


def _format(content: bytes, mail: Message) -> Iterator[str]:
    for name in REQUIRED_ONCE:
        count = len(mail.get_all(name, []))
        if count != 1:
            yield f"{name} appears {counted(count, 'time')}"
    if re.search(rb"(?<!\r)\n|\r(?!\n)", content):
        yield "a line does not end in CRLF"
    longest = max(map(len, content.split(b"\r\n")))
    if longest > LONGEST_LINE:
        yield f"a line has {counted(longest, 'character')}, {LONGEST_LINE} are allowed"


def _identity(mail: Message, expected: Expected) -> Iterator[str]:
    sender = domain_of(mail)
    message_id = _MESSAGE_ID.fullmatch(str(mail.get("Message-ID", "")).strip())
    if message_id is None:
        yield "Message-ID is not of the form <letters@domain>"
    elif not is_aligned(message_id[1].lower(), sender) or message_id[1].endswith(_LOCAL):
        yield f"Message-ID has the domain {message_id[1]}, not {sender}"
    if not is_aligned(sender, expected.envelope):
        yield f"From ({sender}) and the envelope ({expected.envelope}) differ: SPF does not count"
    try:
        dated = parsedate_to_datetime(str(mail.get("Date", "")))
    except ValueError:
        yield "Date cannot be read"
        return
    if dated.tzinfo is None:
        yield "Date has no zone"
    elif abs(dated - expected.now) > MAX_DATE_DIFFERENCE:
        yield f"Date is {dated:%Y-%m-%d}, more than a day from now"


def domain_of(mail: Message) -> str:
    """Return the domain of From, empty if there is none."""
    return parseaddr(str(mail.get("From", "")))[1].rpartition("@")[2].lower()


def _signature(mail: Message, expected: Expected) -> Iterator[str]:
    """Skip a message without a signature: its relay may sign it."""
    sender, signatures = domain_of(mail), []
    for text in mail.get_all("DKIM-Signature", []):
        pairs = [part.partition("=") for part in re.sub(r"\s+", "", str(text)).split(";")]
        tags = {name: value for name, equals, value in pairs if equals}
        signatures.append(tags)
        covered = {name.strip().lower() for name in tags.get("h", "").split(":")}
        wanted = (*SIGNED_FIELDS, *(ONE_CLICK if expected.is_list else ()))
        missing = [name for name in wanted if name not in covered]
        if missing:
            yield f"the signature {tags.get('s', '')} does not cover {', '.join(missing)}"
        if "sha256" not in tags.get("a", ""):
            yield f"the signature {tags.get('s', '')} uses {tags.get('a')}, which receivers refuse"
        if "l" in tags:
            yield f"the signature {tags.get('s', '')} covers a part of the body only (l=)"
    if signatures and not any(is_aligned(tags.get("d", "").lower(), sender) for tags in signatures):
        yield f"no signature is by {sender}: From is not aligned"


def _list(mail: Message, expected: Expected) -> Iterator[str]:
    for name in ("List-Unsubscribe", "List-Unsubscribe-Post", "List-Id", "List-Post", *LIST_FIELDS):
        count = len(mail.get_all(name, []))
        if count != 1:
            yield f"{name} appears {count} times" if count else f"{name} is missing"
    yield from _list_unsubscribe(mail, expected)
    if mail.get("List-Unsubscribe-Post", "").strip() != "List-Unsubscribe=One-Click":
        yield "List-Unsubscribe-Post is not List-Unsubscribe=One-Click, word for word"
    if _LIST_ID.search(mail.get("List-Id", "")) is None:
        yield "List-Id is not <list.host>"
    if mail.get("List-Post", "").strip() != "NO":
        yield "List-Post is not NO"


def _list_unsubscribe(mail: Message, expected: Expected) -> Iterator[str]:
    entries = [one.strip().lower() for one in _URL.findall(mail.get("List-Unsubscribe", ""))]
    web = [one for one in entries if one.startswith(("https://", "http://"))]
    by_mail = [one for one in entries if one.startswith("mailto:")]
    if len(web) != 1 or (expected.leaves and not web[0].startswith("https://")):
        yield "List-Unsubscribe has not exactly one https address: one-click does not work"
    if len(by_mail) != 1 and not expected.is_kept:
        yield "List-Unsubscribe has no mailto: set PAPERROUND_CONTACT to an address"
    if web and not any(b"/unsubscribe/" in one for one in _contents(mail, "text/plain")[:1]):
        yield "the text has no visible unsubscribe link"


def _contents(mail: Message, kind: str) -> list[bytes]:
    """Return the decoded contents of the parts of type `kind`."""
    parts = [part for part in mail.walk() if part.get_content_type() == kind]
    found = [part.get_payload(decode=True) for part in parts]
    return [content for content in found if isinstance(content, bytes)]


def _automatic(mail: Message) -> Iterator[str]:
    if mail.get("Auto-Submitted", "").strip().lower() != "auto-generated":
        yield "Auto-Submitted is not auto-generated: out-of-office replies will come back"
    suppressed = {
        word.strip().lower() for word in mail.get("X-Auto-Response-Suppress", "").split(",")
    }
    if "oof" not in suppressed or "all" in suppressed:
        yield "X-Auto-Response-Suppress must say OOF, and not All (that stops bounces as well)"
    parts = mail.get("Feedback-ID", "").split(":")
    if len(parts) > 4 or not 5 <= len(parts[-1]) <= 15 or "@" in mail.get("Feedback-ID", ""):
        yield "Feedback-ID is not a:b:c:sender with a sender of 5 to 15 characters"
    kinds = [part.get_content_type() for part in mail.walk() if not part.is_multipart()]
    if kinds[:2] != ["text/plain", "text/html"]:
        yield "it is not a text part followed by an HTML part"
    for content in _contents(mail, "text/html"):
        if len(content) >= CLIPPED:
            yield f"its HTML has {len(content) / 1024:.0f} KB: from 102 KB on Gmail cuts it off"


def check_samples(
    context: AppContext, current_status: Status | None, *, now: datetime
) -> list[Finding]:
    """Lint a digest of each list and a confirmation as they would be sent now."""
    if current_status is None:
        return [skipped("headers", "the database is needed to make an email")]
    try:
        return [
            replace(finding, says=f"{one.mailing_list.name}: {finding.says}")
            for one in current_status.lists
            for finding in _check_list(context, one.mailing_list, now=now)
        ]
    except PaperroundError as error:
        return [fail("headers", f"no email can be made: {error}")]


def _check_list(context: AppContext, mailing_list: MailingList, *, now: datetime) -> list[Finding]:
    expected = Expected(
        name="digest",
        is_list=True,
        envelope=parseaddr(context.settings.mail_from)[1].rpartition("@")[2].lower(),
        leaves=context.settings.leaves_this_machine,
        is_kept=context.settings.relay.startswith(OUTBOX),
        now=now,
    )
    digest = sample_digest(context, mailing_list, now=now)
    if digest is None:
        digest_finding = skipped("digest headers", "no edition has papers to make a digest of")
    else:
        digest_finding = check_headers(digest, expected)
    confirmation = sample_confirmation(context, mailing_list, now=now)
    return [
        digest_finding,
        check_headers(confirmation, replace(expected, name="confirmation", is_list=False)),
    ]


def sample_digest(context: AppContext, mailing_list: MailingList, *, now: datetime) -> bytes | None:
    """Return the digest a new subscriber would get of the newest edition; None without papers."""
    with context.database.reading() as work:
        newest = work[EditionStore].newest(mailing_list.id, by=now)
    if newest is None or not newest.papers:
        return None
    sample = sample_notice(context.identity, SystemMailKind.TEST, now=now)
    keys = context.identity.keys
    mail = new_subscriber_digest(newest, mailing_list, sample, context.sender_identity, keys)
    return context.renderer.compose(mail)


def sample_confirmation(context: AppContext, mailing_list: MailingList, *, now: datetime) -> bytes:
    """Return the confirmation message for a sign-up to the list now."""
    sample = sample_notice(context.identity, SystemMailKind.CONFIRM, now=now)
    mail = notice_mail(
        sample,
        context.sender_identity,
        mailing_list.title,
        context.identity.keys,
        look=mailing_list.look,
    )
    return context.renderer.compose_notice(mail)


def is_aligned(one: str, other: str) -> bool:
    """Return whether one domain equals or contains the other: relaxed alignment, simplified."""
    return one == other or one.endswith(f".{other}") or other.endswith(f".{one}")
