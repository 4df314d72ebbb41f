"""XML from strangers: hostile documents cost little and reach nothing."""

from collections.abc import Callable
from pathlib import Path
from time import process_time

import pytest

from paperround.core.errors import UnreadableFile
from paperround.feeds.formats.xml import (
    MOST_BYTES,
    MOST_ELEMENTS,
    Node,
    NotWellFormed,
    read_xml,
)
from paperround.plugins.pubmed.record import without_doctype

LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
BILLION = f'<!DOCTYPE a [<!ENTITY l0 "ha">{LAUGHS}]><a>&l9;</a>'
QUADRATIC = f'<!DOCTYPE a [<!ENTITY x "{"x" * 100_000}">]><a>{"&x;" * 50_000}</a>'


def many_attributes(count: int) -> bytes:
    many = " ".join(f'x{n}="1"' for n in range(count))
    return f"<a {many}/>".encode()


HOSTILE: dict[str, Callable[[], bytes]] = {
    "laughs": BILLION.encode,
    "laughs in utf-16": lambda: BILLION.encode("utf-16"),
    "quadratic": QUADRATIC.encode,
    "external dtd": lambda: b'<!DOCTYPE a SYSTEM "http://127.0.0.1:9/x.dtd"><a/>',
    "after a comment": lambda: b"<!-- x --><?y z?>\n<!DOCTYPE a><a/>",
    "parameter entity": lambda: b'<!DOCTYPE a [<!ENTITY % p SYSTEM "file:///etc/hosts"> %p;]><a/>',
    "deep": lambda: b"<a>" * 200_000 + b"</a>" * 200_000,
    "deep, open": lambda: b"<a>" * 200_000,
    "attributes": lambda: many_attributes(1_000_000),
    "elements": lambda: b"<a>" + b"<b/>" * (MOST_ELEMENTS + 1) + b"</a>",
    "ampersands": lambda: b"<a>" + b"&" * 2_000_000,
    "declarations": lambda: b"<?xml " * 500_000,
    "sections": lambda: b"<a>" + b"<![CDATA[" * 500_000,
    "long": lambda: b"<a>" + b"x" * MOST_BYTES + b"</a>",
}
"""By name, made when they are needed: together they are as large as all modules."""


@pytest.mark.accept("I5", part="bombs")
@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_document_is_refused_in_little_time(name: str) -> None:
    content = HOSTILE[name]()
    start = process_time()
    with pytest.raises(UnreadableFile):
        read_xml(content)
    assert process_time() - start < 5


@pytest.mark.accept("I5", part="files")
def test_no_entity_reads_a_file(tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("SECRET")
    trap = f'<!DOCTYPE a [<!ENTITY s SYSTEM "{secret.as_uri()}">]><a>&s;</a>'
    with pytest.raises(UnreadableFile, match="document type") as caught:
        read_xml(trap.encode())
    assert "SECRET" not in str(caught.value)


@pytest.mark.accept("I5", part="encodings")
@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le"]
)
@pytest.mark.parametrize("declared", ["utf-8", "utf-16", "nonsense", "rot13", "utf-7"])
def test_the_bytes_decide_where_a_declaration_cannot_be_right(encoding: str, declared: str) -> None:
    text = f'<?xml version="1.0" encoding="{declared}"?><a>Poincaré μ 論文</a>'
    assert read_xml(text.encode(encoding)).text == "Poincaré μ 論文"


@pytest.mark.accept("I5", part="encodings")
@pytest.mark.parametrize(
    ("declared", "written"),
    [("iso-8859-1", "cp1252"), ("windows-1251", "cp1251"), ("utf-8", "cp1252"), ("", "cp1252")],
)
def test_old_charsets_are_read_as_declared_and_wrong_ones_as_windows(
    declared: str, written: str
) -> None:
    text = "Новости" if written == "cp1251" else "naïve – “é”"
    declaration = f'<?xml version="1.0" encoding="{declared}"?>' if declared else ""
    assert read_xml(f"{declaration}<a>{text}</a>".encode(written)).text == text


@pytest.mark.accept("I5", part="encodings")
def test_utf7_smuggles_no_markup_in() -> None:
    smuggled = b'<?xml version="1.0" encoding="utf-7"?><a>+ADw-b+AD4-</a>'
    root = read_xml(smuggled)
    assert (root.name, root.attributes, root.content) == ("a", {}, ("+ADw-b+AD4-",))


@pytest.mark.parametrize(
    ("inner", "read"),
    [
        ("R&D &amp; more", "R&D & more"),
        ("caf&eacute;&nbsp;&LT;b&GT;", "café\xa0<b>"),
        ("&nonsense; &#x26; &#38;", "&nonsense; & &"),
        ("a\0b\x1b[31mc\x08&#0;&#xD800;&#99999999;", "ab[31mc&#99999999;"),
        ("&#1114112;x", "x"),
        ("<![CDATA[1 < 2 & 3]]>", "1 < 2 & 3"),
        ("one <i>two</i> three<!-- four -->", "one two three"),
    ],
)
def test_what_is_not_quite_xml_is_mended(inner: str, read: str) -> None:
    assert read_xml(f"\n <a>{inner}</a>".encode()).text == read


@pytest.mark.parametrize(
    "content", [b"", b"  ", b"<a>cut off", b"<a><b></a></b>", b"<html><br></html>", b"\x00" * 50]
)
def test_a_broken_document_is_an_error_and_never_a_shorter_one(content: bytes) -> None:
    with pytest.raises(UnreadableFile, match="the XML cannot be read"):
        read_xml(content)


@pytest.mark.parametrize(
    ("content", "read"),
    [
        ('<r><p:a p:k="v">x</p:a></r>', ("a", {"k": "v"}, ("x",))),
        ('<r><a xmlns:p="http://no uri">x</a></r>', ("a", {}, ("x",))),
        ("<r><p:a:b>x</p:a:b></r>", ("p:a:b", {}, ("x",))),
    ],
)
def test_what_is_wrong_with_namespaces_spoils_nothing(
    content: str, read: tuple[str, dict[str, str], tuple[str]]
) -> None:
    (inner,) = read_xml(content.encode()).content
    assert isinstance(inner, Node)
    assert (inner.name, inner.attributes, inner.content) == read


def test_texts_and_elements_stand_in_order() -> None:
    root = read_xml(b"<a>q<![CDATA[<b>]]>r<!-- c -->s<i>t<b/>u</i>v<?w?></a>")
    words = [part if isinstance(part, str) else part.content for part in root.content]
    assert words[0] == "q<b>rs"
    assert words[2] == "v"
    assert root.text == "q<b>rstuv"
    assert list(root.all("b")) == []


def test_what_breaks_a_limit_is_refused_for_that_however_it_ends() -> None:
    with pytest.raises(UnreadableFile, match="nested more than 64") as caught:
        read_xml(b"<a>" * 65)
    assert not isinstance(caught.value, NotWellFormed)


def test_names_and_attributes_lose_their_prefixes() -> None:
    root = read_xml(b'<r xmlns:p="urn:p"><p:one p:k="v"/><one>x</one><one>y</one></r>')
    assert [one.attributes for one in root.all("one")] == [{"k": "v"}, {}, {}]
    assert root.said("one") == "x"
    assert root.said("two") is None


@pytest.mark.accept("I5", part="real")
def test_every_recorded_feed_is_read(real_data: Path) -> None:
    folder = real_data / "raw_responses"
    feeds = [path for path in folder.glob("*_feeds/*") if path.suffix != ".json"]
    feeds += [*(folder / "journal_rss").iterdir(), *(folder / "arxiv_oai").iterdir()]
    roots = {read_xml(path.read_bytes()).name for path in feeds}
    assert len(feeds) > 15
    assert roots == {"rss", "feed", "RDF", "OAI-PMH"}


OUTSIDE = (
    '<!DOCTYPE a SYSTEM "http://127.0.0.1:9/x.dtd">',
    "<!DOCTYPE a PUBLIC '-//X//DTD a, 1st//EN'\n 'x.dtd' >",
)


@pytest.mark.accept("I5", part="document types")
@pytest.mark.parametrize("outside", OUTSIDE)
@pytest.mark.parametrize("before", ["", '<?xml version="1.0"?>\n', "\ufeff"])
def test_a_document_type_that_only_names_a_file_can_be_taken_away(
    outside: str, before: str
) -> None:
    content = f"{before}{outside}<a>&lt;b</a>".encode()
    with pytest.raises(UnreadableFile, match="document type"):
        read_xml(content)
    assert read_xml(without_doctype(content)).text == "<b"


@pytest.mark.accept("I5", part="document types")
def test_of_a_document_type_with_declarations_nothing_is_taken_away() -> None:
    declared = b'<!DOCTYPE a SYSTEM "x.dtd" [<!ENTITY x "ha">]><a>&x;</a>'
    assert without_doctype(declared) == declared
    with pytest.raises(UnreadableFile, match="document type"):
        read_xml(without_doctype(declared))


def test_references_in_attributes_are_the_characters_they_stand_for() -> None:
    node = read_xml(b'<a href="/x?a=1&amp;b=2 &lt;&quot;&#65;&#x26;">&amp;</a>')
    assert (node.attributes["href"], node.text) == ('/x?a=1&b=2 <"A&', "&")
