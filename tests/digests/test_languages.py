"""Mails in every language: whole, alike with and without sharing, and with lines that fit.

The files in `golden/languages/` are the header fields and both parts of one digest and of one
confirmation in each. After a wanted change: `UPDATE_GOLDEN=1 pytest tests/digests`, then read the
diff.
"""

import hashlib
import os
import re
from dataclasses import replace
from itertools import product
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperround.core.i18n.locale import locale_for
from paperround.core.i18n.localize import localize_reason
from paperround.core.languages import LANGUAGES
from paperround.core.reasons import freeze, join_reasons
from paperround.delivery.status import WHY_THIN
from paperround.delivery.system_mail_model import SystemMailKind
from paperround.digests.model import DigestPaper, DigestView, Rendered
from paperround.digests.render.composer import MailRenderer
from paperround.digests.render.templates import TEXT_WIDTH, Templates, columns, wrapped
from paperround.digests.render.view import render_digest, render_notice
from paperround.editions.model import SkipReason
from tests.digests.alone import compose_alone
from tests.digests.messages import (
    WITHDRAWN,
    links,
    mail,
    notice,
    notice_view,
    paper,
    sender_identity,
    view,
)
from tests.digests.reading import Outline, modern, modern_parts

GOLDEN = Path(__file__).parent / "golden" / "languages"
TEMPLATES = Templates()
EVERY = pytest.mark.parametrize("language", list(LANGUAGES))
REASONS = (
    freeze("votes.since_yesterday", votes=1041, gained=12),
    join_reasons(
        freeze("followed.topic", term="long memory"),
        freeze("risen.yesterday_more", votes=28, gained=9),
    ),
    freeze("author.popular", name="Žofie Nováková"),
    join_reasons(
        freeze("near_saved.liked_words", words=["grasping", "questions"]),
        freeze("votes.today", votes=19, num=9),
    ),
    freeze("rising_topic", term="dialect"),
    "chosen by hand",
)
LATE = WHY_THIN[SkipReason.FEED_STALE]


def papers() -> list[DigestPaper]:
    """The invented papers with reasons as they are frozen."""
    told = [paper(number, reason=reason) for number, reason in enumerate(REASONS)]
    return [replace(told[0], votes=1041), *told[1:]]


def digest(language: str, **changes: object) -> DigestView:
    shown = view(papers(), language=language, thin=LATE, withdrawn=WITHDRAWN)
    return replace(shown, **changes)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def renderer() -> MailRenderer:
    return MailRenderer(sender_identity())


def words(language: str, **changes: object) -> Rendered:
    return render_digest(TEMPLATES, digest(language, **changes))


def assert_golden(folder: Path, name: str, content: bytes) -> None:
    text, markup = modern_parts(content)
    head = content.partition(b"\r\n\r\n")[0].decode().replace("\r\n", "\n") + "\n"
    found = {
        f"{name}.headers.txt": head,
        f"{name}.txt": text,
        f"{name}.html": markup,
        f"{name}.sha256": hashlib.sha256(content).hexdigest() + "\n",
    }
    if os.environ.get("UPDATE_GOLDEN"):
        folder.mkdir(parents=True, exist_ok=True)
        for file, value in found.items():
            (folder / file).write_text(value, encoding="utf-8", newline="\n")
    assert found == {file: (folder / file).read_text(encoding="utf-8") for file in found}


# --- the bytes ---------------------------------------------------------------------------------


@EVERY
@pytest.mark.accept("F26", part="mails")
def test_the_bytes_of_a_digest_are_the_golden_ones(language: str) -> None:
    content = MailRenderer(sender_identity()).compose(mail(digest(language)))
    assert_golden(GOLDEN / language, "digest", content)


@EVERY
@pytest.mark.accept("F26", part="mails")
def test_the_bytes_of_a_confirmation_are_the_golden_ones(language: str) -> None:
    made = notice(notice_view(SystemMailKind.CONFIRM, language=language))
    content = MailRenderer(sender_identity()).compose_notice(made)
    assert_golden(GOLDEN / language, "confirm", content)


@EVERY
def test_a_digest_of_one_paper_without_gist_goes_on_with_its_reason(
    renderer: MailRenderer, language: str
) -> None:
    voted = freeze("votes.listed", votes=41, listed=["listed", 0])
    made = mail(digest(language, papers=(paper(gist="", reason=voted),)))
    assert renderer.compose(made) == compose_alone(renderer, made)
    said = renderer.render(made.view)
    assert said.preheader == localize_reason(locale_for(language), voted)
    assert locale_for(language).counted(41, "vote") in said.text


def test_readers_of_different_languages_share_nothing_they_should_not(
    renderer: MailRenderer,
) -> None:
    """In turns, and with the very same papers."""
    shared = tuple(papers())
    mails = [
        mail(digest(language, papers=shared, links=links(f"{number:040}")))
        for number in range(6)
        for language in LANGUAGES
    ]
    for one in mails:
        content = renderer.compose(one)
        assert content == compose_alone(renderer, one)
        assert modern(content)["Content-Language"] == one.view.language
        assert f'<html lang="{one.view.language}" dir="ltr">' in modern_parts(content)[1]


# --- what they say -----------------------------------------------------------------------------


@pytest.mark.accept("F26", part="words")
@pytest.mark.parametrize(
    ("kind", "language"), [*product(SystemMailKind, [tag for tag in LANGUAGES if tag != "en"])]
)
def test_every_notice_is_said_in_every_language(kind: SystemMailKind, language: str) -> None:
    said = render_notice(TEMPLATES, notice_view(kind, language=language, subject=""))
    english = render_notice(TEMPLATES, notice_view(kind, subject=""))
    assert said.subject != english.subject
    shared = set(said.text.splitlines()) & set(english.text.splitlines())
    told = {line for line in shared if line and "example.org" not in line}
    assert not {line for line in told if not line.startswith(("-", " "))}


def test_a_language_that_is_not_ours_is_answered_in_english() -> None:
    for tag in ("pt-BR", "zh-TW", "", "en\r\nBcc: x@example.com"):
        content = MailRenderer(sender_identity()).compose(mail(digest(tag)))
        assert content == MailRenderer(sender_identity()).compose(mail(digest("en")))
    for tag, ours in (("de-AT", "de"), ("zh-CN", "zh-Hans")):
        assert words(tag) == words(ours)


@pytest.mark.accept("F26", part="titles")
@EVERY
def test_titles_and_gists_keep_their_own_language_and_direction(language: str) -> None:
    outline = Outline(words(language).html)
    titles = [found for found in outline.all("span") if found.get("dir") == "auto"]
    assert [one.get("lang", language) for one in titles[:6]] == [
        "ar" if number == 4 else "en" for number in range(6)
    ]
    gists = [one for one in outline.all("p") if one.get("class") == "say"]
    assert {one.get("lang", language) for one in gists} == {"en"}


def test_a_title_the_operator_chose_is_no_word_of_ours() -> None:
    assert "Paper-Trends" in words("de").html
    assert "<h1" in words("de", list_title="Unsubscribe").html
    assert ">Unsubscribe</h1>" in words("de", list_title="Unsubscribe").html


def test_a_place_in_a_translation_is_escaped_in_the_html_alone() -> None:
    said = words("fr", list_title="A <b>& list</b>", operator="Ada & Sons")
    assert "A &lt;b&gt;&amp; list&lt;/b&gt;&nbsp;»." in said.html
    assert "A <b>& list</b> »." in " ".join(said.text.split())
    assert "Envoyé par Ada &amp; Sons" in said.html


# --- the lines of the text ---------------------------------------------------------------------


@EVERY
@pytest.mark.accept("F26", part="lines")
def test_no_line_of_the_text_is_wider_than_its_columns(language: str) -> None:
    said = [words(language).text]
    said += [
        render_notice(TEMPLATES, notice_view(kind, language=language)).text
        for kind in SystemMailKind
    ]
    for line in (line for text in said for line in text.splitlines() if "://" not in line):
        assert columns(line) <= TEXT_WIDTH


def test_chinese_is_broken_between_letters_and_not_before_a_mark() -> None:
    lines = wrapped("这是一个很长的句子，" * 9).splitlines()
    assert all(columns(line) <= TEXT_WIDTH for line in lines)
    assert all(columns(line) > TEXT_WIDTH - 5 for line in lines[:-1])
    assert not any(line.startswith("，") for line in lines)
    assert "".join(lines) == "这是一个很长的句子，" * 9


def test_latin_words_within_chinese_stay_whole() -> None:
    lines = wrapped("我们用Transformers处理“图像（images）”的问题。" * 5).splitlines()
    assert sum(line.count("Transformers") for line in lines) == 5
    assert not any(
        line.startswith(("）", "”", "。")) or line.endswith(("“", "（")) for line in lines
    )


def test_korean_is_broken_at_spaces() -> None:
    words = ["확산모델을", "이용한", "이미지", "생성"] * 6
    lines = wrapped(" ".join(words)).splitlines()
    assert " ".join(lines).split() == words


@given(st.text(st.characters(exclude_categories=["C"]), max_size=300))
def test_wrapping_loses_nothing(text: str) -> None:
    clean = " ".join(text.split())
    again = "".join(wrapped(clean, "- ", "  ").removeprefix("- ").split())
    assert again == "".join(clean.split())


# --- where it leads ----------------------------------------------------------------------------


def led_to(said: Rendered) -> set[str]:
    """Every address of ours in either part, but those of the operator's own pages."""
    found = re.findall(r"https://papers\.example\.org/[^\s\"<]*", said.text + said.html)
    return {one for one in found if not one.endswith(("/privacy", "/imprint"))}


@EVERY
@pytest.mark.accept("F26", part="mails")
def test_a_public_link_asks_for_the_language_of_its_mail(language: str) -> None:
    ours = led_to(words(language))
    personal = {one for one in ours if re.search(r"/[\w-]{40}(?:/\w+/p\d+|/next)?$", one)}
    public = ours - personal
    asked = "" if language == "en" else f"?lang={language}"
    assert len(personal) > 2
    assert len(public) > 8
    assert {one.partition("?")[1] + one.partition("?")[2] for one in public} == {asked}
    assert f"https://papers.example.org/{asked}" in public
