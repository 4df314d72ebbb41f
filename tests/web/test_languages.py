"""In which language a page is, and that a sign-up keeps it."""

import html
import re

import pytest
from starlette.testclient import TestClient

from paperround.core.errors import DatabaseFailed
from paperround.core.i18n.locale import catalogue_path, read_catalogue
from paperround.core.languages import LANGUAGES
from paperround.core.tokens import Purpose
from paperround.delivery.store.system_mail import NoticeLedger
from paperround.delivery.system_mail_model import SystemMailKind
from paperround.editions.model import Edition
from paperround.subscribers.model import Preferences
from paperround.subscribers.store.subscribers import SubscriberStore
from tests.builders import address
from tests.web.conftest import Site

FORGED = "/unsubscribe/" + "A" * 40
LEAVING = {
    "en": "Unsubscribe?",
    "de": "Abbestellen?",
    "fr": "Se désabonner\u202f?",
    "es": "¿Cancelar la suscripción?",
    "zh-Hans": "要退订简报吗？",
}


def heading(client: TestClient, path: str = FORGED, accept: str = "") -> str:
    answer = client.get(path, headers={"accept-language": accept} if accept else {})
    assert answer.headers["vary"] == "accept-language"
    [found] = re.findall("<h1[^>]*>(.*?)</h1>", answer.text)
    return str(found)


def choices(site: Site, name: str = "ada") -> Preferences:
    with site.runtime.database.reading() as work:
        person = work[SubscriberStore].find(address(name))
        assert person is not None
        [found] = work[SubscriberStore].subscriptions_of(person.id)
    return found.preferences


@pytest.mark.accept("F26", part="pages")
@pytest.mark.parametrize("language", list(LANGUAGES))
def test_a_page_is_in_the_language_that_the_browser_or_the_address_asks_for(
    site: Site, language: str
) -> None:
    assert heading(site.client, accept=f"{language},en;q=0.1") == LEAVING[language]
    assert heading(site.client, f"{FORGED}?lang={language}", accept="ja") == LEAVING[language]
    answer = site.client.get(f"{FORGED}?lang={language}")
    assert answer.headers["content-language"] == language
    assert "set-cookie" not in answer.headers


def test_a_page_is_in_english_for_whoever_says_nothing_we_speak(site: Site) -> None:
    assert heading(site.client) == LEAVING["en"]
    assert heading(site.client, accept="ja,ko;q=0.5") == LEAVING["en"]
    assert heading(site.client, f"{FORGED}?lang=xx", accept="de") == LEAVING["de"]
    assert heading(site.client, f"{FORGED}?lang=" + "d" * 9000, accept="de") == LEAVING["de"]


def test_an_address_with_many_fields_is_read_like_any_other(site: Site) -> None:
    many = "&".join(f"field{number}=1" for number in range(60))
    assert heading(site.client, f"{FORGED}?lang=fr&{many}") == LEAVING["fr"]
    assert heading(site.client, f"{FORGED}?{many}&language=de") == LEAVING["en"]


def test_the_language_of_one_request_is_not_that_of_the_next(site: Site) -> None:
    for language in ("de", "en", "fr", "en"):
        assert heading(site.client, f"{FORGED}?lang={language}") == LEAVING[language]
        assert heading(site.client) == LEAVING["en"]


@pytest.mark.accept("F26", part="kept")
def test_a_sign_up_keeps_the_language_of_its_page(site: Site) -> None:
    site.client.headers["accept-language"] = "fr-CA,fr;q=0.9"
    site.ask()
    assert choices(site).language == "fr"
    site.ask("bo@mail.example", language="de")
    assert choices(site, "bo").language == "de"


def test_a_sign_up_in_no_language_of_ours_leaves_it_open(site: Site) -> None:
    site.client.headers["accept-language"] = "ja"
    site.ask(language="x" * 500)
    assert choices(site).language is None


@pytest.mark.accept("F26", part="kept")
def test_a_program_may_say_the_language(site: Site) -> None:
    asked = {"email": "ada@mail.example", "language": "es-MX"}
    assert site.client.post("/api/v1/subscriptions", json=asked).status_code == 202
    site.work()
    assert choices(site).language == "es-MX"


@pytest.mark.accept("F26", part="kept")
def test_a_reader_chooses_the_language_and_keeps_it_where_a_form_does_not_ask(site: Site) -> None:
    site.ask()
    token = site.notice_token("ada", SystemMailKind.CONFIRM, Purpose.CONFIRM)
    page = site.client.post(f"/confirm/{token}").text
    path = re.findall(r"/preferences/[\w-]{40}", page)[0]
    saved = site.client.post(path, data={"action": "save", "language": "zh-Hans"})
    assert saved.status_code == 200
    assert saved.headers["content-language"] == "zh-Hans"
    assert choices(site).language == "zh-Hans"
    site.client.post(path, data={"action": "save", "size": "5"})
    assert (choices(site).language, choices(site).size) == ("zh-Hans", 5)
    assert site.client.get(f"{path}?lang=es").headers["content-language"] == "es"
    refused = site.client.post(path, data={"action": "save", "language": "tlh"})
    assert refused.status_code == 422
    assert choices(site).language == "zh-Hans"


@pytest.mark.accept("F26", part="kept")
def test_a_confirmation_is_in_the_language_it_was_asked_for_whoever_asked_before(
    site: Site,
) -> None:
    site.ask(language="de")
    site.clock.move(hours=2)
    site.ask(language="fr")
    token = site.notice_token("ada", SystemMailKind.CONFIRM, Purpose.CONFIRM)
    page = site.client.get(f"/confirm/{token}", headers={"accept-language": "en"})
    assert page.headers["content-language"] == "fr"


def test_a_button_to_confirm_is_shown_while_the_database_is_away(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.ask()
    token = site.notice_token("ada", SystemMailKind.CONFIRM, Purpose.CONFIRM)

    def gone(*_: object) -> None:
        raise DatabaseFailed("it is down")

    monkeypatch.setattr(NoticeLedger, "get", gone)
    page = site.client.get(f"/confirm/{token}", headers={"accept-language": "es"})
    assert (page.status_code, page.headers["content-language"]) == (200, "es")
    assert site.client.post(f"/confirm/{token}").status_code == 503


# --- every page ----------------------------------------------------------------------------------


OF_EVERYBODY = (
    "/",
    "/trending?period=week",
    "/editions",
    "/search",
    "/search?q=counting",
    "/sources",
    "/ranking",
    "/snippet",
    "/calendar",
    "/api",
    "/privacy",
    "/subscribe",
    "/authors/Nobody",
    "/topics/nothing",
    "/preferences",
    "/nowhere",
    f"/confirm/{'A' * 40}",
    f"/preferences/{'A' * 40}",
)


def english_sentences(language: str) -> list[str]:
    """What a page in `language` may not say: texts of several words that are said otherwise."""
    catalogue = read_catalogue(catalogue_path(language), language)
    texts = [one for one in catalogue if one.id and isinstance(one.id, str)]
    return [
        str(one.id)
        for one in texts
        if " " in str(one.id) and not set("%<&") & set(str(one.id)) and one.id != one.string
    ]


@pytest.mark.slow
@pytest.mark.accept("F26", part="pages")
@pytest.mark.parametrize("language", ["de", "zh-Hans"])
def test_no_page_mixes_its_language_with_english(
    site: Site, edition: Edition, language: str
) -> None:
    assert edition.papers
    sentences = english_sentences(language)
    assert len(sentences) > 100
    for path in OF_EVERYBODY:
        answer = site.client.get(path, headers={"accept-language": language})
        assert answer.headers["content-language"] == language, path
        assert f'<html lang="{language}" dir="ltr">' in answer.text
        shown = {piece.strip() for piece in re.split(r"[<>\"\n]", answer.text)}
        left = [one for one in sentences if one in shown]
        assert left == [], path


def test_the_menu_of_languages_keeps_what_a_page_was_asked(site: Site) -> None:
    page = site.client.get("/search?q=a%26b&lang=fr").text
    assert '<a href="?q=a%26b&amp;lang=de" lang="de"' in page
    assert site.client.get("/?" + "&".join(["a=1"] * 90) + "&lang=de").status_code == 200


@pytest.mark.parametrize("query", ["q=dense+cost%2Fgain", "q=dense%20cost/gain"])
def test_a_page_has_one_address_in_each_language(site: Site, query: str) -> None:
    """As the links of other pages write it: nobody keeps, or crawls, the same page twice."""
    page = site.client.get(f"/search?{query}").text
    assert '<a href="?q=dense%20cost/gain&amp;lang=de" lang="de"' in page


def test_a_form_is_answered_in_the_language_of_its_page(site: Site) -> None:
    page = site.client.get("/?lang=de").text
    assert '<input type="hidden" name="language" value="de">' in page
    answer = site.client.post("/subscribe", data={"email": "nobody", "language": "de"})
    assert answer.headers["content-language"] == "de"
    link = site.client.post("/preferences", data={"email": "ada@mail.example", "language": "de"})
    assert link.headers["content-language"] == "de"


# --- a language that was chosen in the menu ----------------------------------------------------

LEADING = re.compile(r'(?:href|action|formaction)="(/[^"]*)"')
NO_PAGE = re.compile(r"/(?:static|feeds|api)/|.*\.(?:bib|ris|md|jsonld|xml)$")


@pytest.mark.slow
@pytest.mark.accept("F26", part="chosen in the menu")
def test_every_link_and_form_keeps_the_language_that_was_chosen(
    site: Site, edition: Edition, choices_token: str
) -> None:
    title = edition.papers[0]
    paths = (
        *OF_EVERYBODY,
        f"/papers/{title.name}",
        f"/preferences/{choices_token}",
        f"/preferences/{choices_token}/library",
    )
    for path in paths:
        joint = "&" if "?" in path else "?"
        page = site.client.get(f"{path}{joint}lang=fr", headers={"accept-language": "de"}).text
        led = [html.unescape(one) for one in LEADING.findall(page)]
        pages = [one for one in led if not NO_PAGE.match(one)]
        assert len(pages) > 5, path
        assert [one for one in pages if not re.search(r"[?&]lang=fr(?:$|#|&)", one)] == [], path
        assert [one for one in led if NO_PAGE.match(one) and "lang=" in one] == [], path
        if 'method="get"' in page:
            assert '<input type="hidden" name="lang" value="fr">' in page, path


@pytest.mark.accept("F26", part="chosen in the menu")
def test_a_language_that_nobody_chose_stands_in_no_link(site: Site, edition: Edition) -> None:
    assert edition.papers
    page = site.client.get("/", headers={"accept-language": "de"}).text
    assert 'href="/trending"' in page
    assert "lang=de" not in page


@pytest.mark.accept("F26", part="chosen in the menu")
def test_a_page_in_a_chosen_language_is_kept_apart_and_sets_no_cookie(
    site: Site, edition: Edition
) -> None:
    assert edition.papers
    answers = {
        path: site.client.get(path, headers={"accept-language": "de"})
        for path in ("/editions", "/editions?lang=fr", "/editions?lang=de")
    }
    assert len({one.headers["etag"] for one in answers.values()}) == 3
    for path, answer in answers.items():
        assert "set-cookie" not in answer.headers
        assert answer.headers["vary"].lower() == "accept-language, accept-encoding"
        known = {"if-none-match": answer.headers["etag"], "accept-language": "de"}
        assert site.client.get(path, headers=known).status_code == 304
        assert (
            '<link rel="canonical" href="https://papers.example/editions?list=trend' in answer.text
        )
        assert "lang=" not in answer.text.partition('rel="canonical"')[2].partition(">")[0]


def test_what_a_visitor_writes_is_no_link_to_carry_a_language(site: Site) -> None:
    page = site.client.get("/search", params={"q": ' href="/x" action="/y"', "lang": "fr"}).text
    assert "/x?lang" not in page
    assert "/y?lang" not in page


@pytest.mark.accept("F26", part="a choice")
def test_a_language_that_is_saved_holds_at_once_whatever_the_address_asks_for(
    site: Site, choices_token: str
) -> None:
    path = f"/preferences/{choices_token}?lang=fr"
    said = {"action": "save", "language": "de"}
    answer = site.client.post(path, data=said)
    assert answer.headers["content-language"] == "de"
    assert "lang=fr" not in answer.text.replace("?lang=fr", "", 1)


def test_an_error_is_told_in_the_language_that_its_reader_was_spoken_to(
    site: Site, choices_token: str
) -> None:
    site.client.post(f"/preferences/{choices_token}", data={"action": "save", "language": "es"})
    said = {"action": "join", "join": "nowhere"}
    answer = site.client.post(f"/preferences/{choices_token}", data=said)
    assert answer.status_code == 404
    assert answer.headers["content-language"] == "es"


# --- behind a link of one's own ----------------------------------------------------------------


def keep(site: Site, token: str, language: str) -> None:
    saved = site.client.post(f"/preferences/{token}", data={"action": "save", "language": language})
    assert saved.status_code == 200


def spoken_by(site: Site, method: str, path: str) -> str:
    """The language of a page that a browser asks for which likes Spanish best."""
    answer = site.client.request(method, path, headers={"accept-language": "es"})
    assert answer.status_code == 200, path
    return str(answer.headers["content-language"])


@pytest.mark.accept("F26", part="pages")
def test_whatever_a_digest_leads_to_speaks_the_language_that_its_reader_keeps(
    site: Site, choices_token: str, digest_token: str
) -> None:
    keep(site, choices_token, "de")
    for method, path in (
        ("GET", f"/feedback/{digest_token}"),
        ("POST", f"/feedback/{digest_token}"),
        ("GET", f"/preferences/{digest_token}"),
        ("POST", f"/preferences/{digest_token}"),
        ("GET", f"/preferences/{digest_token}/preview"),
        ("GET", f"/preferences/{digest_token}/history"),
        ("GET", f"/preferences/{digest_token}/library"),
        ("GET", f"/preferences/{digest_token}/papers"),
        ("GET", f"/unsubscribe/{digest_token}"),
        ("POST", f"/unsubscribe/{digest_token}"),
        ("GET", f"/unsubscribe/{digest_token}"),
    ):
        assert spoken_by(site, method, path) == "de", path
    assert spoken_by(site, "GET", f"/feedback/{digest_token}?lang=fr") == "fr"


@pytest.mark.accept("F26", part="pages")
def test_a_link_to_choices_speaks_to_its_reader_also_when_it_is_old(
    site: Site, choices_token: str
) -> None:
    keep(site, choices_token, "de")
    for path in ("", "/library", "/papers", "/history"):
        assert spoken_by(site, "GET", f"/preferences/{choices_token}{path}") == "de", path
    site.clock.move(days=2)
    for path in ("", "/library", "/papers", "/history"):
        assert spoken_by(site, "GET", f"/preferences/{choices_token}{path}") == "de", path
    for path in ("", "/library", "/papers", "/preview"):
        assert spoken_by(site, "POST", f"/preferences/{choices_token}{path}") == "de", path


@pytest.mark.accept("F26", part="pages")
def test_a_confirmation_is_asked_for_in_the_language_of_its_mail(site: Site) -> None:
    site.ask(language="fr")
    token = site.notice_token("ada", SystemMailKind.CONFIRM, Purpose.CONFIRM)
    assert spoken_by(site, "GET", f"/confirm/{token}") == "fr"
    assert spoken_by(site, "POST", f"/confirm/{token}") == "fr"
    assert spoken_by(site, "GET", f"/confirm/{token}") == "fr"
    site.clock.move(days=30)
    assert spoken_by(site, "POST", f"/confirm/{token}") == "fr"


@pytest.mark.accept("F26", part="pages")
def test_a_change_of_address_is_agreed_to_in_the_language_of_its_reader(
    site: Site, choices_token: str
) -> None:
    keep(site, choices_token, "de")
    asked = {"action": "move", "email": "alice@new.example"}
    assert site.client.post(f"/preferences/{choices_token}", data=asked).status_code == 200
    token = site.notice_token("alice", SystemMailKind.CHANGE, Purpose.CONFIRM)
    assert spoken_by(site, "GET", f"/address/{token}") == "de"
    assert spoken_by(site, "POST", f"/address/{token}") == "de"
