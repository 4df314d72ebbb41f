"""Text repair judged on labelled spots of real papers.

Every line of `repair_spots.jsonl` names a place (`seed:line`, `hf:id:field`, `ax:id:field`), a few
words as they stand there (`was`) and as they should read (`now`), or words that must stay (`keep`).
"""

import gzip
import json
from collections.abc import Iterator
from difflib import SequenceMatcher
from pathlib import Path

import pytest

from paperround.papers.text import repair_abstract, repair_title

LABELS = Path(__file__).with_name("repair_spots.jsonl")
FOLDERS = {"hf": "hf_daily_papers", "ax": "arxiv_daily"}


def spots() -> list[dict[str, str]]:
    return [json.loads(line) for line in LABELS.read_text("utf-8").splitlines()]


def papers(real_data: Path, folder: str, wanted: set[str]) -> Iterator[tuple[str, dict[str, str]]]:
    with gzip.open(real_data / folder / "papers.jsonl.gz", "rt", encoding="utf-8") as lines:
        for line in lines:
            if line[8:18] in wanted:
                paper = json.loads(line)
                yield paper["id"], paper


@pytest.fixture(scope="module")
def texts(real_data: Path) -> dict[str, str]:
    """The text of every place that is labelled."""
    page = (real_data / "seed" / "trending_papers_page.txt").read_text("utf-8").split("\n")
    found = {f"seed:{number}": line for number, line in enumerate(page, start=1)}
    wanted = {spot["at"].split(":")[1] for spot in spots()}
    for source, folder in FOLDERS.items():
        for paper_id, paper in papers(real_data, folder, wanted):
            for field in ("title", "summary"):
                found[f"{source}:{paper_id}:{field}"] = paper[field]
    return found


def verdict(spot: dict[str, str], text: str) -> str:
    """`mended`, `missed`, `kept`, or `wrong`: the repair wrote something else."""
    was = spot.get("was") or spot["keep"]
    assert was in " ".join(text.split()), f"no {was!r} at {spot['at']}"
    repaired = (repair_title if spot["at"].endswith("title") else repair_abstract)(text)
    if "keep" in spot:
        return "kept" if was in repaired else "wrong"
    if was in repaired:
        return "missed"
    return "mended" if spot["now"] in repaired else "wrong"


@pytest.mark.accept("Q10")
def test_nearly_every_damaged_spot_is_mended_and_none_wrongly(texts: dict[str, str]) -> None:
    verdicts = {json.dumps(spot): verdict(spot, texts[spot["at"]]) for spot in spots()}
    assert [spot for spot, found in verdicts.items() if found == "wrong"] == []
    found = list(verdicts.values())
    mended, missed = found.count("mended"), found.count("missed")
    assert len(found) >= 300
    assert mended / (mended + missed) >= 0.95


@pytest.mark.accept("F01", part="nothing else changes")
def test_the_seed_page_changes_nowhere_but_at_its_labelled_spots(real_data: Path) -> None:
    page = (real_data / "seed" / "trending_papers_page.txt").read_text("utf-8").splitlines()
    for number, line in enumerate(page, start=1):
        labels = [
            spot["was"] for spot in spots() if spot["at"] == f"seed:{number}" if "was" in spot
        ]
        for changed in changes(line.split(), repair_abstract(line).split()):
            assert any(changed in label for label in labels), f"line {number}: {changed!r}"


def changes(before: list[str], after: list[str]) -> Iterator[str]:
    """The words of `before` that stand no more in `after`, run by run."""
    matcher = SequenceMatcher(None, before, after, autojunk=False)
    for kind, start, end, _, _ in matcher.get_opcodes():
        if kind != "equal":
            yield " ".join(before[start:end])
