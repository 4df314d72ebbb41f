"""Documents that attack whoever reads XML, in the dress of every kind of XML that is read here.

    python -m tests.feeds.xml_attacks KIND < documents > outcomes

reads length-prefixed documents as KIND and says of each how long it took and what came of it, and
in the end how much memory the process and its children had at most. It is a process of its own,
so that one attack is one measurement.
"""

import json
import resource
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from time import process_time
from typing import BinaryIO

from paperround.core.errors import InvalidInput
from paperround.feeds.formats.registry import READERS
from paperround.feeds.opml import read_opml
from paperround.plugins.jats import text_of_jats
from tests.http.measuring import most_memory

# --- what is read ------------------------------------------------------------------------------

KINDS: Mapping[str, tuple[str, Callable[[bytes], object]]] = {
    "rss": (
        (
            "<rss version='2.0'><channel><item><title>Study HERE</title><link>https://j.example/1</link>"
            "</item></channel></rss>"
        ),
        READERS["rss"],
    ),
    "atom": (
        (
            "<feed xmlns='http://www.w3.org/2005/Atom'><entry><title>Study HERE</title><id>u:1</id>"
            "<link href='https://j.example/1'/></entry></feed>"
        ),
        READERS["rss"],
    ),
    "rdf": (
        (
            "<r:RDF xmlns:r='r'><channel/><item><title>Study HERE</title><link>https://j.example/1"
            "</link></item></r:RDF>"
        ),
        READERS["rss"],
    ),
    "wild": (  # no XML: feedparser's child is asked
        (
            "<rss version='2.0'><channel><item><title>A & B <b>Study HERE</title><link>https://j.example"
            "/1</link></item></channel></rss>"
        ),
        READERS["rss"],
    ),
    "arxiv-rss": (
        (
            "<rss version='2.0'><channel><item><title>Study HERE</title><link>https://arxiv.org/abs/"
            "2601.00001</link><description>arXiv:2601.00001v1 Announce Type: new \nAbstract: We "
            "study.</description></item></channel></rss>"
        ),
        READERS["arxiv-rss"],
    ),
    "arxiv-atom": (
        (
            "<feed xmlns='http://www.w3.org/2005/Atom'><entry><id>http://arxiv.org/abs/2601.00001v1</id>"
            "<title>Study HERE</title></entry></feed>"
        ),
        READERS["arxiv-atom"],
    ),
    "arxiv-oai": (
        (
            "<OAI-PMH><ListRecords><record><header><identifier>oai:arXiv.org:2601.00001</identifier>"
            "<datestamp>2026-01-27</datestamp></header><metadata><arXiv><id>2601.00001</id>"
            "<created>2026-01-26</created><title>Study HERE</title></arXiv></metadata></record>"
            "</ListRecords></OAI-PMH>"
        ),
        READERS["arxiv-oai"],
    ),
    "pubmed": (
        (
            "<PubmedArticleSet><PubmedArticle><MedlineCitation><PMID>1</PMID><Article><ArticleTitle>"
            "Study HERE</ArticleTitle></Article></MedlineCitation></PubmedArticle>"
            "</PubmedArticleSet>"
        ),
        READERS["pubmed"],
    ),
    "opml": (
        (
            "<opml version='2.0'><body><outline text='x' xmlUrl='https://j.example/'>HERE</outline>"
            "</body></opml>"
        ),
        read_opml,
    ),
    "jats": (
        "<jats:p>Study HERE</jats:p>",
        lambda content: text_of_jats(content.decode("utf-8", "replace")),
    ),
}
"""(a document with a place for what attacks, its reader), by kind."""

READING_MODULES = {
    "feeds/formats/arxiv": "arxiv-rss",
    "feeds/formats/feed_items": "rss",
    "plugins/jats": "jats",
    "plugins/arxiv_oai": "arxiv-oai",
    "feeds/opml": "opml",
    "plugins/pubmed/record": "pubmed",
}
"""The kind that shows a module of sources which reads XML."""


# --- what attacks ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """What an attack may be after: a file (its address; a DTD stands beside it, with `.dtd` at its
    end), a server (its address), and how large the attack is (0 to 1)."""

    file: str
    server: str
    scale: float

    def many(self, count: int) -> int:
        return max(int(count * self.scale), 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attack:
    """What stands before the document, in its place, and how the whole is written."""

    prolog: str = ""
    inner: str = ""
    written: Callable[[str], bytes] = str.encode

    def on(self, document: str) -> bytes:
        root = document[1:].split(">")[0].split(" ")[0]
        return self.written(
            self.prolog.replace("ROOT", root) + document.replace("HERE", self.inner)
        )


WIDE = "\U0001d7d8"
"""A sign that makes Python keep the whole text with four bytes a sign."""

CHARSETS = {
    "bomb in UTF-16": ("utf-16", "utf-16"),
    "bomb in UTF-16 without a mark": ("utf-8", "utf-16-le"),
    "bomb in UTF-32": ("utf-32", "utf-32"),
    "bomb in UTF-32 without a mark": ("utf-8", "utf-32-be"),
    "bomb in UTF-7": ("utf-7", "utf-7"),
    "bomb in EBCDIC": ("cp037", "cp037"),
    "bomb that calls itself UTF-16": ("utf-16", "utf-8"),
    "bomb that calls itself nonsense": ("x-nonsense", "utf-8"),
}
"""(what the document says it is in, what it is in)."""


def _laughs(_place: Place) -> Attack:
    more = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    return Attack(prolog=f'<!DOCTYPE ROOT [<!ENTITY l0 "ha">{more}]>', inner="&l9;")


def _quadratic(place: Place) -> Attack:
    entity = f'<!ENTITY x "{"x" * place.many(100_000)}">'
    return Attack(prolog=f"<!DOCTYPE ROOT [{entity}]>", inner="&x;" * place.many(50_000))


def _spread(count: int, name: str) -> str:
    """That many attributes, a hundred in each element: as many as one may have."""
    return f"<b {_named(100, name)}/>" * max(count // 100, 1)


def _named(count: int, name: str) -> str:
    return " ".join(f"{name}{n:02}=''" for n in range(count))


def _declared(charset: str, python: str, place: Place) -> Attack:
    """A bomb in a character set that hides its signs from whoever looks for them in bytes."""
    laughs = _laughs(place)
    return Attack(
        prolog=f"<?xml version='1.0' encoding='{charset}'?>{laughs.prolog}",
        inner=laughs.inner,
        written=lambda text: text.encode(python, "replace"),
    )


def _mixed(text: str) -> bytes:
    """UTF-8 to the middle, UTF-16 from there."""
    middle = len(text) // 2
    return (
        text[:middle].encode()
        + "ü\udcff".encode("utf-8", "surrogatepass")
        + (text[middle:].encode("utf-16"))
    )


ATTACKS: Mapping[str, Callable[[Place], Attack]] = {
    "billion laughs": _laughs,
    "quadratic blow-up": _quadratic,
    "entity of a file": lambda p: Attack(
        prolog=f'<!DOCTYPE ROOT [<!ENTITY c SYSTEM "{p.file}">]>', inner="&c;"
    ),
    "entity of a server": lambda p: Attack(
        prolog=f'<!DOCTYPE ROOT [<!ENTITY c SYSTEM "{p.server}">]>', inner="&c;"
    ),
    "parameter entity of a file": lambda p: Attack(
        prolog=f'<!DOCTYPE ROOT [<!ENTITY % p SYSTEM "{p.file}.dtd"> %p;]>', inner="&c;"
    ),
    "parameter entity of a server": lambda p: Attack(
        prolog=f'<!DOCTYPE ROOT [<!ENTITY % p SYSTEM "{p.server}x.dtd"> %p;]>', inner="&c;"
    ),
    "external DTD of a file": lambda p: Attack(
        prolog=f'<!DOCTYPE ROOT SYSTEM "{p.file}.dtd">', inner="&c;"
    ),
    "external DTD of a server": lambda p: Attack(
        prolog=f'<!DOCTYPE ROOT SYSTEM "{p.server}x.dtd">', inner="&c;"
    ),
    "inclusion": lambda p: Attack(
        inner="".join(
            f'<i:include xmlns:i="http://www.w3.org/2001/XInclude" parse="text" href="{one}"/>'
            for one in (p.file, p.server)
        )
    ),
    "style sheet and schema": lambda p: Attack(
        prolog=f'<?xml-stylesheet href="{p.server}"?><?xml-model href="{p.file}"?>',
        inner=(
            '<a xmlns:s="http://www.w3.org/2001/XMLSchema-instance" '
            f's:noNamespaceSchemaLocation="{p.server}"/>'
        ),
    ),
    "depth": lambda p: Attack(inner="<b>" * p.many(1_000_000) + "</b>" * p.many(1_000_000)),
    "depth that is not closed": lambda p: Attack(inner="<b>" * p.many(4_000_000)),
    "a million attributes": lambda p: Attack(inner=f"<b {_named(p.many(1_000_000), 'x')}/>"),
    "a million attributes, mended": lambda p: Attack(
        inner=f"{WIDE}<b {_named(p.many(1_400_000), 'x')}/>&"
    ),
    "a million attributes, a hundred each": lambda p: Attack(inner=_spread(p.many(1_000_000), "x")),
    "as many attributes as fit": lambda p: Attack(inner=_spread(p.many(2_000_000), "x")),
    "a million namespaces": lambda p: Attack(inner=_spread(p.many(1_000_000), "xmlns:x")),
    "a million elements": lambda p: Attack(inner="<b/>" * p.many(1_000_000)),
    "almost too many elements": lambda p: Attack(
        inner="".join(
            f"<b x='{WIDE}{n:x}'>{WIDE}{n:x}</b>{WIDE}{n:x}" for n in range(p.many(299_000))
        )
    ),
    "a million comments": lambda p: Attack(inner="<!---->x" * p.many(1_000_000)),
    "a million sections": lambda p: Attack(inner="<![CDATA[x]]>" * p.many(1_000_000)),
    "a million references": lambda p: Attack(inner="&#120;" * p.many(1_000_000)),
    "a million bare ampersands": lambda p: Attack(inner="& " * p.many(1_000_000)),
    "a long name": lambda p: Attack(inner=f"<{'b' * p.many(15_000_000)}/>"),
    "a long text of wide signs": lambda p: Attack(inner=WIDE * p.many(4_000_000)),
    "narrow signs after a wide one": lambda p: Attack(inner=f"{WIDE}{'x' * p.many(16_000_000)}&"),
    **{name: partial(_declared, *charsets) for name, charsets in CHARSETS.items()},
    "mixed encodings": lambda p: Attack(inner="tides " * p.many(500_000), written=_mixed),
    "zeros": lambda p: Attack(inner="\0" * p.many(15_000_000)),
}


# --- the process that reads --------------------------------------------------------------------


def packed(documents: Iterator[bytes]) -> bytes:
    """Documents as the program wants them."""
    return b"".join(len(one).to_bytes(8) + one for one in documents)


def _unpacked(stream: BinaryIO) -> Iterator[bytes]:
    while head := stream.read(8):
        yield stream.read(int.from_bytes(head))


def main(kind: str) -> None:
    """Read every document of the standard input, and say what came of it."""
    read = KINDS[kind][1]
    outcomes = []
    for document in _unpacked(sys.stdin.buffer):
        start = process_time()
        try:
            result = f"read: {read(document)!r}"
        except InvalidInput as error:
            result = f"refused: {error}"
        outcomes.append({"seconds": process_time() - start, "result": result[:2000]})
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    measured = {
        "outcomes": outcomes,
        "peak_mib": most_memory(),
        "child_peak_mib": children.ru_maxrss / 1024,
        "child_seconds": children.ru_utime + children.ru_stime,
    }
    print(json.dumps(measured))  # noqa: T201


if __name__ == "__main__":
    main(sys.argv[1])
