"""Whatever a paper says, what is written of it stays one valid document of its format."""

import json
import re
from dataclasses import replace
from urllib.parse import parse_qsl

import feedparser  # type: ignore[import-untyped]
import pytest
from bibtexparser.entrypoint import parse_string
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree  # type: ignore[import-untyped]
from markdown_it import MarkdownIt

from paperround.editions.citations import FILE_FORMATS, Citation, write_bibtex, write_ris
from paperround.editions.coins import context_object
from paperround.editions.feed_documents import (
    FeedDocument,
    FeedEntry,
    write_atom,
    write_json_feed,
    write_rss,
)
from paperround.papers.model import PaperId
from tests.builders import NOW, paper

TEXT = st.text(max_size=60) | st.text(
    alphabet="\\{}$&#_^~%<>\"'`*[]()!|-+=.:1a \n\r\0\u2028", max_size=40
)


def cited(title: str, *names: str, abstract: str = "") -> Citation:
    """A paper that says this."""
    one = replace(paper(1, title=title, authors=names or ("Ada Ring",)), id=PaperId(1))
    return Citation(paper=one, text=abstract, is_gist=False, page="https://papers.example/papers/1")


def feed_of(text: str) -> FeedDocument:
    """A feed that says it everywhere."""
    entry = FeedEntry(
        id="https://papers.example/papers/1",
        page="https://papers.example/papers/1",
        title=text,
        authors=(text,),
        reason=text,
        text=text,
        categories=(text,),
        links={"abstract": text},
        published=NOW,
        updated=NOW,
    )
    return FeedDocument(
        title=text,
        subtitle=text,
        address="https://papers.example/feeds/search/x",
        page="https://papers.example/search",
        publisher=text,
        updated=NOW,
        changed=NOW,
        entries=(entry,),
    )


@pytest.mark.slow
@pytest.mark.accept("W7", part="any text in a feed")
@given(TEXT)
def test_any_text_makes_a_well_formed_feed_of_one_entry(text: str) -> None:
    feed = feed_of(text)
    for content in (write_atom(feed), write_rss(feed)):
        etree.fromstring(content)
        assert len(feedparser.parse(content).entries) == 1
    assert len(json.loads(write_json_feed(feed))["items"]) == 1


@given(TEXT)
def test_any_text_keeps_its_letters_in_atom(text: str) -> None:
    root = etree.fromstring(write_atom(feed_of(f"a{text}z")))
    title = root.findtext("{http://www.w3.org/2005/Atom}title")
    kept = "".join(one for one in f"a{text}z" if one.isalnum())
    assert "".join(one for one in title if one.isalnum()) == kept


@pytest.mark.accept("F41", part="any text in BibTeX")
@given(TEXT, TEXT)
def test_any_text_makes_one_bibtex_entry_with_balanced_braces(title: str, name: str) -> None:
    content = write_bibtex([cited(title, name, abstract=title)]).decode()
    library = parse_string(content)
    assert not library.failed_blocks
    assert len(library.entries) == 1
    assert library.entries[0]["eprint"] == "2603.00001"
    assert content.count("{") == content.count("}")
    for line in content.splitlines():
        assert not re.search(r"(?<!\\)[$&#%~^]", line.partition(" = ")[2].replace("\\\\", ""))


@pytest.mark.accept("F41", part="any text in RIS")
@given(TEXT, TEXT)
def test_any_text_makes_one_ris_reference(title: str, name: str) -> None:
    content = write_ris([cited(title, name, abstract=title)]).decode()
    lines = content.removesuffix("\r\n").split("\r\n")
    assert all(re.match(r"[A-Z][A-Z0-9]  - ", line) for line in lines)
    assert [line[:2] for line in lines].count("ER") == 1
    assert "\n" not in content.replace("\r\n", "")


@pytest.mark.accept("F41", part="any text in COinS")
@given(TEXT, TEXT)
def test_any_text_stays_in_its_element_of_a_context_object(title: str, name: str) -> None:
    parts = parse_qsl(context_object(cited(f"a{title}z", name, "Bo")), strict_parsing=True)
    found = [value for key, value in parts if key in {"rft.title", "rft.creator"}]
    wanted = (f"a{title}z", name.strip(), "Bo")
    assert found == [one.encode(errors="replace").decode() for one in wanted if one]


@pytest.mark.accept("F41", part="any text in Markdown")
@given(TEXT)
def test_any_text_is_shown_by_markdown_as_it_is(text: str) -> None:
    said = f"a {text} z"
    content = FILE_FORMATS["md"].paper(cited(said)).decode()
    heading = MarkdownIt("commonmark").parse(content)[1]
    shown = "".join(one.content for one in heading.children or [])
    assert shown == " ".join(said.replace("\0", "\ufffd").split())


def test_keys_that_are_alike_end_with_letters() -> None:
    many = [cited("On dense things")] * 30
    keys = re.findall(r"@misc\{([^,]+),", write_bibtex(many).decode())
    assert keys[:3] == ["ring2026dense", "ring2026denseb", "ring2026densec"]
    assert keys[25:27] == ["ring2026densez", "ring2026denseaa"]
    assert len(set(keys)) == 30


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("Ada Lovelace", "Lovelace, Ada"),
        ("OpenAI", "OpenAI"),
        ("Ring, Ada", "Ring, Ada"),
        ("Martin Luther King Jr.", "King, Martin Luther, Jr."),
        ("Ada Ring II", "Ring, Ada, II"),
        ("Ada Ring III", "Ring, Ada, III"),
        ("Ada Ring IV", "Ring, Ada, IV"),
    ],
)
def test_ris_writes_the_family_name_first(name: str, written: str) -> None:
    assert f"AU  - {written}\r\n" in write_ris([cited("A title", name)]).decode()
