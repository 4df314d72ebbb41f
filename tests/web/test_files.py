"""Papers, editions and days as files, read again by the programs that such files are for."""

import json
import re
from dataclasses import replace

import pytest
from bibtexparser.entrypoint import parse_string
from markdown_it import MarkdownIt

from paperround.editions.model import Edition
from paperround.feeds.formats.bibtex import read_bibtex
from paperround.feeds.formats.ris import read_ris
from paperround.papers.model import Show
from tests.builders import paper
from tests.web.conftest import PUBLIC_URL, Site
from tests.web.papers import XSS, keep

TITLES = (
    "BERT & DenseNet: 100% of $5 on #1_a ~ {x} ^2",
    "Backslash \\cite{a} and an open { brace",
    "Über Gödel, Erdős und 深度学习 — naïve",
    "- 1. *not* a list [x](y) `z` <b> & &amp; |",
    "# heading\u2028second line",
)


def text(site: Site, path: str) -> str:
    answer = site.client.get(path)
    assert answer.status_code == 200, answer.text
    return answer.text


@pytest.mark.accept("F41")
@pytest.mark.parametrize(
    ("ending", "media"),
    [
        ("bib", "application/x-bibtex"),
        ("ris", "application/x-research-info-systems"),
        ("md", "text/markdown"),
        ("jsonld", "application/ld+json"),
    ],
)
def test_a_paper_an_edition_and_a_day_are_files_in_every_format(
    site: Site, edition: Edition, ending: str, media: str
) -> None:
    first = edition.papers[0]
    day = "/editions/trending/2026-03-02"
    for path in (f"/papers/{first.name}", f"{day}/{edition.cut}", day):
        answer = site.client.get(f"{path}.{ending}")
        assert answer.status_code == 200
        assert answer.headers["content-type"] == f"{media}; charset=utf-8"
        assert answer.headers["content-disposition"].endswith(f'.{ending}"')
        plain = answer.text.replace("{", "").replace("}", "").replace("\\", "")
        assert first.title in plain


@pytest.mark.accept("F41", part="BibTeX")
def test_bibtex_is_read_again_by_a_parser_and_by_ours(site: Site) -> None:
    for number, title in enumerate(TITLES, start=1):
        keep(site, paper(number, title=title))
        name = f"2603.{number:05}"
        content = text(site, f"/papers/{name}.bib")
        library = parse_string(content)
        assert not library.failed_blocks
        [entry] = library.entries
        assert entry["eprint"] == name
        assert entry["author"] == "Ada Ring and Bo Stone"
        [record] = read_bibtex(content.encode()).records
        assert record.identifiers["arxiv"] == name
        assert record.authors == ("Ada Ring", "Bo Stone")
        assert entry["title"].count("{") == entry["title"].count("}")
        if title.startswith("Über"):
            assert record.title == title


def test_bibtex_escapes_what_tex_would_take_for_a_command(site: Site) -> None:
    keep(site, paper(1, title=TITLES[0]), paper(2, title=TITLES[1]))
    assert (
        r"title = {{BERT} \& {DenseNet:} 100\% of \$5 on \#1\_a \textasciitilde{} "
        r"\textbraceleft{}x\textbraceright{} \textasciicircum{}2},"
        in text(site, "/papers/2603.00001.bib")
    )
    assert r"Backslash \textbackslash{}cite\textbraceleft{}a" in text(
        site, "/papers/2603.00002.bib"
    )


def test_names_that_bibtex_would_take_apart_stand_in_braces(site: Site) -> None:
    keep(site, paper(1, authors=("Team and Friends", "Acme, Inc.", "Ada Ring")))
    expected = "author = {{Team and Friends} and {Acme, Inc.} and Ada Ring},"
    assert expected in text(site, "/papers/2603.00001.bib")


@pytest.mark.accept("F41", part="RIS")
def test_ris_is_read_again_by_our_reader(site: Site) -> None:
    for number, title in enumerate(TITLES, start=1):
        keep(site, paper(number, title=title))
        name = f"2603.{number:05}"
        content = site.client.get(f"/papers/{name}.ris").content
        lines = content.decode().split("\r\n")
        assert lines[0].startswith("TY  - ")
        assert lines[-2:] == ["ER  - ", ""]
        assert all(re.match(r"[A-Z][A-Z0-9]  - ", line) for line in lines[:-1])
        [record] = read_ris(content).records
        assert record.identifiers["arxiv"] == name
        assert record.authors == ("Ada Ring", "Bo Stone")
        if title.startswith("Über"):
            assert record.title == title


@pytest.mark.accept("F41", part="Markdown")
@pytest.mark.parametrize("title", [*TITLES, *XSS])
def test_markdown_shows_a_title_as_it_is(site: Site, title: str) -> None:
    keep(site, paper(1, title=title, abstract=title))
    tokens = MarkdownIt("commonmark").parse(text(site, "/papers/2603.00001.md"))
    inline = [one for one in tokens if one.type == "inline"]
    shown = " ".join(title.split())
    assert _plain(inline[0]) == shown
    assert [_plain(one) for one in inline].count(shown) == 2
    assert not any("html" in one.type for each in inline for one in each.children or [])
    assert not any(one.type == "html_block" for one in tokens)


def _plain(inline: object) -> str:
    children = getattr(inline, "children", None) or []
    return "".join(" " if one.type == "softbreak" else one.content for one in children)


@pytest.mark.accept("F41", part="JSON-LD")
def test_json_ld_says_what_a_library_wants_to_know(site: Site) -> None:
    keep(site, paper(1, title="Dense retrieval", withdrawn=True))
    value = json.loads(text(site, "/papers/2603.00001.jsonld"))
    assert value["@context"] == "https://schema.org"
    assert value["@type"] == "ScholarlyArticle"
    assert value["@id"] == f"{PUBLIC_URL}/papers/2603.00001"
    assert value["headline"] == "Dense retrieval"
    assert [one["name"] for one in value["author"]] == ["Ada Ring", "Bo Stone"]
    assert {"@type": "PropertyValue", "propertyID": "arXiv", "value": "2603.00001"} in value[
        "identifier"
    ]
    assert value["creativeWorkStatus"] == "Withdrawn"


def test_an_edition_in_json_ld_is_a_list_in_its_order(site: Site, edition: Edition) -> None:
    value = json.loads(text(site, "/editions/trending/2026-03-02.jsonld"))
    assert value["@type"] == "ItemList"
    titles = [one["item"]["headline"] for one in value["itemListElement"]]
    assert titles == [one.title for one in edition.papers]


@pytest.mark.accept("F51", part="files")
def test_a_file_holds_no_more_of_an_abstract_than_its_source_lets_us_show(site: Site) -> None:
    long = "We count one thing and then another. " * 30
    printed = "one thing and then another. We count one thing"
    keep(site, paper(1, abstract=long, show=Show.GIST), paper(2, abstract=long, show=Show.LINK))
    for name in ("2603.00001", "2603.00002"):
        for ending in ("bib", "ris", "md", "jsonld"):
            assert printed not in text(site, f"/papers/{name}.{ending}")
    full = replace(paper(3, abstract=long), show=Show.FULL)
    keep(site, full)
    assert all(printed in text(site, f"/papers/2603.00003.{end}") for end in ("bib", "md"))


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/papers/2699.99999.bib", 404),
        ("/papers/2603.00001.pdf", 404),
        ("/editions/trending/2026-03-01.ris", 404),
        ("/editions/trending/yesterday.md", 422),
        ("/editions/nothing/2026-03-02.jsonld", 404),
    ],
)
def test_what_is_not_there_is_no_empty_file(site: Site, path: str, status: int) -> None:
    answer = site.client.get(path)
    assert answer.status_code == status
    assert answer.headers["content-type"].startswith("text/html")
