"""What the link of a mail lets its holder do, and what it does not."""

import html
import json
import re
from datetime import timedelta

import pytest
from httpx2 import Response

from paperround.core.tokens import Purpose
from paperround.db.schema import tables as db
from paperround.delivery.system_mail_model import SystemMailKind
from paperround.editions.model import Edition
from paperround.subscribers.model import SubscriberState
from tests.builders import NOW
from tests.self_service.readers import post, second_list
from tests.web.choices_page import MASK, kept, subscription
from tests.web.conftest import Site, sql

ONE_CLICK = {"List-Unsubscribe": "One-Click"}
CHOICES = {"hour": "8", "timezone": "Europe/Berlin", "frequency": "weekly:fri", "size": "5"}


def forgeries(token: str) -> list[str]:
    """The token cut short, and with every one of its characters changed in turn."""
    changed = (chr(ord(char) ^ 1) for char in token)
    flipped = [token[:at] + char + token[at + 1 :] for at, char in enumerate(changed)]
    return [token[:-1], "too-few", "A" * 40, *(one for one in flipped if "?" not in one)]


def same(page: str, token: str) -> str:
    """A page without the token and the masked address."""
    return MASK.sub("MASK", page.replace(token, "TOKEN"))


@pytest.mark.accept("F23", part="chosen")
def test_a_reader_changes_to_a_month_and_back(site: Site, choices_token: str) -> None:
    for frequency in ("monthly", "weekly:fri"):
        said = {"action": "save", **CHOICES, "frequency": frequency}
        site.client.post(f"/preferences/{choices_token}", data=said)
        assert subscription(site)[1].frequency_text == frequency
        page = site.client.get(f"/preferences/{choices_token}").text
        assert f'<option value="{frequency}" selected>' in page


# --- leaving -----------------------------------------------------------------------------------


@pytest.mark.accept("F29", part="pages")
def test_one_click_leaves_without_a_page_a_cookie_or_a_redirect(
    site: Site, digest_token: str
) -> None:
    answer = site.client.post(
        f"/unsubscribe/{digest_token}", data=ONE_CLICK, follow_redirects=False
    )
    assert answer.status_code == 200
    assert "set-cookie" not in answer.headers
    assert "The recipient of that email gets no more digests" in answer.text
    assert "for the first time or again" in site.client.get("/confirm/an-undo-link").text
    assert subscription(site)[0] is SubscriberState.UNSUBSCRIBED


@pytest.mark.accept("S8", part="bodies")
@pytest.mark.parametrize(
    "body",
    [
        {},
        {"data": ONE_CLICK},
        {"files": {"List-Unsubscribe": (None, "One-Click")}},
        {"content": b"\xff\x00{", "headers": {"content-type": "multipart/form-data"}},
        {"json": {"a": 1}},
    ],
)
def test_whatever_a_mail_program_sends_leaves(
    site: Site, digest_token: str, body: dict[str, object]
) -> None:
    for _ in range(2):
        answer = site.client.post(f"/unsubscribe/{digest_token}", **body)  # type: ignore[arg-type]
        assert answer.status_code == 200
    assert subscription(site)[0] is SubscriberState.UNSUBSCRIBED


@pytest.mark.accept("S7", part="pages")
def test_a_forged_link_changes_nothing_and_shows_the_same_pages(
    site: Site, digest_token: str
) -> None:
    before = site.dump()
    asked = same(site.client.get(f"/unsubscribe/{digest_token}").text, digest_token)
    left = set()
    for forged in forgeries(digest_token):
        assert same(site.client.get(f"/unsubscribe/{forged}").text, forged) == asked
        left.add(site.client.post(f"/unsubscribe/{forged}").text)
    assert site.dump() == before
    assert left == {site.client.post(f"/unsubscribe/{digest_token}").text}


def test_a_link_that_was_cut_short_leaves_a_way_to_unsubscribe(
    site: Site, digest_token: str
) -> None:
    page = site.client.post(f"/unsubscribe/{digest_token[:30]}").text
    assert 'Then the link was incomplete: <a href="/preferences">get a new one' in page
    page = site.client.get(f"/feedback/{digest_token[:30]}/more/p1").text
    assert "It is incomplete, or does not belong to a digest that we sent." in page


@pytest.mark.accept("S14", part="leaving")
def test_leaving_masks_the_address_and_mails_a_way_back(site: Site, digest_token: str) -> None:
    page = site.client.get(f"/unsubscribe/{digest_token}").text
    assert "a•••@mail.example" in page
    assert "alice" not in page
    site.client.post(f"/unsubscribe/{digest_token}")
    undo = site.notice_token("alice", SystemMailKind.UNDO, Purpose.CONFIRM)
    assert "You are subscribed" in site.client.post(f"/confirm/{undo}").text
    assert subscription(site)[0] is SubscriberState.ACTIVE


def test_the_link_says_that_its_reader_is_unsubscribed_already(
    site: Site, digest_token: str
) -> None:
    site.client.post(f"/unsubscribe/{digest_token}")
    before = site.dump()
    page = site.client.get(f"/unsubscribe/{digest_token}").text
    assert "Unsubscribe?" not in page
    assert "<b>a•••@mail.example</b> gets no more digests of that list." in page
    assert "To undo this, use the link in the email that confirms it." in page
    assert site.dump() == before
    undo = site.notice_token("alice", SystemMailKind.UNDO, Purpose.CONFIRM)
    site.client.post(f"/confirm/{undo}")
    assert "Unsubscribe?" in site.client.get(f"/unsubscribe/{digest_token}").text
    site.client.post(f"/unsubscribe/{digest_token}")
    site.clock.move(hours=31 * 24)
    page = site.client.get(f"/unsubscribe/{digest_token}").text
    assert "gets no more digests" in page
    assert "To undo this" not in page


# --- choices -----------------------------------------------------------------------------------


@pytest.mark.accept("S14", part="choices")
@pytest.mark.parametrize("action", ["save", "leave", "export", "erase", "erase-now"])
def test_the_link_of_a_digest_opens_nobodys_choices(
    site: Site, digest_token: str, action: str
) -> None:
    before = site.dump()
    for token in (digest_token, *forgeries(digest_token)[:3]):
        answer = site.client.post(f"/preferences/{token}", data={"action": action, **CHOICES})
        assert "Email me a new link" in answer.text
    assert site.dump() == before


@pytest.mark.accept("F30", part="link")
def test_a_fresh_link_is_mailed_and_opens_the_choices_for_a_day(
    site: Site, choices_token: str
) -> None:
    path = f"/preferences/{choices_token}"
    assert "a•••@mail.example" in site.client.get(path).text
    site.clock.move(hours=25)
    assert "Email me a new link" in site.client.get(path).text


def _asks_for_a_link(site: Site, email: str, **fields: str) -> Response:
    page = site.client.get("/preferences").text
    site.clock.move(seconds=2)
    stamp = page.partition('name="stamp" value="')[2].partition('"')[0]
    return site.client.post("/preferences", data={"email": email, "stamp": stamp, **fields})


@pytest.mark.accept("F30", part="link without a mail at hand")
def test_a_reader_without_a_mail_at_hand_has_a_link_mailed(site: Site, digest_token: str) -> None:
    assert digest_token
    answer = _asks_for_a_link(site, "alice@mail.example")
    token = site.notice_token("alice", SystemMailKind.PREFERENCES, Purpose.PREFERENCES)
    assert "a•••@mail.example" in site.client.get(f"/preferences/{token}").text
    assert _asks_for_a_link(site, "stranger@mail.example").text == answer.text


def test_a_link_is_not_mailed_to_whoever_falls_into_the_trap(site: Site, digest_token: str) -> None:
    assert digest_token
    before = site.dump()
    fields = {"email": "alice@mail.example", "website": "https://spam.example"}
    assert site.client.post("/preferences", data=fields).status_code == 200
    assert site.dump() == before


def test_a_mistyped_address_is_shown_again_with_what_is_wrong(site: Site) -> None:
    answer = site.client.post("/preferences", data={"email": "alice@"})
    assert answer.status_code == 422
    assert 'value="alice@"' in answer.text
    assert 'aria-invalid="true" aria-describedby="email-error"' in answer.text


@pytest.mark.accept("F30", part="choices")
def test_choices_are_saved_and_shown_again(site: Site, choices_token: str) -> None:
    said = {**CHOICES, "topic": "protein folding\r\nsensor fusion\r\n", "floor": "0.5"}
    path = f"/preferences/{choices_token}"
    answer = site.client.post(path, data={"action": "save", **said})
    assert "Saved." in answer.text
    _, wish = subscription(site)
    assert (wish.hour, wish.timezone, wish.weekday) == (8, "Europe/Berlin", "fri")
    assert (wish.size, wish.floor) == (5, 0.5)
    assert kept(site) == ["topic:protein folding", "topic:sensor fusion"]
    (said_back,) = re.findall(r'<p class="done" role="status">(Saved\..*)</p>', answer.text)
    assert html.unescape(said_back).replace("\xa0", " ") == (
        "Saved. Once a week, on Friday · 08:00 (Europe/Berlin) · protein folding · sensor fusion"
    )
    again = answer.text.replace(f'<p class="done" role="status">{said_back}</p>', "")
    assert site.client.get(path).text.split() == again.split()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("hour", "24"),
        ("timezone", "Nowhere"),
        ("frequency", "hourly"),
        ("size", "0"),
        ("size", "9" * 30),
        ("floor", "nan"),
        ("floor", "much"),
        ("paused_until", "2026-02-30"),
        ("paused_until", "2190-01-01"),
        ("topic", "x" * 101),
    ],
)
def test_a_choice_that_cannot_be_is_marked_and_kept_as_typed(
    site: Site, choices_token: str, field: str, value: str
) -> None:
    before = subscription(site)
    said = {"action": "save", **CHOICES, field: value}
    answer = site.client.post(f"/preferences/{choices_token}", data=said)
    assert answer.status_code == 422
    assert f'id="{field}-error"' in answer.text
    assert subscription(site) == before


@pytest.mark.parametrize("action", ["exprot", "SAVE", "link "])
def test_a_button_that_is_not_there_changes_nothing(
    site: Site, choices_token: str, action: str
) -> None:
    site.client.post(f"/preferences/{choices_token}", data={"action": "save", **CHOICES})
    before = site.dump()
    answer = site.client.post(f"/preferences/{choices_token}", data={"action": action})
    assert answer.status_code == 422
    assert 'value="Europe/Berlin"' in answer.text
    assert site.dump() == before


def test_a_pause_is_kept(site: Site, choices_token: str) -> None:
    said = {"action": "save", "paused_until": "2026-03-20"}
    site.client.post(f"/preferences/{choices_token}", data=said)
    assert str(subscription(site)[1].paused_until) == "2026-03-20"


def test_nobody_is_told_of_a_digest_that_was_due_before_now(site: Site, choices_token: str) -> None:
    told = "The next digest is due"
    assert told in site.client.get(f"/preferences/{choices_token}").text
    with sql(site.runtime).begin() as connection:
        connection.execute(db.deliveries.delete())  # today has none yet
        connection.execute(db.subscriptions.update().values(due_at=NOW - timedelta(hours=1)))
    assert told not in site.client.get(f"/preferences/{choices_token}").text


@pytest.mark.accept("F30", part="preview")
def test_the_next_digest_can_be_looked_at(site: Site, choices_token: str, edition: Edition) -> None:
    answer = site.client.get(f"/preferences/{choices_token}/preview")
    assert edition.papers[0].title not in answer.text
    assert edition.papers[13].title in answer.text
    assert "sandbox" in answer.headers["content-security-policy"]
    assert answer.headers["cache-control"] == "no-store"


def test_without_a_good_link_a_preview_offers_to_mail_one(site: Site, digest_token: str) -> None:
    for token in (digest_token, "forged"):
        answer = site.client.get(f"/preferences/{token}/preview")
        assert "Email me a new link" in answer.text


@pytest.mark.accept("F30", part="leave")
def test_leaving_from_the_choices_ends_the_subscription(site: Site, choices_token: str) -> None:
    answer = site.client.post(f"/preferences/{choices_token}", data={"action": "leave"})
    assert "<b>a•••@mail.example</b> gets no more digests of that list." in answer.text
    assert "To undo this, use the link in the email that confirms it." in answer.text
    assert subscription(site)[0] is SubscriberState.UNSUBSCRIBED


@pytest.mark.accept("F30", part="export")
def test_ones_data_can_be_taken_away(site: Site, choices_token: str) -> None:
    answer = site.client.post(f"/preferences/{choices_token}", data={"action": "export"})
    assert answer.headers["content-disposition"].startswith("attachment")
    assert "alice@mail.example" in json.dumps(answer.json())


@pytest.mark.accept("F30", part="erase")
def test_erasing_asks_once_more_and_then_forgets(site: Site, choices_token: str) -> None:
    path, before = f"/preferences/{choices_token}", site.dump()
    assert (
        "Delete the data of a•••@mail.example?"
        in site.client.post(path, data={"action": "erase"}).text
    )
    assert site.dump() == before
    assert "Deleted" in site.client.post(path, data={"action": "erase-now"}).text
    assert "alice@mail.example" not in str(site.dump())
    after = [site.client.get(path), *(site.client.post(path, data={"action": "erase-now"}),) * 2]
    for answer in after:  # pressed twice, or gone back to
        assert "Your data has been deleted." in answer.text
        assert "Email me a new link" not in answer.text


# --- feedback ----------------------------------------------------------------------------------


def pressed(page: str) -> list[str]:
    return re.findall(r'value="(\w+)" aria-pressed="true"', page)


@pytest.mark.accept("S14", part="feedback")
def test_feedback_is_given_without_a_script_and_shown_once(
    site: Site, digest_token: str, edition: Edition
) -> None:
    path, first = f"/feedback/{digest_token}", str(edition.papers[0].paper_id)
    pages = [
        site.client.post(path, data={"paper": first, "verdict": verdict}).text
        for verdict in ("more", "save", "less")
    ]
    assert [pressed(page) for page in pages] == [["more"], ["save"], ["less"]]
    assert pressed(site.client.get(path).text) == []


@pytest.mark.parametrize(
    "said",
    [
        {},
        {"paper": "999999", "verdict": "more"},
        {"paper": "x", "verdict": "more"},
        {"paper": "9" * 40, "verdict": "more"},
        {"paper": "9" * 4301, "verdict": "more"},
        {"paper": "1", "verdict": "hate"},
    ],
)
def test_feedback_on_anything_else_changes_nothing(
    site: Site, digest_token: str, said: dict[str, str]
) -> None:
    before = site.dump()
    answer = site.client.post(f"/feedback/{digest_token}", data=said)
    assert answer.status_code == 200
    assert ">Saved. Thank you.<" not in answer.text
    assert site.dump() == before


def test_a_forged_feedback_link_shows_one_page(site: Site, digest_token: str) -> None:
    pages = {site.client.get(f"/feedback/{one}").text for one in forgeries(digest_token)}
    assert len(pages) == 1
    assert "does not work" in pages.pop()


# --- looking -----------------------------------------------------------------------------------


@pytest.mark.accept("S8", part="crawler")
def test_looking_at_any_link_with_any_harmless_method_changes_nothing(
    site: Site, digest_token: str, choices_token: str
) -> None:
    site.ask("ada@mail.example")
    confirm = site.notice_token("ada", SystemMailKind.CONFIRM, Purpose.CONFIRM)
    before = site.dump()
    for token in (digest_token, choices_token, confirm):
        for page in ("confirm", "unsubscribe", "preferences", "feedback"):
            for method in ("GET", "HEAD", "OPTIONS"):
                site.client.request(method, f"/{page}/{token}", params={"action": "leave"})
        site.client.get(f"/preferences/{token}/preview")
    assert site.dump() == before


# --- looking ahead and back --------------------------------------------------------------------


def test_choices_that_cannot_be_tried_are_marked(site: Site, choices_token: str) -> None:
    said = {"hour": "99", "keyword": '"open', "size": "0"}
    answer = site.client.post(f"/preferences/{choices_token}/preview", data=said)
    assert answer.status_code == 422
    for field in said:
        assert f'id="{field}-error"' in answer.text


@pytest.mark.accept("F30", part="errors")
def test_every_field_that_is_wrong_is_named_at_once_with_a_link_to_it(
    site: Site, choices_token: str
) -> None:
    wrong = {"hour": "99", "timezone": "Nowhere", "keyword": '"open', "mute": "the"}
    said = {"action": "save", **CHOICES, **wrong}
    page = site.client.post(f"/preferences/{choices_token}", data=said).text
    for field in wrong:
        assert f'<a href="#{field}">' in page
        assert f'id="{field}"' in page
        assert f'id="{field}-error"' in page
    assert len(re.findall(r'id="\w+-error"', page)) == len(wrong)


@pytest.mark.accept("S14", part="history and preview")
def test_the_link_of_a_digest_shows_no_history_and_tries_nothing(
    site: Site, digest_token: str
) -> None:
    before = site.dump()
    for token in (digest_token, *forgeries(digest_token)[:3]):
        assert "Email me a new link" in site.client.get(f"/preferences/{token}/history").text
        answer = site.client.post(f"/preferences/{token}/preview", data=CHOICES)
        assert "Email me a new link" in answer.text
    assert site.dump() == before


def test_the_offer_of_a_fresh_link_works_from_every_page(site: Site, digest_token: str) -> None:
    page = site.client.get(f"/preferences/{digest_token}/history").text
    assert f'action="/preferences/{digest_token}"' in page


# --- another address, another list -------------------------------------------------------------


@pytest.mark.accept("F30", part="change of address")
def test_a_change_of_address_is_agreed_to_at_both_ends(site: Site, choices_token: str) -> None:
    said = {"action": "move", "email": "bob@mail.example"}
    page = site.client.post(f"/preferences/{choices_token}", data=said).text
    assert "Check both inboxes" in page
    assert "bob" not in page
    site.work()
    old, new = post(site.runtime.database, now=site.clock.now())[-2:]
    tokens = [
        site.runtime.signup_context.keys.token(Purpose.CONFIRM, one.id, one.nonce)
        for one in (old, new)
    ]
    before = site.dump()
    assert "Confirm this address" in site.client.get(f"/address/{tokens[0]}").text
    assert site.dump() == before
    assert "Now confirm the other address" in site.client.post(f"/address/{tokens[0]}").text
    for token in (*reversed(tokens), tokens[1]):  # both ends, and once more
        page = site.client.post(f"/address/{token}").text
        assert "You confirmed both addresses" in page
        assert "other" not in page.partition("<main")[2].partition("</main>")[0]
    assert "b•••@mail.example" in site.client.get(f"/preferences/{choices_token}").text


@pytest.mark.parametrize(
    ("email", "why"),
    [
        ("nobody", "@"),
        ("alice@mail.example", "already your address"),
        ("alice@mailinator.com", "are disposable"),
        ("alice%mail@mail.example", "with a percent sign, !, |"),
        ("", ""),
    ],
)
def test_an_address_that_cannot_be_is_marked(
    site: Site, choices_token: str, email: str, why: str
) -> None:
    said = {"action": "move", "email": email}
    answer = site.client.post(f"/preferences/{choices_token}", data=said)
    assert answer.status_code == 422
    assert 'id="email-error"' in answer.text
    assert why in answer.text


@pytest.mark.accept("S7", part="a change of address")
def test_a_forged_link_of_a_change_looks_like_any_other(site: Site, choices_token: str) -> None:
    site.client.post(
        f"/preferences/{choices_token}", data={"action": "move", "email": "bob@mail.example"}
    )
    token = site.notice_token("alice", SystemMailKind.CHANGE, Purpose.CONFIRM)
    before = site.dump()
    for forged in ("too-few", token[:-1] + ("B" if token.endswith("A") else "A"), choices_token):
        assert (
            site.client.get(f"/address/{forged}").text == site.client.get(f"/address/{token}").text
        )
        assert "no longer works" in site.client.post(f"/address/{forged}").text
    assert site.dump() == before


@pytest.mark.accept("F30", part="lists")
def test_another_list_is_joined_and_chosen_for_on_the_page(site: Site, choices_token: str) -> None:
    second_list(sql(site.runtime))
    path = f"/preferences/{choices_token}"
    assert "Also subscribe" in site.client.get(path).text
    page = site.client.post(path, data={"action": "join", "join": "second"}).text
    assert "You are now subscribed to this list." in page
    assert 'name="list" value="second"' in page
    site.client.post(path, data={"action": "save", "list": "second", "size": "3"})
    assert 'id="size" name="size" type="number" min="1" max="50" inputmode="numeric" value="3"' in (
        site.client.get(f"{path}?list=second").text
    )
    assert subscription(site)[1].size is None
    site.client.post(path, data={"action": "leave", "list": "second"})
    page = site.client.get(path).text
    assert ">Resubscribe</button>" in page
    assert "Also subscribe" not in page
