"""What doctor says of the webhooks of mail providers."""

from pathlib import Path
from typing import Any

import pytest

from paperround.bootstrap import AppContext
from paperround.config import Settings
from paperround.core.clock import FixedClock
from paperround.doctor.findings import Level
from paperround.plugins.doctor_checks.relays import check_hooks
from tests.builders import NOW
from tests.plugins.bounce_hooks.providers import SECRET, SIGNING_KEY, TOPIC


@pytest.fixture
def home(tmp_path: Path) -> dict[str, Any]:
    return {"data_dir": tmp_path, "public_url": "https://papers.example"}


def said(home: dict[str, Any], **settings: Any) -> list[tuple[Level, str]]:
    found = check_hooks(AppContext(Settings(**home, **settings), FixedClock(NOW)))
    assert {one.check for one in found} == {"hooks"}
    return [(one.level, f"{one.says}: {one.way_out}") for one in found]


def test_without_a_provider_there_is_nothing_to_look_at(home: dict[str, Any]) -> None:
    [(level, _)] = said(home)
    assert level is Level.SKIPPED
    [(level, _)] = said(home, smtp_url="smtps://mail.example.org:465,smtp://[::1")
    assert level is Level.SKIPPED


def test_those_that_are_on_are_named_without_their_secrets(home: dict[str, Any]) -> None:
    [(level, words)] = said(home, postmark_hook_secret=SECRET, mailgun_hook_key=SIGNING_KEY)
    assert level is Level.OK
    assert "/hooks/mailgun, /hooks/postmark" in words
    assert SECRET not in words
    assert SIGNING_KEY not in words


def test_means_that_prove_nothing_are_a_failure(home: dict[str, Any]) -> None:
    [(level, words)] = said(home, postmark_hook_secret="short")
    assert level is Level.FAIL
    assert "PAPERROUND_POSTMARK_HOOK_SECRET" in words


@pytest.mark.parametrize(
    ("relay", "setting"),
    [
        ("smtps://u:p@email-smtp.eu-central-1.amazonaws.com:465", "PAPERROUND_SES_TOPIC_ARN"),
        ("smtp://127.0.0.1:25, smtps://smtp.postmarkapp.com", "PAPERROUND_POSTMARK_HOOK_SECRET"),
        ("smtps://apikey:p@smtp.sendgrid.net:465", "PAPERROUND_SENDGRID_HOOK_KEY"),
        ("smtps://smtp.eu.mailgun.org.:465", "PAPERROUND_MAILGUN_HOOK_KEY"),
    ],
)
def test_a_relay_whose_provider_is_not_heard_is_told_of(
    home: dict[str, Any], relay: str, setting: str
) -> None:
    [(level, words)] = said(home, smtp_url=relay)
    assert level is Level.WARN
    assert setting in words
    if setting == "PAPERROUND_SES_TOPIC_ARN":
        assert [level for level, _ in said(home, smtp_url=relay, ses_topic_arn=TOPIC)] == [Level.OK]


def test_a_host_that_only_looks_like_a_providers_is_none(home: dict[str, Any]) -> None:
    [(level, _)] = said(home, smtp_url="smtps://evilamazonaws.com:465")
    assert level is Level.SKIPPED
