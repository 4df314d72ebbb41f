"""Bringing a library: pasted, as a file, from Zotero; shown, then kept."""

import gzip
import html
import re

import pytest

from paperround.core.languages import ENGLISH
from paperround.editions.model import Edition
from paperround.subscribers.store.subscribers import SubscriberStore
from paperround.web.security import LIBRARY_BODY, PUBLIC_BODY
from paperround.web.templates import environment
from tests.builders import address
from tests.web.conftest import Site

BIB = "@article{a, title = {Tides and moons}, eprint = {2601.99999}, archivePrefix = {arXiv}}\n"


def path(token: str) -> str:
    return f"/preferences/{token}/library"


def seeds(site: Site) -> list[str]:
    with site.runtime.database.reading() as work:
        person = work[SubscriberStore].find(address("alice"))
        assert person is not None
        found = work[SubscriberStore].interests_of_all([person.id]).get(person.id, ())
    return [one.value for one in found]


def offered(page: str) -> list[str]:
    found = re.findall(r'name="seed" value="([^"]*)" checked', page)
    return [html.unescape(one) for one in found]


def form(site: Site, token: str, **fields: str) -> str:
    answer = site.client.post(path(token), data={"action": "understand", **fields})
    assert answer.status_code == 200, answer.text
    return str(answer.text)


@pytest.mark.parametrize("has_plugin", [True, False])
def test_the_preferences_page_links_to_it_where_the_plugin_is(
    site: Site, choices_token: str, monkeypatch: pytest.MonkeyPatch, has_plugin: bool
) -> None:
    monkeypatch.setitem(environment(ENGLISH).globals, "onboarding", has_plugin)
    page = site.client.get(f"/preferences/{choices_token}").text
    assert (f'href="{path(choices_token)}"' in page) is has_plugin


@pytest.mark.accept("F31", part="pasted")
def test_pasted_lines_are_shown_as_understood_and_then_kept(
    site: Site, choices_token: str, edition: Edition
) -> None:
    known = edition.papers[0].title
    page = form(site, choices_token, text=f"{known}\nUnheard of <b>\n2601.99999")
    assert "1 paper in our database" in page
    assert "1 title not in our database yet" in page
    assert "1 identifier not in our database yet" in page
    assert "Unheard of &lt;b&gt;" in page
    assert seeds(site) == []
    chosen = offered(page)
    assert len(chosen) == 3
    kept = site.client.post(path(choices_token), data={"action": "keep", "seed": chosen})
    assert "3 papers. They count from your next digest." in kept.text
    assert seeds(site) == chosen


@pytest.mark.accept("F62", mutant="nobody-wrote-their-library")
def test_a_library_of_ones_own_is_kept_as_such(site: Site, choices_token: str) -> None:
    page = form(site, choices_token, text="Unheard of\n+ Added up\n2601.99999")
    chosen = offered(page)
    assert chosen == ["Unheard of", "Added up", "arxiv:2601.99999"]
    assert 'name="own"' in page
    site.client.post(path(choices_token), data={"action": "keep", "seed": chosen, "own": "yes"})
    assert seeds(site) == ["+Unheard of", "+Added up", "+arxiv:2601.99999"]
    again = form(site, choices_token, text="2601.99999")
    assert "already saved" in again


@pytest.mark.accept("F26", part="plurals")
@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", "1 paper. It counts from your next digest."),
        ("de", "1 Paper gespeichert. Es zählt ab Ihrem nächsten Digest."),
        ("fr", "1 article enregistré. Il compte dès votre prochain digest."),
        ("es", "Se ha guardado 1 artículo. Cuenta a partir de su próximo boletín."),
        ("zh-Hans", "已保存 1 篇论文，从下一封简报起生效。"),
    ],
)
def test_one_paper_counts_and_several_count(
    site: Site, choices_token: str, language: str, said: str
) -> None:
    kept = site.client.post(
        f"{path(choices_token)}?lang={language}", data={"action": "keep", "seed": ["Tides"]}
    )
    assert said in kept.text


@pytest.mark.accept("F31", part="uploaded")
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_a_file_is_read_packed_or_not(site: Site, choices_token: str, pack: object) -> None:
    content = pack(BIB.encode())  # type: ignore[operator]
    files = {"file": ("library.bib", content, "application/x-bibtex")}
    answer = site.client.post(path(choices_token), data={"action": "understand"}, files=files)
    assert "Read as BibTeX: 1 work" in answer.text
    assert offered(answer.text) == ["Tides and moons"]


def test_a_library_with_abstracts_may_be_longer_than_other_forms(
    site: Site, choices_token: str
) -> None:
    long = BIB + "% " + "x" * (PUBLIC_BODY * 4)
    files = {"file": ("library.bib", long.encode(), "text/plain")}
    answer = site.client.post(path(choices_token), files=files)
    assert offered(answer.text) == ["Tides and moons"]
    files = {"file": ("library.bib", b"x" * (LIBRARY_BODY + 1), "text/plain")}
    assert site.client.post(path(choices_token), files=files).status_code == 413


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({}, "paste some lines, choose a file, or enter a Zotero library"),
        ({"zotero": "ada"}, "Settings, Security"),
        ({"text": "[{}, 1]"}, "not CSL-JSON"),
    ],
)
def test_what_cannot_be_read_is_said_beside_its_field(
    site: Site, choices_token: str, fields: dict[str, str], why: str
) -> None:
    answer = site.client.post(path(choices_token), data={"action": "understand", **fields})
    assert answer.status_code == 422
    assert why in answer.text
    field = next(iter(fields), "text")
    assert f'id="{field}-error"' in answer.text
    assert f'href="#{field}"' in answer.text


@pytest.mark.accept("F31", part="Zotero")
def test_a_zotero_that_does_not_answer_blocks_nothing(site: Site, choices_token: str) -> None:
    """The guarded client is told to reach nothing: its answer is that of a network that is down."""
    answer = site.client.post(path(choices_token), data={"zotero": "groups/45"})
    assert answer.status_code == 422
    assert "export the library there and upload the file instead" in answer.text
    assert 'value="groups/45"' in answer.text


@pytest.mark.accept("S14", part="library")
@pytest.mark.parametrize("action", ["understand", "keep"])
def test_the_link_of_a_digest_opens_nobodys_library(
    site: Site, digest_token: str, action: str
) -> None:
    before = site.dump()
    for token in (digest_token, "forged"):
        assert "Email me a new link" in site.client.get(path(token)).text
        said = {"action": action, "text": "Tides", "seed": ["Tides"]}
        assert "Email me a new link" in site.client.post(path(token), data=said).text
    assert site.dump() == before


def test_more_than_there_is_room_for_is_said_and_shown_again(
    site: Site, choices_token: str
) -> None:
    many = [f"Study number {number}" for number in range(201)]
    page = form(site, choices_token, text="\n".join(many))
    assert "You can add 200 more lines" in page
    answer = site.client.post(path(choices_token), data={"action": "keep", "seed": many})
    assert answer.status_code == 422
    assert "201" in answer.text
    assert "Study number 200" in answer.text
    assert seeds(site) == []


def test_a_link_that_ran_out_says_that_a_file_was_not_read(site: Site, choices_token: str) -> None:
    site.clock.move(hours=25)
    answer = site.client.post(path(choices_token), files={"file": ("papers.bib", BIB)})
    assert "Nothing was saved" in answer.text
    assert "Nothing was saved" not in site.client.get(path(choices_token)).text
