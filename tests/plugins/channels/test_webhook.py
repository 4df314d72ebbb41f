"""The signature of a webhook, as whoever gets it checks it."""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest

from paperround.core.errors import InvalidInput
from paperround.plugins.channels.model import ChannelKind, Hook, key_bytes, written_key
from paperround.plugins.channels.sender import Message
from paperround.plugins.channels.webhook import ID, messages, signed
from tests.plugins.channels.services import KEY
from tests.plugins.channels.views import NOW, digest, paper

HOOK = Hook(kind=ChannelKind.WEBHOOK, url="https://lab.example/hooks/papers", key=KEY)


def verified(headers: Mapping[str, str], body: bytes, key: str) -> bool:
    """The check that docs/channels.md gives to whoever gets posts."""
    told = b".".join([headers["webhook-id"].encode(), headers["webhook-timestamp"].encode(), body])
    secret = base64.b64decode(key.removeprefix("whsec_"))
    proof = base64.b64encode(hmac.new(secret, told, hashlib.sha256).digest()).decode()
    claims = headers["webhook-signature"].split()
    return any(hmac.compare_digest(f"v1,{proof}", claim) for claim in claims)


def posted(now: datetime = NOW, hook: Hook = HOOK) -> tuple[Message, dict[str, str]]:
    [message] = messages(hook, digest(paper(1)))
    return message, {**message.headers, **signed(hook, message, now=now)}


@pytest.mark.accept("F25", part="signature")
def test_a_post_is_proven_by_its_signature() -> None:
    message, headers = posted()
    assert verified(headers, message.body, KEY)
    assert not verified(headers, message.body + b" ", KEY)
    assert not verified(headers, message.body, written_key(b"another key of 24 bytes!"))


def test_the_example_of_the_standard_comes_out_as_it_says() -> None:
    """From the test vectors of the Standard Webhooks libraries."""
    message = Message(body=b'{"test": 2432232314}', headers={ID: "msg_p5jXN8AQM9LWM0D4loKWxJek"})
    headers = signed(HOOK, message, now=datetime.fromtimestamp(1614265330, UTC))
    assert headers == {
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


def test_every_try_has_the_same_id_and_a_time_of_its_own() -> None:
    (_, first), (_, second) = posted(), posted(NOW + timedelta(minutes=5))
    assert first[ID] == second[ID] == "0123456789abcdef0123456789abcdef"
    assert first["webhook-timestamp"] != second["webhook-timestamp"]
    assert first["webhook-signature"] != second["webhook-signature"]


def test_the_key_is_not_in_what_is_printed_of_a_hook() -> None:
    assert KEY not in repr(HOOK)


@pytest.mark.parametrize("key", ["", "secret", "whsec_", "whsec_AAAA", "whsec_?" * 9, KEY[6:]])
def test_a_key_that_is_none_is_refused(key: str) -> None:
    with pytest.raises(InvalidInput, match="24 to 64 bytes"):
        key_bytes(key)
