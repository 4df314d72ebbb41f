"""Parse arXiv's OAI-PMH records in the formats `arXiv`, `arXivRaw` and `oai_dc`.

A record is listed because something of it changed, so its datestamp announces nothing. A paper is
new when it has no later version and was submitted within the harvest.
"""

import re
from collections.abc import Callable, Mapping
from datetime import date
from types import MappingProxyType

from paperround.feeds.formats.arxiv import arxiv_record, author_names, mail_date
from paperround.feeds.formats.entries import BadEntry, Entry, batch_of, fingerprint
from paperround.feeds.formats.xml import Node
from paperround.feeds.sources.oai_pmh import OaiPage, OaiRecord
from paperround.papers.identifiers import arxiv_id, doi_identifier
from paperround.papers.model import ParsedBatch, Record

_EXCERPT = 1000
_COMMENT = re.compile(r"\s*Comments?:\s*", re.IGNORECASE)
_VERSION = re.compile(r"v(\d{1,4})", re.ASCII)


def arxiv_batch(harvest: OaiPage, since: date) -> ParsedBatch:
    """Return the papers of a page of a harvest that began on `since`."""
    return batch_of(
        harvest.items,
        lambda item: [_deleted(item) if item.deleted else _record(item, since)],
        lambda item: item.text[:_EXCERPT],
    )


def _record(item: OaiRecord, since: date) -> Record:
    metadata = item.metadata
    reader = _READERS.get(metadata.name) if metadata else None
    if metadata is None or reader is None:
        name = metadata.name if metadata else "none"
        raise BadEntry("no-metadata", f"the record holds no metadata of arXiv's: {name!r:.60}")
    entry = {"id": item.identifier, **reader(metadata, item)}
    record = arxiv_record(entry, announces=False)
    is_new = record.updated_at is None and record.published_at is not None
    if is_new and record.published_at and record.published_at.date() >= since:
        return arxiv_record(entry, announces=True)
    return record


def _deleted(item: OaiRecord) -> Record:
    """Return the record of a deleted paper: withdrawn if known, with its texts kept."""
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


def _common_fields(metadata: Node) -> dict[str, object]:
    return {
        "title": metadata.said("title"),
        "abstract": metadata.said("abstract"),
        "categories": (metadata.said("categories") or "").split(),
        "comment": metadata.said("comments"),
        "journal": metadata.said("journal-ref"),
        "doi": metadata.said("doi"),
        "licence": metadata.said("license"),
        **({"id": number} if (number := metadata.said("id")) else {}),
    }


def _read_arxiv(metadata: Node, _: OaiRecord) -> Entry:
    authors = [one for each in metadata.all("authors") for one in each.all("author")]
    parts = ([one.said(part) for part in ("forenames", "keyname", "suffix")] for one in authors)
    return {
        **_common_fields(metadata),
        "authors": [" ".join(" ".join(filter(None, each)).split()) for each in parts],
        "published_at": metadata.said("created"),
        "updated_at": metadata.said("updated"),
    }


def _read_raw(metadata: Node, item: OaiRecord) -> Entry:
    """Read the format with all versions; the newest becomes part of the id, as in the API."""
    shared, versions = _common_fields(metadata), list(metadata.all("version"))
    dates = [text for one in versions if (text := one.said("date"))]
    newest = _VERSION.fullmatch(versions[-1].attributes.get("version", "")) if versions else None
    return {
        **shared,
        "id": f"{shared.get('id', item.identifier)}{newest[0] if newest else ''}",
        "authors": author_names(re.sub(r"\s+and\s+", ", ", metadata.said("authors") or "")),
        "published_at": mail_date(dates[0]) if dates else None,
        "updated_at": mail_date(dates[-1]) if len(versions) > 1 and dates else None,
    }


def _read_dublin_core(metadata: Node, item: OaiRecord) -> Entry:
    """Read Dublin Core: identifiers are addresses, the first date is that of the first version and
    the last that of the latest, and the comment is a second description."""
    identifiers = [one.text.strip() for one in metadata.all("identifier")]
    descriptions = [one.text for one in metadata.all("description")]
    comments = [one for one in descriptions if _COMMENT.match(one)]
    dates = sorted({one.text.strip() for one in metadata.all("date") if one.text.strip()})
    publishers = (one for one in identifiers if (doi := doi_identifier(one)) and doi[0] != "arxiv")
    return {
        "id": next(filter(arxiv_id, identifiers), item.identifier),
        "title": metadata.said("title"),
        "abstract": next((one for one in descriptions if one not in comments), None),
        "authors": [_forename_first(one.text) for one in metadata.all("creator")],
        # Sets name categories: `cs:cs:LG` is cs.LG, `physics:hep-th` is hep-th.
        "categories": [".".join(parts) for one in item.sets if (parts := one.split(":")[1:])],
        "comment": _COMMENT.sub("", comments[0], count=1) if comments else None,
        "doi": next(publishers, None),
        "licence": metadata.said("rights"),
        "published_at": dates[0] if dates else None,
        "updated_at": dates[-1] if len(dates) > 1 else None,
    }


def _forename_first(creator: str) -> str:
    """Return `Lovelace, Ada` as `Ada Lovelace`."""
    keyname, _, forenames = " ".join(creator.split()).partition(", ")
    return f"{forenames} {keyname}".strip()


_READERS: Mapping[str, Callable[[Node, OaiRecord], Entry]] = MappingProxyType(
    {"arXiv": _read_arxiv, "arXivRaw": _read_raw, "dc": _read_dublin_core}
)
