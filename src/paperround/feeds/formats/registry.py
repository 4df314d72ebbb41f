"""Choose the reader of a file by its content or, if that is not clear, by its name."""

import json
import re
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from gzip import BadGzipFile, GzipFile
from io import BytesIO

from paperround.core.errors import UnknownFormat, UnreadableFile
from paperround.core.languages import marked
from paperround.core.plugins import plugins
from paperround.feeds.formats.arxiv import read_arxiv_atom, read_arxiv_feed
from paperround.feeds.formats.bibtex import START as BIBTEX_START
from paperround.feeds.formats.bibtex import read_bibtex
from paperround.feeds.formats.charsets import text_of_bytes, wide_charset
from paperround.feeds.formats.csv import read_csv
from paperround.feeds.formats.feed_items import read_jsonfeed, read_rss
from paperround.feeds.formats.html_page import read_page
from paperround.feeds.formats.hugging_face import read_hf_daily
from paperround.feeds.formats.jsonl import read_jsonl, read_observations
from paperround.feeds.formats.ris import START as RIS_START
from paperround.feeds.formats.ris import read_ris
from paperround.papers.model import ParsedBatch

Reader = Callable[[bytes], ParsedBatch]

AUTO = "auto"


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """A format that a plugin adds: `read` parses a file into records; `recognise` returns whether
    the beginning of a file, without byte order mark and white space, is of this format."""

    read: Reader
    recognise: Callable[[bytes], bool] = lambda _: False


_CORE: Mapping[str, Reader] = {
    "page": read_page,
    "jsonl": read_jsonl,
    "csv": read_csv,
    "observations": read_observations,
    "hf": read_hf_daily,
    "arxiv-rss": read_arxiv_feed,
    "arxiv-atom": read_arxiv_atom,
    "rss": read_rss,
    "jsonfeed": read_jsonfeed,
    "bibtex": read_bibtex,
    "ris": read_ris,
}


def _plugin_reader(name: str) -> Reader:
    """Return the reader of a plugin's format; the plugin is loaded when a file is read."""
    return lambda content: plugins("formats")[name].read(content)


READERS: Mapping[str, Reader] = {
    **_CORE,
    **{name: _plugin_reader(name) for name in plugins("formats") if name not in _CORE},
}
"""The reader of each format by its name."""

MOST_DECODED = 512 * 1024 * 1024
"""Bytes a compressed file may unpack to."""

_ENDINGS = {
    "jsonl": "jsonl",
    "ndjson": "jsonl",
    "csv": "csv",
    "json": "hf",
    "bib": "bibtex",
    "bibtex": "bibtex",
    "ris": "ris",
}
_BOX = b"Get trending papers in your email inbox"
_GZIP = b"\x1f\x8b"
_WEB_PAGES = (b"<!doctype", b"<html")
_PROBED_LINES = 20
_PROBED_BYTES = 1_000_000
XML_HEAD = 3000
JSON_HEAD = 3000
_ANNOUNCEMENTS = (b"rss.arxiv.org", b"announce_type")
_API_ANSWERS = (b"arxiv.org/api/", b"arxiv.org/schemas/atom")
_ROOT = re.compile(rb"(?:<[?!][^>]*>\s*)*<(?:[a-z][\w.-]*:)?([a-z][\w-]*)")
_FEEDS = {b"rss": b"<channel", b"rdf": b"<channel", b"feed": b"www.w3.org/2005/atom"}
"""What the head of a feed must also contain, by the name of its root."""
_JSON_FEED = re.compile(rb'"version"\s*:\s*"https?:\\?/\\?/jsonfeed\.org\\?/version\\?/')


def reader_for(name: str, content: bytes, file_format: str = AUTO) -> tuple[str, Reader]:
    """(format, reader) for a file's decompressed content.

    Raises UnknownFormat when in doubt and UnreadableFile for a web page, whatever its name: an
    error page would be read as a file of broken entries. OPML raises it too: it lists feeds.
    """
    head = _body(content)[:XML_HEAD].lower()
    if head.startswith(_WEB_PAGES):
        raise UnreadableFile(f"{name!r} is a web page, perhaps an error page: fetch the file again")
    if root_of(head) == b"opml":
        raise UnreadableFile(f"{name!r} is a list of feeds (OPML), not of papers: feeds import")
    found = _recognise(name, content) if file_format == AUTO else file_format
    if found is None or found not in READERS:
        raise UnknownFormat(f"{_why_unknown(name, content, file_format)} ({', '.join(READERS)})")
    return found, READERS[found]


def _why_unknown(name: str, content: bytes, file_format: str) -> str:
    if file_format != AUTO:
        return f"there is no format {file_format!r}: use one of these"
    if not content.strip():
        return f"{name!r} is empty; if that is right, give its format"
    return f"the format of {name!r} is not clear: give --format with one of these"


def decompress(content: bytes, limit: int = MOST_DECODED) -> bytes:
    """`content`, unpacked when it is gzip; raises UnreadableFile when broken or above `limit`."""
    if not content.startswith(_GZIP):
        return content
    try:
        with GzipFile(fileobj=BytesIO(content)) as packed:
            unpacked = packed.read(limit + 1)
    except EOFError:
        raise UnreadableFile(marked("the gzip file ends too early: fetch it again")) from None
    except (BadGzipFile, zlib.error) as error:
        message = marked(
            "the gzip file is damaged or has extra data at its end (%(name)s): fetch it again",
            name=error,
        )
        raise UnreadableFile(message) from None
    if len(unpacked) > limit:
        raise UnreadableFile(
            marked("the file unpacks to more than %(all)s bytes: split it", all=limit)
        )
    if unpacked.startswith(_GZIP):
        raise UnreadableFile(marked("the file is compressed twice: decompress it once"))
    return unpacked


def _body(content: bytes) -> bytes:
    return content[:_PROBED_BYTES].removeprefix(b"\xef\xbb\xbf").lstrip()


def _recognise(name: str, content: bytes) -> str | None:
    body = _body(content)
    by_name = _ENDINGS.get(name.lower().removesuffix(".gz").rpartition(".")[2])
    if not body:
        return by_name
    if wide_charset(body):
        return _table_or_bibliography(text_of_bytes(body).encode("utf-8", "replace"))
    if body.startswith(_BOX):
        return "page"
    if body[:1] in b"<[{" and (named := _plugin_format(body) or _xml_kind(body)):
        return named
    if body[:1] in b"[{" or body.strip() == b"1":
        return _json_kind(body, by_name)
    return _table_or_bibliography(body) or (by_name if by_name == "jsonl" else None)


def _table_or_bibliography(body: bytes) -> str | None:
    if b"title" in body.split(b"\n", 1)[0].lower().replace(b'"', b"").strip().split(b","):
        return "csv"
    # Exports begin with an entry, or with some lines about themselves.
    text = body.decode("utf-8", "replace")
    if BIBTEX_START.search(text):
        return "bibtex"
    return "ris" if RIS_START.search(text.replace("\r", "\n")) else None


def _xml_kind(body: bytes) -> str | None:
    """The format of XML, by its root and head: arXiv's feeds name the service that made them.

    Any other feed is `rss`.
    """
    if not body.startswith(b"<"):
        return None
    head = body[:XML_HEAD].lower()
    root = root_of(head)
    if any(word in head for word in _ANNOUNCEMENTS):
        return "arxiv-rss"
    if any(word in head for word in _API_ANSWERS):
        return "arxiv-atom"
    return "rss" if root in _FEEDS and _FEEDS[root] in head else None


def root_of(head: bytes) -> bytes:
    """The name of the root element in the head of an XML file, in lower case; b"" for none."""
    match = _ROOT.match(head)
    return match[1] if match else b""


def _json_kind(body: bytes, by_name: str | None) -> str | None:
    """The format of JSON: a JSON Feed says so, JSON Lines have a whole object per line, and a day
    of Daily Papers is a list, bare or wrapped."""
    if body[:1] == b"{" and _JSON_FEED.search(body):
        return "jsonfeed"
    if body[:1] != b"{":
        return by_name if by_name == "jsonl" else "hf"
    if by_name == "hf" and is_one_object(body):
        return "hf"
    for line in body.split(b"\n", _PROBED_LINES)[:_PROBED_LINES]:
        entry = _object(line)
        if entry is not None:
            return _object_kind(entry)
    is_wrapped = any(key in body[:1000] for key in (b'"data"', b'"error"'))
    return by_name if by_name == "jsonl" else ("hf" if is_wrapped else None)


def _plugin_format(body: bytes) -> str | None:
    return next((name for name, one in plugins("formats").items() if one.recognise(body)), None)


def is_one_object(body: bytes) -> bool:
    """Whether the first object takes all of the file, on one line or on several."""
    first, _, rest = body.partition(b"\n")
    return not rest.strip() or _object(first) is None


def _object(line: bytes) -> dict[str, object] | None:
    try:
        entry = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return entry if isinstance(entry, dict) and entry else None


def _object_kind(entry: dict[str, object]) -> str:
    if "title" in entry:
        return "jsonl"
    if isinstance(entry.get("data"), list) or "error" in entry:
        return "hf"
    return "observations" if "id" in entry and "captured_at" in entry else "jsonl"
