"""Draw reports as SVG: for each metric a bar per method, ours with its interval.

    python -m tools.picture REPORT.json ... --out FILE.svg

A report is what `paperround evaluate` and `python -m tools.evaluate` print with `--json`. With
several reports, each metric is prefixed with the name of its file.
"""

import argparse
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from math import ceil
from pathlib import Path

from paperround.core.errors import InvalidInput, UnreadableFile
from paperround.evaluate.report import Figure, Report

OURS = "ours"
INK, FAINT, LINES = "#111", "#444", "#ddd"
COLOURS = ("#33688f", "#b2703a", "#7d7d7d", "#5f8a55", "#9068a8", "#a89a3c")
"""The colours of ours and of the other methods, repeated if there are more."""

WIDTH, LEFT, RIGHT, TOP, BOTTOM = 640, 200, 50, 30, 24
BAR, BETWEEN = 10, 12
LEGEND = 150


@dataclass(frozen=True, slots=True, kw_only=True)
class _Group:
    """The values of one metric by method; `ours` is our own with its interval."""

    name: str
    ours: Figure
    others: Mapping[str, float]

    @property
    def height(self) -> int:
        return BAR * (1 + len(self.others)) + BETWEEN

    @property
    def longest(self) -> float:
        return max(self.ours.high, self.ours.value, *self.others.values())


def read_report(path: Path) -> Report:
    """Return the report that `--json` printed. Raises UnreadableFile or InvalidInput."""
    try:
        content = path.read_text(encoding="utf-8")
    except OSError as error:
        raise UnreadableFile(f"{path}: {error.strerror or error}") from error
    try:
        found = json.loads(content)
        return Report(
            task=str(found["task"]),
            metrics={name: Figure(**figure) for name, figure in found["metrics"].items()},
            baselines=found["baselines"],
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InvalidInput(
            f"{path} is no report: write it with `python -m tools.evaluate TASK ... --json`"
        ) from error


def picture(reports: Mapping[str, Report]) -> str:
    """Return an SVG of all metrics of all reports; with several, each is prefixed with its name.

    The background is white, so that it can be read on light and dark pages. Raises InvalidInput
    when there is no metric.
    """
    groups = [group for name, one in reports.items() for group in _groups(name, one, len(reports))]
    if not groups:
        raise InvalidInput("there is nothing to draw: the reports have no metric")
    methods = list(dict.fromkeys([OURS, *(name for one in groups for name in one.others)]))
    lines = -(-len(methods) // _legend_columns())
    top = TOP + 16 * (lines - 1)
    height = top + sum(group.height for group in groups) + BOTTOM
    shapes = [
        *_axis(_longest(groups), top, height),
        *_legend(methods),
        *_bars(groups, methods, top),
    ]
    return "\n".join([_opening(height, reports), *shapes, "</svg>", ""])


def _groups(name: str, report: Report, reports: int) -> Iterator[_Group]:
    for metric, figure in report.metrics.items():
        others = {
            method: found[metric] for method, found in report.baselines.items() if metric in found
        }
        label = metric if reports == 1 else f"{name}: {metric}"
        yield _Group(name=label.replace("_", " "), ours=figure, others=others)


def _longest(groups: Sequence[_Group]) -> float:
    """Return the end of the axis: the first multiple of 0.25 that no bar exceeds."""
    most = max(group.longest for group in groups)
    return max(1, ceil(most * 4)) / 4


def _opening(height: int, reports: Mapping[str, Report]) -> str:
    tasks = ", ".join(dict.fromkeys(report.task for report in reports.values()))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}"'
        f' font-family="sans-serif" font-size="11" role="img"'
        f' aria-label="{escape(tasks)}: each metric, by method">\n'
        f'<rect width="{WIDTH}" height="{height}" fill="#fff"/>'
    )


def _axis(end: float, top: int, height: int) -> Iterator[str]:
    for step in range(5):
        x = _at(step / 4)
        yield f'<line x1="{x}" y1="{top - 6}" x2="{x}" y2="{height - BOTTOM}" stroke="{LINES}"/>'
        yield _text(x, height - 8, f"{end * step / 4:.3g}", FAINT, "middle")


def _legend_columns() -> int:
    return (WIDTH - 20) // LEGEND


def _legend(methods: Sequence[str]) -> Iterator[str]:
    for number, method in enumerate(methods):
        row, column = divmod(number, _legend_columns())
        x, y = 12 + column * LEGEND, 15 + 16 * row
        yield f'<rect x="{x}" y="{y - 9}" width="10" height="10" fill="{_colour(number)}"/>'
        yield _text(x + 15, y, method.replace("_", " "), INK)


def _colour(number: int) -> str:
    return COLOURS[number % len(COLOURS)]


def _bars(groups: Sequence[_Group], methods: Sequence[str], top: int) -> Iterator[str]:
    end, y = _longest(groups), top
    for group in groups:
        yield _text(LEFT - 8, y + (group.height - BETWEEN) / 2 + 4, group.name, INK, "end")
        for row, (method, value) in enumerate({OURS: group.ours.value, **group.others}.items()):
            yield from _bar(value / end, y + BAR * row, _colour(methods.index(method)))
            reach = max(value, group.ours.high) if method == OURS else value
            yield _text(_at(reach / end) + 4, y + BAR * row + 9, f"{value:.3f}", FAINT, size=9)
        yield _interval(group.ours.low / end, group.ours.high / end, y)
        y += group.height


def _bar(share: float, y: int, colour: str) -> Iterator[str]:
    width = _at(max(0.0, share)) - LEFT
    yield f'<rect x="{LEFT}" y="{y}" width="{width:.1f}" height="{BAR - 1}" fill="{colour}"/>'


def _interval(low: float, high: float, y: int) -> str:
    middle = y + (BAR - 1) / 2
    return (
        f'<line x1="{_at(low)}" y1="{middle}" x2="{_at(high)}" y2="{middle}"'
        f' stroke="{INK}" stroke-width="2"/>'
    )


def _at(share: float) -> float:
    return round(LEFT + (WIDTH - LEFT - RIGHT) * share, 1)


def _text(x: float, y: float, text: str, fill: str, anchor: str = "start", size: int = 11) -> str:
    return (
        f'<text x="{x:g}" y="{y:g}" fill="{fill}" text-anchor="{anchor}" font-size="{size}">'
        f"{escape(text)}</text>"
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Draw reports and write the picture."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("reports", nargs="+", type=Path)
    parser.add_argument("--out", required=True, type=Path)
    asked = parser.parse_args(arguments)
    svg = picture({path.stem: read_report(path) for path in asked.reports})
    asked.out.write_text(svg, encoding="utf-8")


if __name__ == "__main__":
    main()
