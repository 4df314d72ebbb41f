r"""BibTeX as reference managers and sites export it.

No recorded exports were at hand: the entries follow what Zotero, Better BibTeX, Mendeley, Google
Scholar, arXiv, DBLP, ADS, INSPIRE, Scopus, IEEE and the ACL Anthology write. The papers are
invented.
"""

import json
from datetime import date
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperround.core.errors import UnreadableFile
from paperround.feeds.formats.bibtex import read_bibtex, unbraced, value_of, verbatim
from paperround.papers.merge import repaired
from paperround.papers.model import ParsedBatch, Record, Show

ARXIV = """@misc{lovelace2026tides,
      title={On Tides},
      author={Ada Lovelace and Alan Turing},
      year={2026},
      eprint={2601.00001},
      archivePrefix={arXiv},
      primaryClass={cs.LG},
      url={https://arxiv.org/abs/2601.00001},
}
"""
SCHOLAR = """@article{lovelace2026tides,
  title={On tides},
  author={Lovelace, Ada and Turing, Alan and others},
  journal={arXiv preprint arXiv:2601.00001},
  year={2026}
}
"""
ZOTERO = r"""
@misc{lovelace_tides_2026,
	title = {On {Tides}},
	url = {http://arxiv.org/abs/2601.00001},
	doi = {10.48550/arXiv.2601.00001},
	abstract = {We tide.},
	urldate = {2026-02-01},
	publisher = {arXiv},
	author = {Lovelace, Ada and Turing, Alan},
	month = jan,
	year = {2026},
	note = {arXiv:2601.00001 [cs]},
	keywords = {Computer Science - Machine Learning, Tides},
	file = {Preprint PDF:files/1/a.pdf:application/pdf},
}
"""
MENDELEY = r"""@article{Lovelace2026,
abstract = {We tide, {\textless}1{\%}.},
author = {Lovelace, Ada and {\"{U}}nal, Ay{\c{s}}e},
doi = {10.1000/tides{\_}1},
file = {:files/a.pdf:pdf},
issn = {1234-5678},
journal = {Journal of Tides},
keywords = {moons,tides},
month = {jan},
pages = {1--9},
title = {{On Tides}},
url = {https://journal.example/a{\_}b},
year = {2026}
}
"""
ACL = """@inproceedings{lovelace-etal-2026-tides,
    title = "On {T}ides and {BERT}",
    author = "Lovelace, Ada  and
      Turing, Alan",
    editor = "Babbage, Charles",
    booktitle = "Proceedings of the Tides",
    month = jul,
    year = "2026",
    address = "Online",
    url = "https://anthology.example/2026.tides-main.1/",
    doi = "10.18653/v1/2026.tides-main.1",
    pages = "1--9"
}
"""
DBLP = """@article{DBLP:journals/corr/abs-2601-00001,
  author       = {Ada Lovelace and
                  Alan Turing},
  title        = {On Tides},
  journal      = {CoRR},
  volume       = {abs/2601.00001},
  year         = {2026},
  eprinttype    = {arXiv},
  eprint       = {2601.00001},
  timestamp    = {Wed, 28 Jan 2026 10:00:00 +0100},
}
"""
BETTER = r"""@article{ducTides2026,
  title = {{{SiO{\textless}sub{\textgreater}2{\textless}/sub{\textgreater}}}
    Don{\textquoteright}t Tide},
  author = {family=Duc, given=Marc, prefix=le, useprefix=true and
    given={Ay{\c s}e}, family={{\"U}nal} and {\DJ}okovi{\'c}, Mar{\'\i}a and
    family=King, given=Martin, suffix=Jr.},
  date = {2026-08/2026-09},
  journaltitle = {Tides {\&} Moons},
  doi = {10.1000/(SICI)1{\textless}2{\textgreater}3.0.CO;2-2}
}
"""
ADS = r"""@ARTICLE{2026ApJ...123..456L,
       author = {{Lovelace}, Ada and {Turing}, A.~M.},
        title = "{Tides at z {\ensuremath{>}} 6: H{\ensuremath{\alpha}}}",
      journal = {\apj},
         year = 2026,
        month = jan,
          eid = {456},
          doi = {10.3847/1538-4357/tides},
archivePrefix = {arXiv},
       eprint = {2601.00001},
 primaryClass = {astro-ph.GA},
}
"""
INSPIRE = """@article{Lovelace:2026abc,
    author = "Lovelace, Ada and others",
    title = "{Tides}",
    doi = "10.1000/tides.1, 10.1000/tides.2",
    year = "2026"
}
"""
SCOPUS = """@ARTICLE{Lovelace2026123,
	author = {Lovelace, Ada and Turing, Alan},
	title = {H<inf>2</inf>O tides},
	year = {2026},
	journal = {Journal of Tides},
	note = {Cited by: 5; All Open Access, Green Open Access}
}
"""
IEEE = r"""@ARTICLE{9000001,
  author={Lovelace, Ada},
  journal={IEEE Transactions on Tides},
  title={<inline-formula><tex-math notation="LaTeX">$K$</tex-math></inline-formula>-Means of Tides},
  year={2026},
  month={May},
  day={6},
  abstract={An <inline-formula>
    <tex-math notation="LaTeX">$\ell _{1}$ </tex-math></inline-formula>-norm.},
}
"""
GOOD = "@article{%s, title={Study %s}, year=2026}\n"


def read(text: str) -> ParsedBatch:
    return read_bibtex(text.encode())


def only(text: str) -> Record:
    batch = read(text)
    assert batch.rejects == ()
    return repaired(batch.records[0])


def titles(batch: ParsedBatch) -> list[str]:
    return [one.title for one in batch.records]


@pytest.mark.accept("F06", part="bibtex")
@pytest.mark.parametrize(
    "text", [ARXIV, SCHOLAR, ZOTERO, DBLP], ids=["arxiv", "gs", "zotero", "dblp"]
)
def test_a_preprint_is_known_by_its_arxiv_id_whoever_exported_it(text: str) -> None:
    record = only(text)
    assert record.title.casefold() == "on tides"
    assert record.identifiers == {"arxiv": "2601.00001"}
    assert record.authors == ("Ada Lovelace", "Alan Turing")
    assert record.published_at is not None
    assert record.published_at.date() == date(2026, 1, 1)


@pytest.mark.accept("F06", part="bibtex")
def test_an_entry_of_mendeley_is_read_with_all_it_says() -> None:
    record = only(MENDELEY)
    assert (record.title, record.abstract) == ("On Tides", "We tide, <1%.")
    assert record.authors == ("Ada Lovelace", "Ayşe Ünal")
    assert record.identifiers == {"doi": "10.1000/tides_1"}
    assert record.links == {"abstract": "https://journal.example/a_b"}
    assert record.keywords == ("moons", "tides")
    assert record.comment == "Journal reference: Journal of Tides"
    assert record.show is Show.LINK


@pytest.mark.accept("F06", part="bibtex")
def test_an_entry_of_the_acl_anthology_is_read_with_all_it_says() -> None:
    record = only(ACL)
    assert record.title == "On Tides and BERT"
    assert record.authors == ("Ada Lovelace", "Alan Turing")
    assert record.identifiers == {"doi": "10.18653/v1/2026.tides-main.1"}
    assert record.listed_on == date(2026, 7, 31)


@pytest.mark.accept("F06", part="bibtex")
def test_an_entry_of_better_bibtex_is_read_with_all_it_says() -> None:
    record = only(BETTER)
    assert record.title == "SiO₂ Don’t Tide"
    assert record.authors == ("Marc le Duc", "Ayşe Ünal", "María Đoković", "Martin King Jr.")
    assert record.published_at is not None
    assert (record.published_at.date(), record.listed_on) == (date(2026, 8, 1), date(2026, 8, 31))
    assert record.comment == "Journal reference: Tides & Moons"
    assert record.identifiers == {"doi": "10.1000/(sici)1<2>3.0.co;2-2"}


@pytest.mark.accept("F06", part="bibtex")
def test_an_entry_of_ads_names_its_journal() -> None:
    record = only(ADS)
    assert record.title == "Tides at z > 6: Hα"
    assert record.authors == ("Ada Lovelace", "A. M. Turing")
    assert record.comment == r"Journal reference: \apj"
    assert record.identifiers == {"doi": "10.3847/1538-4357/tides", "arxiv": "2601.00001"}
    assert only(ADS.replace(r"\apj}", "arXiv e-prints}")).comment is None


@pytest.mark.accept("F06", part="bibtex")
def test_of_two_dois_the_first_names_the_work() -> None:
    assert only(INSPIRE).identifiers == {"doi": "10.1000/tides.1"}
    assert only(INSPIRE.replace(".1, 10.1000/", ".1 and ")).identifiers == {}


@pytest.mark.accept("F06", part="bibtex")
def test_what_scopus_counts_is_no_comment_and_makes_no_other_entry() -> None:
    record = only(SCOPUS)
    assert (record.title, record.comment) == ("H₂O tides", "Journal reference: Journal of Tides")
    assert only(SCOPUS.replace("by: 5", "by: 6")).fingerprint == record.fingerprint
    kept = only(SCOPUS.replace("Cited by: 5;", "Cited by: 5; 12 pages;"))
    assert kept.comment == "12 pages; Journal reference: Journal of Tides"


@pytest.mark.accept("F06", part="bibtex")
def test_an_entry_of_ieee_reads_well_and_counts_from_its_day() -> None:
    record = only(IEEE)
    assert (record.title, record.abstract) == ("K-Means of Tides", "An ℓ₁-norm.")
    assert record.listed_on == date(2026, 5, 6)
    assert only(IEEE.replace("  month={May},\n", "")).listed_on == date(2026, 12, 31)


@pytest.mark.parametrize(
    "fields",
    [
        "arxivId={2601.00001}",
        "arxivId={2601.00001}, archivePrefix={arXiv}, eprint={2601.00001}",
        "journal={ArXiv}, volume={abs/2601.00001}",
        "journal={arXiv e-prints}, pages={arXiv:2601.00001}",
        "eid={arXiv:2601.00001}",
    ],
)
def test_a_preprint_is_known_wherever_its_exporter_puts_the_arxiv_id(fields: str) -> None:
    record = only(f"@misc{{a, title={{A}}, {fields}}}")
    assert (record.identifiers, record.comment) == ({"arxiv": "2601.00001"}, None)


def test_categories_and_notes_say_where_a_preprint_belongs() -> None:
    assert only(ARXIV).categories == ("cs.LG",)
    record = only("@misc{a, title={A}, note={arXiv:2601.00001 [stat.ML]}}")
    assert (record.categories, record.comment) == (("stat.ML",), None)


def test_a_pubmed_id_is_known_where_it_is_said_to_be_one() -> None:
    assert only("@misc{a, title={A}, pmid={12345}}").identifiers == {"pmid": "12345"}
    assert only("@misc{a, title={A}, note={PMID: 12345}}").identifiers == {"pmid": "12345"}
    eprint = "@misc{a, title={A}, eprint={12345}, eprinttype={pubmed}}"
    assert only(eprint).identifiers == {"pmid": "12345"}


@pytest.mark.parametrize(
    "fields",
    [
        "",
        "url={https://conference.example}",
        "eprint={hal-01234567}, archivePrefix={HAL}",
        "note={Extends arXiv:2601.00001}",
    ],
)
def test_neither_a_key_nor_an_address_nor_a_foreign_number_names_a_paper(fields: str) -> None:
    assert only(f"@misc{{2601.00001, title={{A}}, {fields}}}").identifiers == {}


@pytest.mark.parametrize(
    ("stated", "name"),
    [
        (r"{\"U}nal, Ay{\c s}e", "Ayşe Ünal"),
        ("von Neumann, Jr., John", "John von Neumann Jr."),
        ("Ludwig van Beethoven", "Ludwig van Beethoven"),
        ("{The Tides and Moons Consortium}", "The Tides and Moons Consortium"),
        (r"S{\o}ren Kierkegaard", "Søren Kierkegaard"),
        (r"Schr{\"{o}}dinger, Erwin", "Erwin Schrödinger"),
        ("Lovelace,", "Lovelace"),
    ],
)
def test_names_are_written_as_people_say_them(stated: str, name: str) -> None:
    assert only(f"@misc{{a, title={{A}}, author={{{stated} and others}}}}").authors == (name,)


@pytest.mark.parametrize(
    ("stated", "shown"),
    [
        ("{BERT}: {D}eep", "BERT: Deep"),
        ("{{BERT and {\\'e}}}", "BERT and {\\'e}"),
        (r"\emph{x} and {\em y}", r"\emph{x} and {\em y}"),
        (r"{\textit{new}}", r"\textit{new}"),
        (r"{\textit{{In}}} {V}ivo", r"\textit{In} Vivo"),
        (r"\href{https://a.example}{A}", r"\href{https://a.example}{A}"),
        (r"{\href{https://a.example}{A}}", r"\href{https://a.example}{A}"),
        ("$x^{2}$ and {$k$}", "$x^{2}$ and $k$"),
        (r"\{a\}", r"\{a\}"),
        ("{a", "{a"),
        ("a}{b", "a}{b"),
        ("plain", "plain"),
    ],
)
def test_braces_that_only_protect_are_left_out(stated: str, shown: str) -> None:
    assert unbraced(stated) == shown


def test_macros_are_put_in_and_comments_left_out() -> None:
    batch = read(
        "An export.\n% of today\n"
        '@string{jml = "Journal of " # {Tides}}\n@STRING(m = {Moons})\n'
        "@comment{jabref-meta: databaseType:bibtex;}\n@preamble{{x} # m}\n"
        "@article{a, title = M # { and } # unknown, journal = jml, month = 12 # jan, year = 2026}\n"
    )
    (record,) = batch.records
    assert batch.rejects == ()
    assert record.title == "Moons and unknown"
    assert record.comment == "Journal reference: Journal of Tides"
    assert record.listed_on == date(2026, 1, 12)


def test_comments_may_stand_anywhere_and_hold_anything() -> None:
    batch = read("@comment{x} @misc{a, title={A}}\n@Comment{ {\n@misc{b, title={B}}\n@preamble(\n")
    assert (titles(batch), batch.rejects) == (["A", "B"], ())


def test_macros_cannot_grow_without_end() -> None:
    assert value_of("a # a", {"a": "x" * 500_000}) == "x" * 1_000_000
    many = '@string{a = "%s"}\n' % ("x" * 2000)
    batch = read(f"{many}@misc{{k, title = {' # '.join(['a'] * 1000)}}}\n" + GOOD % ("b", "b"))
    assert [one.reason for one in batch.rejects] == ["too-long"]
    assert titles(batch) == ["Study b"]


def test_addresses_are_read_through_what_tex_needs() -> None:
    assert verbatim(r"\url{https://a.example/x\_y\%20z\#{}}") == "https://a.example/x_y%20z#"
    record = only(r"@misc{a, title={A}, howpublished={\url{https://a.example/x}}}")
    assert record.links == {"abstract": "https://a.example/x"}


@pytest.mark.accept("F06", part="bibtex")
@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        ("@article{b, title={Unbalanced {brace, year=2026}\n", "bad-bibtex"),
        ('@article{b, title="open quote, year=2026}\n', "bad-bibtex"),
        ("@article{b, title={A} year=2026}\n", "bad-bibtex"),
        ("@article{b, year=2026 title={A}}\n", "bad-bibtex"),
        ("@article{b, title}\n", "bad-bibtex"),
        ("@article(b, title={A\n", "bad-bibtex"),
        ("@article{b, title={An address @ {x}}, {{{ @misc{y, \n", "bad-bibtex"),
        ("@article{b, year=2026}\n", "no-title"),
        ("@article{b, title={ }, year=2026}\n", "no-title"),
        ("@article{b, title={\udc81}}\n", "not-utf8"),
    ],
)
def test_one_bad_entry_is_one_reject_and_swallows_no_other(bad: str, reason: str) -> None:
    text = f"{GOOD % ('a', 'a')}{bad}{GOOD % ('c', 'c')}{GOOD % ('d', 'd')}"
    batch = read_bibtex(text.encode("utf-8", "surrogateescape"))
    assert titles(batch) == ["Study a", "Study c", "Study d"]
    assert [(one.reason, one.position) for one in batch.rejects] == [(reason, 2)]
    assert batch.rejects[0].excerpt.startswith("@article")


def test_a_file_that_is_cut_off_loses_its_last_entry_with_a_reason() -> None:
    batch = read(GOOD % ("a", "a") + "@article{b, title={Cut o")
    assert titles(batch) == ["Study a"]
    assert [one.reason for one in batch.rejects] == ["bad-bibtex"]


def test_entries_on_one_line_and_twice_the_same_key_or_field_are_all_read() -> None:
    text = "@misc{a, title={A}, title={B}} @misc{a, note={x}} @misc{a, title={C}}"
    batch = read(text)
    assert titles(batch) == ["A", "C"]
    assert [one.reason for one in batch.rejects] == ["no-title"]


def test_reading_an_entry_again_gives_the_same_fingerprint_unless_it_says_something_else() -> None:
    first, same, other = (
        only(text).fingerprint
        for text in (ACL, ACL.replace("lovelace-etal", "x"), ACL.replace("Tides", "Moons"))
    )
    assert first == same != other


def test_line_ends_and_a_byte_order_mark_make_no_difference() -> None:
    assert read_bibtex(b"\xef\xbb\xbf" + ACL.replace("\n", "\r\n").encode()).records[0].title


@pytest.mark.parametrize("content", [b"no entry here", b"{}", b"@", b"a@b.example"])
def test_what_holds_no_entry_is_never_an_empty_file(content: bytes) -> None:
    with pytest.raises(UnreadableFile, match="not BibTeX"):
        read_bibtex(content)


def test_an_empty_file_is_empty() -> None:
    assert read_bibtex(b"\n") == ParsedBatch()


HOSTILE = '@misc{a, title={A}} @string{ # " } \\ { } ( ) , = \n @comment and \u0130 \udc80'.split(
    " "
)


@given(st.lists(st.sampled_from(HOSTILE) | st.text(max_size=5), max_size=40))
def test_any_text_is_read_or_refused(parts: list[str]) -> None:
    content = ("@misc{k, title={K}}\n" + "".join(parts)).encode("utf-8", "surrogatepass")
    batch = read_bibtex(content)
    assert titles(batch)[:1] == ["K"]
    for record in batch.records:
        json.dumps([record.title, record.abstract, *record.authors]).encode()
        repaired(record)


@pytest.mark.parametrize(
    "text",
    [
        "@a{b, title={" + "{" * 200_000 + "}" * 200_000 + "}}",
        "@a{b, title=" + "{} # " * 100_000 + "{x}}",
        "@a{b, author={" + "{\\a " * 100_000 + "}" * 100_000 + "}, title={x}}",
        "@a{b, title={" + "{\\ab{" * 50_000 + "}}" * 50_000 + "}}",
        "@a{b, title={" + "{\\ab{" + "{x}" * 100_000 + "}}" + "}}",
        "@a{b, author={family=a" + ", given={a}, x={" * 10_000 + "}" * 10_000 + "}, title={x}}",
        "@a{" * 50_000,
        "\n@a{b, c={" * 20_000,
    ],
)
def test_a_hostile_entry_is_read_or_refused_in_little_time(text: str) -> None:
    start = process_time()
    read(text)
    assert process_time() - start < 10
