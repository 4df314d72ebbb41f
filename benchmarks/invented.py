"""Invented papers and readers in any number, the same ones every time."""

import json
from datetime import UTC, date, datetime
from html import escape
from random import Random

from paperround.db.transactions import Database
from paperround.editions.store.lists import ListStore
from paperround.feeds.ingest import ingest
from paperround.papers.model import ParsedBatch
from paperround.subscribers.model import (
    Address,
    Consent,
    ImportedSubscriber,
    Preferences,
    SubscriberState,
)
from paperround.subscribers.store.subscribers import SubscriberStore

NOW = datetime(2026, 1, 30, 7, tzinfo=UTC)
_AT_ONCE = 10_000
_SYLLABLES = "ta ri mo del ka lin pro ver sa ton gra phi net or ul ex".split()


def papers(count: int, *, seed: int = 1) -> list[dict[str, object]]:
    """JSON-ready papers: about 1,200 characters of abstract, some with LaTeX in them."""
    chance = Random(seed)  # noqa: S311 - the same papers every time
    words = ["".join(chance.choices(_SYLLABLES, k=chance.randint(1, 4))) for _ in range(5000)]
    return [_paper(number, chance, words) for number in range(count)]


def _paper(number: int, chance: Random, words: list[str]) -> dict[str, object]:
    sentences = [" ".join(chance.choices(words, k=20)).capitalize() + "." for _ in range(9)]
    if number % 8 == 0:
        sentences[3] = (
            r"It needs $\mathcal{O}(n)$ steps and is 2.5$\times$ faster, \textit{i.e.} quick."
        )
    return {
        "id": f"26{1 + number // 90000:02}.{10000 + number % 90000}",
        "title": " ".join(chance.choices(words, k=9)).capitalize(),
        "summary": " ".join(sentences),
        "authors": [" ".join(chance.choices(words, k=2)).title() for _ in range(5)],
        "categories": ["cs.LG", "cs.CL"],
        "listed_on": date(2026, 1, 30).isoformat(),
        "published_at": "2026-01-29T12:00:00Z",
    }


def as_jsonl(rows: list[dict[str, object]]) -> bytes:
    """The papers as the bytes of a JSON lines file."""
    return "\n".join(json.dumps(row) for row in rows).encode()


def as_atom(rows: list[dict[str, object]]) -> bytes:
    """The papers as a response of arXiv's query API."""
    entries = "".join(map(_entry, rows))
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<feed xmlns="http://www.w3.org/2005/Atom" xmlns:arxiv="http://arxiv.org/schemas/atom"
      xmlns:opensearch="http://a9.com/-/spec/opensearch/1.1/">
  <title>An invented answer</title>
  <opensearch:totalResults>{len(rows)}</opensearch:totalResults>
  <opensearch:startIndex>0</opensearch:startIndex>
{entries}</feed>
""".encode()


def _entry(row: dict[str, object]) -> str:
    page = f"http://arxiv.org/abs/{row['id']}v1"
    authors = "".join(f"<author><name>{one}</name></author>" for one in _texts(row["authors"]))
    terms = "".join(f'<category term="{one}"/>' for one in _texts(row["categories"]))
    return f"""<entry>
  <id>{page}</id><title>{escape(str(row["title"]))}</title>
  <updated>{row["published_at"]}</updated><published>{row["published_at"]}</published>
  <link href="{page}" rel="alternate" type="text/html"/>
  <summary>{escape(str(row["summary"]))}</summary>
  {terms}{authors}<arxiv:comment>9 pages</arxiv:comment>
</entry>
"""


def _texts(value: object) -> list[str]:
    return [escape(str(one)) for one in value] if isinstance(value, list) else []


def store(batch: ParsedBatch, database: Database) -> None:
    """Ingest a parsed batch."""
    ingest(
        batch,
        database=database,
        feed_name="file:jsonl",
        feed_kind="file",
        source="invented",
        captured_at=NOW,
        now=NOW,
    )


def subscribe(count: int, database: Database, *, tastes: bool = False) -> None:
    """Add `count` readers to the default list; with `tastes` each has two topics, few the same
    two."""
    for first in range(0, count, _AT_ONCE):
        with database.writing() as work:
            trending = work[ListStore].get("trending")
            for number in range(first, min(first + _AT_ONCE, count)):
                wish = Preferences(topics=topics_of(number)) if tastes else Preferences()
                work[SubscriberStore].put(reader(number, wish), trending.id, now=NOW)


def topics_of(number: int) -> tuple[str, ...]:
    """Two words of two syllables, as many of the invented papers have."""
    one, other = number % len(_SYLLABLES), number // len(_SYLLABLES) % len(_SYLLABLES)
    first, second = _SYLLABLES[one], _SYLLABLES[other]
    return first + second, second + first + first


def reader(number: int, wish: Preferences) -> ImportedSubscriber:
    """The reader with this number and the preferences `wish`."""
    written = f"reader{number}@reader{number % 7}.example"
    return ImportedSubscriber(
        address=Address(written=written, mailed=written),
        state=SubscriberState.ACTIVE,
        consent=Consent(at=NOW, source="a benchmark"),
        preferences=wish,
        nonce="nonce",
    )
