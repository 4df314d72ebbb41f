"""Notices: what each says, that one link leads on, and that nothing a stranger wrote gets in.

The files in `golden/notices/` are the header fields and both parts of one notice of each kind.
After a wanted change: `UPDATE_GOLDEN=1 pytest tests/digests`, then read the diff.
"""

import html
import os
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paperround.core.errors import RenderingFailed
from paperround.delivery.system_mail_model import NoticeView, SystemMailKind
from paperround.digests.model import Rendered
from paperround.digests.render.composer import MailRenderer
from paperround.digests.render.headers import header_text
from paperround.digests.render.templates import Templates
from paperround.digests.render.view import render_notice
from tests.digests.messages import notice, notice_view, sender_identity
from tests.digests.reading import (
    FALLBACKS,
    HOSTILE,
    Outline,
    body_lines,
    classic_parts,
    lacking_features,
    modern,
    modern_parts,
    split_by_hand,
    used_features,
)

GOLDEN = Path(__file__).parent / "golden" / "notices"
TEMPLATES = Templates()
NAMES = re.findall(
    r"\S+",
    """From To Subject Date Message-ID MIME-Version Feedback-ID Auto-Submitted
    X-Auto-Response-Suppress Content-Language Content-Type""",
)
ANY_TEXT = st.text(st.characters(exclude_categories=[]), max_size=120)
EVERY_KIND = pytest.mark.parametrize("kind", list(SystemMailKind))
OF_READERS = [
    kind for kind in SystemMailKind if kind not in (SystemMailKind.TEST, SystemMailKind.ALERT)
]


@pytest.fixture(scope="module")
def renderer() -> MailRenderer:
    return MailRenderer(sender_identity())


def words(kind: SystemMailKind, **changes: object) -> Rendered:
    return render_notice(TEMPLATES, notice_view(kind, **changes))


def both(kind: SystemMailKind, **changes: object) -> list[str]:
    """Text and HTML with each run of white space as one space."""
    made = words(kind, **changes)
    return [" ".join(part.split()) for part in (made.text, made.html)]


def assert_whole(content: bytes, shown: NoticeView) -> None:
    """Three parsers read exactly what was rendered, and nothing else is in the bytes."""
    said = render_notice(TEMPLATES, shown)
    names, parts = split_by_hand(content)
    assert names == NAMES
    assert parts == modern_parts(content) == classic_parts(content) == [said.text, said.html]
    assert str(modern(content)["Subject"]) == said.subject == header_text(said.subject)
    assert all(len(line) <= 76 for line in body_lines(content))


# --- the bytes ---------------------------------------------------------------------------------


@EVERY_KIND
@pytest.mark.accept("R13", part="notices")
def test_the_bytes_are_the_golden_ones(kind: SystemMailKind) -> None:
    content = MailRenderer(sender_identity()).compose_notice(notice(notice_view(kind)))
    text, markup = modern_parts(content)
    head = content.partition(b"\r\n\r\n")[0].decode().replace("\r\n", "\n") + "\n"
    found = {f"{kind}.headers.txt": head, f"{kind}.txt": text, f"{kind}.html": markup}
    if os.environ.get("UPDATE_GOLDEN"):
        GOLDEN.mkdir(exist_ok=True)
        for name, value in found.items():
            (GOLDEN / name).write_text(value, encoding="utf-8", newline="\n")
    assert found == {name: (GOLDEN / name).read_text(encoding="utf-8") for name in found}


# --- the words ---------------------------------------------------------------------------------


@pytest.mark.accept("F28", part="mail")
def test_a_confirmation_says_what_happens_when_nothing_is_done() -> None:
    for part in both(SystemMailKind.CONFIRM):
        assert "Confirm to get Trending papers" in part
        assert "The link works for 48 hours." in part
        assert "If you didn’t request this, ignore this email." in part
        assert "delete your address after 7 days" in part


@pytest.mark.accept("F30", part="mail")
def test_the_link_to_ones_choices_is_to_be_kept_to_oneself_and_works_for_a_day() -> None:
    for part in both(SystemMailKind.PREFERENCES):
        assert "The link works for 24 hours. Keep it private" in part


def test_an_alert_tells_its_lines_in_order() -> None:
    for part in both(SystemMailKind.ALERT):
        first, second = (part.index(html.escape(line)) for line in notice_view().details)
        assert first < second
    assert words(SystemMailKind.ALERT, subject="", details=()).subject == "Attention needed"


def test_an_endless_alert_is_cut_short_and_says_so() -> None:
    text, markup = both(SystemMailKind.ALERT, details=("x" * 5000,) * 300)
    assert "and 260 more lines" in text
    assert len(markup) < 40_000


@pytest.mark.parametrize("kind", OF_READERS)
def test_a_subscriber_reads_our_words_alone(kind: SystemMailKind) -> None:
    made = words(kind, subject="typed by a visitor", details=("typed by a visitor",))
    assert "typed by a visitor" not in made.subject + made.text + made.html


@EVERY_KIND
def test_a_notice_about_no_list_speaks_of_paperround(kind: SystemMailKind) -> None:
    made = words(kind, list_title="")
    assert "  " not in made.subject
    assert made == words(kind, list_title="Paperround")


# --- its links ---------------------------------------------------------------------------------


@EVERY_KIND
@pytest.mark.accept("S10", part="mail")
def test_one_link_leads_on_and_is_written_as_it_was_given(kind: SystemMailKind) -> None:
    shown, made = notice_view(kind), words(kind)
    hrefs = [link["href"] for link in Outline(made.html).all("a")]
    assert hrefs == [shown.action_url, shown.privacy_url, shown.imprint_url]
    assert f":\n{shown.action_url}\n" in made.text
    for part in (made.text, made.html):
        assert set(re.findall(r"https?://[^\s\"<>]+", part)) == set(hrefs)


@pytest.mark.parametrize("url", ["", "javascript:alert(1)", "https://ü.example/", "https://a b/"])
def test_a_link_that_leads_nowhere_fails_that_one_mail(renderer: MailRenderer, url: str) -> None:
    with pytest.raises(RenderingFailed, match="link of a notice"):
        renderer.compose_notice(notice(notice_view(action_url=url)))


# --- its looks ---------------------------------------------------------------------------------


@EVERY_KIND
@pytest.mark.accept("Q12")
def test_whatever_a_large_mail_client_lacks_has_a_fallback(
    real_data: Path, kind: SystemMailKind
) -> None:
    assert used_features(words(kind).html) & lacking_features(real_data) <= set(FALLBACKS)


# --- what never gets in ------------------------------------------------------------------------


@EVERY_KIND
@pytest.mark.accept("I8", part="notices")
@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_in_every_place_adds_nothing(
    renderer: MailRenderer, text: str, kind: SystemMailKind
) -> None:
    shown = notice_view(kind, list_title=text, subject=text, details=(text, text), operator=text)
    content = renderer.compose_notice(notice(shown))
    assert_whole(content, shown)
    assert modern(content)["Bcc"] is None
    assert "<script" not in render_notice(TEMPLATES, shown).html


@pytest.mark.accept("I8", part="notices")
@settings(max_examples=40, deadline=None)
@given(kind=st.sampled_from(SystemMailKind), title=ANY_TEXT, subject=ANY_TEXT, line=ANY_TEXT)
def test_any_text_gives_a_whole_message(
    renderer: MailRenderer, kind: SystemMailKind, title: str, subject: str, line: str
) -> None:
    shown = notice_view(kind, list_title=title, subject=subject, details=(line,), contact=line)
    assert_whole(renderer.compose_notice(notice(shown)), shown)


def test_a_kind_whose_words_are_missing_fails_by_name(tmp_path: Path) -> None:
    (tmp_path / "mail").mkdir()
    with pytest.raises(RenderingFailed, match="notice_confirm"):
        render_notice(Templates(tmp_path), notice_view())
