"""Providers of mail that sign with keys of their own, and tell what ours would. All is invented."""

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA1, SHA256, HashAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID

from tests.builders import NOW
from tests.fakes import FakeClient

READER = "ada@mail.example"
OURS = "<0f3a.digest@papers.example>"
TAG = "abcdefghijklmnopqrstuvwxyz234567"
SENDER = f"bounces+{TAG}@papers.example"
GONE = "550 5.1.1 <ada@mail.example>: Recipient address rejected: User unknown"
POLICY = "550 5.7.1 Message rejected due to local policy. Blocked using a blocklist"

# --- SES, by way of SNS ------------------------------------------------------------------------

TOPIC = "arn:aws:sns:eu-central-1:123456789012:digest-bounces"
SNS = "https://sns.eu-central-1.amazonaws.com"
CERTIFICATE_URL = f"{SNS}/SimpleNotificationService-0123456789abcdef0123456789abcdef.pem"
CONFIRM_URL = f"{SNS}/?Action=ConfirmSubscription&TopicArn={TOPIC}&Token=2336412f37fb"
NOTIFIED = ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type")
CONFIRMED = ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type")


@cache
def rsa_key(bits: int = 2048) -> rsa.RSAPrivateKey:
    """A key that signs as SNS; of another length, somebody else's."""
    return rsa.generate_private_key(65537, bits)


@cache
def strangers_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


def certificate(
    key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | None = None,
    *,
    begins: datetime = NOW - timedelta(days=30),
    ends: datetime = NOW + timedelta(days=300),
) -> bytes:
    """A certificate of `key`, in PEM."""
    key = key or rsa_key()
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sns.amazonaws.com")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(begins)
        .not_valid_after(ends)
        .sign(key, SHA256())
    )
    return made.public_bytes(Encoding.PEM)


def web_of_sns(pem: bytes | None = None) -> FakeClient:
    """A web in which SNS has its certificate and takes confirmations."""
    held: dict[str, bytes | Exception] = {CERTIFICATE_URL: pem or certificate(), CONFIRM_URL: b"ok"}
    return FakeClient(now=NOW, pages=held)


def stamp(at: datetime) -> str:
    """As SNS writes an instant."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03}Z"


def sns(
    message: object,
    *,
    version: str = "2",
    key: rsa.RSAPrivateKey | None = None,
    signed: tuple[str, ...] = NOTIFIED,
    **changes: Any,
) -> dict[str, str]:
    """A signed message of SNS; `changes` are made before it is signed."""
    fields = {
        "Type": "Notification",
        "MessageId": "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324",
        "TopicArn": TOPIC,
        "Message": message if isinstance(message, str) else json.dumps(message),
        "Timestamp": stamp(NOW),
        "SignatureVersion": version,
        "SigningCertURL": CERTIFICATE_URL,
        "UnsubscribeURL": f"{SNS}/?Action=Unsubscribe&SubscriptionArn={TOPIC}:c9135db0",
        **changes,
    }
    text = "".join(f"{name}\n{fields[name]}\n" for name in signed if name in fields)
    hashing: HashAlgorithm = SHA1() if version == "1" else SHA256()  # noqa: S303 - version 1 is SHA-1
    made = (key or rsa_key()).sign(text.encode(), padding.PKCS1v15(), hashing)
    return {**fields, "Signature": base64.b64encode(made).decode()}


def confirmation(url: str = CONFIRM_URL, **changes: Any) -> dict[str, str]:
    """SNS asks whether we want to hear of a topic."""
    return sns(
        "You have chosen to subscribe to the topic.",
        signed=CONFIRMED,
        Type="SubscriptionConfirmation",
        Token="2336412f37fb",
        SubscribeURL=url,
        **changes,
    )


def ses_mail() -> dict[str, Any]:
    """What SES says of the mail that an event is about."""
    return {
        "timestamp": "2026-03-02T07:00:01.000Z",
        "messageId": "0107018f-1111-2222-3333-444455556666-000000",
        "source": SENDER,
        "sourceArn": "arn:aws:ses:eu-central-1:123456789012:identity/papers.example",
        "sendingAccountId": "123456789012",
        "destination": [READER],
        "headersTruncated": False,
        "headers": [
            {"name": "From", "value": "Paperround <digest@papers.example>"},
            {"name": "Message-ID", "value": OURS},
        ],
        "commonHeaders": {"from": ["digest@papers.example"], "messageId": OURS},
    }


def ses_bounce(
    kind: str = "Permanent",
    part: str = "NoEmail",
    words: str | None = f"smtp; {GONE}",
    *,
    status: str | None = "5.1.1",
    named: str = "notificationType",
) -> dict[str, Any]:
    """A bounce as SES tells it; `named` is what it calls the kind of event."""
    report = {"action": "failed", "status": status, "diagnosticCode": words}
    said = {name: value for name, value in report.items() if value is not None}
    recipient = {"emailAddress": READER, **(said if status or words else {})}
    return {
        named: "Bounce",
        "bounce": {
            "bounceType": kind,
            "bounceSubType": part,
            "bouncedRecipients": [recipient],
            "timestamp": "2026-03-02T07:00:09.000Z",
            "feedbackId": "0107018f-aaaa-bbbb-cccc-ddddeeeeffff-000000",
            "reportingMTA": "dns; b224-13.smtp-out.eu-central-1.amazonses.com",
        },
        "mail": ses_mail(),
    }


def ses_complaint(kind: str | None = "abuse") -> dict[str, Any]:
    """A complaint as SES tells it."""
    said = {} if kind is None else {"complaintFeedbackType": kind}
    return {
        "notificationType": "Complaint",
        "complaint": {
            "complainedRecipients": [{"emailAddress": READER}],
            "timestamp": "2026-03-02T07:30:00.000Z",
            "feedbackId": "0107018f-9999-8888-7777-666655554444-000000",
            "complaintSubType": None,
            "userAgent": "Some loop (version 1)",
            "arrivalDate": "2026-03-02T07:29:00.000Z",
            **said,
        },
        "mail": ses_mail(),
    }


# --- Postmark ----------------------------------------------------------------------------------

SECRET = "a-secret-of-the-address-4711"


def basic(password: str, name: str = "hook") -> dict[str, str]:
    """The header that an address with a password makes."""
    return {"authorization": "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()}


def postmark_bounce(kind: str = "HardBounce", words: str = f"smtp;{GONE}") -> dict[str, Any]:
    """A bounce, or a complaint, as Postmark tells it."""
    return {
        "RecordType": "SpamComplaint" if kind == "SpamComplaint" else "Bounce",
        "MessageStream": "broadcast",
        "ID": 692560173,
        "Type": kind,
        "TypeCode": 1,
        "Name": "Hard bounce",
        "Tag": "",
        "MessageID": "2c1b63fe-43f2-4db5-91b0-8bdfa44a9316",
        "Metadata": {},
        "ServerID": 23,
        "Description": "The server was unable to deliver your message.",
        "Details": words,
        "Email": READER,
        "From": "digest@papers.example",
        "BouncedAt": "2026-03-02T07:00:09.5102312Z",
        "DumpAvailable": True,
        "Inactive": True,
        "CanActivate": True,
        "Subject": "Papers of today",
    }


def postmark_change(reason: str, origin: str = "Recipient", *, off: bool = True) -> dict[str, Any]:
    """An address that Postmark mails no more, or again."""
    return {
        "RecordType": "SubscriptionChange",
        "MessageID": "883953f4-6105-42a2-a16a-77a8eac79483",
        "ServerID": 23,
        "MessageStream": "broadcast",
        "ChangedAt": "2026-03-02T07:20:00Z",
        "Recipient": READER,
        "Origin": origin,
        "SuppressSending": off,
        "SuppressionReason": reason,
        "Tag": "",
        "Metadata": {},
    }


# --- SendGrid ----------------------------------------------------------------------------------


@cache
def ec_key(name: str) -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def verification_key(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | None = None) -> str:
    """The public key as SendGrid shows it."""
    public = (key or ec_key("sendgrid")).public_key()
    made = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(made).decode()


def sendgrid_headers(
    body: bytes, *, at: datetime = NOW, key: ec.EllipticCurvePrivateKey | None = None
) -> dict[str, str]:
    """The headers that prove `body`."""
    stamped = str(int(at.timestamp()))
    made = (key or ec_key("sendgrid")).sign(stamped.encode() + body, ec.ECDSA(SHA256()))
    return {
        "x-twilio-email-event-webhook-signature": base64.b64encode(made).decode(),
        "x-twilio-email-event-webhook-timestamp": stamped,
    }


def sendgrid_event(event: str = "bounce", **fields: object) -> dict[str, object]:
    """An event as SendGrid tells it; of a bounce, with its words."""
    bounce = {"reason": GONE, "status": "5.1.1", "type": "bounce", "tls": 1, "ip": "192.0.2.7",
              "bounce_classification": "Invalid Address"}  # fmt: skip
    return {
        "email": READER,
        "timestamp": int(NOW.timestamp()) - 60,
        "smtp-id": OURS,
        "event": event,
        "category": ["digest"],
        "sg_event_id": f"ZGVtby1{event}",
        "sg_message_id": "Rm9vYmFy.recvd-7c5d.0",
        **(bounce if event == "bounce" else {}),
        **fields,
    }


# --- Mailgun -----------------------------------------------------------------------------------

SIGNING_KEY = "a-signing-key-of-mailgun-0815"


def mailgun_proof(
    *, at: datetime = NOW, token: str = "c" * 50, key: str = SIGNING_KEY, name: str = "signature"
) -> dict[str, str]:
    """What Mailgun proves a request with."""
    stamped = str(int(at.timestamp()))
    made = hmac.new(key.encode(), (stamped + token).encode(), hashlib.sha256).hexdigest()
    return {"timestamp": stamped, "token": token, "signature": "0" * 64, name: made}


def mailgun(event: Mapping[str, object], proof: Mapping[str, str] | None = None) -> bytes:
    """A request of Mailgun."""
    return json.dumps({"signature": proof or mailgun_proof(), "event-data": event}).encode()


def mailgun_event(event: str = "failed", **fields: object) -> dict[str, Any]:
    """An event as Mailgun tells it; of a failure, with its words."""
    failure = {
        "severity": "permanent",
        "reason": "bounce",
        "delivery-status": {
            "attempt-no": 1,
            "code": 550,
            "enhanced-code": "5.1.1",
            "bounce-type": "hard",
            "message": GONE,
            "description": "",
            "mx-host": "mx.mail.example",
        },
    }
    return {
        "event": event,
        "id": "G9Bn5sl1TC6nu79C8C0bwg",
        "timestamp": NOW.timestamp() - 30,
        "log-level": "error",
        "recipient": READER,
        "recipient-domain": "mail.example",
        "envelope": {"sender": SENDER, "transport": "smtp", "targets": READER},
        "message": {"headers": {"message-id": OURS.strip("<>"), "to": READER}, "size": 24111},
        "tags": [],
        "user-variables": {},
        **(failure if event == "failed" else {}),
        **fields,
    }
