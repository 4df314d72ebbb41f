"""Which mail of ours a mail that came back is about, however it is written."""

import time
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperround.bounces.intake import ReturnReader
from paperround.bounces.model import ReportKind, ReturnedEvent
from paperround.core.tokens import KeyRing, Purpose
from paperround.delivery.model import Evidence
from paperround.delivery.return_path import TagUse, make_tag, tagged
from tests.bounces.bouncing import feedback_report, letter, postfix_report
from tests.builders import NOW

BOUNCES = "bounces@example.org"
RING = KeyRing((b"a secret that is only for tests!",))
MESSAGE_ID = f"<{'0a1b2c3d' * 4}@papers.example>"
OURS = (
    f"From: Paperround <digest@papers.example>\r\nTo: ada@mail.example\r\nSubject: 4 papers\r\n"
    f"Message-ID: {MESSAGE_ID}\r\nList-Unsubscribe: <mailto:bounces+x@example.org>\r\n\r\n"
    "User unknown is the title of a paper.\r\n"
).encode()


def tag(use: TagUse = TagUse.DELIVERY) -> str:
    return make_tag(RING, use, 7, nonce="n", day=date(2026, 3, 2))


def read(raw: bytes, to: str = "") -> ReturnedEvent:
    return ReturnReader(BOUNCES).read(raw, way="pipe", to=to, now=NOW)


def test_a_report_to_our_address_names_its_mail_twice() -> None:
    event = read(postfix_report(OURS, sender=tagged(BOUNCES, tag()), recipient="ada@mail.example"))
    assert (event.kind, event.evidence) == (ReportKind.BOUNCE, Evidence.GONE)
    assert (event.tag, event.message_id, event.code) == (tag(), MESSAGE_ID, "5.1.1")
    assert event.happened_at == NOW


def test_a_report_to_another_address_is_known_by_the_copy_in_it() -> None:
    raw = postfix_report(OURS, sender="postmaster@example.org", recipient="ada@mail.example")
    event = read(raw)
    assert (event.tag, event.message_id) == ("", MESSAGE_ID)
    assert event.recipient == "ada@mail.example"


@pytest.mark.parametrize(
    ("fields", "recipient"),
    [
        ("Final-Recipient: rfc822; Ada@Mail.example", "ada@mail.example"),
        ("Final-Recipient: rfc822;<o'brien@mail.example>", "o'brien@mail.example"),
        (
            "Original-Recipient: rfc822; ada@mail.example\nFinal-Recipient: rfc822; a@home.example",
            "ada@mail.example",
        ),
        ("Final-Recipient: rfc822; ada@mail.example, eve@mail.example", ""),
        ("Final-Recipient: x400; nobody", ""),
    ],
)
def test_a_report_is_about_the_address_that_we_mailed(fields: str, recipient: str) -> None:
    raw = postfix_report(OURS, sender=BOUNCES, recipient="ada@mail.example").decode()
    start, end = raw.index("Final-Recipient"), raw.index("Action: failed")
    assert read(f"{raw[:start]}{fields}\n{raw[end:]}".encode()).recipient == recipient


@pytest.mark.parametrize(
    ("words", "recipient"),
    [
        ("<ada@mail.example>:\nSorry, no mailbox here by that name. (#5.1.1)", "ada@mail.example"),
        ("Your message to ada@mail.example failed: 550 5.1.1 no such user.", "ada@mail.example"),
        ("ada@mail.example, eve@mail.example: 550 5.1.1 no such user", ""),
        ("550 5.1.1 no such user", ""),
    ],
)
def test_plain_words_are_about_the_one_address_in_them(words: str, recipient: str) -> None:
    raw = f"From: MAILER-DAEMON@example.org\nSubject: failure notice\n\n{words}\n"
    event = read(raw.encode())
    assert (event.evidence.is_hard, event.recipient) == (True, recipient)


def test_where_the_mail_server_delivered_it_to_counts_first() -> None:
    raw = postfix_report(OURS, sender="postmaster@example.org", recipient="ada@mail.example")
    assert read(raw, to=tagged(BOUNCES, tag())).tag == tag()


def test_a_complaint_names_the_mail_in_its_fields_and_its_copy() -> None:
    sender = tagged(BOUNCES, tag())
    event = read(feedback_report(OURS, to="abuse@example.org", sender=sender))
    assert (event.kind, event.evidence) == (ReportKind.COMPLAINT, Evidence.COMPLAINT)
    assert (event.tag, event.message_id) == (tag(), MESSAGE_ID)


@pytest.mark.parametrize("line", ["> Message-Id: {}", "  Message-ID: {}", "Message-ID:\n {}"])
def test_a_copy_in_plain_words_names_the_mail(line: str) -> None:
    raw = (
        "From: MAILER-DAEMON@example.org\nSubject: failure notice\n\n<ada@mail.example>:\n"
        "Sorry, no mailbox here by that name. (#5.1.1)\n\n"
        f"--- Below this line is a copy of the message.\n\n{line.format(MESSAGE_ID)}\n"
    ).encode()
    assert read(raw).message_id == MESSAGE_ID


def test_two_mails_in_one_report_are_not_told_apart() -> None:
    other = MESSAGE_ID.replace("0a1b", "ffff")
    raw = postfix_report(OURS, sender="x@example.org", recipient="ada@mail.example")
    twice = raw.replace(b"This is a MIME", f"Message-ID: {other}\nThis is a MIME".encode())
    assert read(twice).message_id == ""


@pytest.mark.accept("F29", part="by mail")
def test_a_mail_to_the_leaving_address_leaves_whatever_it_says() -> None:
    event = read(letter(to=tagged(BOUNCES, tag(TagUse.LEAVE)), subject=""))
    assert (event.kind, event.tag) == (ReportKind.UNSUBSCRIBE, tag(TagUse.LEAVE))


@pytest.mark.parametrize(
    "subject", ["unsubscribe", "Re: Unsubscribe", "AW: unsubscribe me, please"]
)
def test_a_mail_with_the_word_and_a_link_of_ours_leaves(subject: str) -> None:
    token = RING.token(Purpose.UNSUBSCRIBE, 7, "n")
    words = f"> Leave: https://papers.example/unsubscribe/{token}"
    event = read(letter(to="digest@example.org", subject=subject, words=words))
    assert (event.kind, event.tag) == (ReportKind.UNSUBSCRIBE, token)


def test_a_note_of_absence_to_the_leaving_address_leaves_nothing() -> None:
    raw = letter(to=tagged(BOUNCES, tag(TagUse.LEAVE)), subject="Automatic reply: away")
    assert read(raw).kind is ReportKind.AUTO_REPLY


def test_other_letters_are_kept_for_a_person() -> None:
    raw = letter(to=tagged(BOUNCES, tag()), subject="Your paper of Monday", words="Thank you!")
    event = read(raw)
    assert (event.kind, event.tag) == (ReportKind.QUARANTINED, tag())


def test_a_mail_delivered_twice_has_one_name() -> None:
    raw = postfix_report(OURS, sender=BOUNCES, recipient="ada@mail.example")
    again = raw.replace(b"Return-Path: <>\n", b"Return-Path: <>\nReceived: from elsewhere\n", 1)
    other = raw.replace(b"User unknown (in", b"Who is that (in")
    assert read(again).event_id == read(raw).event_id == read(raw.replace(b"\n", b"\r\n")).event_id
    assert read(other).event_id != read(raw).event_id


def test_without_an_address_of_ours_there_is_no_tag() -> None:
    raw = postfix_report(OURS, sender=tagged(BOUNCES, tag()), recipient="ada@mail.example")
    event = ReturnReader().read(raw, way="pipe", to="", now=NOW)
    assert (event.tag, event.message_id) == ("", MESSAGE_ID)


@given(st.binary(max_size=400))
def test_no_bytes_raise(raw: bytes) -> None:
    report = postfix_report(OURS, sender=BOUNCES, recipient="ada@mail.example")
    for one in (raw, report[: len(raw) * 9], raw + report, report.replace(b"smtp", raw[:9])):
        assert isinstance(read(one), ReturnedEvent)


def nested(depth: int) -> bytes:
    edges = "".join(
        f"--b{n}\nContent-Type: multipart/mixed; boundary=b{n + 1}\n\n" for n in range(depth)
    )
    return f"Content-Type: multipart/mixed; boundary=b0\n\n{edges}".encode() + b"\n" * 400_000


HOSTILE = {
    "a return path of blanks": b"Subject: x\n\nReturn-Path:" + b" " * 400_000,
    "a hundred of them": b"Subject: x\n\n" + (b"Return-Path:" + b" " * 4000 + b"\n") * 100,
    "words without an end": b"Subject: " + b"=?a?q?x" * 60_000 + b"\n\nx",
    "the same, folded": b"Subject: x\n" + b" =?a?q?x=?a?q?x\n" * 30_000 + b"\nx",
    "a kind with no names": b"Content-Type: multipart/mixed; " + b";" * 400_000 + b"\n\nx",
    "brackets": b"To: " + b"<" * 400_000 + b"\n\nx",
    "brackets in brackets": b"To: " + b"(" * 400_000 + b"\n\nx",
    "parts in parts": nested(150),
    "reports in a report": b"From: mailer-daemon@x.example\n"
    b"Content-Type: multipart/report; boundary=q\n\n--q\n"
    b"Content-Type: message/delivery-status\n\n" + b"a: b\n\n" * 60_000,
}
"""Each took from ten seconds to hours once."""


@pytest.mark.accept("F36", part="mailbox")
@pytest.mark.parametrize("what", HOSTILE)
def test_no_mail_keeps_the_reader_busy_and_none_raises(what: str) -> None:
    start = time.process_time()
    assert read(HOSTILE[what]).kind is ReportKind.QUARANTINED
    assert time.process_time() - start < 8


def test_a_field_that_nobody_can_read_hides_no_other() -> None:
    raw = letter(to=tagged(BOUNCES, tag()), subject="Re: 4 papers")
    assert read(b"Delivered-To: " + b"(" * 3000 + b"\n" + raw).tag == tag()


def test_parts_that_are_hundreds_deep_are_kept() -> None:
    deep = b"".join(
        b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (n, n) for n in range(2000)
    )
    assert read(b"From: a@example.org\n" + deep).kind is ReportKind.QUARANTINED
