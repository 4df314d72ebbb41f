"""Every recorded answer gives papers or says why not, and `recorded_answers.md` has the counts."""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from paperround.core.errors import InvalidInput
from paperround.feeds.formats.registry import READERS, reader_for
from tests.plugins.cassettes import recorded

PAGE = Path(__file__).with_name("recorded_answers.md")
HEAD = "| file | read as | papers | rejects | refused |\n|---|---|---|---|---|"
FORMATS = {
    "arxiv_api": "arxiv-atom",
    "arxiv_oai": "arxiv-oai",
    "arxiv_rss": "arxiv-rss",
    "biorxiv": "jsonl",
    "crossref": "crossref",
    "generic_feeds": "rss",
    "hf_daily_papers": "hf",
    "hf_papers_rss": "rss",
    "journal_rss": "rss",
    "oai_pmh_sickle": "arxiv-oai",
    "openalex": "openalex",
    "pubmed": "pubmed",
    "semantic_scholar": "semantic-scholar",
}
WORDS = {"InvalidInput": "no such answer", "NotWellFormed": "broken"}
OK = 200


@dataclass
class Outcome:
    """What became of one file: papers, rejects by reason, answers that are refused and why."""

    papers: int = 0
    rejects: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)


def answers(path: Path) -> Iterator[tuple[int, bytes]]:
    """The (status, body) of each answer in a file; some files hold a conversation."""
    if path.suffix == ".yaml":
        yield from ((one.status, one.body) for one in recorded(path))
    elif path.parent.name == "arxiv_api":
        said = json.loads(path.read_bytes())
        yield said["status_code"], said["body"].encode()
    else:
        yield OK, path.read_bytes()


def file_format(path: Path) -> str:
    is_json_feed = FORMATS[path.parent.name] == "rss" and path.suffix == ".json"
    return "jsonfeed" if is_json_feed else FORMATS[path.parent.name]


def outcome(path: Path) -> Outcome:
    found = Outcome()
    for status, body in answers(path):
        if status != OK:
            found.refused[f"status {status}"] += 1
            continue
        try:
            batch = READERS[file_format(path)](body)
        except InvalidInput as error:
            found.refused[WORDS[type(error).__name__]] += 1
            continue
        if batch.records:
            assert reader_for(path.name, body)[0] == file_format(path)
        found.papers += len(batch.records)
        found.rejects.update(reject.reason for reject in batch.rejects)
    return found


def counted(counts: Counter[str]) -> str:
    return ", ".join(f"{n} {what}" for what, n in sorted(counts.items())) or "0"


def table(folder: Path) -> str:
    files = sorted(
        path for path in folder.glob("*/*") if path.parent.name in FORMATS and path.is_file()
    )
    rows = []
    for path in files:
        found = outcome(path)
        cells = [
            f"`{path.parent.name}/{path.name}`",
            f"`{file_format(path)}`",
            str(found.papers) if found != Outcome() else "0, as it says itself",
            counted(found.rejects),
            counted(found.refused),
        ]
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join([HEAD, *rows])


def test_every_folder_of_recorded_answers_is_read(real_data: Path) -> None:
    folders = {path.name for path in (real_data / "raw_responses").iterdir() if path.is_dir()}
    assert folders == set(FORMATS)


@pytest.mark.accept("F06", part="recorded answers")
def test_the_page_has_the_counts_of_every_recorded_answer(real_data: Path) -> None:
    counts = table(real_data / "raw_responses")
    page = PAGE.read_text(encoding="utf-8")
    assert counts in page, f"put this into tests/feeds/recorded_answers.md:\n\n{counts}\n"
