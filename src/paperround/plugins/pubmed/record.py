"""Parse PubMed articles as in efetch and the yearly files: a `PubmedArticleSet`.

A title is text with markup, in brackets if it was translated; sub- and superscripts and formulas
stay readable. An abstract may have labelled sections. A retracted article is marked by its type. A
retraction notice names the article it retracts; it is not a paper itself, and neither is a
correction. A deleted article is a number without texts.
"""

import re
from collections.abc import Iterator
from datetime import date
from itertools import accumulate

from paperround.core.errors import InvalidInput
from paperround.core.times import midnight_utc
from paperround.feeds.formats.dates import period_of
from paperround.feeds.formats.entries import (
    BadEntry,
    batch_of,
    doi_of,
    fingerprint,
    title_of,
    with_fingerprint,
)
from paperround.feeds.formats.registry import XML_HEAD, Format, root_of
from paperround.feeds.formats.xml import EMPTY, Node, read_xml
from paperround.papers.model import ParsedBatch, Record, Show
from paperround.papers.text import clean
from paperround.plugins.catalogues import OTHER_KIND
from paperround.plugins.jats import text_in

_DOCTYPE = re.compile(
    rb"""((?:\xef\xbb\xbf)?\s*(?:<\?xml[^<>]{0,200}\?>\s*)?)<!DOCTYPE\s+[A-Za-z][\w-]{0,60}"""
    rb"""\s+(?:SYSTEM|PUBLIC\s+(?:"[^"'<>\[\]]{0,200}"|'[^"'<>\[\]]{0,200}'))"""
    rb"""\s+(?:"[^"'<>\[\]]{0,300}"|'[^"'<>\[\]]{0,300}')\s*>""",
    re.ASCII,
)
_SET = "PubmedArticleSet"
_SAID = 200
_RETRACTED = "D016441"
"""The MeSH number of the publication type Retracted Publication."""
_NOTICES = frozenset({"D016440", "D016425"})
"""The MeSH numbers of Retraction of Publication (or Notice) and of Published Erratum."""
_CONCERN = "expression of concern"

_PMID = re.compile(r"[1-9]\d{0,9}", re.ASCII)
_PMC = re.compile(r"PMC[1-9]\d{0,10}", re.ASCII)
_VERSION = re.compile(r"[1-9]\d{0,3}", re.ASCII)
_BRACKETED = re.compile(r"\[(.*)\](\.?)")
_UNLABELLED = frozenset({"", "UNLABELLED"})


def read_pubmed(content: bytes) -> ParsedBatch:
    """The articles of a set; raises InvalidInput for an error and for any other content."""
    root = read_xml(without_doctype(content))
    if (error := root.said("ERROR")) is not None:
        raise InvalidInput(f"PubMed returned an error: {clean(error, limit=_SAID)!r}")
    if root.name != _SET:
        raise InvalidInput(
            f"the XML is {root.name!r:.60} and no {_SET}, as efetch answers it for db=pubmed"
        )
    return batch_of(_entries(root), _read, lambda entry: entry.text)


def without_doctype(content: bytes) -> bytes:
    """Remove a leading document type that only names an external file, which is never read.

    One with declarations (`[...]`), elsewhere, or a second one stays, for `read_xml` to refuse.
    """
    match = _DOCTYPE.match(content)
    return match[1] + content[match.end() :] if match else content


def _entries(root: Node) -> Iterator[Node]:
    """The articles, and the numbers of those that were deleted."""
    for part in root.content:
        if isinstance(part, Node):
            yield from part.all("PMID") if part.name == "DeleteCitation" else (part,)


def _read(entry: Node) -> list[Record]:
    """The records of one entry: an article and those it retracts, or a deleted one."""
    if entry.name == "PMID":
        return [_withdrawn(_pmid(entry), "deleted")]
    if entry.name == "PubmedArticle":
        citation = _at(entry, "MedlineCitation")
        comments = list(_at(citation, "CommentsCorrectionsList").all("CommentsCorrections"))
        named = (one.said("PMID") or "" for one in comments if _refers(one, "RetractionOf"))
        retracted = [_withdrawn(one, "retracted") for one in named if _PMID.fullmatch(one)]
        # A notice is only about another article: a retraction, an erratum, a concern.
        if not any(
            one.attributes.get("UI") in _NOTICES or _line(one).casefold() == _CONCERN
            for one in _types(citation)
        ):
            return [_record(citation, _at(entry, "PubmedData")), *retracted]
        if retracted:
            return retracted
        raise BadEntry(OTHER_KIND, "a correction or other notice of an article is not a paper")
    if entry.name == "PubmedBookArticle":
        raise BadEntry("a-book", "the entry is a book or a chapter of one")
    raise BadEntry("not-a-paper", f"the entry is not an article: {entry.name!r:.60}")


def _record(citation: Node, data: Node) -> Record:
    article = _at(citation, "Article")
    pmid = _at(citation, "PMID")
    stated = pmid.attributes.get("Version", "1")
    if not _VERSION.fullmatch(stated):
        raise BadEntry("bad-version", f"the version must be a number from 1, not {stated!r:.40}")
    licence = granted(_at(article, "Abstract", "CopyrightInformation").text)
    issue = _at(article, "Journal", "JournalIssue", "PubDate")
    published = first_day(_at(article, "ArticleDate")) or first_day(issue)
    comments = _at(citation, "CommentsCorrectionsList").all("CommentsCorrections")
    withdrawn = any(one.attributes.get("UI") == _RETRACTED for one in _types(citation)) or any(
        _refers(one, "RetractionIn") for one in comments
    )
    journal = _at(article, "Journal")
    appeared = journal.said("ISOAbbreviation") or journal.said("Title")
    history = _at(data, "History").all("PubMedPubDate")
    entered = (one for one in history if one.attributes.get("PubStatus") == "entrez")
    authors = _at(article, "AuthorList").all("Author")
    named = (_name(one) for one in authors if one.attributes.get("ValidYN") != "N")
    sections = map(_section, _at(article, "Abstract").all("AbstractText"))
    record = Record(
        title=_title(article),
        abstract="\n".join(filter(None, sections)),
        identifiers={**_doi(article, data), "pmid": _pmid(pmid)},
        authors=tuple(filter(None, named)),
        keywords=_keywords(citation),
        links=_links(data),
        # It counts as listed on the day PubMed received it.
        listed_on=first_day(next(entered, EMPTY)),
        published_at=midnight_utc(published) if published else None,
        version=None if withdrawn else int(stated),  # a retraction applies to all versions
        withdrawn=withdrawn,
        comment=f"Journal reference: {' '.join(appeared.split())}" if appeared else None,
        licence=licence,
        show=Show.FULL if licence else Show.LINK,
        announces=int(stated) == 1,
    )
    return with_fingerprint(record)


def _withdrawn(pmid: str, why: str) -> Record:
    """The record of an article that is gone: withdrawn if we have it, with its texts kept."""
    return Record(
        title="",
        identifiers={"pmid": pmid},
        withdrawn=True,
        announces=False,
        fingerprint=fingerprint(f"{why} {pmid}".encode()),
    )


def _types(citation: Node) -> Iterator[Node]:
    return _at(citation, "Article", "PublicationTypeList").all("PublicationType")


def _refers(comment: Node, how: str) -> bool:
    return comment.attributes.get("RefType") == how


def _at(node: Node, *names: str) -> Node:
    """The first element at a path of names; an empty one if there is none."""
    for name in names:
        node = next(node.all(name), EMPTY)
    return node


def _line(node: Node) -> str:
    return " ".join(node.text.split())


def _pmid(node: Node) -> str:
    number = node.text.strip()
    if not _PMID.fullmatch(number):
        raise BadEntry("no-id", "the article has no PMID")
    return number


def _doi(article: Node, data: Node) -> dict[str, str]:
    """The DOI, as the publisher or as the article itself states it."""
    stated = [one.text for one in _named_ids(data, "doi")]
    stated += [
        one.text
        for one in article.all("ELocationID")
        if one.attributes.get("EIdType") == "doi" and one.attributes.get("ValidYN") != "N"
    ]
    return dict([first]) if (first := next(filter(None, map(doi_of, stated)), None)) else {}


def _named_ids(data: Node, kind: str) -> Iterator[Node]:
    listed = _at(data, "ArticleIdList").all("ArticleId")
    return (one for one in listed if one.attributes.get("IdType") == kind)


def _links(data: Node) -> dict[str, str]:
    """The free copy in PubMed Central, if there is one."""
    named = (one.text.strip() for one in _named_ids(data, "pmc"))
    pmc = next(filter(_PMC.fullmatch, named), None)
    return {"pdf": f"https://pmc.ncbi.nlm.nih.gov/articles/{pmc}/pdf/"} if pmc else {}


def _title(article: Node) -> str:
    """The title; a translated one without its brackets, the original if there is no other."""
    title = text_in(_at(article, "ArticleTitle"))
    match = _BRACKETED.fullmatch(title)
    # Brackets around a title belong together, but not in `[18F]-glucose and [11C]`.
    signs = (1 if sign == "[" else -1 for sign in match[1] if sign in "[]") if match else ()
    depths = list(accumulate(signs, initial=0))
    if match and min(depths) == 0 == depths[-1]:
        inner = match[1].strip()
        title = inner if inner.endswith((".", "?", "!")) else f"{inner}{match[2]}"
    if not title or title.casefold().startswith("not available"):
        title = text_in(_at(article, "VernacularTitle"))
    return title_of({"title": title})


def _section(text: Node) -> str:
    """`METHODS: what was done`; a section without a label, or without a text, as it is."""
    label, said = text.attributes.get("Label", "").strip(), text_in(text)
    return said if label.upper() in _UNLABELLED or not said else f"{label}: {said}"


def _name(author: Node) -> str:
    parts = (
        author.said("ForeName") or author.said("Initials"),
        author.said("LastName"),
        author.said("Suffix"),
    )
    own = " ".join(" ".join(filter(None, parts)).split())
    return own or _line(_at(author, "CollectiveName"))


def _keywords(citation: Node) -> tuple[str, ...]:
    """The authors' keywords, then the subjects of MeSH, each once."""
    listed = [one for each in citation.all("KeywordList") for one in each.all("Keyword")]
    headings = _at(citation, "MeshHeadingList").all("MeshHeading")
    listed += [_at(one, "DescriptorName") for one in headings]
    words: dict[str, str] = {}
    for word in filter(None, map(_line, listed)):
        words.setdefault(word.casefold(), word)
    return tuple(words.values())


_MOST = 5000
_NAMED = re.compile(
    r"https?://creativecommons\.org/(?:licenses/by(?:-nc)?(?:-nd|-sa)?|publicdomain/zero)/\d\.\d/?"
    r"|\bCC[ -]BY(?:-NC)?(?:-ND|-SA)?\b(?![ -]?(?:NC|ND|SA))|\bCC0\b",
    re.IGNORECASE,
)
_SENTENCE_END = re.compile(r";\s+|[.!?]\s+(?=[\"'(\[©]*[A-Z])")
_GRANT = re.compile(r"\b(?:under|open[ -]access|licen[cs]ed?|published|free)\b", re.IGNORECASE)
_BARE = re.compile(r"[\W\d_]*(?:creative commons[\W_]*)?", re.IGNORECASE)
_OTHER = re.compile(
    r"\b(?:not|no|nor|never|neither|without|exclusive|except|unless|if|preprint|pre-print"
    r"|manuscript|data|datasets?|code|software|figures?|images?|supplement\w*|appendix"
    r"|previous\w*|earlier|waiver)\b",
    re.IGNORECASE,
)
"""Words before a licence that deny it, or make it the licence of something else."""
_LATER = re.compile(
    r"\b(?:not apply|embargo|from \d|after \d|applies to|preprint|manuscript|(?<!indicate )if)\b",
    re.IGNORECASE,
)
"""Words after a licence that restrict it; `indicate if changes were made` is one of its own
terms."""
_RESERVED = re.compile(r"\ball rights reserved\b", re.IGNORECASE)


def granted(line: str) -> str | None:
    """The first Creative Commons licence that a sentence of the line grants, None in any doubt.

    `Published under exclusive license; preprint was CC BY` grants none: showing too little is a
    smaller mistake than showing a text without a licence.
    """
    line = " ".join(line[:_MOST].split())
    if _RESERVED.search(line):
        return None
    for sentence in _SENTENCE_END.split(line):
        for match in _NAMED.finditer(sentence):
            before, after = sentence[: match.start()], sentence[match.end() :]
            says_so = _GRANT.search(before) or _BARE.fullmatch(before)
            if says_so and not _OTHER.search(before) and not _LATER.search(after):
                return match[0]
    return None


def first_day(stated: Node) -> date | None:
    """The first day of a stated date: for `1998 Dec-1999 Jan` 1 December 1998. None if nothing is
    stated."""
    parts = (stated.said(name) for name in ("Year", "Month", "Day", "MedlineDate"))
    period = period_of(" ".join(filter(None, parts)))
    return period.first if period else None


FORMAT = Format(
    read=read_pubmed,
    recognise=lambda body: root_of(body[:XML_HEAD].lower()) == b"pubmedarticleset",
)
"""The format `pubmed`: a saved response."""
