"""Papers on pages, as Zotero and Google Scholar find them there."""

from collections import defaultdict
from dataclasses import replace
from typing import Any
from urllib.parse import unquote

import pytest
from lxml import html  # type: ignore[import-untyped]

from paperround.editions.model import Edition
from paperround.papers.model import Paper, PaperId, Show
from paperround.papers.store.papers import PaperStore
from tests.builders import NOW, paper, write
from tests.web.conftest import Site
from tests.web.papers import XSS, keep

SCHOLAR = {
    *("citation_title", "citation_author", "citation_publication_date", "citation_doi"),
    *("citation_pdf_url", "citation_abstract_html_url", "citation_keywords", "citation_abstract"),
}
"""Names that Google Scholar reads."""


def page_of(site: Site, path: str) -> Any:
    answer = site.client.get(path)
    assert answer.status_code == 200, answer.text
    return html.fromstring(answer.text)


def fields(page: Any) -> dict[str, list[str]]:
    """The metadata of a paper in the head of its page."""
    found = defaultdict(list)
    for one in page.xpath("//head/meta[starts-with(@name, 'citation_')]"):
        found[one.get("name")].append(one.get("content"))
    return found


def context_objects(page: Any) -> list[dict[str, list[str]]]:
    """The context objects of a page, parted as Zotero does it, at `&` and then at `=`, whose values
    have nothing but escapes. Elements may be repeated."""
    found: list[dict[str, list[str]]] = []
    for text in page.xpath("//span[@class='Z3988'][not(node())]/@title"):
        elements = defaultdict[str, list[str]](list)
        for part in text.split("&"):
            key, value = part.split("=")
            assert value.isascii()
            assert not set(value) & set("+ \"'<>&=")
            elements[key].append(unquote(value, errors="strict"))
        found.append(elements)
    return found


@pytest.mark.accept("F41", part="citation fields", mutant="no-abstract-for-zotero")
def test_a_page_gives_programs_what_they_save_of_a_paper(site: Site) -> None:
    words = ("graphs", "a; b", "cs.LG")
    abstract = 'We count "things" & <more>.'
    keep(site, replace(paper(1, abstract=abstract, keywords=words), links={}))
    page = page_of(site, "/papers/2603.00001")
    found = fields(page)
    assert found["citation_abstract"] == [abstract]
    assert found["citation_keywords"] == ["cs.LG", "graphs", "a; b"]
    assert found["citation_doi"] == ["10.48550/arXiv.2603.00001"]
    assert found["citation_arxiv_id"] == ["2603.00001"]
    assert found.keys() <= SCHOLAR | {"citation_arxiv_id"}
    assert page.xpath("//meta[@name='z:itemType']/@content") == ["preprint"]
    assert context_objects(page) == [], "Zotero would take them for the paper"


@pytest.mark.accept("F51", part="citation fields", mutant="the-abstract-for-zotero-is-everybodys")
@pytest.mark.parametrize("show", [Show.GIST, Show.LINK])
def test_an_abstract_that_may_not_be_shown_is_in_no_field(site: Site, show: Show) -> None:
    [id_] = keep(site, paper(1, abstract="Much is said. " * 20, show=show))
    assert "citation_abstract" not in fields(page_of(site, f"/papers/{id_}"))


def test_a_paper_of_a_journal_has_its_doi_and_is_no_preprint(site: Site) -> None:
    ids = {"arxiv": "2603.00001", "doi": "10.1000/tides"}
    keep(site, replace(paper(1), identifiers=ids))
    page = page_of(site, "/papers/2603.00001")
    assert fields(page)["citation_doi"] == ["10.1000/tides"]
    assert page.xpath("//meta[@name='z:itemType']") == []


def change(site: Site, id_: PaperId, **changes: object) -> Paper:
    """Change a paper that is known; returns it as it is then."""
    with site.runtime.database.writing() as work:
        known = work[PaperStore].load([id_])[id_]
        changed = replace(known, **changes)  # type: ignore[arg-type]
        work[PaperStore].save([write(changed)], now=NOW)
    return changed


NAMED: list[tuple[dict[str, str], list[str], str]] = [
    (
        {"arxiv": "2603.00001"},
        ["info:arxiv/2603.00001", "info:doi/10.48550/arXiv.2603.00001"],
        "preprint",
    ),
    (
        {"arxiv": "2603.00002", "doi": "10.1000/tides"},
        ["info:arxiv/2603.00002", "info:doi/10.1000/tides"],
        "journalArticle",
    ),
    ({"biorxiv": "10.1101/2026.03.01.1"}, ["info:doi/10.1101/2026.03.01.1"], "preprint"),
    ({"pmid": "123456"}, ["info:pmid/123456"], "journalArticle"),
]


@pytest.mark.accept("F41", part="COinS", mutant="an-edition-has-no-context-objects")
def test_zotero_saves_one_or_all_papers_of_an_edition(site: Site, edition: Edition) -> None:
    frozen = [one.paper_id for one in edition.papers]
    for id_, (identifiers, _, _) in zip(frozen, NAMED, strict=False):
        change(site, id_, identifiers=identifiers, links={})
    with site.runtime.database.reading() as work:
        papers = work[PaperStore].load(frozen)
    found = context_objects(page_of(site, "/editions/trending/2026-03-02"))
    for id_, one in zip(frozen, found, strict=True):
        known = papers[id_]
        assert one["ctx_ver"] == ["Z39.88-2004"]
        assert one["rft_val_fmt"] == ["info:ofi/fmt:kev:mtx:dc"]
        assert one["rft.title"] == [known.title]
        assert one["rft.creator"] == list(known.authors)
        assert one["rft.subject"] == list(dict.fromkeys(known.categories + known.keywords))
        assert [*one][-1] == "rft.type"
    for one, (_, names, kind) in zip(found, NAMED, strict=False):
        assert one["rft_id"][:-1] == names
        assert one["rft.type"] == [kind]
    assert found[0]["rft_id"][-1] == "https://arxiv.org/abs/2603.00001"


@pytest.mark.accept("F41", part="COinS", mutant="a-title-tears-its-context-object")
def test_no_text_of_a_paper_tears_its_context_object(site: Site, edition: Edition) -> None:
    for text in (*XSS, "a=b&rft_id=info:doi/10.1/x;+c %41 \u202e深度"):
        first = edition.papers[0].paper_id
        change(site, first, title=text, authors=(text, "Ada Ring"), keywords=(text,))
        one = context_objects(page_of(site, "/editions/trending/2026-03-02"))[0]
        assert one["rft.title"] == one["rft.creator"][:1] == [text]
        assert one["rft.subject"][-1] == text


def test_hundreds_of_authors_do_not_fill_a_page_of_papers(site: Site, edition: Edition) -> None:
    change(site, edition.papers[0].paper_id, authors=tuple(f"Author {n}" for n in range(3000)))
    one = context_objects(page_of(site, "/editions/trending/2026-03-02"))[0]
    assert len(one["rft.creator"]) == 100
