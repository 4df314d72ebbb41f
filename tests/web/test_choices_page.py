"""The page of one's choices: what comes first, the mail as it would come, and what came before."""

import html
import re
from dataclasses import replace

import pytest
from httpx2 import Response

from paperround.core.tokens import Purpose
from paperround.delivery.system_mail_model import SystemMailKind
from paperround.editions.manage_lists import edit_list
from paperround.editions.model import Edition
from paperround.editions.store.lists import ListStore
from paperround.subscribers.store.subscribers import SubscriberStore
from tests.builders import NOW, address
from tests.web.choices_page import MASK, kept, stamp, subscription, typed
from tests.web.conftest import Site


def form(page: str) -> str:
    """What somebody with one minute sees: the form without what is folded away."""
    return page.partition('id="choices"')[2].partition('<details class="advanced">')[0]


@pytest.mark.accept("F30", part="first things first")
def test_topics_and_the_hour_come_first_and_the_rest_is_folded_away(
    site: Site, choices_token: str, edition: Edition
) -> None:
    page = site.client.get(f"/preferences/{choices_token}").text
    named = re.findall(r'<(?:input|select|textarea)[^>]* name="(\w+)"', form(page))
    seen = [name for name in dict.fromkeys(named) if name not in ("list", "shown")]
    assert seen == ["add_topic", "topic", "hour", "timezone", "frequency"]
    folded = site.client.post(
        f"/preferences/{choices_token}", data={"action": "save", "mute": '"open'}
    )
    assert '<details class="advanced" open>' in folded.text


@pytest.mark.accept("F30", part="first things first")
def test_a_topic_that_is_suggested_stays_a_ticked_chip(
    site: Site, choices_token: str, edition: Edition
) -> None:
    path = f"/preferences/{choices_token}"
    chip = re.compile(r'name="add_topic" value="([^"]+)"( checked)?')
    first, *_, other, last = (one for one, _ in chip.findall(site.client.get(path).text))
    said = {"action": "save", "add_topic": [other, last], "topic": "kites"}
    for page in (site.client.post(path, data=said).text, site.client.get(path).text):
        chips = chip.findall(page)
        assert chips[:3] == [(other, " checked"), (last, " checked"), (first, "")]
        assert typed(page, "topic") == "kites"
    assert kept(site) == ["topic:kites", f"topic:{other}", f"topic:{last}"]


@pytest.mark.accept("F30", part="one box")
def test_topics_of_one_list_share_the_box_and_stay_with_their_list(
    site: Site, choices_token: str
) -> None:
    with site.runtime.database.writing() as work:
        person = work[SubscriberStore].find(address("alice"))
        assert person is not None
        mine = work[SubscriberStore].subscription(person.id, work[ListStore].get("trending").id)
        assert mine is not None
        topics = replace(mine.preferences, topics=("tides", "kites"))
        work[SubscriberStore].choose(mine.id, topics, now=NOW)
    path = f"/preferences/{choices_token}"
    assert typed(site.client.get(path).text, "topic") == "tides\nkites"
    site.client.post(path, data={"action": "save", "topic": "tides\r\nsensor fusion"})
    assert subscription(site)[1].topics == ("tides",)
    assert kept(site) == ["topic:sensor fusion"]


@pytest.mark.accept("F30", part="live preview")
def test_choices_can_be_tried_before_they_are_saved(
    site: Site, choices_token: str, edition: Edition
) -> None:
    before, title = site.dump(), edition.papers[40].title
    said = {"action": "preview", "topic": title, "size": "3"}
    page = site.client.post(f"/preferences/{choices_token}/preview", data=said)
    assert page.status_code == 200
    assert title in html.unescape(page.text)
    assert_is_mail(page)
    assert site.dump() == before
    nothing = site.client.post(f"/preferences/{choices_token}/preview", data={"floor": "1000000"})
    assert "No new paper reached your minimum score." in nothing.text


def assert_is_mail(answer: Response) -> None:
    """The mail itself, which a page of ours may frame, and in which nothing can run."""
    assert "List-Unsubscribe" not in answer.text
    assert "Unsubscribe</a>" in answer.text
    policy = answer.headers["content-security-policy"]
    assert "sandbox allow-popups" in policy
    assert "frame-ancestors 'self'" in policy
    assert "script" not in policy
    assert '<base target="_blank">' in answer.text


@pytest.mark.accept("F30", part="live preview")
def test_a_frame_says_why_it_shows_no_mail(
    site: Site, choices_token: str, digest_token: str
) -> None:
    wrong = {"hour": "99", "keyword": '"open'}
    for token, says in (
        (choices_token, ("Hour of the day: ", "Searches: ")),
        (digest_token, ("This link has expired.",)),
    ):
        page = site.client.post(f"/preferences/{token}/preview?framed=1", data=wrong)
        assert "No email to show" in page.text
        assert all(one in page.text for one in says)
        assert "frame-ancestors 'self'" in page.headers["content-security-policy"]
        assert "<form" not in page.text


@pytest.mark.accept("F30", part="a link cut short")
@pytest.mark.parametrize("way", ["", "/history", "/preview"])
def test_a_link_that_was_cut_short_asks_for_the_address(
    site: Site, choices_token: str, way: str
) -> None:
    page = site.client.get(f"/preferences/{choices_token[:-3]}{way}").text
    assert "This link is incomplete or has expired" in page
    assert MASK.search(page) is None
    assert 'name="email"' in page
    site.clock.move(seconds=2)
    fields = {"stamp": stamp(page)}
    known, unknown = (
        site.client.post("/preferences", data={"email": f"{name}@mail.example", **fields}).text
        for name in ("alice", "stranger")
    )
    assert known == unknown
    fresh = site.notice_token("alice", SystemMailKind.PREFERENCES, Purpose.PREFERENCES)
    assert 'id="choices"' in site.client.get(f"/preferences/{fresh}").text


@pytest.mark.accept("F30", part="history")
def test_a_reader_sees_what_they_were_sent(
    site: Site, choices_token: str, edition: Edition
) -> None:
    page = site.client.get(f"/preferences/{choices_token}/history")
    assert edition.papers[0].title in html.unescape(page.text)
    assert re.search(r"Due Monday 2 March at \d\d:\d\d: 12 papers</time>", page.text)
    assert "alice" not in page.text
    assert page.headers["cache-control"] == "no-store"


def test_only_the_languages_of_the_list_are_offered(site: Site, choices_token: str) -> None:
    edit_list(site.runtime.database, "trending", {"languages": ("de", "fr")}, by="tests", now=NOW)
    page = site.client.get(f"/preferences/{choices_token}").text
    choice = page.partition('<select id="language"')[2].partition("</select>")[0]
    assert re.findall(r'value="([\w-]*)"', choice) == ["de", "fr"]
