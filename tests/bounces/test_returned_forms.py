"""Delivery reports in the forms that mail servers, gateways and people give them."""

from base64 import b64encode

import pytest

from paperround.bounces.model import ReportKind
from paperround.bounces.reports import BounceReport, read_returned
from paperround.delivery.model import Evidence
from tests.bounces.reports import report

FROM = "From: MAILER-DAEMON@mx.example.org\nSubject: {}\n"
FIELDS = (
    "Final-Recipient: rfc822; ada@example.org\nAction: failed\nStatus: 5.0.0\n"
    "Diagnostic-Code: smtp; 550 5.1.1\n   <ada@example.org>: User unknown\n"
)
COPY = "Subject: 4 papers\nFrom: digest@papers.example\n\n550 5.1.1 no such user: our own words."


def parts(*kinds_and_texts: tuple[str, str]) -> bytes:
    body = "".join(f"--edge\nContent-Type: {kind}\n\n{text}\n" for kind, text in kinds_and_texts)
    head = FROM.format("failure notice") + "Content-Type: multipart/mixed; boundary=edge\n\n"
    return f"{head}{body}--edge--\n".encode()


def plain(text: str, subject: str = "failure notice") -> bytes:
    head = "Content-Type: text/plain; charset=utf-8\n\n"
    return (FROM.format(subject) + head + text).encode()


def encoded() -> bytes:
    fields = b64encode(f"Reporting-MTA: dns; mx.example.org\n\n{FIELDS}".encode()).decode()
    return parts(("message/delivery-status\nContent-Transfer-Encoding: base64", fields))


def wrapped(sender: str = "Mail Delivery System <MAILER-DAEMON@mx.example.org>") -> bytes:
    inner = f"From: {sender}\nSubject: Undelivered\n\n550 5.1.1 <ada@example.org>: User unknown"
    return parts(("text/plain", "Passed on to you."), ("message/rfc822", inner))


FORMS = {
    "in the text": plain(f"Sorry.\n\n{FIELDS}\n"),
    "set in": plain("Sorry.\n\n" + "".join(f"    {line}\n" for line in FIELDS.splitlines())),
    "quoted": plain("Sorry.\n\n" + "".join(f"> {line}\n" for line in FIELDS.splitlines())),
    "blanks before the colon": plain(FIELDS.replace(":", " :", 1).replace("Code:", "Code :")),
    "the wrong type": parts(("application/octet-stream", FIELDS), ("message/rfc822", COPY)),
    "a text part": parts(("text/plain", "Sorry."), ("text/plain; name=details.txt", FIELDS)),
    "encoded": encoded(),
    "wrapped into another message": wrapped(),
    "words of another language around it": plain(
        "Ihre Nachricht konnte nicht zugestellt werden:\n\n" + FIELDS, "Unzustellbar: 4 papers"
    ),
    "no word of a failure": plain(FIELDS).replace(b"MAILER-DAEMON", b"postmaster"),
    "a page with a style": parts(
        ("text/html", "<style>p {width: full; spam: 1}</style><p>550 5.1.1 User unknown</p>")
    ),
    "a transcript": plain(
        "   ----- Transcript of session follows -----\n"
        "421 mx.example.net... Deferred: Connection reset\n"
        "550 5.1.1 <ada@example.org>... User unknown\n"
    ),
}


@pytest.mark.accept("Q11", part="forms")
@pytest.mark.parametrize("form", FORMS)
def test_a_report_is_read_in_any_form(form: str) -> None:
    assert read_returned(FORMS[form]).evidence is Evidence.GONE


@pytest.mark.parametrize(
    "subject",
    ["Nachricht unzustellbar", "Non remis : 4 papers", "Devuelto", "Недоставленное", "系统退信"],
)
def test_a_subject_of_another_language_tells_of_a_bounce(subject: str) -> None:
    mail = plain("ada@example.org: 550 User unknown", subject).replace(b"MAILER-DAEMON", b"box")
    assert read_returned(mail).kind is ReportKind.BOUNCE


def beside(words: str, **fields: str) -> BounceReport:
    return read_returned(report(**fields).replace(b"I'm sorry to", f"{words}\n\nI'm".encode()))


@pytest.mark.accept("Q11", part="forms")
def test_the_words_beside_the_fields_count_where_the_fields_do_not_say_why() -> None:
    unsaid = {"status": "5.0.0", "said": "550 Requested action not taken"}
    assert beside("The server answered: 550 5.1.1 User unknown", **unsaid).evidence is Evidence.GONE
    assert beside("The mailbox is over quota.", **unsaid).evidence is Evidence.PASSING
    told = {"status": "5.1.1", "said": "550 5.1.1 User unknown"}
    assert beside("Our spam filter is open source.", **told).evidence is Evidence.GONE


def test_a_copy_of_ours_that_is_wrapped_is_not_read() -> None:
    assert read_returned(wrapped("Paperround <digest@papers.example>")).evidence is Evidence.NONE


def test_fields_that_a_person_quotes_stop_nobody_alone() -> None:
    letter = plain(FIELDS).replace(b"MAILER-DAEMON@mx", b"grace@mx")
    assert read_returned(letter).evidence is Evidence.LIKELY_GONE


def test_of_fields_in_a_text_each_recipient_speaks_for_itself() -> None:
    other = FIELDS.replace("failed", "delayed").replace("ada@", "bob@")
    found = read_returned(plain(f"{other}{FIELDS}"))
    assert [one.action for one in found.statements] == ["delayed", "failed"]
    assert found.evidence is Evidence.GONE
