"""Only what SNS signed for the topic that is set is heard, and little is asked of the network."""

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from paperround.bounces.model import ReportedEvents
from paperround.core.errors import FetchFailed, InvalidSignature, Misconfigured
from paperround.plugins.bounce_hooks.ses import SesHook
from paperround.plugins.bounce_hooks.sns import Authority, is_certificate_of, topic_of
from tests.builders import NOW
from tests.fakes import FakeClient
from tests.plugins.bounce_hooks.providers import (
    CERTIFICATE_URL,
    CONFIRM_URL,
    CONFIRMED,
    SNS,
    TOPIC,
    certificate,
    confirmation,
    rsa_key,
    ses_bounce,
    sns,
    stamp,
    strangers_key,
    web_of_sns,
)

HOUR = timedelta(hours=1)
OTHER_TOPIC = TOPIC.replace("digest-bounces", "digest-bounces2")


def hook_of(web: FakeClient) -> SesHook:
    return SesHook(Authority([topic_of(TOPIC)], web))


def hear(message: Mapping[str, object], web: FakeClient | None = None) -> ReportedEvents:
    return hook_of(web or web_of_sns()).hear(json.dumps(message).encode(), {}, now=NOW)


@pytest.mark.accept("F36", part="SNS")
@pytest.mark.parametrize("version", ["1", "2"])
@pytest.mark.parametrize("subject", [{}, {"Subject": "Amazon SES Email Event Notification"}])
def test_both_versions_of_the_signature_prove_a_message(
    version: str, subject: dict[str, Any]
) -> None:
    assert len(hear(sns(ses_bounce(), version=version, **subject)).events) == 1


@pytest.mark.accept("F36", part="SNS")
@pytest.mark.parametrize(
    "field", ["Message", "MessageId", "Timestamp", "TopicArn", "Type", "Signature", "Subject"]
)
def test_a_message_that_was_altered_is_forged(field: str) -> None:
    good = sns(ses_bounce(), Subject="A subject")
    assert hear(good).events
    for altered in ("A" + good[field], good[field][:-1], "", None, 7, [good[field]]):
        with pytest.raises(InvalidSignature):
            hear({**good, field: altered})
    with pytest.raises(InvalidSignature):
        hear({name: value for name, value in good.items() if name != field})


@pytest.mark.accept("F36", part="SNS")
def test_another_topic_is_refused_before_anything_is_fetched_though_sns_signed_it() -> None:
    web = web_of_sns()
    arns = (OTHER_TOPIC, TOPIC.upper(), TOPIC.replace("123456789012", "210987654321"), TOPIC + ":x")
    for arn in arns:
        with pytest.raises(InvalidSignature, match="PAPERROUND_SES_TOPIC_ARN"):
            hear(sns(ses_bounce(), TopicArn=arn), web)
        with pytest.raises(InvalidSignature, match="PAPERROUND_SES_TOPIC_ARN"):
            hear(confirmation(TopicArn=arn), web)
    assert web.asked == []


@pytest.mark.accept("F36", part="SNS")
def test_a_strangers_key_proves_nothing() -> None:
    with pytest.raises(InvalidSignature, match="not that of SNS"):
        hear(sns(ses_bounce(), key=strangers_key()))


@pytest.mark.accept("F36", part="SNS")
@pytest.mark.parametrize("age", [-HOUR, timedelta(hours=26), timedelta(days=400)])
def test_an_old_message_is_refused_before_anything_is_fetched(age: timedelta) -> None:
    web = web_of_sns()
    with pytest.raises(InvalidSignature, match="too old"):
        hear(sns(ses_bounce(), Timestamp=stamp(NOW - age)), web)
    assert web.asked == []
    assert hear(sns(ses_bounce(), Timestamp=stamp(NOW - 24 * HOUR)), web).events


@pytest.mark.accept("F36", part="SNS")
@pytest.mark.parametrize(
    "url",
    [
        CERTIFICATE_URL.replace("https", "http"),
        CERTIFICATE_URL.replace("eu-central-1", "us-east-1"),
        CERTIFICATE_URL.replace(".amazonaws.com", ".amazonaws.com.evil.example"),
        CERTIFICATE_URL.replace("https://", "https://evil.example/"),
        CERTIFICATE_URL.replace("https://", "https://evil.example@"),
        CERTIFICATE_URL.replace("https://", "https://evil.example#@"),
        CERTIFICATE_URL.replace(".com/", ".com@evil.example/"),
        CERTIFICATE_URL.replace(".com/", ".com:8443/"),
        CERTIFICATE_URL.replace(".com/", ".com./"),
        CERTIFICATE_URL.replace(".com/", ".com//"),
        CERTIFICATE_URL.replace(".com/", ".com\\evil.example/"),
        CERTIFICATE_URL.replace(".com/", ".com/../"),
        CERTIFICATE_URL.replace("sns.", "s3."),
        CERTIFICATE_URL.replace("sns.", "xsns."),
        CERTIFICATE_URL.replace("sns.eu-central-1.", "sns."),
        CERTIFICATE_URL + "?x=.pem",
        CERTIFICATE_URL + "#x",
        CERTIFICATE_URL + "\n",
        CERTIFICATE_URL.removesuffix(".pem"),
        CERTIFICATE_URL.replace("0123", "012G"),
        f"{SNS}/?Action=GetTopicAttributes&x=/SimpleNotificationService-{'0' * 32}.pem",
        f" {CERTIFICATE_URL}",
        "",
        "file:///etc/ssl/cert.pem",
    ],
)
def test_a_certificate_from_anywhere_else_is_never_fetched(url: str) -> None:
    topic = topic_of(TOPIC)
    assert not is_certificate_of(url, topic)
    web = web_of_sns()
    web.pages[url] = certificate(strangers_key())
    with pytest.raises(InvalidSignature):
        hear(sns(ses_bounce(), key=strangers_key(), SigningCertURL=url), web)
    assert CERTIFICATE_URL in web.asked or web.asked == []


def test_the_certificate_is_fetched_once() -> None:
    web = web_of_sns()
    hook = hook_of(web)
    for _ in range(3):
        assert hook.hear(json.dumps(sns(ses_bounce())).encode(), {}, now=NOW).events
    assert web.asked == [CERTIFICATE_URL]


def test_certificates_that_are_kept_do_not_pile_up() -> None:
    web = web_of_sns()
    hook = hook_of(web)
    for number in range(40):
        url = f"{SNS}/SimpleNotificationService-{number:032x}.pem"
        web.pages[url] = certificate()
        assert hook.hear(json.dumps(sns({}, SigningCertURL=url)).encode(), {}, now=NOW).ignored
    assert len(hook.authority._kept) == 8


@pytest.mark.accept("F36", part="SNS")
@pytest.mark.parametrize(
    "pem",
    [
        b"no certificate",
        certificate(ends=NOW - HOUR),
        certificate(begins=NOW + HOUR),
        certificate(rsa_key(1024)),
        certificate(ec.generate_private_key(ec.SECP256R1())),
    ],
    ids=["none", "over", "not yet", "short", "another kind"],
)
def test_a_certificate_that_is_not_good_proves_nothing(pem: bytes) -> None:
    key = rsa_key(1024) if pem == certificate(rsa_key(1024)) else rsa_key()
    with pytest.raises(InvalidSignature, match="certificate"):
        hear(sns(ses_bounce(), key=key), web_of_sns(pem))


def test_a_certificate_that_answers_from_elsewhere_proves_nothing() -> None:
    web = web_of_sns()
    web.moved[CERTIFICATE_URL] = "https://evil.example/x.pem"
    with pytest.raises(InvalidSignature, match="somewhere else"):
        hear(sns(ses_bounce()), web)


def test_a_certificate_that_cannot_be_had_now_is_no_forgery() -> None:
    web = web_of_sns()
    for error in (FetchFailed("is down"), FetchFailed("is down", status=503)):
        web.pages[CERTIFICATE_URL] = error
        with pytest.raises(FetchFailed):
            hear(sns(ses_bounce()), web)
    del web.pages[CERTIFICATE_URL]
    with pytest.raises(InvalidSignature, match="no such certificate"):
        hear(sns(ses_bounce()), web)


@pytest.mark.accept("F36", part="SNS")
def test_the_subscription_of_the_topic_is_confirmed() -> None:
    web = web_of_sns()
    assert hear(confirmation(), web) == ReportedEvents(ignored=1)
    assert web.asked == [CERTIFICATE_URL, CONFIRM_URL]


@pytest.mark.accept("F36", part="SNS")
@pytest.mark.parametrize(
    "url",
    [
        CONFIRM_URL.replace("https", "http"),
        CONFIRM_URL.replace(".com/", ".com.evil.example/"),
        CONFIRM_URL.replace("https://", "https://evil.example/"),
        CONFIRM_URL.replace("ConfirmSubscription", "DeleteTopic"),
        CONFIRM_URL.replace(TOPIC, OTHER_TOPIC),
        CONFIRM_URL + "&Action=DeleteTopic",
        CONFIRM_URL + "&TopicArn=" + OTHER_TOPIC,
        CONFIRM_URL + "\r\nX: y",
        "http://169.254.169.254/latest/meta-data/",
        "",
    ],
)
def test_nothing_but_the_confirmation_of_the_topic_is_ever_asked_for(url: str) -> None:
    web = web_of_sns()
    with pytest.raises(InvalidSignature, match="SubscribeURL"):
        hear(confirmation(url), web)
    assert web.asked == [CERTIFICATE_URL]


def test_an_unsigned_confirmation_confirms_nothing() -> None:
    web = web_of_sns()
    for message in (
        {**confirmation(), "Signature": "AAAA"},
        sns("x", key=strangers_key(), signed=CONFIRMED, Type="SubscriptionConfirmation",
            SubscribeURL=CONFIRM_URL, Token="x"),
    ):  # fmt: skip
        with pytest.raises(InvalidSignature):
            hear(message, web)
    assert CONFIRM_URL not in web.asked


@pytest.mark.parametrize(
    ("arn", "host"),
    [
        (TOPIC, "sns.eu-central-1.amazonaws.com"),
        ("arn:aws-cn:sns:cn-north-1:123456789012:x", "sns.cn-north-1.amazonaws.com.cn"),
        ("arn:aws-us-gov:sns:us-gov-west-1:123456789012:x", "sns.us-gov-west-1.amazonaws.com"),
    ],
)
def test_the_host_of_a_topic_is_that_of_its_region(arn: str, host: str) -> None:
    assert topic_of(arn).host == host


@pytest.mark.parametrize(
    "arn",
    [
        "",
        "digest-bounces",
        TOPIC.replace("eu-central-1", "evil.example/"),
        TOPIC.replace("eu-central-1", "eu"),
        TOPIC.replace(":sns:", ":sqs:"),
        TOPIC + "\n",
        TOPIC + ":c9135db0-26c4-47ec-8998-413945fb5a96",
    ],
)
def test_what_names_no_topic_is_refused(arn: str) -> None:
    with pytest.raises(Misconfigured, match="is not a topic"):
        topic_of(arn)
