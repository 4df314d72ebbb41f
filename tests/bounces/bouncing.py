"""Mails as they come back: what mail systems write about a mail of ours."""

from email import message_from_bytes, policy
from zlib import crc32

_REPORT = """\
Return-Path: <>
Delivered-To: {to}
Received: by mx.example.org (Postfix)
\tid 4F1C21A0; Mon,  2 Mar 2026 08:00:05 +0000 (UTC)
Date: Mon,  2 Mar 2026 08:00:05 +0000 (UTC)
From: MAILER-DAEMON@mx.example.org (Mail Delivery System)
Subject: Undelivered Mail Returned to Sender
To: {to}
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status;
\tboundary="4F1C21A0.1772438405/mx.example.org"
Message-Id: <20260302080005.{name}@mx.example.org>

This is a MIME-encapsulated message.

--4F1C21A0.1772438405/mx.example.org
Content-Description: Notification
Content-Type: text/plain; charset=us-ascii

This is the mail system at host mx.example.org.

I'm sorry to have to inform you that your message could not
be delivered to one or more recipients. It's attached below.

<{recipient}>: host mail.example[192.0.2.1] said: {said} (in reply to RCPT TO command)

--4F1C21A0.1772438405/mx.example.org
Content-Description: Delivery report
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.org
X-Postfix-Queue-ID: 4F1C21A0
X-Postfix-Sender: rfc822; {to}
Arrival-Date: Mon,  2 Mar 2026 08:00:01 +0000 (UTC)

Final-Recipient: rfc822; {recipient}
Original-Recipient: rfc822;{recipient}
Action: failed
Status: {status}
Remote-MTA: dns; mail.example
Diagnostic-Code: smtp; {said}

--4F1C21A0.1772438405/mx.example.org
Content-Description: Undelivered Message
Content-Type: message/rfc822

Return-Path: <{to}>
{copy}
--4F1C21A0.1772438405/mx.example.org--
"""


def postfix_report(
    content: bytes,
    *,
    sender: str,
    recipient: str,
    said: str = "550 5.1.1 User unknown",
    status: str = "5.1.1",
    name: str = "4F1C21A0",
) -> bytes:
    """What Postfix writes to `sender` about the mail `content` that could not be delivered."""
    copy = content.decode("utf-8").replace("\r\n", "\n")
    report = _REPORT.format(
        to=sender, recipient=recipient, said=said, status=status, name=name, copy=copy
    )
    return report.encode()


def feedback_report(content: bytes, *, to: str, sender: str) -> bytes:
    """A complaint as a feedback loop sends it (RFC 5965), to an address of its own."""
    inner = message_from_bytes(content, policy=policy.SMTP)
    heads = "".join(f"{name}: {value}\n" for name, value in inner.items())
    return (
        f"From: <feedback@fbl.example>\nTo: <{to}>\nSubject: complaint about message\n"
        "Message-ID: <one@fbl.example>\nMIME-Version: 1.0\n"
        "Content-Type: multipart/report; report-type=feedback-report; boundary=edge\n\n"
        "--edge\nContent-Type: text/plain\n\nThis is an email abuse report.\n\n"
        "--edge\nContent-Type: message/feedback-report\n\n"
        f"Feedback-Type: abuse\nUser-Agent: loop/1\nVersion: 1\nOriginal-Mail-From: <{sender}>\n\n"
        f"--edge\nContent-Type: text/rfc822-headers\n\n{heads}\n--edge--\n"
    ).encode()


def letter(*, to: str, subject: str, words: str = "", sender: str = "ada@example.org") -> bytes:
    """A plain mail of a person."""
    return (
        f"From: Ada <{sender}>\nTo: <{to}>\nSubject: {subject}\n"
        f"Message-ID: <{crc32(f'{to}{subject}{words}'.encode())}@mail.example>\n\n{words}\n"
    ).encode()
