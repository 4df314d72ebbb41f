"""What a provider tells of a digest that was really sent, and what follows for its reader."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from starlette.testclient import TestClient

from paperround.config import Settings
from paperround.digests.sending import deliver
from paperround.subscribers.model import SubscriberState
from paperround.subscribers.store.subscribers import SubscriberStore
from paperround.web.app import create_app
from tests.builders import address
from tests.plugins.bounce_hooks.providers import (
    POLICY,
    SECRET,
    SIGNING_KEY,
    TOPIC,
    basic,
    mailgun,
    mailgun_event,
    postmark_bounce,
    postmark_change,
    sendgrid_event,
    sendgrid_headers,
    ses_bounce,
    sns,
    verification_key,
)
from tests.web.conftest import PUBLIC_URL, HandClock, Site, sql
from tests.web.hooks import Told

READING, STOPPED = SubscriberState.ACTIVE, SubscriberState.SUPPRESSED


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Every provider is set, and mails have a return address of their own."""
    means = {
        "bounce_address": "bounces@papers.example",
        "ses_topic_arn": TOPIC,
        "postmark_hook_secret": SECRET,
        "sendgrid_hook_key": verification_key(),
        "mailgun_hook_key": SIGNING_KEY,
    }
    return settings.model_copy(update=means)


@pytest.fixture
def site(settings: Settings) -> Iterator[Site]:
    clock = HandClock()
    runtime = Told(settings, clock)
    app = create_app(runtime)
    with TestClient(app, base_url=PUBLIC_URL, raise_server_exceptions=False) as client:
        yield Site(app=app, runtime=runtime, clock=clock, client=client)
    sql(runtime).dispose()


@dataclass(frozen=True)
class Sent:
    """Alice's digest as the relay took it."""

    site: Site
    sender: str
    message_id: str
    recipient: str

    def state(self) -> SubscriberState:
        with self.site.runtime.database.reading() as work:
            person = work[SubscriberStore].find(address("alice"))
        assert person is not None
        return person.state

    def tell(self, provider: str, body: bytes, headers: dict[str, str] | None = None) -> int:
        answer = self.site.client.post(f"/hooks/{provider}", content=body, headers=headers or {})
        return answer.status_code

    def about(self, told: dict[str, Any]) -> dict[str, Any]:
        """What SES tells, of this mail."""
        block = told.get("bounce") or told["complaint"]
        [recipient] = block.get("bouncedRecipients") or block["complainedRecipients"]
        recipient["emailAddress"] = self.recipient
        told["mail"] |= {"source": self.sender, "destination": [self.recipient], "headers": []}
        told["mail"]["commonHeaders"] = {"messageId": self.message_id}
        return told


@pytest.fixture
def sent(site: Site, digest_token: str) -> Sent:
    assert deliver(site.runtime.post()).totals.sent == 1
    [twin] = (site.runtime.settings.data_dir / "outbox").glob("[!.]*.json")
    envelope = json.loads(twin.read_text(encoding="utf-8"))
    mail = twin.with_suffix(".eml").read_text(encoding="utf-8")
    message_id = mail.partition("Message-ID: ")[2].partition("\n")[0].strip()
    return Sent(
        site=site,
        sender=envelope["sender"],
        message_id=message_id,
        recipient=envelope["recipient"],
    )


def request(provider: str, sent: Sent, words: str | None = None) -> tuple[bytes, dict[str, str]]:
    """A genuine hard bounce of Alice's digest; `words` in place of the far end's."""
    match provider:
        case "ses":
            told = ses_bounce() if words is None else ses_bounce(words=words)
            return json.dumps(sns(sent.about(told))).encode(), {}
        case "postmark":
            told = postmark_bounce() if words is None else postmark_bounce(words=words)
            return json.dumps({**told, "Email": sent.recipient}).encode(), basic(SECRET)
        case "sendgrid":
            said = {} if words is None else {"reason": words}
            told = sendgrid_event(email=sent.recipient, **{"smtp-id": sent.message_id}, **said)
            body = json.dumps([told]).encode()
            return body, sendgrid_headers(body)
        case _:
            told = mailgun_event(recipient=sent.recipient)
            told["message"]["headers"]["message-id"] = sent.message_id.strip("<>")
            told["envelope"]["sender"] = sent.sender
            if words is not None:
                told["delivery-status"]["message"] = words
            return mailgun(told), {}


PROVIDERS = ("ses", "postmark", "sendgrid", "mailgun")


@pytest.mark.accept("F36", part="hooks stop")
@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_reader_whose_address_is_gone_is_stopped_once(sent: Sent, provider: str) -> None:
    body, headers = request(provider, sent)
    assert sent.tell(provider, body, headers) == 200
    assert sent.state() is STOPPED
    before = sent.site.dump()
    sent.site.clock.move(minutes=7)
    assert sent.tell(provider, body, headers) == 200
    assert sent.site.dump() == before


@pytest.mark.accept("F36", part="hooks stop")
@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_refusal_for_policy_that_is_called_permanent_stops_nobody(
    sent: Sent, provider: str
) -> None:
    assert sent.tell(provider, *request(provider, sent, words=POLICY)) == 200
    assert sent.state() is READING


@pytest.mark.accept("F36", part="hooks stop")
def test_an_address_on_a_suppression_list_takes_two_days(sent: Sent) -> None:
    change = {**postmark_change("HardBounce"), "Recipient": sent.recipient}
    assert sent.tell("postmark", json.dumps(change).encode(), basic(SECRET)) == 200
    assert sent.state() is READING
