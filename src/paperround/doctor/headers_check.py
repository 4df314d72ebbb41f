"""List-header lint: a mail as it would leave, held against what receivers demand of it.

RFC 5322 (one of each field, 998 characters a line), 2369, 2919 and 5064 (lists), 8058 (one-click),
3834 (automatic mail), 6376 and 8301 (signatures), 9989 (alignment), and the notes of the large
mailbox providers (Feedback-ID, 102 KB). The bytes are read with another parser than the one they
were written by.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from email import message_from_bytes
from email.message import Message
from email.utils import parseaddr, parsedate_to_datetime

from paperround.bootstrap import AppContext
from paperround.core.reasons import counted
from paperround.delivery.system_mail import notice_mail, sample_notice
from paperround.delivery.system_mail_model import SystemMailKind
from paperround.digests.compose import newcomers_mail
from paperround.doctor.dns_check import related
from paperround.doctor.findings import Finding, fail, ok, skipped, warn
from paperround.editions.lists import MailingList
from paperround.editions.store.editions import EditionStore

ONCE = ("From", "To", "Subject", "Date", "Message-ID", "MIME-Version")
CLIPPED = 102 * 1024
"""Bytes of HTML at which Gmail shows the rest behind a link."""
LONGEST_LINE = 998
LISTED = ("List-Help", "List-Owner", "List-Archive", "Archived-At")
SIGNED = ("from", "to", "subject", "date", "message-id")
ONE_CLICK = ("list-unsubscribe", "list-unsubscribe-post")
DRIFT = timedelta(days=1)

_ENTRY = re.compile(r"<([^<>]*)>")
_LIST_ID = re.compile(r"<[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+>")
_IDENTITY = re.compile(r"<[^<>@\s]+@([^<>@\s]+)>")
_LOCAL = ("localhost", "localdomain", "local")


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What the mail is: of a list, or a notice; returned to the domain `envelope`; `leaves` says
    whether readers elsewhere get it (then its links must be https). `now` is when it was made."""

    name: str
    is_list: bool
    envelope: str
    leaves: bool
    now: datetime


def lint(content: bytes, expected: Expected) -> Finding:
    """Everything that is wrong with the mail, in one finding."""
    mail = message_from_bytes(content)
    hard = [*_form(content, mail), *_identity(mail, expected), *_signature(mail, expected)]
    if expected.is_list:
        hard += _list(mail, expected)
    elif listed := [name for name in mail if name.lower().startswith("list-")]:
        hard.append(f"it is the mail of no list, and has {', '.join(listed)}")
    soft = [*_manners(mail)]
    check = f"{expected.name} headers"
    way_out = "`paperround digest preview --out DIR` writes the mail for you to look at"
    if hard:
        return fail(check, "; ".join([*hard, *soft]), way_out)
    if soft:
        return warn(check, "; ".join(soft), way_out)
    signed = "signed" if mail.get_all("DKIM-Signature") else "not signed here"
    return ok(check, f"{len(content) / 1024:.0f} KB, {signed}; every field is as receivers want it")


def _form(content: bytes, mail: Message) -> Iterator[str]:
    for name in ONCE:
        count = len(mail.get_all(name, []))
        if count != 1:
            yield f"{name} stands there {counted(count, 'time')}"
    if re.search(rb"(?<!\r)\n|\r(?!\n)", content):
        yield "a line does not end in CRLF"
    longest = max(map(len, content.split(b"\r\n")))
    if longest > LONGEST_LINE:
        yield f"a line has {counted(longest, 'character')}, {LONGEST_LINE} are allowed"


def _identity(mail: Message, expected: Expected) -> Iterator[str]:
    sender = domain_of(mail)
    written = _IDENTITY.fullmatch(str(mail.get("Message-ID", "")).strip())
    if written is None:
        yield "Message-ID is not of the form <letters@domain>"
    elif not related(written[1].lower(), sender) or written[1].endswith(_LOCAL):
        yield f"Message-ID is of {written[1]}, not of {sender}"
    if not related(sender, expected.envelope):
        yield f"From ({sender}) and the envelope ({expected.envelope}) differ: SPF does not count"
    try:
        dated = parsedate_to_datetime(str(mail.get("Date", "")))
    except ValueError:
        yield "Date cannot be read"
        return
    if dated.tzinfo is None:
        yield "Date has no zone"
    elif abs(dated - expected.now) > DRIFT:
        yield f"Date is {dated:%Y-%m-%d}, more than a day from now"


def domain_of(mail: Message) -> str:
    """The domain of From, empty where there is none."""
    return parseaddr(str(mail.get("From", "")))[1].rpartition("@")[2].lower()


# --- signatures --------------------------------------------------------------------------------


def _signature(mail: Message, expected: Expected) -> Iterator[str]:
    """Nothing is said of a mail without a signature: its relay may sign it."""
    sender, signatures = domain_of(mail), []
    for text in mail.get_all("DKIM-Signature", []):
        pairs = [part.partition("=") for part in re.sub(r"\s+", "", str(text)).split(";")]
        tags = {name: value for name, equals, value in pairs if equals}
        signatures.append(tags)
        covered = {name.strip().lower() for name in tags.get("h", "").split(":")}
        wanted = (*SIGNED, *(ONE_CLICK if expected.is_list else ()))
        missing = [name for name in wanted if name not in covered]
        if missing:
            yield f"the signature {tags.get('s', '')} does not cover {', '.join(missing)}"
        if "sha256" not in tags.get("a", ""):
            yield f"the signature {tags.get('s', '')} uses {tags.get('a')}, which receivers refuse"
        if "l" in tags:
            yield f"the signature {tags.get('s', '')} covers a part of the body only (l=)"
    if signatures and not any(related(tags.get("d", "").lower(), sender) for tags in signatures):
        yield f"no signature is of {sender}: From is not aligned"


# --- lists -------------------------------------------------------------------------------------


def _list(mail: Message, expected: Expected) -> Iterator[str]:
    for name in ("List-Unsubscribe", "List-Unsubscribe-Post", "List-Id", "List-Post", *LISTED):
        count = len(mail.get_all(name, []))
        if count != 1:
            yield f"{name} stands there {count} times" if count else f"{name} is missing"
    yield from _leaving(mail, expected)
    if mail.get("List-Unsubscribe-Post", "").strip() != "List-Unsubscribe=One-Click":
        yield "List-Unsubscribe-Post is not List-Unsubscribe=One-Click, word for word"
    if _LIST_ID.search(mail.get("List-Id", "")) is None:
        yield "List-Id is not <list.host>"
    if mail.get("List-Post", "").strip() != "NO":
        yield "List-Post is not NO"


def _leaving(mail: Message, expected: Expected) -> Iterator[str]:
    entries = [one.strip().lower() for one in _ENTRY.findall(mail.get("List-Unsubscribe", ""))]
    web = [one for one in entries if one.startswith(("https://", "http://"))]
    by_mail = [one for one in entries if one.startswith("mailto:")]
    if len(web) != 1 or (expected.leaves and not web[0].startswith("https://")):
        yield "List-Unsubscribe has not exactly one https address: one-click does not work"
    if len(by_mail) != 1:
        yield "List-Unsubscribe has no mailto: set PAPERROUND_CONTACT to an address"
    if web and not any(b"/unsubscribe/" in one for one in _contents(mail, "text/plain")[:1]):
        yield "the text has no visible link for leaving"


def _contents(mail: Message, kind: str) -> list[bytes]:
    """What the parts of a type hold."""
    parts = [part for part in mail.walk() if part.get_content_type() == kind]
    found = [part.get_payload(decode=True) for part in parts]
    return [content for content in found if isinstance(content, bytes)]


# --- manners -----------------------------------------------------------------------------------


def _manners(mail: Message) -> Iterator[str]:
    if mail.get("Auto-Submitted", "").strip().lower() != "auto-generated":
        yield "Auto-Submitted is not auto-generated: holiday answers will come"
    quiet = {word.strip().lower() for word in mail.get("X-Auto-Response-Suppress", "").split(",")}
    if "oof" not in quiet or "all" in quiet:
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


# The mails that would leave now, made and signed as a sender makes them, and linted. Nobody gets
# one, and their links lead nowhere.


def linted(runtime: AppContext, mailing_list: MailingList, *, now: datetime) -> list[Finding]:
    """One finding for a digest of the list, and one for a confirmation. Raises what making them
    raises."""
    ours = Expected(
        name="digest",
        is_list=True,
        envelope=parseaddr(runtime.settings.mail_from)[1].rpartition("@")[2].lower(),
        leaves=runtime.settings.leaves_this_machine,
        now=now,
    )
    digest = sample_digest(runtime, mailing_list, now=now)
    if digest is None:
        says = f"{mailing_list.name} has no edition with papers to make a digest of"
        first = skipped("digest headers", says)
    else:
        first = lint(digest, ours)
    confirmation = sample_confirmation(runtime, mailing_list, now=now)
    return [first, lint(confirmation, replace(ours, name="confirmation", is_list=False))]


def sample_digest(runtime: AppContext, mailing_list: MailingList, *, now: datetime) -> bytes | None:
    """What somebody new would get of the list's newest edition; None where it has no papers."""
    with runtime.database.reading() as work:
        newest = work[EditionStore].newest(mailing_list.id, by=now)
    if newest is None or not newest.papers:
        return None
    sample, keys = (
        sample_notice(runtime.identity, SystemMailKind.TEST, now=now),
        runtime.identity.keys,
    )
    mail = newcomers_mail(newest, mailing_list, sample, runtime.letterhead, keys)
    return runtime.renderer.compose(mail)


def sample_confirmation(runtime: AppContext, mailing_list: MailingList, *, now: datetime) -> bytes:
    """What somebody would get who asks for the list's mails now."""
    sample = sample_notice(runtime.identity, SystemMailKind.CONFIRM, now=now)
    mail = notice_mail(sample, runtime.letterhead, mailing_list.title, runtime.identity.keys)
    return runtime.renderer.compose_notice(mail)
