"""What SpamAssassin says of our mails, by the rules on its own disk; the net is not asked."""

import re
import shutil
import subprocess

import pytest

from paperround.delivery.system_mail_model import SystemMailKind
from paperround.digests.render.composer import MailRenderer
from tests.digests.messages import mail, notice, notice_view, paper, sender_identity, view

ARRIVED = (
    b"Return-Path: <digest@papers.example.org>\r\n"
    b"Received: from mail.papers.example.org (mail.papers.example.org [10.0.0.25])\r\n"
    b"\tby mx.example.com with ESMTPS id 4Xy12; %b\r\n"
)
"""What the machine of a reader writes on top. Rules on dates look there for the present."""
NOW = b"Fri, 30 Jan 2026 07:05:12 +0000"

BROKEN = re.compile(r"MIME|HEADER|MISSING|INVALID|DATE_IN|SUBJ|MSGID|UNPARSEABLE|HTML_(?!MESSAGE)")
"""How rules are called that object to how a mail is made."""

_RULE = re.compile(r"^ *(-?\d+\.\d) ([A-Z][A-Z0-9_]+) ", re.MULTILINE)


def objections(content: bytes) -> dict[str, float]:
    """The rules that speak against a mail, and the points of each. Those in its favour are left
    out, since a mail that needs them has something to make up for."""
    program = shutil.which("spamassassin")
    if program is None:
        pytest.skip("needs SpamAssassin: install Debian's package `spamassassin`")
    answer = subprocess.run(
        [program, "--local", "--test-mode"],
        input=ARRIVED % NOW + content,
        capture_output=True,
        check=True,
        timeout=60,
    )
    _, found, report = answer.stdout.decode(errors="replace").rpartition("Content analysis")
    assert found, answer.stderr
    assert "HTML_MESSAGE" in report
    return {name: float(points) for points, name in _RULE.findall(report) if float(points) > 0}


@pytest.mark.slow
@pytest.mark.accept("Q13", part="digest", mutant="a-mail-has-no-date")
def test_nothing_speaks_against_a_digest() -> None:
    assert objections(MailRenderer(sender_identity()).compose(mail(view(12)))) == {}


@pytest.mark.slow
@pytest.mark.accept("Q13", part="notices")
@pytest.mark.parametrize(
    "kind", [SystemMailKind.CONFIRM, SystemMailKind.UNDO, SystemMailKind.ALERT]
)
def test_nothing_speaks_against_a_notice(kind: SystemMailKind) -> None:
    letter = notice(notice_view(kind))
    assert objections(MailRenderer(sender_identity()).compose_notice(letter)) == {}


@pytest.mark.slow
@pytest.mark.accept("Q13", part="digest")
def test_of_papers_that_sound_like_spam_only_their_words_are_held_against_us() -> None:
    about = [
        paper(0, title="FREE Money? 100% Guaranteed Returns and the Lottery of $$$ Investing"),
        paper(1, title="CLICK HERE NOW: Why People Answer Unsolicited Offers of Viagra"),
    ]
    found = objections(MailRenderer(sender_identity()).compose(mail(view(about))))
    assert found
    assert not [rule for rule in found if BROKEN.search(rule)]


@pytest.mark.slow
def test_the_filter_sees_what_it_should() -> None:
    """A digest whose date is a week wrong and that has lost its text part."""
    content = MailRenderer(sender_identity()).compose(mail())
    spoilt = content.replace(b"Date: Fri, 30 Jan 2026", b"Date: Fri, 06 Feb 2026").replace(
        b"text/plain", b"text/html"
    )
    found = objections(spoilt)
    assert sum(found.values()) > 1
    assert [rule for rule in found if BROKEN.search(rule)]
