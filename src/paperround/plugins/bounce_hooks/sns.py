"""Verify messages of Amazon SNS: their topic, and the signature of SNS.

    configured topic? ─► fresh? ─► certificate from the topic's own region ─► signature

Only a message of a configured topic causes a request of ours, to the host of the topic's region and
to URLs of a fixed form. Anybody can have SNS sign messages of their own topic, so both are checked:
that the topic is configured, and that the signature covers it. See "Verifying the signatures of
Amazon SNS messages" of its documentation.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from threading import Lock
from urllib.parse import parse_qs, urlsplit

from cryptography import exceptions as cryptography_errors
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA1, SHA256, HashAlgorithm
from cryptography.x509 import Certificate, load_pem_x509_certificate

from paperround.core.errors import FetchFailed, InvalidSignature, Misconfigured
from paperround.http.model import FetchRequest, HttpClient
from paperround.plugins.bounce_hooks.fields import HookFields, base64_of, moment_of, require_fresh

NOTIFICATION = "Notification"
CONFIRMATION = "SubscriptionConfirmation"
LEFT = "UnsubscribeConfirmation"
SHORTEST_KEY = 2048
"""Bits of the key of a certificate."""
MOST_CERTIFICATES = 8
"""Certificates that are cached. A region uses one at a time."""

_ARN = re.compile(
    r"arn:(?P<part>aws|aws-cn|aws-us-gov):sns:(?P<region>[a-z]{2}(?:-[a-z]{2,12}){1,3}-\d{1,2})"
    r":\d{12}:[A-Za-z0-9_-]{1,256}"
)
_CERTIFICATE = re.compile(r"/SimpleNotificationService-[0-9a-f]{16,64}\.pem")
_CONFIRMED = ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type")
_SIGNED: Mapping[str, tuple[str, ...]] = {
    NOTIFICATION: ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"),
    CONFIRMATION: _CONFIRMED,
    LEFT: _CONFIRMED,
}
"""The fields each type signs, in order; a missing one is left out."""
_HASHES: Mapping[str, type[HashAlgorithm]] = {"1": SHA1, "2": SHA256}


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic, and the host of SNS in its region."""

    arn: str
    host: str


def topic_of(arn: str) -> Topic:
    """Return the topic with this ARN. Raises Misconfigured if it is not one."""
    found = _ARN.fullmatch(arn)
    if found is None:
        raise Misconfigured(
            f"PAPERROUND_SES_TOPIC_ARN: {arn!r} is not a topic of Amazon SNS: write it like "
            "arn:aws:sns:eu-central-1:123456789012:digest-bounces"
        )
    end = ".cn" if found["part"] == "aws-cn" else ""
    return Topic(arn, f"sns.{found['region']}.amazonaws.com{end}")


class Authority:
    """Verifies messages of `topics`. Thread-safe."""

    def __init__(self, topics: Iterable[Topic], client: HttpClient) -> None:
        self._topics = {topic.arn: topic for topic in topics}
        self._client = client
        self._lock = Lock()
        self._kept: dict[str, Certificate] = {}

    def topic_of(self, message: HookFields, *, now: datetime) -> Topic:
        """Return the topic of a message. Raises InvalidSignature if SNS did not sign it for a
        configured topic, FetchFailed if its certificate cannot be fetched."""
        topic = self._topics.get(message.text("TopicArn"))
        if topic is None:
            raise InvalidSignature("it is from a topic that is not in PAPERROUND_SES_TOPIC_ARN")
        require_fresh(moment_of(message.text("Timestamp")), now=now)
        signed, hashing = _signed(message), _HASHES.get(message.text("SignatureVersion"))
        if signed is None or hashing is None:
            raise InvalidSignature("its type or signature version is unknown")
        url = message.text("SigningCertURL")
        if not is_certificate_of(url, topic):
            raise InvalidSignature("its certificate is not from SNS in the region of the topic")
        found = self._certificate(url)
        if not found.not_valid_before_utc <= now <= found.not_valid_after_utc:
            raise InvalidSignature("its certificate is not valid now")
        key = found.public_key()
        if not isinstance(key, RSAPublicKey) or key.key_size < SHORTEST_KEY:
            raise InvalidSignature("its certificate has the wrong kind of key, or a short one")
        try:
            key.verify(base64_of(message.text("Signature")), signed, PKCS1v15(), hashing())
        except cryptography_errors.InvalidSignature:
            raise InvalidSignature("its signature is not that of SNS") from None
        return topic

    def confirm(self, message: HookFields, topic: Topic) -> None:
        """Confirm the subscription that a verified message is about. Raises InvalidSignature for a
        URL that does anything else, FetchFailed if SNS does not answer."""
        url = message.text("SubscribeURL")
        if not _confirms(url, topic):
            raise InvalidSignature("its SubscribeURL does not confirm the topic")
        self._client.get(FetchRequest(url=url))

    def _certificate(self, url: str) -> Certificate:
        with self._lock:
            kept = self._kept.get(url)
        if kept is not None:
            return kept
        try:
            page = self._client.get(FetchRequest(url=url))
        except FetchFailed as error:
            if error.status is not None and 400 <= error.status < 500 and error.status != 429:
                raise InvalidSignature("SNS has no such certificate") from error
            raise
        if page.url != url:
            raise InvalidSignature("its certificate is somewhere else")
        found = _read(page.body)
        with self._lock:
            while len(self._kept) >= MOST_CERTIFICATES:
                self._kept.pop(next(iter(self._kept)))
            self._kept[url] = found
        return found


def is_certificate_of(url: str, topic: Topic) -> bool:
    """Return whether `url` is exactly where SNS keeps a certificate in the topic's region. Other
    URLs of that host return what strangers stored there."""
    start = f"https://{topic.host}"
    return url.startswith(f"{start}/") and bool(_CERTIFICATE.fullmatch(url.removeprefix(start)))


def _confirms(url: str, topic: Topic) -> bool:
    if not url.startswith(f"https://{topic.host}/?") or not url.isascii() or not url.isprintable():
        return False
    asked = parse_qs(urlsplit(url).query)
    return asked.get("Action") == ["ConfirmSubscription"] and asked.get("TopicArn") == [topic.arn]


def _read(pem: bytes) -> Certificate:
    try:
        return load_pem_x509_certificate(pem)
    except (ValueError, UnsupportedAlgorithm):
        raise InvalidSignature("its certificate is invalid") from None


def _signed(message: HookFields) -> bytes | None:
    """Return what SNS signed: names and values of some fields, each on a line; None for another
    type."""
    names = _SIGNED.get(message.text("Type"))
    if names is None:
        return None
    fields = ((name, message.inner(name).value) for name in names)
    lines = (f"{name}\n{value}\n" for name, value in fields if isinstance(value, str))
    return "".join(lines).encode("utf-8", "replace")
