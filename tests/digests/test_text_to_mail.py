"""From what a stranger writes to the mail a reader gets: the whole path, nothing left out.

    file ─► reader ─► repair ─► database ─► ranker ─► edition ─► templates ─► bytes ─► two parsers

Whatever title, abstract, author, keyword, name of a code page or feed holds, nothing raises, no
control or bidi character reaches subject or bodies, no header is added, and the MIME is sound for
the standard library as for a reader that knows the RFCs alone.
"""

import email
import email.policy
import html
import json
import re
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from paperround.db.transactions import SqlDatabase
from paperround.digests.compose import digest_mail, edition_content
from paperround.digests.render.composer import MailRenderer
from paperround.editions.store.lists import ListStore
from paperround.feeds.formats.registry import READERS
from paperround.feeds.ingest import ingest
from paperround.ranking.trending import TrendingRanker
from paperround.self_service.preview import DigestPreviewer
from tests.databases import opened
from tests.digests.composing import SAMPLE_DELIVERY
from tests.digests.golden_names import DIGEST_FIELD_NAMES
from tests.digests.messy import MESSY
from tests.digests.reading import HOSTILE, Outline, modern, modern_parts, split_by_hand
from tests.digests.two_hundred import SAMPLES, feed_entry, hf_row, paper_line
from tests.fakes import SENDER_IDENTITY, PlainRenderer
from tests.sample_database import IDENTITY, NOW

UNSEEN = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufeff]"
)
"""Controls but the end of a line, bidi marks and overrides, halves of characters."""

SMUGGLED = [
    "Study\r\nBcc: evil@example.com", "Study\nBcc: evil@example.com",
    "Study\rBcc: evil@example.com",
    "Study\r\n\r\n<script>x</script>", "Study%0d%0aBcc: evil@example.com",
    "Study\x85Bcc: e@x.example",
    "Study\u2028Bcc: evil@example.com", "=?utf-8?q?Study=0D=0ABcc:_evil@example.com?=",
    "=?utf-8?b?U3R1ZHkNCkJjYzogZXZpbEBleGFtcGxlLmNvbQ==?=", "=?utf-8?q?Study=0ABcc:_e@x.example?=",
    "=?utf-7?q?Study+AA0ACg-Bcc:_e@x.example?=", "=?utf-16?b?DQoKAEIAYwBjADoA?=",
    "=?us-ascii?q?a?= =?us-ascii?q?=0D=0ABcc:_e@x.example?=", "=\r\n ?utf-8?q?Study=0D=0ABcc:_e?=",
    "&#13;&#10;Bcc: evil@example.com", "&#x0d;&#x0a;Bcc: evil@example.com", "a\r\n Bcc: folded",
    '"Study" <evil@example.com>, "x" <y@example.com>', "--=_paperround\r\nContent-Type: text/html",
    "Study\0\r\0\nBcc: evil@example.com", "x" * 990 + "\r\nBcc: evil@example.com", r"\r\nBcc: e@x",
    "&lt;script&gt;alert(1)&lt;/script&gt;", "\\char\"0D\\char\"0ABcc: x",
    "ş\r\nBcc: ş@example.com",
]  # fmt: skip
SPICE = st.sampled_from([
    *HOSTILE, *SMUGGLED, "&#x202e;", "&rlm;", "&NewLine;", "&Tab;", "&#0;", "&#133;", "&zwj;", "=?",
    "?=", "\u200d", "\ufe0f", "\U0001f468\u200d\U0001f4bb", "\u0301" * 40, "\ufffe", "<!--", "-->",
    "]]>", "<![CDATA[", "{%", "{{", "{#", "</style>", "</title>", "<a href='javascript:x'>y</a>",
    r"$\unicode{x202e}$", r"\u202e", r"\textrtl{x}", "=3D", "=\n", ".", "\n.\n", " ",
    "\t", "\u3000",
])  # fmt: skip
TEXT = st.lists(SPICE | MESSY | st.text(max_size=12), min_size=1, max_size=4).map("".join)
PAPERS = st.lists(
    st.fixed_dictionaries({
        "title": TEXT, "summary": TEXT, "authors": st.lists(TEXT, max_size=5), "comment": TEXT,
        "keywords": st.lists(TEXT, max_size=3), "organization": TEXT, "github_repo": TEXT,
    }),
    min_size=1, max_size=4,
)  # fmt: skip
Written = dict[str, Any]


def in_our_lines(papers: Sequence[Written]) -> bytes:
    rows = [paper_line(number) | paper for number, paper in enumerate(papers, start=1)]
    return SAMPLES["jsonl"].joined([*rows, paper_line(9)])


def in_a_json_feed(papers: Sequence[Written]) -> bytes:
    rows = [
        feed_entry(number)
        | {"title": paper["title"], "content_html": paper["summary"], "tags": paper["keywords"]}
        | {"authors": [{"name": name} for name in paper["authors"]]}
        for number, paper in enumerate(papers, start=1)
    ]
    return SAMPLES["jsonfeed"].joined([*rows, feed_entry(9)])


def in_daily_papers(papers: Sequence[Written]) -> bytes:
    rows = []
    for number, paper in enumerate(papers, start=1):
        row = hf_row(number)
        row["paper"] |= {
            "title": paper["title"], "summary": paper["summary"], "ai_keywords": paper["keywords"],
            "authors": [{"name": name} for name in paper["authors"]],
            "githubRepo": paper["github_repo"], "organization": {"name": paper["organization"]},
        }  # fmt: skip
        rows.append(row)
    return json.dumps([*rows, hf_row(9)]).encode()


def in_rss(papers: Sequence[Written]) -> bytes:
    """Escaped, and in part so twice; a sign that is no XML makes it a badly written feed."""
    items = [
        f"<item><title>{html.escape(paper['title'])}</title><guid>{number}</guid>"
        f"<link>https://journal.example/{number}</link>"
        f"<description>{html.escape(html.escape(paper['summary']))}</description>"
        + "".join(f"<author>{html.escape(name)}</author>" for name in paper["authors"])
        + "</item>"
        for number, paper in enumerate(papers, start=1)
    ]
    sample = SAMPLES["rss"]
    return sample.joined([*items, sample.good(9)])


WAYS_IN: dict[str, Callable[[Sequence[Written]], bytes]] = {
    "jsonl": in_our_lines,
    "jsonfeed": in_a_json_feed,
    "hf": in_daily_papers,
    "rss": in_rss,
}


class WholePath:
    """A database for each digest, and a renderer for all."""

    def __init__(self, template: Path, folder: Path) -> None:
        self._template = template
        self._file = folder / "fresh.db"
        self._renderer = MailRenderer(SENDER_IDENTITY)

    @contextmanager
    def _fresh(self) -> Iterator[SqlDatabase]:
        shutil.copy(self._template, self._file)
        with opened(f"sqlite:///{self._file}") as engine:
            database = SqlDatabase(engine)
            with database.writing() as work:
                work[ListStore].ensure_default(zone="UTC", now=NOW)
            yield database
        self._file.unlink()

    def mailed(
        self, file_format: str, content: bytes, site: str = "Trending", feed: str = "f"
    ) -> bytes:
        """The digest of a file's papers; `site` names list and operator, `feed` the feed."""
        with self._fresh() as database:
            ingest(
                READERS[file_format](content), database=database, feed_name=feed, feed_kind="file",
                source="a test", captured_at=NOW, now=NOW,
            )  # fmt: skip
            seen = DigestPreviewer(
                database=database,
                ranker=TrendingRanker(),
                identity=IDENTITY,
                sender_identity=SENDER_IDENTITY,
                renderer=PlainRenderer(),
            ).preview("trending", now=NOW)
        edition = seen.edition
        assert edition.papers
        sender_identity = replace(SENDER_IDENTITY, operator=site)
        positions = tuple(paper.position for paper in edition.papers)
        sheet = edition_content(edition, site, sender_identity)
        mail = digest_mail(sheet, replace(SAMPLE_DELIVERY, positions=positions), IDENTITY.keys)
        return self._renderer.compose(mail)


@pytest.fixture(scope="session")
def whole_path(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> WholePath:
    return WholePath(sqlite_template, tmp_path_factory.mktemp("whole-path"))


@pytest.fixture(scope="session")
def plain_outline(whole_path: WholePath) -> Outline:
    """The HTML of a digest whose texts are harmless."""
    harmless = whole_path.mailed("jsonl", in_our_lines([]))
    return Outline(modern_parts(harmless)[1])


def check(content: bytes, plain: Outline) -> None:
    """What has to hold of every mail."""
    message = modern(content)
    assert [name for name, _ in message.items()] == DIGEST_FIELD_NAMES == split_by_hand(content)[0]
    assert all(not part.defects for part in message.walk())
    kinds = [part.get_content_type() for part in message.walk()]
    assert kinds == ["multipart/alternative", "text/plain", "text/html"]
    for value in message.values():
        assert not UNSEEN.search(str(value).replace("\n", "\r"))
    text, page = modern_parts(content)
    assert [text, page] == split_by_hand(content)[1]
    for body in (text, page, html.unescape(page)):
        found = UNSEEN.search(body)
        assert found is None, f"{found[0]!a} near {body[max(found.start() - 40, 0) :][:80]!a}"
    outline = Outline(page)
    assert {tag for tag, _ in outline.tags} <= {tag for tag, _ in plain.tags}
    allowed = {name for _, attributes in plain.tags for name in attributes}
    assert {name for _, attributes in outline.tags for name in attributes} <= allowed
    assert all(link["href"].startswith(("https://", "mailto:")) for link in outline.all("a"))
    again = email.message_from_bytes(message.as_bytes(), policy=email.policy.SMTP)
    assert isinstance(again, EmailMessage)
    assert [name for name, _ in again.items()] == DIGEST_FIELD_NAMES


def given_papers(examples: int) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Hypothesis with as many digests."""
    chosen = settings(
        max_examples=examples,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink],
    )
    return lambda test: chosen(
        given(papers=PAPERS, way=st.sampled_from(list(WAYS_IN)), site=TEXT)(test)
    )


def whole(path: WholePath, plain: Outline, papers: list[Written], way: str, site: str) -> None:
    check(path.mailed(way, WAYS_IN[way](papers), site=site), plain)


@pytest.mark.slow
@pytest.mark.accept("I7")
@given_papers(40)
def test_whatever_is_written_the_mail_is_whole(
    whole_path: WholePath, plain_outline: Outline, papers: list[Written], way: str, site: str
) -> None:
    whole(whole_path, plain_outline, papers, way, site)


@pytest.mark.long
@pytest.mark.accept("I7", part="ten minutes")
def test_for_ten_minutes_whatever_is_written_the_mail_is_whole(
    whole_path: WholePath, plain_outline: Outline
) -> None:
    @given_papers(500)
    def some(papers: list[Written], way: str, site: str) -> None:
        whole(whole_path, plain_outline, papers, way, site)

    end = time.monotonic() + 600
    while time.monotonic() < end:
        some()


@pytest.mark.accept("I8")
@pytest.mark.parametrize("text", SMUGGLED, ids=ascii)
def test_what_looks_like_a_header_adds_none_wherever_it_stands(
    text: str, whole_path: WholePath, plain_outline: Outline
) -> None:
    """In title, abstract, author, comment and submitter of a paper, in the names of list, site and
    feed, and so in the subject."""
    paper = {"title": text, "summary": text, "authors": [text, text]}
    paper |= {"comment": text, "organization": text, "submitter": text, "keywords": [text]}
    content = whole_path.mailed("jsonl", in_our_lines([paper]), site=text, feed=text)
    check(content, plain_outline)
    message = modern(content)
    assert message["Bcc"] is None
    assert str(message["To"]) == SAMPLE_DELIVERY.address
    assert [one.addr_spec for one in message["From"].addresses] == [SENDER_IDENTITY.envelope_from]
