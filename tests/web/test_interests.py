"""What readers ask for on the page of their choices, and a search that is kept."""

import html
import re

import pytest

from paperround.core.tokens import Purpose
from paperround.delivery.system_mail_model import SystemMailKind
from tests.builders import paper
from tests.web.choices_page import kept, typed
from tests.web.conftest import Site
from tests.web.papers import keep

XSS = "<script>alert(1)</script>"
SAID = {
    "author": "Ada Lovelace",
    "keyword": "graph AND attention NOT survey\r\nretriev*",
    "category": "cs.CL",
    "seed": "2601.00001\r\nUnheard of",
    "mute": "blockchain\r\nauthor:bob",
}


def asked(site: Site, search: str, email: str = "ada@mail.example") -> str:
    """Send the form of the search page as a person would; the page that answers."""
    page = site.client.get("/search", params={"q": search}).text
    form = page[page.index('action="/subscribe"') :]
    hidden = {
        name: html.unescape(value)
        for name, value in re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', form)
    }
    site.clock.move(seconds=3)
    return site.client.post("/subscribe", data={"email": email, **hidden}).text


# --- the page of one's choices -----------------------------------------------------------------


def shown(page: str) -> str:
    """The mark of the choices that a page was made with."""
    found = re.search(r'name="shown" value="(\w+)"', page)
    assert found is not None
    return found[1]


def test_a_second_window_does_not_undo_the_first_unseen(site: Site, choices_token: str) -> None:
    path = f"/preferences/{choices_token}"
    seen = shown(site.client.get(path).text)
    first = {"action": "save", "shown": seen, "topic": "sensor fusion"}
    for _ in range(2):
        assert "Saved." in site.client.post(path, data=first).text
    second = {"action": "save", "shown": seen, "keyword": "retriev*"}
    told = site.client.post(path, data=second)
    assert told.status_code == 422
    assert "changed in another window" in told.text
    assert typed(told.text, "keyword") == "retriev*"
    assert kept(site) == ["topic:sensor fusion"]
    site.client.post(path, data={**second, "shown": shown(told.text)})
    assert kept(site) == ["keyword:retriev*"]


@pytest.mark.parametrize("way", ["", "/preview"])
def test_a_link_that_ran_out_while_its_reader_wrote_says_that_nothing_was_saved(
    site: Site, choices_token: str, way: str
) -> None:
    site.clock.move(hours=25)
    said = {"action": "preview" if way else "save", "add_topic": "dialogue", **SAID}
    told = site.client.post(f"/preferences/{choices_token}{way}", data=said).text
    assert "Nothing was saved" in told
    assert "Nothing was saved" not in site.client.get(f"/preferences/{choices_token}").text


@pytest.mark.accept("F13", part="choices")
def test_interests_are_saved_and_shown_again(site: Site, choices_token: str) -> None:
    path = f"/preferences/{choices_token}"
    assert "Saved." in site.client.post(path, data={"action": "save", **SAID}).text
    assert kept(site) == [
        "author:Ada Lovelace",
        "keyword:graph AND attention NOT survey",
        "keyword:retriev*",
        "category:cs.CL",
        "seed:arxiv:2601.00001",
        "seed:Unheard of",
        "mute:blockchain",
        "mute:author:bob",
    ]
    again = site.client.get(path).text
    assert typed(again, "keyword") == "graph AND attention NOT survey\nretriev*"
    assert typed(again, "seed") == "arxiv:2601.00001\nUnheard of"
    assert again.count("not in our database yet") == 2


@pytest.mark.accept("F13", part="choices")
@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("keyword", 'graph\r\n"open', "line 2: the quote at character 1 is not closed"),
        ("mute", "\r\na NOT", "line 2: “NOT” at character 3 needs something to look for"),
        ("author", "x" * 301, "line 1: "),
        ("category", "\x01", "line 1: "),
        ("seed", "fine\r\n" + "y" * 301, "line 2: "),
    ],
)
def test_a_line_that_cannot_be_read_is_marked_and_nothing_typed_is_lost(
    site: Site, choices_token: str, field: str, value: str, says: str
) -> None:
    before = site.dump()
    said = {**SAID, field: value, "size": "7"}
    answer = site.client.post(f"/preferences/{choices_token}", data={"action": "save", **said})
    assert answer.status_code == 422
    assert f'aria-describedby="{field}-hint {field}-error"' in answer.text
    told = re.search(rf'id="{field}-error">(.*?)</span>', answer.text, re.DOTALL)
    assert told is not None
    assert says in html.unescape(told[1])
    assert [typed(answer.text, one).split() for one in said if one in SAID] == [
        said[one].split() for one in said if one in SAID
    ]
    assert 'value="7"' in answer.text
    assert site.dump() == before


@pytest.mark.accept("S8", part="typed text")
def test_what_is_typed_is_text_when_it_comes_back(site: Site, choices_token: str) -> None:
    said = dict.fromkeys(SAID, XSS)
    page = site.client.post(f"/preferences/{choices_token}", data={"action": "save", **said}).text
    assert XSS not in page
    for field in SAID:
        assert typed(page, field) == XSS


# --- a search that is kept ---------------------------------------------------------------------


@pytest.mark.accept("F16", part="a saved search")
def test_a_search_becomes_an_interest_once_somebody_new_confirms(site: Site) -> None:
    assert "Check your inbox" in asked(site, "graph -survey")
    token = site.notice_token("ada", SystemMailKind.CONFIRM, Purpose.CONFIRM)
    assert kept(site, "ada") == []
    assert "graph -survey" not in site.client.get(f"/confirm/{token}").text
    assert "graph -survey" in site.client.post(f"/confirm/{token}").text
    assert kept(site, "ada") == ["keyword:graph -survey"]


@pytest.mark.accept("F16", part="a saved search")
def test_a_search_of_a_reader_waits_for_their_yes_behind_a_mailed_link(
    site: Site, digest_token: str
) -> None:
    assert digest_token
    new = asked(site, "graph -survey")
    assert asked(site, "graph -survey", "alice@mail.example") == new
    path = "/preferences/" + site.notice_token(
        "alice", SystemMailKind.PREFERENCES, Purpose.PREFERENCES
    )
    page = site.client.get(path).text
    assert "Someone requested this with your address" in page
    assert typed(page, "keyword") == "graph -survey"
    assert kept(site) == []
    saved = site.client.post(path, data={"action": "save", "keyword": "graph -survey"}).text
    assert kept(site) == ["keyword:graph -survey"]
    assert "Someone requested" not in saved


@pytest.mark.accept("F16", part="a saved search")
def test_a_search_that_a_digest_cannot_be_asked_says_why_and_has_no_form(site: Site) -> None:
    keep(site, paper(1, title="Dense retrieval"))
    for search, why in (
        ("dense feed:arxiv", "works only on the search page"),
        ('"dense', "the quote at character 1"),
        (f"dense {'x' * 300}", "300 characters"),
    ):
        page = site.client.get("/search", params={"q": search}).text
        assert why in page
        assert 'action="/subscribe"' not in page
    assert 'action="/subscribe"' not in site.client.get("/search").text


def test_a_form_with_a_search_that_cannot_be_read_is_refused_with_the_place(site: Site) -> None:
    before = site.dump()
    answer = site.client.post(
        "/subscribe", data={"email": "ada@mail.example", "search": f'"{XSS}', "stamp": site.stamp()}
    )
    assert answer.status_code == 422
    assert "your search: the quote at character 1 is not closed" in answer.text
    assert XSS not in answer.text
    assert site.dump() == before


def test_a_mistyped_address_does_not_lose_the_search(site: Site) -> None:
    page = asked(site, "graph -survey", "ada@")
    assert '<input type="hidden" name="search" value="graph -survey">' in page
    assert "Includes your search" in page


# --- by program --------------------------------------------------------------------------------


@pytest.mark.accept("F13", part="api")
def test_a_program_signs_somebody_up_with_interests(site: Site) -> None:
    interests = [
        {"kind": "keyword", "value": "graph NOT survey"},
        {"kind": "author", "value": "Ada  Lovelace"},
    ]
    answer = site.client.post(
        "/api/v1/subscriptions", json={"email": "ada@mail.example", "interests": interests}
    )
    assert answer.status_code == 202
    token = site.notice_token("ada", SystemMailKind.CONFIRM, Purpose.CONFIRM)
    site.client.post(f"/confirm/{token}")
    assert kept(site, "ada") == ["keyword:graph NOT survey", "author:Ada Lovelace"]


@pytest.mark.parametrize(
    ("interests", "field"),
    [
        ([{"kind": "planet", "value": "Mars"}], "interests.0.kind"),
        ([{"kind": "keyword"}], "interests.0.value"),
        ([{"kind": "keyword", "value": "a", "weight": 9}], "interests.0.weight"),
        (["graph"], "interests.0"),
        ([{"kind": "keyword", "value": '"open'}], "keyword"),
        ([{"kind": "mute", "value": "a AND"}], "mute"),
        ([{"kind": "seed", "value": "x"}] * 201, "interests"),
    ],
)
def test_a_program_is_told_which_interest_is_wrong(
    site: Site, interests: object, field: str
) -> None:
    answer = site.client.post(
        "/api/v1/subscriptions", json={"email": "ada@mail.example", "interests": interests}
    )
    assert answer.status_code == 422
    assert [one["field"] for one in answer.json()["errors"]] == [field]
