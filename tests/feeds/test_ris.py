"""RIS as reference managers and publishers export it.

No recorded exports were at hand: the entries follow the format's description and what Zotero,
EndNote, PubMed, Web of Science, Scopus, Google Scholar and publishers write. The papers are
invented.
"""

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperround.core.errors import UnreadableFile
from paperround.feeds.formats.ris import read_ris
from paperround.papers.merge import repaired
from paperround.papers.model import ParsedBatch, Record, Show

FULL = """TY  - JOUR
AU  - Lovelace, Ada
A1  - King, Martin, Jr.
TI  - On tides
 and moons
AB  - We tide.
More of it.
KW  - tides
moons
KW  - water
PY  - 2026
DA  - 2026/01/28/
T2  - Journal of Tides
DO  - https://doi.org/10.1000/Tides
UR  - https://journal.example/a
L1  - https://journal.example/a.pdf
ER  -\x20
"""
GOOD = "TY  - JOUR\nTI  - Study {0}\nER  - \n"


def read(text: str) -> ParsedBatch:
    return read_ris(text.encode())


def only(text: str) -> Record:
    batch = read(text)
    assert batch.rejects == ()
    (record,) = batch.records
    return record


def titles(batch: ParsedBatch) -> list[str]:
    return [one.title for one in batch.records]


@pytest.mark.accept("F06", part="ris")
@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("start", ["", "\ufeff", "Provider: Tides Press\n\n"])
def test_an_entry_is_read_with_all_it_says(start: str, ending: str) -> None:
    record = only((start + FULL).replace("\n", ending))
    assert record.title == "On tides\nand moons"
    assert record.abstract == "We tide.\nMore of it."
    assert record.authors == ("Ada Lovelace", "Martin King Jr.")
    assert record.keywords == ("tides", "moons", "water")
    assert record.identifiers == {"doi": "10.1000/tides"}
    assert (record.listed_on, record.published_at) == (
        date(2026, 1, 28),
        datetime(2026, 1, 28, tzinfo=UTC),
    )
    assert record.comment == "Journal reference: Journal of Tides"
    assert record.links == {
        "abstract": "https://journal.example/a",
        "pdf": "https://journal.example/a.pdf",
    }
    assert record.show is Show.LINK


@pytest.mark.accept("F06", part="ris")
@pytest.mark.parametrize(
    ("lines", "named"),
    [
        ("DO  - 10.1000/x", {"doi": "10.1000/x"}),
        ("M3  - doi: 10.1000/x", {"doi": "10.1000/x"}),
        ("UR  - https://arxiv.org/abs/2601.00001v2", {"arxiv": "2601.00001"}),
        ("N1  - arXiv:2601.00001 [cs]", {"arxiv": "2601.00001"}),
        ("AN  - 12345\nDB  - PubMed", {"pmid": "12345"}),
        ("AN  - 12345\nDP  - NLM Medline", {"pmid": "12345"}),
        ("UR  - https://pubmed.ncbi.nlm.nih.gov/12345/", {"pmid": "12345"}),
        ("N1  - PMID: 12345", {"pmid": "12345"}),
        ("JO  - arXiv preprint arXiv:2601.00001", {"arxiv": "2601.00001"}),
        ("AN  - arXiv:2601.00001\nPB  - arXiv", {"arxiv": "2601.00001"}),
        ("JO  - ArXiv\nVL  - abs/2601.00001", {"arxiv": "2601.00001"}),
        ("DO  - 10.1000/x, 10.1000/y", {"doi": "10.1000/x"}),
        ("JO  - Journal of Tides\nVL  - 2601", {}),
        ("AN  - 12345", {}),
        ("AN  - WOS:000123\nDB  - PubMed", {}),
        ("UR  - https://conference.example/", {}),
        ("ID  - 2601.00001", {}),
    ],
)
def test_a_work_is_named_by_what_surely_names_it(lines: str, named: dict[str, str]) -> None:
    assert only(f"TY  - JOUR\nT1  - A\n{lines}\nER  - \n").identifiers == named


@pytest.mark.accept("F06", part="ris")
def test_entries_without_an_end_end_where_the_next_begins() -> None:
    batch = read("TY  - JOUR\nTI  - A\nTY  - JOUR\nTI  - B\nER  - \nTY  - BOOK\nT1  - C")
    assert (titles(batch), batch.rejects) == (["A", "B", "C"], ())


@pytest.mark.accept("F06", part="ris")
@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        ("TY  - JOUR\nAU  - Lovelace, Ada\nER  - \n", "no-title"),
        ("TI  - No beginning\nER  - \n", "no-type"),
        ("TY  - JOUR\nTI  - \udc81\nER  - \n", "not-utf8"),
    ],
)
def test_one_bad_entry_is_one_reject_and_swallows_no_other(bad: str, reason: str) -> None:
    text = GOOD.format("a") + bad + GOOD.format("c") + GOOD.format("d")
    batch = read_ris(text.encode("utf-8", "surrogateescape"))
    assert titles(batch) == ["Study a", "Study c", "Study d"]
    assert [(one.reason, one.position) for one in batch.rejects] == [(reason, 2)]


def test_a_line_of_an_abstract_that_looks_like_a_tag_is_only_one_with_two_spaces() -> None:
    assert only("TY  - JOUR\nTI  - A\nAB  - x\nAI - y\nER  - \n").abstract == "x\nAI - y"


def test_what_holds_no_entry_is_never_an_empty_file() -> None:
    with pytest.raises(UnreadableFile, match="not a RIS"):
        read("Nothing here.\n")
    assert read("\n") == ParsedBatch()


WEB_OF_SCIENCE = """TY  - JOUR
AU  - Lovelace, A
AU  - Turing, AM
TI  - On tides and
   moons
T2  - TIDES &amp; MOONS
LA  - English
PD  - MAY 10
PY  - 2026
VL  - 21
DO  - 10.1000/tides
AN  - WOS:000123456700001
Y2  - 2026-06-01
ER  -

"""
SCOPUS = """TY  - JOUR
TI  - H<inf>2</inf>O in the <scp>Moon</scp>
AU  - Lovelace, A.;Turing, A.M.
PY  - 2026
DO  - 10.1000/tides
AB  - Of 10<sup>6</sup> <inline-formula> <tex-math notation="LaTeX">$\\alpha$ </tex-math></inline-formula>-tides.
DB  - Scopus
N1  - Export Date: 12 May 2026; Cited By: 5; Correspondence Address: A. Lovelace
ER  -\x20
"""  # noqa: E501


@pytest.mark.accept("F06", part="ris")
def test_an_entry_of_the_web_of_science_is_read_with_its_day() -> None:
    record = only(WEB_OF_SCIENCE)
    assert record.listed_on == date(2026, 5, 10)
    assert record.identifiers == {"doi": "10.1000/tides"}
    assert record.title == "On tides and\nmoons"
    assert record.comment == "Journal reference: TIDES & MOONS"


@pytest.mark.accept("F06", part="ris")
def test_an_entry_of_scopus_is_read_without_its_markup() -> None:
    record = repaired(only(SCOPUS))
    assert record.title == "H₂O in the Moon"
    assert record.abstract == "Of 10⁶ α-tides."
    assert record.authors == ("A. Lovelace", "A.M. Turing")


def test_exporting_a_work_on_another_day_makes_no_other_work_of_it() -> None:
    later = SCOPUS.replace("12 May 2026; Cited By: 5", "13 Jun 2026; Cited By: 6")
    assert only(later).fingerprint == only(SCOPUS).fingerprint
    later = WEB_OF_SCIENCE.replace("2026-06-01", "2026-07-01")
    assert only(later).fingerprint == only(WEB_OF_SCIENCE).fingerprint
    assert only(SCOPUS.replace("A. Lovelace", "C.")).fingerprint != only(SCOPUS).fingerprint


@pytest.mark.parametrize(
    ("lines", "day"),
    [
        ("DA  - Jan 8\nPY  - 2026", date(2026, 1, 8)),
        ("DA  - 8 January\nPY  - 2026///", date(2026, 1, 8)),
        ("PD  - MAR-APR\nPY  - 2026", date(2026, 3, 31)),
        ("PD  - SPR\nPY  - 2026", date(2026, 12, 31)),
        ("DA  - 05/06\nPY  - 2026", date(2026, 12, 31)),
        ("DA  - 2025/12/31/\nPY  - 2026", date(2025, 12, 31)),
        ("DA  - Jan 8", None),
    ],
)
def test_a_day_whose_year_stands_elsewhere_is_a_day(lines: str, day: date | None) -> None:
    assert only(f"TY  - JOUR\nTI  - A\n{lines}\nER  - \n").listed_on == day


@pytest.mark.parametrize(
    ("stated", "names"),
    [
        ("Lovelace, Ada;Turing, Alan", ("Ada Lovelace", "Alan Turing")),
        ("Lovelace, Ada; Turing, Alan;", ("Ada Lovelace", "Alan Turing")),
        ("M&uuml;ller, J&ouml;rg", ("J&ouml;rg M&uuml;ller",)),
    ],
)
def test_authors_on_one_line_are_parted(stated: str, names: tuple[str, ...]) -> None:
    assert only(f"TY  - JOUR\nTI  - A\nAU  - {stated}\nER  - \n").authors == names


@pytest.mark.accept("F06", part="ris")
def test_entries_that_put_one_space_behind_their_tags_are_read_like_others() -> None:
    loose = FULL.replace("  -", " -")
    assert "TY - JOUR" in loose
    assert only(loose).fingerprint == only(FULL).fingerprint
    batch = read(loose + GOOD.format("b") + loose.replace("ER - \n", ""))
    assert titles(batch) == ["On tides\nand moons", "Study b", "On tides\nand moons"]
    assert only("TY - JOUR\nTI - A\nAB - x\nQQ - y\nER - \n").abstract == "x\nQQ - y"


def test_an_end_with_one_space_ends_an_entry_of_any_other_form() -> None:
    batch = read("TY  - JOUR\nTI  - A\nAU  - Lovelace, Ada\nER -\n" + GOOD.format("b"))
    assert titles(batch) == ["A", "Study b"]
    assert batch.records[0].authors == ("Ada Lovelace",)


@given(
    st.lists(
        st.sampled_from(["TY  - JOUR", "TI  - A", "ER  - ", "PY  - 9999/99/99", "AU  - ,,,", "x"])
        | st.text(max_size=8)
    )
)
def test_any_lines_are_read_or_refused(lines: list[str]) -> None:
    content = "\n".join(["TY  - JOUR", "TI  - K", "ER  - ", *lines]).encode(
        "utf-8", "surrogatepass"
    )
    batch = read_ris(content)
    assert titles(batch)[0] == "K"
    repr(batch.records).encode()
