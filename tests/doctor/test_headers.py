"""The header lint: a mail that is well, hurt in one place at a time."""

import re
from collections.abc import Callable
from dataclasses import replace

import pytest

from paperround.bootstrap import AppContext
from paperround.delivery.dkim.keys import KeyFile
from paperround.delivery.dkim.signer import Algorithm
from paperround.delivery.dkim.signers import write_key_file
from paperround.doctor.findings import Level
from paperround.plugins.doctor_checks.headers import (
    CLIPPED,
    Expected,
    check_headers,
    sample_confirmation,
    sample_digest,
)
from tests.builders import NOW, seed_list
from tests.doctor.conftest import Home

DIGEST = Expected(name="digest", is_list=True, envelope="mail.example.org", leaves=True, now=NOW)
CONFIRMATION = replace(DIGEST, name="confirmation", is_list=False)
pytestmark = [pytest.mark.accept("F37", part="headers"), pytest.mark.accept("F35", part="lint")]


@pytest.fixture
def digest(home: Home) -> bytes:
    """A signed digest, as it would leave."""
    mail = sample_digest(signing(home), seed_list(home.database), now=NOW)
    assert mail is not None
    return mail


@pytest.fixture
def confirmation(home: Home) -> bytes:
    return sample_confirmation(signing(home), seed_list(home.database), now=NOW)


def signing(home: Home) -> AppContext:
    place = home.folder / "data" / "dkim.json"
    write_key_file(place, KeyFile().with_first([Algorithm.ED25519], "s1", now=NOW))
    return home.runtime(public_url="https://papers.mail.example.org")


def test_what_leaves_is_well(digest: bytes, confirmation: bytes) -> None:
    assert b"DKIM-Signature" in digest
    assert check_headers(digest, DIGEST).level is Level.OK, check_headers(digest, DIGEST).says
    assert check_headers(confirmation, CONFIRMATION).level is Level.OK, check_headers(
        confirmation, CONFIRMATION
    ).says


def field(name: str, value: str) -> Callable[[bytes], bytes]:
    """The mail with another value in a field; an empty one takes the field away."""
    line = f"{name}: {value}\r\n".encode() if value else b""
    pattern = re.compile(rb"(?im)^%b:.*\r\n(?:[ \t].*\r\n)*" % name.encode())
    return lambda mail: pattern.sub(lambda _: line, mail, count=1)


def unsigned_for(*names: str) -> Callable[[bytes], bytes]:
    """The mail whose signature does not name these fields."""

    def change(mail: bytes) -> bytes:
        head, _, body = mail.partition(b"\r\n\r\n")
        first = re.sub(rb"\r\n[ \t]+", b"", head.split(b"\r\nFrom:")[0])
        named = re.sub(rb"(?<=[:=])(?:%b)(?=[:;])" % "|".join(names).encode(), b"X-Nothing", first)
        return named + b"\r\nFrom:" + head.partition(b"\r\nFrom:")[2] + b"\r\n\r\n" + body

    return change


PLANTED: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "no one-click field": (field("List-Unsubscribe-Post", ""), "List-Unsubscribe-Post is missing"),
    "one-click not word for word": (
        field("List-Unsubscribe-Post", "List-Unsubscribe=one-click"),
        "word for word",
    ),
    "no way to leave": (field("List-Unsubscribe", ""), "List-Unsubscribe is missing"),
    "leaving without https": (
        lambda mail: mail.replace(b"List-Unsubscribe: <https:", b"List-Unsubscribe: <http:"),
        "exactly one https",
    ),
    "leaving by mail only": (
        field("List-Unsubscribe", "<mailto:ada@mail.example.org>"),
        "exactly one https",
    ),
    "leaving by web only": (
        field("List-Unsubscribe", "<https://papers.mail.example.org/unsubscribe/x>"),
        "no mailto",
    ),
    "no list id": (field("List-Id", ""), "List-Id is missing"),
    "a list id without a host": (field("List-Id", "<trending>"), "List-Id is not"),
    "a list one may post to": (field("List-Post", "<mailto:a@mail.example.org>"), "List-Post"),
    "no help": (field("List-Help", ""), "List-Help is missing"),
    "no archive": (field("Archived-At", ""), "Archived-At is missing"),
    "a second From": (
        lambda mail: mail.replace(b"\r\nTo:", b"\r\nFrom: x@mail.example.org\r\nTo:", 1),
        "From appears 2 times",
    ),
    "no Date": (field("Date", ""), "Date appears 0 times"),
    "a Date that cannot be read": (field("Date", "today"), "Date cannot be read"),
    "a Date without a zone": (field("Date", "Mon, 02 Mar 2026 08:00:00"), "no zone"),
    "a Date of last year": (field("Date", "Sun, 02 Mar 2025 08:00:00 +0000"), "more than a day"),
    "a Message-ID of this machine": (
        field("Message-ID", "<1@localhost>"),
        "Message-ID has the domain",
    ),
    "a Message-ID that is none": (field("Message-ID", "1"), "Message-ID is not"),
    "another sender": (
        field("From", "Papers <p@elsewhere.org>"),
        "no signature is by elsewhere.org",
    ),
    "one-click not signed": (unsigned_for("List-Unsubscribe-Post"), "list-unsubscribe-post"),
    "leaving not signed": (unsigned_for("List-Unsubscribe"), "list-unsubscribe"),
    "Subject not signed": (unsigned_for("Subject"), "does not cover subject"),
    "an old signature": (lambda mail: mail.replace(b"-sha256", b"-sha1"), "receivers refuse"),
    "a signature of the beginning": (
        lambda mail: mail.replace(b"v=1;", b"v=1; l=10;", 1),
        "part of the body",
    ),
    "a bare line end": (lambda mail: mail.replace(b"\r\nTo:", b"\nTo:", 1), "CRLF"),
    "a line too long": (
        lambda mail: mail.replace(b"\r\nTo:", b"\r\nX-Long: " + b"x" * 1000 + b"\r\nTo:", 1),
        "998 are allowed",
    ),
    "an answer to holidays": (field("Auto-Submitted", ""), "out-of-office"),
    "no bounces wanted": (field("X-Auto-Response-Suppress", "All"), "stops bounces"),
    "a feedback id with an address": (field("Feedback-ID", "a:b:c:ada@lab.org"), "Feedback-ID"),
    "no visible unsubscribe link": (
        lambda mail: mail.replace(b"/unsubscribe/", b"/elsewhere/").replace(
            b"/unsub=\r\nscribe/", b"/elsewhere/"
        ),
        "no visible unsubscribe link",
    ),
    "a mail that is cut off": (
        lambda mail: mail.replace(b"</body>", b"<p>word</p>\r\n" * (CLIPPED // 12) + b"</body>", 1),
        "102 KB",
    ),
}


@pytest.mark.accept("O6", part="list headers")
@pytest.mark.parametrize("name", PLANTED)
def test_each_planted_fault_is_named(digest: bytes, name: str) -> None:
    hurt, word = PLANTED[name]
    changed = hurt(digest)
    assert changed != digest
    found = check_headers(changed, DIGEST)
    assert found.level in (Level.WARN, Level.FAIL)
    assert word in found.says


def test_a_notice_is_the_mail_of_no_list(confirmation: bytes) -> None:
    changed = confirmation.replace(b"\r\nTo:", b"\r\nList-Id: <a.b>\r\nTo:", 1)
    assert "not a list email" in check_headers(changed, CONFIRMATION).says


def test_an_envelope_of_another_domain_is_found(digest: bytes) -> None:
    assert "SPF does not count" in check_headers(digest, replace(DIGEST, envelope="relay.net")).says
    above = replace(DIGEST, envelope="bounces.mail.example.org")
    assert check_headers(digest, above).level is Level.OK


@pytest.mark.accept("O6", part="list headers")
def test_the_examination_looks_at_both_mails(home: Home) -> None:
    found = {one.check: one for one in home.examine()}
    assert found["digest headers"].level is Level.OK, found["digest headers"].says
    assert found["digest headers"].says.startswith("trending: ")
    assert found["confirmation headers"].level is Level.OK
    without = {one.check: one for one in home.examine(contact="https://lab.org/contact")}
    assert "mailto" in without["digest headers"].says


def test_an_installation_that_mails_nobody_needs_no_contact(home: Home) -> None:
    outbox = f"outbox:{home.folder / 'outbox'}"
    found = {one.check: one for one in home.examine(contact=None, smtp_url=outbox)}
    assert found["digest headers"].level is Level.OK, found["digest headers"].says
