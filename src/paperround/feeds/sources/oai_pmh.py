"""Parse OAI-PMH 2.0 responses to ListRecords, with any metadata format.

Errors are elements with a protocol code, sent with status 200. Only `noRecordsMatch` means that
there are no records. A list continues until its token is empty.
"""

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from paperround.core.errors import InvalidInput
from paperround.core.times import parse_instant
from paperround.feeds.formats.xml import EMPTY, Node, read_xml
from paperround.papers.text import clean

MOST_TOKEN = 1000
"""Characters of a resumption token."""

_LONGEST_REASON = 200


class BadToken(InvalidInput):
    """The service rejects its own token, unknown or expired."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OaiRecord:
    """One record: the fields of its header, and its metadata element if any."""

    identifier: str
    datestamp: str
    sets: tuple[str, ...]
    deleted: bool
    metadata: Node | None
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OaiPage:
    """One page of records. `token` requests the next page, empty at the end, until `expires`."""

    items: tuple[OaiRecord, ...] = ()
    token: str = ""
    expires: datetime | None = None


def read_records(content: bytes) -> OaiPage:
    """Return the records. Raises InvalidInput, or BadToken for a rejected token."""
    root = read_xml(content)
    if root.name != "OAI-PMH":
        raise InvalidInput(f"the XML is no answer of OAI-PMH: it begins with {root.name!r:.60}")
    errors = list(root.all("error"))
    for error in errors:
        code = clean(error.attributes.get("code", ""), limit=_LONGEST_REASON) or "without a code"
        if code != "noRecordsMatch":
            reason = clean(error.text, limit=_LONGEST_REASON) or "no reason given"
            kind = BadToken if code == "badResumptionToken" else InvalidInput
            raise kind(f"the OAI-PMH error {code}: {reason}")
    if errors:
        return OaiPage()
    listed = next(root.all("ListRecords"), None)
    if listed is None:
        raise InvalidInput("the answer of OAI-PMH holds neither records nor an error")
    items = tuple(map(_parse_record, listed.all("record")))
    if not items:
        raise InvalidInput("the list of records is empty, and nothing says that none match")
    found = next(listed.all("resumptionToken"), EMPTY)
    token = found.text.strip()
    if not token:
        return OaiPage(items=items)
    if len(token) > MOST_TOKEN or not token.isprintable():
        raise InvalidInput("the resumption token is too long or no plain text")
    expires = None
    with suppress(InvalidInput):  # a token without a readable end is tried
        expires = parse_instant(found.attributes.get("expirationDate", ""))
    return OaiPage(items=items, token=token, expires=expires)


def _parse_record(record: Node) -> OaiRecord:
    header = next(record.all("header"), EMPTY)
    holder = next(record.all("metadata"), None)
    inner = (part for part in holder.content if isinstance(part, Node)) if holder else iter(())
    return OaiRecord(
        identifier=header.said("identifier") or "",
        datestamp=header.said("datestamp") or "",
        sets=tuple(one.text.strip() for one in header.all("setSpec")),
        deleted=header.attributes.get("status") == "deleted",
        metadata=next(inner, None),
        text=record.text,
    )
