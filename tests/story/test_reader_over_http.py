"""The whole story of a reader over HTTP and raw mail: no browser, no command."""

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.story.serving import Served, serving
from tests.story.visitor import READER, Visitor, every_link, link, subscribed, text


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Served]:
    with serving(tmp_path) as served:
        yield served


@pytest.fixture
def visitor(site: Served) -> Visitor:
    return Visitor(site)


@pytest.mark.quick
@pytest.mark.accept("F27", part="story")
@pytest.mark.accept("F28", part="story")
def test_a_reader_signs_up_and_has_the_digest_within_seconds(visitor: Visitor) -> None:
    digest = subscribed(visitor)
    assert digest["To"] == READER
    assert len(re.findall(r"^\d+\. ", text(digest), re.MULTILINE)) >= 5
    assert f"{visitor.site.url}/unsubscribe/" in text(digest)


@pytest.mark.accept("F30", part="story")
def test_a_reader_changes_choices_by_a_freshly_mailed_link(visitor: Visitor) -> None:
    offer = visitor.open(link(subscribed(visitor), "preferences"))
    assert "a•••@example.org" in offer.text
    assert "Check your inbox" in visitor.press(offer, "Email me a new link").text
    choices = visitor.open(link(visitor.site.mail("Your choices for"), "preferences"))
    wish = {"hour": "18", "timezone": "Asia/Tokyo", "topic": "kites", "size": "5"}
    saved = visitor.press(choices, "Save", **wish, paused_until="2026-04-01")
    assert "Saved." in saved.text
    shown = visitor.open(choices.path).text
    for value in ('value="18" selected', 'value="Asia/Tokyo"', ">kites</", 'value="2026-04-01"'):
        assert value in shown


@pytest.mark.quick
@pytest.mark.accept("F29", part="one click")
@pytest.mark.accept("S8", part="one click")
def test_a_mail_program_leaves_with_one_click_and_the_reader_comes_back(visitor: Visitor) -> None:
    digest = subscribed(visitor, hour="6")
    one_click = str(digest["List-Unsubscribe"]).partition("<")[2].partition(">")[0]
    for _ in range(2):
        left = visitor.ask("POST", one_click, str(digest["List-Unsubscribe-Post"]))
        assert (left.status, "set-cookie" in left.headers) == (200, False)
    undo = visitor.site.mail("You unsubscribed")
    back = visitor.press(visitor.open(link(undo, "confirm")), "Yes, send me the digest")
    assert "06:00" in back.text
    assert "on its way" not in back.text
    subjects = [str(mail["Subject"])[:8] for mail in visitor.site.mails()]
    assert subjects == ["Confirm ", str(digest["Subject"])[:8], "You unsu"]


@pytest.mark.accept("S8", part="story")
def test_a_crawler_that_asks_for_every_link_of_every_mail_changes_nothing(
    visitor: Visitor,
) -> None:
    digest = subscribed(visitor)
    visitor.press(visitor.open(link(digest, "preferences")), "Email me a new link")
    visitor.site.mail("Your choices for")
    visitor.press(visitor.open(link(digest, "unsubscribe")), "Unsubscribe")
    visitor.site.mail("You unsubscribed")
    found = {one for mail in visitor.site.mails() for one in every_link(mail)}
    ours = sorted(one for one in found if one.startswith(visitor.site.url))
    assert {urlsplit(one).path.split("/")[1] for one in ours} >= {
        *("confirm", "unsubscribe", "preferences", "feedback", "papers", "editions")
    }
    visitor.site.rest()
    before = visitor.site.dump()
    for method in ("GET", "HEAD", "OPTIONS"):
        statuses = {visitor.ask(method, one.partition("#")[0]).status for one in ours}
        assert statuses <= ({405} if method == "OPTIONS" else {200})
    assert visitor.site.dump() == before
