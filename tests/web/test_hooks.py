"""`POST /hooks/{provider}`: what is proven is taken down once, and nothing else does anything."""

import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx2 as httpx
import pytest
from sqlalchemy import event
from sqlalchemy.exc import OperationalError
from starlette.testclient import TestClient

from paperround.bootstrap import AppContext
from paperround.config import Settings
from paperround.core.errors import FetchFailed, Misconfigured
from paperround.web.app import create_app
from tests.fakes import FakeClient
from tests.plugins.bounce_hooks.providers import (
    CERTIFICATE_URL,
    READER,
    SECRET,
    SIGNING_KEY,
    TOPIC,
    basic,
    ec_key,
    mailgun,
    mailgun_event,
    mailgun_proof,
    postmark_bounce,
    sendgrid_event,
    sendgrid_headers,
    ses_bounce,
    sns,
    strangers_key,
    verification_key,
    web_of_sns,
)
from tests.web.conftest import PUBLIC_URL, HandClock, Site, sql
from tests.web.hooks import Told
from tests.web.secured import secured

PROVIDERS = ("ses", "postmark", "sendgrid", "mailgun")
PROBLEM = "application/problem+json"


@dataclass
class Listening(Site):
    """A site that hears every provider."""

    web: FakeClient

    def tell(self, provider: str, body: bytes, headers: dict[str, str]) -> httpx.Response:
        return self.client.post(f"/hooks/{provider}", content=body, headers=headers)


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Every provider is set."""
    means = {
        "ses_topic_arn": TOPIC,
        "postmark_hook_secret": SECRET,
        "sendgrid_hook_key": verification_key(),
        "mailgun_hook_key": SIGNING_KEY,
    }
    return settings.model_copy(update=means)


@pytest.fixture
def site(settings: Settings) -> Iterator[Listening]:
    clock = HandClock()
    runtime = Told(settings, clock)
    app = create_app(runtime)
    with TestClient(app, base_url=PUBLIC_URL, raise_server_exceptions=False) as client:
        yield Listening(app=app, runtime=runtime, clock=clock, client=client, web=runtime.web)
    sql(runtime).dispose()


def genuine(provider: str) -> tuple[bytes, dict[str, str]]:
    """A request of each provider that tells a bounce."""
    match provider:
        case "ses":
            return json.dumps(sns(ses_bounce())).encode(), {"content-type": "text/plain"}
        case "postmark":
            return json.dumps(postmark_bounce()).encode(), basic(SECRET)
        case "sendgrid":
            body = json.dumps([sendgrid_event(), sendgrid_event("open")]).encode()
            return body, sendgrid_headers(body)
        case _:
            return mailgun(mailgun_event()), {}


def forged(provider: str) -> tuple[bytes, dict[str, str]]:
    """The same, proven by a stranger."""
    body, headers = genuine(provider)
    match provider:
        case "ses":
            return json.dumps(sns(ses_bounce(), key=strangers_key())).encode(), headers
        case "postmark":
            return body, basic(SECRET + "x")
        case "sendgrid":
            return body, sendgrid_headers(body, key=ec_key("a stranger's"))
        case _:
            return mailgun(mailgun_event(), mailgun_proof(key="a-key-of-a-stranger")), {}


@pytest.mark.accept("F36", part="hooks")
@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_genuine_request_is_taken_down(site: Listening, provider: str) -> None:
    answer = site.tell(provider, *genuine(provider))
    assert answer.status_code == 200, answer.text
    assert answer.json() == {"events": 1, "ignored": 1 if provider == "sendgrid" else 0}
    assert secured(dict(answer.headers))
    assert "set-cookie" not in answer.headers


@pytest.mark.accept("F36", part="hooks")
@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_forged_request_changes_and_learns_nothing(
    site: Listening, provider: str, caplog: pytest.LogCaptureFixture
) -> None:
    before = site.dump()
    with caplog.at_level(logging.DEBUG):
        answers = [site.tell(provider, *forged(provider)), site.tell(provider, b"", {})]
        answers.append(site.tell(provider, b"\xff" * 1000, {"authorization": "Basic //4="}))
    assert {answer.status_code for answer in answers} == {403}
    assert len({answer.text for answer in answers}) == 1
    for answer in answers:
        assert answer.headers["content-type"] == PROBLEM
        assert secured(dict(answer.headers))
    assert site.dump() == before
    assert f"the hook {provider} refused a request" in caplog.text


@pytest.mark.accept("P1", part="hooks")
@pytest.mark.parametrize("provider", PROVIDERS)
def test_no_address_and_no_secret_gets_into_a_log_or_an_answer(
    site: Listening, provider: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        for body, headers in (genuine(provider), forged(provider)):
            answer = site.tell(provider, body, headers)
            for secret in (READER, READER.partition("@")[0] + "@", SECRET, SIGNING_KEY):
                assert secret not in caplog.text + answer.text


@pytest.mark.accept("F36", part="hooks")
def test_a_provider_that_is_not_set_has_no_hook(settings: Settings) -> None:
    bare = {"ses_topic_arn": "", "postmark_hook_secret": "", "sendgrid_hook_key": ""}
    runtime = Told(settings.model_copy(update=bare), HandClock())
    with TestClient(create_app(runtime), base_url=PUBLIC_URL) as client:
        for provider in ("ses", "postmark", "sendgrid", "none", "MAILGUN", "mailgun/x", ""):
            body, headers = genuine(provider)
            answer = client.post(f"/hooks/{provider}", content=body, headers=headers)
            assert answer.status_code == 404, provider
            assert answer.headers["content-type"] == PROBLEM
        assert client.post("/hooks/mailgun", content=genuine("mailgun")[0]).status_code == 200
    assert runtime.web.asked == []
    sql(runtime).dispose()


@pytest.mark.accept("F36", part="hooks")
def test_what_cannot_be_proven_now_is_to_be_sent_again(site: Listening) -> None:
    site.web.pages[CERTIFICATE_URL] = FetchFailed("cannot be reached")
    answer = site.tell("ses", *genuine("ses"))
    assert answer.status_code == 503
    assert answer.headers["content-type"] == PROBLEM
    site.web.pages.update(web_of_sns().pages)
    assert site.tell("ses", *genuine("ses")).status_code == 200


@pytest.mark.accept("F36", part="hooks")
@pytest.mark.parametrize("provider", PROVIDERS)
def test_what_the_database_cannot_take_is_to_be_sent_again(site: Listening, provider: str) -> None:
    engine = sql(site.runtime)

    def fail(*_: object) -> None:
        raise OperationalError("statement", {}, Exception("database is locked"))

    event.listen(engine, "before_cursor_execute", fail)
    answer = site.tell(provider, *genuine(provider))
    event.remove(engine, "before_cursor_execute", fail)
    assert answer.status_code == 503
    assert answer.headers["content-type"] == PROBLEM
    assert site.tell(provider, *genuine(provider)).status_code == 200


@pytest.mark.accept("W3", part="hooks")
def test_a_body_may_have_a_mebibyte_and_no_more(site: Listening) -> None:
    room = 1024 * 1024 - len(genuine("postmark")[0])
    body, headers = genuine("postmark")
    assert site.tell("postmark", body + b" " * room, headers).status_code == 200
    answer = site.tell("postmark", body + b" " * (room + 1), headers)
    assert answer.status_code == 413
    assert answer.headers["content-type"] == PROBLEM
    for body in (b"[" * 1_000_000, b'{"signature":' * 70_000):
        for provider in PROVIDERS:
            assert site.tell(provider, body, {}).status_code == 403
    assert site.tell("postmark", b"[" * 1_000_000, headers).json()["ignored"] == 1


@pytest.mark.accept("W6", part="hooks")
def test_no_cookie_counts_and_none_is_in_the_way(site: Listening) -> None:
    body, headers = genuine("postmark")
    foreign = {"cookie": "a=b", "origin": "https://evil.example", "sec-fetch-site": "cross-site"}
    assert site.tell("postmark", body, {**headers, **foreign}).status_code == 200
    assert site.tell("postmark", body, foreign).status_code == 403


@pytest.mark.accept("F36", part="hooks")
def test_who_calls_too_often_waits(settings: Settings) -> None:
    runtime = Told(settings.model_copy(update={"rate_hooks_ip": "3/m"}), HandClock())
    with TestClient(create_app(runtime), base_url=PUBLIC_URL) as client:
        body, headers = forged("postmark")
        said = [client.post("/hooks/postmark", content=body, headers=headers) for _ in range(4)]
        assert [one.status_code for one in said] == [403, 403, 403, 429]
        assert int(said[-1].headers["retry-after"]) > 0
        assert "requests" in said[-1].json()["detail"]
    sql(runtime).dispose()


def test_a_wrong_setting_is_told_at_the_start(settings: Settings, tmp_path: Path) -> None:
    wrong = settings.model_copy(update={"ses_topic_arn": "bounces", "data_dir": tmp_path})
    with pytest.raises(Misconfigured, match="PAPERROUND_SES_TOPIC_ARN"):
        create_app(AppContext(wrong, HandClock()))
