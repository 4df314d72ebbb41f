"""Attacks on every reader of XML: little time, little memory, no file read and nobody asked.

Memory and time are those of a process of its own: in the short form one that reads all attacks at
a fiftieth of their size, in the long form (`--long`) one for each attack at its full size.
"""

import json
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from lxml import etree  # type: ignore[import-untyped]

import paperround
from paperround.core.errors import UnreadableFile
from paperround.feeds.formats.xml import MOST_ATTRIBUTES, read_xml
from tests.feeds.xml_attacks import ATTACKS, KINDS, READING_MODULES, Place, packed
from tests.http.faults import FaultServer, page, says

ROOT = Path(__file__).parents[2]
CANARY = "what stands in a file"
MOST_SECONDS = 20
MOST_MIB = 512


@pytest.fixture
def server() -> Iterator[FaultServer]:
    """Hears of everybody who fetches what a document names."""
    with FaultServer({"/": says(page(f'<!ENTITY c "{CANARY}">'.encode()))}) as listening:
        yield listening


@pytest.fixture
def place(tmp_path: Path, server: FaultServer) -> Place:
    canary = tmp_path / "canary"
    canary.write_text(CANARY)
    canary.with_suffix(".dtd").write_text(f'<!ENTITY c "{CANARY}">')
    return Place(file=canary.as_uri(), server=server.url(), scale=0.02)


def attacked(kind: str, names: Sequence[str], place: Place) -> dict[str, Any]:
    """What one process made of these attacks, in their order."""
    if not Path("/proc/self/status").exists():
        pytest.skip("needs /proc to read the most memory a process ever had")
    documents = (ATTACKS[name](place).on(KINDS[kind][0]) for name in names)
    told = subprocess.run(
        [sys.executable, "-m", "tests.feeds.xml_attacks", kind],
        input=packed(documents), cwd=ROOT, check=True, capture_output=True, timeout=300,
    ).stdout  # fmt: skip
    measured: dict[str, Any] = json.loads(told)
    assert len(measured["outcomes"]) == len(names)
    return measured


def check(measured: dict[str, Any], server: FaultServer) -> None:
    """The limits of I5, for one attack or for all of them together."""
    seconds = sum(one["seconds"] for one in measured["outcomes"]) + measured["child_seconds"]
    assert seconds <= MOST_SECONDS
    assert measured["peak_mib"] + measured["child_peak_mib"] <= MOST_MIB
    assert not [one for one in measured["outcomes"] if CANARY in one["result"]]
    assert server.accepted == 0


@pytest.mark.slow
@pytest.mark.accept("I5")
@pytest.mark.parametrize("kind", KINDS)
def test_all_attacks_in_small_are_borne_by_one_process(
    kind: str, place: Place, server: FaultServer
) -> None:
    check(attacked(kind, list(ATTACKS), place), server)


@pytest.mark.long
@pytest.mark.accept("I5", part="full size")
@pytest.mark.parametrize("name", ATTACKS)
@pytest.mark.parametrize("kind", KINDS)
def test_every_attack_costs_a_process_of_its_own_little(
    kind: str, name: str, server: FaultServer, place: Place
) -> None:
    check(attacked(kind, [name], replace(place, scale=1)), server)


@pytest.mark.accept("I5", part="every reader")
@pytest.mark.parametrize("kind", KINDS)
def test_without_an_attack_every_reader_reads_its_document(kind: str) -> None:
    document, read = KINDS[kind]
    assert "Study tides" in repr(read(document.replace("HERE", "tides").encode())) or kind == "opml"


@pytest.mark.accept("I5", part="every reader")
def test_every_module_that_reads_xml_is_attacked() -> None:
    folder = Path(paperround.__path__[0])
    calls = re.compile(r"^from paperround\.feeds\.formats\.xml import .*\bread_xml\b", re.MULTILINE)
    found = (path for path in folder.rglob("*.py") if calls.search(path.read_text("utf-8")))
    reading = {path.relative_to(folder).with_suffix("").as_posix() for path in found}
    assert reading == set(READING_MODULES)
    assert set(READING_MODULES.values()) <= set(KINDS)


@pytest.mark.accept("I5", part="every reader")
@pytest.mark.parametrize(
    "name", ["entity of a file", "parameter entity of a file", "external DTD of a file"]
)
def test_a_careless_reader_would_fall_into_the_trap(name: str, place: Place) -> None:
    careless = etree.XMLParser(load_dtd=True, resolve_entities=True)
    root = etree.fromstring(ATTACKS[name](place).on(KINDS["rss"][0]), careless)
    assert CANARY in "".join(root.itertext())


@pytest.mark.accept("I5", part="attributes")
@pytest.mark.parametrize("separator", [" ", "\n\t", "  "])
@pytest.mark.parametrize("value", ["''", '"a > b"', "'\U0001d7d8'"])
def test_an_element_may_have_as_many_attributes_as_are_said_and_no_more(
    separator: str, value: str
) -> None:
    def element(count: int) -> bytes:
        said = separator.join(f"x{n} = {value}" for n in range(count))
        return f"<a>\U0001d7d8 &amp;<b{separator}{said}/></a>".encode()

    (inner,) = read_xml(element(MOST_ATTRIBUTES)).all("b")
    assert len(inner.attributes) == MOST_ATTRIBUTES
    with pytest.raises(UnreadableFile, match="more elements or attributes than any feed"):
        read_xml(element(MOST_ATTRIBUTES + 1))


@pytest.mark.accept("I5", part="attributes")
def test_namespaces_count_as_attributes() -> None:
    many = " ".join(f"xmlns:x{n}='u:{n}'" for n in range(MOST_ATTRIBUTES + 1))
    hidden = many.replace(" ", "\x01 ")  # what is no XML is taken out when a text is mended
    for said in (many, hidden):
        with pytest.raises(UnreadableFile, match="more elements or attributes than any feed"):
            read_xml(f"<a><b {said}/></a>".encode())


@pytest.mark.slow
@pytest.mark.accept("I5", part="attributes")
def test_an_element_of_a_million_attributes_is_refused_before_it_is_built(
    place: Place, server: FaultServer
) -> None:
    full = replace(place, scale=1)
    measured = attacked("rss", ["a million attributes, mended"], full)
    check(measured, server)
    assert measured["peak_mib"] <= 200  # it was 397


@pytest.mark.accept("I5", part="attributes")
def test_what_is_no_element_may_look_as_crowded_as_it_likes() -> None:
    many = " ".join(f"x{n}=1" for n in range(1000))
    assert read_xml(f"<a>{many} a &lt; b {many}</a>".encode()).text.startswith("x0=1")
