"""What arXiv's OAI-PMH says of a paper, in its formats `arXiv`, `arXivRaw` and `oai_dc`.

A record is there because something of it changed, so its datestamp announces nothing. What tells
is the paper's own date: no later version, and submitted within the harvest.
"""

import re
from collections.abc import Callable, Mapping
from datetime import date
from types import MappingProxyType

from paperround.feeds.formats.entries import BadEntry, Entry, batch_of, fingerprint
from paperround.feeds.formats.xml import Node
from paperround.feeds.sources.arxiv_record import arxiv_record, author_names, mail_date
from paperround.feeds.sources.oai_pmh import OaiPage, OaiRecord
from paperround.papers.identifiers import arxiv_id, doi_identifier
from paperround.papers.model import ParsedBatch, Record

_EXCERPT = 1000
_COMMENT = re.compile(r"\s*Comments?:\s*", re.IGNORECASE)
_VERSION = re.compile(r"v(\d{1,4})", re.ASCII)


def arxiv_batch(harvest: OaiPage, since: date) -> ParsedBatch:
    """The papers of a page of a harvest that began on `since`."""
    return batch_of(
        harvest.items,
        lambda item: [_deleted(item) if item.deleted else _record(item, since)],
        lambda item: item.text[:_EXCERPT],
    )


def _record(item: OaiRecord, since: date) -> Record:
    metadata = item.metadata
    read = _READERS.get(metadata.name) if metadata else None
    if metadata is None or read is None:
        name = metadata.name if metadata else "none"
        raise BadEntry("no-metadata", f"the record holds no metadata of arXiv's: {name!r:.60}")
    entry = {"id": item.identifier, **read(metadata, item)}
    record = arxiv_record(entry, announces=False)
    is_new = record.updated_at is None and record.published_at is not None
    if is_new and record.published_at and record.published_at.date() >= since:
        return arxiv_record(entry, announces=True)
    return record


def _deleted(item: OaiRecord) -> Record:
    """A record that is gone: its paper is withdrawn where it is known, and keeps its texts."""
    found = arxiv_id(item.identifier)
    if found is None:
        raise BadEntry("no-id", "the deleted record has no arXiv id")
    return Record(
        title="",
        identifiers={"arxiv": found[0]},
        withdrawn=True,
        announces=False,
        fingerprint=fingerprint(f"deleted {found[0]} {item.datestamp}".encode("utf-8", "replace")),
    )


def _shared(metadata: Node) -> dict[str, object]:
    return {
        "title": metadata.said("title"),
        "abstract": metadata.said("abstract"),
        "categories": (metadata.said("categories") or "").split(),
        "comment": metadata.said("comments"),
        "journal": metadata.said("journal-ref"),
        "doi": metadata.said("doi"),
        "licence": metadata.said("license"),
        **({"id": said} if (said := metadata.said("id")) else {}),
    }


def _arxiv(metadata: Node, _: OaiRecord) -> Entry:
    return {
        **_shared(metadata),
        "authors": [_name(one) for each in metadata.all("authors") for one in each.all("author")],
        "published_at": metadata.said("created"),
        "updated_at": metadata.said("updated"),
    }


def _name(author: Node) -> str:
    said = (author.said(part) for part in ("forenames", "keyname", "suffix"))
    return " ".join(" ".join(filter(None, said)).split())


def _raw(metadata: Node, item: OaiRecord) -> Entry:
    """The format with all versions; the newest is named in the id, as the API does it."""
    shared, versions = _shared(metadata), list(metadata.all("version"))
    dates = [said for one in versions if (said := one.said("date"))]
    newest = _VERSION.fullmatch(versions[-1].attributes.get("version", "")) if versions else None
    return {
        **shared,
        "id": f"{shared.get('id', item.identifier)}{newest[0] if newest else ''}",
        "authors": author_names(re.sub(r"\s+and\s+", ", ", metadata.said("authors") or "")),
        "published_at": mail_date(dates[0]) if dates else None,
        "updated_at": mail_date(dates[-1]) if len(versions) > 1 and dates else None,
    }


def _dublin_core(metadata: Node, item: OaiRecord) -> Entry:
    """Dublin Core: identifiers are addresses, the first date is of the first version and another
    one of the latest, and the comment is a second description."""
    named = [one.text.strip() for one in metadata.all("identifier")]
    described = [one.text for one in metadata.all("description")]
    comments = [one for one in described if _COMMENT.match(one)]
    dates = sorted({one.text.strip() for one in metadata.all("date") if one.text.strip()})
    publishers = (one for one in named if (doi := doi_identifier(one)) and doi[0] != "arxiv")
    return {
        "id": next(filter(arxiv_id, named), item.identifier),
        "title": metadata.said("title"),
        "abstract": next((one for one in described if one not in comments), None),
        "authors": [_turned(one.text) for one in metadata.all("creator")],
        # Sets stand for categories: `cs:cs:LG` is cs.LG, `physics:hep-th` is hep-th.
        "categories": [".".join(parts) for one in item.sets if (parts := one.split(":")[1:])],
        "comment": _COMMENT.sub("", comments[0], count=1) if comments else None,
        "doi": next(publishers, None),
        "licence": metadata.said("rights"),
        "published_at": dates[0] if dates else None,
        "updated_at": dates[-1] if len(dates) > 1 else None,
    }


def _turned(creator: str) -> str:
    """`Lovelace, Ada` the way a person says it."""
    keyname, _, forenames = " ".join(creator.split()).partition(", ")
    return f"{forenames} {keyname}".strip()


_READERS: Mapping[str, Callable[[Node, OaiRecord], Entry]] = MappingProxyType(
    {"arXiv": _arxiv, "arXivRaw": _raw, "dc": _dublin_core}
)
