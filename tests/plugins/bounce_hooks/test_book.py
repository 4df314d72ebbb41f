"""A hook is there when its provider can prove itself, and a wrong setting is named."""

import base64
from collections.abc import Sequence
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from paperround.bootstrap.mail import provider_hooks
from paperround.config import Settings, load_settings
from paperround.core.errors import Misconfigured
from tests.builders import NOW
from tests.fakes import FakeClient
from tests.plugins.bounce_hooks.providers import (
    SECRET,
    SIGNING_KEY,
    TOPIC,
    rsa_key,
    verification_key,
)

SITE = "https://papers.example"


SETTINGS = {
    "ses": "ses_topic_arn",
    "postmark": "postmark_hook_secret",
    "sendgrid": "sendgrid_hook_key",
    "mailgun": "mailgun_hook_key",
}


def made(*, public_url: str = SITE, **means: Sequence[str]) -> set[str]:
    named = {SETTINGS[name]: ",".join(values) for name, values in means.items()}
    settings = Settings(public_url=public_url, **named)  # type: ignore[arg-type]
    return set(provider_hooks(settings, lambda: FakeClient(now=NOW)))


def test_without_a_setting_there_is_no_hook_and_nobody_to_ask() -> None:
    def nobody() -> FakeClient:
        raise AssertionError("a client was made")

    assert not provider_hooks(Settings(public_url=SITE), nobody)
    assert set(provider_hooks(Settings(public_url=SITE, mailgun_hook_key=SIGNING_KEY), nobody)) == {
        "mailgun"
    }


def test_each_setting_makes_its_hook() -> None:
    everything: dict[str, Any] = {
        "ses": (TOPIC, TOPIC.replace("bounces", "complaints")),
        "postmark": (SECRET,),
        "sendgrid": (verification_key(),),
        "mailgun": (SIGNING_KEY,),
    }
    assert made(**everything) == set(everything)


@pytest.mark.parametrize(
    ("means", "named"),
    [
        ({"ses": ("digest-bounces",)}, "PAPERROUND_SES_TOPIC_ARN"),
        ({"ses": (TOPIC, "x")}, "PAPERROUND_SES_TOPIC_ARN"),
        ({"postmark": ("hunter2",)}, "PAPERROUND_POSTMARK_HOOK_SECRET"),
        ({"postmark": (SECRET,), "public_url": "http://papers.example"}, "https"),
        ({"mailgun": ("hunter2",)}, "PAPERROUND_MAILGUN_HOOK_KEY"),
        ({"sendgrid": ("hunter2",)}, "PAPERROUND_SENDGRID_HOOK_KEY"),
        ({"sendgrid": (base64.b64encode(b"x").decode(),)}, "PAPERROUND_SENDGRID_HOOK_KEY"),
        ({"sendgrid": (verification_key(rsa_key()),)}, "PAPERROUND_SENDGRID_HOOK_KEY"),
        (
            {"sendgrid": (verification_key(ec.generate_private_key(ec.SECP384R1())),)},
            "PAPERROUND_SENDGRID_HOOK_KEY",
        ),
    ],
)
def test_a_setting_that_proves_nothing_is_named_and_not_repeated(
    means: dict[str, Any], named: str
) -> None:
    with pytest.raises(Misconfigured, match=named) as raised:
        made(**means)
    assert "hunter2" not in str(raised.value)
    assert SECRET not in str(raised.value)


def test_on_this_machine_postmark_may_come_in_the_clear() -> None:
    assert made(postmark=(SECRET,), public_url="http://127.0.0.1:8000") == {"postmark"}


def test_settings_may_hold_several_and_show_no_secret() -> None:
    settings = Settings(
        ses_topic_arn=f"{TOPIC}, {TOPIC}2",
        postmark_hook_secret=SECRET,
        mailgun_hook_key=SIGNING_KEY,
    )
    assert settings.all_of("ses_topic_arn") == (TOPIC, f"{TOPIC}2")
    assert settings.all_of("sendgrid_hook_key") == ()
    assert SECRET not in repr(settings)
    assert SIGNING_KEY not in repr(settings)


def test_a_wrong_rate_is_named() -> None:
    with pytest.raises(Misconfigured, match="PAPERROUND_RATE_HOOKS_IP"):
        load_settings({"PAPERROUND_RATE_HOOKS_IP": "often"})
