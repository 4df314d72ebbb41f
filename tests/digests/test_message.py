"""The exact bytes: whole, safe, the same every time, and the same with and without sharing.

The files in `golden/` are the invented digest's header fields, both decoded parts and the hash of
the whole message. After a wanted change: `UPDATE_GOLDEN=1 pytest tests/digests`, then read the
diff.
"""

import hashlib
import html
import os
import re
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paperround.core.errors import Misconfigured, RenderingFailed
from paperround.digests.model import ClubPaper, DigestMail, WithdrawnPaper
from paperround.digests.render.composer import MOST_FRAMES, MailRenderer
from tests.digests.alone import compose_alone
from tests.digests.golden_names import DIGEST_FIELD_NAMES
from tests.digests.messages import PUBLIC, WITHDRAWN, links, mail, paper, sender_identity, view
from tests.digests.reading import (
    HOSTILE,
    body_lines,
    classic_parts,
    modern,
    modern_parts,
    split_by_hand,
)
from tools.words import OTHERS

GOLDEN = Path(__file__).parent / "golden"
TOKENS = st.text("abcXYZ019-_", min_size=40, max_size=40)
ANY_TEXT = st.text(st.characters(exclude_categories=[]), max_size=120)
UNWANTED = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)


@pytest.fixture(scope="module")
def renderer() -> MailRenderer:
    return MailRenderer(sender_identity())


def assert_whole(content: bytes, renderer: MailRenderer, made: DigestMail) -> None:
    """Three parsers read exactly what was rendered, and nothing else is in the bytes."""
    rendered = renderer.render(made.view)
    names, parts = split_by_hand(content)
    assert names == DIGEST_FIELD_NAMES
    assert parts == [rendered.text, rendered.html]
    assert modern_parts(content) == parts
    assert classic_parts(content) == parts
    assert str(modern(content)["Subject"]) == rendered.subject
    assert content.isascii()
    assert not re.search(rb"(?<!\r)\n|\r(?!\n)", content)
    assert not UNWANTED.search(rendered.text + rendered.html + rendered.subject)


@pytest.mark.accept("F18", part="message")
@pytest.mark.accept("F21", part="bytes")
def test_three_parsers_read_the_digest_that_was_rendered(renderer: MailRenderer) -> None:
    content = renderer.compose(mail())
    assert_whole(content, renderer, mail())
    assert all(len(line) <= 76 for line in body_lines(content))


@pytest.mark.accept("R13", part="bytes")
def test_the_bytes_are_the_golden_ones() -> None:
    content = MailRenderer(sender_identity()).compose(mail(view(withdrawn=WITHDRAWN)))
    text, markup = modern_parts(content)
    head = content.partition(b"\r\n\r\n")[0].decode().replace("\r\n", "\n") + "\n"
    found = {
        "headers.txt": head,
        "digest.txt": text,
        "digest.html": markup,
        "message.sha256": hashlib.sha256(content).hexdigest() + "\n",
    }
    if os.environ.get("UPDATE_GOLDEN"):
        for name, value in found.items():
            (GOLDEN / name).write_text(value, encoding="utf-8", newline="\n")
    golden = {name: (GOLDEN / name).read_text(encoding="utf-8") for name in found}
    assert found == golden


@pytest.mark.accept("I10", part="message")
def test_news_of_a_withdrawal_is_only_text_with_a_plain_link(renderer: MailRenderer) -> None:
    for title in HOSTILE:
        news = (WithdrawnPaper(title=title, url="javascript:alert(1)"), *WITHDRAWN)
        made = mail(view(withdrawn=news))
        content = renderer.compose(made)
        assert_whole(content, renderer, made)
        assert content == compose_alone(renderer, made)
        assert "javascript:alert" not in renderer.render(made.view).html.replace(
            html.escape(title), ""
        )


@pytest.mark.accept("F63", part="journal club")
def test_a_journal_club_is_only_text_with_a_plain_link(renderer: MailRenderer) -> None:
    for title in HOSTILE:
        club = ClubPaper(title=title, url="javascript:alert(1)", readers=4)
        made = mail(view(club=club))
        content = renderer.compose(made)
        assert_whole(content, renderer, made)
        assert content == compose_alone(renderer, made)
        markup = renderer.render(made.view).html
        assert "javascript:alert" not in markup.replace(html.escape(title), "")


@pytest.mark.accept("F63", part="journal club")
@pytest.mark.accept("F26", part="mails")
@pytest.mark.parametrize("language", OTHERS)
def test_a_journal_club_is_named_in_every_language(renderer: MailRenderer, language: str) -> None:
    club = ClubPaper(title="Paper 9", url="https://papers.example.org/papers/9", readers=4)
    words = renderer.render(view(language=language, club=club))
    for part in (words.text, words.html):
        assert "Paper 9" in part
        assert "this week: “" not in part


@pytest.mark.slow
def test_views_that_differ_in_more_than_tokens_never_share() -> None:
    renderer = MailRenderer(sender_identity())
    other = view(operator="Another Library")
    renderer.compose(mail())
    assert renderer.compose(mail(other)) == compose_alone(renderer, mail(other))
    for number in range(MOST_FRAMES + 10):
        renderer.compose(mail(view(1, more_papers=number)))
    assert renderer._frame.cache_info().currsize == MOST_FRAMES


@pytest.mark.parametrize("judge", ["preview", "c" * 39, "c" * 39 + "."])
def test_a_link_without_a_token_is_refused(renderer: MailRenderer, judge: str) -> None:
    with pytest.raises(RenderingFailed, match="token"):
        renderer.compose(mail(view(links=links(judge=judge))))


@pytest.mark.accept("S10", part="mail")
def test_every_address_in_a_digest_is_our_sites_or_a_papers_as_it_was_given() -> None:
    made = mail(view(30))
    parts = modern_parts(MailRenderer(sender_identity()).compose(made))
    for part, kinds in zip(
        parts, (("abstract", "code"), ("abstract", "code", "discussion")), strict=True
    ):
        papers = made.view.papers
        given = {one.links[kind] for one in papers for kind in kinds if kind in one.links}
        found = {html.unescape(url) for url in re.findall(r"https?://[^\s\"<>]+", part)}
        assert given <= found
        assert all(url.startswith(f"{PUBLIC}/") for url in found - given)


@pytest.mark.accept("R12", part="bytes")
def test_no_mail_holds_another_readers_address_or_token() -> None:
    renderer = MailRenderer(sender_identity())
    for number in range(200):
        address, tokens = (
            f"reader{number}@example.com",
            [f"{number + n:040}" for n in (0, 500, 900)],
        )
        content = renderer.compose(mail(view(1, links=links(*tokens)), recipient=address)).decode()
        assert set(re.findall(r"reader\d+@example\.com", content)) == {address}
        assert set(re.findall(r"\b\d{40}\b", content)) == set(tokens)


@pytest.mark.accept("S12", part="headers")
def test_one_click_headers_stand_literally_however_long_the_address_is() -> None:
    public = f"https://papers.example.org/{'deep/' * 30}"
    made = mail(view(links=links(public=public)))
    content = MailRenderer(sender_identity()).compose(made)
    expected = f"List-Unsubscribe: <{made.view.links.unsubscribe}>,\r\n <mailto:leave@papers"
    assert expected.encode() in content
    assert b"\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n" in content
    assert modern(content)["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


@pytest.mark.accept("I8", part="mail")
@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_in_every_place_adds_nothing(renderer: MailRenderer, text: str) -> None:
    hostile = paper(title=text, authors=(text, text), gist=text, reason=text)
    made = mail(view([hostile, hostile], list_title=text, operator=text, thin=text))
    content = renderer.compose(made)
    assert_whole(content, renderer, made)
    assert modern(content)["Bcc"] is None


@pytest.mark.slow
@pytest.mark.accept("I8", part="mail")
@settings(max_examples=40, deadline=None)
@given(title=ANY_TEXT, author=ANY_TEXT, name=ANY_TEXT, list_name=ANY_TEXT)
def test_any_text_gives_a_whole_message_or_one_clear_refusal(
    renderer: MailRenderer, title: str, author: str, name: str, list_name: str
) -> None:
    made = mail(view([paper(title=title, authors=(author,))], list_title=name))
    assert_whole(renderer.compose(made), renderer, made)
    with suppress(RenderingFailed):
        content = renderer.compose(mail(replace(made.view, list_name=list_name)))
        assert split_by_hand(content)[0] == DIGEST_FIELD_NAMES


@pytest.mark.accept("R10", part="encode")
@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"recipient": "jörg@example.com"}, "recipient's address"),
        ({"recipient": "a@example.com, b@example.com"}, "recipient's address"),
        ({"recipient": "a@example.com\r\nBcc: b@example.com"}, "recipient's address"),
        ({"message_id": "<a@b>\r\nBcc: c"}, "Message-ID"),
        ({"message_id": ""}, "Message-ID"),
        ({"list_unsubscribe_mail": "a@b>\r\nBcc: <c"}, "unsubscribing by email"),
        ({"view": view([])}, "at least one paper"),
        ({"view": view(web_url="javascript:alert(1)")}, "link of the header"),
        ({"view": view(web_url="https://example.org/\ud800")}, "link of the header"),
        ({"view": view(list_name="no list")}, "list's name"),
    ],
)
def test_a_value_that_cannot_be_mailed_fails_that_one_mail(
    renderer: MailRenderer, changes: dict[str, Any], why: str
) -> None:
    with pytest.raises(RenderingFailed, match=why):
        renderer.compose(mail(**changes))
    assert renderer.compose(mail())


def test_a_time_without_zone_is_refused(renderer: MailRenderer) -> None:
    with pytest.raises(ValueError, match="naive"):
        renderer.compose(mail(dated=datetime(2026, 1, 30)))  # noqa: DTZ001 - refused on purpose


def test_the_date_is_written_in_utc(renderer: MailRenderer) -> None:
    local = datetime(2026, 3, 1, 0, 30, tzinfo=timezone(timedelta(hours=2)))
    assert b"\r\nDate: Sat, 28 Feb 2026 22:30:00 +0000\r\n" in renderer.compose(mail(dated=local))


@pytest.mark.parametrize(
    "changes", [{"mail_from": "nobody"}, {"mail_from": "a <b@ü.org>"}, {"public_url": "papers.org"}]
)
def test_a_letterhead_that_cannot_head_a_mail_is_a_wrong_setting(changes: dict[str, str]) -> None:
    with pytest.raises(Misconfigured):
        MailRenderer(sender_identity(**changes))


def test_a_contact_that_is_a_page_becomes_the_owner_link() -> None:
    content = MailRenderer(sender_identity(contact="https://example.org/contact")).compose(mail())
    assert b"\r\nList-Owner: <https://example.org/contact>\r\n" in content


def test_a_comma_in_a_link_of_a_header_does_not_make_two_links_of_it() -> None:
    content = MailRenderer(sender_identity(contact="https://example.org/us,you")).compose(mail())
    assert b"\r\nList-Owner: <https://example.org/us%2Cyou>\r\n" in content
