"""Small answers of E-utilities, written by hand. The articles are invented.

esearch in JSON, its errors, deleted citations, retractions, books and the rarer spellings of dates
follow NCBI's documentation and the document type of PubMed: no recorded answer holds them.
"""

import json

HEAD = (
    '<?xml version="1.0" ?>\n<!DOCTYPE PubmedArticleSet PUBLIC '
    '"-//NLM//DTD PubMedArticle, 1st January 2025//EN" '
    '"https://dtd.nlm.nih.gov/ncbi/pubmed/out/pubmed_250101.dtd">\n'
)
ISSUE = "<Year>2026</Year><Month>Feb</Month><Day>3</Day>"


def article(
    pmid: str = "40000001",
    *,
    version: str = "1",
    title: str = "A <i>study</i> of CO<sub>2</sub>.",
    abstract: str = "<AbstractText>We study.</AbstractText>",
    authors: str = "<Author><LastName>Lovelace</LastName><ForeName>Ada K</ForeName></Author>",
    issue: str = ISSUE,
    more: str = "",
    corrections: str = "",
    ids: str = "",
    entered: str = "<Year>2026</Year><Month>1</Month><Day>27</Day>",
) -> str:
    """One article; `more` is further XML in its `Article`."""
    return (
        f'<PubmedArticle><MedlineCitation><PMID Version="{version}">{pmid}</PMID>'
        f"<Article><Journal><JournalIssue><PubDate>{issue}</PubDate></JournalIssue>"
        "<Title>Journal of Tests</Title><ISOAbbreviation>J Tests</ISOAbbreviation></Journal>"
        f"<ArticleTitle>{title}</ArticleTitle><Abstract>{abstract}</Abstract>"
        f"<AuthorList>{authors}</AuthorList>{more}</Article>"
        f"<CommentsCorrectionsList>{corrections}</CommentsCorrectionsList></MedlineCitation>"
        f'<PubmedData><History><PubMedPubDate PubStatus="received"><Year>2025</Year>'
        f'</PubMedPubDate><PubMedPubDate PubStatus="entrez">{entered}</PubMedPubDate></History>'
        f"<ArticleIdList>{ids}</ArticleIdList><ReferenceList><Reference><ArticleIdList>"
        '<ArticleId IdType="doi">10.9999/somebody.elses</ArticleId></ArticleIdList></Reference>'
        "</ReferenceList></PubmedData></PubmedArticle>"
    )


def articles(*entries: str) -> bytes:
    """A set as efetch answers it, with its document type."""
    return f"{HEAD}<PubmedArticleSet>{''.join(entries)}</PubmedArticleSet>".encode()


def found(count: object = "3", **fields: object) -> bytes:
    """An answer of esearch; `fields` take the place of those it has."""
    result = {
        "count": count,
        "retmax": "0",
        "retstart": "0",
        "querykey": "1",
        "webenv": "MCID_1",
        "idlist": [],
        "translationset": [],
        "querytranslation": "asthma[All Fields]",
        **fields,
    }
    kept = {key: value for key, value in result.items() if value is not None}
    return json.dumps({"header": {"type": "esearch"}, "esearchresult": kept}).encode()


EXPIRED = (
    b'<?xml version="1.0" ?>\n<!DOCTYPE eEfetchResult PUBLIC "-//NLM//DTD efetch 20131226//EN" '
    b'"https://eutils.ncbi.nlm.nih.gov/eutils/dtd/20131226/efetch.dtd">\n'
    b"<eFetchResult><ERROR>Unable to obtain query #1</ERROR></eFetchResult>"
)
