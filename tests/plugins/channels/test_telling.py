"""What each service gets: everything that is to be said, and nothing it would refuse or obey."""

import json
import re
from collections.abc import Callable, Sequence
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from paperround.plugins.channels import discord, slack, telegram, webhook
from paperround.plugins.channels.model import ChannelKind, Hook
from paperround.plugins.channels.sender import Digest, Message
from paperround.plugins.channels.text import group_by_size, plain, units
from tests.plugins.channels.views import HOSTILE, WITHDRAWN, digest, hostile, paper

HOOK = Hook(kind=ChannelKind.TELEGRAM, url="https://api.telegram.org/bot1:x", chat="@papers")
SITE = "https://papers.example.org"
TEXTS = some.text(max_size=400)
PAPERS = some.builds(
    paper,
    number=some.integers(1, 99),
    title=TEXTS,
    gist=some.text(max_size=3000),
    reason=TEXTS,
    authors=some.lists(TEXTS, max_size=6).map(tuple),
)
LISTS = some.lists(PAPERS, min_size=1, max_size=50)


def said(messages: Sequence[Message]) -> list[dict[str, Any]]:
    return [json.loads(one.body) for one in messages]


# --- Slack -------------------------------------------------------------------------------------


@pytest.mark.accept("F25", part="slack")
def test_slack_gets_a_head_a_block_for_each_paper_and_a_foot() -> None:
    [message] = said(slack.messages(HOOK, digest(paper(1), paper(2))))
    head, first, _, foot = message["blocks"]
    assert head["text"]["text"] == "Trending papers · Friday 30 January 2026"
    assert first["text"]["text"].splitlines() == [
        "*1. <https://arxiv.org/abs/2601.00001|A study of 1 things>*",
        "Ada Ring and Bo Stone",
        "We count 1 things and say what follows.",
        "Why: on your topic counting",
        f"3 votes · <https://arxiv.org/pdf/2601.00001|PDF> · <{SITE}/papers/1|Details>",
    ]
    assert "48 more papers in the whole edition" in foot["elements"][0]["text"]
    assert message["text"] == (
        "Trending papers · Friday 30 January 2026 · 2 papers: A study of 1 things"
    )


def test_nothing_in_a_title_calls_a_channel_together() -> None:
    [message] = said(slack.messages(HOOK, digest(paper(1, title="<!channel> & *now*"))))
    text = message["blocks"][1]["text"]["text"]
    assert "&lt;!channel&gt; &amp; ∗now∗" in text
    assert "<!" not in message["text"]
    assert not [link for link in re.findall(r"<([^>]*)>", text) if not link.startswith("http")]


def test_slack_is_told_what_was_withdrawn() -> None:
    [message] = said(slack.messages(HOOK, digest(paper(1), withdrawn=WITHDRAWN)))
    assert "|Gone &lt;again&gt;>" in message["blocks"][2]["text"]["text"]


def test_more_papers_than_a_message_of_slack_holds_are_two_messages() -> None:
    many = [paper(number) for number in range(1, 51)]
    first, second = said(slack.messages(HOOK, digest(*many)))
    assert first["blocks"][0]["text"]["text"].endswith("(1 of 2)")
    told = first["blocks"][1:] + second["blocks"][1:-1]
    assert [int(re.search(r"\d+", one["text"]["text"])[0]) for one in told] == list(range(1, 51))  # type: ignore[index]


@given(LISTS)
def test_slack_is_never_given_more_than_it_takes(papers: list[Any]) -> None:
    for message in said(slack.messages(HOOK, digest(*papers, withdrawn=WITHDRAWN * 5))):
        assert len(message["blocks"]) <= 50
        for block in message["blocks"]:
            text = block.get("text") or block["elements"][0]
            longest = 150 if block["type"] == "header" else 3000
            assert 0 < units(text["text"]) <= longest


def test_slack_takes_the_worst_paper_there_is() -> None:
    [message] = said(slack.messages(HOOK, digest(hostile())))
    assert units(message["blocks"][1]["text"]["text"]) <= 3000


# --- Discord -----------------------------------------------------------------------------------


@pytest.mark.accept("F25", part="discord")
def test_discord_gets_an_embed_for_each_paper() -> None:
    first, second = said(discord.messages(HOOK, digest()))
    assert first["content"].startswith("**Trending papers · Friday 30 January 2026**\n12 papers ·")
    assert first["embeds"][0] == {
        "title": "1. A study of 1 things",
        "url": "https://arxiv.org/abs/2601.00001",
        "description": "*Ada Ring and Bo Stone*\nWe count 1 things and say what follows.\n"
        "Why: on your topic counting\n3 votes · [PDF](https://arxiv.org/pdf/2601.00001)"
        " · [Details](https://papers.example.org/papers/1)",
    }
    assert [len(one["embeds"]) for one in (first, second)] == [10, 2]
    assert second["content"].endswith("(2 of 2)")


def test_discord_calls_nobody_and_shows_markdown_as_it_is_written() -> None:
    [message] = said(discord.messages(HOOK, digest(paper(1, gist="@everyone *now* [x](y)"))))
    assert message["allowed_mentions"] == {"parse": []}
    assert r"@everyone \*now\* \[x\]\(y\)" in message["embeds"][0]["description"]


@given(LISTS)
def test_discord_is_never_given_more_than_it_takes(papers: list[Any]) -> None:
    numbers = []
    for message in said(discord.messages(HOOK, digest(*papers, withdrawn=WITHDRAWN * 30))):
        assert 0 < units(message["content"]) <= 2000
        assert len(message["embeds"]) <= 10
        sizes = [units(one["title"]) + units(one["description"]) for one in message["embeds"]]
        assert sum(sizes) <= 6000
        assert all(units(one["title"]) <= 256 for one in message["embeds"])
        numbers += [int(one["title"].partition(".")[0]) for one in message["embeds"]]
    assert numbers == list(range(1, len(papers) + 1))


def test_discord_takes_the_worst_paper_there_is() -> None:
    [message] = said(discord.messages(HOOK, digest(hostile(), hostile())))
    assert all(units(one["title"]) <= 256 for one in message["embeds"])


# --- Telegram ----------------------------------------------------------------------------------


class Strict(HTMLParser):
    """Reads what Telegram reads: b, i and a, closed in order."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in ("b", "i", "a")
        assert [name for name, _ in attrs] == (["href"] if tag == "a" else [])
        self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def read(html: str) -> str:
    reader = Strict()
    reader.feed(html)
    reader.close()
    assert reader.open == []
    return reader.text


@pytest.mark.accept("F25", part="telegram")
def test_telegram_gets_html_with_previews_off() -> None:
    [message] = said(telegram.messages(HOOK, digest(paper(1))))
    assert message["chat_id"] == "@papers"
    assert message["parse_mode"] == "HTML"
    assert message["link_preview_options"] == {"is_disabled": True}
    assert message["text"].startswith(
        "<b>Trending papers · Friday 30 January 2026</b>\n\n"
        '<b>1. <a href="https://arxiv.org/abs/2601.00001">A study of 1 things</a></b>\n'
    )


def test_a_digest_too_long_for_telegram_is_split_between_papers() -> None:
    papers = [paper(number, gist="It counts. " * 60) for number in range(1, 13)]
    messages = said(telegram.messages(HOOK, digest(*papers)))
    assert len(messages) > 1
    told = "".join(read(one["text"]) for one in messages)
    assert re.findall(r"(\d+)\. A study", told) == [str(number) for number in range(1, 13)]
    assert all(
        f"({place} of {len(messages)})" in one["text"] for place, one in enumerate(messages, 1)
    )


@given(LISTS)
def test_telegram_is_never_given_more_than_it_takes(papers: list[Any]) -> None:
    for message in said(telegram.messages(HOOK, digest(*papers, withdrawn=WITHDRAWN * 5))):
        assert units(message["text"]) <= 4096
        read(message["text"])


def test_what_looks_like_tags_is_shown_as_it_is_written() -> None:
    [message] = said(telegram.messages(HOOK, digest(paper(1, title='<a href="x">& more'))))
    assert '1. <a href="x">& more' in read(message["text"])


def test_nothing_in_a_title_calls_somebody_or_is_a_command() -> None:
    title = "@ada /start (cc:@bo) and/or Recall@10 at https://x.example/y"
    [message] = said(telegram.messages(HOOK, digest(paper(1, title=title))))
    told = read(message["text"])
    assert not re.findall(r"(?<!\w)@\w|(?<![\w/:])/\w", told)
    assert title in told.replace("\u2060", "")
    assert "and/or Recall@10 at https://x.example/y" in told


@pytest.mark.parametrize(
    "kind", [slack.messages, discord.messages, telegram.messages, webhook.messages]
)
@given(LISTS)
def test_messages_say_how_many_papers_they_show(
    kind: Callable[[Hook, Digest], Sequence[Message]], papers: list[Any]
) -> None:
    messages = kind(HOOK, digest(*papers, withdrawn=WITHDRAWN))
    assert sum(one.papers for one in messages) == len(papers)


# --- webhooks ----------------------------------------------------------------------------------


@pytest.mark.accept("F25", part="webhook")
def test_a_webhook_gets_everything_in_one_message() -> None:
    [message] = said(webhook.messages(HOOK, digest(paper(1), withdrawn=WITHDRAWN)))
    assert (message["type"], message["timestamp"]) == ("digest.posted", "2026-01-30T07:00:00Z")
    data = message["data"]
    assert (data["list"], data["date"], data["more_papers"]) == ("trending", "2026-01-30", 48)
    assert data["papers"][0] == {
        "position": 1,
        "title": "A study of 1 things",
        "authors": ["Ada Ring", "Bo Stone"],
        "gist": "We count 1 things and say what follows.",
        "reason": "on your topic counting",
        "votes": 3,
        "comments": None,
        "score": 1.5,
        "parts": {"votes": 1.0, "text": 0.5},
        "links": {
            "abstract": "https://arxiv.org/abs/2601.00001",
            "pdf": "https://arxiv.org/pdf/2601.00001",
        },
        "url": "https://papers.example.org/papers/1",
    }
    assert data["withdrawn"] == [
        {"title": "Gone <again>", "url": "https://papers.example.org/papers/9"}
    ]


# --- words -------------------------------------------------------------------------------------


def test_texts_lose_line_ends_and_control_signs() -> None:
    assert plain("a\x00b\r\nc\u2028d \ud800e") == "a b c d e"
    assert "\n" not in plain(HOSTILE)


@given(some.lists(some.integers(0, 50)), some.integers(1, 9), some.integers(1, 100))
def test_neighbours_are_put_together_in_order(sizes: list[int], most: int, limit: int) -> None:
    groups = group_by_size(sizes, most=most, limit=limit)
    assert [place for group in groups for place in group] == list(range(len(sizes)))
    for group in groups:
        assert 1 <= len(group) <= most
        assert len(group) == 1 or sum(sizes[place] for place in group) <= limit
