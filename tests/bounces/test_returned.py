"""Reading mails that come back."""

import time
from itertools import islice
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperround.bounces.model import ReportKind
from paperround.bounces.reports import read_returned
from paperround.delivery.model import Evidence
from tests.bounces.reports import report


@pytest.mark.accept("F36", part="reading")
@pytest.mark.parametrize("ends", [b"\n", b"\r\n", b"\r"])
def test_a_delivery_report_is_read_whatever_its_line_ends(ends: bytes) -> None:
    found = read_returned(report(said="550 5.1.1 User unknown").replace(b"\n", ends))

    assert (found.kind, found.evidence) == (ReportKind.BOUNCE, Evidence.GONE)


def test_the_copy_of_our_own_mail_is_not_read() -> None:
    found = read_returned(report(status="5.2.2", said="552 5.2.2 mailbox full"))

    assert (found.kind, found.evidence) == (ReportKind.BOUNCE, Evidence.PASSING)


def test_a_mail_that_is_late_has_not_failed() -> None:
    assert read_returned(report(action="delayed")).evidence is Evidence.NONE


def test_a_bounce_in_plain_words_is_read_up_to_the_copy() -> None:
    words = (
        "From: MAILER-DAEMON@example.org\nSubject: failure notice\n\n"
        "Hi. I wasn't able to deliver your message.\n\n"
        "<ada@example.org>:\nSorry, no mailbox here by that name. (#5.1.1)\n\n"
        "--- Below this line is a copy of the message.\n\nReceived: from us\n\nSpam and quota.\n"
    )
    assert read_returned(words.encode()).evidence is Evidence.GONE


def test_of_two_recipients_each_speaks_for_itself() -> None:
    words = (
        "From: MAILER-DAEMON@example.org\nSubject: failure notice\n\n"
        "full@example.org: 550 5.2.2 Mailbox Full\ngone@example.org: 550 5.1.1 User Unknown\n"
    )
    found = read_returned(words.encode())

    assert found.evidence is Evidence.GONE
    assert len(found.statements) == 2


def test_a_note_of_absence_is_no_bounce() -> None:
    away = "From: ada@example.org\nSubject: Automatic reply: papers\n\nI am away. User unknown.\n"
    found = read_returned(away.encode())

    assert (found.kind, found.evidence) == (ReportKind.AUTO_REPLY, Evidence.AUTO_REPLY)


@pytest.mark.parametrize(
    ("kind", "expected"), [("abuse", ReportKind.COMPLAINT), ("auth-failure", ReportKind.REPORT)]
)
def test_only_a_complaint_is_a_complaint(kind: str, expected: ReportKind) -> None:
    mail = (
        "From: fbl@example.org\nContent-Type: multipart/report; boundary=x\n\n--x\n"
        f"Content-Type: message/feedback-report\n\nFeedback-Type: {kind}\nVersion: 1\n\n--x--\n"
    )
    assert read_returned(mail.encode()).kind is expected


@pytest.mark.parametrize(
    "subject",
    [
        "Nicht im Büro",
        "Réponse automatique : vos articles",
        "Fuera de la oficina",
        "Risposta automatica",
        "自動応答: papers",
    ],
)
def test_a_note_of_absence_is_known_in_other_languages_and_without_a_sender(subject: str) -> None:
    away = (
        f"Return-Path: <>\nFrom: ada@example.org\nSubject: {subject}\n\n550 5.1.1 User unknown.\n"
    )

    assert read_returned(away.encode()).kind is ReportKind.AUTO_REPLY


@pytest.mark.parametrize("path", ["<>", "<ada@example.org>"])
def test_who_tells_of_a_failure_under_their_own_name_stops_nobody_alone(path: str) -> None:
    letter = (
        f"Return-Path: {path}\nFrom: Ada <ada@example.org>\nSubject: Re: a delivery problem\n\n"
        "My old address only says 550 5.1.1 User unknown.\n"
    )
    assert read_returned(letter.encode()).evidence is Evidence.LIKELY_GONE


def test_a_receipt_that_says_a_mail_was_read_is_no_bounce() -> None:
    receipt = report(said="550 5.1.1 User unknown").replace(
        b"delivery-status", b"disposition-notification"
    )

    assert read_returned(receipt).kind is ReportKind.AUTO_REPLY


def test_words_of_a_server_that_are_no_ascii_are_read() -> None:
    assert read_returned(report(said="550 5.1.1 容量超過")).evidence is Evidence.PASSING


def test_an_action_with_a_comment_is_that_action() -> None:
    assert read_returned(report(action="delayed (will retry)")).evidence is Evidence.NONE


def test_a_mail_that_was_passed_on_and_arrived_somewhere_proves_nothing() -> None:
    """Ours has one recipient: who names several passes it on, and one of those may be gone."""
    other = "Final-Recipient: rfc822; home@example.net\nAction: {}\nStatus: 2.0.0\n\n"
    for action, expected in [("delivered", Evidence.NONE), ("failed", Evidence.GONE)]:
        block = other.format(action).encode() + b"Final-Recipient"
        assert read_returned(report().replace(b"Final-Recipient", block)).evidence is expected


@pytest.mark.parametrize("charset", ["undefined", "idna", "hex", '"a\0b"', "utf-16''%00"])
def test_no_charset_raises(charset: str) -> None:
    mail = f"From: MAILER-DAEMON@x\nContent-Type: text/plain; charset={charset}\n\n550 5.1.1 x\n"
    assert read_returned(mail.encode()).kind is ReportKind.BOUNCE


@pytest.mark.parametrize("depth", [300, 1000, 10_000])
@pytest.mark.parametrize("kind", ["multipart/mixed; boundary=b{}", "message/rfc822"])
def test_no_depth_of_parts_raises(kind: str, depth: int) -> None:
    edges = "" if kind == "message/rfc822" else "--b{}\n"
    part = f"Content-Type: {kind}\n\n{edges}"
    mail = "From: x@y.example\n" + "".join(part.replace("{}", str(one)) for one in range(depth))
    assert read_returned(mail.encode()).kind is ReportKind.QUARANTINED


PLAIN = "From: MAILER-DAEMON@x.example\nSubject: failure notice\n"
ONE = "Final-Recipient: rfc822; a@b.example\n\n"
HOSTILE = {
    "a word": PLAIN + "\n" + "exceed" * 80_000,
    "dashes": PLAIN + "\n" + "-" * 500_000,
    "persons": PLAIN + "\n" + "user user not " * 35_000,
    "addresses": PLAIN + "\n" + "@a" * 250_000,
    "a host": report(said="x").decode().replace("dns; mx.", "dns; " + "inbound-smtp." * 38_000),
    "recipients": report().decode().replace("Final", ONE * 6000 + "Final").replace(
        "I'm sorry", "user x " * 35_000
    ),
}  # fmt: skip
"""Each took minutes once, or would if an expression looked twice at what it had seen."""


@pytest.mark.parametrize("what", HOSTILE)
def test_no_mail_keeps_the_reading_busy(what: str) -> None:
    start = time.process_time()
    read_returned(HOSTILE[what].encode())
    assert time.process_time() - start < 5


def test_what_a_person_writes_is_kept_for_a_person() -> None:
    letter = "From: ada@example.org\nSubject: your digest\n\nThe link does not exist, 404.\n"

    assert read_returned(letter.encode()).kind is ReportKind.QUARANTINED


@given(st.data())
def test_no_broken_report_raises(data: st.DataObject) -> None:
    raw = bytearray(report())
    for _ in range(data.draw(st.integers(1, 8))):
        place = data.draw(st.integers(0, len(raw) - 1))
        raw[place : place + data.draw(st.integers(0, 40))] = data.draw(st.binary(max_size=12))
    read_returned(bytes(raw))


@pytest.mark.accept("Q11", part="none raises")
def test_no_real_mail_raises_whole_or_cut_short(real_data: Path) -> None:
    mails = sorted((real_data / "bounce_mail").rglob("*-0*.eml"))
    for path in islice(mails, 0, None, 3):
        raw = path.read_bytes()
        for length in (len(raw), len(raw) // 2, len(raw) // 5):
            assert read_returned(raw[:length]).kind in ReportKind
