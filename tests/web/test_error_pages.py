"""Pages that say what is wrong: like the rest of the site, in the reader's language, a way out."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest

from paperround.config import Settings
from paperround.core.errors import DatabaseFailed
from paperround.db import transactions
from paperround.db.transactions import SqlDatabase
from paperround.web import pages
from paperround.web.security import PUBLIC_BODY
from tests.web.conftest import PUBLIC_URL, Site, running

FAULTS = {
    "/nowhere": (404, "Nicht gefunden", "Unter dieser Adresse gibt es keine Seite."),
    "/papers/2601.99999": (404, "Nicht gefunden", "Dieses Paper ist nicht in unserer Datenbank."),
    "/trending?period=year": (422, "Ungültig", "„year“ ist kein Zeitraum"),
    "/editions/trending/yesterday": (422, "Ungültig", "„yesterday“ ist kein Datum"),
    "/editions/trending/18991231": (
        404,
        "Nicht gefunden",
        "Unter dieser Adresse gibt es keine Seite.",
    ),
    "/editions/trending/1899-12-31.md": (404, "Nicht gefunden", "gibt es keine Seite."),
    "/editions?list=none": (
        404,
        "Nicht gefunden",
        "Eine Liste namens „none“ gibt es nicht; vorhanden: trending.",
    ),
    "/feeds/me/forged.atom": (404, "Nicht gefunden", "finden Sie in Ihren Einstellungen."),
}


@pytest.fixture
def demo(settings: Settings) -> Iterator[Site]:
    shown = settings.model_copy(update={"operator": "Lab of Tides", "contact": "hi@lab.example"})
    with running(shown, demo=True) as site:
        yield site


def looks_like_the_site(page: str) -> None:
    assert '<aside aria-label="Demo">' in page
    assert 'lang="fr" hreflang="fr"' in page, "the menu of languages"
    assert "Lab of Tides" in page
    assert page.count("<h1>") == 1
    assert 'href="/' in page.partition("<main")[2].partition("</main>")[0], "a way out"


@pytest.mark.accept("F38", part="errors")
@pytest.mark.parametrize("path", FAULTS)
def test_an_error_page_is_a_page_of_the_site_in_the_readers_language(demo: Site, path: str) -> None:
    status, title, detail = FAULTS[path]
    answer = demo.client.get(path, headers={"accept-language": "de"})
    assert answer.status_code == status
    assert answer.headers["content-language"] == "de"
    assert answer.headers["vary"].startswith("accept-language")
    assert answer.headers["cache-control"] == "no-store"
    looks_like_the_site(answer.text)
    assert f"<h1>{title}</h1>" in answer.text
    assert detail in answer.text


@pytest.mark.accept("F38", part="errors")
def test_what_breaks_and_what_is_away_look_alike(
    demo: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    for error, status, said in (
        (RuntimeError("a secret"), 500, "Bei uns ist etwas schiefgegangen"),
        (DatabaseFailed("the database failed: a secret"), 503, "vorübergehend nicht verfügbar"),
    ):

        def fail(*_: object, error: Exception = error, **__: object) -> None:
            raise error

        monkeypatch.setattr(pages, "sources_page", fail)
        answer = demo.client.get("/sources", headers={"accept-language": "de"})
        assert answer.status_code == status
        looks_like_the_site(answer.text)
        assert said in answer.text
        assert "secret" not in answer.text


def test_a_program_is_not_told_what_the_database_said_and_the_log_is(
    demo: Site, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object) -> None:
        raise DatabaseFailed("the database failed: a secret")

    monkeypatch.setattr(SqlDatabase, "reading", fail)
    answer = demo.client.get("/api/v1/papers")
    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
    assert answer.json()["detail"] == "the database cannot be reached now: try again later"
    assert "the database failed for a request: the database failed: a secret" in caplog.text


def test_who_signs_up_beside_a_long_writer_is_soon_told_when_to_come_back(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transactions, "LITTLE_PATIENCE", 0.01)
    place = site.runtime.settings.database_file
    with closing(sqlite3.connect(place, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        answer = site.client.post("/subscribe", data={"email": "ada@mail.example"})
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "60")


@pytest.mark.accept("F38", part="errors")
def test_what_the_guard_turns_away_looks_alike(demo: Site) -> None:
    german = {"accept-language": "de"}
    large = demo.client.post("/subscribe", content=b"x" * (PUBLIC_BODY + 1), headers=german)
    assert large.status_code == 413
    assert "Eine Anfrage darf höchstens 65.536 Bytes haben." in large.text
    foreign = demo.client.get("/", headers={**german, "host": "elsewhere.example"})
    assert foreign.status_code == 421
    for answer in (large, foreign):
        looks_like_the_site(answer.text)


@pytest.mark.accept("F38", part="errors")
def test_whoever_asks_too_often_is_told_when_to_come_back(settings: Settings) -> None:
    tight = settings.model_copy(update={"rate_signup_ip": "1/10m"})
    with running(tight) as site:
        form = {"email": "ada@mail.example", "language": "es"}
        answers = [site.client.post("/subscribe", data=form) for _ in range(3)]
    answer = answers[-1]
    assert answer.status_code == 429
    assert answer.headers["retry-after"]
    assert answer.headers["content-language"] == "es"
    assert "demasiadas solicitudes" in answer.text.lower()
    assert PUBLIC_URL not in answer.text


@pytest.mark.parametrize("path", ["/subscribe/preview", "/subscribe/choices"])
def test_coming_back_to_what_a_form_led_to_shows_the_form(site: Site, path: str) -> None:
    answer = site.client.get(path)
    assert answer.status_code == 200
    assert '<form method="post" action="/subscribe"' in answer.text
