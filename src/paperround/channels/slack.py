"""Slack: an incoming webhook takes blocks (https://docs.slack.dev/reference/block-kit/blocks).

At most 50 blocks a message, 3,000 characters a text, 150 a header. In a text `&`, `<` and `>` are
escaped, so nothing in a title can become a link or call a whole channel together.
"""

import json
from collections.abc import Iterator, Sequence
from typing import Any

from paperround.channels.answers import gone, judged, words_of
from paperround.channels.words import (
    Item,
    edition_words,
    fitting,
    headline,
    plain,
    shared_out,
    summary,
    within,
)
from paperround.domain.channels import Hook
from paperround.domain.deliveries import Verdict
from paperround.domain.digests import DigestView
from paperround.domain.feeds import Page
from paperround.domain.posts import Digest, Greeting, Message
from paperround.domain.telling import shortened, web_address

MOST_PAPERS = 45
"""Papers a message: each is a block, and a head and a foot go with them."""

LONGEST_TEXT = 3000
LONGEST_HEADER = 150

GONE = frozenset(
    "no_service no_service_id no_team team_disabled channel_not_found channel_is_archived"
    " invalid_token token_revoked user_not_found".split()
)
"""What Slack calls it when nothing will be taken at a hook any more."""

_Block = dict[str, Any]


def messages(_hook: Hook, digest: Digest) -> Sequence[Message]:
    """The digest in one message, in two above 45 papers."""
    view = digest.view
    papers = [
        _section(fitting(number, paper, tell, limit=LONGEST_TEXT)[1])
        for number, paper in enumerate(view.papers, start=1)
    ]
    groups = shared_out([1] * len(papers), most=MOST_PAPERS, limit=MOST_PAPERS) or [range(0)]
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


def greeting(_hook: Hook, words: Greeting) -> Message:
    """A few words."""
    return _message(plain(words.words), [_section(escaped(plain(words.words)))])


def judge(page: Page) -> Verdict:
    """What Slack made of a message. It answers with one word."""
    said = words_of(page)
    if page.status >= 400 and said in GONE:
        return gone(f"Slack says {said} (status {page.status})")
    return judged(page, said=f"Slack says {said}" if said else None)


def tell(item: Item) -> str:
    """A paper as the text of a section."""
    links = [_link(to, label) for label, to in item.links]
    return "\n".join(
        filter(
            None,
            (
                f"*{item.number}. {_link(item.url, item.title)}*",
                escaped(item.authors),
                escaped(item.gist),
                escaped(item.why),
                " · ".join(filter(None, (escaped(item.votes), *links))),
            ),
        )
    )


def escaped(text: str) -> str:
    """`text` with the three signs escaped that Slack reads as more than text, and with signs for an
    asterisk and a tilde that cannot end the bold text they stand in."""
    told = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return told.replace("*", "∗").replace("~", "∼")


def _link(url: str, text: str) -> str:
    if not url:
        return escaped(text)
    address = url.replace("&", "&amp;").replace("|", "%7C")
    return f"<{address}|{escaped(text)}>"


def _header(view: DigestView, place: int, of: int) -> _Block:
    part = f" ({place} of {of})" if of > 1 else ""
    text = shortened(headline(view), LONGEST_HEADER - len(part)) + part
    return {"type": "header", "text": {"type": "plain_text", "text": text, "emoji": False}}


def _foot(view: DigestView) -> Iterator[_Block]:
    if view.withdrawn:
        titles = [
            f"• {_link(web_address(one.url), shortened(plain(one.title), 200))}"
            for one in view.withdrawn
        ]
        yield _section(within(["*Withdrawn since it was posted:*", *titles], LONGEST_TEXT))
    edition = _link(web_address(view.web_url), edition_words(view))
    said = [edition, *map(escaped, map(plain, view.acknowledgements))]
    text = within(said, LONGEST_TEXT, by=" · ")
    yield {"type": "context", "elements": [{"type": "mrkdwn", "text": text}]}


def _section(text: str) -> _Block:
    """`verbatim`: names and addresses in the text are not made into links by Slack."""
    return {"type": "section", "text": {"type": "mrkdwn", "text": text, "verbatim": True}}


def _message(text: str, blocks: Sequence[_Block], *, papers: int = 0) -> Message:
    content = {
        "text": escaped(text),
        "blocks": blocks,
        "unfurl_links": False,
        "unfurl_media": False,
    }
    return Message(body=json.dumps(content, ensure_ascii=False).encode(), papers=papers)
