"""Read archived papers from `papers.jsonl` files, and snapshots of their counts."""

import gzip
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from paperround.core.errors import InvalidInput
from paperround.core.times import midnight_utc, parse_date, parse_instant
from paperround.papers.model import Observation, Paper, PaperId

Row = Mapping[str, object]


def read_rows(path: Path) -> Iterator[Row]:
    """Yield the JSON object of each line of a file, which may be gzipped.

    Raises InvalidInput with the file and the line for invalid JSON, and OSError.
    """
    open_text = gzip.open if path.suffix == ".gz" else open
    with open_text(path, "rt", encoding="utf-8") as lines:
        for number, line in enumerate(lines, start=1):
            if line.strip():
                try:
                    row = json.loads(line)
                except ValueError:
                    row = None
                if not isinstance(row, dict):
                    raise InvalidInput(
                        f"{path}, line {number} is not a JSON object: each line must be one"
                    )
                yield row


_LINKS = {"code": "github_repo", "project": "project_page", "media": "has_media"}
_SIGNALS = ("upvotes", "comments", "github_stars")

MORNING, AFTERNOON = "a", "b"
"""The two archives of counts: snapshots of about 08:00 UTC and about 15:30 UTC."""


def text(row: Row, name: str) -> str:
    """Return a required text of a row. Raises InvalidInput when it is missing."""
    value = row.get(name)
    if not isinstance(value, str) or not value:
        raise InvalidInput(f"a row lacks the text {name!r}: {str(dict(row))[:200]}")
    return value


def day(row: Row, name: str) -> date:
    """Return a required date of a row. Raises InvalidInput when it is missing or invalid."""
    return parse_date(text(row, name)[:10])


def read_papers(
    paths: Iterable[Path], listed: str = "listed_on", keep: Callable[[Row], bool] = bool
) -> list[Paper]:
    """Return the papers of all files in order, each id once; `listed` is the column of the day.

    `keep` filters rows. Raises InvalidInput for rows without an id, a title or that day.
    """
    found: dict[str, Row] = {}
    for path in paths:
        for row in read_rows(path):
            if keep(row):
                found.setdefault(text(row, "id"), row)
    return [_paper(number, row, listed) for number, row in enumerate(found.values())]


def _paper(number: int, row: Row, listed: str) -> Paper:
    listed_on = day(row, listed)
    stated, published = row.get("submitted_on_daily_at"), row.get("published_at")
    instant = parse_instant(stated) if isinstance(stated, str) else midnight_utc(listed_on)
    return Paper(
        id=PaperId(number),
        identifiers={"arxiv": text(row, "id")},
        title=text(row, "title"),
        abstract=_optional(row, "summary") or "",
        authors=_texts(row, "authors"),
        categories=_texts(row, "categories"),
        links={name: "known" for name, column in _LINKS.items() if row.get(column)},
        counts_from=instant if instant.date() == listed_on else midnight_utc(listed_on),
        listed_on=listed_on,
        published_at=parse_instant(published) if isinstance(published, str) else None,
        organization=_optional(row, "organization"),
        submitter=_optional(row, "submitter"),
    )


def _optional(row: Row, name: str) -> str | None:
    value = row.get(name)
    return value if isinstance(value, str) and value else None


def _texts(row: Row, name: str) -> tuple[str, ...]:
    values = row.get(name)
    return tuple(v for v in values if isinstance(v, str)) if isinstance(values, list) else ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A paper with its counts in each archive; empty when it is not in that archive."""

    paper: Paper
    morning: tuple[Observation, ...] = ()
    afternoon: tuple[Observation, ...] = ()

    @property
    def morning_votes(self) -> int | None:
        """The votes in the morning, None when the paper was not listed then."""
        return votes(self.morning)

    @property
    def afternoon_votes(self) -> int | None:
        """The votes in the afternoon, None when they were not counted."""
        return votes(self.afternoon)


def votes(observations: Iterable[Observation]) -> int | None:
    """Return the votes among observations of one instant, None when there are none."""
    return next((o.value for o in observations if o.signal == "upvotes"), None)


Days = Mapping[date, list[Listed]]


def read_days(papers: Iterable[Path], snapshots: Iterable[Path]) -> Days:
    """Return papers with their counts, by the day they were listed on, oldest day first.

    A morning snapshot that was taken after the afternoon's is left out: it is not from the morning.
    """
    counted: dict[tuple[str, str], tuple[Observation, ...]] = {}
    for path in snapshots:
        for row in read_rows(path):
            counted.setdefault((text(row, "id"), text(row, "source")), tuple(_observed(row)))
    days: dict[date, list[Listed]] = {}
    for paper in read_papers(papers):
        name = paper.identifiers["arxiv"]
        morning = counted.get((name, MORNING), ())
        afternoon = counted.get((name, AFTERNOON), ())
        if morning and afternoon and morning[0].captured_at > afternoon[0].captured_at:
            morning = ()
        one = Listed(paper=paper, morning=morning, afternoon=afternoon)
        days.setdefault(paper.listed_on or paper.counts_from.date(), []).append(one)
    return dict(sorted(days.items()))


def _observed(row: Row) -> Iterator[Observation]:
    captured_at = parse_instant(text(row, "captured_at"))
    for signal in _SIGNALS:
        value = row.get(signal)
        if isinstance(value, int):
            yield Observation(signal=signal, captured_at=captured_at, value=value)
