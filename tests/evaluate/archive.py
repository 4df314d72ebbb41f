"""An invented archive in which one author draws most votes, and morning counts are half of them."""

import gzip
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

START = date(2025, 1, 6)
A_DAY = 12


@dataclass(frozen=True)
class Archive:
    """Rows of the three files of `evaluate trending`."""

    papers: list[dict[str, Any]]
    snapshots: list[dict[str, Any]]
    weekly: list[dict[str, Any]]

    def write(self, folder: Path) -> dict[str, Path]:
        """The files by the name of their argument."""
        folder.mkdir(exist_ok=True)
        return {
            name: written(folder / f"{name}.jsonl.gz", rows)
            for name, rows in (
                ("papers", self.papers),
                ("snapshots", self.snapshots),
                ("weekly", self.weekly),
            )
        }


def written(path: Path, rows: Iterable[Mapping[str, Any]]) -> Path:
    text = "".join(json.dumps(row) + "\n" for row in rows)
    path.write_bytes(gzip.compress(text.encode(), mtime=0))
    return path


def archive(days: int, weeks: Sequence[int] = ()) -> Archive:
    """`days` days of A_DAY papers; `weeks` are counted from START, each with its true top ten."""
    papers = [_paper(day, number) for day in range(days) for number in range(A_DAY)]
    counted = [row for day in range(days) for n in range(A_DAY) for row in _counts(day, n)]
    return Archive(papers, counted, [row for week in weeks for row in _top(week)])


def votes(day: int, number: int) -> int:
    """What a paper has in the afternoon: the star's two papers lead, the rest differ a little."""
    return 60 + day % 7 if number < 2 else 2 * (number % 5) + day % 3


def _name(day: int, number: int) -> str:
    return f"2501.{day * A_DAY + number:05}"


def _paper(day: int, number: int) -> dict[str, Any]:
    return {
        "id": _name(day, number),
        "listed_on": (START + timedelta(days=day)).isoformat(),
        "title": f"Study {day} {number}",
        "summary": f"We measure thing{number % 5} and report number {day * A_DAY + number}.",
        "authors": ["Ada Star"] if number < 2 else [f"Writer {number % 5}"],
        "submitter": f"s{number % 3}",
        "organization": None,
        "github_repo": "x" if number % 2 else None,
    }


def _counts(day: int, number: int) -> Iterable[dict[str, Any]]:
    """In the morning half of the votes, and nothing of the last three papers of a day."""
    listed = START + timedelta(days=day)
    for source, hour, value in (("a", 8, votes(day, number) // 2), ("b", 15, votes(day, number))):
        if source == "b" or number < A_DAY - 3:
            yield {
                "id": _name(day, number),
                "source": source,
                "listed_on": listed.isoformat(),
                "captured_at": f"{listed}T{hour:02}:00:00Z",
                "upvotes": value,
                "comments": 1,
                "github_stars": None,
            }


def _top(week: int) -> Iterable[dict[str, Any]]:
    start = START + timedelta(days=7 * week)
    inside = [(7 * week + day, number) for day in range(7) for number in range(A_DAY)]
    best = sorted(inside, key=lambda place: -votes(*place))[:10]
    for day, number in best:
        yield {
            "week_start": start.isoformat(),
            "week_end": (start + timedelta(days=6)).isoformat(),
            "id": _name(day, number),
        }
