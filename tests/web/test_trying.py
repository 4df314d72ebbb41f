"""Signing up with topics, and the digest as a page before anything is mailed."""

import html
import re

import pytest

from paperround.core.tokens import Purpose
from paperround.delivery.system_mail import notice_mail
from paperround.delivery.system_mail_model import SystemMailKind
from paperround.editions.model import Edition
from tests.self_service.readers import post, second_list
from tests.web.choices_page import asked, kept
from tests.web.conftest import Site, sql

XSS = "<script>alert(1)</script>"


@pytest.mark.accept("F27", part="whole form")
def test_topics_that_are_suggested_or_written_count_once_confirmed(
    site: Site, edition: Edition
) -> None:
    page = site.client.get("/subscribe").text
    suggested = html.unescape(re.findall(r'name="add_topic" value="([^"]+)"', page)[0])
    assert "Check your inbox" in asked(site, topic="sensor fusion", add_topic=[suggested])
    site.work()
    assert kept(site, "ada") == []
    token = site.notice_token("ada", SystemMailKind.CONFIRM, Purpose.CONFIRM)
    confirmed = site.client.post(f"/confirm/{token}").text
    assert "sensor fusion" in confirmed
    assert kept(site, "ada") == ["topic:sensor fusion", f"topic:{suggested}"]


def test_the_lists_of_a_site_with_several_stay_ticked(site: Site, edition: Edition) -> None:
    second_list(sql(site.runtime))
    ticked = re.compile(r'name="lists" value="(\w+)" checked')
    assert ticked.findall(site.client.get("/subscribe").text) == ["trending"]
    assert ticked.findall(site.client.get("/subscribe?list=second").text) == ["second"]
    both = {"several": "yes", "lists": ["trending", "second"]}
    again = site.client.post("/subscribe/choices", data=both)
    assert sorted(ticked.findall(again.text)) == ["second", "trending"]


@pytest.mark.accept("P4", part="nothing typed")
def test_nothing_that_was_typed_stands_in_the_mail_that_asks(site: Site, edition: Edition) -> None:
    asked(site, topic="buy pills at pills.example", author="Pill Seller", keyword="pills")
    runtime = site.runtime
    site.work()
    (notice,) = post(runtime.database, now=site.clock.now())
    keys = runtime.signup_context.keys
    mail = notice_mail(notice, runtime.sender_identity, "Trending papers", keys)
    content = runtime.renderer.compose_notice(mail).decode()
    assert "Confirm your subscription" in content
    assert "pill" not in content.lower()


@pytest.mark.accept("F27", part="preview before confirming")
def test_the_digest_is_a_page_before_anything_is_kept_or_mailed(
    site: Site, edition: Edition
) -> None:
    before = site.dump()
    title = edition.papers[20].title
    said = {"topic": title, "email": "ada@mail.example", "frequency": "weekly:fri"}
    page = site.client.post("/subscribe/preview", data=said)
    assert page.status_code == 200
    assert title in html.unescape(page.text)
    assert "sandbox allow-popups" in page.headers["content-security-policy"]
    assert "frame-ancestors 'self'" in page.headers["content-security-policy"]
    assert "ada@mail.example" not in page.text
    assert page.headers["cache-control"] == "no-store"
    assert site.dump() == before
    back = site.client.post("/subscribe/choices", data=said)
    assert title in html.unescape(back.text)


@pytest.mark.parametrize("field", ["topic", "author", "keyword", "email"])
def test_what_was_typed_is_text_wherever_it_comes_back(
    site: Site, edition: Edition, field: str
) -> None:
    for path in ("/subscribe", "/subscribe/preview", "/subscribe/choices"):
        answer = site.client.post(path, data={field: XSS, "origin": "choices"})
        assert answer.status_code in (200, 422)
        assert "<script>alert" not in answer.text


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"topic": "x" * 101}, "topic"),
        ({"keyword": 'graph\n"tree'}, "keyword"),
        ({"hour": "24"}, "hour"),
        ({"list": "none"}, "list"),
        ({"several": "yes"}, "list"),
    ],
)
def test_what_cannot_be_is_marked_on_the_whole_form(
    site: Site, wrong: dict[str, str], field: str
) -> None:
    answer = site.client.post("/subscribe/preview", data=wrong)
    assert answer.status_code == 422
    assert f'href="#{field}"' in answer.text
    framed = site.client.post("/subscribe/preview?framed=1", data=wrong)
    assert framed.status_code == 422
    assert "No email to show" in framed.text
    assert "frame-ancestors 'self'" in framed.headers["content-security-policy"]


def test_looking_ahead_is_counted_like_searches(site: Site, edition: Edition) -> None:
    answer = site.client.post("/subscribe/preview", data={})
    assert "ratelimit" in " ".join(answer.headers).lower()
