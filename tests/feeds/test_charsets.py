"""Bibliographies and tables as programs save them: not every one of them in UTF-8."""

import pytest

from paperround.feeds.formats.bibtex import read_bibtex
from paperround.feeds.formats.charsets import text_of_bytes, wide_charset
from paperround.feeds.formats.registry import AUTO, reader_for
from paperround.feeds.formats.ris import read_ris
from paperround.papers.model import ParsedBatch

BIBTEX = "@article{a, author={Müller, Jörg}, title={Größe}, year=2026}\n"
RIS = "TY  - JOUR\nAU  - Müller, Jörg\nTI  - Größe\nER  - \n"
CSV = "title,authors\nGröße,Jörg Müller\n"


def said(batch: ParsedBatch) -> list[tuple[str, tuple[str, ...]]]:
    assert batch.rejects == ()
    return [(one.title, one.authors) for one in batch.records]


@pytest.mark.accept("F06", part="bibtex")
@pytest.mark.accept("F06", part="ris")
@pytest.mark.parametrize("charset", ["utf-8", "utf-8-sig", "utf-16", "utf-16-be", "cp1252"])
@pytest.mark.parametrize("text", [BIBTEX, RIS, CSV], ids=["bibtex", "ris", "csv"])
def test_a_file_is_recognised_and_read_in_the_charset_it_was_saved_in(
    text: str, charset: str
) -> None:
    content = text.encode(charset)
    _, read = reader_for("export", content, AUTO)
    assert said(read(content)) == [("Größe", ("Jörg Müller",))]


@pytest.mark.accept("F06", part="bibtex")
def test_a_foreign_byte_costs_no_accent_of_the_entries_beside_it() -> None:
    content = BIBTEX.encode() + BIBTEX.encode("cp1252") + BIBTEX.encode()
    assert said(read_bibtex(content)) == [("Größe", ("Jörg Müller",))] * 3


@pytest.mark.parametrize(
    "foreign",
    ["中文期刊".encode("gbk"), "Иванов".encode("cp1251"), b"\x81"],
    ids=["gbk", "ru", "none"],
)
def test_a_script_that_nobody_named_is_not_guessed(foreign: bytes) -> None:
    content = RIS.encode() + b"TY  - JOUR\nTI  - A " + foreign + b" B\nER  - \n"
    batch = read_ris(content)
    assert [one.title for one in batch.records] == ["Größe"]
    assert [(one.reason, one.position) for one in batch.rejects] == [("not-utf8", 2)]


@pytest.mark.parametrize("content", [b"", b"T", b"TY  - ", b"\0\0\0\0", b"{}\0\0", "é€".encode()])
def test_what_only_has_odd_bytes_is_not_utf_16(content: bytes) -> None:
    assert wide_charset(content) is None


def test_utf_16_that_is_cut_off_is_read_up_to_there() -> None:
    assert text_of_bytes("TY  - ".encode("utf-16")[:-1]).startswith("TY  -")
