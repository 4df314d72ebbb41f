"""A file finds its reader."""

import gzip
import json
from pathlib import Path
from time import process_time

import pytest

from paperround.core.errors import UnknownFormat, UnreadableFile
from paperround.feeds.formats.registry import READERS, decompress, reader_for

PAPER = json.dumps({"id": "2601.00001", "title": "T"}).encode()
COUNTS = json.dumps({"id": "2601.00001", "captured_at": "2026-01-30", "upvotes": 1}).encode()


@pytest.mark.accept("F06", part="formats")
@pytest.mark.parametrize(
    ("name", "content", "found"),
    [
        ("p.jsonl", PAPER, "jsonl"),
        ("data", PAPER + b"\n" + PAPER, "jsonl"),
        ("p.jsonl.gz", b"{broken\n" + PAPER, "jsonl"),
        ("p.jsonl", b"", "jsonl"),
        ("p.jsonl", b"[1]\n" + PAPER, "jsonl"),
        ("p.jsonl", COUNTS, "observations"),
        ("page.txt", b"Get trending papers in your email inbox!\nT\nA\n", "page"),
        ("x.csv", b"\xef\xbb\xbfid,title\n1,T\n", "csv"),
        ("x.txt", b'"id","Title"\n1,T\n', "csv"),
        ("2026-01-30.json", b"[]", "hf"),
        ("day", b'[{"paper": {}}]', "hf"),
        ("day.json", b"1", "hf"),
        ("day.json", b'{\n "status": "success",\n "data": []}', "hf"),
        ("day.json", b'{"error": "no"}', "hf"),
        ("day.json", b'{"statusCode": 429, "message": "slow"}', "hf"),
        ("day.json.gz", b'{"title": "Not found", "status": 404}\n', "hf"),
        ("day.json", b'{\n "detail": "Not found"\n}', "hf"),
        ("papers.json", PAPER + b"\n" + PAPER, "jsonl"),
        ("x", b"<?xml version='1.0'?>\n<!-- x -->\n<rss version='2'><channel>", "rss"),
        ("x", b"<rdf:RDF xmlns='http://purl.org/rss/1.0/'><channel>", "rss"),
        ("x", b"\xef\xbb\xbf<atom:feed xmlns:atom='http://www.w3.org/2005/Atom'>", "rss"),
        ("x", b"<OAI-PMH xmlns='http://www.openarchives.org/OAI/2.0/'>", "arxiv-oai"),
        (
            "x.json",
            b'{"items": [], "version": "https:\\/\\/jsonfeed.org\\/version\\/1"}',
            "jsonfeed",
        ),
        ("x.json", b'{"messages":[{"status":"ok"}],"collection":[]}', "biorxiv"),
        ("x", b"% My papers\n\n@article{a,\n title={A}}", "bibtex"),
        ("refs.bib", b"", "bibtex"),
        ("x", b"Provider: Press\r\n\r\nTY  - JOUR\r\nTI  - A", "ris"),
        ("x", b"TY - JOUR\nTI - A\nER - \n", "ris"),
        ("x.csv", b'title,abstract\nA,"\n@misc{a, title}\nTY  - JOUR"', "csv"),
        (
            "x.jsonl",
            b'{"title": "On @misc{a} and \\"version\\": \\"https://jsonfeed.org/version/"}',
            "jsonl",
        ),
    ],
)
def test_a_format_is_known_by_content_and_name(name: str, content: bytes, found: str) -> None:
    assert reader_for(name, content) == (found, READERS[found])


@pytest.mark.parametrize("content", [b"<rss/>", b"hello", b"", b'{\n "url": 1}'])
def test_an_unclear_file_is_refused_with_the_formats_there_are(content: bytes) -> None:
    with pytest.raises(UnknownFormat, match=r"'x\.dat' .*page, jsonl, csv, observations, hf"):
        reader_for("x.dat", content)


@pytest.mark.parametrize("file_format", ["auto", "jsonl", "csv"])
@pytest.mark.parametrize("start", [b"<!DOCTYPE html>", b"\xef\xbb\xbf\n<!doctype html>", b"<html>"])
def test_a_web_page_is_no_file_of_papers(start: bytes, file_format: str) -> None:
    with pytest.raises(UnreadableFile, match=r"'p\.jsonl' is a web page"):
        reader_for("p.jsonl", start + b"\n<p>503\n", file_format)


def test_an_unknown_format_is_refused_with_the_formats_there_are() -> None:
    with pytest.raises(UnknownFormat, match=r"no format 'yaml': use one of these \(page"):
        reader_for("x", b"", "yaml")


def test_gzip_is_unpacked_member_by_member_and_other_bytes_pass() -> None:
    packed = gzip.compress(b"one ", mtime=0) + gzip.compress(b"two", mtime=0) + b"\0\0"
    assert decompress(packed) == b"one two"
    assert decompress(b"plain") == b"plain"
    assert decompress(gzip.compress(b"", mtime=0)) == b""


def test_a_gzip_of_very_many_members_is_unpacked_in_little_time() -> None:
    member = gzip.compress(b"x", mtime=0)
    start = process_time()
    assert decompress(member * 20_000) == b"x" * 20_000
    assert process_time() - start < 5


def test_a_gzip_in_a_gzip_is_refused() -> None:
    with pytest.raises(UnreadableFile, match="is compressed twice"):
        decompress(gzip.compress(gzip.compress(PAPER, mtime=0), mtime=0))


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (gzip.compress(b"x" * 999, mtime=0)[:-4], "ends too early"),
        (b"\x1f\x8b" + b"long garbage", "is damaged"),
        (b"\x1f\x8b", "ends too early"),
        (gzip.compress(b"x" * 999, mtime=0)[:10] + b"\xff" * 99, "is damaged"),
        (gzip.compress(b"x", mtime=0) + b"tail", "extra data at its end"),
        (gzip.compress(b"x", mtime=0) + b"\0\0tail", "extra data at its end"),
        (gzip.compress(b"x" * 1001, mtime=0), "more than 1,000 bytes"),
        (gzip.compress(b"x" * 600, mtime=0) * 2, "more than 1,000 bytes"),
    ],
)
def test_broken_and_swollen_gzip_is_refused(content: bytes, why: str) -> None:
    with pytest.raises(UnreadableFile, match=why):
        decompress(content, limit=1000)


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("seed/trending_papers_page.txt", "page"),
        ("hf_daily_papers/papers.jsonl.gz", "jsonl"),
        ("hf_daily_papers/upvote_snapshots.jsonl.gz", "observations"),
        ("arxiv_daily/papers.jsonl.gz", "jsonl"),
    ],
)
def test_real_files_are_recognised(path: str, found: str, real_data: Path) -> None:
    content = decompress((real_data / path).read_bytes())
    assert reader_for(path.rpartition("/")[2], content)[0] == found
