"""Slack: an incoming webhook takes blocks (https://docs.slack.dev/reference/block-kit/blocks).

At most 50 blocks a message, 3,000 characters a text, 150 a header. In a text `&`, `<` and `>` are
escaped, so nothing in a title can become a link or notify a whole channel.
"""

from collections.abc import Sequence
from typing import Any

from paperround.delivery.model import ReplyClass
from paperround.digests.model import DigestView
from paperround.http.model import Page
from paperround.papers.formatting import shortened
from paperround.plugins.channels.model import Hook
from paperround.plugins.channels.responses import gone, judged
from paperround.plugins.channels.sender import (
    ChannelService,
    Digest,
    Message,
    TestMessage,
    excerpt_of_response,
)
from paperround.plugins.channels.text import (
    Markup,
    group_by_size,
    headline,
    json_message,
    plain,
    summary,
)

MOST_PAPERS = 45
"""Most papers in a message: each is a block, and there are a header and a footer."""

LONGEST_TEXT = 3000
LONGEST_HEADER = 150

GONE = frozenset(
    "no_service no_service_id no_team team_disabled channel_not_found channel_is_archived"
    " invalid_token token_revoked user_not_found".split()
)
"""Slack's errors for a hook that no longer exists."""

_Block = dict[str, Any]


def messages(_hook: Hook, digest: Digest) -> Sequence[Message]:
    """Return the digest in one message, in two above 45 papers."""
    view = digest.view
    papers = [_section(text) for text in MARKUP.papers(view, LONGEST_TEXT)]
    groups = group_by_size([1] * len(papers), most=MOST_PAPERS, limit=MOST_PAPERS) or [range(0)]
    return [
        _message(
            summary(view),
            [
                _header(view, place, len(groups)),
                *(papers[one] for one in group),
                *(_foot(view) if place == len(groups) else ()),
            ],
            papers=len(group),
        )
        for place, group in enumerate(groups, start=1)
    ]


def greeting(_hook: Hook, words: TestMessage) -> Message:
    """Return the test message."""
    return _message(plain(words.words), [_section(escaped(plain(words.words)))])


def judge(page: Page) -> ReplyClass:
    """Judge the response, whose body is one word."""
    said = excerpt_of_response(page)
    if page.status >= 400 and said in GONE:
        return gone(f"Slack says {said} (status {page.status})")
    return judged(page, said=f"Slack says {said}" if said else None)


def escaped(text: str) -> str:
    """Return `text` with Slack's three special characters escaped, and asterisks and tildes
    replaced by similar characters that cannot end bold text."""
    told = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return told.replace("*", "∗").replace("~", "∼")


def _link(url: str, text: str) -> str:
    if not url:
        return escaped(text)
    address = url.replace("&", "&amp;").replace("|", "%7C")
    return f"<{address}|{escaped(text)}>"


MARKUP = Markup(escape=escaped, link=_link, strong="*{}*")


def _header(view: DigestView, place: int, of: int) -> _Block:
    part = f" ({place} of {of})" if of > 1 else ""
    text = shortened(headline(view), LONGEST_HEADER - len(part)) + part
    return {"type": "header", "text": {"type": "plain_text", "text": text, "emoji": False}}


def _foot(view: DigestView) -> list[_Block]:
    *withdrawn, last = MARKUP.foot(view, LONGEST_TEXT)
    elements = [{"type": "mrkdwn", "text": last}]
    return [*map(_section, withdrawn), {"type": "context", "elements": elements}]


def _section(text: str) -> _Block:
    """`verbatim` stops Slack from making links of names and URLs in the text."""
    return {"type": "section", "text": {"type": "mrkdwn", "text": text, "verbatim": True}}


def _message(text: str, blocks: Sequence[_Block], *, papers: int = 0) -> Message:
    content = {
        "text": escaped(text),
        "blocks": blocks,
        "unfurl_links": False,
        "unfurl_media": False,
    }
    return json_message(content, papers=papers)


SERVICE = ChannelService(messages=messages, greeting=greeting, judge=judge)
"""The channel `slack`."""
