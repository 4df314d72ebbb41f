"""Delivery reports, made up."""

REPORT = """\
Return-Path: <>
From: MAILER-DAEMON@mx.example.org (Mail Delivery System)
Subject: Undelivered Mail Returned to Sender
Content-Type: multipart/report; report-type=delivery-status; boundary="edge"

--edge
Content-Type: text/plain

I'm sorry to have to inform you that your message could not be delivered.

--edge
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.org

Final-Recipient: rfc822; ada@example.org
Action: {action}
Status: {status}
Diagnostic-Code: smtp; {said}

--edge
Content-Type: message/rfc822

Subject: 4 papers: Unknown users and where to find them
From: digest@papers.example

550 5.1.1 no such user: our own words must count for nothing.
--edge--
"""


def report(*, action: str = "failed", status: str = "5.1.1", said: str = "550 5.1.1 gone") -> bytes:
    return REPORT.format(action=action, status=status, said=said).encode()
