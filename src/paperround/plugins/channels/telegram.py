"""Telegram: a bot sends messages to a chat (https://core.telegram.org/bots/api#sendmessage).

A text may have 4,096 units of UTF-16 without its tags; ours stay within that including tags. In
HTML `&`, `<`, `>` and `"` are escaped. A longer digest takes several messages, and no paper is
cut in two.
"""

import re
from collections.abc import Sequence
from html import escape
from typing import Any

from paperround.delivery.model import ReplyClass
from paperround.digests.model import DigestView
from paperround.http.model import Page
from paperround.papers.formatting import shortened
from paperround.plugins.channels.model import Hook
from paperround.plugins.channels.responses import gone, judged, object_of, pause_of
from paperround.plugins.channels.sender import ChannelService, Digest, Message, TestMessage
from paperround.plugins.channels.text import (
    Markup,
    group_by_size,
    headline,
    json_message,
    plain,
    units,
)

LONGEST_TEXT = 4096
LONGEST_PAPER = 1900
"""Most units of one paper: two of the longest fit into one message."""

_GAP = "\n\n"
_ROOM = 250
"""Units reserved for the header of every message."""

_CALLS = re.compile(r"((?<!\w)@|(?<![\w/:])/)(?=\w)")
"""Characters that turn the next word into a mention or a command, outside of URLs."""

_NO_CHAT = ("chat not found", "chat_id is empty", "group chat was upgraded", "peer_id_invalid")


def messages(hook: Hook, digest: Digest) -> Sequence[Message]:
    """Return the digest in as many messages as its papers need."""
    view = digest.view
    told = MARKUP.papers(view, LONGEST_PAPER) + MARKUP.foot(view, LONGEST_PAPER)
    sizes = [units(one) + len(_GAP) for one in told]
    groups = group_by_size(sizes, most=len(told), limit=LONGEST_TEXT - _ROOM)
    return [
        _message(
            hook,
            _GAP.join([_head(view, place, len(groups)), *(told[one] for one in group)]),
            papers=sum(one < len(view.papers) for one in group),
        )
        for place, group in enumerate(groups, start=1)
    ]


def greeting(hook: Hook, words: TestMessage) -> Message:
    """Return the test message."""
    return _message(hook, escaped(plain(words.words)))


def judge(page: Page) -> ReplyClass:
    """Judge the response: `ok`, or a description and sometimes parameters."""
    said = object_of(page)
    words = str(said.get("description") or "")
    told = f"Telegram says {plain(words)}" if words else None
    no_chat = page.status == 400 and any(one in words.lower() for one in _NO_CHAT)
    if page.status in (401, 403) or no_chat:
        return gone(f"{told or 'Telegram refuses the bot'}{_new_chat(said)}")
    return judged(page, said=told, wait=pause_of(_parameters(said)))


def escaped(text: str) -> str:
    """Return `text` as HTML. Telegram turns `@name` into a mention and `/word` into a command
    anywhere in a text, so an invisible character is inserted after the sign."""
    return escape(_CALLS.sub("\\1\u2060", text))


def _link(url: str, text: str) -> str:
    return f'<a href="{escape(url)}">{escaped(text)}</a>' if url else escaped(text)


MARKUP = Markup(escape=escaped, link=_link, strong="<b>{}</b>", light="<i>{}</i>")


def _head(view: DigestView, place: int, of: int) -> str:
    part = f" ({place} of {of})" if of > 1 else ""
    return f"<b>{escaped(shortened(headline(view), 150))}</b>{part}"


def _new_chat(said: dict[str, Any]) -> str:
    new = _parameters(said).get("migrate_to_chat_id")
    return f": the chat is {new} now" if isinstance(new, int) else ""


def _parameters(said: dict[str, Any]) -> dict[str, Any]:
    found = said.get("parameters")
    return found if isinstance(found, dict) else {}


def _message(hook: Hook, text: str, *, papers: int = 0) -> Message:
    said = {
        "chat_id": hook.chat,
        "text": text,
        "parse_mode": "HTML",
        "link_preview_options": {"is_disabled": True},
    }
    return json_message(said, papers=papers)


SERVICE = ChannelService(
    messages=messages,
    greeting=greeting,
    judge=judge,
    address=lambda hook: f"{hook.url.rstrip('/')}/sendMessage",
)
"""The channel `telegram`."""
