"""Discord: a webhook takes messages with embeds
(https://discord.com/developers/docs/resources/webhook#execute-webhook).

At most 10 embeds a message and 6,000 characters in all of them, 256 a title, 4,096 a description,
2,000 of text beside them. Nobody is notified: `allowed_mentions` is empty.
"""

import re
from collections.abc import Sequence
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from paperround.core.reasons import counted
from paperround.delivery.model import ReplyClass
from paperround.digests.model import DigestView
from paperround.http.model import Page
from paperround.papers.formatting import shortened, web_address
from paperround.plugins.channels.model import Hook
from paperround.plugins.channels.responses import gone, judged, object_of, pause_of
from paperround.plugins.channels.sender import ChannelService, Digest, Message, TestMessage
from paperround.plugins.channels.text import (
    Markup,
    edition_words,
    fitting,
    group_by_size,
    headline,
    json_message,
    plain,
    units,
    within,
)

MOST_EMBEDS = 10
LONGEST_TITLE = 256
LONGEST_EMBED = 2800
"""Most characters of one paper: two of the longest fit into one message."""

LONGEST_MESSAGE = 6000
LONGEST_CONTENT = 2000

UNKNOWN = frozenset({10003, 10015})
"""Unknown channel, unknown webhook (https://discord.com/developers/docs/topics/opcodes-and-status-codes)."""

_MARKS = re.compile(r"([\\*_~`|>#\[\]()<])")

_Embed = dict[str, Any]


def messages(_hook: Hook, digest: Digest) -> Sequence[Message]:
    """Return the digest in as many messages as its papers need."""
    view = digest.view
    embeds = [_embed(number, view) for number in range(1, len(view.papers) + 1)]
    sizes = [units(str(one["title"])) + units(str(one["description"])) for one in embeds]
    groups = group_by_size(sizes, most=MOST_EMBEDS, limit=LONGEST_MESSAGE) or [range(0)]
    return [
        _message(_content(view, place, len(groups)), [embeds[one] for one in group])
        for place, group in enumerate(groups, start=1)
    ]


def greeting(_hook: Hook, words: TestMessage) -> Message:
    """Return the test message."""
    return _message(escaped(plain(words.words)), [])


def judge(page: Page) -> ReplyClass:
    """Judge the response, which is JSON with a code of Discord's own."""
    said = object_of(page)
    words = str(said["message"]) if isinstance(said.get("message"), str) else None
    told = f"Discord says {plain(words)}" if words else None
    if page.status in (401, 403) or said.get("code") in UNKNOWN:
        return gone(f"{told or 'Discord refuses the hook'} (status {page.status})")
    return judged(page, said=told, wait=pause_of(said))


def escaped(text: str) -> str:
    """Return `text` with the characters of Discord's Markdown escaped."""
    return _MARKS.sub(r"\\\1", text)


def _link(url: str, text: str) -> str:
    return f"[{text}]({_address(url)})"


MARKUP = Markup(escape=escaped, link=_link, strong="**{}**", light="*{}*")


def _address(url: str) -> str:
    return url.replace("(", "%28").replace(")", "%29")


def _embed(number: int, view: DigestView) -> _Embed:
    item, text = fitting(number, view.papers[number - 1], MARKUP.below_title, limit=LONGEST_EMBED)
    # Cut before escaping, so that no escape is cut in two.
    for length in (LONGEST_TITLE - 8, 160, 100):
        title = f"{item.number}. {escaped(shortened(item.title, length))}"
        if units(title) <= LONGEST_TITLE:
            break
    embed = {"title": title, "description": text}
    return embed | ({"url": item.url} if item.url else {})


def _content(view: DigestView, place: int, of: int) -> str:
    """Return the text above the embeds. There is none below them, so the first message has what
    would be the footer."""
    if place > 1:
        return f"**{escaped(headline(view))}** ({place} of {of})"
    edition = f"[{edition_words(view)}](<{_address(web_address(view.web_url))}>)"
    papers = counted(len(view.papers), "paper")
    told = [f"**{escaped(headline(view))}**", f"{papers} · {edition}"]
    told += [
        f"Withdrawn since it was posted: [{escaped(shortened(plain(one.title), 120))}]"
        f"(<{_address(web_address(one.url))}>)"
        for one in view.withdrawn
    ]
    told += [f"-# {escaped(plain(one))}" for one in view.acknowledgements]
    return within(told, LONGEST_CONTENT)


def _message(content: str, embeds: Sequence[_Embed]) -> Message:
    said = {"content": content, "embeds": embeds, "allowed_mentions": {"parse": []}}
    return json_message(said, papers=len(embeds))


def _posted_to(hook: Hook) -> str:
    """Return the hook's URL, with the parameter that asks for a response after the message is
    stored."""
    parts = urlsplit(hook.url)
    query = urlencode({**dict(parse_qsl(parts.query)), "wait": "true"})
    return urlunsplit(parts._replace(query=query))


SERVICE = ChannelService(messages=messages, greeting=greeting, judge=judge, address=_posted_to)
"""The channel `discord`."""
