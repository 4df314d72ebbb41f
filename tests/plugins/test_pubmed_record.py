"""Articles of PubMed."""

from contextlib import suppress
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperround.core.errors import InvalidInput
from paperround.feeds.formats.registry import READERS, reader_for
from paperround.papers.model import Record, Show
from paperround.papers.text import repair_abstract, repair_title
from paperround.plugins.pubmed.record import read_pubmed
from tests.plugins.pubmed_samples import EXPIRED, article, articles

DOI = '<ArticleId IdType="doi">10.1234/AB.1</ArticleId>'
PMC = '<ArticleId IdType="pmc">PMC123</ArticleId>'


def only(**fields: str) -> Record:
    (record,) = read_pubmed(articles(article(**fields))).records
    return record


@pytest.mark.accept("F05", part="pubmed")
def test_an_article_is_read_with_all_it_says() -> None:
    record = only(
        ids=DOI + PMC,
        abstract='<AbstractText Label="AIM">To study.</AbstractText>'
        '<AbstractText Label="UNLABELLED">And <b>more</b>.</AbstractText>',
    )
    assert replace(record, fingerprint="") == Record(
        title="A study of CO<sub>2</sub>.",
        abstract="AIM: To study.\nAnd more.",
        identifiers={"doi": "10.1234/ab.1", "pmid": "40000001"},
        authors=("Ada K Lovelace",),
        links={"pdf": "https://pmc.ncbi.nlm.nih.gov/articles/PMC123/pdf/"},
        listed_on=date(2026, 1, 27),
        published_at=datetime(2026, 2, 3, tzinfo=UTC),
        version=1,
        comment="Journal reference: J Tests",
        show=Show.LINK,
    )


def test_an_article_that_says_little_is_a_paper() -> None:
    bare = (
        "<PubmedArticle><MedlineCitation><PMID>7</PMID><Article>"
        "<ArticleTitle>Short</ArticleTitle></Article></MedlineCitation></PubmedArticle>"
    )
    (record,) = read_pubmed(articles(bare)).records
    assert (record.title, record.identifiers, record.version) == ("Short", {"pmid": "7"}, 1)
    assert (record.abstract, record.authors, record.listed_on) == ("", (), None)


@pytest.mark.accept("F07", part="pubmed identifiers")
@pytest.mark.parametrize(
    ("ids", "more", "known"),
    [
        ("", '<ELocationID EIdType="doi" ValidYN="Y">10.1/x</ELocationID>', {}),
        ("", '<ELocationID EIdType="doi" ValidYN="Y">10.1234/X</ELocationID>', "10.1234/x"),
        ("", '<ELocationID EIdType="doi" ValidYN="N">10.1234/x</ELocationID>', {}),
        ("", '<ELocationID EIdType="pii">10.1234/x</ELocationID>', {}),
        (DOI, '<ELocationID EIdType="doi">10.1234/other</ELocationID>', "10.1234/ab.1"),
        (f'<ArticleId IdType="doi">10.1234/{"9" * 600}</ArticleId>', "", {}),
    ],
)
def test_a_doi_is_taken_where_it_is_stated_and_never_from_a_reference(
    ids: str, more: str, known: object
) -> None:
    stated = {"doi": known} if known else {}
    assert only(ids=ids, more=more).identifiers == {**stated, "pmid": "40000001"}


def test_a_preprint_is_the_preprint_that_its_server_has() -> None:
    ids = '<ArticleId IdType="doi">10.1101/2026.01.27.000001</ArticleId>'
    assert only(ids=ids).identifiers["biorxiv"] == "10.1101/2026.01.27.000001"


@pytest.mark.parametrize(
    ("title", "read"),
    [
        ("[A translated title].", "A translated title."),
        ("[A translated title.]", "A translated title."),
        ("[Is it?].", "Is it?"),
        ("[[18F]-glucose in use].", "[18F]-glucose in use."),
        ("[18F]-glucose and [11C]", "[18F]-glucose and [11C]"),
        ("A study [letter].", "A study [letter]."),
        (
            " Two\n lines, H<sub>2</sub>O &amp; <i>E. coli</i>",
            "Two lines, H<sub>2</sub>O & E. coli",
        ),
    ],
)
def test_a_title_is_text_and_a_translated_one_has_no_brackets(title: str, read: str) -> None:
    assert only(title=title).title == read


@pytest.mark.accept("F05", part="pubmed formulas")
@pytest.mark.parametrize(
    ("written", "read"),
    [
        (
            "10<sup>6</sup> cells at 2 × 10<sup>-3</sup> M of Ca<sup>2+</sup>",
            "10⁶ cells at 2 × 10⁻³ M of Ca^(2+)",
        ),
        ("<i>n</i><sub>e</sub> &lt; 5 &amp; more", "n_e < 5 & more"),
        (
            (
                'at <mml:math xmlns:mml="http://www.w3.org/1998/Math/MathML"><mml:mfrac><mml:mn>1'
                "</mml:mn><mml:mn>2</mml:mn></mml:mfrac></mml:math> of it"
            ),
            "at 1/2 of it",
        ),
    ],
)
def test_powers_charges_and_fractions_stay_readable(written: str, read: str) -> None:
    record = only(title=written, abstract=f"<AbstractText>{written}</AbstractText>")
    assert repair_title(record.title) == repair_abstract(record.abstract) == read


@pytest.mark.parametrize("title", ["", "[Not Available]."])
def test_without_an_english_title_the_original_stands(title: str) -> None:
    more = "<VernacularTitle>Eine Studie.</VernacularTitle>"
    assert only(title=title, more=more).title == "Eine Studie."


def test_people_and_groups_are_authors_and_corrected_spellings_are_not() -> None:
    authors = (
        '<Author ValidYN="Y"><LastName>King</LastName><ForeName>Noel</ForeName>'
        "<Suffix>Jr</Suffix></Author><Author><LastName>Turing</LastName><Initials>A</Initials>"
        "</Author><Author><CollectiveName>The  Study\nGroup</CollectiveName></Author>"
        '<Author ValidYN="N"><LastName>Tuning</LastName></Author><Author/>'
    )
    assert only(authors=authors).authors == ("Noel King Jr", "A Turing", "The Study Group")


def test_keywords_come_before_subjects_and_each_once() -> None:
    lists = (
        "<KeywordList><Keyword>lung</Keyword></KeywordList>"
        "<KeywordList><Keyword>air</Keyword></KeywordList><MeshHeadingList><MeshHeading>"
        "<DescriptorName>Lung</DescriptorName><QualifierName>x</QualifierName></MeshHeading>"
        "<MeshHeading><DescriptorName>Humans</DescriptorName></MeshHeading></MeshHeadingList>"
        "</MedlineCitation>"
    )
    entry = article().replace("</MedlineCitation>", lists)
    (record,) = read_pubmed(articles(entry)).records
    assert record.keywords == ("lung", "air", "Humans")


@pytest.mark.accept("F05", part="pubmed dates")
@pytest.mark.parametrize(
    ("issue", "day"),
    [
        ("<Year>2026</Year><Month>Feb</Month><Day>3</Day>", date(2026, 2, 3)),
        ("<Year>2026</Year><Month>02</Month>", date(2026, 2, 1)),
        ("<Year>1976</Year><Season>Spring</Season>", date(1976, 1, 1)),
        ("<MedlineDate>1998 Dec-1999 Jan</MedlineDate>", date(1998, 12, 1)),
        ("<MedlineDate>2025 Nov-Dec</MedlineDate>", date(2025, 11, 1)),
        ("<MedlineDate>2025 Dec 24-31</MedlineDate>", date(2025, 12, 24)),
        ("<MedlineDate>1999-2000</MedlineDate>", date(1999, 1, 1)),
        ("<MedlineDate>1999-2000 Winter</MedlineDate>", date(1999, 1, 1)),
        ("<MedlineDate>Spring 2025</MedlineDate>", date(2025, 1, 1)),
        ("<MedlineDate>in press</MedlineDate>", None),
        ("<Year>2026</Year><Month>13</Month>", date(2026, 1, 1)),
        ("<Year>2026</Year><Month>2</Month><Day>30</Day>", date(2026, 2, 1)),
        ("<Year>soon</Year>", None),
        ("<Year>0000</Year>", None),
        ("<Year>9999</Year>", None),
        ("", None),
    ],
)
def test_a_date_is_the_first_day_of_what_is_stated(issue: str, day: date | None) -> None:
    published = only(issue=issue).published_at
    assert (published.date() if published else None) == day


def test_when_it_appeared_online_stands_before_its_issue() -> None:
    more = "<ArticleDate><Year>2026</Year><Month>01</Month><Day>26</Day></ArticleDate>"
    assert only(more=more).published_at == datetime(2026, 1, 26, tzinfo=UTC)


@pytest.mark.accept("F51", part="pubmed licences")
@pytest.mark.parametrize(
    ("stated", "licence"),
    [
        ("© 2026 The Authors.", None),
        ("Copyright 2026 Some Publisher. All rights reserved.", None),
        (
            "© 2026. Open access (http://creativecommons.org/licenses/by-nc/4.0/).",
            "http://creativecommons.org/licenses/by-nc/4.0/",
        ),
        ("This is an open access article under the CC BY-NC-ND license.", "CC BY-NC-ND"),
        ("Not under CC BYE.", None),
        ("Not licensed under CC BY.", None),
        ("Published under exclusive license; preprint was CC BY", None),
        ("Published under exclusive license; CC BY preprint", None),
        ("This article may be shared under CC BY if the authors agree.", None),
        ("The data are available under CC0. © 2026 The Authors.", None),
        ("The accepted manuscript is free under CC BY-NC.", None),
        ("Published under CC BY, which does not apply to the abstract.", None),
        ("© 2026. Published under CC BY. All rights reserved.", None),
        ("See http://creativecommons.org/licenses/by/4.0/ for what that is.", None),
        ("CC BY 4.0.", "CC BY"),
        ("Published under CC BY, and you must indicate if changes were made.", "CC BY"),
        ("© 2026 The Authors; exclusive licensee AAAS. Distributed under CC BY-NC.", "CC BY-NC"),
        ("Re-use permitted under CC BY-NC. No commercial re-use.", "CC BY-NC"),
        (
            (
                "This article is under http://creativecommons.org/licenses/by/4.0/. The waiver "
                "(http://creativecommons.org/publicdomain/zero/1.0/) applies to the data."
            ),
            "http://creativecommons.org/licenses/by/4.0/",
        ),
    ],
)
def test_only_an_open_licence_lets_an_abstract_be_shown(stated: str, licence: str | None) -> None:
    notice = f"<CopyrightInformation>{stated}</CopyrightInformation>"
    record = only(abstract=f"<AbstractText>We study.</AbstractText>{notice}")
    assert (record.licence, record.show) == (licence, Show.FULL if licence else Show.LINK)
    assert record.abstract == "We study."  # ranking reads it in any case


@pytest.mark.accept("F07", part="pubmed versions")
def test_a_later_version_updates_a_paper_and_announces_nothing() -> None:
    batch = read_pubmed(articles(article(), article(version="2")))
    assert [(one.version, one.announces) for one in batch.records] == [(1, True), (2, False)]
    assert len({one.identifiers["pmid"] for one in batch.records}) == 1


RETRACTED = (
    '<PublicationTypeList><PublicationType UI="D016441">Retracted Publication</PublicationType>'
    "</PublicationTypeList>"
)


def comment(how: str, pmid: str = "39000007") -> str:
    named = f'<PMID Version="1">{pmid}</PMID>'
    return f'<CommentsCorrections RefType="{how}">{named}</CommentsCorrections>'


@pytest.mark.accept("F07", part="pubmed withdrawals")
@pytest.mark.parametrize(
    ("more", "corrections", "withdrawn"),
    [
        (RETRACTED, "", True),
        ("", comment("RetractionIn"), True),
        ("", comment("Cites") + comment("ErratumIn") + comment("UpdateIn"), False),
    ],
)
def test_a_retracted_article_is_withdrawn_in_all_its_versions(
    more: str, corrections: str, withdrawn: bool
) -> None:
    record = only(more=more, corrections=corrections)
    assert (record.withdrawn, record.version) == (withdrawn, None if withdrawn else 1)


@pytest.mark.accept("F07", part="pubmed withdrawals")
def test_a_notice_of_retraction_withdraws_the_article_it_names() -> None:
    corrections = comment("RetractionOf") + comment("RetractionOf", "unknown") + comment("Cites")
    notice, gone = read_pubmed(articles(article(corrections=corrections))).records
    assert (notice.identifiers, notice.withdrawn) == ({"pmid": "40000001"}, False)
    assert (gone.identifiers, gone.title) == ({"pmid": "39000007"}, "")
    assert (gone.withdrawn, gone.announces) == (True, False)


def of_type(number: str, name: str) -> str:
    kind = f'<PublicationType UI="{number}">{name}</PublicationType>'
    article_too = '<PublicationType UI="D016428">Journal Article</PublicationType>'
    return f"<PublicationTypeList>{article_too}{kind}</PublicationTypeList>"


@pytest.mark.accept("F05", part="pubmed notices")
@pytest.mark.parametrize(
    "kind",
    [
        of_type("D016440", "Retraction of Publication"),
        of_type("D016425", "Published Erratum"),
        of_type("D000099999", "Expression of Concern"),
    ],
)
def test_a_notice_of_another_article_is_no_paper(kind: str) -> None:
    retraction = article("2", more=kind, corrections=comment("RetractionOf"))
    batch = read_pubmed(articles(article("1", more=kind), retraction, article("3")))
    assert [(one.identifiers["pmid"], one.withdrawn) for one in batch.records] == [
        ("39000007", True),
        ("3", False),
    ]
    assert [(one.reason, one.position) for one in batch.rejects] == [("other-kind", 1)]


@pytest.mark.accept("F07", part="pubmed withdrawals")
def test_deleted_articles_are_withdrawn_and_say_nothing_else() -> None:
    deleted = "<DeleteCitation><PMID>5</PMID><PMID>none</PMID><PMID>6</PMID></DeleteCitation>"
    batch = read_pubmed(articles(article(), deleted))
    gone = batch.records[1:]
    assert [one.identifiers["pmid"] for one in gone] == ["5", "6"]
    assert all(one.withdrawn and not one.announces and not one.title for one in gone)
    assert [(one.reason, one.position) for one in batch.rejects] == [("no-id", 3)]


@pytest.mark.accept("I6", part="pubmed")
@pytest.mark.parametrize(
    ("bad", "why"),
    [
        (article("PMC1"), "no-id"),
        (article(""), "no-id"),
        (article("1" * 40), "no-id"),
        (article(title=" "), "no-title"),
        (article(version="two"), "bad-version"),
        ("<PubmedArticle/>", "no-title"),
        ("<PubmedBookArticle/>", "a-book"),
        ("<Advert/>", "not-a-paper"),
    ],
)
def test_one_bad_entry_costs_one_article(bad: str, why: str) -> None:
    batch = read_pubmed(articles(article("1"), bad, article("2")))
    assert [one.identifiers["pmid"] for one in batch.records] == ["1", "2"]
    assert [(one.reason, one.position) for one in batch.rejects] == [(why, 2)]


@pytest.mark.accept("F05", part="pubmed errors")
@pytest.mark.parametrize(
    ("content", "said"),
    [
        (EXPIRED, "PubMed returned an error: 'Unable to obtain query #1'"),
        (articles("<ERROR>Empty result</ERROR>"), "'Empty result'"),
        (b"<html><head/></html>", "'html' and no PubmedArticleSet"),
        (b"<pmc-articleset/>", "'pmc-articleset' and no PubmedArticleSet"),
        (b'{"error": "API rate limit exceeded"}', "cannot be read"),
        (b"", "cannot be read"),
        (articles(article())[:-40], "cannot be read"),
    ],
)
def test_an_error_is_never_a_set_without_articles(content: bytes, said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        read_pubmed(content)


@pytest.mark.accept("I5", part="pubmed document types")
@pytest.mark.parametrize(
    "head",
    [
        '<!DOCTYPE PubmedArticleSet [<!ENTITY x "ha">]>',
        '<!DOCTYPE PubmedArticleSet SYSTEM "p.dtd" [<!ENTITY x SYSTEM "file:///etc/hosts">]>',
        '<!DOCTYPE PubmedArticleSet SYSTEM "p.dtd"><!DOCTYPE a [<!ENTITY x "ha">]>',
        '<!-- x --><!DOCTYPE PubmedArticleSet SYSTEM "p.dtd">',
    ],
)
def test_a_document_type_with_declarations_of_its_own_is_refused(head: str) -> None:
    content = f"{head}<PubmedArticleSet>{article(title='&x;')}</PubmedArticleSet>".encode()
    with pytest.raises(InvalidInput, match=r"document type|cannot be read"):
        read_pubmed(content)


@pytest.mark.accept("F06", part="pubmed files")
def test_a_set_is_known_by_its_head_whatever_its_name() -> None:
    for name in ("pubmed.xml", "day", "day.jsonl"):
        assert reader_for(name, articles(article())) == ("pubmed", READERS["pubmed"])


RECORDED = {
    "pubmed-29768149.xml": 1,
    "pubmed1.xml": 2,
    "pubmed2.xml": 2,
    "pubmed4.xml": 1,
    "pubmed5.xml": 1,
    "pubmed6.xml": 1,
    "pubmed7.xml": 1,
}
"""The sets of articles; the other files are answers of other utilities, and an error page."""


@pytest.mark.accept("F05", part="pubmed")
def test_recorded_answers_are_sets_of_articles_or_refused(real_data: Path) -> None:
    paths = sorted((real_data / "raw_responses" / "pubmed").iterdir())
    assert len(paths) == 13
    for path in paths:
        if path.name not in RECORDED:
            with pytest.raises(InvalidInput, match="no PubmedArticleSet"):
                read_pubmed(path.read_bytes())
            continue
        assert reader_for(path.name, path.read_bytes())[0] == "pubmed"
        batch = read_pubmed(path.read_bytes())
        assert (len(batch.records), batch.rejects) == (RECORDED[path.name], ())


@pytest.mark.accept("F05", part="pubmed")
def test_recorded_articles_say_what_their_pages_say(real_data: Path) -> None:
    folder = real_data / "raw_responses" / "pubmed"
    records = [
        one for name in RECORDED for one in read_pubmed((folder / name).read_bytes()).records
    ]
    known = {one.identifiers["pmid"]: one for one in records}
    assert sum("doi" in one.identifiers for one in records) == 8
    assert sum("pdf" in one.links for one in records) == 4
    assert known["27797938"].listed_on == date(2016, 11, 1)
    assert known["27797938"].published_at == datetime(2016, 10, 21, tzinfo=UTC)
    assert "TERT gene region" in known["27797938"].title
    assert [line.partition(":")[0] for line in known["27797938"].abstract.splitlines()] == [
        "OBJECTIVE",
        "DESIGN",
        "RESULTS",
        "CONCLUSIONS",
    ]
    assert known["9997"].listed_on is not None
    assert known["9997"].listed_on.year == 1976


GOOD = articles(article(corrections=comment("RetractionOf")), article(version="2"))


@pytest.mark.accept("F05", part="pubmed hostile")
@given(at=st.integers(0, len(GOOD)), cut=st.integers(0, 40), put=st.binary(max_size=12))
def test_a_mutated_answer_is_read_or_refused(at: int, cut: int, put: bytes) -> None:
    with suppress(InvalidInput):
        for record in read_pubmed(GOOD[:at] + put + GOOD[at + cut :]).records:
            repr(record).encode()
