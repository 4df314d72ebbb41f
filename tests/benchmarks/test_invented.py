"""The invented papers are what real readers read, the same in every format."""

from benchmarks.invented import as_atom, as_jsonl, papers
from paperround.feeds.formats.jsonl import read_jsonl
from paperround.feeds.formats.registry import reader_for


def test_an_invented_answer_of_arxiv_holds_the_papers_of_the_lines() -> None:
    rows = papers(20)
    name, reader = reader_for("answer.xml", as_atom(rows), "auto")
    assert name == "arxiv-atom"
    atom, lines = reader(as_atom(rows)), read_jsonl(as_jsonl(rows))
    assert not atom.rejects
    for read, written in zip(atom.records, lines.records, strict=True):
        for part in ("identifiers", "title", "abstract", "authors", "categories", "published_at"):
            assert getattr(read, part) == getattr(written, part)
