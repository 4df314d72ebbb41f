"""Webhooks: JSON, signed as Standard Webhooks (https://www.standardwebhooks.com) describes.

    webhook-id         the same on every try, so a receiver recognises a repetition
    webhook-timestamp  when this try was made, seconds since 1970
    webhook-signature  `v1,` and the base64 of HMAC-SHA256 over `id.timestamp.body`

The id is the Message-ID of the ledger's row up to its `@`: 32 characters, none of which is the full
stop that separates the parts.
"""

import base64
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from paperround.core.i18n.localize import english_reason
from paperround.core.times import format_instant
from paperround.delivery.model import ReplyClass
from paperround.digests.model import DigestPaper
from paperround.http.model import Page
from paperround.plugins.channels.model import Hook, key_bytes
from paperround.plugins.channels.responses import judged
from paperround.plugins.channels.sender import (
    ChannelService,
    Digest,
    Message,
    TestMessage,
    excerpt_of_response,
)
from paperround.plugins.channels.text import json_message, plain

ID = "webhook-id"
POSTED = "digest.posted"
TESTED = "channel.tested"


def messages(_hook: Hook, digest: Digest) -> Sequence[Message]:
    """Return the whole digest in one message."""
    view = digest.view
    data = {
        "list": view.list_name,
        "list_title": view.list_title,
        "date": view.local_date.isoformat(),
        "edition_url": view.web_url,
        "papers": [_paper(number, one) for number, one in enumerate(view.papers, start=1)],
        "more_papers": view.more_papers,
        "withdrawn": [{"title": plain(one.title), "url": one.url} for one in view.withdrawn],
        "acknowledgements": list(view.acknowledgements),
    }
    told = _message(POSTED, digest.message_id, digest.dated, data)
    return [replace(told, papers=len(view.papers))]


def greeting(_hook: Hook, words: TestMessage) -> Message:
    """Return the test message, which has a type of its own."""
    data = {"list_title": words.list_title, "words": words.words}
    return _message(TESTED, words.message_id, words.dated, data)


def judge(page: Page) -> ReplyClass:
    """Judge the response by its status."""
    said = excerpt_of_response(page)
    return judged(page, said=f"it says {said[:120]}" if said and page.status >= 400 else None)


def signed(hook: Hook, message: Message, now: datetime) -> Mapping[str, str]:
    """Return the headers that sign `message` at `now`."""
    stamp = str(int(now.timestamp()))
    name = message.headers[ID]
    told = b".".join([name.encode(), stamp.encode(), message.body])
    proof = hmac.new(key_bytes(hook.key), told, hashlib.sha256).digest()
    signature = f"v1,{base64.b64encode(proof).decode()}"
    return {"webhook-timestamp": stamp, "webhook-signature": signature}


def _message(what: str, message_id: str, dated: datetime, data: Mapping[str, Any]) -> Message:
    said = {"type": what, "timestamp": format_instant(dated), "data": data}
    name = message_id.strip("<>").partition("@")[0]
    return json_message(said, headers={ID: name})


def _paper(number: int, paper: DigestPaper) -> Mapping[str, Any]:
    return {
        "position": number,
        "title": plain(paper.title),
        "authors": [plain(name) for name in paper.authors],
        "gist": plain(paper.gist),
        "reason": plain(english_reason(paper.reason)),
        "votes": paper.votes,
        "comments": paper.comments,
        "score": paper.score,
        "parts": dict(paper.parts),
        "links": dict(paper.links),
        "url": paper.page_url,
    }


SERVICE = ChannelService(
    messages=messages,
    greeting=greeting,
    judge=judge,
    signed=signed,
)
"""The channel `webhook`."""
